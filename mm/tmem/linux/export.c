// SPDX-License-Identifier: GPL-2.0-only
/*
 * What modules use of the tmem engine: its own files do not know of modules.
 */
#include <linux/export.h>
#include "../engine.h"

EXPORT_SYMBOL_GPL(tmem_engine_create);
EXPORT_SYMBOL_GPL(tmem_engine_destroy);
EXPORT_SYMBOL_GPL(tmem_client_create);
EXPORT_SYMBOL_GPL(tmem_client_destroy);
EXPORT_SYMBOL_GPL(tmem_client_usage);
EXPORT_SYMBOL_GPL(tmem_client_stats);
EXPORT_SYMBOL_GPL(tmem_evict);
EXPORT_SYMBOL_GPL(tmem_evictable);
EXPORT_SYMBOL_GPL(tmem_pool_stats);

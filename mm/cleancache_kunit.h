/* SPDX-License-Identifier: GPL-2.0-only */
/* What the unit tests of cleancache share. */
#ifndef _MM_CLEANCACHE_KUNIT_H
#define _MM_CLEANCACHE_KUNIT_H

#include "cleancache.h"

struct kunit;

struct cleancache_mount *cleancache_test_mount(struct kunit *test);
void cleancache_test_hold(struct kunit *test, struct cleancache_object *object,
			  pgoff_t index, unsigned int nr);

#endif /* _MM_CLEANCACHE_KUNIT_H */

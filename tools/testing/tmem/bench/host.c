// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory for the tmem engine in its benchmark: malloc(), which like a kernel's
 * allocator has what was freed last by the same thread at hand.
 */
#include <stdlib.h>
#include <string.h>
#include "tmem_host.h"

void *tmh_alloc(size_t size)
{
	void *memory = malloc(size);

	return memory ? memset(memory, 0, size) : NULL;
}

void tmh_free(void *memory, size_t size)
{
	free(memory);
}

void *tmh_alloc_table(size_t size)
{
	void *memory;

	size = (size + TMH_CACHE_LINE - 1) / TMH_CACHE_LINE * TMH_CACHE_LINE;
	memory = aligned_alloc(TMH_CACHE_LINE, size);
	return memory ? memset(memory, 0, size) : NULL;
}

void tmh_free_table(void *memory, size_t size)
{
	free(memory);
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the engine is compared with: an index of payloads with one lock. It has no
 * pools, objects, limits and order of eviction, and copies without its lock and
 * without a note, so that nobody else must use the same page meanwhile.
 *
 * Inline, so that an index is called as directly as the engine calls its own.
 */
#ifndef _INDEX_H
#define _INDEX_H

#include "bench.h"

static inline int index_put(void *index, const struct tmem_handle *handle,
			    const void *page,
			    bool (*insert)(void *index, u64 key,
					   unsigned long payload))
{
	unsigned long payload;
	int error;

	error = bench.payload->store(NULL, page, 0, &payload);
	if (error)
		return error;
	return insert(index, bench_key(handle), payload) ? 0 : -EEXIST;
}

static inline int index_flush(void *index, const struct tmem_handle *handle,
			      unsigned long (*take)(void *index, u64 key))
{
	unsigned long payload = take(index, bench_key(handle));

	if (!payload)
		return -ENOENT;
	bench.payload->release(NULL, 0, payload);
	return 0;
}

static inline int index_get(void *index, const struct tmem_handle *handle,
			    void *page,
			    unsigned long (*find)(void *index, u64 key),
			    unsigned long (*take)(void *index, u64 key))
{
	u64 key = bench_key(handle);
	unsigned long payload = bench.ephemeral ? take(index, key) :
		find(index, key);
	int error;

	if (!payload)
		return -ENOENT;
	error = bench.payload->load(NULL, page, 0, payload);
	if (bench.ephemeral)
		bench.payload->release(NULL, 0, payload);
	return error;
}

#endif /* _INDEX_H */

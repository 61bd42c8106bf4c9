// SPDX-License-Identifier: GPL-2.0-only
/*
 * The load of the benchmark: which pages there are, in which order they are taken,
 * and the loops that put, get and flush them. Callgrind knows these loops by name.
 */
#include "bench.h"

#define LARGE_BITS	12
#define SMALL_MAX	16
/* 1 + 2 + ... + SMALL_MAX */
#define SMALL_GROUP	136

/* Objects of 1 to SMALL_MAX pages, one of each size: where each of the pages is */
static struct {
	u8 object;
	u8 index;
} small_page[SMALL_GROUP];

/**
 * bench_load_begin - prepare names of pages
 */
void bench_load_begin(void)
{
	unsigned int object, index, page = 0;

	for (object = 0; object < SMALL_MAX; object++)
		for (index = 0; index <= object; index++, page++) {
			small_page[page].object = object;
			small_page[page].index = index;
		}
}

/* One-to-one, as each step is; without a table that would be in the caches. */
static inline u64 shuffle(u64 i)
{
	u64 mask = bench_pages() - 1;
	unsigned int half = (bench.page_bits + 1) / 2;

	i = (i * 0x9e3779b97f4a7c15ull) & mask;
	i ^= i >> half;
	i = (i * 0xbf58476d1ce4e5b9ull) & mask;
	return i ^ i >> half;
}

/* The number of the @i-th page that a worker takes; no other has it. */
static inline u64 number(unsigned int worker, u64 i)
{
	return ((u64)worker << bench.page_bits) + (bench.random ? shuffle(i) : i);
}

static inline void name(struct tmem_handle *handle, u64 page)
{
	if (bench.small) {
		handle->oid[0] = page / SMALL_GROUP * SMALL_MAX +
			small_page[page % SMALL_GROUP].object;
		handle->index = small_page[page % SMALL_GROUP].index;
	} else {
		handle->oid[0] = page >> LARGE_BITS;
		handle->index = page & ((1 << LARGE_BITS) - 1);
	}
}

/**
 * bench_put - put all pages of a worker
 * @client: Where to.
 * @worker: Number of the worker.
 * @page: Memory of a page.
 *
 * Return: how often that went wrong.
 */
unsigned long bench_put(void *client, unsigned int worker, u64 *page)
{
	struct tmem_handle handle = {};
	unsigned long wrong = 0;
	u64 i;

	for (i = 0; i < bench_pages(); i++) {
		*page = number(worker, i);
		name(&handle, *page);
		wrong += !!bench.store->put(client, &handle, page);
	}
	return wrong;
}

/**
 * bench_get - get all pages of a worker
 * @client: Where from.
 * @worker: Number of the worker.
 * @page: Memory of a page.
 *
 * Return: how often there was none, or not what was put.
 */
unsigned long bench_get(void *client, unsigned int worker, u64 *page)
{
	struct tmem_handle handle = {};
	unsigned long wrong = 0;
	u64 i, wanted;

	for (i = 0; i < bench_pages(); i++) {
		wanted = number(worker, i);
		name(&handle, wanted);
		wrong += bench.store->get(client, &handle, page) ||
			(bench.payload == &bench_frames && *page != wanted);
	}
	return wrong;
}

/**
 * bench_flush - flush all pages of a worker
 * @client: Where.
 * @worker: Number of the worker.
 * @page: Not used.
 *
 * Return: how often there was none.
 */
unsigned long bench_flush(void *client, unsigned int worker, u64 *page)
{
	struct tmem_handle handle = {};
	unsigned long wrong = 0;
	u64 i;

	for (i = 0; i < bench_pages(); i++) {
		name(&handle, number(worker, i));
		wrong += !!bench.store->flush(client, &handle);
	}
	return wrong;
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the engine's benchmark share.
 */
#ifndef _BENCH_H
#define _BENCH_H

#include "engine.h"

#define BENCH_PAGE_SIZE	4096
#define BENCH_WORKERS	2

/**
 * struct bench_store - what keeps pages: the engine, or what it is compared with
 * @name: Its name.
 * @begin: Prepares it.
 * @open: Returns a new client, with a pool.
 * @put: Put a page that is not there. Returns 0 or a negative error code.
 * @get: Get a page; remove it if pages are ephemeral. Returns the same.
 * @flush: Remove a page that is there. Returns the same.
 */
struct bench_store {
	const char *name;
	void	(*begin)(void);
	void	*(*open)(void);
	int	(*put)(void *client, const struct tmem_handle *handle,
		       const void *page);
	int	(*get)(void *client, const struct tmem_handle *handle, void *page);
	int	(*flush)(void *client, const struct tmem_handle *handle);
};

extern const struct bench_store bench_engine, bench_hash, bench_xarray;

/**
 * struct bench_options - what is to be measured
 * @store: Of what.
 * @payload: How content is kept.
 * @page_bits: log2 of the pages of each worker.
 * @ephemeral: Kind of the pools; else persistent.
 * @small: Objects have 1 to 16 pages, as files have; else 4096, as parts of a swap
 *	device.
 * @random: Pages are taken in an order that looks random; else one after the other.
 * @rounds: How often, after a first time that is not measured.
 * @workers: How many work at the same time.
 * @clients: How many clients they have: one together, or one each.
 * @processes: How many processes: one, or one for each worker.
 * @bucket_bits: Of the engine.
 * @stripe_bits: Of the engine.
 */
struct bench_options {
	const struct bench_store *store;
	const struct tmem_payload_ops *payload;
	unsigned int page_bits;
	bool	ephemeral;
	bool	small;
	bool	random;
	unsigned int rounds;
	unsigned int workers;
	unsigned int clients;
	unsigned int processes;
	unsigned int bucket_bits;
	unsigned int stripe_bits;
};

extern struct bench_options bench;

static inline u64 bench_pages(void)
{
	return 1ull << bench.page_bits;
}

/* A handle in one word, for stores that have no other names */
static inline u64 bench_key(const struct tmem_handle *handle)
{
	return handle->oid[0] << (bench.small ? 4 : 12) | handle->index;
}

void bench_die(const char *what);

/* payload.c */
extern const struct tmem_payload_ops bench_frames, bench_dummy;
void bench_frames_begin(void);

/* load.c */
void bench_load_begin(void);
unsigned long bench_put(void *client, unsigned int worker, u64 *page);
unsigned long bench_get(void *client, unsigned int worker, u64 *page);
unsigned long bench_flush(void *client, unsigned int worker, u64 *page);

#endif /* _BENCH_H */

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The benchmark's store that is the engine.
 */
#include "bench.h"

static struct tmem_engine *engine;

static void engine_begin(void)
{
	struct tmem_config config = {
		.ops = bench.payload,
		.seed = { 1, 2 },
		.orders = 1,
		.bucket_bits = bench.bucket_bits,
		.stripe_bits = bench.stripe_bits,
		.max_clients = BENCH_WORKERS,
		.max_pools = 1,
	};

	if (tmem_engine_create(&config, &engine))
		bench_die("no engine");
}

/* Handles name pool 0, the first of a client. */
static void *engine_open(void)
{
	static const struct tmem_limits limits = {
		TMEM_UNLIMITED, TMEM_UNLIMITED, TMEM_UNLIMITED, 1
	};
	static const u64 uuid[2];
	u32 flags = TMEM_VERSION << TMEM_FLAG_VERSION_SHIFT |
		(bench.ephemeral ? 0 : TMEM_FLAG_PERSISTENT);
	struct tmem_client *client;

	if (tmem_client_create(engine, &limits, NULL, &client) ||
	    tmem_new_pool(client, uuid, flags))
		bench_die("no pool");
	return client;
}

static int engine_put(void *client, const struct tmem_handle *handle,
		      const void *page)
{
	return tmem_put(client, handle, page);
}

static int engine_get(void *client, const struct tmem_handle *handle, void *page)
{
	return tmem_get(client, handle, page, 0);
}

static int engine_flush(void *client, const struct tmem_handle *handle)
{
	return tmem_flush_page(client, handle);
}

const struct bench_store bench_engine = {
	.name = "engine",
	.begin = engine_begin,
	.open = engine_open,
	.put = engine_put,
	.get = engine_get,
	.flush = engine_flush,
};

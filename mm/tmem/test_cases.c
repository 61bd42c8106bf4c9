// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the tmem engine, each of one property; those at the end have each been
 * broken in an engine of old.
 */
#include "test_scene.h"

static void test_kinds(struct tmem_test *test)
{
	static const u32 kinds[] = { TMEM_TEST_EPHEMERAL, TMEM_TEST_PERSISTENT,
				     TMEM_TEST_SHARED };
	struct scene scene;
	unsigned int i;

	for (i = 0; i < 3; i++) {
		if (!scene_begin(&scene, test, kinds[i]))
			return;
		TMEM_EXPECT(test, get(&scene, 1, 1, 0) == 0);
		TMEM_EXPECT(test, !put(&scene, 1, 1, 2));
		TMEM_EXPECT(test, get(&scene, 1, 1, 0) == 2);
		/* A get from a private ephemeral pool removes the page. */
		TMEM_EXPECT(test, get(&scene, 1, 1, 0) == (i ? 2 : 0));
		TMEM_EXPECT(test, !put(&scene, 1, 1, 4));
		TMEM_EXPECT(test, get(&scene, 1, 1, TMEM_GET_KEEP) == 4);
		TMEM_EXPECT(test, get(&scene, 1, 1, TMEM_GET_EXCLUSIVE) == 4);
		TMEM_EXPECT(test, get(&scene, 1, 1, 0) == 0);
		TMEM_EXPECT(test, !put(&scene, 1, 1, 5));
		TMEM_EXPECT(test, get(&scene, 1, 1, TMEM_GET_REMOVE) == 5);
		TMEM_EXPECT(test, get(&scene, 1, 1, TMEM_GET_REMOVE) == 0);
		TMEM_EXPECT(test, flush(&scene, 1, 1) == -ENOENT);
		TMEM_EXPECT(test, !put(&scene, 1, 1, 6));
		TMEM_EXPECT(test, !flush(&scene, 1, 1));
		TMEM_EXPECT(test, get(&scene, 1, 1, 0) == 0);
		scene_end(&scene);
	}
}

/* Handles that differ in one bit are different. */
static void test_one_bit(struct tmem_test *test)
{
	struct tmem_handle handle;
	struct tmem_test_page page;
	struct scene scene;
	unsigned int round, bit;

	if (!scene_begin(&scene, test, TMEM_TEST_PERSISTENT))
		return;
	for (round = 0; round < 2; round++)
		for (bit = 0; bit <= 256; bit++) {
			handle = handle_of(&scene, 0x5555, 0xaaaa);
			if (bit < 192)
				handle.oid[bit / 64] ^= 1ull << bit % 64;
			else if (bit < 256)
				handle.index ^= 1ull << bit % 64;
			tmem_test_identify(&page, bit + 1);
			if (!round)
				TMEM_EXPECT(test, !tmem_put(scene.client,
							    &handle, &page));
			else
				TMEM_EXPECT(test,
					    !tmem_get(scene.client, &handle,
						      &page, 0) &&
					    tmem_test_is(&page, bit + 1));
		}
	TMEM_EXPECT(test, pages_of(&scene) == 257);
	scene_end(&scene);
}

static void test_pool_flags(struct tmem_test *test)
{
	static const u32 wrong[] = {
		0, TMEM_FLAG_PERSISTENT, 2u << TMEM_FLAG_VERSION_SHIFT,
		TMEM_TEST_EPHEMERAL | 4, TMEM_TEST_EPHEMERAL | 8,
		TMEM_TEST_EPHEMERAL | 0x100, TMEM_TEST_EPHEMERAL | 0x800000,
		TMEM_TEST_EPHEMERAL | 2 << TMEM_FLAG_ORDER_SHIFT,
		TMEM_TEST_EPHEMERAL | TMEM_FLAG_ORDER_MASK,
		TMEM_TEST_PERSISTENT | TMEM_FLAG_SHARED,
	};
	struct tmem_usage usage;
	struct scene scene;
	unsigned int i;

	if (!scene_begin(&scene, test, TMEM_TEST_PERSISTENT |
			 1 << TMEM_FLAG_ORDER_SHIFT))
		return;
	TMEM_EXPECT(test, !put(&scene, 1, 1, 2));
	TMEM_EXPECT(test, tmh_read(&test->store.order) == 1);
	TMEM_EXPECT(test, get(&scene, 1, 1, 0) == 2);
	for (i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		TMEM_EXPECT(test, tmem_new_pool(scene.client, no_uuid,
						wrong[i]) == -EINVAL);
	tmem_client_usage(scene.client, &usage);
	TMEM_EXPECT(test, usage.pools == 1);
	scene_end(&scene);
}

static void test_pool_ids(struct tmem_test *test)
{
	struct tmem_handle handle = { .pool = 3 };
	struct tmem_test_page page = {};
	struct tmem_stats stats;
	struct scene scene;
	int i, got;

	if (!scene_begin(&scene, test, TMEM_TEST_PERSISTENT))
		return;
	for (i = 1; i < 4; i++)
		TMEM_EXPECT(test, tmem_new_pool(scene.client, no_uuid,
						TMEM_TEST_EPHEMERAL) == i);
	TMEM_EXPECT(test, tmem_new_pool(scene.client, no_uuid,
					TMEM_TEST_EPHEMERAL) == -ENOSPC);
	TMEM_EXPECT(test, !tmem_put(scene.client, &handle, &page));
	while ((got = tmem_destroy_pool(scene.client, 3)) == -EAGAIN)
		;
	TMEM_EXPECT(test, !got);
	TMEM_EXPECT(test, tmem_destroy_pool(scene.client, 3) == -ENODEV);
	TMEM_EXPECT(test, tmem_pool_stats(scene.client, 3, &stats) == -ENODEV);
	for (i = 3; i < 6; i += 2) {
		handle.pool = i == 3 ? 3 : 0xffffffff;
		TMEM_EXPECT(test, tmem_put(scene.client, &handle, &page) ==
			    -ENODEV);
		TMEM_EXPECT(test, tmem_get(scene.client, &handle, &page, 0) ==
			    -ENODEV);
		TMEM_EXPECT(test, tmem_flush_page(scene.client, &handle) ==
			    -ENODEV);
		TMEM_EXPECT(test, tmem_flush_object(scene.client, handle.pool,
						    handle.oid) == -ENODEV);
	}
	TMEM_EXPECT(test, tmem_destroy_pool(scene.client, 4) == -ENODEV);
	TMEM_EXPECT(test, tmem_pool_stats(scene.client, 4, &stats) == -ENODEV);
	/* The id comes back, what was behind it does not. */
	TMEM_EXPECT(test, tmem_new_pool(scene.client, no_uuid,
					TMEM_TEST_EPHEMERAL) == 3);
	handle.pool = 3;
	TMEM_EXPECT(test, tmem_get(scene.client, &handle, &page, 0) == -ENOENT);
	scene_end(&scene);
}

/* An id is not used again while anything of its pool is left. */
static void test_pool_id_kept(struct tmem_test *test)
{
	struct scene scene;
	int got, id;

	if (!scene_begin(&scene, test, TMEM_TEST_PERSISTENT))
		return;
	put_many(&scene, 1, 3 * TMEM_CHUNK);
	while ((got = tmem_destroy_pool(scene.client, scene.pool)) == -EAGAIN) {
		id = tmem_new_pool(scene.client, no_uuid, TMEM_TEST_EPHEMERAL);
		TMEM_EXPECT(test, id != scene.pool);
		while (id >= 0 && tmem_destroy_pool(scene.client, id))
			;
	}
	TMEM_EXPECT(test, !got);
	scene_end(&scene);
}

static void test_refused_duplicate(struct tmem_test *test)
{
	struct scene scene;

	if (!scene_begin(&scene, test, TMEM_TEST_PERSISTENT))
		return;
	/* An odd page cannot be overwritten in place. */
	TMEM_EXPECT(test, !put(&scene, 1, 1, 3));
	tmh_set(&test->store.capacity, 1);
	TMEM_EXPECT(test, put(&scene, 1, 2, 5) == -ENOMEM);
	TMEM_EXPECT(test, put(&scene, 1, 1, 5) == -ENOSPC);
	TMEM_EXPECT(test, get(&scene, 1, 1, 0) == 0);
	/* What the host does not want. */
	TMEM_EXPECT(test, !put(&scene, 1, 1, 3));
	tmh_set(&test->store.fail, tmh_read(&test->store.stores) + 1);
	TMEM_EXPECT(test, put(&scene, 1, 1, 5) == -E2BIG);
	TMEM_EXPECT(test, get(&scene, 1, 1, 0) == 0);
	scene_end(&scene);

	/* The same when it is asked again. */
	if (!scene_begin(&scene, test, TMEM_TEST_EPHEMERAL))
		return;
	TMEM_EXPECT(test, !put(&scene, 1, 1, 3));
	tmh_set(&test->store.capacity, 1);
	tmh_set(&test->store.fail, tmh_read(&test->store.stores) + 2);
	TMEM_EXPECT(test, put(&scene, 1, 2, 5) == -E2BIG);
	TMEM_EXPECT(test, pages_of(&scene) == 0);
	scene_end(&scene);
}

/* The put that may not be refused: no memory, over quota, frozen. */
static void test_not_refused(struct tmem_test *test)
{
	struct scene scene;

	if (!scene_begin(&scene, test, TMEM_TEST_PERSISTENT))
		return;
	TMEM_EXPECT(test, !put(&scene, 1, 1, 2));
	tmh_set(&test->store.capacity, 0);
	set_limits(&scene, 0, 0, 0);
	tmem_client_freeze(scene.client, true);
	TMEM_EXPECT(test, !put(&scene, 1, 1, 4));
	TMEM_EXPECT(test, get(&scene, 1, 1, 0) == 4);
	TMEM_EXPECT(test, put_bad(&scene, 1, 1) == -EFAULT);
	TMEM_EXPECT(test, get(&scene, 1, 1, 0) == 0);
	TMEM_EXPECT(test, put(&scene, 1, 1, 4) == -EROFS);
	scene_end(&scene);
}

static void test_frozen(struct tmem_test *test)
{
	struct scene scene;

	if (!scene_begin(&scene, test, TMEM_TEST_PERSISTENT))
		return;
	put_many(&scene, 1, 4);
	TMEM_EXPECT(test, !put(&scene, 1, 9, 3));
	tmem_client_freeze(scene.client, true);
	TMEM_EXPECT(test, put(&scene, 1, 5, 2) == -EROFS);
	TMEM_EXPECT(test, put(&scene, 2, 0, 2) == -EROFS);
	/* Also what cannot be overwritten in place is replaced. */
	TMEM_EXPECT(test, !put(&scene, 1, 9, 5));
	TMEM_EXPECT(test, get(&scene, 1, 9, 0) == 5);
	TMEM_EXPECT(test, get(&scene, 1, 0, 0) == 8);
	TMEM_EXPECT(test, !flush(&scene, 1, 0));
	while (flush_object(&scene, 1) == -EAGAIN)
		;
	TMEM_EXPECT(test, pages_of(&scene) == 0);
	tmem_client_freeze(scene.client, false);
	TMEM_EXPECT(test, !put(&scene, 1, 5, 2));
	scene_end(&scene);
}

static void test_bad_source(struct tmem_test *test)
{
	struct scene scene;
	u64 old;

	if (!scene_begin(&scene, test, TMEM_TEST_EPHEMERAL))
		return;
	TMEM_EXPECT(test, put_bad(&scene, 1, 1) == -EFAULT);
	TMEM_EXPECT(test, get(&scene, 1, 1, 0) == 0);
	/* In place, not in place, and without memory */
	for (old = 5; old <= 7; old++) {
		TMEM_EXPECT(test, !put(&scene, 1, 1, old));
		TMEM_EXPECT(test, put_bad(&scene, 1, 1) == -EFAULT);
		TMEM_EXPECT(test, get(&scene, 1, 1, 0) == 0);
	}
	scene_end(&scene);
}

static void test_flush_range(struct tmem_test *test)
{
	struct tmem_handle first;
	struct scene scene;
	int got;

	if (!scene_begin(&scene, test, TMEM_TEST_EPHEMERAL))
		return;
	put_many(&scene, 1, 300);
	TMEM_EXPECT(test, !put(&scene, 1, ~0ull, 2));
	first = handle_of(&scene, 1, 10);
	while ((got = tmem_flush_range(scene.client, &first, 298)) == -EAGAIN)
		;
	TMEM_EXPECT(test, got >= 0);
	TMEM_EXPECT(test, pages_of(&scene) == 12);
	TMEM_EXPECT(test, get(&scene, 1, 9, 0) && get(&scene, 1, 299, 0));
	TMEM_EXPECT(test, tmem_flush_range(scene.client, &first, 9) == 0);
	first = handle_of(&scene, 1, 1);
	TMEM_EXPECT(test, tmem_flush_range(scene.client, &first, ~0ull) == 9);
	TMEM_EXPECT(test, pages_of(&scene) == 1);
	scene_end(&scene);
}

/* An object is gone when the first call returns, however large it is. */
static void test_flush_object(struct tmem_test *test)
{
	struct scene scene;
	int got;

	if (!scene_begin(&scene, test, TMEM_TEST_PERSISTENT))
		return;
	put_many(&scene, 1, 10 * TMEM_CHUNK);
	put_many(&scene, 2, 1);
	got = flush_object(&scene, 1);
	TMEM_EXPECT(test, get(&scene, 1, 10 * TMEM_CHUNK - 1, 0) == 0);
	if (got == -EAGAIN)
		TMEM_EXPECT(test, pages_of(&scene) > 1);
	while (got == -EAGAIN)
		got = flush_object(&scene, 1);
	TMEM_EXPECT(test, !got);
	TMEM_EXPECT(test, pages_of(&scene) == 1);
	TMEM_EXPECT(test, get(&scene, 2, 0, 0) == 8);
	TMEM_EXPECT(test, !put(&scene, 1, 0, 2) && get(&scene, 1, 0, 0) == 2);
	scene_end(&scene);
}

static void test_stats(struct tmem_test *test)
{
	struct tmem_stats stats, sum;
	struct scene scene;

	if (!scene_begin(&scene, test, TMEM_TEST_EPHEMERAL))
		return;
	TMEM_EXPECT(test, tmem_pool_is_empty(scene.client, scene.pool));
	TMEM_EXPECT(test, tmem_pool_is_empty(scene.client, 4));
	put_many(&scene, 1, 20);
	put_many(&scene, 1, 5);
	TMEM_EXPECT(test, !tmem_pool_is_empty(scene.client, scene.pool));
	TMEM_EXPECT(test, get(&scene, 1, 0, 0) && !get(&scene, 1, 0, 0));
	TMEM_EXPECT(test, get_bad(&scene, 1, 1) == -EFAULT);
	TMEM_EXPECT(test, !flush(&scene, 1, 2));
	TMEM_EXPECT(test, tmem_evict(test->engine, 3) == 3);
	tmem_client_freeze(scene.client, true);
	TMEM_EXPECT(test, put(&scene, 9, 9, 2) == -EROFS);
	TMEM_EXPECT(test, !tmem_pool_stats(scene.client, scene.pool, &stats));
	TMEM_EXPECT(test, stats.puts == 25 && stats.overwrites == 5);
	TMEM_EXPECT(test, stats.hits == 1 && stats.misses == 1);
	TMEM_EXPECT(test, stats.flushed == 1 && stats.evicted == 3);
	TMEM_EXPECT(test, stats.refused == 1 && stats.objects == 1);
	TMEM_EXPECT(test, stats.pages == 15);
	while (tmem_destroy_pool(scene.client, scene.pool))
		;
	TMEM_EXPECT(test, tmem_pool_is_empty(scene.client, scene.pool));
	tmem_client_stats(scene.client, &sum);
	TMEM_EXPECT(test, sum.puts == 25 && sum.pages == 0 && sum.flushed == 16);
	scene_end(&scene);
}

/* As it was made, whatever the id of it is */
static void test_pool_info(struct tmem_test *test)
{
	static const u64 uuid[2] = { 1, ~0ull };
	struct tmem_pool_info info;
	struct scene scene;
	int shared;

	if (!scene_begin(&scene, test, TMEM_TEST_PERSISTENT))
		return;
	shared = tmem_new_pool(scene.client, uuid, TMEM_TEST_SHARED);
	put_many(&scene, 1, 20);
	TMEM_EXPECT(test, !tmem_pool_info(scene.client, scene.pool, &info));
	TMEM_EXPECT(test, info.flags == TMEM_TEST_PERSISTENT);
	TMEM_EXPECT(test, !info.uuid[0] && !info.uuid[1]);
	TMEM_EXPECT(test, info.stats.pages == 20 && info.stats.objects == 1);
	TMEM_EXPECT(test, !tmem_pool_info(scene.client, shared, &info));
	TMEM_EXPECT(test, info.flags == TMEM_TEST_SHARED);
	TMEM_EXPECT(test, info.uuid[0] == uuid[0] && info.uuid[1] == uuid[1]);
	TMEM_EXPECT(test, info.stats.pages == 0);
	TMEM_EXPECT(test, tmem_pool_info(scene.client, 3, &info) == -ENODEV);
	TMEM_EXPECT(test, tmem_pool_info(scene.client, ~0u, &info) == -ENODEV);
	while (tmem_destroy_pool(scene.client, shared))
		;
	TMEM_EXPECT(test, tmem_pool_info(scene.client, shared, &info) == -ENODEV);
	TMEM_EXPECT(test, !info.flags && !info.uuid[0]);
	scene_end(&scene);
}

static void test_batch(struct tmem_test *test)
{
	struct tmem_test_page pages[5];
	struct tmem_io io[5];
	struct scene scene;
	unsigned int i;

	if (!scene_begin(&scene, test, TMEM_TEST_EPHEMERAL))
		return;
	for (i = 0; i < 5; i++) {
		tmem_test_identify(&pages[i], i + 1);
		io[i].handle = handle_of(&scene, i / 3, i);
		io[i].page = i == 2 ? NULL : &pages[i];
	}
	tmem_put_batch(scene.client, io, 5);
	for (i = 0; i < 5; i++) {
		TMEM_EXPECT(test, io[i].status == (i == 2 ? -EFAULT : 0));
		io[i].page = &pages[4 - i];
	}
	io[4].page = NULL;
	tmem_get_batch(scene.client, io, 5, 0);
	for (i = 0; i < 5; i++) {
		TMEM_EXPECT(test, io[i].status == (i == 2 ? -ENOENT :
						   i == 4 ? -EFAULT : 0));
		if (!io[i].status)
			TMEM_EXPECT(test, tmem_test_is(&pages[4 - i], i + 1));
	}
	tmem_flush_batch(scene.client, io, 5);
	for (i = 0; i < 5; i++)
		TMEM_EXPECT(test, io[i].status == (i == 4 ? 0 : -ENOENT));
	scene_end(&scene);
}

static void test_client_again(struct tmem_test *test)
{
	struct tmem_client *clients[5];
	struct tmem_limits limits = { .weight = 1 };
	struct tmem_stats stats;
	unsigned int round, i;

	if (!TMEM_EXPECT(test, tmem_test_begin(test, 4, 2)))
		return;
	for (round = 0; round < 3; round++) {
		for (i = 0; i < 4; i++) {
			struct scene scene = {
				.test = test,
				.client = tmem_test_client(test, 1),
			};

			clients[i] = scene.client;
			tmem_client_stats(clients[i], &stats);
			TMEM_EXPECT(test, stats.puts == 0);
			TMEM_EXPECT(test, tmem_new_pool(clients[i], no_uuid,
							TMEM_TEST_EPHEMERAL) ==
				    0);
			put_many(&scene, i, 10);
		}
		TMEM_EXPECT(test, tmem_client_create(test->engine, &limits,
						     &test->store,
						     &clients[4]) == -ENOSPC);
		for (i = 0; i < 4; i++)
			tmem_test_destroy(test, clients[i]);
	}
	tmem_test_end(test);
}

static void test_config(struct tmem_test *test)
{
	struct tmem_config good = {
		.orders = 1, .bucket_bits = 4, .stripe_bits = 2,
		.max_clients = 1, .max_pools = 1,
	}, bad[6];
	struct tmem_engine *engine;
	unsigned int i;

	for (i = 0; i < 6; i++)
		bad[i] = good;
	bad[0].orders = 0;
	bad[1].bucket_bits = TMEM_MAX_BUCKET_BITS + 1;
	bad[2].bucket_bits = TMEM_MAX_STRIPE_BITS + 1;
	bad[2].stripe_bits = TMEM_MAX_STRIPE_BITS + 1;
	bad[3].stripe_bits = 5;
	bad[4].max_clients = 0;
	bad[5].max_pools = 0;
	for (i = 0; i < 6; i++)
		TMEM_EXPECT(test, tmem_engine_create(&bad[i], &engine) ==
			    -EINVAL);
	if (TMEM_EXPECT(test, !tmem_engine_create(&good, &engine)))
		tmem_engine_destroy(engine);
}

/*
 * Xen, to 4.12: a get to a bad frame took an ephemeral page out of the tree but not
 * off the list of eviction, and evicting it brought the host down.
 */
static void test_bad_target(struct tmem_test *test)
{
	struct scene scene;

	if (!scene_begin(&scene, test, TMEM_TEST_EPHEMERAL))
		return;
	put_many(&scene, 1, 3);
	TMEM_EXPECT(test, get_bad(&scene, 1, 0) == -EFAULT);
	TMEM_EXPECT(test, get_bad(&scene, 1, 1) == -EFAULT);
	TMEM_EXPECT(test, get(&scene, 1, 0, 0) == 8);
	TMEM_EXPECT(test, tmem_evict(test->engine, 10) == 2);
	TMEM_EXPECT(test, pages_of(&scene) == 0);
	scene_end(&scene);
}

/* 463016ab58: the last page of an object, of a tree, of a pool */
static void test_last_page(struct tmem_test *test)
{
	static const u64 indexes[] = { 0, 1, 15, 16, 1ull << 32, ~0ull };
	struct scene scene;
	unsigned int i, j;

	if (!scene_begin(&scene, test, TMEM_TEST_EPHEMERAL))
		return;
	for (i = 0; i < 6; i++)
		for (j = 0; j < 6; j++) {
			TMEM_EXPECT(test, !put(&scene, 1, indexes[i], 2));
			TMEM_EXPECT(test, !put(&scene, 1, indexes[j], 4));
			TMEM_EXPECT(test, !flush(&scene, 1, indexes[i]));
			TMEM_EXPECT(test, get(&scene, 1, indexes[j], 0) ==
				    (i == j ? 0 : 4));
			TMEM_EXPECT(test, pages_of(&scene) == 0);
		}
	scene_end(&scene);
}

/* 24cb0f67ea, f84ee327e5: what could be freed was counted wrong in the end. */
static void test_counts_stay_right(struct tmem_test *test)
{
	struct scene scene;
	unsigned int i;

	if (!scene_begin(&scene, test, TMEM_TEST_EPHEMERAL))
		return;
	tmh_set(&test->store.capacity, 50);
	for (i = 0; i < 2000; i++) {
		u64 oid = tmem_test_random(test) % 8;
		u64 index = tmem_test_random(test) % 64;

		switch (tmem_test_random(test) % 4) {
		case 0:
		case 1:
			put(&scene, oid, index, 2);
			break;
		case 2:
			get(&scene, oid, index, 0);
			break;
		case 3:
			flush(&scene, oid, index);
			break;
		}
		TMEM_EXPECT(test, tmem_evictable(test->engine, ~0ul) ==
			    tmh_read(&test->store.used));
	}
	TMEM_EXPECT(test, tmem_evict(test->engine, 1000) <= 50);
	TMEM_EXPECT(test, tmem_evictable(test->engine, ~0ul) == 0);
	scene_end(&scene);
}

/* f475395032 and after: a client dies with everything it has. */
static void test_client_dies(struct tmem_test *test)
{
	struct scene scene, other;

	if (!scene_begin(&scene, test, TMEM_TEST_PERSISTENT))
		return;
	other = scene;
	other.pool = tmem_new_pool(scene.client, no_uuid, TMEM_TEST_EPHEMERAL);
	put_many(&scene, 1, 200);
	put_many(&other, 1, 200);
	if (tmem_client_destroy(scene.client) == -EAGAIN) {
		TMEM_EXPECT(test, put(&other, 2, 2, 2) == -ENODEV);
		TMEM_EXPECT(test, tmem_new_pool(scene.client, no_uuid,
						TMEM_TEST_EPHEMERAL) == -ENODEV);
	}
	scene_end(&scene);
}

/* One that is dead but not destroyed has nothing, and nobody else is it. */
static void test_client_dead(struct tmem_test *test)
{
	struct tmem_client *next;
	struct tmem_usage usage;
	struct scene scene;

	if (!scene_begin(&scene, test, TMEM_TEST_PERSISTENT))
		return;
	put_many(&scene, 1, 200);
	while (tmem_client_kill(scene.client))
		;
	next = tmem_test_client(test, 1);
	TMEM_EXPECT(test, next != scene.client);
	TMEM_EXPECT(test, tmem_new_pool(scene.client, no_uuid,
					TMEM_TEST_EPHEMERAL) == -ENODEV);
	TMEM_EXPECT(test, tmem_destroy_pool(scene.client, scene.pool) == -ENODEV);
	TMEM_EXPECT(test, put(&scene, 1, 1, 2) == -ENODEV);
	set_limits(&scene, 1, 1, 1);
	tmem_client_freeze(scene.client, true);
	TMEM_EXPECT(test, !tmem_evict_client(scene.client, 1));
	tmem_client_usage(scene.client, &usage);
	TMEM_EXPECT(test, !usage.pools && !usage.persistent_pages &&
		    !usage.metadata_bytes && !usage.objects);
	TMEM_EXPECT(test, !tmem_client_destroy(scene.client));
	scene.client = tmem_test_client(test, 1);
	scene.pool = tmem_new_pool(scene.client, no_uuid, TMEM_TEST_PERSISTENT);
	put_many(&scene, 1, 20);
	tmem_test_destroy(test, next);
	scene_end(&scene);
}

const struct tmem_test_case tmem_test_cases[] = {
	{ "kinds of pools", test_kinds },
	{ "handles that differ in one bit", test_one_bit },
	{ "flags of pools", test_pool_flags },
	{ "ids of pools", test_pool_ids },
	{ "id of a pool that is being destroyed", test_pool_id_kept },
	{ "refused duplicate", test_refused_duplicate },
	{ "the put that may not be refused", test_not_refused },
	{ "frozen client", test_frozen },
	{ "bad source", test_bad_source },
	{ "quota", tmem_test_quota },
	{ "charge", tmem_test_charge },
	{ "limit of objects", tmem_test_object_limit },
	{ "limits are checked", tmem_test_limits_checked },
	{ "flush of a range", test_flush_range },
	{ "flush of an object", test_flush_object },
	{ "statistics", test_stats },
	{ "what a pool is", test_pool_info },
	{ "batches", test_batch },
	{ "bytes of metadata", tmem_test_metadata_bytes },
	{ "weights", tmem_test_weights },
	{ "client that comes late", tmem_test_late_client },
	{ "frozen client that competes", tmem_test_frozen_competes },
	{ "eviction of one client's pages", tmem_test_evict_of_client },
	{ "order of eviction", tmem_test_evict_order },
	{ "limit of metadata", tmem_test_metadata_limit },
	{ "again at a limit", tmem_test_again_at_limit },
	{ "limits with many stripes", tmem_test_many_stripes },
	{ "eviction with many stripes", tmem_test_evict_many_stripes },
	{ "clients again", test_client_again },
	{ "configuration is checked", test_config },
	{ "bad target", test_bad_target },
	{ "evictions of a put", tmem_test_evict_bound },
	{ "huge object", tmem_test_huge_object },
	{ "last page", test_last_page },
	{ "counts stay right", test_counts_stay_right },
	{ "client dies", test_client_dies },
	{ "client is dead", test_client_dead },
	{ "shared pool", tmem_test_shared },
	{ "which pools are shared", tmem_test_shared_which },
	{ "leaving a shared pool", tmem_test_shared_leave },
	{ "thrown out of a shared pool", tmem_test_shared_throw },
	{ "id of a shared pool that was lost", tmem_test_shared_id },
	{ "shared pool that is not emptied", tmem_test_shared_stuck },
	{ "limits of a shared pool", tmem_test_shared_limits },
	{ "model", tmem_test_model },
	{}
};

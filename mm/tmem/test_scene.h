/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What tests of the tmem engine begin with: an engine, a client and a pool, and
 * short ways to use them.
 */
#ifndef _TMEM_TEST_SCENE_H
#define _TMEM_TEST_SCENE_H

#include "test.h"

static const u64 no_uuid[2];

/**
 * struct scene - an engine with a client and a pool
 * @test: The test.
 * @client: The client.
 * @pool: Id of its pool.
 */
struct scene {
	struct tmem_test *test;
	struct tmem_client *client;
	int	pool;
};

static inline bool scene_begin(struct scene *scene, struct tmem_test *test, u32 flags)
{
	scene->test = test;
	if (!TMEM_EXPECT(test, tmem_test_begin(test, 4, 2)))
		return false;
	scene->client = tmem_test_client(test, 1);
	if (!scene->client)
		return false;
	scene->pool = tmem_new_pool(scene->client, no_uuid, flags);
	return TMEM_EXPECT(test, scene->pool >= 0);
}

static inline void scene_end(struct scene *scene)
{
	tmem_test_destroy(scene->test, scene->client);
	tmem_test_end(scene->test);
}

static inline struct tmem_handle handle_of(struct scene *scene, u64 oid,
					   u64 index)
{
	struct tmem_handle handle = { .pool = scene->pool, .index = index };

	handle.oid[0] = oid;
	return handle;
}

static inline int put(struct scene *scene, u64 oid, u64 index, u64 identity)
{
	struct tmem_handle handle = handle_of(scene, oid, index);
	struct tmem_test_page page;

	tmem_test_identify(&page, identity);
	return tmem_put(scene->client, &handle, &page);
}

static inline int put_bad(struct scene *scene, u64 oid, u64 index)
{
	struct tmem_handle handle = handle_of(scene, oid, index);

	return tmem_put(scene->client, &handle, NULL);
}

/* What it was, 0 if nothing, or ~0 if something was wrong. */
static inline u64 get(struct scene *scene, u64 oid, u64 index, unsigned int flags)
{
	struct tmem_handle handle = handle_of(scene, oid, index);
	struct tmem_test_page page = {};
	int error = tmem_get(scene->client, &handle, &page, flags);

	if (error == -ENOENT && tmem_test_is(&page, 0))
		return 0;
	return !error && tmem_test_whole(&page) ? page.word[0] : ~0ull;
}

static inline int get_bad(struct scene *scene, u64 oid, u64 index)
{
	struct tmem_handle handle = handle_of(scene, oid, index);

	return tmem_get(scene->client, &handle, NULL, 0);
}

static inline int flush(struct scene *scene, u64 oid, u64 index)
{
	struct tmem_handle handle = handle_of(scene, oid, index);

	return tmem_flush_page(scene->client, &handle);
}

static inline int flush_object(struct scene *scene, u64 oid)
{
	u64 oids[3] = { oid };

	return tmem_flush_object(scene->client, scene->pool, oids);
}

static inline void put_many(struct scene *scene, u64 oid, u64 n)
{
	u64 i;

	for (i = 0; i < n; i++)
		TMEM_EXPECT(scene->test, !put(scene, oid, i, 8 + i * 14));
}

static inline unsigned long pages_of(struct scene *scene)
{
	struct tmem_stats stats;

	TMEM_EXPECT(scene->test, !tmem_pool_stats(scene->client, scene->pool,
						  &stats));
	return stats.pages;
}

static inline void set_limits(struct scene *scene, unsigned long pages,
			      unsigned long metadata, unsigned long objects)
{
	struct tmem_limits limits = { pages, metadata, objects, 1 };

	TMEM_EXPECT(scene->test,
		    !tmem_client_set_limits(scene->client, &limits));
}

/* In test_limits.c */
void tmem_test_quota(struct tmem_test *test);
void tmem_test_charge(struct tmem_test *test);
void tmem_test_object_limit(struct tmem_test *test);
void tmem_test_limits_checked(struct tmem_test *test);
void tmem_test_metadata_bytes(struct tmem_test *test);
void tmem_test_weights(struct tmem_test *test);
void tmem_test_late_client(struct tmem_test *test);
void tmem_test_frozen_competes(struct tmem_test *test);
void tmem_test_evict_of_client(struct tmem_test *test);
void tmem_test_evict_order(struct tmem_test *test);
void tmem_test_metadata_limit(struct tmem_test *test);
void tmem_test_again_at_limit(struct tmem_test *test);
void tmem_test_evict_bound(struct tmem_test *test);
void tmem_test_huge_object(struct tmem_test *test);
void tmem_test_many_stripes(struct tmem_test *test);
void tmem_test_evict_many_stripes(struct tmem_test *test);

/* In test_shared.c */
void tmem_test_shared(struct tmem_test *test);
void tmem_test_shared_which(struct tmem_test *test);
void tmem_test_shared_leave(struct tmem_test *test);
void tmem_test_shared_throw(struct tmem_test *test);
void tmem_test_shared_id(struct tmem_test *test);
void tmem_test_shared_stuck(struct tmem_test *test);
void tmem_test_shared_limits(struct tmem_test *test);

#endif /* _TMEM_TEST_SCENE_H */

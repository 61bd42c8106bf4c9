// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the tmem engine: pools that clients share.
 */
#include "test_scene.h"

static const u64 some_uuid[2] = { 1, 2 };

/* Another client, with the same pool */
static bool scene_join(struct scene *scene, const struct scene *first)
{
	scene->test = first->test;
	scene->client = tmem_test_client(first->test, 1);
	if (!scene->client)
		return false;
	scene->pool = tmem_new_pool(scene->client, some_uuid, TMEM_TEST_SHARED);
	return TMEM_EXPECT(first->test, scene->pool >= 0);
}

static bool scene_share(struct scene *a, struct scene *b, struct tmem_test *test)
{
	a->test = test;
	return TMEM_EXPECT(test, tmem_test_begin(test, 4, 2)) &&
		scene_join(a, a) && scene_join(b, a);
}

static void scene_unshare(struct scene *a, struct scene *b)
{
	tmem_test_destroy(a->test, b->client);
	scene_end(a);
}

static unsigned long charged_to(const struct scene *scene)
{
	struct tmem_usage usage;

	tmem_client_usage(scene->client, &usage);
	TMEM_EXPECT(scene->test, !usage.persistent_pages);
	/* Pages need something, no pages do not. */
	TMEM_EXPECT(scene->test, !usage.ephemeral_pages == !usage.objects);
	TMEM_EXPECT(scene->test, !usage.ephemeral_pages == !usage.metadata_bytes);
	return usage.ephemeral_pages;
}

static void leave(struct scene *scene)
{
	int got;

	while ((got = tmem_destroy_pool(scene->client, scene->pool)) == -EAGAIN)
		;
	TMEM_EXPECT(scene->test, !got);
}

/**
 * tmem_test_shared - what one member does, the other sees
 * @test: The test.
 */
void tmem_test_shared(struct tmem_test *test)
{
	struct tmem_pool_info info;
	struct tmem_stats stats;
	struct scene a, b;

	if (!scene_share(&a, &b, test))
		return;
	put_many(&a, 1, 20);
	TMEM_EXPECT(test, !put(&b, 2, 0, 3));
	TMEM_EXPECT(test, get(&b, 1, 3, 0) == 8 + 3 * 14);
	TMEM_EXPECT(test, get(&b, 1, 3, 0) == 8 + 3 * 14);
	TMEM_EXPECT(test, get(&a, 2, 0, 0) == 3);
	TMEM_EXPECT(test, !put(&b, 1, 3, 5) && get(&a, 1, 3, 0) == 5);
	TMEM_EXPECT(test, !flush(&a, 2, 0) && !get(&b, 2, 0, 0));
	while (flush_object(&b, 1) == -EAGAIN)
		;
	TMEM_EXPECT(test, !get(&a, 1, 5, 0));
	put_many(&b, 1, 9);
	TMEM_EXPECT(test, charged_to(&a) == 9 && !charged_to(&b));
	TMEM_EXPECT(test, pages_of(&a) == 9 && pages_of(&b) == 9);
	TMEM_EXPECT(test, !tmem_pool_info(b.client, b.pool, &info));
	TMEM_EXPECT(test, info.flags == TMEM_TEST_SHARED);
	TMEM_EXPECT(test, info.uuid[0] == 1 && info.uuid[1] == 2);
	TMEM_EXPECT(test, info.stats.hits == 4 && info.stats.misses == 2);
	/* Told once */
	tmem_client_stats(b.client, &stats);
	TMEM_EXPECT(test, !stats.puts && !stats.hits && !stats.pages);
	tmem_client_stats(a.client, &stats);
	TMEM_EXPECT(test, stats.hits == 4 && stats.pages == 9);
	scene_unshare(&a, &b);
}

/**
 * tmem_test_shared_which - which pools are the same
 * @test: The test.
 */
void tmem_test_shared_which(struct tmem_test *test)
{
	static const struct {
		u64	uuid[2];
		u32	flags;
		bool	alone;
	} other[] = {
		{ { 1, 3 }, TMEM_TEST_SHARED, false },
		{ { 0, 2 }, TMEM_TEST_SHARED, false },
		{ { 1, 2 }, TMEM_TEST_SHARED | 1 << TMEM_FLAG_ORDER_SHIFT, false },
		{ { 1, 2 }, TMEM_TEST_EPHEMERAL, false },
		{ { 1, 2 }, TMEM_TEST_SHARED, true },
	};
	struct tmem_pool_info info;
	struct scene a, b;
	unsigned int i;

	if (!scene_share(&a, &b, test))
		return;
	put_many(&a, 1, 20);
	TMEM_EXPECT(test, tmem_new_pool(b.client, some_uuid, TMEM_TEST_SHARED |
					TMEM_FLAG_PERSISTENT) == -EINVAL);
	for (i = 0; i < sizeof(other) / sizeof(*other); i++) {
		leave(&b);
		test->store.alone = other[i].alone;
		b.pool = tmem_new_pool(b.client, other[i].uuid, other[i].flags);
		TMEM_EXPECT(test, b.pool >= 0);
		TMEM_EXPECT(test, !get(&b, 1, 3, 0));
		TMEM_EXPECT(test, !put(&b, 1, 3, 2));
		TMEM_EXPECT(test, get(&a, 1, 3, 0) == 8 + 3 * 14);
		TMEM_EXPECT(test, !tmem_pool_info(b.client, b.pool, &info));
		TMEM_EXPECT(test, info.flags == (other[i].flags &
						 ~(other[i].alone ? 2u : 0)));
		/* One that is not shared gives the page away. */
		TMEM_EXPECT(test, get(&b, 1, 3, 0) == 2);
		TMEM_EXPECT(test, get(&b, 1, 3, 0) ==
			    (info.flags & TMEM_FLAG_SHARED ? 2 : 0));
	}
	scene_unshare(&a, &b);
}

/**
 * tmem_test_shared_leave - who leaves, and who is charged then
 * @test: The test.
 */
void tmem_test_shared_leave(struct tmem_test *test)
{
	struct tmem_stats stats;
	struct scene a, b, c;

	if (!scene_share(&a, &b, test) || !scene_join(&c, &a))
		return;
	put_many(&c, 1, 5 * TMEM_CHUNK);
	leave(&b);
	TMEM_EXPECT(test, put(&b, 1, 1, 2) == -ENODEV);
	TMEM_EXPECT(test, flush(&b, 1, 1) == -ENODEV);
	TMEM_EXPECT(test, charged_to(&a) == 5 * TMEM_CHUNK);
	TMEM_EXPECT(test, get(&c, 1, 3, 0) == 8 + 3 * 14);
	leave(&a);
	TMEM_EXPECT(test, !charged_to(&a));
	TMEM_EXPECT(test, !get(&c, 1, 3, 0));
	TMEM_EXPECT(test, flush(&c, 1, 3) == -ENOENT);
	put_many(&c, 1, 7);
	TMEM_EXPECT(test, charged_to(&c) == 7);
	/* Each has what happened while it was charged. */
	tmem_client_stats(a.client, &stats);
	TMEM_EXPECT(test, stats.puts == 5 * TMEM_CHUNK && !stats.pages);
	tmem_client_stats(c.client, &stats);
	TMEM_EXPECT(test, stats.puts == 7 && stats.pages == 7);
	/* The last one takes all of it along. */
	leave(&c);
	c.pool = tmem_new_pool(c.client, some_uuid, TMEM_TEST_SHARED);
	TMEM_EXPECT(test, !get(&c, 1, 3, 0));
	tmem_test_destroy(test, c.client);
	scene_unshare(&a, &b);
}

/* Ends as nothing a member does: it dies, or is told so, or has lost the right. */
static void throw_out(struct scene *scene, unsigned int how)
{
	int got;

	do {
		if (how == 0)
			got = tmem_client_kill(scene->client);
		else if (how == 1)
			got = tmem_take_pool(scene->client, scene->pool);
		else
			got = tmem_unshare(scene->client, some_uuid);
	} while (got == -EAGAIN);
	TMEM_EXPECT(scene->test, !got);
}

/**
 * tmem_test_shared_throw - a member that is thrown out leaves nothing
 * @test: The test.
 */
void tmem_test_shared_throw(struct tmem_test *test)
{
	unsigned int how, payer;
	struct scene a, b;

	for (how = 0; how < 3; how++)
		for (payer = 0; payer < 2; payer++) {
			struct scene *out = payer ? &a : &b;
			struct scene *in = payer ? &b : &a;

			if (!scene_share(&a, &b, test))
				return;
			put_many(&a, 1, 3 * TMEM_CHUNK);
			throw_out(out, how);
			TMEM_EXPECT(test, get_bad(out, 1, 3) == -ENODEV);
			TMEM_EXPECT(test, put(out, 1, 3, 2) == -ENODEV);
			TMEM_EXPECT(test, !get(in, 1, 3, 0));
			TMEM_EXPECT(test, !charged_to(out) && !charged_to(in));
			TMEM_EXPECT(test, !put(in, 1, 3, 2));
			TMEM_EXPECT(test, get(in, 1, 3, 0) == 2);
			TMEM_EXPECT(test, charged_to(in) == 1);
			scene_unshare(&a, &b);
		}
}

/**
 * tmem_test_shared_id - the id of a pool that was lost
 * @test: The test.
 */
void tmem_test_shared_id(struct tmem_test *test)
{
	struct scene a, b;
	int lost;

	if (!scene_share(&a, &b, test))
		return;
	throw_out(&b, 2);
	TMEM_EXPECT(test, tmem_new_pool(b.client, no_uuid,
					TMEM_TEST_EPHEMERAL) != b.pool);
	leave(&b);
	TMEM_EXPECT(test, tmem_destroy_pool(b.client, b.pool) == -ENODEV);
	TMEM_EXPECT(test, tmem_new_pool(b.client, some_uuid,
					TMEM_TEST_SHARED) == b.pool);
	/* Who joins again has forgotten what it has to flush. */
	put_many(&a, 1, 3 * TMEM_CHUNK);
	lost = b.pool;
	while ((b.pool = tmem_new_pool(b.client, some_uuid,
				       TMEM_TEST_SHARED)) == -EAGAIN)
		;
	TMEM_EXPECT(test, b.pool >= 0 && b.pool != lost);
	TMEM_EXPECT(test, !get(&a, 1, 3, 0));
	TMEM_EXPECT(test, !put(&a, 1, 3, 2) && get(&b, 1, 3, 0) == 2);
	b.pool = lost;
	TMEM_EXPECT(test, flush(&b, 1, 3) == -ENODEV);
	scene_unshare(&a, &b);
}

/**
 * tmem_test_shared_stuck - who does not go on emptying stops nobody
 * @test: The test.
 */
void tmem_test_shared_stuck(struct tmem_test *test)
{
	unsigned int tries = 0;
	struct tmem_pool_info info;
	struct scene a, b, c;

	if (!scene_share(&a, &b, test))
		return;
	put_many(&a, 1, 10 * TMEM_CHUNK);
	/* Once, and not again */
	tmem_destroy_pool(a.client, a.pool);
	TMEM_EXPECT(test, get_bad(&a, 1, 0) == -ENODEV);
	TMEM_EXPECT(test, !tmem_pool_info(b.client, b.pool, &info));
	TMEM_EXPECT(test, !get(&b, 1, 10 * TMEM_CHUNK - 1, 0));
	if (!scene_join(&c, &a))
		return;
	while (put(&c, 1, 1, 2) == -ENOMEM && tries++ < 20)
		;
	TMEM_EXPECT(test, tries < 20);
	TMEM_EXPECT(test, get(&b, 1, 1, 0) == 2);
	TMEM_EXPECT(test, charged_to(&b) == 1);
	/* It has nothing to do any more, even while others begin the same. */
	put_many(&c, 1, 10 * TMEM_CHUNK);
	tmem_take_pool(b.client, b.pool);
	TMEM_EXPECT(test, tmem_destroy_pool(a.client, a.pool) != -EAGAIN);
	TMEM_EXPECT(test, tmem_destroy_pool(a.client, a.pool) == -ENODEV);
	tmem_test_destroy(test, c.client);
	scene_unshare(&a, &b);
}

/**
 * tmem_test_shared_limits - whose limits count
 * @test: The test.
 */
void tmem_test_shared_limits(struct tmem_test *test)
{
	struct scene a, b;

	if (!scene_share(&a, &b, test))
		return;
	put_many(&a, 1, 4);
	TMEM_EXPECT(test, !put(&b, 1, 9, 3));
	tmem_client_freeze(b.client, true);
	TMEM_EXPECT(test, put(&b, 1, 5, 2) == -EROFS);
	TMEM_EXPECT(test, !put(&a, 1, 5, 2));
	TMEM_EXPECT(test, !put(&b, 1, 9, 5) && get(&a, 1, 9, 0) == 5);
	TMEM_EXPECT(test, !put(&b, 1, 0, 4) && get(&b, 1, 0, 0) == 4);
	TMEM_EXPECT(test, !flush(&b, 1, 0));
	tmem_client_freeze(b.client, false);
	/* Those of who puts do not, those of who is charged do. */
	set_limits(&b, 0, 0, 0);
	TMEM_EXPECT(test, !put(&b, 2, 0, 2));
	set_limits(&a, 0, TMEM_UNLIMITED, 2);
	TMEM_EXPECT(test, put(&b, 3, 0, 2) == -ENOMEM);
	TMEM_EXPECT(test, !put(&b, 2, 1, 2));
	set_limits(&a, 0, 0, TMEM_UNLIMITED);
	TMEM_EXPECT(test, put(&b, 4, 0, 2) == -ENOMEM);
	TMEM_EXPECT(test, charged_to(&b) == 0);
	scene_unshare(&a, &b);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the tmem engine: what a client may have, and what is evicted.
 */
#include "test_scene.h"

void tmem_test_quota(struct tmem_test *test)
{
	struct tmem_usage usage;
	struct scene scene;

	if (!scene_begin(&scene, test, TMEM_TEST_PERSISTENT))
		return;
	set_limits(&scene, 10, TMEM_UNLIMITED, TMEM_UNLIMITED);
	put_many(&scene, 1, 10);
	TMEM_EXPECT(test, put(&scene, 1, 10, 2) == -ENOMEM);
	TMEM_EXPECT(test, put(&scene, 2, 0, 2) == -ENOMEM);
	tmem_client_usage(scene.client, &usage);
	TMEM_EXPECT(test, usage.persistent_pages == 10 && usage.objects == 1);
	TMEM_EXPECT(test, !put(&scene, 1, 5, 3));
	TMEM_EXPECT(test, !flush(&scene, 1, 5));
	TMEM_EXPECT(test, !put(&scene, 2, 0, 2));
	TMEM_EXPECT(test, put(&scene, 2, 1, 2) == -ENOMEM);
	scene_end(&scene);
}

/* The owner is charged for persistent pools to the byte, and never above his quota. */
void tmem_test_charge(struct tmem_test *test)
{
	struct tmem_test_store *store = &test->store;
	struct tmem_usage usage;
	struct scene scene, cache;
	unsigned long pools;

	if (!scene_begin(&scene, test, TMEM_TEST_PERSISTENT))
		return;
	/* Not for pools: who has nothing to spare yet can have one. */
	tmh_set(&store->quota, 0);
	scene.pool = tmem_new_pool(scene.client, no_uuid, TMEM_TEST_PERSISTENT);
	TMEM_EXPECT(test, scene.pool == 1);
	TMEM_EXPECT(test, put(&scene, 1, 0, 2) == -ENOMEM);
	tmh_set(&store->quota, TMEM_UNLIMITED);
	tmem_client_usage(scene.client, &usage);
	pools = usage.metadata_bytes;
	TMEM_EXPECT(test, !put(&scene, 1, 0, 2));
	tmem_client_usage(scene.client, &usage);
	TMEM_EXPECT(test, tmh_read(&store->charged) ==
		    TMEM_PAGE_BYTES + usage.metadata_bytes - pools);
	TMEM_EXPECT(test, !flush(&scene, 1, 0));
	cache = scene;
	cache.pool = tmem_new_pool(scene.client, no_uuid, TMEM_TEST_EPHEMERAL);
	put_many(&cache, 1, 8);
	TMEM_EXPECT(test, tmh_read(&store->charged) == 0);

	/* Ten pages and what the engine needs for sixteen of them */
	TMEM_EXPECT(test, !put(&scene, 1, 0, 2) && !put(&scene, 1, 1, 2));
	tmh_set(&store->quota, tmh_read(&store->charged) + 8 * TMEM_PAGE_BYTES);
	put_many(&scene, 1, 10);
	TMEM_EXPECT(test, put(&scene, 1, 10, 2) == -ENOMEM);
	TMEM_EXPECT(test, put(&scene, 2, 0, 2) == -ENOMEM);
	TMEM_EXPECT(test, tmh_read(&store->charged) == tmh_read(&store->quota));
	TMEM_EXPECT(test, pages_of(&cache) == 8);

	/* What is there can be overwritten in place, and if not it goes. */
	TMEM_EXPECT(test, !put(&scene, 1, 5, 4));
	TMEM_EXPECT(test, get(&scene, 1, 5, 0) == 4);
	TMEM_EXPECT(test, put_bad(&scene, 1, 5) == -EFAULT);
	TMEM_EXPECT(test, get(&scene, 1, 5, 0) == 0);
	TMEM_EXPECT(test, !put(&scene, 1, 10, 2));
	TMEM_EXPECT(test, put(&scene, 1, 11, 2) == -ENOMEM);

	/* A page and its object need more than a page. */
	TMEM_EXPECT(test, !flush(&scene, 1, 10));
	TMEM_EXPECT(test, put(&scene, 2, 0, 2) == -ENOMEM);
	TMEM_EXPECT(test, !flush_object(&scene, 1));
	TMEM_EXPECT(test, tmh_read(&store->charged) == 0);
	tmh_set(&store->quota, TMEM_UNLIMITED);
	scene_end(&scene);
}

void tmem_test_object_limit(struct tmem_test *test)
{
	struct scene scene;

	if (!scene_begin(&scene, test, TMEM_TEST_EPHEMERAL))
		return;
	set_limits(&scene, 0, TMEM_UNLIMITED, 2);
	TMEM_EXPECT(test, !put(&scene, 1, 0, 2));
	TMEM_EXPECT(test, !put(&scene, 2, 0, 2));
	TMEM_EXPECT(test, put(&scene, 3, 0, 2) == -ENOMEM);
	TMEM_EXPECT(test, !put(&scene, 2, 1, 2));
	TMEM_EXPECT(test, !flush(&scene, 1, 0));
	TMEM_EXPECT(test, !put(&scene, 3, 0, 2));
	scene_end(&scene);
}

void tmem_test_limits_checked(struct tmem_test *test)
{
	struct tmem_limits limits = { .weight = TMEM_MAX_WEIGHT + 1 };
	struct tmem_client *client;
	struct scene scene;

	if (!scene_begin(&scene, test, TMEM_TEST_EPHEMERAL))
		return;
	TMEM_EXPECT(test, tmem_client_set_limits(scene.client, &limits) ==
		    -EINVAL);
	TMEM_EXPECT(test, tmem_client_create(test->engine, &limits,
					     &test->store, &client) == -EINVAL);
	limits.weight = 1;
	limits.objects = TMEM_UNLIMITED + 1;
	TMEM_EXPECT(test, tmem_client_set_limits(scene.client, &limits) ==
		    -EINVAL);
	scene_end(&scene);
}

/* Bytes of metadata, on hosts with pointers of 8 bytes; the documentation has them. */
void tmem_test_metadata_bytes(struct tmem_test *test)
{
	static const struct {
		u32 flags;
		u64 objects, pages;
		unsigned long most;
	} cases[] = {
		{ TMEM_TEST_PERSISTENT, 1, 4096, 11 },
		{ TMEM_TEST_EPHEMERAL, 1, 4096, 51 },
		{ TMEM_TEST_PERSISTENT, 256, 1, 88 },
		{ TMEM_TEST_EPHEMERAL, 256, 1, 128 },
	};
	struct tmem_usage before, after;
	struct scene scene;
	unsigned int i;
	u64 object;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		if (!scene_begin(&scene, test, cases[i].flags))
			return;
		tmem_client_usage(scene.client, &before);
		for (object = 0; object < cases[i].objects; object++)
			put_many(&scene, object, cases[i].pages);
		tmem_client_usage(scene.client, &after);
		TMEM_EXPECT(test, after.metadata_bytes - before.metadata_bytes <=
			    cases[i].most * cases[i].objects * cases[i].pages);
		scene_end(&scene);
	}
}

static struct scene another(struct scene *scene, u32 weight)
{
	struct scene other = { .test = scene->test };

	other.client = tmem_test_client(scene->test, weight);
	other.pool = tmem_new_pool(other.client, no_uuid, TMEM_TEST_EPHEMERAL);
	TMEM_EXPECT(scene->test, other.pool >= 0);
	return other;
}

/* That clients compete for: where one has a tenth of them, much more than an eviction */
#define COMPETE_PAGES	800

/* Pages of two clients, of one a few at a time, until they have displaced each other. */
static void compete(struct scene *a, struct scene *b, unsigned int at_a_time)
{
	unsigned int i, k;

	for (i = 0; i < 1000; i++) {
		for (k = 0; k < at_a_time; k++)
			TMEM_EXPECT(a->test, !put(a, k, i, 8 + i * 14));
		TMEM_EXPECT(b->test, !put(b, 1, i, 8 + i * 14));
	}
}

static void set_weight(struct scene *scene, u32 weight)
{
	struct tmem_limits limits = { 0, TMEM_UNLIMITED, TMEM_UNLIMITED, weight };

	TMEM_EXPECT(scene->test,
		    !tmem_client_set_limits(scene->client, &limits));
}

/* Up to a tenth of it more or less */
static void expect_share(struct scene *scene, unsigned long pages)
{
	struct tmem_usage usage;

	tmem_client_usage(scene->client, &usage);
	TMEM_EXPECT(scene->test, usage.ephemeral_pages * 10 >= pages * 9 &&
		    usage.ephemeral_pages * 10 <= pages * 11);
}

/*
 * Whatever they had before and whoever is faster, the same clients. One without weight
 * has nothing as long as others put pages: at most what it has just put.
 */
void tmem_test_weights(struct tmem_test *test)
{
	static const struct {
		u32 a, b;
		unsigned long pages_of_a;
	} cases[] = {
		{ 1, 3, 200 }, { 1, 1, 400 }, { 3, 1, 600 }, { 65535, 65535, 400 },
		{ 0, 1, 0 }, { 20, 10, 533 }, { 65535, 0, 800 },
	};
	struct tmem_usage usage;
	struct scene a, b, dead;
	unsigned int i;

	if (!scene_begin(&a, test, TMEM_TEST_EPHEMERAL))
		return;
	dead = another(&a, 50);
	b = another(&a, 3);
	put_many(&dead, 1, 10);
	/* The weight of a client that is gone counts no longer. */
	tmem_test_destroy(test, dead.client);
	tmh_set(&test->store.capacity, COMPETE_PAGES);
	for (i = 0; i < 2 * sizeof(cases) / sizeof(*cases); i++) {
		set_weight(&a, cases[i / 2].a);
		set_weight(&b, cases[i / 2].b);
		compete(&a, &b, i % 2 ? 4 : 1);
		tmem_client_usage(a.client, &usage);
		if (cases[i / 2].pages_of_a)
			expect_share(&a, cases[i / 2].pages_of_a);
		else
			TMEM_EXPECT(test, usage.ephemeral_pages <= 20);
		tmem_client_usage(b.client, &usage);
		if (cases[i / 2].pages_of_a < COMPETE_PAGES)
			expect_share(&b, COMPETE_PAGES - cases[i / 2].pages_of_a);
		else
			TMEM_EXPECT(test, usage.ephemeral_pages <= 20);
	}
	tmem_test_destroy(test, b.client);
	scene_end(&a);
}

/* A client that comes late has its share as soon as it has put as many pages. */
void tmem_test_late_client(struct tmem_test *test)
{
	static const struct {
		u32 weight;
		unsigned long pages;
	} cases[] = { { 1, 400 }, { 3, 600 }, { 19, 760 } };
	struct scene a, late;
	unsigned int i;

	if (!scene_begin(&a, test, TMEM_TEST_EPHEMERAL))
		return;
	tmh_set(&test->store.capacity, COMPETE_PAGES);
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		put_many(&a, i, COMPETE_PAGES);
		late = another(&a, cases[i].weight);
		put_many(&late, 1, cases[i].pages);
		expect_share(&late, cases[i].pages);
		tmem_test_destroy(test, late.client);
	}
	scene_end(&a);
}

/* One that is frozen keeps what it has of its share, and can read, write and flush it. */
void tmem_test_frozen_competes(struct tmem_test *test)
{
	unsigned long held = 0;
	struct scene a, frozen;
	unsigned int i;

	if (!scene_begin(&a, test, TMEM_TEST_EPHEMERAL))
		return;
	tmh_set(&test->store.capacity, COMPETE_PAGES);
	frozen = another(&a, 1);
	put_many(&frozen, 1, 600);
	tmem_client_freeze(frozen.client, true);
	for (i = 0; i < 10; i++)
		put_many(&a, i, 200);
	expect_share(&frozen, 400);
	for (i = 0; i < 600; i++) {
		u64 got = get(&frozen, 1, i, TMEM_GET_KEEP);

		TMEM_EXPECT(test, got == (got ? 8 + i * 14 : 0));
		held += !!got;
	}
	TMEM_EXPECT(test, held == pages_of(&frozen));
	TMEM_EXPECT(test, put(&frozen, 1, 600, 8) == -EROFS);
	TMEM_EXPECT(test, !put(&frozen, 1, 599, 10));
	TMEM_EXPECT(test, get(&frozen, 1, 599, 0) == 10);
	TMEM_EXPECT(test, !flush(&frozen, 1, 598));
	TMEM_EXPECT(test, pages_of(&frozen) == held - 2);
	tmem_client_freeze(frozen.client, false);
	TMEM_EXPECT(test, !put(&frozen, 1, 600, 8));
	tmem_test_destroy(test, frozen.client);
	scene_end(&a);
}

/* Of one client alone, as if it were out of weight */
void tmem_test_evict_of_client(struct tmem_test *test)
{
	struct scene a, b;

	if (!scene_begin(&a, test, TMEM_TEST_EPHEMERAL))
		return;
	b = another(&a, 1);
	put_many(&a, 1, 100);
	put_many(&b, 1, 300);
	TMEM_EXPECT(test, tmem_evict_client(a.client, 30) == 30);
	TMEM_EXPECT(test, pages_of(&a) == 70 && pages_of(&b) == 300);
	TMEM_EXPECT(test, get(&a, 1, 0, 0) == 0);
	TMEM_EXPECT(test, get(&a, 1, 99, 0) == 8 + 99 * 14);
	TMEM_EXPECT(test, tmem_evict_client(a.client, 100) == 69);
	TMEM_EXPECT(test, tmem_evict_client(a.client, 1) == 0);
	TMEM_EXPECT(test, pages_of(&b) == 300);
	tmem_test_destroy(test, b.client);
	scene_end(&a);
}

/* With several stripes it is the oldest all the same. */
void tmem_test_evict_order(struct tmem_test *test)
{
	struct scene scene;
	u64 i;

	if (!scene_begin(&scene, test, TMEM_TEST_SHARED))
		return;
	for (i = 0; i < 100; i++)
		TMEM_EXPECT(test, !put(&scene, i, i, 2 + i));
	/* A get from a shared pool makes a page young again, so does a put. */
	TMEM_EXPECT(test, get(&scene, 10, 10, 0) == 12);
	TMEM_EXPECT(test, !put(&scene, 11, 11, 2));
	TMEM_EXPECT(test, tmem_evict(test->engine, 50) == 50);
	for (i = 0; i < 100; i++)
		TMEM_EXPECT(test, !get(&scene, i, i, 0) ==
			    (i < 52 && i != 10 && i != 11));
	scene_end(&scene);
}

/* A guest at its limit displaces its own pages, and nobody else's. */
void tmem_test_metadata_limit(struct tmem_test *test)
{
	struct tmem_usage usage, before;
	struct scene a, b;

	if (!scene_begin(&a, test, TMEM_TEST_EPHEMERAL))
		return;
	b = another(&a, 1);
	put_many(&b, 1, 100);
	tmem_client_usage(a.client, &before);
	set_limits(&a, 0, before.metadata_bytes + 10000, TMEM_UNLIMITED);
	put_many(&a, 1, 1000);
	tmem_client_usage(a.client, &usage);
	TMEM_EXPECT(test, usage.metadata_bytes <= before.metadata_bytes + 10000);
	TMEM_EXPECT(test, usage.ephemeral_pages > 50);
	TMEM_EXPECT(test, get(&a, 1, 999, TMEM_GET_KEEP) == 8 + 999 * 14);
	/* There is a node for one more page, but not a byte for it. */
	tmem_client_usage(a.client, &before);
	set_limits(&a, 0, before.metadata_bytes, TMEM_UNLIMITED);
	TMEM_EXPECT(test, !put(&a, 1, 1000, 2));
	tmem_client_usage(a.client, &usage);
	TMEM_EXPECT(test, usage.metadata_bytes <= before.metadata_bytes);
	TMEM_EXPECT(test, pages_of(&b) == 100);
	tmem_test_destroy(test, b.client);
	scene_end(&a);
}

/* A page that is there already needs no memory, so nothing is evicted for it. */
void tmem_test_again_at_limit(struct tmem_test *test)
{
	struct tmem_usage usage;
	struct scene scene;
	u64 i;

	if (!scene_begin(&scene, test, TMEM_TEST_EPHEMERAL))
		return;
	put_many(&scene, 1, 100);
	tmh_set(&test->store.capacity, 100);
	for (i = 0; i < 100; i++)
		TMEM_EXPECT(test, !put(&scene, 1, i, 10 + i * 14));
	tmh_set(&test->store.capacity, TMEM_UNLIMITED);
	tmem_client_usage(scene.client, &usage);
	set_limits(&scene, 0, usage.metadata_bytes, TMEM_UNLIMITED);
	for (i = 0; i < 100; i++)
		TMEM_EXPECT(test, !put(&scene, 1, i, 9 + i * 14));
	TMEM_EXPECT(test, pages_of(&scene) == 100);
	scene_end(&scene);
}

/* 51010e4de3: nothing could be evicted while all pages were of one object. */
void tmem_test_huge_object(struct tmem_test *test)
{
	struct scene scene;

	if (!scene_begin(&scene, test, TMEM_TEST_EPHEMERAL))
		return;
	tmh_set(&test->store.capacity, 1000);
	put_many(&scene, 1, 5000);
	TMEM_EXPECT(test, tmem_evictable(test->engine, ~0ul) <= 1000);
	TMEM_EXPECT(test, tmem_evict(test->engine, 500) == 500);
	TMEM_EXPECT(test, get(&scene, 1, 4999, 0) == 8 + 4999 * 14);
	scene_end(&scene);
}

/* How many pages a put evicts that is refused nevertheless */
static unsigned long evicted_by_put(struct scene *scene, u64 index)
{
	unsigned long before = tmem_evictable(scene->test->engine, ~0ul);

	TMEM_EXPECT(scene->test, put(scene, 2, index, 8) == -ENOMEM);
	return before - tmem_evictable(scene->test->engine, ~0ul);
}

/*
 * With its own page and one that it replaces no put works on more than 64 pages, if
 * nothing helps, and if it lacks one thing after the other.
 */
void tmem_test_evict_bound(struct tmem_test *test)
{
	const unsigned long most = 64 - 2;
	struct tmem_usage usage;
	struct scene scene;
	u64 i;

	if (!scene_begin(&scene, test, TMEM_TEST_EPHEMERAL))
		return;
	/* Pages that take no room, so that there is none when they go */
	for (i = 0; i < 1000; i++)
		TMEM_EXPECT(test, !put(&scene, 1, i, 7));
	tmh_set(&test->store.capacity, 0);
	TMEM_EXPECT(test, evicted_by_put(&scene, 0) == most);
	tmh_set(&test->store.capacity, TMEM_UNLIMITED);
	set_limits(&scene, 0, 0, TMEM_UNLIMITED);
	TMEM_EXPECT(test, evicted_by_put(&scene, 0) == most);
	TMEM_EXPECT(test, tmem_new_pool(scene.client, no_uuid,
					TMEM_TEST_EPHEMERAL) == -ENOMEM);
	TMEM_EXPECT(test, pages_of(&scene) >= 1000 - 3 * most);

	/* First room for the page, then for its object, page and nodes, one each */
	set_limits(&scene, 0, TMEM_UNLIMITED, TMEM_UNLIMITED);
	tmem_evict(test->engine, 1000);
	put_many(&scene, 1, 1000);
	TMEM_EXPECT(test, !put(&scene, 2, 0, 8));
	tmh_set(&test->store.capacity, tmh_read(&test->store.used) - 30);
	tmem_client_usage(scene.client, &usage);
	set_limits(&scene, 0, usage.metadata_bytes - 2000, TMEM_UNLIMITED);
	TMEM_EXPECT(test, evicted_by_put(&scene, 1ull << 63) == most);
	scene_end(&scene);
}

#define MANY		32u	/* stripes */
#define MANY_AHEAD	(30 * MANY)
/* What is counted ahead at once does not divide it. */
#define MANY_LIMIT	(1024 * MANY + 5)

static bool many_begin(struct scene *scene, struct tmem_test *test, u32 flags)
{
	scene->test = test;
	if (!TMEM_EXPECT(test, tmem_test_begin(test, 6, 5)))
		return false;
	scene->client = tmem_test_client(test, 1);
	if (!scene->client)
		return false;
	scene->pool = tmem_new_pool(scene->client, no_uuid, flags);
	return TMEM_EXPECT(test, scene->pool >= 0);
}

/* Pages that need no memory, in many objects. Returns how many were taken. */
static unsigned long many_put(struct scene *scene, unsigned long from,
			      unsigned long n)
{
	unsigned long taken = 0;

	while (n--) {
		taken += !put(scene, from % 509, from, 7 * (from + 1));
		from++;
	}
	return taken;
}

static unsigned long many_pages(struct scene *scene)
{
	struct tmem_usage usage;

	tmem_client_usage(scene->client, &usage);
	TMEM_EXPECT(scene->test, usage.persistent_pages +
		    usage.ephemeral_pages == pages_of(scene));
	return pages_of(scene);
}

/* Where pages are counted ahead, limits are kept, and small ones are exact. */
void tmem_test_many_stripes(struct tmem_test *test)
{
	unsigned long taken, i;
	struct scene scene;

	if (!many_begin(&scene, test, TMEM_TEST_PERSISTENT))
		return;
	set_limits(&scene, MANY_LIMIT, TMEM_UNLIMITED, TMEM_UNLIMITED);
	taken = many_put(&scene, 0, MANY_LIMIT + 100);
	TMEM_EXPECT(test, taken <= MANY_LIMIT);
	TMEM_EXPECT(test, taken >= MANY_LIMIT - MANY_AHEAD);
	TMEM_EXPECT(test, many_pages(&scene) == taken);
	for (i = 2000; i < MANY_LIMIT + 100; i++)
		flush(&scene, i % 509, i);
	TMEM_EXPECT(test, many_pages(&scene) == 2000);
	/* Nothing that was counted ahead is left after a limit has changed. */
	set_limits(&scene, 2010, TMEM_UNLIMITED, TMEM_UNLIMITED);
	TMEM_EXPECT(test, many_put(&scene, 2000, 100) == 10);
	for (i = 0; i < 1000; i++)
		TMEM_EXPECT(test, !flush(&scene, i % 509, i));
	TMEM_EXPECT(test, many_put(&scene, 5000, 1000) == 1000);
	TMEM_EXPECT(test, many_put(&scene, 6000, 100) == 0);
	TMEM_EXPECT(test, many_pages(&scene) == 2010);
	scene_end(&scene);
}

/* Pages that are evicted are among the oldest. */
void tmem_test_evict_many_stripes(struct tmem_test *test)
{
	unsigned long i, young = 0, evicted;
	struct tmem_test_page page;
	struct tmem_handle handle;
	struct scene scene;

	if (!many_begin(&scene, test, TMEM_TEST_EPHEMERAL))
		return;
	TMEM_EXPECT(test, many_put(&scene, 0, 4000) == 4000);
	TMEM_EXPECT(test, many_pages(&scene) == 4000);
	TMEM_EXPECT(test, tmem_evictable(test->engine, ~0ul) == 4000);
	evicted = tmem_evict(test->engine, 1000);
	TMEM_EXPECT(test, evicted == 1000);
	TMEM_EXPECT(test, many_pages(&scene) == 3000);
	for (i = 1000; i < 4000; i++) {
		handle = handle_of(&scene, i % 509, i);
		if (!tmem_get(scene.client, &handle, &page, TMEM_GET_KEEP))
			continue;
		young++;
		TMEM_EXPECT(test, i < 1000 + 4000 / 20);
	}
	TMEM_EXPECT(test, young < 4000 / 20);
	TMEM_EXPECT(test, tmem_evict(test->engine, 5000) == 3000);
	TMEM_EXPECT(test, tmem_evictable(test->engine, ~0ul) == 0);
	scene_end(&scene);
}

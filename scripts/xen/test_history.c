// SPDX-License-Identifier: GPL-2.0-only
/*
 * What was wrong with tmem in Xen 4.0 to 4.12: the classes of XSA-15, what was never
 * mended, and what was. Each test tries it here.
 */
#include "scene.h"

static const uint32_t every_cmd[] = {
	0, TMEM_NEW_POOL, TMEM_DESTROY_POOL, 3, TMEM_PUT_PAGE, TMEM_GET_PAGE,
	TMEM_FLUSH_PAGE, TMEM_FLUSH_OBJECT, 8, 9, 10, TMEM_FEATURES, TMEM_BATCH,
	TMEM_FLUSH_RANGE, TMEM_POOL_PAGES, TMEM_AUTH, TMEM_RESTORE_NEW, ~0u,
};

static struct scene *first, *second;
static long result;

/* Control operations were open to all. */
void test_xsa15a_control_is_refused(struct tmem_test *test)
{
	static const uint32_t control[] = { 0, TMEM_AUTH, TMEM_RESTORE_NEW };
	struct tmem_op op;
	struct scene scene;
	unsigned int i, k;

	scene_begin(&scene, test, PERSISTENT);
	put_many(&scene, 1, 2);
	/* Whatever the subcommand, and for dom0 as for others */
	for (i = 0; i < ARRAY_SIZE(control); i++)
		for (k = 0; k < 40; k++) {
			memset(&op, 0, sizeof(op));
			op.cmd = control[i];
			op.u.gen.oid.oid[0] = k | (uint64_t)k << 32;
			scene.d->is_hardware = k % 2;
			TMEM_EXPECT(test, call(&scene, &op) == -EOPNOTSUPP);
		}
	TMEM_EXPECT(test, get(&scene, 1, 1) == 2);
	scene_end(&scene);
}

/* Ids of pools were signed, and not compared with their number. */
void test_xsa15b_ids_of_pools(struct tmem_test *test)
{
	struct scene scene;
	unsigned int bit, i;

	scene_begin(&scene, test, PERSISTENT);
	for (bit = 0; bit < 32; bit++)
		for (i = 0; i < ARRAY_SIZE(every_cmd); i++) {
			long rc;

			scene.pool = (int)(1u << bit);
			rc = page_op(&scene, every_cmd[i], 1, 0);
			TMEM_EXPECT(test, rc <= 0 ||
				    every_cmd[i] == TMEM_FEATURES);
			scene.pool = (int)~(1u << bit);
			if (every_cmd[i] != TMEM_BATCH)
				page_op(&scene, every_cmd[i], 1, 0);
		}
	TMEM_EXPECT(test, usage_of(&scene).pools == 1);
	TMEM_EXPECT(test, usage_of(&scene).persistent_pages == 0);
	scene_end(&scene);
}

/* Operations on what a domain did not have met NULL. */
void test_xsa15c_no_client(struct tmem_test *test)
{
	struct scene scene;
	unsigned int i, id;

	TMEM_EXPECT(test, xen_begin(test, ALL));
	for (id = 0; id < 2; id++) {
		guest_begin(&scene, test, id, 0);
		for (i = 0; i < ARRAY_SIZE(every_cmd); i++)
			if (every_cmd[i] != TMEM_NEW_POOL &&
			    every_cmd[i] != TMEM_FEATURES)
				TMEM_EXPECT(test, pool_op(&scene, every_cmd[i],
							  0) <= 1);
		TMEM_EXPECT(test, !scene.d->tmem);
		host_print_begin();
		host_key('y');
		guest_end(&scene);
	}
	xen_end(test);
}

/* The guest's memory was read without copying; here nothing else would find it. */
void test_xsa15d_guest_memory_and_frames(struct tmem_test *test)
{
	struct scene scene;
	unsigned int i, gfn;

	scene_begin(&scene, test, EPHEMERAL);
	for (gfn = 0; gfn < 4; gfn++) {
		scene.d->frame[gfn].type = gfn ? p2m_mmio_direct + gfn : p2m_invalid;
		scene.gfn = gfn;
		for (i = 0; i < 3; i++) {
			TMEM_EXPECT(test, page_op(&scene, TMEM_PUT_PAGE, 1, i) ==
				    -EFAULT);
			TMEM_EXPECT(test, page_op(&scene, TMEM_GET_PAGE, 1, i) ==
				    -EEMPTY);
		}
	}
	TMEM_EXPECT(test, !host_used);
	scene_end(&scene);
}

/* Offset and length in a page overflowed. They mean nothing any more. */
void test_xsa15e_offset_and_length(struct tmem_test *test)
{
	static const uint32_t hostile[] = { 1, 4095, 4096, 4097, 1u << 31, ~0u - 4095, ~0u };
	struct tmem_op op = { .cmd = TMEM_PUT_PAGE };
	unsigned int i, k, m;
	struct scene scene;

	scene_begin(&scene, test, PERSISTENT);
	for (i = 0; i < ARRAY_SIZE(hostile); i++)
		for (k = 0; k < ARRAY_SIZE(hostile); k++)
			for (m = 0; m < ARRAY_SIZE(hostile); m++) {
				op.u.gen.tmem_offset = hostile[i];
				op.u.gen.pfn_offset = hostile[k];
				op.u.gen.len = hostile[m];
				op.u.gen.index = i;
				tmem_test_identify(content(&scene, 0), k + 1);
				op.cmd = TMEM_PUT_PAGE;
				TMEM_EXPECT(test, call(&scene, &op) == 1);
				tmem_test_identify(content(&scene, 0), 0);
				op.cmd = TMEM_GET_PAGE;
				TMEM_EXPECT(test, call(&scene, &op) == 1);
				TMEM_EXPECT(test, tmem_test_is(content(&scene, 0),
							       k + 1));
			}
	scene_end(&scene);
}

/*
 * Locks were kept where a get, or any operation, failed. Each return of a hypercall is
 * checked; after each failure what was concerned can be used.
 */
static void fail_each_way(struct tmem_test *test, uint32_t cmd)
{
	struct scene scene;
	unsigned int i;

	scene_begin(&scene, test, EPHEMERAL);
	put_many(&scene, 1, 3);
	for (i = 0; i < ARRAY_SIZE(every_cmd); i++) {
		if (cmd != ~0u && every_cmd[i] != cmd)
			continue;
		guest_call(&scene.v, 0);
		scene.pool = 9;
		page_op(&scene, every_cmd[i], 1, 0);
		scene.pool = 0;
		scene.gfn = XEN_FRAMES;
		page_op(&scene, every_cmd[i], 1, 1);
		page_op(&scene, every_cmd[i], 1, 5);
		scene.gfn = 1;
		scene.d->frame[1].type = p2m_ram_ro;
		page_op(&scene, every_cmd[i], 1, 2);
		host_no_memory = true;
		page_op(&scene, every_cmd[i], 1, 6);
		host_no_memory = false;
		scene.gfn = 0;
		scene.pool = 0;
		new_pool(&scene, EPHEMERAL);
		TMEM_EXPECT(test, put(&scene, 1, 0, 9) == 1);
		TMEM_EXPECT(test, get(&scene, 1, 0) == 9);
	}
	scene_end(&scene);
}

void test_xsa15f_locks_of_a_get(struct tmem_test *test)
{
	fail_each_way(test, TMEM_GET_PAGE);
}

void test_xsa15g_locks_of_any_operation(struct tmem_test *test)
{
	fail_each_way(test, ~0u);
}

static void destroy_and_make(void)
{
	struct scene scene = *first;
	uint8_t saved[56];

	memcpy(saved, first->d->memory, sizeof(saved));
	pool_op(&scene, TMEM_DESTROY_POOL, 0);
	result = new_pool(&scene, PERSISTENT);
	memcpy(first->d->memory, saved, sizeof(saved));
}

/* 1: a pool was used after another vCPU had destroyed it. Here, while it copies. */
void test_wrong1_pool_destroyed_in_use(struct tmem_test *test)
{
	struct scene scene;

	scene_begin(&scene, test, PERSISTENT);
	first = &scene;
	TMEM_EXPECT(test, put(&scene, 1, 0, 5) == 1);
	host_on_copy = destroy_and_make;
	TMEM_EXPECT(test, get(&scene, 1, 0) == 5);
	TMEM_EXPECT(test, result == 0);
	TMEM_EXPECT(test, get(&scene, 1, 0) == 0);
	host_on_copy = destroy_and_make;
	TMEM_EXPECT(test, put(&scene, 1, 0, 6) == -ENODEV);
	TMEM_EXPECT(test, get(&scene, 1, 0) == 0);
	TMEM_EXPECT(test, usage_of(&scene).persistent_pages == 0);
	scene_end(&scene);
}

/* 2: a pool that could not be made had an id all the same. */
void test_wrong2_pool_half_made(struct tmem_test *test)
{
	struct scene scene;
	unsigned long k;
	bool failed = true;

	for (k = 1; failed; k++) {
		scene_begin(&scene, test, EPHEMERAL);
		host_fail_at(k);
		if (new_pool(&scene, PERSISTENT) < 0)
			TMEM_EXPECT(test, usage_of(&scene).pools == 1);
		failed = host_has_failed();
		host_fail_at(0);
		scene.pool = 1;
		TMEM_EXPECT(test, page_op(&scene, TMEM_GET_PAGE, 0, 0) ==
			    (failed ? -ENODEV : -EEMPTY));
		TMEM_EXPECT(test, new_pool(&scene, EPHEMERAL) == (failed ? 1 : 2));
		scene_end(&scene);
	}
	TMEM_EXPECT(test, k > 2);
}

static void use_second(void)
{
	result = put(second, 1, 0, 7) == 1 && get(second, 1, 0) == 7 &&
		new_pool(second, EPHEMERAL) == 1 &&
		pool_op(second, TMEM_DESTROY_POOL, 1) == 1;
}

/* 4: all operations took one lock. Here another domain's go on while one copies. */
void test_wrong4_one_lock_for_all(struct tmem_test *test)
{
	struct scene scenes[2];

	TMEM_EXPECT(test, xen_begin(test, ALL));
	guest_begin(&scenes[0], test, 1, PERSISTENT);
	guest_begin(&scenes[1], test, 2, EPHEMERAL);
	second = &scenes[1];
	result = 0;
	host_on_copy = use_second;
	TMEM_EXPECT(test, put(&scenes[0], 1, 0, 5) == 1);
	TMEM_EXPECT(test, result);
	result = 0;
	host_on_copy = use_second;
	TMEM_EXPECT(test, get(&scenes[0], 1, 0) == 5);
	TMEM_EXPECT(test, result);
	guest_end(&scenes[0]);
	guest_end(&scenes[1]);
	xen_end(test);
}

/* 5: domains that were dead still counted when it was said who has too much. */
void test_wrong5_weights_of_the_dead(struct tmem_test *test)
{
	struct scene scenes[2], dead;
	unsigned int i;

	TMEM_EXPECT(test, xen_begin(test, ALL));
	guest_begin(&scenes[0], test, 1, EPHEMERAL);
	put_many(&scenes[0], 1, 40);
	for (i = 10; i < 30; i++) {
		guest_begin(&dead, test, i, EPHEMERAL);
		put_many(&dead, 1, 60);
		guest_end(&dead);
	}
	guest_begin(&scenes[1], test, 2, EPHEMERAL);
	put_many(&scenes[1], 1, 100);
	TMEM_EXPECT(test, tmem_freeable_pages(~0ul) == 140);
	for (i = 0; i < 3; i++)
		TMEM_EXPECT(test, tmem_give_back(0, 41, 0));
	/* Who had the most has given all. */
	TMEM_EXPECT(test, usage_of(&scenes[0]).ephemeral_pages == 40);
	TMEM_EXPECT(test, usage_of(&scenes[1]).ephemeral_pages == 52);
	guest_end(&scenes[0]);
	guest_end(&scenes[1]);
	xen_end(test);
}

/* 7: a get to a bad frame left a page in one list and not in the other. */
void test_wrong7_bad_get_then_evicted(struct tmem_test *test)
{
	struct scene scene;
	unsigned int i;

	scene_begin(&scene, test, EPHEMERAL);
	put_many(&scene, 1, 20);
	scene.gfn = XEN_FRAMES;
	for (i = 0; i < 20; i++)
		TMEM_EXPECT(test, page_op(&scene, TMEM_GET_PAGE, 1, i) == -EFAULT);
	TMEM_EXPECT(test, tmem_freeable_pages(~0ul) == 20);
	while (tmem_give_back(0, 41, 0))
		;
	TMEM_EXPECT(test, !host_used);
	TMEM_EXPECT(test, page_op(&scene, TMEM_GET_PAGE, 1, 0) == -EEMPTY);
	scene_end(&scene);
}

/* 9: what was told about domains was cut off. The key names all of them. */
void test_wrong9_all_domains_are_told(struct tmem_test *test)
{
	unsigned int i, told = 0;
	struct scene scenes[5];
	const char *at;

	TMEM_EXPECT(test, xen_begin(test, ALL));
	for (i = 0; i < ARRAY_SIZE(scenes); i++) {
		guest_begin(&scenes[i], test, i, i % 2 ? PERSISTENT : EPHEMERAL);
		put_many(&scenes[i], 1, 10 + i);
	}
	host_print_begin();
	host_key('y');
	for (at = host_printed(); (at = strstr(at, " pages charged")); at++)
		told++;
	TMEM_EXPECT(test, told == ARRAY_SIZE(scenes));
	TMEM_EXPECT(test, strstr(host_printed(), "36 freeable"));
	TMEM_EXPECT(test, strstr(host_printed(), "14 ephemeral and 0 persistent"));
	TMEM_EXPECT(test, strstr(host_printed(), "0 ephemeral and 13 persistent"));
	for (i = 0; i < ARRAY_SIZE(scenes); i++)
		guest_end(&scenes[i]);
	xen_end(test);
}

/* 10: who had little was evicted for who had much. */
void test_wrong10_who_has_most_gives(struct tmem_test *test)
{
	struct scene scenes[2];
	unsigned int i;

	TMEM_EXPECT(test, xen_begin(test, ALL));
	guest_begin(&scenes[0], test, 1, EPHEMERAL);
	guest_begin(&scenes[1], test, 2, EPHEMERAL);
	put_many(&scenes[0], 1, 10);
	put_many(&scenes[1], 1, 90);
	for (i = 0; i < 4; i++)
		TMEM_EXPECT(test, tmem_give_back(0, 41, 0));
	TMEM_EXPECT(test, usage_of(&scenes[0]).ephemeral_pages == 10);
	TMEM_EXPECT(test, usage_of(&scenes[1]).ephemeral_pages == 90 - 64);
	guest_end(&scenes[0]);
	guest_end(&scenes[1]);
	xen_end(test);
}

/* 2009-10: domains died with operations on their way, twice, or not at all. */
void test_fixed_domain_death(struct tmem_test *test)
{
	unsigned int i, round;
	struct scene scene;

	TMEM_EXPECT(test, xen_begin(test, ALL));
	for (round = 0; round < 3; round++) {
		guest_begin(&scene, test, 1, round ? EPHEMERAL : 0);
		if (round == 2)
			put_many(&scene, 1, 100);
		scene.d->is_dying = true;
		for (i = 0; i < ARRAY_SIZE(every_cmd); i++) {
			TMEM_EXPECT(test, page_op(&scene, every_cmd[i], 1, 0) ==
				    -ENODEV);
			TMEM_EXPECT(test, guest_call(&scene.v, 0) == -ENODEV);
		}
		TMEM_EXPECT(test, !guest_grow(scene.d, 1));
		guest_end(&scene);
		TMEM_EXPECT(test, !host_used);
	}
	xen_end(test);
}

/* A reset domain begins anew: what it had is gone, what it puts is not charged twice. */
void test_soft_reset(struct tmem_test *test)
{
	unsigned long restarts = 0;
	struct scene scene;
	int rc;

	scene_begin(&scene, test, PERSISTENT);
	put_many(&scene, 1, 300);
	while ((rc = tmem_soft_reset(scene.d)) == -ERESTART)
		restarts++;
	TMEM_EXPECT(test, !rc && !usage_of(&scene).pools && !scene.d->tmem_pages);
	TMEM_EXPECT(test, !host_yield_every == !restarts);
	host_key('y');
	TMEM_EXPECT(test, put(&scene, 1, 0, 1) == -ENODEV);
	TMEM_EXPECT(test, new_pool(&scene, PERSISTENT) == 0);
	TMEM_EXPECT(test, get(&scene, 1, 0) == 0);
	put_many(&scene, 1, 10);
	TMEM_EXPECT(test, scene.d->tmem_pages < 20);
	scene_end(&scene);
}

/* 2009: what was said to be freeable drifted away from what was. */
void test_fixed_counts_that_drift(struct tmem_test *test)
{
	struct scene scene;
	unsigned int i;

	scene_begin(&scene, test, EPHEMERAL);
	for (i = 0; i < 5000; i++) {
		uint64_t oid = tmem_test_random(test) % 3;
		uint32_t index = tmem_test_random(test) % 50;

		scene.gfn = tmem_test_random(test) % (XEN_FRAMES + 2);
		switch (tmem_test_random(test) % 16) {
		case 0:
			tmem_give_back(0, 41, 0);
			break;
		case 1:
			page_op(&scene, TMEM_FLUSH_OBJECT, oid, 0);
			break;
		case 2:
			pool_op(&scene, TMEM_DESTROY_POOL, 0);
			TMEM_EXPECT(test, new_pool(&scene, EPHEMERAL) == 0);
			break;
		default:
			page_op(&scene, TMEM_PUT_PAGE + i % 3, oid, index);
			break;
		}
		if (!TMEM_EXPECT(test, (long)tmem_freeable_pages(~0ul) == host_used))
			break;
	}
	scene_end(&scene);
}

static void evict_all(void)
{
	while (tmem_give_back(0, 41, 0))
		;
	result = host_used;
}

/* 2009: with one huge object locked nothing could be evicted. */
void test_fixed_huge_object_in_use(struct tmem_test *test)
{
	struct scene scene;

	scene_begin(&scene, test, EPHEMERAL);
	put_many(&scene, 1, 1000);
	host_on_copy = evict_all;
	TMEM_EXPECT(test, get(&scene, 1, 500) == 501);
	/* But for the page that was being copied */
	TMEM_EXPECT(test, result == 1);
	TMEM_EXPECT(test, !host_used);
	scene_end(&scene);
}

/* 2010, 2014: a put said it had been done, and there had been no memory. */
void test_fixed_false_success(struct tmem_test *test)
{
	unsigned int i, taken = 0;
	struct scene scene;

	scene_begin(&scene, test, PERSISTENT);
	for (i = 0; i < 500; i++) {
		uint64_t oid = tmem_test_random(test) % 20;
		uint32_t index = (uint32_t)tmem_test_random(test);
		bool done;

		host_fail_at(tmem_test_random(test) % 4);
		done = put(&scene, oid, index, i + 1) == 1;
		host_fail_at(0);
		TMEM_EXPECT(test, get(&scene, oid, index) == (done ? i + 1 : 0));
		taken += done;
	}
	TMEM_EXPECT(test, taken > 50 && taken < 500);
	scene_end(&scene);
}

/* 2015: two shared pools in one guest; 2017: sharing was open to all. */
void test_fixed_sharing(struct tmem_test *test)
{
	struct tmem_op op = { .cmd = TMEM_NEW_POOL };
	struct scene scenes[2];
	unsigned int i;

	TMEM_EXPECT(test, xen_begin(test, ALL));
	for (i = 0; i < 2; i++) {
		guest_begin(&scenes[i], test, i + 1, 0);
		op.u.creat.flags = EPHEMERAL | TMEM_POOL_SHARED;
		op.u.creat.uuid[0] = 0x123456789abcdef;
		TMEM_EXPECT(test, call(&scenes[i], &op) == 0);
		TMEM_EXPECT(test, call(&scenes[i], &op) == 1);
		scenes[i].pool = 0;
	}
	TMEM_EXPECT(test, put(&scenes[0], 1, 0, 5) == 1);
	TMEM_EXPECT(test, get(&scenes[1], 1, 0) == 0);
	scenes[0].pool = 1;
	TMEM_EXPECT(test, get(&scenes[0], 1, 0) == 0);
	TMEM_EXPECT(test, pool_op(&scenes[0], TMEM_DESTROY_POOL, 1) == 1);
	guest_end(&scenes[1]);
	scenes[0].pool = 0;
	TMEM_EXPECT(test, get(&scenes[0], 1, 0) == 5);
	guest_end(&scenes[0]);
	xen_end(test);
}

/* 2016: pages that are alike were one, which tells a guest what others have. */
void test_fixed_no_deduplication(struct tmem_test *test)
{
	struct scene scenes[2];

	TMEM_EXPECT(test, xen_begin(test, ALL));
	guest_begin(&scenes[0], test, 1, EPHEMERAL);
	guest_begin(&scenes[1], test, 2, PERSISTENT);
	TMEM_EXPECT(test, put(&scenes[0], 1, 0, 0) == 1);
	TMEM_EXPECT(test, put(&scenes[0], 1, 1, 0) == 1);
	TMEM_EXPECT(test, put(&scenes[1], 1, 0, 0) == 1);
	TMEM_EXPECT(test, host_used == 3);
	guest_end(&scenes[0]);
	guest_end(&scenes[1]);
	xen_end(test);
}

static void put_same(void)
{
	struct scene scene = *first;
	struct tmem_op op = { .cmd = TMEM_PUT_PAGE };
	uint8_t saved[56];

	memcpy(saved, first->d->memory, sizeof(saved));
	op.u.gen.oid.oid[0] = 1;
	op.u.gen.cmfn = 9;
	tmem_test_identify(content(&scene, 9), 99);
	result = call(&scene, &op);
	memcpy(first->d->memory, saved, sizeof(saved));
}

/* 2014: two puts made the same object, and one of them was lost. */
void test_fixed_two_puts_make_an_object(struct tmem_test *test)
{
	struct scene scene;

	scene_begin(&scene, test, PERSISTENT);
	first = &scene;
	host_on_copy = put_same;
	TMEM_EXPECT(test, put(&scene, 1, 1, 5) == 1);
	TMEM_EXPECT(test, result == 1);
	TMEM_EXPECT(test, get(&scene, 1, 0) == 99);
	TMEM_EXPECT(test, get(&scene, 1, 1) == 5);
	TMEM_EXPECT(test, usage_of(&scene).objects == 1);
	host_on_copy = put_same;
	TMEM_EXPECT(test, put(&scene, 1, 0, 6) == 1);
	/* The second was there first. */
	TMEM_EXPECT(test, get(&scene, 1, 0) == 6);
	TMEM_EXPECT(test, usage_of(&scene).persistent_pages == 2);
	scene_end(&scene);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the hypervisor's tmem: each answer, and what becomes of pages
 *
 * Left out on Xen up to 4.12 is what brings it down: getting a page of a private
 * ephemeral pool into a frame that is not there.
 */
#include <kunit/test.h>

#include <linux/errno.h>
#include <linux/limits.h>

#include <asm/xen/hypercall.h>

#include "tmem_conformance.h"

/* Answers */

static void no_operation(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, HYPERVISOR_tmem_op(NULL), -EFAULT);
}

static void not_for_guests(struct kunit *test)
{
	static const unsigned int cmds[] = { 0, 101, 102 };
	int i, pool = tmc_new_pool(test, 0);

	for (i = 0; i < ARRAY_SIZE(cmds); i++) {
		KUNIT_EXPECT_EQ(test, tmc_op_gfn(cmds[i], pool, 1, 0, 0),
				-EOPNOTSUPP);
		KUNIT_EXPECT_EQ(test, tmc_op_gfn(cmds[i], 15, 1, 0, 0),
				-EOPNOTSUPP);
	}
}

static void unknown_operation(struct kunit *test)
{
	static const unsigned int cmds[] = { 50, 1000, UINT_MAX };
	int i, pool = tmc_new_pool(test, 0);

	for (i = 0; i < ARRAY_SIZE(cmds); i++) {
		KUNIT_EXPECT_EQ(test, tmc_op_gfn(cmds[i], pool, 1, 0, 0),
				-TMEM_ENOSYS);
		KUNIT_EXPECT_EQ(test, tmc_op_gfn(cmds[i], 15, 1, 0, 0), -ENODEV);
	}
}

static void absent_pool(struct kunit *test)
{
	static const int pools[] = {
		1, 15, 16, 17, 255, 256, 65536, INT_MAX, INT_MIN, -1,
	};
	int i;

	tmc_new_pool(test, 0);
	for (i = 0; i < ARRAY_SIZE(pools); i++) {
		KUNIT_EXPECT_EQ_MSG(test, tmc_put(test, pools[i], 1, 0, 1), -ENODEV,
				    "pool %d", pools[i]);
		KUNIT_EXPECT_EQ(test, tmc_get(test, pools[i], 1, 0), -ENODEV);
		KUNIT_EXPECT_EQ(test, tmc_flush(pools[i], 1, 0), -ENODEV);
		KUNIT_EXPECT_EQ(test, tmc_flush_object(pools[i], 1), -ENODEV);
		KUNIT_EXPECT_EQ(test, tmc_destroy_pool(test, pools[i]), 0);
	}
}

static void pool_flags(struct kunit *test)
{
	const u32 version = 1U << TMEM_POOL_VERSION_SHIFT;
	static const u32 wrong[] = {
		0, 2U << TMEM_POOL_VERSION_SHIFT,
		0xffU << TMEM_POOL_VERSION_SHIFT,
	};
	static const u32 refused[] = {
		TMEM_POOL_PERSIST | TMEM_POOL_SHARED, TMEM_POOL_PRECOMPRESSED,
		1 << TMEM_POOL_PAGESIZE_SHIFT, 9 << TMEM_POOL_PAGESIZE_SHIFT,
		0x100, 0x800000, TMEM_POOL_RESERVED_BITS,
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++)
		KUNIT_EXPECT_EQ_MSG(test, tmc_new_pool_raw(test, wrong[i]), -EPERM,
				    "flags %#x", wrong[i]);
	for (i = 0; i < ARRAY_SIZE(refused); i++)
		KUNIT_EXPECT_EQ_MSG(test,
				    tmc_new_pool_raw(test, version | refused[i]),
				    -EPERM, "flags %#x", refused[i]);
}

static void sixteen_pools(struct kunit *test)
{
	int i;

	for (i = 0; i < TMEM_MAX_POOLS; i++)
		KUNIT_ASSERT_EQ(test, tmc_new_pool(test, 0), i);
	KUNIT_EXPECT_EQ(test, tmc_new_pool_raw(test, tmc_new_flags(0)), -EPERM);
	/* The lowest that is free comes next. */
	KUNIT_EXPECT_EQ(test, tmc_destroy_pool(test, 9), 1);
	KUNIT_EXPECT_EQ(test, tmc_destroy_pool(test, 4), 1);
	KUNIT_EXPECT_EQ(test, tmc_destroy_pool(test, 4), 0);
	KUNIT_EXPECT_EQ(test, tmc_new_pool(test, 0), 4);
	KUNIT_EXPECT_EQ(test, tmc_new_pool(test, 0), 9);
}

/* What becomes of pages */

static void ephemeral_get_removes(struct kunit *test)
{
	int pool = tmc_new_ephemeral(test, 0);

	KUNIT_EXPECT_EQ(test, tmc_put(test, pool, 1, 2, 3), 1);
	tmc_expect_hit(test, pool, 1, 2, 3);
	tmc_expect_miss(test, pool, 1, 2, 0);
	/* The other one, then the pool is empty. */
	tmc_expect_hit(test, pool, ~0ULL, 0, 0);
	tmc_expect_miss(test, pool, 1, 2, -TMEM_EEMPTY);
}

static void persistent_get_keeps(struct kunit *test)
{
	int i, pool = tmc_new_persistent(test);

	KUNIT_EXPECT_EQ(test, tmc_put(test, pool, 1, 2, 3), 1);
	for (i = 0; i < 3; i++)
		tmc_expect_hit(test, pool, 1, 2, 3);
	KUNIT_EXPECT_EQ(test, tmc_flush(pool, 1, 2), 1);
	tmc_expect_miss(test, pool, 1, 2, 0);
	KUNIT_EXPECT_EQ(test, tmc_flush(pool, ~0ULL, 0), 1);
	tmc_expect_miss(test, pool, 1, 2, -TMEM_EEMPTY);
}

static void put_put_get(struct kunit *test)
{
	int pool = tmc_new_ephemeral(test, 0);

	KUNIT_EXPECT_EQ(test, tmc_put(test, pool, 1, 2, 3), 1);
	KUNIT_EXPECT_EQ(test, tmc_put(test, pool, 1, 2, 4), 1);
	tmc_expect_hit(test, pool, 1, 2, 4);
	tmc_expect_miss(test, pool, 1, 2, 0);
}

static void put_put_get_persistent(struct kunit *test)
{
	int pool = tmc_new_persistent(test);

	KUNIT_EXPECT_EQ(test, tmc_put(test, pool, 1, 2, 3), 1);
	KUNIT_EXPECT_EQ(test, tmc_put(test, pool, 1, 2, 4), 1);
	tmc_expect_hit(test, pool, 1, 2, 4);
}

/* All of a handle counts: pool, each word of the object, index. */
static void handles_differ(struct kunit *test)
{
	int a = tmc_new_ephemeral(test, 0), b = tmc_new_ephemeral(test, 0);

	KUNIT_EXPECT_EQ(test, tmc_put(test, a, 1, 0, 10), 1);
	KUNIT_EXPECT_EQ(test, tmc_put(test, b, 1, 0, 11), 1);
	KUNIT_EXPECT_EQ(test, tmc_put(test, a, 2, 0, 12), 1);
	KUNIT_EXPECT_EQ(test, tmc_put(test, a, 1ULL << 40, 0, 13), 1);
	KUNIT_EXPECT_EQ(test, tmc_put(test, a, 1, 1, 14), 1);
	KUNIT_EXPECT_EQ(test, tmc_put(test, a, 1, U32_MAX, 15), 1);
	tmc_expect_hit(test, a, 1, U32_MAX, 15);
	tmc_expect_hit(test, a, 1, 1, 14);
	tmc_expect_hit(test, a, 1ULL << 40, 0, 13);
	tmc_expect_hit(test, a, 2, 0, 12);
	tmc_expect_hit(test, b, 1, 0, 11);
	tmc_expect_hit(test, a, 1, 0, 10);
}

/* Not authorised, a shared pool is a private one. */
static void shared_is_private(struct kunit *test)
{
	int pool = tmc_new_ephemeral(test, TMEM_POOL_SHARED);

	KUNIT_EXPECT_EQ(test, tmc_put(test, pool, 1, 2, 3), 1);
	tmc_expect_hit(test, pool, 1, 2, 3);
	tmc_expect_miss(test, pool, 1, 2, 0);
}

static void flushes(struct kunit *test)
{
	int i, pool = tmc_new_ephemeral(test, 0);

	KUNIT_EXPECT_EQ(test, tmc_flush(pool, 1, 0), 1);
	KUNIT_EXPECT_EQ(test, tmc_flush_object(pool, 1), 1);
	for (i = 0; i < 70; i++)
		KUNIT_EXPECT_EQ(test, tmc_put(test, pool, 1, i * 1000, i), 1);
	KUNIT_EXPECT_EQ(test, tmc_put(test, pool, 2, 0, 100), 1);
	KUNIT_EXPECT_EQ(test, tmc_flush(pool, 1, 3000), 1);
	tmc_expect_miss(test, pool, 1, 3000, 0);
	tmc_expect_hit(test, pool, 1, 4000, 4);
	KUNIT_EXPECT_EQ(test, tmc_flush_object(pool, 1), 1);
	for (i = 0; i < 70; i++)
		tmc_expect_miss(test, pool, 1, i * 1000, 0);
	tmc_expect_hit(test, pool, 2, 0, 100);
}

static void destroyed_pool(struct kunit *test)
{
	int pool = tmc_new_ephemeral(test, 0);

	KUNIT_EXPECT_EQ(test, tmc_put(test, pool, 1, 0, 1), 1);
	KUNIT_EXPECT_EQ(test, tmc_destroy_pool(test, pool), 1);
	tmc_expect_miss(test, pool, 1, 0, -ENODEV);
	KUNIT_EXPECT_EQ(test, tmc_new_pool(test, 0), pool);
	tmc_expect_miss(test, pool, 1, 0, -TMEM_EEMPTY);
}

/* Frames that are not there */

static void put_of_bad_frame(struct kunit *test)
{
	int pool = tmc_new_ephemeral(test, 0);

	KUNIT_EXPECT_EQ(test, tmc_op_gfn(TMEM_PUT_PAGE, pool, 1, 0, BAD_GFN),
			-EFAULT);
	tmc_expect_miss(test, pool, 1, 0, 0);
	/* In place of another page: that one has gone. */
	KUNIT_EXPECT_EQ(test, tmc_put(test, pool, 1, 0, 1), 1);
	KUNIT_EXPECT_EQ(test, tmc_op_gfn(TMEM_PUT_PAGE, pool, 1, 0, BAD_GFN),
			-EFAULT);
	tmc_expect_miss(test, pool, 1, 0, 0);
	KUNIT_EXPECT_EQ(test, tmc_op_gfn(TMEM_PUT_PAGE, pool, 1, 0, ~0UL), -EFAULT);
}

static void persistent_put_of_bad_frame(struct kunit *test)
{
	int pool = tmc_new_persistent(test);

	KUNIT_EXPECT_EQ(test, tmc_put(test, pool, 1, 0, 1), 1);
	KUNIT_EXPECT_EQ(test, tmc_op_gfn(TMEM_PUT_PAGE, pool, 1, 0, BAD_GFN),
			-EFAULT);
	tmc_expect_miss(test, pool, 1, 0, 0);
}

static void persistent_get_to_bad_frame(struct kunit *test)
{
	int pool = tmc_new_persistent(test);

	KUNIT_EXPECT_EQ(test, tmc_put(test, pool, 1, 0, 1), 1);
	KUNIT_EXPECT_EQ(test, tmc_op_gfn(TMEM_GET_PAGE, pool, 1, 0, BAD_GFN),
			-EFAULT);
	KUNIT_EXPECT_EQ(test, tmc_op_gfn(TMEM_GET_PAGE, pool, 1, 0, ~0UL), -EFAULT);
	tmc_expect_hit(test, pool, 1, 0, 1);
}

static void ephemeral_get_to_bad_frame(struct kunit *test)
{
	int ret, pool;

	tmc_need_batch(test);
	pool = tmc_new_ephemeral(test, 0);
	KUNIT_EXPECT_EQ(test, tmc_put(test, pool, 1, 0, 1), 1);
	KUNIT_EXPECT_EQ(test, tmc_op_gfn(TMEM_GET_PAGE, pool, 1, 0, BAD_GFN),
			-EFAULT);
	/* It may have been lost by that. */
	ret = tmc_get(test, pool, 1, 0);
	KUNIT_EXPECT_TRUE(test, !ret || ret == 1);
	KUNIT_EXPECT_TRUE(test, tmc_is_filled(test, ret ? 1 : 0xdead));
}

static struct kunit_case pages_cases[] = {
	KUNIT_CASE(no_operation),
	KUNIT_CASE(not_for_guests),
	KUNIT_CASE(unknown_operation),
	KUNIT_CASE(absent_pool),
	KUNIT_CASE(pool_flags),
	KUNIT_CASE(sixteen_pools),
	KUNIT_CASE(ephemeral_get_removes),
	KUNIT_CASE(persistent_get_keeps),
	KUNIT_CASE(put_put_get),
	KUNIT_CASE(put_put_get_persistent),
	KUNIT_CASE(handles_differ),
	KUNIT_CASE(shared_is_private),
	KUNIT_CASE(flushes),
	KUNIT_CASE(destroyed_pool),
	KUNIT_CASE(put_of_bad_frame),
	KUNIT_CASE(persistent_put_of_bad_frame),
	KUNIT_CASE(persistent_get_to_bad_frame),
	KUNIT_CASE(ephemeral_get_to_bad_frame),
	{}
};

struct kunit_suite tmc_pages_suite = {
	.name = "tmem_conformance",
	.init = tmc_init,
	.exit = tmc_exit,
	.test_cases = pages_cases,
};

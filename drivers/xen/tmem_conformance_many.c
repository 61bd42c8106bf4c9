// SPDX-License-Identifier: GPL-2.0-only
/* Tests of the hypervisor's tmem: many pages, and the extensions */
#include <kunit/test.h>

#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/moduleparam.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include <asm/xen/hypercall.h>
#include <xen/xen.h>

#include "tmem_conformance.h"

/* Pages whose content is checked: 32 MB */
#define NR_CHECKED	8192

static unsigned int max_quota = 32768;
module_param(max_quota, uint, 0444);
MODULE_PARM_DESC(max_quota, "Persistent pages to put at most, to find the limit");

/* Many pages */

static void ephemeral_contents(struct kunit *test)
{
	int i, ret, pool = tmc_new_ephemeral(test, 0);
	unsigned int hits = 0, wrong = 0;

	for (i = 0; i < NR_CHECKED; i++) {
		KUNIT_ASSERT_EQ(test, tmc_put(test, pool, i / 512, i, i), 1);
		cond_resched();
	}
	for (i = 0; i < NR_CHECKED; i += 3)
		KUNIT_ASSERT_EQ(test, tmc_flush(pool, i / 512, i), 1);
	for (i = 0; i < NR_CHECKED; i++) {
		ret = tmc_get(test, pool, i / 512, i);
		hits += ret == 1;
		wrong += ret == 1 && (!(i % 3) || !tmc_is_filled(test, i));
		wrong += ret != 1 && ret && ret != -TMEM_EEMPTY;
		cond_resched();
	}
	kunit_info(test, "%u of %u pages were still there", hits,
		   NR_CHECKED - DIV_ROUND_UP(NR_CHECKED, 3));
	KUNIT_EXPECT_EQ(test, wrong, 0);
	KUNIT_EXPECT_GT(test, hits, 0);
}

/* What is taken is kept, however much that is. */
static void persistent_contents(struct kunit *test)
{
	int i, n, pool = tmc_new_persistent(test);
	unsigned int wrong = 0;

	for (n = 0; n < NR_CHECKED; n++) {
		int ret = tmc_put(test, pool, n / 512, n, n);

		if (ret == -ENOMEM)
			break;
		KUNIT_ASSERT_EQ(test, ret, 1);
		cond_resched();
	}
	for (i = 0; i < 2 * n; i++) {
		int page = i % n;

		wrong += tmc_get(test, pool, page / 512, page) != 1 ||
			 !tmc_is_filled(test, page);
		cond_resched();
	}
	kunit_info(test, "%d pages were taken", n);
	KUNIT_EXPECT_EQ(test, wrong, 0);
	KUNIT_EXPECT_GT(test, n, 0);
}

static void persistent_quota(struct kunit *test)
{
	int n, ret = 1, pool = tmc_new_persistent(test);

	for (n = 0; n < max_quota && ret == 1; n++) {
		ret = tmc_put(test, pool, n / 512, n, n);
		cond_resched();
	}
	if (ret == 1)
		kunit_skip(test, "the limit is more than %d pages", n);
	KUNIT_ASSERT_EQ(test, ret, -ENOMEM);
	kunit_info(test, "%d pages were taken", n - 1);
	tmc_expect_miss(test, pool, (n - 1) / 512, n - 1, 0);
	/* What was taken is there, and an ephemeral page finds room. */
	tmc_expect_hit(test, pool, ~0ULL, 0, 0);
	KUNIT_EXPECT_EQ(test, tmc_destroy_pool(test, pool), 1);
	pool = tmc_new_persistent(test);
	KUNIT_EXPECT_EQ(test, tmc_put(test, pool, 1, 0, 1), 1);
}

/* Extensions */

static void features(struct kunit *test)
{
	struct tmem_op op = { .cmd = TMEM_FEATURES, .pool_id = -1 };

	tmc_need_batch(test);
	KUNIT_EXPECT_GE(test, HYPERVISOR_tmem_op(&op), 0);
}

static int batch(struct tmem_batch_entry *entries, unsigned int nr)
{
	struct tmem_op op = {
		.cmd = TMEM_BATCH,
		.u.batch.nr = nr,
		.u.batch.entries = (unsigned long)entries,
	};

	return HYPERVISOR_tmem_op(&op);
}

static void entry(struct tmem_batch_entry *entry, unsigned int cmd, int pool,
		  u64 object, u32 index, unsigned long gfn)
{
	*entry = (struct tmem_batch_entry) {
		.cmd = cmd,
		.status = 0x5a5a5a5a,
		.pool_id = pool,
		.index = index,
		.gmfn = gfn,
	};
	tmc_set_oid(entry->oid, object);
}

/* Entries are done one after the other, whatever became of those before. */
static void batch_of_everything(struct kunit *test)
{
	static const int expected[] = {
		1, 1, -TMEM_ENOSYS, -ENODEV, -EFAULT, 0, 1, 1, 1, -TMEM_ENOSYS, 1,
	};
	struct tmem_batch_entry e[ARRAY_SIZE(expected)];
	unsigned long gfn = tmc_page_gfn(test);
	int i, pool;

	tmc_need_batch(test);
	pool = tmc_new_ephemeral(test, 0);
	tmc_fill(test, 5);
	entry(&e[0], TMEM_PUT_PAGE, pool, 1, 0, gfn);
	entry(&e[1], TMEM_PUT_PAGE, pool, 1, 1, gfn);
	entry(&e[2], TMEM_FLUSH_OBJECT, pool, 1, 0, 0);
	entry(&e[3], TMEM_GET_PAGE, pool + 1, 1, 0, gfn);
	entry(&e[4], TMEM_PUT_PAGE, pool, 1, 2, BAD_GFN);
	entry(&e[5], TMEM_GET_PAGE, pool, 1, 2, gfn);
	entry(&e[6], TMEM_FLUSH_PAGE, pool, 1, 0, 0);
	entry(&e[7], TMEM_FLUSH_PAGE, pool, 1, 0, 0);
	entry(&e[8], TMEM_PUT_PAGE, pool, 1, 3, gfn);
	entry(&e[9], TMEM_NEW_POOL, pool, 0, 0, 0);
	entry(&e[10], TMEM_GET_PAGE, pool, 1, 3, gfn);
	KUNIT_ASSERT_EQ(test, batch(e, ARRAY_SIZE(e)), 0);
	for (i = 0; i < ARRAY_SIZE(e); i++)
		KUNIT_EXPECT_EQ_MSG(test, e[i].status, expected[i], "entry %d",
				    i);
	KUNIT_EXPECT_TRUE(test, tmc_is_filled(test, 5));
	tmc_expect_miss(test, pool, 1, 0, 0);
	tmc_expect_hit(test, pool, 1, 1, 5);
}

static void batch_sizes(struct kunit *test)
{
	unsigned int i, wrong = 0, nr = TMEM_BATCH_MAX + 1;
	struct tmem_batch_entry *e;
	int pool;

	tmc_need_batch(test);
	e = kvcalloc(nr, sizeof(*e), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, e);
	pool = tmc_new_pool_raw(test, tmc_new_flags(0));
	tmc_fill(test, 6);
	for (i = 0; i < nr; i++)
		entry(&e[i], TMEM_PUT_PAGE, pool, 1, i, tmc_page_gfn(test));
	KUNIT_EXPECT_EQ(test, batch(e, nr), -E2BIG);
	KUNIT_EXPECT_EQ(test, batch(e, UINT_MAX), -E2BIG);
	tmc_expect_miss(test, pool, 1, 0, -TMEM_EEMPTY);
	KUNIT_EXPECT_EQ(test, batch(e, 0), 0);
	tmc_expect_miss(test, pool, 1, 0, -TMEM_EEMPTY);
	tmc_fill(test, 6);
	KUNIT_EXPECT_EQ(test, batch(e, TMEM_BATCH_MAX), 0);
	for (i = 0; i < TMEM_BATCH_MAX; i++)
		wrong += e[i].status != 1;
	KUNIT_EXPECT_EQ(test, wrong, 0);
	tmc_expect_hit(test, pool, 1, TMEM_BATCH_MAX - 1, 6);
	tmc_expect_miss(test, pool, 1, TMEM_BATCH_MAX, 0);
	kvfree(e);
}

static void batch_at_bad_address(struct kunit *test)
{
	int pool;

	tmc_need_batch(test);
	pool = tmc_new_ephemeral(test, 0);
	KUNIT_EXPECT_EQ(test, batch(NULL, 1), -EFAULT);
	KUNIT_EXPECT_EQ(test, batch((void *)0x1000, 3), -EFAULT);
	/* Xen's own, of a PV guest, and not an address */
	KUNIT_EXPECT_EQ(test, batch((void *)0xffff800000000000, 1), -EFAULT);
	KUNIT_EXPECT_EQ(test, batch((void *)0x8000000000000000, 1), -EFAULT);
	tmc_expect_hit(test, pool, ~0ULL, 0, 0);
}

static int flush_range(int pool, u64 object, u32 index, u32 len)
{
	struct tmem_op op = {
		.cmd = TMEM_FLUSH_RANGE,
		.pool_id = pool,
		.u.gen.index = index,
		.u.gen.len = len,
	};

	tmc_set_oid(op.u.gen.oid, object);
	return HYPERVISOR_tmem_op(&op);
}

static void ranges(struct kunit *test)
{
	int i, pool;

	tmc_need_batch(test);
	pool = tmc_new_ephemeral(test, 0);
	for (i = 0; i < 600; i++)
		KUNIT_ASSERT_EQ(test, tmc_put(test, pool, 1, i, i), 1);
	KUNIT_ASSERT_EQ(test, tmc_put(test, pool, 2, 100, 1), 1);
	KUNIT_EXPECT_EQ(test, flush_range(pool, 1, 10, 500), 1);
	for (i = 0; i < 600; i++) {
		if (i >= 10 && i < 510)
			tmc_expect_miss(test, pool, 1, i, 0);
		else
			tmc_expect_hit(test, pool, 1, i, i);
	}
	tmc_expect_hit(test, pool, 2, 100, 1);
	KUNIT_EXPECT_EQ(test, flush_range(pool, 3, 0, 10), 1);
	KUNIT_EXPECT_EQ(test, flush_range(15, 1, 0, 10), -ENODEV);
}

/*
 * What PV guests do where there are no batches: each call has its own result, and
 * those behind one that fails are made.
 */
static void multicall(struct kunit *test)
{
	static const struct {
		unsigned int cmd;
		u32 index;
		long result;
		bool absent;
	} wanted[] = {
		{ TMEM_PUT_PAGE, 1, 1 },
		{ TMEM_PUT_PAGE, 1, -ENODEV, true },
		{ TMEM_GET_PAGE, 9, 0 },
		{ TMEM_PUT_PAGE, 2, 1 },
	};
	struct multicall_entry calls[ARRAY_SIZE(wanted)] = {};
	struct tmem_op ops[ARRAY_SIZE(wanted)] = {};
	int i, pool;

	if (!xen_pv_domain())
		kunit_skip(test, "not a PV guest");
	pool = tmc_new_ephemeral(test, 0);
	tmc_fill(test, 5);
	for (i = 0; i < ARRAY_SIZE(wanted); i++) {
		ops[i].cmd = wanted[i].cmd;
		ops[i].pool_id = wanted[i].absent ? pool + 1 : pool;
		tmc_set_oid(ops[i].u.gen.oid, 1);
		ops[i].u.gen.index = wanted[i].index;
		ops[i].u.gen.gmfn = tmc_page_gfn(test);
		calls[i].op = __HYPERVISOR_tmem_op;
		calls[i].args[0] = (unsigned long)&ops[i];
	}
	KUNIT_ASSERT_EQ(test, HYPERVISOR_multicall(calls, ARRAY_SIZE(calls)), 0);
	for (i = 0; i < ARRAY_SIZE(wanted); i++)
		KUNIT_EXPECT_EQ(test, (int)calls[i].result, wanted[i].result);
	tmc_expect_hit(test, pool, 1, 1, 5);
	tmc_expect_hit(test, pool, 1, 2, 5);
}

static struct kunit_case many_cases[] = {
	KUNIT_CASE_SLOW(ephemeral_contents),
	KUNIT_CASE_SLOW(persistent_contents),
	KUNIT_CASE_SLOW(persistent_quota),
	KUNIT_CASE(features),
	KUNIT_CASE(batch_of_everything),
	KUNIT_CASE(batch_sizes),
	KUNIT_CASE(batch_at_bad_address),
	KUNIT_CASE(ranges),
	KUNIT_CASE(multicall),
	{}
};

struct kunit_suite tmc_many_suite = {
	.name = "tmem_conformance_many",
	.init = tmc_init,
	.exit = tmc_exit,
	.test_cases = many_cases,
};

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tests of the tmem driver: what answers mean, several pages at once, and
 * pages of swap, which must not be lost and must not come back
 */
#include <kunit/test.h>

#include <linux/frontswap.h>
#include <linux/limits.h>

#include "tmem_kunit.h"

KUNIT_ARRAY_PARAM(host, host_kinds, host_name);

/* What answers mean: the whole table, and what nobody has ever answered */

struct answer {
	unsigned int cmd;
	int ret;
	int err;
	bool nothing_left;	/* of a put */
};

static const struct answer answers[] = {
	{ TMEM_NEW_POOL, 0, 0 },
	{ TMEM_NEW_POOL, 15, 15 },
	{ TMEM_NEW_POOL, 16, -EIO },
	{ TMEM_NEW_POOL, INT_MAX, -EIO },
	{ TMEM_NEW_POOL, -EPERM, -EPERM },
	{ TMEM_NEW_POOL, -ENOMEM, -ENOMEM },
	{ TMEM_NEW_POOL, -TMEM_ENOSYS, -TMEM_ENOSYS },
	{ TMEM_NEW_POOL, -TMEM_EFROZEN, -EIO },
	{ TMEM_DESTROY_POOL, 1, 0 },
	{ TMEM_DESTROY_POOL, 0, -ENOENT },
	{ TMEM_DESTROY_POOL, 2, -EIO },
	{ TMEM_DESTROY_POOL, -TMEM_EEMPTY, -EIO },
	{ TMEM_DESTROY_POOL, -TMEM_ENOSYS, -TMEM_ENOSYS },
	{ TMEM_PUT_PAGE, 1, 0 },
	{ TMEM_PUT_PAGE, 0, -EIO, false },
	{ TMEM_PUT_PAGE, 2, -EIO, false },
	{ TMEM_PUT_PAGE, -ENOMEM, -ENOMEM, true },
	{ TMEM_PUT_PAGE, -ENOSPC, -ENOSPC, true },
	{ TMEM_PUT_PAGE, -EFAULT, -EFAULT, true },
	{ TMEM_PUT_PAGE, -ENODEV, -ENODEV, true },
	{ TMEM_PUT_PAGE, -TMEM_EFROZEN, -EAGAIN, true },
	{ TMEM_PUT_PAGE, -TMEM_EEMPTY, -EIO, false },
	{ TMEM_PUT_PAGE, -TMEM_ENOSYS, -TMEM_ENOSYS, false },
	{ TMEM_PUT_PAGE, -EPERM, -EPERM, false },
	{ TMEM_PUT_PAGE, -EOPNOTSUPP, -EOPNOTSUPP, false },
	{ TMEM_PUT_PAGE, INT_MIN, -EIO, false },
	{ TMEM_GET_PAGE, 1, 0 },
	{ TMEM_GET_PAGE, 0, -ENOENT },
	{ TMEM_GET_PAGE, -TMEM_EEMPTY, -ENOENT },
	{ TMEM_GET_PAGE, -ENODEV, -ENODEV },
	{ TMEM_GET_PAGE, -EFAULT, -EFAULT },
	{ TMEM_GET_PAGE, -TMEM_ENOSYS, -TMEM_ENOSYS },
	{ TMEM_GET_PAGE, -TMEM_EFROZEN, -EIO },
	{ TMEM_GET_PAGE, 2, -EIO },
	{ TMEM_FLUSH_PAGE, 1, 0 },
	{ TMEM_FLUSH_PAGE, -TMEM_EFROZEN, 0 },
	{ TMEM_FLUSH_PAGE, -ENODEV, 0 },
	{ TMEM_FLUSH_PAGE, 0, -EIO },
	{ TMEM_FLUSH_PAGE, -TMEM_ENOSYS, -TMEM_ENOSYS },
	{ TMEM_FLUSH_PAGE, -TMEM_EEMPTY, -EIO },
	{ TMEM_FLUSH_OBJECT, 1, 0 },
	{ TMEM_FLUSH_OBJECT, -TMEM_EFROZEN, 0 },
	{ TMEM_FLUSH_OBJECT, -ENODEV, 0 },
	{ TMEM_FLUSH_OBJECT, 0, -EIO },
	{ TMEM_FLUSH_OBJECT, -EFAULT, -EFAULT },
	{ TMEM_FLUSH_RANGE, 1, 0 },
	{ TMEM_FLUSH_RANGE, -TMEM_EFROZEN, 0 },
	{ TMEM_FLUSH_RANGE, -ENODEV, 0 },
	{ TMEM_FLUSH_RANGE, 0, -EIO },
	{ TMEM_FLUSH_RANGE, -TMEM_ENOSYS, -TMEM_ENOSYS },
	{ 0, 0, -EIO },
	{ 0, -EOPNOTSUPP, -EOPNOTSUPP },
	{ 0, -511, -511 },
	{ 0, -512, -EIO },
};

static void answer_has_its_meaning(struct kunit *test)
{
	const struct answer *answer = answers;

	xen_tmem_features = TMEM_FEATURE_BATCH;
	for (; answer < answers + ARRAY_SIZE(answers); answer++) {
		int err = xen_tmem_errno(answer->cmd, answer->ret);

		KUNIT_EXPECT_EQ_MSG(test, err, answer->err, "sub-op %u: %d",
				    answer->cmd, answer->ret);
		if (answer->cmd == TMEM_PUT_PAGE && err)
			KUNIT_EXPECT_EQ_MSG(test, xen_tmem_left_nothing(err),
					    answer->nothing_left, "put: %d",
					    answer->ret);
	}
	xen_tmem_features = 0;
	KUNIT_EXPECT_FALSE(test, xen_tmem_left_nothing(-ENOMEM));
}

static void probe_finds_out(struct kunit *test)
{
	struct host *host = test->priv;

	host_be(test, HOST_BATCH);
	KUNIT_EXPECT_EQ(test, xen_tmem_features, TMEM_FEATURE_BATCH);
	host_be(test, HOST_SINGLE);
	KUNIT_EXPECT_EQ(test, xen_tmem_features, 0);
	/* One that does not know tmem, and one that was booted without */
	host->absent = -TMEM_ENOSYS;
	KUNIT_EXPECT_EQ(test, xen_tmem_probe(), -ENODEV);
	KUNIT_EXPECT_EQ(test, xen_tmem_features, 0);
	host->absent = -ENODEV;
	KUNIT_EXPECT_EQ(test, xen_tmem_probe(), -ENODEV);
	KUNIT_EXPECT_EQ(test, xen_tmem_features, 0);
}

static void pools_of_before_go(struct kunit *test)
{
	int i;

	for (i = 0; i < TMEM_MAX_POOLS; i++)
		KUNIT_ASSERT_EQ(test, xen_tmem_new_pool(TMEM_POOL_PERSIST), i);
	KUNIT_EXPECT_EQ(test, xen_tmem_new_pool(0), -EPERM);
	KUNIT_EXPECT_EQ(test, xen_tmem_probe(), 0);
	KUNIT_EXPECT_EQ(test, xen_tmem_new_pool(0), 0);
	KUNIT_EXPECT_EQ(test, xen_tmem_destroy_pool(0), 0);
	KUNIT_EXPECT_EQ(test, xen_tmem_destroy_pool(0), -ENOENT);
}

/* Pages of swap */

#define TYPE	3
#define SLOT	0x5008	/* a place in the middle of an object */
#define ORDER	6
#define PAGES	64

static unsigned int slots_held(struct kunit *test, pgoff_t slot, unsigned int nr)
{
	unsigned int held = 0;

	for (; nr--; slot++) {
		/* A file's would have 0 at its end. */
		struct tmem_oid oid = { { TYPE, slot / 4096, 1 } };

		held += host_holds(test->priv, xen_tmem_swap_pool, oid,
				   slot % 4096, 1);
	}
	return held;
}

static int store(struct folio *folio)
{
	return xen_tmem_swap_ops.store(TYPE, SLOT, folio);
}

static int load(struct folio *folio)
{
	return xen_tmem_swap_ops.load(TYPE, SLOT, folio, false);
}

static int swap_init(struct kunit *test)
{
	const enum host_kind *kind = test->param_value;
	int err = host_init(test);

	if (err)
		return err;
	host_be(test, kind ? *kind : HOST_BATCH);
	xen_tmem_swap_pool = xen_tmem_new_pool(TMEM_POOL_PERSIST);
	KUNIT_ASSERT_GE(test, xen_tmem_swap_pool, 0);
	return xen_tmem_swap_ops.init(TYPE, 10 * 4096, false);
}

static void swap_exit(struct kunit *test)
{
	if (test->priv)
		xen_tmem_leaks_clear();
	xen_tmem_swap_pool = TMEM_NO_POOL;
	host_exit(test);
}

static void swap_store_and_load(struct kunit *test)
{
	struct folio *folio = test_folio(test, 0, 1);

	KUNIT_ASSERT_EQ(test, store(folio), 0);
	KUNIT_EXPECT_EQ(test, slots_held(test, SLOT, 1), 1);
	test_fill(folio, 2);
	KUNIT_ASSERT_EQ(test, load(folio), 0);
	KUNIT_EXPECT_EQ(test, test_wrong_pages(folio, 1), 0);
	/* It is still there. */
	test_fill(folio, 2);
	KUNIT_ASSERT_EQ(test, load(folio), 0);
	KUNIT_EXPECT_EQ(test, test_wrong_pages(folio, 1), 0);
	/* A later store replaces it. */
	test_fill(folio, 3);
	KUNIT_ASSERT_EQ(test, store(folio), 0);
	test_fill(folio, 4);
	KUNIT_ASSERT_EQ(test, load(folio), 0);
	KUNIT_EXPECT_EQ(test, test_wrong_pages(folio, 3), 0);
	xen_tmem_swap_ops.invalidate(TYPE, SLOT, 1);
	KUNIT_EXPECT_EQ(test, slots_held(test, SLOT, 1), 0);
	KUNIT_EXPECT_EQ(test, load(folio), -EIO);
}

static void swap_large_folio(struct kunit *test)
{
	struct folio *folio = test_folio(test, ORDER, 1);
	pgoff_t slot = 4096 - PAGES / 2;	/* two objects */

	KUNIT_ASSERT_EQ(test, xen_tmem_swap_ops.store(TYPE, slot, folio), 0);
	KUNIT_EXPECT_EQ(test, slots_held(test, slot, PAGES), PAGES);
	test_fill(folio, 2);
	KUNIT_ASSERT_EQ(test, xen_tmem_swap_ops.load(TYPE, slot, folio, false),
			0);
	KUNIT_EXPECT_EQ(test, test_wrong_pages(folio, 1), 0);
	xen_tmem_swap_ops.invalidate(TYPE, slot + 1, PAGES - 2);
	KUNIT_EXPECT_EQ(test, slots_held(test, slot, PAGES), 2);
	KUNIT_EXPECT_EQ(test, slots_held(test, slot, 1), 1);
}

/* Pages that were loaded leave the hypervisor if that is asked for. */
static void swap_exclusive_load(struct kunit *test)
{
	struct folio *folio = test_folio(test, ORDER, 1);
	struct host *host = test->priv;

	KUNIT_EXPECT_TRUE(test, xen_tmem_swap_ops.flags & FRONTSWAP_EXCLUSIVE);
	KUNIT_ASSERT_EQ(test, store(folio), 0);
	/* Not if one of them could not be read, which can be tried again. */
	host_fail(host, TMEM_GET_PAGE, -EFAULT, PAGES / 2, 1);
	KUNIT_EXPECT_EQ(test, xen_tmem_swap_ops.load(TYPE, SLOT, folio, true),
			-EIO);
	KUNIT_EXPECT_EQ(test, slots_held(test, SLOT, PAGES), PAGES);
	test_fill(folio, 2);
	KUNIT_ASSERT_EQ(test, xen_tmem_swap_ops.load(TYPE, SLOT, folio, true),
			0);
	KUNIT_EXPECT_EQ(test, test_wrong_pages(folio, 1), 0);
	KUNIT_EXPECT_EQ(test, host->nr_pages, 0);
	/* What the hypervisor keeps all the same is removed later. */
	KUNIT_ASSERT_EQ(test, store(folio), 0);
	host->nr_retries = 0;
	host_fail(host, TMEM_FLUSH_PAGE, -ENOMEM, 0, UINT_MAX);
	KUNIT_EXPECT_EQ(test, xen_tmem_swap_ops.load(TYPE, SLOT, folio, true),
			0);
	host->times = 0;
	if (host->kind != HOST_BATCH)
		KUNIT_EXPECT_GT(test, host->nr_retries, 0);
	xen_tmem_leaks_retry();
	KUNIT_EXPECT_EQ(test, host->nr_pages, 0);
}

/* Hypercalls; it is one for each page where there is nothing better. */
static void swap_hypercalls(struct kunit *test)
{
	struct folio *large = test_folio(test, ORDER, 1);
	struct folio *small = test_folio(test, 0, 1);
	struct host *host = test->priv;
	bool single = host->kind == HOST_SINGLE;

	host->nr_calls = 0;
	store(small);
	KUNIT_EXPECT_EQ(test, host->nr_calls, 1);
	load(small);
	KUNIT_EXPECT_EQ(test, host->nr_calls, 2);
	xen_tmem_swap_ops.invalidate(TYPE, SLOT, 1);
	KUNIT_EXPECT_EQ(test, host->nr_calls, 3);

	host->nr_calls = 0;
	KUNIT_ASSERT_EQ(test, store(large), 0);
	KUNIT_EXPECT_LE(test, host->nr_calls, single ? PAGES : PAGES / 16);
	host->nr_calls = 0;
	KUNIT_ASSERT_EQ(test, load(large), 0);
	KUNIT_EXPECT_LE(test, host->nr_calls, single ? PAGES : PAGES / 16);
	host->nr_calls = 0;
	xen_tmem_swap_ops.invalidate(TYPE, SLOT, PAGES);
	KUNIT_EXPECT_LE(test, host->nr_calls,
			host->kind == HOST_BATCH ? 1 : PAGES);
	KUNIT_EXPECT_EQ(test, host->nr_pages, 0);
}

/* Every answer to a put, of the first, a middle and the last page */
static void swap_refused_put_leaves_nothing(struct kunit *test)
{
	static const unsigned int places[] = { 0, PAGES / 2 + 3, PAGES - 1 };
	struct folio *old = test_folio(test, ORDER, 1);
	struct folio *new = test_folio(test, ORDER, 2);
	struct host *host = test->priv;
	unsigned int i, place;

	for (i = 0; i < ARRAY_SIZE(answers); i++) {
		if (answers[i].cmd != TMEM_PUT_PAGE || !answers[i].err)
			continue;
		for (place = 0; place < ARRAY_SIZE(places); place++) {
			KUNIT_ASSERT_EQ(test, store(old), 0);
			host_fail(host, TMEM_PUT_PAGE, answers[i].ret,
				  places[place], 1);
			KUNIT_EXPECT_EQ(test, store(new), answers[i].err);
			KUNIT_EXPECT_EQ_MSG(test, host->nr_pages, 0,
					    "put %u: %d", places[place],
					    answers[i].ret);
			host->times = 0;
		}
	}
}

static void swap_refused_single_leaves_nothing(struct kunit *test)
{
	struct folio *folio = test_folio(test, 0, 1);
	struct host *host = test->priv;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(answers); i++) {
		if (answers[i].cmd != TMEM_PUT_PAGE || !answers[i].err)
			continue;
		KUNIT_ASSERT_EQ(test, store(folio), 0);
		host_fail(host, TMEM_PUT_PAGE, answers[i].ret, 0, 1);
		host->nr_calls = 0;
		KUNIT_EXPECT_EQ(test, store(folio), answers[i].err);
		KUNIT_EXPECT_EQ(test, host->nr_pages, 0);
		/* No call is made for a page that has gone anyway. */
		KUNIT_EXPECT_EQ_MSG(test, host->nr_calls,
				    host->kind == HOST_BATCH &&
				    answers[i].nothing_left ? 1 : 2,
				    "put: %d", answers[i].ret);
	}
}

static void swap_host_refuses(struct kunit *test)
{
	struct folio *old = test_folio(test, 1, 1);
	struct folio *folio = test_folio(test, ORDER, 2);
	struct host *host = test->priv;

	/* Over quota in the middle of the folio */
	host->capacity = PAGES / 2 + 1;
	KUNIT_EXPECT_EQ(test, store(folio), -ENOMEM);
	KUNIT_EXPECT_EQ(test, host->nr_pages, 0);
	/* The first two may be replaced, the others not be put. */
	host->capacity = 2;
	KUNIT_ASSERT_EQ(test, store(old), 0);
	KUNIT_EXPECT_EQ(test, store(folio), -ENOMEM);
	KUNIT_EXPECT_EQ(test, host->nr_pages, 0);
	host->capacity = PAGES;
	KUNIT_ASSERT_EQ(test, store(folio), 0);
	host->no_duplicates = true;
	KUNIT_EXPECT_EQ(test, store(folio), -ENOSPC);
	KUNIT_EXPECT_EQ(test, host->nr_pages, 0);
}

static void swap_frozen(struct kunit *test)
{
	struct folio *folio = test_folio(test, ORDER, 1);
	struct host *host = test->priv;

	KUNIT_ASSERT_EQ(test, store(folio), 0);
	host->frozen = true;
	KUNIT_EXPECT_EQ(test, load(folio), 0);
	KUNIT_EXPECT_EQ(test, store(folio), 0);
	KUNIT_EXPECT_EQ(test, xen_tmem_swap_ops.store(TYPE, 0, folio), -EAGAIN);
	xen_tmem_swap_ops.invalidate(TYPE, SLOT, PAGES);
	KUNIT_EXPECT_EQ(test, host->nr_pages, 0);
	KUNIT_EXPECT_EQ(test, host->nr_retries, 0);
	KUNIT_EXPECT_EQ(test, store(folio), -EAGAIN);
	KUNIT_EXPECT_EQ(test, host->nr_pages, 0);
}

/* Whatever the answer is: no page, no data */
static void swap_denied_page_is_an_error(struct kunit *test)
{
	struct folio *folio = test_folio(test, ORDER, 1);
	struct host *host = test->priv;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(answers); i++) {
		if (answers[i].cmd != TMEM_GET_PAGE || !answers[i].err)
			continue;
		KUNIT_ASSERT_EQ(test, store(folio), 0);
		host_fail(host, TMEM_GET_PAGE, answers[i].ret, PAGES - 1, 1);
		KUNIT_EXPECT_EQ_MSG(test, load(folio), -EIO, "get: %d",
				    answers[i].ret);
		/* The pages are kept: another attempt may do. */
		KUNIT_EXPECT_EQ(test, load(folio), 0);
	}
	host_forget_all(host);
	KUNIT_EXPECT_EQ(test, load(folio), -EIO);
	KUNIT_EXPECT_EQ(test, store(folio), -ENODEV);
	host->absent = -TMEM_ENOSYS;
	KUNIT_EXPECT_EQ(test, load(folio), -EIO);
	KUNIT_EXPECT_LT(test, store(folio), 0);
}

/* Nobody knows what a batch has done that fails as a whole. */
static void swap_batch_fails_as_a_whole(struct kunit *test)
{
	struct folio *folio = test_folio(test, ORDER, 1);
	struct host *host = test->priv;

	if (host->kind != HOST_BATCH)
		kunit_skip(test, "no batches");
	host->batch_fault = 17;
	KUNIT_EXPECT_EQ(test, store(folio), -EIO);
	KUNIT_EXPECT_EQ(test, host->nr_pages, 0);
	host->batch_fault = 0;
	KUNIT_ASSERT_EQ(test, store(folio), 0);
	host->batch_fault = 17;
	KUNIT_EXPECT_EQ(test, load(folio), -EIO);
	host->batch_fault = 0;
	KUNIT_EXPECT_EQ(test, load(folio), 0);
}

/* An interrupt may free slots while its CPU has a batch half done. */
static void swap_invalidate_inside_batch(struct kunit *test)
{
	struct folio *folio = test_folio(test, ORDER, 1);
	struct tmem_batch *batch;
	struct tmem_oid oid = { { TYPE, 0, 1 } };
	unsigned long flags;
	int err;

	KUNIT_ASSERT_EQ(test, store(folio), 0);
	batch = xen_tmem_batch_get();
	xen_tmem_batch_add(batch, TMEM_PUT_PAGE, xen_tmem_swap_pool, &oid, 7,
			   folio_page(folio, 0));
	xen_tmem_batch_add(batch, TMEM_PUT_PAGE, xen_tmem_swap_pool, &oid, 8,
			   folio_page(folio, 1));
	local_irq_save(flags);
	xen_tmem_swap_ops.invalidate(TYPE, SLOT, PAGES);
	local_irq_restore(flags);
	err = xen_tmem_batch_run(batch);
	xen_tmem_batch_put();
	KUNIT_EXPECT_EQ(test, err, 0);
	KUNIT_EXPECT_EQ(test, slots_held(test, 7, 2), 2);
	KUNIT_EXPECT_EQ(test, slots_held(test, SLOT, PAGES), 0);
}

/* What is not forgotten is tried again, */
static void swap_leak_is_mended(struct kunit *test)
{
	struct folio *folio = test_folio(test, 1, 1);
	struct host *host = test->priv;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(answers); i++) {
		if (answers[i].cmd != TMEM_FLUSH_PAGE || !answers[i].err)
			continue;
		KUNIT_ASSERT_EQ(test, store(folio), 0);
		host->nr_retries = 0;
		host_fail(host, TMEM_FLUSH_PAGE, answers[i].ret, 0, 3);
		xen_tmem_swap_ops.invalidate(TYPE, SLOT, 1);
		xen_tmem_swap_ops.invalidate(TYPE, SLOT + 1, 1);
		KUNIT_EXPECT_EQ(test, host->nr_pages, 2);
		KUNIT_EXPECT_EQ(test, host->nr_retries, 2);
		xen_tmem_retry();
		KUNIT_EXPECT_EQ(test, host->nr_pages, 1);
		KUNIT_EXPECT_EQ(test, host->nr_retries, 3);
		xen_tmem_retry();
		KUNIT_EXPECT_EQ(test, host->nr_pages, 0);
		KUNIT_EXPECT_EQ(test, host->nr_retries, 3);
	}
}

/* but never hits what was stored in its place. */
static void swap_leak_spares_the_new_page(struct kunit *test)
{
	struct folio *folio = test_folio(test, 1, 1);
	struct host *host = test->priv;

	KUNIT_ASSERT_EQ(test, store(folio), 0);
	host_fail(host, TMEM_FLUSH_PAGE, -EBUSY, 0, 2);
	xen_tmem_swap_ops.invalidate(TYPE, SLOT, 1);
	xen_tmem_swap_ops.invalidate(TYPE, SLOT + 1, 1);
	test_fill(folio, 2);
	KUNIT_ASSERT_EQ(test, store(folio), 0);
	xen_tmem_retry();
	KUNIT_EXPECT_EQ(test, slots_held(test, SLOT, 2), 2);
	test_fill(folio, 3);
	KUNIT_EXPECT_EQ(test, load(folio), 0);
	KUNIT_EXPECT_EQ(test, test_wrong_pages(folio, 2), 0);
}

static void swap_range_falls_back(struct kunit *test)
{
	struct folio *folio = test_folio(test, ORDER, 1);
	struct host *host = test->priv;

	KUNIT_ASSERT_EQ(test, store(folio), 0);
	host_fail(host, TMEM_FLUSH_RANGE, -TMEM_ENOSYS, 0, 1);
	xen_tmem_swap_ops.invalidate(TYPE, SLOT, PAGES);
	KUNIT_EXPECT_EQ(test, host->nr_pages, 0);
	KUNIT_EXPECT_EQ(test, host->nr_retries, 0);
}

static void swap_area_goes(struct kunit *test)
{
	struct folio *folio = test_folio(test, ORDER, 1);
	struct host *host = test->priv;
	pgoff_t last = 10 * 4096 - PAGES;

	KUNIT_ASSERT_EQ(test, store(folio), 0);
	KUNIT_ASSERT_EQ(test, xen_tmem_swap_ops.store(TYPE, last, folio), 0);
	KUNIT_ASSERT_EQ(test, xen_tmem_swap_ops.store(TYPE + 1, SLOT, folio),
			0);
	/* One failure is made good at once. */
	host_fail(host, TMEM_FLUSH_OBJECT, -EIO, 5, 1);
	xen_tmem_swap_ops.invalidate_area(TYPE);
	KUNIT_EXPECT_EQ(test, slots_held(test, SLOT, PAGES), 0);
	KUNIT_EXPECT_EQ(test, slots_held(test, last, PAGES), 0);
	KUNIT_EXPECT_EQ(test, host->nr_pages, PAGES);
}

/* Closed, the pool is empty: its id may be somebody else's by now. */
static void swap_closed_area_goes(struct kunit *test)
{
	struct host *host = test->priv;

	host->nr_calls = 0;
	xen_tmem_closed = true;
	xen_tmem_swap_ops.invalidate_area(TYPE);
	xen_tmem_closed = false;
	KUNIT_EXPECT_EQ(test, host->nr_calls, 0);
}

/* A host without memory for a pool is asked again, and one that refuses is not. */
static void swap_waits_for_a_pool(struct kunit *test)
{
	struct folio *folio = test_folio(test, 0, 1);
	bool frontswap = xen_tmem_frontswap;
	struct host *host = test->priv;

	xen_tmem_frontswap = true;
	host_forget_all(host);
	xen_tmem_swap_lose_pool();
	host_fail(host, TMEM_NEW_POOL, -ENOMEM, 0, 2);
	mutex_lock(&xen_tmem_mutex);
	KUNIT_EXPECT_EQ(test, xen_tmem_swap_make_pool(), 0);
	mutex_unlock(&xen_tmem_mutex);
	KUNIT_EXPECT_EQ(test, store(folio), -ENODEV);
	xen_tmem_retry();
	KUNIT_EXPECT_EQ(test, host->nr_retries, 2);
	KUNIT_EXPECT_EQ(test, store(folio), -ENODEV);
	xen_tmem_retry();
	KUNIT_EXPECT_EQ(test, host->nr_retries, 2);
	KUNIT_EXPECT_EQ(test, store(folio), 0);

	host_forget_all(host);
	xen_tmem_swap_lose_pool();
	host_fail(host, TMEM_NEW_POOL, -EPERM, 0, 1);
	mutex_lock(&xen_tmem_mutex);
	KUNIT_EXPECT_EQ(test, xen_tmem_swap_make_pool(), -ENODEV);
	mutex_unlock(&xen_tmem_mutex);
	xen_tmem_retry();
	KUNIT_EXPECT_EQ(test, store(folio), -ENODEV);
	xen_tmem_frontswap = frontswap;
}

static void swap_counts(struct kunit *test)
{
	struct folio *folio = test_folio(test, ORDER, 1);
	unsigned long stores = xen_tmem_counted(TMEM_STORES);
	unsigned long loads = xen_tmem_counted(TMEM_LOADS);
	unsigned long refused = xen_tmem_counted(TMEM_REFUSED);
	unsigned long failed = xen_tmem_counted(TMEM_FAILED_LOADS);
	unsigned long calls = xen_tmem_counted(TMEM_HYPERCALLS);
	struct host *host = test->priv;

	host->nr_calls = 0;
	store(folio);
	load(folio);
	xen_tmem_swap_ops.invalidate(TYPE, SLOT, PAGES);
	load(folio);
	host->frozen = true;
	store(folio);
	KUNIT_EXPECT_EQ(test, xen_tmem_counted(TMEM_STORES) - stores, PAGES);
	KUNIT_EXPECT_EQ(test, xen_tmem_counted(TMEM_LOADS) - loads, PAGES);
	KUNIT_EXPECT_EQ(test, xen_tmem_counted(TMEM_REFUSED) - refused, PAGES);
	KUNIT_EXPECT_EQ(test, xen_tmem_counted(TMEM_FAILED_LOADS) - failed,
			PAGES);
	KUNIT_EXPECT_EQ(test, xen_tmem_counted(TMEM_HYPERCALLS) - calls,
			host->nr_calls);
}

static struct kunit_case tmem_xen_calls_cases[] = {
	KUNIT_CASE(answer_has_its_meaning),
	KUNIT_CASE(probe_finds_out),
	KUNIT_CASE(pools_of_before_go),
	{}
};

static struct kunit_suite tmem_xen_calls_suite = {
	.name = "tmem_xen_calls",
	.init = host_init,
	.exit = host_exit,
	.test_cases = tmem_xen_calls_cases,
};

static struct kunit_case tmem_xen_swap_cases[] = {
	KUNIT_CASE_PARAM(swap_store_and_load, host_gen_params),
	KUNIT_CASE_PARAM(swap_large_folio, host_gen_params),
	KUNIT_CASE_PARAM(swap_exclusive_load, host_gen_params),
	KUNIT_CASE_PARAM(swap_hypercalls, host_gen_params),
	KUNIT_CASE_PARAM(swap_refused_put_leaves_nothing, host_gen_params),
	KUNIT_CASE_PARAM(swap_refused_single_leaves_nothing, host_gen_params),
	KUNIT_CASE_PARAM(swap_host_refuses, host_gen_params),
	KUNIT_CASE_PARAM(swap_frozen, host_gen_params),
	KUNIT_CASE_PARAM(swap_denied_page_is_an_error, host_gen_params),
	KUNIT_CASE_PARAM(swap_batch_fails_as_a_whole, host_gen_params),
	KUNIT_CASE_PARAM(swap_invalidate_inside_batch, host_gen_params),
	KUNIT_CASE_PARAM(swap_leak_is_mended, host_gen_params),
	KUNIT_CASE_PARAM(swap_leak_spares_the_new_page, host_gen_params),
	KUNIT_CASE_PARAM(swap_range_falls_back, host_gen_params),
	KUNIT_CASE_PARAM(swap_area_goes, host_gen_params),
	KUNIT_CASE(swap_closed_area_goes),
	KUNIT_CASE(swap_waits_for_a_pool),
	KUNIT_CASE_PARAM(swap_counts, host_gen_params),
	{}
};

static struct kunit_suite tmem_xen_swap_suite = {
	.name = "tmem_xen_swap",
	.init = swap_init,
	.exit = swap_exit,
	.test_cases = tmem_xen_swap_cases,
};

kunit_test_suites(&tmem_xen_calls_suite, &tmem_xen_swap_suite);

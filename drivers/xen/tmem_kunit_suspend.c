// SPDX-License-Identifier: GPL-2.0-only
/* Unit tests of the tmem driver: when the guest is suspended */
#include <kunit/static_stub.h>
#include <kunit/test.h>

#include <linux/cleancache.h>
#include <linux/frontswap.h>

#include "tmem_kunit.h"

#define OBJECT	77
#define TYPE	3
#define SLOT	8

/* What the front ends would do */

static bool drain_fails;
static unsigned int nr_resumes, nr_renews;
/* Shared pools have been left. */
static bool left;

static int stub_suspend(unsigned long timeout)
{
	if (drain_fails)
		return -EBUSY;
	xen_tmem_swap_ops.invalidate(TYPE, SLOT, 1);
	return 0;
}

static void stub_resume(void)
{
	nr_resumes++;
}

static void stub_leave(void)
{
	left = true;
}

static void stub_rejoin(void)
{
	left = false;
}

static int fs;

static void stub_renew(void)
{
	nr_renews++;
	xen_tmem_file_ops.invalidate_fs(fs);
	fs = xen_tmem_file_ops.init_fs(PAGE_SIZE);
}

static int suspend_init(struct kunit *test)
{
	int err = host_init(test);

	if (err)
		return err;
	kunit_activate_static_stub(test, xen_tmem_swap_suspend, stub_suspend);
	kunit_activate_static_stub(test, xen_tmem_swap_resume, stub_resume);
	kunit_activate_static_stub(test, xen_tmem_file_leave, stub_leave);
	kunit_activate_static_stub(test, xen_tmem_file_rejoin, stub_rejoin);
	kunit_activate_static_stub(test, xen_tmem_file_renew, stub_renew);
	left = false;
	drain_fails = false;
	nr_resumes = 0;
	nr_renews = 0;
	host_be(test, HOST_BATCH);
	fs = xen_tmem_file_ops.init_fs(PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, fs, 0);
	KUNIT_ASSERT_EQ(test, xen_tmem_filesystems[fs].pool, 0);
	xen_tmem_swap_pool = xen_tmem_new_pool(TMEM_POOL_PERSIST);
	KUNIT_ASSERT_EQ(test, xen_tmem_swap_pool, 1);
	return 0;
}

static void suspend_exit(struct kunit *test)
{
	xen_tmem_closed = false;
	if (!test->priv)
		return;
	if (fs >= 0)
		xen_tmem_file_ops.invalidate_fs(fs);
	xen_tmem_swap_lose_pool();
	host_exit(test);
}

static bool put(struct folio *folio)
{
	unsigned long held = 0;

	xen_tmem_file_ops.put(fs, OBJECT, 0, folio, 1, &held);
	return held;
}

static int get(struct folio *folio)
{
	return xen_tmem_file_ops.get(fs, OBJECT, 0, folio, 1);
}

static int store(struct folio *folio)
{
	return xen_tmem_swap_ops.store(TYPE, SLOT, folio);
}

static void suspend_refused(struct kunit *test)
{
	struct folio *folio = test_folio(test, 0, 1);

	KUNIT_ASSERT_TRUE(test, put(folio));
	KUNIT_ASSERT_EQ(test, store(folio), 0);
	drain_fails = true;
	KUNIT_EXPECT_EQ(test, xen_tmem_suspend_prepare(), -EBUSY);
	KUNIT_EXPECT_FALSE(test, left);
	/* Everything goes on as before. */
	KUNIT_EXPECT_EQ(test, get(folio), 0);
	KUNIT_EXPECT_TRUE(test, put(folio));
	KUNIT_EXPECT_EQ(test, xen_tmem_swap_ops.load(TYPE, SLOT, folio, false),
			0);
	KUNIT_EXPECT_EQ(test, store(folio), 0);
}

static void suspend_closes(struct kunit *test)
{
	struct folio *folio = test_folio(test, 0, 1);
	struct host *host = test->priv;

	KUNIT_ASSERT_TRUE(test, put(folio));
	KUNIT_ASSERT_EQ(test, store(folio), 0);
	KUNIT_ASSERT_EQ(test, xen_tmem_suspend_prepare(), 0);
	KUNIT_EXPECT_EQ(test, host->pool[1].nr_pages, 0);
	host->nr_calls = 0;
	KUNIT_EXPECT_LT(test, get(folio), 0);
	KUNIT_EXPECT_FALSE(test, put(folio));
	KUNIT_EXPECT_LT(test, store(folio), 0);
	KUNIT_EXPECT_EQ(test, xen_tmem_swap_ops.load(TYPE, SLOT, folio, false),
			-EIO);
	xen_tmem_file_ops.invalidate(fs, OBJECT, 0, 1);
	xen_tmem_file_ops.invalidate_inode(fs, OBJECT + 1);
	xen_tmem_swap_ops.invalidate(TYPE, SLOT, 1);
	xen_tmem_retry();
	KUNIT_EXPECT_EQ(test, host->nr_calls, 0);
}

static void suspend_cancelled(struct kunit *test)
{
	struct folio *folio = test_folio(test, 0, 1);
	struct host *host = test->priv;
	unsigned long held = 0;

	KUNIT_ASSERT_TRUE(test, put(folio));
	xen_tmem_file_ops.put(fs, OBJECT + 1, 0, folio, 1, &held);
	KUNIT_ASSERT_EQ(test, xen_tmem_suspend_prepare(), 0);
	KUNIT_EXPECT_TRUE(test, left);
	/* Forgotten while it could not be said */
	xen_tmem_file_ops.invalidate(fs, OBJECT, 0, 1);
	KUNIT_EXPECT_EQ(test, host->nr_pages, 2);
	xen_tmem_suspend_cancelled();
	KUNIT_EXPECT_EQ(test, nr_resumes, 1);
	KUNIT_EXPECT_EQ(test, nr_renews, 0);
	KUNIT_EXPECT_FALSE(test, left);
	KUNIT_EXPECT_EQ(test, xen_tmem_filesystems[fs].pool, 0);
	KUNIT_EXPECT_EQ(test, xen_tmem_swap_pool, 1);
	KUNIT_EXPECT_EQ(test, host->nr_pages, 1);
	KUNIT_EXPECT_LT(test, get(folio), 0);
	test_fill(folio, 2);
	KUNIT_EXPECT_EQ(test, 0,
			xen_tmem_file_ops.get(fs, OBJECT + 1, 0, folio, 1));
	KUNIT_EXPECT_EQ(test, test_wrong_pages(folio, 1), 0);
	KUNIT_EXPECT_TRUE(test, put(folio));
	KUNIT_EXPECT_EQ(test, store(folio), 0);
}

/* A put that is refused while the pools are closed: the older page goes. */
static void suspend_cancelled_after_put(struct kunit *test)
{
	struct folio *folio = test_folio(test, 0, 1);
	struct host *host = test->priv;

	KUNIT_ASSERT_TRUE(test, put(folio));
	KUNIT_ASSERT_EQ(test, xen_tmem_suspend_prepare(), 0);
	test_fill(folio, 2);
	KUNIT_EXPECT_FALSE(test, put(folio));
	xen_tmem_suspend_cancelled();
	KUNIT_EXPECT_LT(test, get(folio), 0);
	KUNIT_EXPECT_EQ(test, host->nr_pages, 0);
}

/* On another host: ids of before are somebody else's, who has pages there. */
static void suspend_done(struct kunit *test)
{
	struct folio *folio = test_folio(test, 0, 1);
	struct host *host = test->priv;
	struct tmem_oid oid = { { OBJECT } };
	struct tmem_batch *batch;

	KUNIT_ASSERT_TRUE(test, put(folio));
	KUNIT_ASSERT_EQ(test, store(folio), 0);
	KUNIT_ASSERT_EQ(test, xen_tmem_suspend_prepare(), 0);
	host_forget_all(host);
	host->kind = HOST_SINGLE;
	/* What a kernel before us has left */
	KUNIT_ASSERT_EQ(test, xen_tmem_new_pool(0), 0);
	batch = xen_tmem_batch_get();
	xen_tmem_batch_add(batch, TMEM_PUT_PAGE, 0, &oid, 0,
			   folio_page(folio, 0));
	xen_tmem_batch_run(batch);
	xen_tmem_batch_put();
	KUNIT_ASSERT_EQ(test, host->nr_pages, 1);

	xen_tmem_suspend_done();
	KUNIT_EXPECT_EQ(test, xen_tmem_features, 0);
	KUNIT_EXPECT_EQ(test, nr_renews, 1);
	KUNIT_EXPECT_EQ(test, nr_resumes, 1);
	KUNIT_EXPECT_EQ(test, host->nr_pages, 0);
	KUNIT_EXPECT_LT(test, get(folio), 0);
	KUNIT_EXPECT_EQ(test, xen_tmem_swap_ops.load(TYPE, SLOT, folio, false),
			-EIO);
	KUNIT_EXPECT_GE(test, fs, 0);
	KUNIT_EXPECT_TRUE(test, put(folio));
	KUNIT_EXPECT_EQ(test, get(folio), 0);
	KUNIT_EXPECT_EQ(test, store(folio), xen_tmem_frontswap ? 0 : -ENODEV);
	KUNIT_EXPECT_NE(test, xen_tmem_swap_pool,
			xen_tmem_filesystems[fs].pool);
}

static void suspend_done_without_tmem(struct kunit *test)
{
	struct folio *folio = test_folio(test, 0, 1);
	struct host *host = test->priv;

	KUNIT_ASSERT_TRUE(test, put(folio));
	KUNIT_ASSERT_EQ(test, xen_tmem_suspend_prepare(), 0);
	host_forget_all(host);
	host->absent = -TMEM_ENOSYS;
	xen_tmem_suspend_done();
	KUNIT_EXPECT_LT(test, fs, 0);
	KUNIT_EXPECT_LT(test, store(folio), 0);
	host->nr_calls = 0;
	xen_tmem_swap_ops.invalidate(TYPE, SLOT, 1);
	KUNIT_EXPECT_EQ(test, host->nr_calls, 0);
}

/* A front end that cannot empty the store ends what has not begun. */
static void hibernation(struct kunit *test)
{
	struct folio *folio = test_folio(test, 0, 1);
	struct host *host = test->priv;

	KUNIT_ASSERT_EQ(test, store(folio), 0);
	xen_tmem_hibernation_ends();
	test_fill(folio, 2);
	KUNIT_EXPECT_EQ(test, xen_tmem_swap_ops.load(TYPE, SLOT, folio, false),
			0);
	KUNIT_EXPECT_EQ(test, test_wrong_pages(folio, 1), 0);
	KUNIT_ASSERT_TRUE(test, put(folio));

	xen_tmem_hibernation_begins();
	xen_tmem_hibernation_ends();
	KUNIT_EXPECT_EQ(test, host->nr_pages, 0);
	KUNIT_EXPECT_LT(test, get(folio), 0);
	KUNIT_EXPECT_EQ(test, store(folio), xen_tmem_frontswap ? 0 : -ENODEV);
	xen_tmem_hibernation_ends();
	KUNIT_EXPECT_EQ(test, host->nr_pages, xen_tmem_frontswap ? 1 : 0);
}

static struct kunit_case tmem_xen_suspend_cases[] = {
	KUNIT_CASE(suspend_refused),
	KUNIT_CASE(suspend_closes),
	KUNIT_CASE(suspend_cancelled),
	KUNIT_CASE(suspend_cancelled_after_put),
	KUNIT_CASE(suspend_done),
	KUNIT_CASE(suspend_done_without_tmem),
	KUNIT_CASE(hibernation),
	{}
};

static struct kunit_suite tmem_xen_suspend_suite = {
	.name = "tmem_xen_suspend",
	.init = suspend_init,
	.exit = suspend_exit,
	.test_cases = tmem_xen_suspend_cases,
};

kunit_test_suites(&tmem_xen_suspend_suite);

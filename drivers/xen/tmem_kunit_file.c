// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tests of the tmem driver: clean pages of files, which may be lost and must
 * not be old; fences; and what happens when the guest is suspended
 */
#include <kunit/static_stub.h>
#include <kunit/test.h>

#include <linux/bitmap.h>
#include <linux/cleancache.h>
#include <linux/limits.h>

#include "tmem_kunit.h"

KUNIT_ARRAY_PARAM(host, host_kinds, host_name);

#define OBJECT	77
#define ORDER	6
#define PAGES	64

/* The first filesystem; its pool of the hypervisor has another number. */
static int fs;

static int file_init(struct kunit *test)
{
	const enum host_kind *kind = test->param_value;
	int err = host_init(test);

	if (err)
		return err;
	host_be(test, kind ? *kind : HOST_BATCH);
	KUNIT_ASSERT_EQ(test, xen_tmem_new_pool(TMEM_POOL_PERSIST), 0);
	fs = xen_tmem_file_ops.init_fs(PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, fs, 0);
	KUNIT_ASSERT_EQ(test, xen_tmem_filesystems[fs].pool, 1);
	return 0;
}

static void file_exit(struct kunit *test)
{
	int id;

	xen_tmem_closed = false;
	for (id = 0; test->priv && id < TMEM_MAX_POOLS; id++)
		if (xen_tmem_filesystems[id].used)
			xen_tmem_file_ops.invalidate_fs(id);
	host_exit(test);
}

static unsigned int held_by_host(struct kunit *test, u64 object, pgoff_t index,
				 unsigned int nr)
{
	struct tmem_oid oid = { { object } };

	return host_holds(test->priv, xen_tmem_filesystems[fs].pool, oid,
			  index, nr);
}

/* Return: Number of pages that were taken. */
static unsigned int put(struct folio *folio, u64 object, pgoff_t index)
{
	DECLARE_BITMAP(held, PAGES) = {};

	folio->index = index;
	xen_tmem_file_ops.put(fs, object, index, folio, folio_nr_pages(folio), held);
	return bitmap_weight(held, PAGES);
}

static int get(struct folio *folio, u64 object, pgoff_t index)
{
	folio->index = index;
	return xen_tmem_file_ops.get(fs, object, index, folio,
				     folio_nr_pages(folio));
}

static void file_put_and_get(struct kunit *test)
{
	struct folio *folio = test_folio(test, ORDER, 1);

	KUNIT_ASSERT_EQ(test, put(folio, OBJECT, 100), PAGES);
	KUNIT_EXPECT_EQ(test, held_by_host(test, OBJECT, 100, PAGES), PAGES);
	test_fill(folio, 2);
	KUNIT_ASSERT_EQ(test, get(folio, OBJECT, 100), 0);
	KUNIT_EXPECT_EQ(test, test_wrong_pages(folio, 1), 0);
	/* They have gone by that. */
	KUNIT_EXPECT_EQ(test, held_by_host(test, OBJECT, 100, PAGES), 0);
	KUNIT_EXPECT_LT(test, get(folio, OBJECT, 100), 0);
}

static void file_replaced(struct kunit *test)
{
	struct folio *folio = test_folio(test, 0, 1);
	struct host *host = test->priv;

	KUNIT_ASSERT_EQ(test, put(folio, OBJECT, 5), 1);
	test_fill(folio, 2);
	KUNIT_ASSERT_EQ(test, put(folio, OBJECT, 5), 1);
	KUNIT_EXPECT_EQ(test, host->nr_pages, 1);
	test_fill(folio, 3);
	KUNIT_ASSERT_EQ(test, get(folio, OBJECT, 5), 0);
	KUNIT_EXPECT_EQ(test, test_wrong_pages(folio, 2), 0);
}

/* A get of several pages is all or nothing. */
static void file_partial_get_is_a_miss(struct kunit *test)
{
	static const unsigned int places[] = { 0, 33, PAGES - 1 };
	struct folio *folio = test_folio(test, ORDER, 1);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(places); i++) {
		KUNIT_ASSERT_EQ(test, put(folio, OBJECT, 0), PAGES);
		xen_tmem_file_ops.invalidate(fs, OBJECT, places[i], 1);
		KUNIT_EXPECT_EQ(test, held_by_host(test, OBJECT, 0, PAGES),
				PAGES - 1);
		KUNIT_EXPECT_LT(test, get(folio, OBJECT, 0), 0);
	}
}

static void file_answers_to_get(struct kunit *test)
{
	static const int answers[] = {
		0, 2, -TMEM_EEMPTY, -ENODEV, -EFAULT, -TMEM_ENOSYS, -TMEM_EFROZEN,
		-EOPNOTSUPP, INT_MIN,
	};
	struct folio *folio = test_folio(test, 0, 1);
	struct host *host = test->priv;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(answers); i++) {
		KUNIT_ASSERT_EQ(test, put(folio, OBJECT, 0), 1);
		host_fail(host, TMEM_GET_PAGE, answers[i], 0, 1);
		KUNIT_EXPECT_LT_MSG(test, get(folio, OBJECT, 0), 0, "get: %d",
				    answers[i]);
	}
}

static void file_answers_to_put(struct kunit *test)
{
	static const int answers[] = {
		0, 2, -ENOMEM, -ENOSPC, -EFAULT, -ENODEV, -TMEM_EFROZEN,
		-TMEM_EEMPTY, -TMEM_ENOSYS, -EPERM, -EOPNOTSUPP, INT_MIN,
	};
	struct folio *folio = test_folio(test, ORDER, 1);
	struct host *host = test->priv;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(answers); i++) {
		KUNIT_ASSERT_EQ(test, put(folio, OBJECT, 0), PAGES);
		host_fail(host, TMEM_PUT_PAGE, answers[i], 40, 1);
		KUNIT_EXPECT_EQ_MSG(test, put(folio, OBJECT, 0), PAGES - 1,
				    "put: %d", answers[i]);
		/* Neither the new page nor the old one */
		KUNIT_EXPECT_EQ_MSG(test, held_by_host(test, OBJECT, 40, 1), 0,
				    "put: %d", answers[i]);
		KUNIT_EXPECT_EQ(test, held_by_host(test, OBJECT, 0, PAGES),
				PAGES - 1);
	}
	KUNIT_EXPECT_EQ(test, host->nr_retries, 0);
}

static void file_batch_fails_as_a_whole(struct kunit *test)
{
	struct folio *folio = test_folio(test, ORDER, 1);
	struct host *host = test->priv;

	if (host->kind != HOST_BATCH)
		kunit_skip(test, "no batches");
	host->batch_fault = 9;
	KUNIT_EXPECT_EQ(test, put(folio, OBJECT, 0), 0);
	KUNIT_EXPECT_EQ(test, host->pool[1].nr_pages, 0);
	host->batch_fault = 0;
	KUNIT_ASSERT_EQ(test, put(folio, OBJECT, 0), PAGES);
	host->batch_fault = 9;
	KUNIT_EXPECT_LT(test, get(folio, OBJECT, 0), 0);
}

/* Folios of several files, small and large */

static void vec_init(struct kunit *test, struct cleancache_vec *vec,
		     unsigned int i, unsigned int order)
{
	vec[i] = (struct cleancache_vec) {
		.folio = test_folio(test, order, i),
		.object = OBJECT + i % 3,
		.pool = fs,
		.nr = 1 << order,
		.status = 1,
	};
	vec[i].folio->index = 1000 * i;
}

static void file_put_batch(struct kunit *test)
{
	struct host *host = test->priv;
	struct cleancache_vec *vec;
	unsigned int i;

	vec = kunit_kcalloc(test, CLEANCACHE_BATCH, sizeof(*vec), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, vec);
	for (i = 0; i < CLEANCACHE_BATCH; i++)
		vec_init(test, vec, i, 0);
	host_fail(host, TMEM_PUT_PAGE, -ENOMEM, 7, 1);
	host->nr_calls = 0;
	xen_tmem_file_ops.put_batch(vec, CLEANCACHE_BATCH);
	KUNIT_EXPECT_LE(test, host->nr_calls,
			host->kind == HOST_SINGLE ? CLEANCACHE_BATCH + 1 :
						    CLEANCACHE_BATCH / 16);
	for (i = 0; i < CLEANCACHE_BATCH; i++) {
		KUNIT_EXPECT_EQ(test, !vec[i].status, i != 7);
		KUNIT_EXPECT_EQ(test, held_by_host(test, vec[i].object,
						   vec[i].folio->index, 1),
				i != 7);
	}
}

static void file_get_batch(struct kunit *test)
{
	static const unsigned int orders[] = { 0, 4, 0, 5, 2, 0, 5 };
	struct cleancache_vec vec[ARRAY_SIZE(orders)];
	struct host *host = test->priv;
	unsigned int i, pages = 0;

	for (i = 0; i < ARRAY_SIZE(orders); i++) {
		vec_init(test, vec, i, orders[i]);
		pages += vec[i].nr;
		KUNIT_ASSERT_EQ(test, put(vec[i].folio, vec[i].object,
					  vec[i].folio->index), vec[i].nr);
		test_fill(vec[i].folio, 99);
	}
	/* The last page of the large folio in the middle */
	xen_tmem_file_ops.invalidate(fs, vec[3].object, 3000 + 31, 1);
	host->nr_calls = 0;
	xen_tmem_file_ops.get_batch(vec, ARRAY_SIZE(orders));
	KUNIT_EXPECT_LE(test, host->nr_calls,
			host->kind == HOST_SINGLE ? pages :
						    DIV_ROUND_UP(pages, 16));
	for (i = 0; i < ARRAY_SIZE(orders); i++) {
		KUNIT_EXPECT_EQ_MSG(test, !vec[i].status, i != 3, "folio %u", i);
		if (i != 3)
			KUNIT_EXPECT_EQ(test, 0,
					test_wrong_pages(vec[i].folio, i));
	}
}

static void file_hypercalls(struct kunit *test)
{
	struct folio *folio = test_folio(test, ORDER, 1);
	struct host *host = test->priv;
	unsigned int most = host->kind == HOST_SINGLE ? PAGES : PAGES / 16;

	host->nr_calls = 0;
	put(folio, OBJECT, 0);
	KUNIT_EXPECT_LE(test, host->nr_calls, most);
	host->nr_calls = 0;
	KUNIT_EXPECT_EQ(test, get(folio, OBJECT, 0), 0);
	KUNIT_EXPECT_LE(test, host->nr_calls, most);
	host->nr_calls = 0;
	xen_tmem_file_ops.invalidate(fs, OBJECT, 0, PAGES);
	KUNIT_EXPECT_LE(test, host->nr_calls,
			host->kind == HOST_BATCH ? 1 : PAGES);
	host->nr_calls = 0;
	xen_tmem_file_ops.invalidate_inode(fs, OBJECT);
	KUNIT_EXPECT_EQ(test, host->nr_calls, 1);
}

static void file_large_index(struct kunit *test)
{
	struct folio *folio = test_folio(test, 1, 1);
	struct host *host = test->priv;

	KUNIT_EXPECT_EQ(test, put(folio, OBJECT, U32_MAX - 1), 2);
	KUNIT_EXPECT_EQ(test, get(folio, OBJECT, U32_MAX - 1), 0);
	host->nr_calls = 0;
	/* One page of two would be another one, at the file's begin. */
	KUNIT_EXPECT_EQ(test, put(folio, OBJECT, U32_MAX), 0);
	KUNIT_EXPECT_LT(test, get(folio, OBJECT, U32_MAX), 0);
	KUNIT_EXPECT_EQ(test, put(folio, OBJECT, 1UL << 40), 0);
	KUNIT_EXPECT_LT(test, get(folio, OBJECT, 1UL << 40), 0);
	xen_tmem_file_ops.invalidate(fs, OBJECT, 1UL << 40, 1);
	KUNIT_EXPECT_EQ(test, host->nr_calls, 0);
	KUNIT_EXPECT_EQ(test, xen_tmem_file_ops.max_index, U32_MAX);
}

static void file_pools(struct kunit *test)
{
	struct folio *folio = test_folio(test, 0, 1);
	struct host *host = test->priv;
	int i, other = 0;

	KUNIT_EXPECT_EQ(test, xen_tmem_file_ops.init_fs(2 * PAGE_SIZE),
			-EINVAL);
	/* One pool is that of swap, one was there before. */
	for (i = 2; i < TMEM_MAX_POOLS; i++) {
		other = xen_tmem_file_ops.init_fs(PAGE_SIZE);
		KUNIT_ASSERT_GE(test, other, 0);
	}
	KUNIT_EXPECT_EQ(test, xen_tmem_file_ops.init_fs(PAGE_SIZE), -EPERM);
	KUNIT_ASSERT_EQ(test, put(folio, OBJECT, 0), 1);
	xen_tmem_file_ops.invalidate_fs(fs);
	KUNIT_EXPECT_FALSE(test, host->pool[1].used);
	KUNIT_EXPECT_EQ(test, host->nr_pages, 0);
	KUNIT_EXPECT_EQ(test, xen_tmem_file_ops.init_fs(PAGE_SIZE), fs);
}

static void file_frozen(struct kunit *test)
{
	struct folio *folio = test_folio(test, 2, 1);
	struct host *host = test->priv;

	KUNIT_ASSERT_EQ(test, put(folio, OBJECT, 0), 4);
	host->frozen = true;
	KUNIT_EXPECT_EQ(test, put(folio, OBJECT, 2), 2);
	xen_tmem_file_ops.invalidate(fs, OBJECT, 0, 4);
	xen_tmem_file_ops.invalidate_inode(fs, OBJECT);
	KUNIT_EXPECT_EQ(test, host->pool[1].nr_pages, 0);
	KUNIT_EXPECT_EQ(test, host->nr_retries, 0);
	KUNIT_EXPECT_EQ(test, put(folio, OBJECT, 0), 0);
}

/* Fences */

static void fence_until_forgotten(struct kunit *test)
{
	static const int answers[] = { 0, -TMEM_ENOSYS, -EFAULT, -TMEM_EEMPTY, 2 };
	struct folio *folio = test_folio(test, 0, 1);
	struct host *host = test->priv;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(answers); i++) {
		KUNIT_ASSERT_EQ(test, put(folio, OBJECT, 0), 1);
		KUNIT_ASSERT_EQ(test, put(folio, OBJECT + 1, 0), 1);
		host->nr_retries = 0;
		host_fail(host, TMEM_FLUSH_PAGE, answers[i], 0, 1);
		xen_tmem_file_ops.invalidate(fs, OBJECT, 0, 1);
		/* The old page is there, and is not to be seen. */
		KUNIT_EXPECT_EQ(test, held_by_host(test, OBJECT, 0, 1), 1);
		KUNIT_EXPECT_EQ(test, host->nr_retries, 1);
		host->nr_calls = 0;
		KUNIT_EXPECT_LT(test, get(folio, OBJECT, 0), 0);
		KUNIT_EXPECT_EQ(test, put(folio, OBJECT, 0), 0);
		KUNIT_EXPECT_EQ(test, host->nr_calls, 0);
		/* Other files are not concerned. */
		KUNIT_EXPECT_EQ(test, get(folio, OBJECT + 1, 0), 0);

		host_fail(host, TMEM_FLUSH_OBJECT, answers[i], 0, 1);
		xen_tmem_retry();
		KUNIT_EXPECT_EQ(test, host->nr_retries, 2);
		KUNIT_EXPECT_LT(test, get(folio, OBJECT, 0), 0);
		xen_tmem_retry();
		KUNIT_EXPECT_EQ(test, host->nr_retries, 2);
		KUNIT_EXPECT_EQ(test, held_by_host(test, OBJECT, 0, 1), 0);
		KUNIT_EXPECT_EQ(test, put(folio, OBJECT, 0), 1);
		KUNIT_EXPECT_EQ(test, get(folio, OBJECT, 0), 0);
	}
}

static void fence_of_whole_file(struct kunit *test)
{
	struct folio *folio = test_folio(test, 2, 1);
	struct host *host = test->priv;

	KUNIT_ASSERT_EQ(test, put(folio, OBJECT, 0), 4);
	host_fail(host, TMEM_FLUSH_OBJECT, -EIO, 0, 1);
	xen_tmem_file_ops.invalidate_inode(fs, OBJECT);
	KUNIT_EXPECT_LT(test, get(folio, OBJECT, 0), 0);
	xen_tmem_retry();
	KUNIT_EXPECT_EQ(test, host->pool[1].nr_pages, 0);
}

/* A put whose older page cannot be removed */
static void fence_after_refused_put(struct kunit *test)
{
	struct folio *folio = test_folio(test, 0, 1);
	struct host *host = test->priv;

	KUNIT_ASSERT_EQ(test, put(folio, OBJECT, 0), 1);
	host->absent = -TMEM_ENOSYS;
	KUNIT_EXPECT_EQ(test, put(folio, OBJECT, 0), 0);
	host->absent = 0;
	KUNIT_EXPECT_EQ(test, held_by_host(test, OBJECT, 0, 1), 1);
	KUNIT_EXPECT_LT(test, get(folio, OBJECT, 0), 0);
	xen_tmem_retry();
	KUNIT_EXPECT_EQ(test, held_by_host(test, OBJECT, 0, 1), 0);
}

/* An object that is fenced again while it is being forgotten stays fenced. */
static int fence_again(struct tmem_op *op)
{
	xen_tmem_fence(&xen_tmem_filesystems[fs], OBJECT);
	return 1;
}

static void fence_during_retry(struct kunit *test)
{
	xen_tmem_fence(&xen_tmem_filesystems[fs], OBJECT);
	kunit_activate_static_stub(test, xen_tmem_hypercall, fence_again);
	xen_tmem_retry();
	KUNIT_EXPECT_TRUE(test, xen_tmem_is_fenced(&xen_tmem_filesystems[fs],
						   OBJECT));
}

/* Without memory for a note: the pool is replaced. */
static void fence_of_filesystem(struct kunit *test)
{
	struct tmem_filesystem *filesystem = &xen_tmem_filesystems[fs];
	struct folio *folio = test_folio(test, 0, 1);
	struct host *host = test->priv;

	KUNIT_ASSERT_EQ(test, put(folio, OBJECT, 0), 1);
	WRITE_ONCE(filesystem->fenced, true);
	KUNIT_EXPECT_LT(test, get(folio, OBJECT, 0), 0);
	KUNIT_EXPECT_EQ(test, put(folio, OBJECT + 1, 0), 0);
	host_fail(host, TMEM_DESTROY_POOL, -EIO, 0, 1);
	xen_tmem_retry();
	KUNIT_EXPECT_TRUE(test, filesystem->fenced);
	KUNIT_EXPECT_EQ(test, filesystem->pool, 1);
	KUNIT_EXPECT_LT(test, get(folio, OBJECT, 0), 0);
	KUNIT_EXPECT_GT(test, host->nr_retries, 0);
	xen_tmem_retry();
	KUNIT_EXPECT_FALSE(test, filesystem->fenced);
	KUNIT_EXPECT_EQ(test, host->nr_pages, 0);
	KUNIT_EXPECT_LT(test, get(folio, OBJECT, 0), 0);
	KUNIT_EXPECT_EQ(test, put(folio, OBJECT, 0), 1);
	KUNIT_EXPECT_EQ(test, get(folio, OBJECT, 0), 0);
}

static void fence_pool_cannot_be_replaced(struct kunit *test)
{
	struct tmem_filesystem *filesystem = &xen_tmem_filesystems[fs];
	struct folio *folio = test_folio(test, 0, 1);

	KUNIT_ASSERT_EQ(test, put(folio, OBJECT, 0), 1);
	WRITE_ONCE(filesystem->fenced, true);
	host_fail(test->priv, TMEM_NEW_POOL, -ENOMEM, 0, 1);
	xen_tmem_retry();
	KUNIT_EXPECT_EQ(test, filesystem->pool, TMEM_NO_POOL);
	KUNIT_EXPECT_EQ(test, put(folio, OBJECT, 0), 0);
	KUNIT_EXPECT_LT(test, get(folio, OBJECT, 0), 0);
	xen_tmem_file_ops.invalidate(fs, OBJECT, 0, 1);
	KUNIT_EXPECT_FALSE(test, xen_tmem_is_fenced(filesystem, OBJECT));
	/* There is memory again. */
	xen_tmem_retry();
	KUNIT_EXPECT_EQ(test, put(folio, OBJECT, 0), 1);
	KUNIT_EXPECT_EQ(test, get(folio, OBJECT, 0), 0);
}

/* One who has what should have been forgotten is told when he is asked next. */
static void refused_put_forgets(struct kunit *test)
{
	struct folio *folio = test_folio(test, 0, 1);

	KUNIT_ASSERT_EQ(test, put(folio, OBJECT, 0), 1);
	xen_tmem_closed = true;
	KUNIT_EXPECT_EQ(test, put(folio, OBJECT, 0), 0);
	xen_tmem_closed = false;
	KUNIT_EXPECT_TRUE(test, xen_tmem_is_fenced(&xen_tmem_filesystems[fs],
						   OBJECT));
	xen_tmem_retry();
	KUNIT_EXPECT_EQ(test, held_by_host(test, OBJECT, 0, 1), 0);
}

/* Pools that other guests share */

static const uuid_t shared_uuid =
	UUID_INIT(0x01020304, 0x0506, 0x0708, 9, 10, 11, 12, 13, 14, 15, 16);

/* Leaves the private pool, since all helpers use the first filesystem. */
static struct tmem_filesystem *share(struct kunit *test, bool may_share)
{
	struct host *host = test->priv;

	host->may_share = may_share;
	xen_tmem_file_ops.invalidate_fs(fs);
	KUNIT_ASSERT_EQ(test, fs, xen_tmem_file_ops.init_shared_fs(&shared_uuid,
								   PAGE_SIZE));
	return &xen_tmem_filesystems[fs];
}

/* The administrator names the bytes in this order. */
static void shared_uuid_is_told(struct kunit *test)
{
	struct tmem_filesystem *filesystem = share(test, true);
	struct host *host = test->priv;

	KUNIT_EXPECT_EQ(test, le64_to_cpu(host->pool[filesystem->pool].uuid[0]),
			0x0807060504030201);
	KUNIT_EXPECT_EQ(test, le64_to_cpu(host->pool[filesystem->pool].uuid[1]),
			0x100f0e0d0c0b0a09);
	KUNIT_EXPECT_EQ(test, -EINVAL,
			xen_tmem_file_ops.init_shared_fs(&shared_uuid,
							 2 * PAGE_SIZE));
}

/* Older hypervisors leave a guest's pages to the others when it has died. */
static void shared_needs_extensions(struct kunit *test)
{
	const enum host_kind *kind = test->param_value;

	if (*kind == HOST_BATCH)
		kunit_skip(test, "has them");
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP,
			xen_tmem_file_ops.init_shared_fs(&shared_uuid,
							 PAGE_SIZE));
}

static void shared_get_leaves_the_page(struct kunit *test)
{
	struct folio *folio = test_folio(test, 0, 1);

	share(test, true);
	KUNIT_ASSERT_EQ(test, put(folio, OBJECT, 0), 1);
	KUNIT_EXPECT_EQ(test, get(folio, OBJECT, 0), 0);
	KUNIT_EXPECT_EQ(test, get(folio, OBJECT, 0), 0);
	share(test, false);
	KUNIT_ASSERT_EQ(test, put(folio, OBJECT, 0), 1);
	KUNIT_EXPECT_EQ(test, get(folio, OBJECT, 0), 0);
	KUNIT_EXPECT_LT(test, get(folio, OBJECT, 0), 0);
}

static void shared_is_emptied(struct kunit *test)
{
	struct tmem_filesystem *filesystem = share(test, true);
	struct folio *folio = test_folio(test, 0, 1);
	struct host *host = test->priv;
	int pool = filesystem->pool;

	KUNIT_ASSERT_EQ(test, put(folio, OBJECT, 0), 1);
	xen_tmem_file_ops.empty_fs(fs);
	KUNIT_EXPECT_EQ(test, host->nr_pages, 0);
	KUNIT_EXPECT_NE(test, filesystem->pool, pool);
	KUNIT_EXPECT_FALSE(test, host->pool[pool].used);
	KUNIT_EXPECT_LT(test, get(folio, OBJECT, 0), 0);
	KUNIT_EXPECT_EQ(test, put(folio, OBJECT, 0), 1);
	KUNIT_EXPECT_EQ(test, get(folio, OBJECT, 0), 0);
}

/* A fence would keep only ourselves from what is wrong. */
static void shared_is_emptied_for_want_of_a_flush(struct kunit *test)
{
	struct tmem_filesystem *filesystem = share(test, true);
	struct folio *folio = test_folio(test, 0, 1);
	struct host *host = test->priv;

	KUNIT_ASSERT_EQ(test, put(folio, OBJECT, 0), 1);
	KUNIT_ASSERT_EQ(test, put(folio, OBJECT + 1, 0), 1);
	host_fail(host, TMEM_FLUSH_OBJECT, -EIO, 0, 1);
	xen_tmem_file_ops.invalidate_inode(fs, OBJECT);
	KUNIT_EXPECT_TRUE(test, xen_tmem_is_fenced(filesystem, OBJECT + 1));
	host_fail(host, TMEM_NEW_POOL, -ENOMEM, 0, 1);
	xen_tmem_retry();
	KUNIT_EXPECT_TRUE(test, xen_tmem_is_fenced(filesystem, OBJECT + 1));
	xen_tmem_retry();
	KUNIT_EXPECT_EQ(test, host->nr_pages, 0);
	KUNIT_EXPECT_FALSE(test, xen_tmem_is_fenced(filesystem, OBJECT));
	KUNIT_EXPECT_EQ(test, put(folio, OBJECT, 0), 1);
}

static void shared_not_while_leaving(struct kunit *test)
{
	xen_tmem_file_leave();
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP,
			xen_tmem_file_ops.init_shared_fs(&shared_uuid,
							 PAGE_SIZE));
	xen_tmem_file_rejoin();
	share(test, true);
}

static struct kunit_case tmem_xen_file_cases[] = {
	KUNIT_CASE_PARAM(file_put_and_get, host_gen_params),
	KUNIT_CASE_PARAM(file_replaced, host_gen_params),
	KUNIT_CASE_PARAM(file_partial_get_is_a_miss, host_gen_params),
	KUNIT_CASE_PARAM(file_answers_to_get, host_gen_params),
	KUNIT_CASE_PARAM(file_answers_to_put, host_gen_params),
	KUNIT_CASE_PARAM(file_batch_fails_as_a_whole, host_gen_params),
	KUNIT_CASE_PARAM(file_put_batch, host_gen_params),
	KUNIT_CASE_PARAM(file_get_batch, host_gen_params),
	KUNIT_CASE_PARAM(file_hypercalls, host_gen_params),
	KUNIT_CASE_PARAM(file_large_index, host_gen_params),
	KUNIT_CASE_PARAM(file_frozen, host_gen_params),
	KUNIT_CASE(file_pools),
	KUNIT_CASE(fence_until_forgotten),
	KUNIT_CASE(fence_of_whole_file),
	KUNIT_CASE(fence_after_refused_put),
	KUNIT_CASE(fence_during_retry),
	KUNIT_CASE(fence_of_filesystem),
	KUNIT_CASE(fence_pool_cannot_be_replaced),
	KUNIT_CASE(refused_put_forgets),
	KUNIT_CASE(shared_uuid_is_told),
	KUNIT_CASE_PARAM(shared_needs_extensions, host_gen_params),
	KUNIT_CASE(shared_get_leaves_the_page),
	KUNIT_CASE(shared_is_emptied),
	KUNIT_CASE(shared_is_emptied_for_want_of_a_flush),
	KUNIT_CASE(shared_not_while_leaving),
	{}
};

static struct kunit_suite tmem_xen_file_suite = {
	.name = "tmem_xen_file",
	.init = file_init,
	.exit = file_exit,
	.test_cases = tmem_xen_file_cases,
};

kunit_test_suites(&tmem_xen_file_suite);

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tests of cleancache and the page cache, with a file of no filesystem and
 * a backend of no store.
 */
#include <kunit/test.h>

#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/pagemap.h>

#include "cleancache_kunit.h"

/* Backends */

static int test_init_fs(size_t page_size)
{
	return -ENOSPC;
}

static void test_put(int pool, u64 object, pgoff_t index, struct folio *folio,
		     unsigned int nr, unsigned long *held)
{
}

#define TEST_CONTENT	0x5a

/* A file that is changed while the backend is asked for a page of it */
static struct address_space *test_changed;
/* One that grows meanwhile */
static struct inode *test_grown;

static int test_get(int pool, u64 object, pgoff_t index, struct folio *folio,
		    unsigned int nr)
{
	if (test_changed)
		cleancache_invalidate(test_changed, index, index + nr - 1);
	if (test_grown)
		i_size_write(test_grown, i_size_read(test_grown) + SZ_1M);
	memset(folio_address(folio), TEST_CONTENT, nr * PAGE_SIZE);
	return 0;
}

static void test_invalidate(int pool, u64 object, pgoff_t index,
			    unsigned int nr)
{
}

static void test_invalidate_inode(int pool, u64 object)
{
}

static void test_invalidate_fs(int pool)
{
}

static const struct cleancache_ops test_ops = {
	.name = "kunit",
	.max_index = ULONG_MAX,
	.init_fs = test_init_fs,
	.put = test_put,
	.get = test_get,
	.invalidate = test_invalidate,
	.invalidate_inode = test_invalidate_inode,
	.invalidate_fs = test_invalidate_fs,
};

static void backend_is_alone(struct kunit *test)
{
	struct cleancache_ops other = test_ops;

	KUNIT_ASSERT_EQ(test, cleancache_register_ops(&test_ops), 0);
	KUNIT_EXPECT_TRUE(test, cleancache_active());
	KUNIT_EXPECT_EQ(test, cleancache_register_ops(&other), -EBUSY);
	KUNIT_EXPECT_EQ(test, cleancache_register_ops(&test_ops), -EBUSY);
	cleancache_unregister_ops(&test_ops);
	KUNIT_EXPECT_FALSE(test, cleancache_active());
	KUNIT_ASSERT_EQ(test, cleancache_register_ops(&other), 0);
	cleancache_unregister_ops(&other);
}

static void backend_is_complete(struct kunit *test)
{
	struct cleancache_ops ops = test_ops;

	ops.get = NULL;
	KUNIT_EXPECT_EQ(test, cleancache_register_ops(&ops), -EINVAL);
	ops = test_ops;
	ops.name = NULL;
	KUNIT_EXPECT_EQ(test, cleancache_register_ops(&ops), -EINVAL);
	ops = test_ops;
	ops.flags = CLEANCACHE_FLAGS + 1;
	KUNIT_EXPECT_EQ(test, cleancache_register_ops(&ops), -EINVAL);
	KUNIT_EXPECT_FALSE(test, cleancache_active());
}

/*
 * Ways to forget, for a file of which the page cache has nothing: the store may
 * have it all.
 */

struct way_test {
	struct file *file;
	struct inode *inode;
	struct cleancache_mount *mount;
};

/* With CONFIG_CLEANCACHE_DEBUG what is got is compared with what was put. */
static void put_contents(struct kunit *test, struct cleancache_object *object,
			 unsigned int nr)
{
	struct folio *folio = folio_alloc(GFP_KERNEL, 0);

	KUNIT_ASSERT_NOT_NULL(test, folio);
	memset(folio_address(folio), TEST_CONTENT, PAGE_SIZE);
	for (folio->index = 0; folio->index < nr; folio->index++)
		KUNIT_EXPECT_TRUE(test, cleancache_sum_put(object, folio, 1));
	folio_put(folio);
}

static const struct file_operations no_fops;

static int way_test_init(struct kunit *test)
{
	struct way_test *ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);
	struct cleancache_object *object;

	KUNIT_ASSERT_NOT_NULL(test, ctx);
	ctx->mount = cleancache_test_mount(test);
	ctx->file = anon_inode_create_getfile("[cleancache]", &no_fops, NULL,
					      O_RDWR, NULL);
	KUNIT_ASSERT_FALSE(test, IS_ERR(ctx->file));
	ctx->inode = file_inode(ctx->file);
	ctx->inode->i_size = 64 * PAGE_SIZE;
	test->priv = ctx;

	KUNIT_ASSERT_EQ(test, cleancache_register_ops(&test_ops), 0);
	object = cleancache_object_make(&ctx->inode->i_data, ctx->mount);
	KUNIT_ASSERT_NOT_NULL(test, object);
	cleancache_test_hold(test, object, 0, 64);
	put_contents(test, object, 64);
	cleancache_object_put(object);
	KUNIT_ASSERT_TRUE(test, mapping_empty(&ctx->inode->i_data));
	return 0;
}

static void way_test_exit(struct kunit *test)
{
	struct way_test *ctx = test->priv;

	if (!ctx)
		return;
	if (ctx->file)
		__fput_sync(ctx->file);
	cleancache_unregister_ops(&test_ops);
	kobject_put(&ctx->mount->kobj);
}

static long pages_left(struct kunit *test)
{
	struct way_test *ctx = test->priv;

	return atomic_long_read(&ctx->mount->nr_pages);
}

/* Byte ranges: pages at the edges go, since a part of them changed. */
static void way_truncate(struct kunit *test)
{
	struct way_test *ctx = test->priv;
	struct address_space *mapping = &ctx->inode->i_data;

	truncate_inode_pages_range(mapping, 60 * PAGE_SIZE + 1, -1);
	KUNIT_EXPECT_EQ(test, pages_left(test), 60);
	truncate_inode_pages_range(mapping, 10 * PAGE_SIZE + 1,
				   12 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, pages_left(test), 57);
	truncate_inode_pages_range(mapping, 20 * PAGE_SIZE,
				   21 * PAGE_SIZE - 1);
	KUNIT_EXPECT_EQ(test, pages_left(test), 56);
	truncate_inode_pages(mapping, 0);
	KUNIT_EXPECT_EQ(test, pages_left(test), 0);
}

static void way_invalidate(struct kunit *test)
{
	struct way_test *ctx = test->priv;
	struct address_space *mapping = &ctx->inode->i_data;

	invalidate_inode_pages2_range(mapping, 10, 19);
	KUNIT_EXPECT_EQ(test, pages_left(test), 54);
	invalidate_inode_pages2(mapping);
	KUNIT_EXPECT_EQ(test, pages_left(test), 0);
}

static void way_direct_write(struct kunit *test)
{
	struct way_test *ctx = test->priv;
	struct file *file = kunit_kzalloc(test, sizeof(*file), GFP_KERNEL);
	struct kiocb iocb = { .ki_filp = file, .ki_pos = 10 * PAGE_SIZE };

	KUNIT_ASSERT_NOT_NULL(test, file);
	file->f_mapping = &ctx->inode->i_data;
	kiocb_invalidate_post_direct_write(&iocb, PAGE_SIZE + 1);
	KUNIT_EXPECT_EQ(test, pages_left(test), 62);
}

static void way_invalidate_inode(struct kunit *test)
{
	struct way_test *ctx = test->priv;

	filemap_invalidate_inode(ctx->inode, false, 0, 10 * PAGE_SIZE - 1);
	KUNIT_EXPECT_EQ(test, pages_left(test), 54);
	filemap_invalidate_inode(ctx->inode, true, 0, LLONG_MAX);
	KUNIT_EXPECT_EQ(test, pages_left(test), 0);
}

static void way_evict(struct kunit *test)
{
	struct way_test *ctx = test->priv;

	__fput_sync(ctx->file);
	ctx->file = NULL;
	KUNIT_EXPECT_EQ(test, pages_left(test), 0);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&ctx->mount->nr_objects), 0);
}

/* Return: A folio of the file that has yet to be read, locked, full of ones. */
static struct folio *add_folio(struct kunit *test, pgoff_t index,
			       unsigned int order)
{
	struct way_test *ctx = test->priv;
	struct address_space *mapping = &ctx->inode->i_data;
	struct folio *folio;

	if (order && !IS_ENABLED(CONFIG_TRANSPARENT_HUGEPAGE))
		kunit_skip(test, "no large folios");
	mapping_set_large_folios(mapping);
	folio = filemap_alloc_folio(GFP_KERNEL & ~__GFP_HIGHMEM, order);
	KUNIT_ASSERT_NOT_NULL(test, folio);
	KUNIT_ASSERT_EQ(test, filemap_add_folio(mapping, folio, index,
						GFP_KERNEL), 0);
	memset(folio_address(folio), 0xff, folio_size(folio));
	return folio;
}

/* Return: Whether the folio was got; it is unlocked. */
static bool get_folio(struct kunit *test, struct folio *folio)
{
	struct way_test *ctx = test->priv;
	bool hit;

	ctx->inode->i_mode |= S_IFREG;
	filemap_invalidate_lock_shared(&ctx->inode->i_data);
	hit = cleancache_get(folio);
	filemap_invalidate_unlock_shared(&ctx->inode->i_data);
	KUNIT_EXPECT_EQ(test, hit, folio_test_uptodate(folio));
	if (!hit)
		folio_unlock(folio);
	return hit;
}

static bool get_page_of(struct kunit *test, pgoff_t index)
{
	struct folio *folio = add_folio(test, index, 0);
	bool hit = get_folio(test, folio);

	folio_put(folio);
	return hit;
}

/* What lies behind the end of a file is zero, and none of it is asked for. */
static void way_end_of_file(struct kunit *test)
{
	struct way_test *ctx = test->priv;
	struct folio *folio = add_folio(test, 32, 2);
	size_t in_file = PAGE_SIZE + 100;
	char *data = folio_address(folio);

	i_size_write(ctx->inode, folio_pos(folio) + in_file);
	KUNIT_EXPECT_TRUE(test, get_folio(test, folio));
	KUNIT_EXPECT_NULL(test, memchr_inv(data, TEST_CONTENT, in_file));
	KUNIT_EXPECT_NULL(test, memchr_inv(data + in_file, 0,
					   folio_size(folio) - in_file));
	folio_put(folio);
}

/* Only what was asked for was filled. */
static void way_growing_file(struct kunit *test)
{
	struct way_test *ctx = test->priv;
	struct folio *folio = add_folio(test, 32, 2);
	char *data = folio_address(folio);

	memset(data, 0xa5, folio_size(folio));
	i_size_write(ctx->inode, folio_pos(folio) + PAGE_SIZE);
	test_grown = ctx->inode;
	KUNIT_EXPECT_TRUE(test, get_folio(test, folio));
	test_grown = NULL;
	KUNIT_EXPECT_NULL(test, memchr_inv(data, TEST_CONTENT, PAGE_SIZE));
	KUNIT_EXPECT_NULL(test, memchr_inv(data + PAGE_SIZE, 0,
					   folio_size(folio) - PAGE_SIZE));
	folio_put(folio);
}

static void way_during_a_get(struct kunit *test)
{
	struct way_test *ctx = test->priv;
	struct cleancache_ops exclusive = test_ops;

	KUNIT_EXPECT_TRUE(test, get_page_of(test, 0));
	KUNIT_EXPECT_EQ(test, pages_left(test), 64);
	test_changed = &ctx->inode->i_data;
	KUNIT_EXPECT_FALSE(test, get_page_of(test, 1));
	test_changed = NULL;
	KUNIT_EXPECT_EQ(test, pages_left(test), 63);

	cleancache_unregister_ops(&test_ops);
	exclusive.flags |= CLEANCACHE_EXCLUSIVE;
	KUNIT_ASSERT_EQ(test, cleancache_register_ops(&exclusive), 0);
	KUNIT_EXPECT_TRUE(test, get_page_of(test, 2));
	KUNIT_EXPECT_EQ(test, pages_left(test), 62);
	test_changed = &ctx->inode->i_data;
	KUNIT_EXPECT_FALSE(test, get_page_of(test, 3));
	test_changed = NULL;
	KUNIT_EXPECT_EQ(test, pages_left(test), 61);
	cleancache_unregister_ops(&exclusive);
	KUNIT_ASSERT_EQ(test, cleancache_register_ops(&test_ops), 0);
}

/*
 * A large folio of which a part goes, and that cannot be split because somebody
 * else uses it, goes as a whole. Its other pages may be younger than the store's.
 */
static void way_unsplit(struct kunit *test)
{
	struct way_test *ctx = test->priv;
	struct address_space *mapping = &ctx->inode->i_data;
	struct folio *folio = add_folio(test, 8, 2);

	folio_mark_uptodate(folio);
	folio_unlock(folio);
	truncate_inode_pages_range(mapping, 9 * PAGE_SIZE, 10 * PAGE_SIZE - 1);
	KUNIT_EXPECT_TRUE(test, mapping_empty(mapping));
	KUNIT_EXPECT_EQ(test, pages_left(test), 60);
	folio_put(folio);
}

static bool test_release_folio(struct folio *folio, gfp_t gfp)
{
	return true;
}

static const struct address_space_operations test_release_aops = {
	.release_folio = test_release_folio,
};

/*
 * Only a folio's private data says which part of it was written. Without that a
 * get would fill it with what was there before.
 */
static void way_release(struct kunit *test)
{
	struct way_test *ctx = test->priv;
	struct address_space *mapping = &ctx->inode->i_data;
	const struct address_space_operations *a_ops = mapping->a_ops;
	struct folio *partial = add_folio(test, 5, 0);
	struct folio *whole = add_folio(test, 6, 0);

	mapping->a_ops = &test_release_aops;
	mapping_set_release_always(mapping);
	KUNIT_EXPECT_TRUE(test, filemap_release_folio(partial, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, pages_left(test), 63);
	folio_mark_uptodate(whole);
	KUNIT_EXPECT_TRUE(test, filemap_release_folio(whole, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, pages_left(test), 63);
	mapping->a_ops = a_ops;
	mapping_clear_release_always(mapping);
	folio_unlock(partial);
	folio_unlock(whole);
	folio_put(partial);
	folio_put(whole);
}

static struct kunit_case way_cases[] = {
	KUNIT_CASE(way_release),
	KUNIT_CASE(way_end_of_file),
	KUNIT_CASE(way_growing_file),
	KUNIT_CASE(way_unsplit),
	KUNIT_CASE(way_during_a_get),
	KUNIT_CASE(way_truncate),
	KUNIT_CASE(way_invalidate),
	KUNIT_CASE(way_direct_write),
	KUNIT_CASE(way_invalidate_inode),
	KUNIT_CASE(way_evict),
	{}
};

static struct kunit_suite way_suite = {
	.name = "cleancache_pagecache",
	.init = way_test_init,
	.exit = way_test_exit,
	.test_cases = way_cases,
};

static struct kunit_case backend_cases[] = {
	KUNIT_CASE(backend_is_alone),
	KUNIT_CASE(backend_is_complete),
	{}
};

static struct kunit_suite backend_suite = {
	.name = "cleancache_backend",
	.test_cases = backend_cases,
};

kunit_test_suites(&way_suite, &backend_suite);

MODULE_DESCRIPTION("KUnit tests of cleancache and the page cache");
MODULE_LICENSE("GPL");

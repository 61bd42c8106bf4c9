// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tests of cleancache and cluster filesystems: two nodes in one kernel, which
 * share a pool, in the order that is wanted.
 */
#include <kunit/test.h>

#include <linux/completion.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/pagemap.h>
#include <linux/pagevec.h>
#include <linux/swap.h>
#include <linux/workqueue.h>

#include "cleancache_kunit.h"
#include "internal.h"

#define FILE_PAGES	64
#define SHARED_POOL	1
#define STORE_PAGES	128

/* The backend: a store for all */

static struct stored_page {
	int pool;		/* 0 for none */
	u64 object;
	pgoff_t index;
	char content;
} store[STORE_PAGES];
static DEFINE_SPINLOCK(store_lock);
static unsigned int store_users;
static int store_pools;
static bool store_is_private;
/* Called in the middle of a put or get */
static void (*store_hook)(void);

static void store_forget(int pool, u64 object, pgoff_t index, pgoff_t nr)
{
	struct stored_page *page;

	spin_lock(&store_lock);
	for (page = store; page < store + STORE_PAGES; page++)
		if (page->pool == pool && page->object == object &&
		    page->index - index < nr)
			page->pool = 0;
	spin_unlock(&store_lock);
}

static int store_init_fs(size_t page_size)
{
	return SHARED_POOL + ++store_pools;
}

static int store_init_shared_fs(const uuid_t *uuid, size_t page_size)
{
	if (store_is_private)
		return -EPERM;
	store_users++;
	return SHARED_POOL;
}

static void store_put(int pool, u64 object, pgoff_t index, struct folio *folio,
		      unsigned int nr, unsigned long *held)
{
	struct stored_page *page;

	store_forget(pool, object, index, 1);
	if (store_hook)
		store_hook();
	spin_lock(&store_lock);
	for (page = store; page < store + STORE_PAGES && page->pool; page++)
		;
	if (page < store + STORE_PAGES) {
		*page = (struct stored_page) {
			.pool = pool, .object = object, .index = index,
			.content = *(char *)folio_address(folio),
		};
		__set_bit(0, held);
	}
	spin_unlock(&store_lock);
}

static int store_get(int pool, u64 object, pgoff_t index, struct folio *folio,
		     unsigned int nr)
{
	struct stored_page *page;
	int ret = -ENOENT;

	spin_lock(&store_lock);
	for (page = store; page < store + STORE_PAGES; page++)
		if (page->pool == pool && page->object == object &&
		    page->index == index) {
			memset(folio_address(folio), page->content, PAGE_SIZE);
			ret = 0;
			if (pool != SHARED_POOL)
				page->pool = 0;
		}
	spin_unlock(&store_lock);
	if (store_hook)
		store_hook();
	return ret;
}

static void store_invalidate(int pool, u64 object, pgoff_t index,
			     unsigned int nr)
{
	store_forget(pool, object, index, nr);
}

static void store_invalidate_inode(int pool, u64 object)
{
	store_forget(pool, object, 0, ULONG_MAX);
}

static void store_empty_fs(int pool)
{
	struct stored_page *page;

	spin_lock(&store_lock);
	for (page = store; page < store + STORE_PAGES; page++)
		if (page->pool == pool)
			page->pool = 0;
	spin_unlock(&store_lock);
}

static void store_invalidate_fs(int pool)
{
	if (pool != SHARED_POOL || !--store_users)
		store_empty_fs(pool);
}

static unsigned int store_count(void)
{
	struct stored_page *page;
	unsigned int nr = 0;

	spin_lock(&store_lock);
	for (page = store; page < store + STORE_PAGES; page++)
		nr += page->pool != 0;
	spin_unlock(&store_lock);
	return nr;
}

static const struct cleancache_ops store_ops = {
	.name = "kunit",
	.flags = CLEANCACHE_EXCLUSIVE,
	.max_index = ULONG_MAX,
	.init_fs = store_init_fs,
	.init_shared_fs = store_init_shared_fs,
	.empty_fs = store_empty_fs,
	.put = store_put,
	.get = store_get,
	.invalidate = store_invalidate,
	.invalidate_inode = store_invalidate_inode,
	.invalidate_fs = store_invalidate_fs,
};

/* Nodes: a filesystem each, the same, and in it a file, the same */

struct cluster_node {
	struct super_block *sb;
	struct inode *inode;
	struct address_space *mapping;
};

static struct cluster_node nodes[2];
static struct cluster_node *const a = &nodes[0], *const b = &nodes[1];

static struct inode *make_inode(struct kunit *test, struct super_block *sb,
				unsigned long ino, u32 generation)
{
	struct inode *inode = kunit_kzalloc(test, sizeof(*inode), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, inode);
	inode_init_once(inode);
	spin_lock_init(&inode->i_lock);
	inode->i_sb = sb;
	inode->i_mode = S_IFREG;
	inode->i_ino = ino;
	inode->i_generation = generation;
	inode->i_size = FILE_PAGES * PAGE_SIZE;
	atomic_set(&inode->i_count, 1);
	inode->i_mapping = &inode->i_data;
	inode->i_data.host = inode;
	inode->i_data.a_ops = &empty_aops;
	mapping_set_gfp_mask(&inode->i_data, GFP_KERNEL);
	init_rwsem(&inode->i_data.invalidate_lock);
	return inode;
}

static void make_node(struct kunit *test, struct cluster_node *node)
{
	struct super_block *sb = kunit_kzalloc(test, sizeof(*sb), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, sb);
	strscpy(sb->s_id, "kunit");
	sb->s_iflags = SB_I_CLEANCACHE | SB_I_CLEANCACHE_CLUSTER;
	sb->s_uuid = UUID_INIT(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
	KUNIT_ASSERT_EQ(test, get_anon_bdev(&sb->s_dev), 0);
	node->sb = sb;
	node->inode = make_inode(test, sb, 1234, 5678);
	node->mapping = &node->inode->i_data;
	cleancache_mount(sb);
	KUNIT_ASSERT_NOT_NULL(test, sb->s_cleancache);
}

static void drop_node(struct cluster_node *node)
{
	if (!node->sb)
		return;
	if (node->inode) {
		truncate_inode_pages_final(node->mapping);
		cleancache_evict_inode(node->inode);
	}
	cleancache_umount(node->sb);
	free_anon_bdev(node->sb->s_dev);
}

static int shared_test_init(struct kunit *test)
{
	memset(nodes, 0, sizeof(nodes));
	memset(store, 0, sizeof(store));
	store_users = 0;
	store_hook = NULL;
	store_is_private = false;
	KUNIT_ASSERT_EQ(test, cleancache_register_ops(&store_ops), 0);
	make_node(test, a);
	make_node(test, b);
	KUNIT_ASSERT_EQ(test, store_users, 2);
	return 0;
}

static void shared_test_exit(struct kunit *test)
{
	store_hook = NULL;
	drop_node(a);
	drop_node(b);
	if (cleancache_active())
		cleancache_unregister_ops(&store_ops);
	KUNIT_EXPECT_EQ(test, store_users, 0);
	KUNIT_EXPECT_EQ(test, store_count(), 0);
}

/* Return: A folio that has yet to be read, locked. */
static struct folio *add(struct kunit *test, struct address_space *mapping,
			 pgoff_t index)
{
	struct folio *folio = filemap_alloc_folio(GFP_KERNEL, 0);

	KUNIT_ASSERT_NOT_NULL(test, folio);
	KUNIT_ASSERT_EQ(test, filemap_add_folio(mapping, folio, index,
						GFP_KERNEL), 0);
	memset(folio_address(folio), '?', PAGE_SIZE);
	return folio;
}

/* A node has read a page. */
static void cache(struct kunit *test, struct address_space *mapping,
		  pgoff_t index, char content)
{
	struct folio *folio = add(test, mapping, index);

	memset(folio_address(folio), content, PAGE_SIZE);
	folio_mark_uptodate(folio);
	folio_unlock(folio);
	folio_put(folio);
}

/*
 * A node needs the memory of a page that it has read.
 * Return: 1 if it gets it.
 */
static unsigned long try_reclaim(struct kunit *test,
				 struct address_space *mapping, pgoff_t index)
{
	struct folio *folio = filemap_get_folio(mapping, index);
	LIST_HEAD(list);

	KUNIT_ASSERT_FALSE(test, IS_ERR(folio));
	lru_add_drain_all();
	KUNIT_ASSERT_TRUE(test, folio_isolate_lru(folio));
	folio_put(folio);
	list_add(&folio->lru, &list);
	return reclaim_pages(&list);
}

static void reclaim(struct kunit *test, struct address_space *mapping,
		    pgoff_t index)
{
	KUNIT_EXPECT_EQ(test, try_reclaim(test, mapping, index), 1);
}

static void evict_page(struct kunit *test, struct cluster_node *node, pgoff_t index,
		       char content)
{
	cache(test, node->mapping, index, content);
	reclaim(test, node->mapping, index);
}

/* Return: What a node gets from the store, '-' for nothing. It is cached then. */
static char get(struct kunit *test, struct address_space *mapping, pgoff_t index)
{
	struct folio *folio = add(test, mapping, index);
	bool hit = cleancache_get_locked(folio);
	char content = hit ? *(char *)folio_address(folio) : '-';

	KUNIT_EXPECT_EQ(test, hit, folio_test_uptodate(folio));
	if (!hit) {
		KUNIT_EXPECT_FALSE(test, folio_test_uptodate(folio));
		filemap_remove_folio(folio);
		folio_unlock(folio);
	}
	folio_put(folio);
	return content;
}

/* The cluster's lock, as a filesystem lets go of it: all of it, or of writing. */

static void give_up(struct cluster_node *node)
{
	truncate_inode_pages(node->mapping, 0);
}

static void give_up_writing(struct cluster_node *node)
{
	cleancache_invalidate(node->mapping, 0, -1);
}

static void shared_page_is_a_hit(struct kunit *test)
{
	evict_page(test, a, 3, 'a');
	KUNIT_EXPECT_EQ(test, get(test, b->mapping, 3), 'a');
	KUNIT_EXPECT_EQ(test, get(test, b->mapping, 4), '-');
	/* It is there for whoever comes next, although the backend is exclusive. */
	KUNIT_EXPECT_EQ(test, get(test, a->mapping, 3), 'a');
	KUNIT_EXPECT_EQ(test, store_count(), 1);
}

static void shared_file_has_a_name(struct kunit *test)
{
	struct inode *same = make_inode(test, b->sb, 1234, 5678);
	struct inode *younger = make_inode(test, b->sb, 1234, 5679);
	struct inode *other = make_inode(test, b->sb, 1235, 5678);

	evict_page(test, a, 0, 'a');
	KUNIT_EXPECT_EQ(test, get(test, &younger->i_data, 0), '-');
	KUNIT_EXPECT_EQ(test, get(test, &other->i_data, 0), '-');
	KUNIT_EXPECT_EQ(test, get(test, &same->i_data, 0), 'a');
	truncate_inode_pages_final(&same->i_data);
	truncate_inode_pages_final(&younger->i_data);
	truncate_inode_pages_final(&other->i_data);
}

/* A number that is cut short would name two files. */
static void shared_file_without_a_name(struct kunit *test)
{
	unsigned long ino = (1ULL << 32) + 1234;
	struct inode *far;

	if (BITS_PER_LONG == 32)
		kunit_skip(test, "no such number");
	far = make_inode(test, b->sb, ino, 5678);
	evict_page(test, a, 0, 'a');
	KUNIT_EXPECT_EQ(test, get(test, &far->i_data, 0), '-');
	cache(test, &far->i_data, 1, 'f');
	reclaim(test, &far->i_data, 1);
	KUNIT_EXPECT_EQ(test, store_count(), 1);
	truncate_inode_pages_final(&far->i_data);
	KUNIT_EXPECT_EQ(test, store_count(), 1);
}

/* The page cache itself gets nothing: it does not hold the lock. */
static void shared_get_needs_the_lock(struct kunit *test)
{
	struct folio *folio;
	DEFINE_READAHEAD(rac, NULL, NULL, b->mapping, 5);

	evict_page(test, a, 5, 'a');
	folio = add(test, b->mapping, 5);
	rac._nr_pages = 1;
	KUNIT_EXPECT_FALSE(test, cleancache_get(folio));
	cleancache_get_readahead(&rac);
	KUNIT_EXPECT_FALSE(test, folio_test_uptodate(folio));
	cleancache_get_readahead_locked(&rac);
	KUNIT_EXPECT_TRUE(test, folio_test_uptodate(folio));
	KUNIT_EXPECT_TRUE(test, cleancache_skip_filled(folio));
	KUNIT_EXPECT_FALSE(test, folio_test_locked(folio));
	folio_put(folio);
}

/* S1: a lock is not given away before the file is forgotten. */

static void lock_given_up(struct kunit *test)
{
	evict_page(test, a, 1, 'a');
	cache(test, a->mapping, 2, 'a');
	give_up(a);
	KUNIT_EXPECT_EQ(test, store_count(), 0);
	KUNIT_EXPECT_EQ(test, get(test, b->mapping, 1), '-');
	/* The other writes, and lets us read again. */
	evict_page(test, b, 1, 'b');
	KUNIT_EXPECT_EQ(test, get(test, a->mapping, 1), 'b');
}

/* A page stays in the store while the folio that came from it is written. */
static void lock_for_writing_given_up(struct kunit *test)
{
	struct folio *folio;

	evict_page(test, a, 1, 'a');
	KUNIT_EXPECT_EQ(test, get(test, a->mapping, 1), 'a');
	folio = filemap_get_folio(a->mapping, 1);
	KUNIT_ASSERT_FALSE(test, IS_ERR(folio));
	memset(folio_address(folio), 'A', PAGE_SIZE);
	folio_put(folio);
	KUNIT_EXPECT_EQ(test, store_count(), 1);
	give_up_writing(a);
	KUNIT_EXPECT_EQ(test, get(test, b->mapping, 1), '-');
	/* What was written is there from now on. */
	reclaim(test, a->mapping, 1);
	KUNIT_EXPECT_EQ(test, get(test, a->mapping, 1), 'A');
}

/* An inode that leaves memory leaves its lock. */
static void lock_of_evicted_inode(struct kunit *test)
{
	evict_page(test, a, 1, 'a');
	truncate_inode_pages_final(a->mapping);
	KUNIT_EXPECT_EQ(test, store_count(), 0);
}

/* A part of a file changes, of which pages are there that were not put here. */
static void range_of_others_pages(struct kunit *test)
{
	pgoff_t i;

	for (i = 0; i < 10; i++)
		evict_page(test, a, i, 'a');
	KUNIT_EXPECT_EQ(test, get(test, b->mapping, 0), 'a');
	truncate_inode_pages_range(b->mapping, 4 * PAGE_SIZE, 6 * PAGE_SIZE - 1);
	KUNIT_EXPECT_EQ(test, store_count(), 8);
	KUNIT_EXPECT_EQ(test, get(test, a->mapping, 4), '-');
	KUNIT_EXPECT_EQ(test, get(test, a->mapping, 6), 'a');
	truncate_inode_pages(b->mapping, 8 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, get(test, a->mapping, 8), '-');
}

static void hook_gives_up_writing(void)
{
	store_hook = NULL;
	give_up_writing(b);
}

static void hook_gives_up_writing_a(void)
{
	store_hook = NULL;
	give_up_writing(a);
}

static void lock_given_up_during_a_get(struct kunit *test)
{
	evict_page(test, a, 1, 'a');
	store_hook = hook_gives_up_writing;
	KUNIT_EXPECT_EQ(test, get(test, b->mapping, 1), '-');
	KUNIT_EXPECT_NULL(test, store_hook);
}

static void lock_given_up_during_a_put(struct kunit *test)
{
	cache(test, a->mapping, 1, 'a');
	store_hook = hook_gives_up_writing_a;
	reclaim(test, a->mapping, 1);
	KUNIT_EXPECT_NULL(test, store_hook);
	KUNIT_EXPECT_EQ(test, store_count(), 0);
}

/*
 * All of a lock is given up while a page is on its way: who truncates waits for the
 * folio, and forgets what was put.
 */
static DECLARE_COMPLETION(given_up);

static void give_up_work(struct work_struct *work)
{
	give_up(a);
	complete(&given_up);
}

static DECLARE_WORK(give_up_now, give_up_work);
static bool given_up_early;

static void hook_starts_giving_up(void)
{
	store_hook = NULL;
	queue_work(system_unbound_wq, &give_up_now);
	given_up_early = wait_for_completion_timeout(&given_up, HZ / 10);
}

static void lock_given_up_waits_for_a_put(struct kunit *test)
{
	evict_page(test, a, 0, 'a');
	cache(test, a->mapping, 1, 'a');
	reinit_completion(&given_up);
	store_hook = hook_starts_giving_up;
	/* Who waits for a folio uses it, so that it may stay. */
	try_reclaim(test, a->mapping, 1);
	flush_work(&give_up_now);
	KUNIT_EXPECT_FALSE(test, given_up_early);
	KUNIT_EXPECT_EQ(test, store_count(), 0);
}

static void lock_given_up_waits_for_a_get(struct kunit *test)
{
	evict_page(test, a, 1, 'a');
	reinit_completion(&given_up);
	store_hook = hook_starts_giving_up;
	get(test, a->mapping, 1);
	flush_work(&give_up_now);
	KUNIT_EXPECT_FALSE(test, given_up_early);
	KUNIT_EXPECT_TRUE(test, mapping_empty(a->mapping));
	KUNIT_EXPECT_EQ(test, store_count(), 0);
}

/* Who may share */

/* Without the administrator's leave the pool is private, and so is its content. */
static void pool_is_private(struct kunit *test)
{
	store_is_private = true;
	cleancache_drop();
	KUNIT_EXPECT_EQ(test, store_users, 0);
	evict_page(test, a, 1, 'a');
	KUNIT_EXPECT_EQ(test, store_count(), 1);
	KUNIT_EXPECT_EQ(test, get(test, b->mapping, 1), '-');
	KUNIT_EXPECT_EQ(test, get(test, a->mapping, 1), 'a');
	KUNIT_EXPECT_EQ(test, store_count(), 0);
	reclaim(test, a->mapping, 1);
	give_up(a);
	KUNIT_EXPECT_EQ(test, store_count(), 0);
}

/* Nobody forgets what it has put, so it does: and only that. */
static void pool_of_an_excluded_mount(struct kunit *test)
{
	evict_page(test, a, 1, 'a');
	b->inode->i_generation++;
	evict_page(test, b, 2, 'b');
	KUNIT_EXPECT_EQ(test, store_count(), 2);
	cleancache_set_excluded(b->sb->s_cleancache, true);
	KUNIT_EXPECT_EQ(test, store_count(), 1);
	b->inode->i_generation--;
	KUNIT_EXPECT_EQ(test, get(test, b->mapping, 1), '-');
	cleancache_set_excluded(b->sb->s_cleancache, false);
	KUNIT_EXPECT_EQ(test, get(test, b->mapping, 1), 'a');
}

static void pool_is_left(struct kunit *test)
{
	evict_page(test, a, 1, 'a');
	cleancache_leave_shared();
	KUNIT_EXPECT_EQ(test, store_users, 0);
	KUNIT_EXPECT_EQ(test, store_count(), 0);
	evict_page(test, a, 1, 'a');
	KUNIT_EXPECT_EQ(test, store_count(), 0);
	KUNIT_EXPECT_EQ(test, get(test, b->mapping, 1), '-');
	cleancache_rejoin();
	KUNIT_EXPECT_EQ(test, store_users, 2);
	evict_page(test, a, 1, 'a');
	KUNIT_EXPECT_EQ(test, get(test, b->mapping, 1), 'a');
}

/* A node has died: its pages are not forgotten by itself. */
static void pool_is_emptied(struct kunit *test)
{
	evict_page(test, a, 1, 'a');
	cleancache_empty_fs(b->sb);
	KUNIT_EXPECT_EQ(test, store_count(), 0);
	KUNIT_EXPECT_EQ(test, get(test, b->mapping, 1), '-');
	evict_page(test, a, 2, 'a');
	KUNIT_EXPECT_EQ(test, get(test, b->mapping, 2), 'a');
}

/* Direct writes go elsewhere while there is a store, and it waits for others. */
static void direct_writes(struct kunit *test)
{
	KUNIT_EXPECT_FALSE(test, cleancache_begin_direct_write(a->inode));
	KUNIT_EXPECT_EQ(test, atomic_read(&a->inode->i_dio_count), 0);
	cleancache_leave_shared();
	KUNIT_EXPECT_TRUE(test, cleancache_begin_direct_write(a->inode));
	cleancache_rejoin();
	evict_page(test, a, 1, 'a');
	KUNIT_EXPECT_EQ(test, store_count(), 0);
	evict_page(test, b, 1, 'b');
	KUNIT_EXPECT_EQ(test, get(test, a->mapping, 1), '-');
	cleancache_end_direct_write(a->inode);
	KUNIT_EXPECT_EQ(test, get(test, a->mapping, 1), 'b');
}

static struct kunit_case shared_cases[] = {
	KUNIT_CASE(shared_page_is_a_hit),
	KUNIT_CASE(shared_file_has_a_name),
	KUNIT_CASE(shared_file_without_a_name),
	KUNIT_CASE(shared_get_needs_the_lock),
	KUNIT_CASE(lock_given_up),
	KUNIT_CASE(lock_for_writing_given_up),
	KUNIT_CASE(lock_of_evicted_inode),
	KUNIT_CASE(range_of_others_pages),
	KUNIT_CASE(lock_given_up_during_a_get),
	KUNIT_CASE(lock_given_up_during_a_put),
	KUNIT_CASE(lock_given_up_waits_for_a_put),
	KUNIT_CASE(lock_given_up_waits_for_a_get),
	KUNIT_CASE(pool_is_private),
	KUNIT_CASE(pool_of_an_excluded_mount),
	KUNIT_CASE(pool_is_left),
	KUNIT_CASE(pool_is_emptied),
	KUNIT_CASE(direct_writes),
	{}
};

static struct kunit_suite shared_suite = {
	.name = "cleancache_shared",
	.init = shared_test_init,
	.exit = shared_test_exit,
	.test_cases = shared_cases,
};

kunit_test_suite(shared_suite);

MODULE_DESCRIPTION("KUnit tests of cleancache and cluster filesystems");
MODULE_LICENSE("GPL");

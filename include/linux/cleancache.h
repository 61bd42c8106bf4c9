/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cleancache - a victim cache of transcendent memory for clean file pages
 *
 * A clean page that reclaim takes out of the page cache is offered to a
 * backend, which may copy it to memory that the kernel cannot address, may
 * refuse it and may drop it at any time. A page that is read is looked for
 * there before the filesystem is asked.
 *
 * See Documentation/mm/cleancache.rst.
 */
#ifndef _LINUX_CLEANCACHE_H
#define _LINUX_CLEANCACHE_H

#include <linux/bits.h>
#include <linux/fs.h>
#include <linux/jump_label.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/pagemap.h>
#include <linux/types.h>
#include <linux/uuid.h>

/*
 * Properties of a backend, struct cleancache_ops.flags
 */

/* Pages leave the machine or guest: others than its kernel may read them. */
#define CLEANCACHE_OUTSIDE	BIT(0)
/* A get removes the pages that it returns. */
#define CLEANCACHE_EXCLUSIVE	BIT(1)

#define CLEANCACHE_FLAGS	GENMASK(1, 0)

/* Folios in one call of a batch operation, at most */
#define CLEANCACHE_BATCH	32

/**
 * struct cleancache_vec - one folio of a batch
 * @folio: The folio, locked. Its index is that of its first page in the file.
 * @object: The file.
 * @pool: The filesystem.
 * @nr: Number of pages that count, from the first; the rest is beyond the end
 *	of the file. For @put_batch always 1.
 * @status: Set by the backend: 0 or a negative error code, as returned by @get;
 *	in @put_batch 0 if the page is held.
 */
struct cleancache_vec {
	struct folio	*folio;
	u64		object;
	int		pool;
	unsigned short	nr;
	short		status;
};

/**
 * struct cleancache_ops - what a backend does for the page cache
 * @name: Name of the backend, for the administrator.
 * @flags: Properties of the backend, CLEANCACHE_*.
 * @max_index: Largest page index that the backend can address; pages behind it
 *	are not offered.
 * @init_fs: Make a pool, for one mounted filesystem, of pages of @page_size
 *	bytes. May sleep. Returns the pool's id, 0 or more, or a negative error
 *	code; the filesystem then stays without tmem.
 * @init_shared_fs: Optional. As @init_fs, for a cluster filesystem: get into the
 *	pool of all who ask for one by @uuid, or make it. They know a file by the
 *	same id, and get what another has put. After an error @init_fs is called.
 * @empty_fs: Forget all pages of a shared pool, whoever has put them. Other
 *	operations may be running. May sleep. Goes with @init_shared_fs.
 * @put: Copy the first @nr pages of @folio into the store as pages @index,
 *	@index + 1, ... of file @object. Each may be refused; a page that was
 *	there before is replaced, or removed if its successor is refused. The
 *	folio is locked, clean and up to date, and nothing else is done to its
 *	pages meanwhile. Called in reclaim: may sleep as far as that may (no
 *	recursion into I/O or a filesystem). Sets bit i of @held, which is
 *	cleared before, if page i is held.
 * @get: Fill the first @nr pages of @folio from the store. The folio is locked,
 *	and nothing else is done to its pages meanwhile but an @invalidate. May
 *	sleep, not in filesystem code. Returns 0 when all pages were copied, and
 *	a CLEANCACHE_EXCLUSIVE backend has then removed them; otherwise a
 *	negative error code, and the content of the folio is undefined. Nothing is
 *	removed from a shared pool.
 * @invalidate: Forget pages @index ... @index + @nr - 1 of file @object. They
 *	were offered once, but may never have been held or may have been dropped
 *	since. Must not sleep and cannot fail: a backend that cannot reach its
 *	store answers no @get of this object until it has. Ordered before a later
 *	@put.
 * @invalidate_inode: Forget all pages of file @object. As @invalidate. A @get or
 *	@invalidate that was on its way may still come, and must find nothing; a
 *	@put that was on its way is followed by an @invalidate. Ids of objects are
 *	never used again, but in shared pools.
 * @invalidate_fs: Forget the pool; no other operation runs on it or follows. May
 *	sleep. If it is shared, leave it: what others have put may stay for them.
 * @put_batch: As @put for @n folios of one page each, of any files. Optional.
 * @get_batch: As @get for @n folios. Optional.
 */
struct cleancache_ops {
	const char *name;
	unsigned int flags;
	pgoff_t max_index;
	int (*init_fs)(size_t page_size);
	int (*init_shared_fs)(const uuid_t *uuid, size_t page_size);
	void (*empty_fs)(int pool);
	void (*put)(int pool, u64 object, pgoff_t index, struct folio *folio,
		    unsigned int nr, unsigned long *held);
	int (*get)(int pool, u64 object, pgoff_t index, struct folio *folio,
		   unsigned int nr);
	void (*invalidate)(int pool, u64 object, pgoff_t index,
			   unsigned int nr);
	void (*invalidate_inode)(int pool, u64 object);
	void (*invalidate_fs)(int pool);
	void (*put_batch)(struct cleancache_vec *vec, unsigned int n);
	void (*get_batch)(struct cleancache_vec *vec, unsigned int n);
};

#ifdef CONFIG_CLEANCACHE

int cleancache_register_ops(const struct cleancache_ops *ops);
void cleancache_unregister_ops(const struct cleancache_ops *ops);
void cleancache_drop(void);
void cleancache_leave_shared(void);
void cleancache_rejoin(void);

/* For the page cache, reclaim and the VFS only. */

DECLARE_STATIC_KEY_FALSE(cleancache_key);
DECLARE_STATIC_KEY_FALSE(cleancache_verify_key);

void cleancache_mount(struct super_block *sb);
void cleancache_umount(struct super_block *sb);
void cleancache_empty_fs(struct super_block *sb);
bool __cleancache_serves(struct super_block *sb);
void __cleancache_put_folios(struct list_head *folios);
bool __cleancache_get(struct folio *folio);
void __cleancache_get_readahead(struct readahead_control *rac);
void __cleancache_invalidate(struct address_space *mapping, pgoff_t first,
			     pgoff_t last);
void __cleancache_evict_inode(struct inode *inode);
void __cleancache_end_read(struct folio *folio, bool success);

static inline bool cleancache_active(void)
{
	return static_branch_unlikely(&cleancache_key);
}

/**
 * cleancache_may_hold - may the store hold pages of a file?
 * @mapping: The file.
 *
 * Whoever skips an invalidation because the page cache looks empty has to ask
 * this too, afterwards: a page is in the store before it leaves the page cache.
 *
 * Context: Any.
 * Return: false if it holds none.
 */
static inline bool cleancache_may_hold(struct address_space *mapping)
{
	if (!cleancache_active())
		return false;
	/* Orders the look at the page cache before; see cleancache_object_make(). */
	smp_rmb();
	return test_bit(AS_CLEANCACHE, &mapping->flags);
}

/* Does the filesystem get pages by itself, where it has the cluster's lock? */
static inline bool cleancache_in_cluster(struct address_space *mapping)
{
	return mapping->host->i_sb->s_iflags & SB_I_CLEANCACHE_CLUSTER;
}

/**
 * cleancache_wants - is a clean folio offered when reclaim removes it?
 * @mapping: The folio's mapping, or NULL.
 * @folio: A locked folio.
 *
 * Context: Any.
 * Return: true if it is to be given to cleancache_put_folios() before.
 */
static inline bool cleancache_wants(struct address_space *mapping,
				    struct folio *folio)
{
	return cleancache_active() && mapping && folio_is_file_lru(folio) &&
	       READ_ONCE(mapping->host->i_sb->s_cleancache);
}

/**
 * cleancache_put_folios - offer folios that reclaim is about to remove
 * @folios: List of locked clean folios for which cleancache_wants() is true,
 *	at most CLEANCACHE_BATCH.
 *
 * A folio whose removal fails afterwards must be invalidated. Nothing that can
 * wait for a folio's lock or for I/O may be done before they are unlocked.
 *
 * Context: Reclaim. May sleep.
 */
static inline void cleancache_put_folios(struct list_head *folios)
{
	__cleancache_put_folios(folios);
}

/**
 * cleancache_get - fill a folio from the store
 * @folio: A locked folio in the page cache that is not up to date.
 *
 * Context: The mapping's invalidate_lock is held. May sleep.
 * Return: true if the folio is up to date and unlocked now, as after a read.
 */
static inline bool cleancache_get(struct folio *folio)
{
	return cleancache_active() && !cleancache_in_cluster(folio->mapping) &&
	       __cleancache_get(folio);
}

/**
 * cleancache_get_locked - the same for a filesystem with SB_I_CLEANCACHE_CLUSTER
 * @folio: A locked folio in the page cache that is not up to date.
 *
 * Context: ->read_folio. Held are the cluster's lock on the file's content, and what
 * keeps other tasks of this node from changing it. May sleep.
 * Return: As cleancache_get().
 */
static inline bool cleancache_get_locked(struct folio *folio)
{
	return cleancache_active() && __cleancache_get(folio);
}

/**
 * cleancache_get_readahead - fill folios of a readahead window from the store
 * @rac: The window, of locked folios that were just added to the page cache.
 *
 * A folio that was filled is up to date afterwards and still locked.
 *
 * Context: The mapping's invalidate_lock is held. May sleep.
 */
static inline void cleancache_get_readahead(struct readahead_control *rac)
{
	if (cleancache_active() && !cleancache_in_cluster(rac->mapping))
		__cleancache_get_readahead(rac);
}

/**
 * cleancache_get_readahead_locked - the same with SB_I_CLEANCACHE_CLUSTER
 * @rac: The window, of locked folios that were just added to the page cache.
 *
 * What reads the folios afterwards has to ask cleancache_skip_filled() for each.
 *
 * Context: ->readahead, with locks as for cleancache_get_locked(). May sleep.
 */
static inline void
cleancache_get_readahead_locked(struct readahead_control *rac)
{
	if (cleancache_active())
		__cleancache_get_readahead(rac);
}

/**
 * cleancache_skip_filled - need a folio of a window not be read?
 * @folio: A folio of a readahead window, locked.
 *
 * Context: ->readahead.
 * Return: true if cleancache_get_readahead_locked() has filled it; it is unlocked.
 */
static inline bool cleancache_skip_filled(struct folio *folio)
{
	if (!cleancache_active() || !folio_test_uptodate(folio))
		return false;
	folio_unlock(folio);
	return true;
}

/**
 * cleancache_invalidate - forget a range of pages of a file
 * @mapping: The file.
 * @first: Index of the first page.
 * @last: Index of the last page.
 *
 * Called at the end of an operation that makes the range's content another, when
 * its folios have left the page cache.
 *
 * Context: Process. Does not sleep.
 */
static inline void cleancache_invalidate(struct address_space *mapping,
					 pgoff_t first, pgoff_t last)
{
	if (cleancache_may_hold(mapping))
		__cleancache_invalidate(mapping, first, last);
}

/**
 * cleancache_invalidate_bytes - forget a range of bytes of a file
 * @mapping: The file.
 * @start: The first byte.
 * @end: The last byte, or -1 for all from @start on.
 *
 * As cleancache_invalidate(). The pages at the edges go too: a part of them has
 * changed.
 *
 * Context: Process. Does not sleep.
 */
static inline void cleancache_invalidate_bytes(struct address_space *mapping,
					       loff_t start, loff_t end)
{
	cleancache_invalidate(mapping, start >> PAGE_SHIFT,
			      end == -1 ? (pgoff_t)-1 : end >> PAGE_SHIFT);
}

/**
 * cleancache_invalidate_folio - forget the pages of a folio
 * @folio: A locked folio in the page cache.
 *
 * Context: Process. Does not sleep.
 */
static inline void cleancache_invalidate_folio(struct folio *folio)
{
	if (cleancache_active() && folio->mapping)
		cleancache_invalidate(folio->mapping, folio->index,
				      folio_next_index(folio) - 1);
}

/**
 * cleancache_release_folio - a folio is about to lose its private data
 * @folio: A locked folio in the page cache.
 *
 * While a part of a folio has been read or written, private data says which.
 * Without it nobody knows that the store has something older.
 *
 * Context: Process. Does not sleep.
 */
static inline void cleancache_release_folio(struct folio *folio)
{
	if (cleancache_active() && !folio_test_uptodate(folio))
		cleancache_invalidate_folio(folio);
}

/**
 * cleancache_evict_inode - forget a file that leaves memory
 * @inode: Its inode, which has no folios any more.
 *
 * Context: Process. Does not sleep.
 */
static inline void cleancache_evict_inode(struct inode *inode)
{
	if (cleancache_may_hold(&inode->i_data))
		__cleancache_evict_inode(inode);
}

/**
 * cleancache_begin_direct_write - may a write leave the page cache out?
 * @inode: The file.
 *
 * For a filesystem whose direct writes do not end as cleancache needs it. The write
 * is counted in i_dio_count before it is looked whether there is a store; who puts
 * or gets a page looks at the count when there is one.
 *
 * Context: Process.
 * Return: true if so; then cleancache_end_direct_write() has to be called.
 */
static inline bool cleancache_begin_direct_write(struct inode *inode)
{
	inode_dio_begin(inode);
	/* Pairs with that of who looks whether there is direct I/O. */
	smp_mb__after_atomic();
	if (!cleancache_active() || !__cleancache_serves(inode->i_sb))
		return true;
	inode_dio_end(inode);
	return false;
}

/**
 * cleancache_end_direct_write - a direct write is over, or counted otherwise
 * @inode: The file.
 *
 * Context: Process.
 */
static inline void cleancache_end_direct_write(struct inode *inode)
{
	inode_dio_end(inode);
}

/**
 * cleancache_end_fill - the same for a folio that was filled without a read
 * @folio: The folio, still locked.
 *
 * Context: Any.
 */
static inline void cleancache_end_fill(struct folio *folio)
{
	if (static_branch_unlikely(&cleancache_verify_key))
		__cleancache_end_read(folio, folio_test_uptodate(folio));
}

/**
 * cleancache_end_read - compare what was read with what the store had
 * @folio: A folio that was read from its filesystem, still locked.
 * @success: Whether the read succeeded.
 *
 * For verify mode. folio_end_read() calls it; who unlocks a folio after a read
 * without that has to call it before.
 *
 * Context: Any.
 */
static inline void cleancache_end_read(struct folio *folio, bool success)
{
	if (static_branch_unlikely(&cleancache_verify_key))
		__cleancache_end_read(folio, success);
}

#else /* !CONFIG_CLEANCACHE */

static inline void cleancache_mount(struct super_block *sb)
{
}

static inline void cleancache_umount(struct super_block *sb)
{
}

static inline void cleancache_empty_fs(struct super_block *sb)
{
}

static inline bool cleancache_active(void)
{
	return false;
}

static inline bool cleancache_may_hold(struct address_space *mapping)
{
	return false;
}

static inline bool cleancache_wants(struct address_space *mapping,
				    struct folio *folio)
{
	return false;
}

static inline void cleancache_put_folios(struct list_head *folios)
{
}

static inline bool cleancache_get(struct folio *folio)
{
	return false;
}

static inline bool cleancache_get_locked(struct folio *folio)
{
	return false;
}

static inline void cleancache_get_readahead(struct readahead_control *rac)
{
}

static inline void
cleancache_get_readahead_locked(struct readahead_control *rac)
{
}

static inline bool cleancache_skip_filled(struct folio *folio)
{
	return false;
}

static inline void cleancache_invalidate(struct address_space *mapping,
					 pgoff_t first, pgoff_t last)
{
}

static inline void cleancache_invalidate_bytes(struct address_space *mapping,
					       loff_t start, loff_t end)
{
}

static inline void cleancache_invalidate_folio(struct folio *folio)
{
}

static inline void cleancache_release_folio(struct folio *folio)
{
}

static inline void cleancache_evict_inode(struct inode *inode)
{
}

static inline bool cleancache_begin_direct_write(struct inode *inode)
{
	return true;
}

static inline void cleancache_end_direct_write(struct inode *inode)
{
}

static inline void cleancache_end_fill(struct folio *folio)
{
}

static inline void cleancache_end_read(struct folio *folio, bool success)
{
}

#endif /* CONFIG_CLEANCACHE */

#endif /* _LINUX_CLEANCACHE_H */

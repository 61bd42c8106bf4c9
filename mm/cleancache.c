// SPDX-License-Identifier: GPL-2.0-only
/*
 * cleancache - a victim cache of transcendent memory for clean file pages
 *
 * The way of a page: from the hooks of reclaim and the page cache to the one
 * backend that is registered and back. Documentation/mm/cleancache.rst explains
 * why a page of the store is never out of date ("How pages stay clean"),
 * cleancache_pages.c remembers which pages there may be, cleancache_control.c
 * lets filesystems and backends come and go.
 *
 * The rule that all of this rests on: pages of one index are put and got only by
 * whoever has its folio locked in the page cache.
 */
#include <linux/bitmap.h>
#include <linux/cleancache.h>
#include <linux/export.h>
#include <linux/fs.h>
#include <linux/fscrypt.h>
#include <linux/fsverity.h>
#include <linux/highmem.h>
#include <linux/memcontrol.h>
#include <linux/page-flags.h>
#include <linux/pagemap.h>
#include <linux/srcu.h>
#include <linux/static_call.h>
#include <linux/vmstat.h>

#include "cleancache.h"

#define CREATE_TRACE_POINTS
#include <trace/events/cleancache.h>

DEFINE_STATIC_KEY_FALSE(cleancache_key);
EXPORT_SYMBOL_GPL(cleancache_key);
DEFINE_PER_CPU(struct cleancache_stats, cleancache_stats);
DEFINE_SRCU(cleancache_srcu);
unsigned long cleancache_state;
unsigned int cleancache_flags;
pgoff_t cleancache_max_index;

/* Folios that are put or got together, and what is known of each */
struct cleancache_batch {
	unsigned int n;
	struct cleancache_vec vec[CLEANCACHE_BATCH];
	struct cleancache_object *object[CLEANCACHE_BATCH];
};

/* Where the hooks end up while there is no backend. */

static void no_put(int pool, u64 object, pgoff_t index, struct folio *folio,
		   unsigned int nr, unsigned long *held)
{
}

static int no_get(int pool, u64 object, pgoff_t index, struct folio *folio,
		  unsigned int nr)
{
	return -ENODEV;
}

static void no_invalidate(int pool, u64 object, pgoff_t index, unsigned int nr)
{
}

static void no_invalidate_inode(int pool, u64 object)
{
}

DEFINE_STATIC_CALL(cleancache_put, no_put);
DEFINE_STATIC_CALL(cleancache_get, no_get);
DEFINE_STATIC_CALL(cleancache_invalidate, no_invalidate);
DEFINE_STATIC_CALL(cleancache_invalidate_inode, no_invalidate_inode);

/* Batches for a backend that has none */

static void single_puts(struct cleancache_vec *vec, unsigned int n)
{
	for (; n--; vec++) {
		unsigned long held = 0;

		static_call(cleancache_put)(vec->pool, vec->object,
					    vec->folio->index, vec->folio, 1,
					    &held);
		vec->status = held ? 0 : -ENOSPC;
	}
}

static void single_gets(struct cleancache_vec *vec, unsigned int n)
{
	for (; n--; vec++)
		vec->status = static_call(cleancache_get)(vec->pool, vec->object,
							  vec->folio->index,
							  vec->folio, vec->nr);
}

DEFINE_STATIC_CALL(cleancache_put_batch, single_puts);
DEFINE_STATIC_CALL(cleancache_get_batch, single_gets);

/**
 * cleancache_connect - let the hooks call a backend
 * @ops: Its operations, or NULL for none.
 *
 * Context: May sleep.
 */
void cleancache_connect(const struct cleancache_ops *ops)
{
	static_call_update(cleancache_put, ops ? ops->put : no_put);
	static_call_update(cleancache_get, ops ? ops->get : no_get);
	static_call_update(cleancache_invalidate,
			   ops ? ops->invalidate : no_invalidate);
	static_call_update(cleancache_invalidate_inode,
			   ops ? ops->invalidate_inode : no_invalidate_inode);
	static_call_update(cleancache_put_batch,
			   ops && ops->put_batch ? ops->put_batch : single_puts);
	static_call_update(cleancache_get_batch,
			   ops && ops->get_batch ? ops->get_batch : single_gets);
}

/**
 * cleancache_tell - let the backend forget pages
 * @object: The file.
 * @index: Index of the first page.
 * @nr: Number of pages.
 *
 * Context: Process, inside cleancache_srcu. Does not sleep.
 */
void cleancache_tell(struct cleancache_object *object, pgoff_t index,
		     unsigned int nr)
{
	static_call(cleancache_invalidate)(object->pool, object->id, index, nr);
	trace_cleancache_invalidate(object->pool, object->id, index, nr);
	cleancache_count(invalidates, nr);
}

/**
 * cleancache_tell_all - let the backend forget a file
 * @object: The file.
 *
 * Context: Process, inside cleancache_srcu. Does not sleep.
 */
void cleancache_tell_all(struct cleancache_object *object)
{
	static_call(cleancache_invalidate_inode)(object->pool, object->id);
	trace_cleancache_invalidate_inode(object->pool, object->id);
}

/* May pages of this file be put or got, as far as the file is concerned? */
static enum cleancache_reject cleancache_check_file(struct address_space *mapping)
{
	struct inode *inode = mapping->host;

	if (!S_ISREG(inode->i_mode) || mapping != &inode->i_data ||
	    IS_ENCRYPTED(inode) || IS_VERITY(inode) || IS_DAX(inode) ||
	    IS_SWAPFILE(inode) || mapping_exiting(mapping) ||
	    mapping_inaccessible(mapping))
		return CLEANCACHE_REJECT_FILE;
	/* What could not be written is clean, and not on the disk. */
	if (READ_ONCE(mapping->wb_err))
		return CLEANCACHE_REJECT_ERROR;
	/*
	 * Direct I/O does not hold invalidate_lock. It counts itself before it
	 * looks for folios to remove, we look at the count after the folio is
	 * in the page cache: one sees the other.
	 */
	smp_mb();
	if (atomic_read(&inode->i_dio_count))
		return CLEANCACHE_REJECT_DIRECT;
	return CLEANCACHE_ACCEPT;
}

/* Return: Number of a folio's pages before the end of the file. */
static unsigned int cleancache_pages_in_file(struct folio *folio)
{
	loff_t rest = i_size_read(folio->mapping->host) - folio_pos(folio);

	if (rest <= 0)
		return 0;
	return min_t(loff_t, folio_nr_pages(folio),
		     DIV_ROUND_UP_ULL(rest, PAGE_SIZE));
}

static bool cleancache_page_ok(struct folio *folio, unsigned int nr)
{
	return nr && folio->index + nr - 1 <= READ_ONCE(cleancache_max_index) &&
	       folio_test_uptodate(folio) && !folio_test_dirty(folio) &&
	       !folio_test_writeback(folio) &&
	       !folio_contain_hwpoisoned_page(folio);
}

/*
 * Find the object that a folio's pages are put into, and claim them.
 * Return: CLEANCACHE_ACCEPT, or why they are not put; then they are not in the
 * store either, if it held older ones.
 */
static enum cleancache_reject
cleancache_prepare_put(struct folio *folio, unsigned int nr,
		       struct cleancache_object **object)
{
	struct address_space *mapping = folio->mapping;
	struct cleancache_mount *mount;
	enum cleancache_reject reject;

	mount = READ_ONCE(mapping->host->i_sb->s_cleancache);
	reject = !mount ? CLEANCACHE_REJECT_MOUNT :
		 cleancache_policy(READ_ONCE(cleancache_flags),
				   READ_ONCE(cleancache_state),
				   READ_ONCE(mount->state));
	if (!reject)
		reject = cleancache_check_file(mapping);
	if (!reject && !cleancache_page_ok(folio, nr))
		reject = CLEANCACHE_REJECT_PAGE;
	if (reject) {
		cleancache_invalidate_folio(folio);
		return reject;
	}

	*object = cleancache_object_make(mapping, mount);
	/* Without an object there is no older page. */
	if (!*object)
		return CLEANCACHE_REJECT_MEMORY;
	if (test_bit(CLEANCACHE_ADMIT_REUSED, &cleancache_state) &&
	    !cleancache_seen(*object, folio->index, nr) &&
	    !folio_test_workingset(folio))
		reject = CLEANCACHE_REJECT_ADMISSION;
	else if (!cleancache_claim(*object, folio->index, nr) ||
		 !cleancache_sum_put(*object, folio, nr))
		reject = CLEANCACHE_REJECT_MEMORY;
	if (!reject)
		return CLEANCACHE_ACCEPT;
	cleancache_forget(*object, folio->index, folio_next_index(folio) - 1);
	cleancache_object_put(*object);
	return reject;
}

static void cleancache_finish_put(struct cleancache_object *object,
				  struct folio *folio, unsigned int nr,
				  const unsigned long *held)
{
	unsigned int stored = bitmap_weight(held, nr);

	/* Pages beyond the end of the file are not current, if there are any. */
	if (nr < folio_nr_pages(folio))
		cleancache_forget(object, folio->index + nr,
				  folio_next_index(folio) - 1);
	cleancache_settle(object, folio->index, nr, held);
	trace_cleancache_put(object->pool, object->id, folio->index, nr, stored,
			     CLEANCACHE_ACCEPT);
	cleancache_count(puts, stored);
	cleancache_count(rejects[CLEANCACHE_REJECT_BACKEND], nr - stored);
	if (stored) {
		count_vm_events(CCPUT, stored);
		count_memcg_folio_events(folio, CCPUT, stored);
	}
	cleancache_object_put(object);
}

static void cleancache_put_large(struct cleancache_object *object,
				 struct folio *folio, unsigned int nr)
{
	DECLARE_BITMAP(held, CLEANCACHE_CHUNK_PAGES) = {};

	static_call(cleancache_put)(object->pool, object->id, folio->index,
				    folio, nr, held);
	cleancache_finish_put(object, folio, nr, held);
}

static void cleancache_put_batched(struct cleancache_batch *batch)
{
	unsigned int i;

	if (!batch->n)
		return;
	static_call(cleancache_put_batch)(batch->vec, batch->n);
	for (i = 0; i < batch->n; i++) {
		unsigned long held = !batch->vec[i].status;

		cleancache_finish_put(batch->object[i], batch->vec[i].folio, 1,
				      &held);
	}
	batch->n = 0;
}

static void cleancache_batch_add(struct cleancache_batch *batch,
				 struct cleancache_object *object,
				 struct folio *folio, unsigned int nr)
{
	batch->vec[batch->n] = (struct cleancache_vec) {
		.folio = folio,
		.object = object->id,
		.pool = object->pool,
		.nr = nr,
		.status = -ENOENT,
	};
	batch->object[batch->n++] = object;
}

/* See cleancache_put_folios(). */
noinline_for_stack void __cleancache_put_folios(struct list_head *folios)
{
	struct cleancache_object *object;
	struct cleancache_batch batch;
	enum cleancache_reject reject;
	struct folio *folio;
	unsigned int nr;
	int idx;

	might_sleep();
	batch.n = 0;
	idx = srcu_read_lock(&cleancache_srcu);
	list_for_each_entry(folio, folios, lru) {
		VM_WARN_ON_ONCE_FOLIO(!folio_test_locked(folio), folio);
		nr = cleancache_pages_in_file(folio);
		reject = cleancache_prepare_put(folio, nr, &object);
		if (reject) {
			cleancache_count(rejects[reject], folio_nr_pages(folio));
			trace_cleancache_put(-1, 0, folio->index,
					     folio_nr_pages(folio), 0, reject);
		} else if (folio_test_large(folio)) {
			cleancache_put_large(object, folio, nr);
		} else {
			cleancache_batch_add(&batch, object, folio, nr);
			if (batch.n == CLEANCACHE_BATCH)
				cleancache_put_batched(&batch);
		}
	}
	cleancache_put_batched(&batch);
	srcu_read_unlock(&cleancache_srcu, idx);
}

/*
 * Only a folio that was never dirty since it was added to the page cache may be
 * filled: what was written to it is younger than what the store has. While a
 * part of a folio has been written, private data says which; a folio that loses
 * it without being up to date is invalidated, see filemap_release_folio().
 */
static bool cleancache_may_fill(struct folio *folio)
{
	return !folio_test_uptodate(folio) && !folio_test_dirty(folio) &&
	       !folio_test_writeback(folio) && !folio_test_private(folio);
}

/*
 * In a shared pool there may be pages of a file of which we have not put any.
 * Return: The object, with a reference, or NULL if there is no page in the store.
 */
static struct cleancache_object *
cleancache_object_to_get(struct address_space *mapping)
{
	struct cleancache_mount *mount;

	mount = READ_ONCE(mapping->host->i_sb->s_cleancache);
	if (!mount || !test_bit(CLEANCACHE_MOUNT_SHARED, &mount->state)) {
		if (!cleancache_may_hold(mapping) ||
		    cleancache_check_file(mapping))
			return NULL;
		return cleancache_object_find(mapping);
	}
	if (cleancache_policy(READ_ONCE(cleancache_flags),
			      READ_ONCE(cleancache_state),
			      READ_ONCE(mount->state)) ||
	    cleancache_check_file(mapping))
		return NULL;
	return cleancache_object_make(mapping, mount);
}

/*
 * Find the object of a folio all of whose pages may be in the store.
 * Return: The object, with a reference, or NULL for a miss.
 */
static struct cleancache_object *cleancache_prepare_get(struct folio *folio,
							unsigned int nr)
{
	struct address_space *mapping = folio->mapping;
	struct cleancache_object *object;
	unsigned int held;

	VM_WARN_ON_ONCE_FOLIO(!folio_test_locked(folio), folio);
	/* If there is a note about this frame, it is of another folio. */
	cleancache_end_read(folio, /*success=*/false);
	if (!nr || !cleancache_may_fill(folio))
		return NULL;
	if (!cleancache_in_cluster(mapping))
		lockdep_assert_held(&mapping->invalidate_lock);
	object = cleancache_object_to_get(mapping);
	if (!object)
		return NULL;
	held = cleancache_held(object, folio->index, nr);
	if (held == nr)
		return object;
	if (held)
		cleancache_count(partial_misses, nr);
	cleancache_object_put(object);
	return NULL;
}

/*
 * Bytes behind the end of the file read as zeros, whatever was there. The file may
 * have grown since @nr pages were asked for.
 */
static void cleancache_zero_tail(struct folio *folio, unsigned int nr)
{
	loff_t rest = i_size_read(folio->mapping->host) - folio_pos(folio);
	size_t filled = clamp_t(loff_t, rest, 0, (loff_t)nr * PAGE_SIZE);

	if (filled < folio_size(folio))
		folio_zero_segment(folio, filled, folio_size(folio));
}

/*
 * What came from the backend counts only if nobody has forgotten the page
 * meanwhile. After a miss the rest of a large folio would be of no use, to us.
 * Return: true if the folio's content is right.
 */
static bool cleancache_finish_get(struct cleancache_object *object,
				  struct folio *folio, unsigned int nr,
				  int status)
{
	pgoff_t index = folio->index;
	bool exclusive = !object->shared &&
			 (READ_ONCE(cleancache_flags) & CLEANCACHE_EXCLUSIVE);
	bool hit = !status;

	if (hit && exclusive)
		hit = cleancache_release(object, index, nr) == nr;
	else if (hit)
		hit = cleancache_held(object, index, nr) == nr;
	if (hit)
		hit = cleancache_sum_check(object, folio, nr);
	if (!hit && !(status && object->shared))
		cleancache_forget(object, index, index + nr - 1);
	trace_cleancache_get(object->pool, object->id, index, nr,
			     hit ? 0 : status ?: -ESTALE);
	cleancache_object_put(object);
	if (!hit) {
		cleancache_count(misses, nr);
		return false;
	}

	cleancache_zero_tail(folio, nr);
	flush_dcache_folio(folio);
	cleancache_count(hits, nr);
	count_vm_events(CCGET, nr);
	count_memcg_folio_events(folio, CCGET, nr);
	/* In verify mode the folio is read all the same. */
	return !cleancache_verify_hit(folio, nr);
}

static void cleancache_count_miss(struct folio *folio, unsigned int nr)
{
	if (READ_ONCE(folio->mapping->host->i_sb->s_cleancache))
		cleancache_count(misses, nr);
}

/* See cleancache_get(). */
bool __cleancache_get(struct folio *folio)
{
	unsigned int nr = cleancache_pages_in_file(folio);
	struct cleancache_object *object;
	bool hit = false;
	int idx, status;

	might_sleep();
	idx = srcu_read_lock(&cleancache_srcu);
	object = cleancache_prepare_get(folio, nr);
	if (object) {
		status = static_call(cleancache_get)(object->pool, object->id,
						     folio->index, folio, nr);
		hit = cleancache_finish_get(object, folio, nr, status);
	} else {
		cleancache_count_miss(folio, nr);
	}
	srcu_read_unlock(&cleancache_srcu, idx);
	if (hit)
		folio_end_read(folio, /*success=*/true);
	return hit;
}
EXPORT_SYMBOL_GPL(__cleancache_get);

static void cleancache_get_batched(struct cleancache_batch *batch)
{
	unsigned int i;

	if (!batch->n)
		return;
	static_call(cleancache_get_batch)(batch->vec, batch->n);
	for (i = 0; i < batch->n; i++) {
		struct cleancache_vec *vec = &batch->vec[i];

		if (cleancache_finish_get(batch->object[i], vec->folio, vec->nr,
					  vec->status))
			folio_mark_uptodate(vec->folio);
	}
	batch->n = 0;
}

/* See cleancache_get_readahead(). */
noinline_for_stack void __cleancache_get_readahead(struct readahead_control *rac)
{
	pgoff_t index = readahead_index(rac);
	pgoff_t end = index + readahead_count(rac);
	struct cleancache_object *object;
	struct cleancache_batch batch;
	struct folio *folio;
	unsigned int nr;
	int idx;

	if (!READ_ONCE(rac->mapping->host->i_sb->s_cleancache))
		return;
	might_sleep();
	batch.n = 0;
	idx = srcu_read_lock(&cleancache_srcu);
	for (; index < end; index += folio_nr_pages(folio)) {
		folio = xa_load(&rac->mapping->i_pages, index);
		nr = cleancache_pages_in_file(folio);
		object = cleancache_prepare_get(folio, nr);
		if (!object) {
			cleancache_count_miss(folio, nr);
			continue;
		}
		cleancache_batch_add(&batch, object, folio, nr);
		if (batch.n == CLEANCACHE_BATCH)
			cleancache_get_batched(&batch);
	}
	cleancache_get_batched(&batch);
	srcu_read_unlock(&cleancache_srcu, idx);
}
EXPORT_SYMBOL_GPL(__cleancache_get_readahead);

/* See cleancache_invalidate(). */
void __cleancache_invalidate(struct address_space *mapping, pgoff_t first,
			     pgoff_t last)
{
	struct cleancache_object *object;
	int idx;

	idx = srcu_read_lock(&cleancache_srcu);
	object = cleancache_object_find(mapping);
	/*
	 * The end comes with cleancache_evict_inode(), but a cluster filesystem
	 * has given its lock away then.
	 */
	if (object && mapping_exiting(mapping) && !object->shared) {
		cleancache_object_put(object);
	} else if (object) {
		if (!first && last == (pgoff_t)-1)
			cleancache_object_kill(object, /*tell=*/true);
		else
			cleancache_forget(object, first, last);
		cleancache_unsee(object, first, last);
		cleancache_object_put(object);
	}
	srcu_read_unlock(&cleancache_srcu, idx);
}
EXPORT_SYMBOL_GPL(__cleancache_invalidate);

/* See cleancache_begin_direct_write(). */
bool __cleancache_serves(struct super_block *sb)
{
	struct cleancache_mount *mount;
	bool serves;
	int idx;

	idx = srcu_read_lock(&cleancache_srcu);
	mount = READ_ONCE(sb->s_cleancache);
	serves = mount && test_bit(CLEANCACHE_MOUNT_SERVED, &mount->state);
	srcu_read_unlock(&cleancache_srcu, idx);
	return serves;
}
EXPORT_SYMBOL_GPL(__cleancache_serves);

/* See cleancache_evict_inode(). */
void __cleancache_evict_inode(struct inode *inode)
{
	struct cleancache_object *object;
	int idx;

	idx = srcu_read_lock(&cleancache_srcu);
	object = cleancache_object_find(&inode->i_data);
	if (object) {
		cleancache_object_kill(object, /*tell=*/true);
		cleancache_object_put(object);
	}
	srcu_read_unlock(&cleancache_srcu, idx);
}

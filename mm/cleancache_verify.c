// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does a page come back from the store as it went there?
 *
 * Verify mode, at run time: a page that the store had is read from its
 * filesystem all the same, and compared before the folio is unlocked, since it
 * may be changed afterwards.
 *
 * CONFIG_CLEANCACHE_DEBUG: a checksum of each page is kept in the kernel. This
 * finds a backend that returns something else, but not a page that should have
 * been forgotten.
 */
#define pr_fmt(fmt) "cleancache: " fmt

#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/pagemap.h>
#include <linux/slab.h>
#include <linux/xxhash.h>

#include "cleancache.h"

#include <trace/events/cleancache.h>

DEFINE_STATIC_KEY_FALSE(cleancache_verify_key);

/* What the store had for a folio that is being read */
struct cleancache_hit {
	struct address_space *mapping;
	pgoff_t index;
	size_t len;
	u64 sum;
};

/* struct cleancache_hit by page frame number of the folio */
static DEFINE_XARRAY_FLAGS(cleancache_hits, XA_FLAGS_LOCK_IRQ);

static u64 cleancache_sum(struct folio *folio, size_t offset, size_t len)
{
	struct xxh64_state state;
	size_t n;
	void *data;

	xxh64_reset(&state, 0);
	for (; len; offset += n, len -= n) {
		n = min(len, PAGE_SIZE - offset_in_page(offset));
		data = kmap_local_folio(folio, offset);
		xxh64_update(&state, data, n);
		kunmap_local(data);
	}
	return xxh64_digest(&state);
}

static void cleancache_report(struct folio *folio, unsigned long index,
			      unsigned int nr, const char *what)
{
	struct inode *inode = folio->mapping->host;

	pr_err_ratelimited("%s: inode %lu, page %lu: %s\n", inode->i_sb->s_id,
			   inode->i_ino, index, what);
	trace_cleancache_corrupted(inode->i_sb->s_dev, inode->i_ino, index, nr);
	cleancache_count(corrupted, nr);
}

/**
 * cleancache_verify_hit - remember what the store had, to compare it later
 * @folio: A locked folio that was filled from the store.
 * @nr: Number of pages that were.
 *
 * Context: May sleep, not in filesystem code.
 * Return: true in verify mode: the folio has to be read.
 */
bool cleancache_verify_hit(struct folio *folio, unsigned int nr)
{
	loff_t rest = i_size_read(folio->mapping->host) - folio_pos(folio);
	struct cleancache_hit *hit, *old;

	if (!static_branch_unlikely(&cleancache_verify_key))
		return false;
	hit = kmalloc(sizeof(*hit), GFP_NOFS);
	if (!hit)
		return true;
	hit->mapping = folio->mapping;
	hit->index = folio->index;
	hit->len = clamp_t(loff_t, rest, 0, (loff_t)nr * PAGE_SIZE);
	hit->sum = cleancache_sum(folio, 0, hit->len);
	old = xa_store_irq(&cleancache_hits, folio_pfn(folio), hit, GFP_NOFS);
	kfree(xa_is_err(old) ? hit : old);
	return true;
}

/* See cleancache_end_read(). */
void __cleancache_end_read(struct folio *folio, bool success)
{
	struct cleancache_hit *hit;
	unsigned long flags;

	xa_lock_irqsave(&cleancache_hits, flags);
	hit = __xa_erase(&cleancache_hits, folio_pfn(folio));
	xa_unlock_irqrestore(&cleancache_hits, flags);
	if (!hit)
		return;
	/*
	 * Direct I/O that began after the get may have changed the disk. It
	 * cannot have ended: it removes the folio before, and waits for its lock.
	 */
	if (success && hit->mapping == folio->mapping &&
	    hit->index == folio->index &&
	    !atomic_read(&folio->mapping->host->i_dio_count)) {
		cleancache_count(verified, DIV_ROUND_UP(hit->len, PAGE_SIZE));
		if (cleancache_sum(folio, 0, hit->len) != hit->sum)
			cleancache_report(folio, folio->index,
					  DIV_ROUND_UP(hit->len, PAGE_SIZE),
					  "the store had something else than the disk");
	}
	kfree(hit);
}

/**
 * cleancache_set_verify - switch verify mode
 * @verify: On or off.
 *
 * Context: May sleep.
 * Return: 0.
 */
int cleancache_set_verify(bool verify)
{
	struct cleancache_hit *hit;
	unsigned long pfn;

	if (verify) {
		static_branch_enable(&cleancache_verify_key);
		return 0;
	}
	static_branch_disable(&cleancache_verify_key);
	/* No get leaves a note any more. Reads that end may still take theirs. */
	synchronize_srcu(&cleancache_srcu);
	xa_for_each(&cleancache_hits, pfn, hit)
		kfree(xa_erase_irq(&cleancache_hits, pfn));
	return 0;
}

#ifdef CONFIG_CLEANCACHE_DEBUG

static void *cleancache_page_sum(struct folio *folio, unsigned int i)
{
	return xa_mk_value(cleancache_sum(folio, (size_t)i * PAGE_SIZE,
					  PAGE_SIZE) & LONG_MAX);
}

/**
 * cleancache_sums_init - prepare a file's checksums
 * @object: The file.
 */
void cleancache_sums_init(struct cleancache_object *object)
{
	xa_init(&object->sums);
}

/**
 * cleancache_sums_destroy - free a file's checksums
 * @object: The file.
 */
void cleancache_sums_destroy(struct cleancache_object *object)
{
	xa_destroy(&object->sums);
}

/**
 * cleancache_sum_put - remember what is put
 * @object: The file.
 * @folio: The folio.
 * @nr: Number of its pages that are put.
 *
 * Context: Process. Does not sleep.
 * Return: false if there is no memory.
 */
bool cleancache_sum_put(struct cleancache_object *object, struct folio *folio,
			unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (xa_err(xa_store(&object->sums, folio->index + i,
				    cleancache_page_sum(folio, i),
				    CLEANCACHE_GFP)))
			return false;
	return true;
}

/**
 * cleancache_sum_check - compare what was got with what was put
 * @object: The file.
 * @folio: The folio.
 * @nr: Number of its pages that were got.
 *
 * Context: Process. Does not sleep.
 * Return: false if the content is wrong.
 */
bool cleancache_sum_check(struct cleancache_object *object, struct folio *folio,
			  unsigned int nr)
{
	unsigned int i;
	void *sum;

	for (i = 0; i < nr; i++) {
		sum = xa_load(&object->sums, folio->index + i);
		if (sum == cleancache_page_sum(folio, i) ||
		    (!sum && object->shared))
			continue;
		cleancache_report(folio, folio->index + i, 1,
				  "the backend returned something else than was put");
		return false;
	}
	return true;
}

#endif /* CONFIG_CLEANCACHE_DEBUG */

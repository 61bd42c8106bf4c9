// SPDX-License-Identifier: GPL-2.0-only
/*
 * frontswap - a store of transcendent memory in front of every swap device
 *
 * The way of a page: from the hooks of the swap subsystem to the one backend
 * that is registered and back. Documentation/mm/frontswap.rst explains the
 * design, frontswap_control.c lets areas and backends come and go.
 *
 * Who may touch a slot: its owner, that is whoever has the slot's folio locked
 * in the swap cache, holds SWAP_HAS_CACHE without a folio, or frees the slot.
 * An owner's view of the residency map does not change under it. No lock is
 * taken here, but for the map's own when it grows.
 */
#define pr_fmt(fmt) "frontswap: " fmt

#include <linux/frontswap.h>
#include <linux/memcontrol.h>
#include <linux/srcu.h>
#include <linux/static_call.h>
#include <linux/swap.h>
#include <linux/swapops.h>
#include <linux/vmstat.h>
#include <linux/zswap.h>

#include "frontswap.h"
#include "swap.h"

#define CREATE_TRACE_POINTS
#include <trace/events/frontswap.h>

DEFINE_STATIC_KEY_FALSE(frontswap_key);
DEFINE_PER_CPU(struct frontswap_stats, frontswap_stats);

DEFINE_SRCU(frontswap_srcu);
unsigned long frontswap_state;
unsigned int frontswap_flags;
struct frontswap_area *frontswap_areas[MAX_SWAPFILES];

/* Where the hooks end up while there is no backend. */

static int no_store(unsigned int type, pgoff_t offset, struct folio *folio)
{
	return -ENODEV;
}

static int no_load(unsigned int type, pgoff_t offset, struct folio *folio,
		   bool exclusive)
{
	return -ENODEV;
}

static void no_invalidate(unsigned int type, pgoff_t offset, unsigned int nr)
{
}

DEFINE_STATIC_CALL(backend_store, no_store);
DEFINE_STATIC_CALL(backend_load, no_load);
DEFINE_STATIC_CALL(backend_invalidate, no_invalidate);

/**
 * frontswap_connect - let the hooks call a backend
 * @ops: Its operations, or NULL for none.
 *
 * Context: May sleep.
 */
void frontswap_connect(const struct frontswap_ops *ops)
{
	static_call_update(backend_store, ops ? ops->store : no_store);
	static_call_update(backend_load, ops ? ops->load : no_load);
	static_call_update(backend_invalidate,
			   ops ? ops->invalidate : no_invalidate);
}

static struct frontswap_area *frontswap_area_of(swp_entry_t entry)
{
	return READ_ONCE(frontswap_areas[swp_type(entry)]);
}

static void frontswap_count_event(struct folio *folio, enum vm_event_item event,
				  unsigned int nr)
{
	count_vm_events(event, nr);
	count_memcg_folio_events(folio, event, nr);
}

/* Return: true if the slot's page was lost; it no longer is. */
static bool frontswap_unpoison(struct frontswap_area *area, pgoff_t offset)
{
	unsigned long irqflags;
	void *lost;

	if (likely(!atomic_long_read(&area->nr_poisoned)))
		return false;
	xa_lock_irqsave(&area->poison, irqflags);
	lost = __xa_erase(&area->poison, offset);
	xa_unlock_irqrestore(&area->poison, irqflags);
	if (!lost)
		return false;
	/* Before nr_pages is: a drain must not see too few pages held. */
	atomic_long_dec(&area->nr_poisoned);
	return true;
}

/* The backend's function runs inside, see the top of the file. */
static void frontswap_tell(struct frontswap_area *area, pgoff_t offset,
			   unsigned int nr)
{
	rcu_read_lock();
	static_call(backend_invalidate)(area->type, offset, nr);
	rcu_read_unlock();
	trace_frontswap_invalidate(area->type, offset, nr);
	frontswap_count(invalidates, nr);
}

/**
 * frontswap_poison - note that a resident page cannot be had any more
 * @area: The area.
 * @offset: Its slot.
 *
 * Whoever reads the slot gets an I/O error, with or without a backend.
 *
 * Context: May sleep; the caller owns the slot.
 * Return: 0 or -ENOMEM; then nothing changed.
 */
int frontswap_poison(struct frontswap_area *area, pgoff_t offset)
{
	if (xa_err(xa_store_irq(&area->poison, offset, xa_mk_value(0),
				GFP_KERNEL)))
		return -ENOMEM;
	frontswap_tell(area, offset, 1);
	/* Last: the page counts as held while the backend is called. */
	atomic_long_inc(&area->nr_poisoned);
	return 0;
}

/**
 * frontswap_forget - remove the pages of some slots from the store
 * @area: The area.
 * @offset: First slot.
 * @nr: Number of slots.
 *
 * Context: Any; the caller owns the slots.
 */
void frontswap_forget(struct frontswap_area *area, pgoff_t offset,
		      unsigned int nr)
{
	pgoff_t end = offset + nr;
	unsigned int run;

	while ((offset = frontswap_map_next(&area->map, offset, end)) < end) {
		bool lost = frontswap_unpoison(area, offset);
		/* A lost page is not in the store: not part of a run. */
		bool single = lost || atomic_long_read(&area->nr_poisoned);

		run = frontswap_map_clear_run(&area->map, offset,
					      single ? offset + 1 : end);
		if (!lost)
			frontswap_tell(area, offset, run);
		/* Last, as in frontswap_poison(). */
		atomic_long_sub(run, &area->nr_pages);
		offset += run;
	}
}

/* Unmark slots whose pages the backend has removed on its own. */
static void frontswap_unmark(struct frontswap_area *area, pgoff_t offset,
			     unsigned int nr)
{
	pgoff_t end = offset + nr;
	unsigned int run;

	while ((offset = frontswap_map_next(&area->map, offset, end)) < end) {
		frontswap_unpoison(area, offset);
		run = frontswap_map_clear_run(&area->map, offset, offset + 1);
		atomic_long_sub(run, &area->nr_pages);
		offset += run;
	}
}

static void frontswap_mark(struct frontswap_area *area, pgoff_t offset,
			   unsigned int nr)
{
	unsigned int new = frontswap_map_set(&area->map, offset, nr);

	atomic_long_add(new, &area->nr_pages);
	/* What was lost has just been written anew. */
	if (unlikely(atomic_long_read(&area->nr_poisoned)))
		for (pgoff_t end = offset + nr; offset < end; offset++)
			frontswap_unpoison(area, offset);
}

static void frontswap_drop_zswap(struct folio *folio)
{
	swp_entry_t entry = folio->swap;
	unsigned int i;

	if (zswap_never_enabled())
		return;
	for (i = 0; i < folio_nr_pages(folio); i++, entry.val++)
		zswap_invalidate(entry);
}

static enum frontswap_reject frontswap_try_store(struct frontswap_area *area,
						 struct folio *folio)
{
	pgoff_t offset = swp_offset(folio->swap);
	unsigned int nr = folio_nr_pages(folio);
	unsigned long state = READ_ONCE(area->state);
	enum frontswap_reject reject;
	int ret = -EPERM;

	reject = frontswap_policy(READ_ONCE(frontswap_flags),
				  READ_ONCE(frontswap_state), state);
	if (reject)
		goto out;
	if (test_bit(FRONTSWAP_AREA_THROUGH, &state) &&
	    !mem_cgroup_zswap_writeback_enabled(folio_memcg(folio))) {
		reject = FRONTSWAP_REJECT_CGROUP;
		goto out;
	}
	ret = frontswap_map_reserve(&area->map, offset, nr);
	if (ret) {
		reject = FRONTSWAP_REJECT_MEMORY;
		goto out;
	}
	ret = static_call(backend_store)(area->type, offset, folio);
	if (ret)
		reject = FRONTSWAP_REJECT_BACKEND;
out:
	trace_frontswap_store(area->type, offset, nr, reject, ret);
	return reject;
}

/* See frontswap_store() and frontswap_store_before_zswap(). */
bool __frontswap_store(struct folio *folio, bool before_zswap)
{
	struct frontswap_area *area = frontswap_area_of(folio->swap);
	pgoff_t offset = swp_offset(folio->swap);
	unsigned int nr = folio_nr_pages(folio);
	enum frontswap_reject reject;
	bool through;
	int idx;

	VM_WARN_ON_ONCE_FOLIO(!folio_test_locked(folio), folio);
	VM_WARN_ON_ONCE_FOLIO(!folio_test_swapcache(folio), folio);
	might_sleep();

	if (!area)
		return false;

	idx = srcu_read_lock(&frontswap_srcu);
	if (frontswap_goes_first(READ_ONCE(frontswap_flags),
				 READ_ONCE(area->state)) != before_zswap) {
		srcu_read_unlock(&frontswap_srcu, idx);
		/* Refused before, or not asked: older pages go either way. */
		if (!before_zswap)
			frontswap_forget(area, offset, nr);
		return false;
	}

	reject = frontswap_try_store(area, folio);
	through = test_bit(FRONTSWAP_AREA_THROUGH, &area->state);
	if (!reject)
		frontswap_mark(area, offset, nr);
	else if (reject == FRONTSWAP_REJECT_BACKEND)
		frontswap_unmark(area, offset, nr);
	else
		frontswap_forget(area, offset, nr);
	srcu_read_unlock(&frontswap_srcu, idx);

	if (reject) {
		frontswap_count(rejects[reject], nr);
		return false;
	}
	frontswap_count(stores, nr);
	frontswap_count_event(folio, FSWPOUT, nr);
	if (before_zswap)
		frontswap_drop_zswap(folio);
	return !through;
}

/**
 * frontswap_fill - copy pages from the store into a folio
 * @area: The area.
 * @folio: A locked folio with its swap entry set; all of its slots are resident
 *	and owned by the caller.
 * @exclusive: Remove the pages from the store.
 *
 * Does not change the residency map.
 *
 * Context: May sleep.
 * Return: 0 or a negative error code; then the content is undefined.
 */
int frontswap_fill(struct frontswap_area *area, struct folio *folio,
		   bool exclusive)
{
	pgoff_t offset = swp_offset(folio->swap);
	unsigned int nr = folio_nr_pages(folio);
	int ret, idx;

	might_sleep();
	idx = srcu_read_lock(&frontswap_srcu);
	ret = static_call(backend_load)(area->type, offset, folio, exclusive);
	srcu_read_unlock(&frontswap_srcu, idx);

	trace_frontswap_load(area->type, offset, nr, exclusive, ret);
	frontswap_count(loads, nr);
	return ret;
}

static bool frontswap_poisoned(struct frontswap_area *area, pgoff_t offset,
			       unsigned int nr)
{
	unsigned long index = offset;

	return atomic_long_read(&area->nr_poisoned) &&
	       xa_find(&area->poison, &index, offset + nr - 1, XA_PRESENT);
}

/* See frontswap_load(). */
int __frontswap_load(struct folio *folio)
{
	struct frontswap_area *area = frontswap_area_of(folio->swap);
	pgoff_t offset = swp_offset(folio->swap);
	unsigned int nr = folio_nr_pages(folio);
	enum frontswap_residency residency;
	bool through, exclusive;
	int ret;

	VM_WARN_ON_ONCE_FOLIO(!folio_test_locked(folio), folio);

	if (!area)
		return -ENOENT;
	residency = frontswap_map_test(&area->map, offset, nr);
	if (residency == FRONTSWAP_ABSENT)
		return -ENOENT;
	/* Those who read a large folio check frontswap_range_uniform(). */

	through = test_bit(FRONTSWAP_AREA_THROUGH, &area->state);
	VM_WARN_ON_ONCE_FOLIO(residency == FRONTSWAP_MIXED && !through, folio);
	exclusive = (READ_ONCE(frontswap_flags) & FRONTSWAP_EXCLUSIVE) &&
		    folio_test_swapcache(folio);
	if (residency == FRONTSWAP_RESIDENT &&
	    !frontswap_poisoned(area, offset, nr)) {
		ret = frontswap_fill(area, folio, exclusive);
	} else {
		ret = through ? -ENOENT : -EIO;
		trace_frontswap_load(area->type, offset, nr, exclusive, ret);
	}

	if (ret && through) {
		/* The device has what the store dropped. */
		frontswap_forget(area, offset, nr);
		return -ENOENT;
	}
	if (ret) {
		frontswap_count(failed_loads, nr);
		pr_alert_ratelimited("lost %u page(s) of swap area %u at offset %lu: error %d\n",
				     nr, area->type, offset, ret);
		return -EIO;
	}

	if (exclusive) {
		atomic_long_sub(frontswap_map_clear_run(&area->map, offset,
							offset + nr),
				&area->nr_pages);
		/* The only copy left, unless the device has one. */
		if (!through)
			folio_mark_dirty(folio);
	}
	frontswap_count_event(folio, FSWPIN, nr);
	folio_mark_uptodate(folio);
	return 0;
}

/* See frontswap_invalidate(). */
void __frontswap_invalidate(swp_entry_t entry, unsigned int nr)
{
	struct frontswap_area *area = frontswap_area_of(entry);

	if (area)
		frontswap_forget(area, swp_offset(entry), nr);
}

/* See frontswap_offer(). */
void __frontswap_offer(struct folio *folio)
{
	frontswap_count(offers, folio_nr_pages(folio));
}

/* See frontswap_present(). */
bool __frontswap_present(swp_entry_t entry)
{
	struct frontswap_area *area = frontswap_area_of(entry);

	return area && frontswap_map_test(&area->map, swp_offset(entry), 1) ==
		       FRONTSWAP_RESIDENT;
}

/* See frontswap_range_uniform(). */
bool __frontswap_range_uniform(swp_entry_t entry, unsigned int nr)
{
	struct frontswap_area *area = frontswap_area_of(entry);

	/* What is written through can always be read from the device. */
	return !area || test_bit(FRONTSWAP_AREA_THROUGH, &area->state) ||
	       frontswap_map_test(&area->map, swp_offset(entry), nr) !=
	       FRONTSWAP_MIXED;
}

/* See frontswap_swapcache_prepare(). */
int __frontswap_swapcache_prepare(swp_entry_t entry, int nr)
{
	int ret = swapcache_prepare(entry, nr);

	if (ret || __frontswap_range_uniform(entry, nr))
		return ret;
	swapcache_clear(swp_swap_info(entry), entry, nr);
	return -EAGAIN;
}

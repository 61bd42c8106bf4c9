// SPDX-License-Identifier: GPL-2.0-only
/*
 * Taking pages back from a frontswap backend: to the slot on the swap device
 * that every stored page has reserved, or into memory.
 *
 * A page is read into the swap cache like any page that is swapped in, so
 * faults, swapoff and other takers are excluded by the rules that hold there.
 * From the swap cache it goes straight to the device: no store is asked again.
 * This needs one page of memory at a time, which is the page's own once it is
 * written.
 */
#include <linux/backing-dev.h>
#include <linux/blkdev.h>
#include <linux/frontswap.h>
#include <linux/memcontrol.h>
#include <linux/mempolicy.h>
#include <linux/mm.h>
#include <linux/pagevec.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/swap.h>
#include <linux/swapops.h>
#include <linux/vmstat.h>
#include <linux/writeback.h>

#include <trace/events/frontswap.h>

#include "frontswap.h"
#include "internal.h"
#include "swap.h"

/* Pages that are taken back before a drain looks for signals */
#define DRAIN_STEP	1024

/**
 * struct frontswap_taker - somebody who takes pages back
 * @to_device: They go to their slots; otherwise they stay in memory.
 * @reclaims: In reclaim. Then nobody is waited for, who may wait for the folio that
 *	is being swapped out.
 * @written: On their way to the device.
 * @plug: The same, before the device is told.
 */
struct frontswap_taker {
	bool			to_device;
	bool			reclaims;
	struct folio_batch	written;
	struct blk_plug		plug;
};

/* Return: Pages in the store; those that were lost are not there. */
static long frontswap_held(struct frontswap_area *area)
{
	return atomic_long_read(&area->nr_pages) -
	       atomic_long_read(&area->nr_poisoned);
}

/*
 * Find or allocate the swap cache folio of a slot. Charging it must not kill
 * anybody: first let the cgroup reclaim, then exceed its limit by this page,
 * which leaves soon.
 */
static struct folio *frontswap_grab(swp_entry_t entry, bool *allocated)
{
	gfp_t gfp = GFP_HIGHUSER_MOVABLE | __GFP_RETRY_MAYFAIL | __GFP_NOWARN;
	struct mempolicy *mpol = get_task_policy(current);
	struct folio *folio;
	unsigned int flags;

	folio = __read_swap_cache_async(entry, gfp, mpol, NO_INTERLEAVE_INDEX,
					allocated, /*skip_if_exists=*/true);
	if (folio)
		return folio;

	flags = memalloc_noreclaim_save();
	folio = __read_swap_cache_async(entry, gfp | __GFP_NOMEMALLOC, mpol,
					NO_INTERLEAVE_INDEX, allocated,
					/*skip_if_exists=*/true);
	memalloc_noreclaim_restore(flags);
	return folio;
}

/*
 * Fill a locked folio of the swap cache whose content is not valid.
 *
 * Return: 0, -EIO if the page is lost, -EAGAIN without memory to note that.
 */
static int frontswap_take(struct frontswap_area *area, struct folio *folio)
{
	pgoff_t offset = swp_offset(folio->swap);

	if (xa_load(&area->poison, offset))
		return -EIO;
	if (!frontswap_fill(area, folio, /*exclusive=*/false)) {
		folio_mark_uptodate(folio);
		return 0;
	}
	if (frontswap_poison(area, offset))
		return -EAGAIN;
	frontswap_count(failed_loads, 1);
	return -EIO;
}

/*
 * Somebody has the slot's folio: its content is what counts. Make sure that it
 * is written before it goes.
 */
static int frontswap_release_cached(struct frontswap_area *area, pgoff_t offset,
				    struct folio *folio)
{
	pgoff_t first;
	unsigned int nr = folio_nr_pages(folio);
	int ret = 0;

	folio_lock(folio);
	first = swp_offset(folio->swap);
	if (!folio_test_swapcache(folio) ||
	    swp_type(folio->swap) != area->type ||
	    offset < first || offset >= first + nr) {
		ret = -EAGAIN;
		goto unlock;
	}
	if (test_bit(FRONTSWAP_AREA_THROUGH, &area->state))
		goto forget;
	/* Its load has failed; try once more. */
	if (!folio_test_uptodate(folio))
		ret = frontswap_take(area, folio);
	if (ret)
		goto unlock;
	folio_mark_dirty(folio);
	frontswap_count(pulls, nr);
forget:
	frontswap_forget(area, first, nr);
unlock:
	folio_unlock(folio);
	folio_put(folio);
	return ret;
}

/* Write a folio that was just filled, or leave it dirty in memory. */
static void frontswap_settle(struct folio *folio, struct frontswap_taker *taker)
{
	struct writeback_control wbc = {
		.sync_mode = WB_SYNC_NONE,
	};

	if (!taker->to_device ||
	    !mem_cgroup_zswap_writeback_enabled(folio_memcg(folio))) {
		folio_mark_dirty(folio);
		folio_unlock(folio);
		frontswap_count(pulls, 1);
		folio_put(folio);
		return;
	}
	count_vm_event(FSWPWB);
	count_memcg_folio_events(folio, FSWPWB, 1);
	frontswap_count(writebacks, 1);
	/* To the tail of the inactive list as soon as it is written. */
	folio_set_reclaim(folio);
	folio_batch_add(&taker->written, folio);
	__swap_writepage(folio, &wbc);
}

/*
 * Take one page back.
 *
 * Return: 0 if it left the store, -ENOENT if it was not there, -EIO if it is
 * lost, -EAGAIN if its slot is busy or memory is short.
 */
static int frontswap_take_slot(struct frontswap_area *area, pgoff_t offset,
			       struct frontswap_taker *taker)
{
	struct folio *folio;
	bool allocated;
	int ret = 0;

	folio = frontswap_grab(swp_entry(area->type, offset), &allocated);
	if (!folio)
		return -EAGAIN;
	if (!allocated && taker->reclaims) {
		folio_put(folio);
		return -EAGAIN;
	}
	if (!allocated)
		return frontswap_release_cached(area, offset, folio);

	/* The slot is ours now. It may have had another life before. */
	if (frontswap_map_test(&area->map, offset, 1) == FRONTSWAP_ABSENT)
		ret = -ENOENT;
	else if (!test_bit(FRONTSWAP_AREA_THROUGH, &area->state))
		ret = frontswap_take(area, folio);

	if (!ret)
		frontswap_forget(area, offset, 1);
	if (!ret && folio_test_uptodate(folio)) {
		frontswap_settle(folio, taker);
		return 0;
	}
	delete_from_swap_cache(folio);
	folio_unlock(folio);
	folio_put(folio);
	return ret;
}

static void frontswap_wait_written(struct frontswap_taker *taker)
{
	struct folio_batch *written = &taker->written;
	unsigned int i;

	for (i = 0; !taker->reclaims && i < folio_batch_count(written); i++)
		folio_wait_writeback(written->folios[i]);
	folio_batch_release(written);
}

static void frontswap_take_begin(struct frontswap_taker *taker, bool to_device)
{
	taker->to_device = to_device;
	taker->reclaims = current->flags & PF_MEMALLOC;
	folio_batch_init(&taker->written);
	blk_start_plug(&taker->plug);
}

static void frontswap_take_end(struct frontswap_taker *taker)
{
	blk_finish_plug(&taker->plug);
	frontswap_wait_written(taker);
}

/* As frontswap_take_slot(), and waits now and then for what was written. */
static int frontswap_take_next(struct frontswap_area *area, pgoff_t offset,
			       struct frontswap_taker *taker)
{
	int ret = frontswap_take_slot(area, offset, taker);

	trace_frontswap_writeback(area->type, offset, taker->to_device, ret);
	if (!folio_batch_space(&taker->written)) {
		frontswap_take_end(taker);
		frontswap_take_begin(taker, taker->to_device);
	}
	cond_resched();
	return ret;
}

/**
 * frontswap_writeback_range - take pages of a range of slots back
 * @area: The area.
 * @first: First slot.
 * @end: Slot after the last one.
 * @nr: Number of pages that is enough.
 * @to_device: Write them to their slots, as far as their cgroup allows it;
 *	otherwise they come to memory.
 *
 * Pages whose slot is busy are left out.
 *
 * Context: May sleep and reclaim memory.
 * Return: Number of pages that left the store.
 */
long frontswap_writeback_range(struct frontswap_area *area, pgoff_t first,
			       pgoff_t end, unsigned long nr, bool to_device)
{
	struct frontswap_taker taker;
	pgoff_t offset = first;
	unsigned long left = 0;

	frontswap_take_begin(&taker, to_device);
	while (left < nr &&
	       (offset = frontswap_map_next(&area->map, offset, end)) < end) {
		if (!frontswap_take_next(area, offset, &taker))
			left++;
		offset++;
	}
	frontswap_take_end(&taker);
	return left;
}

/* Take some pages of an area back, or wait a moment if that cannot be done. */
static void frontswap_drain_step(struct frontswap_area *area)
{
	/* Whoever owns the rest is about to let go of it. */
	if (!frontswap_writeback_range(area, 0, area->nr_slots, DRAIN_STEP,
				       /*to_device=*/true))
		schedule_timeout_uninterruptible(1);
}

/**
 * frontswap_drain_area - take every page of an area back
 * @area: The area; stores to it are refused.
 * @killable: Give up at a fatal signal.
 *
 * Context: May sleep.
 * Return: 0 when the store holds nothing of the area, or -EINTR.
 */
int frontswap_drain_area(struct frontswap_area *area, bool killable)
{
	while (frontswap_held(area) > 0) {
		if (killable && fatal_signal_pending(current))
			return -EINTR;
		frontswap_drain_step(area);
	}
	return 0;
}

/**
 * frontswap_drain_all - take every page of every area back
 * @killable: Give up at a fatal signal.
 *
 * Context: May sleep. Takes frontswap_mutex.
 * Return: 0 when the store is empty, or -EINTR.
 */
int frontswap_drain_all(bool killable)
{
	struct frontswap_area *area;
	unsigned int type;
	int ret = 0;

	for (type = 0; !ret && type < MAX_SWAPFILES; type++) {
		area = frontswap_area_get(type);
		if (!area)
			continue;
		ret = frontswap_drain_area(area, killable);
		frontswap_area_put(area);
	}
	return ret;
}

/**
 * frontswap_drain_until - take every page of every area back, in time
 * @deadline: When to give up, in jiffies.
 *
 * Context: May sleep. Takes frontswap_mutex.
 * Return: true when the store is empty.
 */
bool frontswap_drain_until(unsigned long deadline)
{
	struct frontswap_area *area;
	bool empty = true;
	unsigned int type;

	for (type = 0; empty && type < MAX_SWAPFILES; type++) {
		area = frontswap_area_get(type);
		if (!area)
			continue;
		while (frontswap_held(area) > 0 &&
		       time_before(jiffies, deadline))
			frontswap_drain_step(area);
		empty = frontswap_held(area) <= 0;
		frontswap_area_put(area);
	}
	return empty;
}

/**
 * frontswap_writeback - a backend wants pages to go to the swap device
 * @entries: Their slots.
 * @nr: Number of them.
 *
 * The backend chooses, since it knows the age of its pages. They are loaded and
 * invalidated through its operations. Pages that cannot go now are left: their
 * slot is busy, their area is gone or they are not stored any more.
 *
 * In reclaim it takes from the reserves, for each task PAGEVEC_SIZE pages at
 * most before they are on their way to the device, and does not wait for it.
 *
 * Context: Process context without locks. In reclaim only where I/O and filesystems
 * may be entered, and then the caller may have folios locked.
 * Return: Number of pages that left the store.
 */
unsigned int frontswap_writeback(const swp_entry_t *entries, unsigned int nr)
{
	struct frontswap_taker taker;
	struct frontswap_area *area;
	unsigned int i, left = 0;

	frontswap_take_begin(&taker, /*to_device=*/true);
	for (i = 0; i < nr; i++) {
		area = frontswap_area_get(swp_type(entries[i]));
		if (!area)
			continue;
		if (!frontswap_take_next(area, swp_offset(entries[i]), &taker))
			left++;
		frontswap_area_put(area);
	}
	frontswap_take_end(&taker);
	return left;
}
EXPORT_SYMBOL_GPL(frontswap_writeback);

static long frontswap_take_back(unsigned int type, unsigned long nr,
				bool to_device)
{
	struct frontswap_area *area = frontswap_area_get(type);
	long left;

	if (!area)
		return -ENODEV;
	left = frontswap_writeback_range(area, 0, area->nr_slots, nr,
					 to_device);
	frontswap_area_put(area);
	return left;
}

/**
 * frontswap_shrink - write any pages of an area to the swap device
 * @type: The swap area.
 * @nr: Number of pages wanted.
 *
 * Context: Process context without locks; reclaims memory, so not from reclaim.
 * Return: Number of pages that left the store, or -ENODEV without such an area.
 */
long frontswap_shrink(unsigned int type, unsigned long nr)
{
	return frontswap_take_back(type, nr, /*to_device=*/true);
}
EXPORT_SYMBOL_GPL(frontswap_shrink);

/**
 * frontswap_pull - bring any pages of an area back to memory
 * @type: The swap area.
 * @nr: Number of pages wanted.
 *
 * Context: Process context without locks; reclaims memory, so not from reclaim.
 * Return: Number of pages that left the store, or -ENODEV without such an area.
 */
long frontswap_pull(unsigned int type, unsigned long nr)
{
	return frontswap_take_back(type, nr, /*to_device=*/false);
}
EXPORT_SYMBOL_GPL(frontswap_pull);

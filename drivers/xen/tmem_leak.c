// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages of swap that the hypervisor was told to forget, and did not
 *
 * They are never read: frontswap asks only for what was stored, and a store
 * replaces what its slots had before. But they use memory that counts as ours, so
 * forgetting is tried again. That must not hit a page that has been stored
 * meanwhile: a note is removed before a store, under the lock under which
 * the page of a note is flushed. Without memory for a note the page stays until
 * its slot is stored, or its area goes.
 */
#include <linux/frontswap.h>
#include <linux/mm.h>
#include <linux/spinlock.h>
#include <linux/swapops.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "tmem.h"

/* Swap entries; its lock is held while one is flushed. */
static DEFINE_XARRAY_FLAGS(tmem_leaks, XA_FLAGS_LOCK_IRQ);

/**
 * xen_tmem_leak - note that pages were not forgotten
 * @type: The swap area.
 * @offset: First slot.
 * @nr: Number of slots.
 *
 * Context: Any.
 */
void xen_tmem_leak(unsigned int type, pgoff_t offset, unsigned int nr)
{
	unsigned long entry, flags;

	tmem_count(TMEM_LEAKED, nr);
	xa_lock_irqsave(&tmem_leaks, flags);
	for (; nr--; offset++) {
		entry = swp_entry(type, offset).val;
		__xa_store(&tmem_leaks, entry, xa_mk_value(0),
			   GFP_ATOMIC | __GFP_NOWARN);
	}
	xa_unlock_irqrestore(&tmem_leaks, flags);
	xen_tmem_retry_later();
}

/**
 * xen_tmem_unleak - slots will be stored: do not flush them any more
 * @type: The swap area.
 * @offset: First slot.
 * @nr: Number of slots.
 *
 * Context: Process.
 */
void xen_tmem_unleak(unsigned int type, pgoff_t offset, unsigned long nr)
{
	unsigned long index = swp_entry(type, offset).val;
	unsigned long last = index + nr - 1;
	void *note;

	if (likely(xa_empty(&tmem_leaks)))
		return;
	xa_lock_irq(&tmem_leaks);
	xa_for_each_range(&tmem_leaks, index, note, index, last)
		__xa_erase(&tmem_leaks, index);
	xa_unlock_irq(&tmem_leaks);
}

/**
 * xen_tmem_leaks_retry - try again to have pages forgotten
 *
 * Context: May sleep.
 * Return: true if some are left.
 */
bool xen_tmem_leaks_retry(void)
{
	unsigned long entry;
	void *note;

	xa_for_each(&tmem_leaks, entry, note) {
		swp_entry_t slot = { entry };

		xa_lock_irq(&tmem_leaks);
		if (xa_load(&tmem_leaks, entry) &&
		    !xen_tmem_swap_flush_slot(swp_type(slot), swp_offset(slot)))
			__xa_erase(&tmem_leaks, entry);
		xa_unlock_irq(&tmem_leaks);
		cond_resched();
	}
	return !xa_empty(&tmem_leaks);
}

/**
 * xen_tmem_leaks_clear - the pool goes, and the pages with it
 *
 * Context: May sleep.
 */
void xen_tmem_leaks_clear(void)
{
	xa_destroy(&tmem_leaks);
}

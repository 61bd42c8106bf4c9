// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages on their way to swap, in one persistent pool of the hypervisor
 *
 * An object is a piece of a swap area, small enough that the hypervisor can
 * forget it at once, and never has the name of a file's; the index is the slot's
 * place there. A page is in the store because frontswap knows that it is, and for
 * no other reason: what the hypervisor has not forgotten can never be read,
 * because the next store of that slot replaces it. See tmem_leak.c for how it goes
 * nevertheless.
 */
#define pr_fmt(fmt) "tmem: " fmt

#include <linux/delay.h>
#include <linux/frontswap.h>
#include <linux/mm.h>
#include <linux/sched.h>

#include "tmem.h"

/* Slots of an object: 16 MB */
#define TMEM_SWAP_SLOTS		4096

/* Third word of an object's name; that of a file's is 0. */
#define TMEM_SWAP_OBJECT	1

/* How often the hypervisor is asked to forget a piece of an area */
#define TMEM_FLUSH_TRIES	3

/* The pool; changes under xen_tmem_mutex, only while it holds nothing of ours */
int xen_tmem_swap_pool = TMEM_NO_POOL;

/* There is none as the hypervisor had no memory; under xen_tmem_mutex. */
static bool tmem_swap_starves;

/* By type; written before the area is used */
static unsigned long tmem_nr_slots[MAX_SWAPFILES];

static struct tmem_oid tmem_swap_oid(unsigned int type, pgoff_t offset)
{
	return (struct tmem_oid) {
		{ type, offset / TMEM_SWAP_SLOTS, TMEM_SWAP_OBJECT }
	};
}

static int tmem_swap_init(unsigned int type, unsigned long nr_slots,
			  bool writethrough)
{
	tmem_nr_slots[type] = nr_slots;
	return 0;
}

/* Return: The pool, if pages may be put and got now. */
static int tmem_swap_open(void)
{
	return READ_ONCE(xen_tmem_closed) ? TMEM_NO_POOL : READ_ONCE(xen_tmem_swap_pool);
}

/* Put or get one batch of a folio's pages, from page @first on. */
static int tmem_swap_batch(unsigned int cmd, int pool, pgoff_t offset,
			   struct folio *folio, unsigned int type,
			   unsigned int first)
{
	unsigned int end = min(first + TMEM_BATCH_ENTRIES,
			       folio_nr_pages(folio));
	struct tmem_batch *batch = xen_tmem_batch_get();
	int err;

	for (; first < end; first++) {
		struct tmem_oid oid = tmem_swap_oid(type, offset + first);

		xen_tmem_batch_add(batch, cmd, pool, &oid,
				   (offset + first) % TMEM_SWAP_SLOTS,
				   folio_page(folio, first));
	}
	err = xen_tmem_batch_run(batch);
	xen_tmem_batch_put();
	return err;
}

/* Put or get all pages of a folio; the first error ends it. */
static int tmem_swap_copy(unsigned int cmd, unsigned int type, pgoff_t offset,
			  struct folio *folio)
{
	unsigned int i, nr = folio_nr_pages(folio);
	int pool = tmem_swap_open();
	int err = 0;

	if (pool == TMEM_NO_POOL)
		return -ENODEV;
	for (i = 0; !err && i < nr; i += TMEM_BATCH_ENTRIES) {
		err = tmem_swap_batch(cmd, pool, offset, folio, type, i);
		cond_resched();
	}
	return err;
}

/**
 * xen_tmem_swap_flush_slot - forget the page of one slot
 * @type: The swap area.
 * @offset: The slot.
 *
 * Context: Any.
 * Return: 0 if it is not there any more, or a negative error code.
 */
int xen_tmem_swap_flush_slot(unsigned int type, pgoff_t offset)
{
	struct tmem_oid oid = tmem_swap_oid(type, offset);

	return xen_tmem_flush_pages(xen_tmem_swap_pool, &oid,
				    offset % TMEM_SWAP_SLOTS, 1);
}

/* What cannot be flushed is noted as a leak. */
static void tmem_swap_flush(unsigned int type, pgoff_t offset, unsigned int nr)
{
	int pool = tmem_swap_open();

	/* While the pool is closed it is empty. */
	while (nr && pool != TMEM_NO_POOL) {
		struct tmem_oid oid = tmem_swap_oid(type, offset);
		u32 index = offset % TMEM_SWAP_SLOTS;
		unsigned int n = min(nr, TMEM_SWAP_SLOTS - index);

		if (xen_tmem_flush_pages(pool, &oid, index, n))
			xen_tmem_leak(type, offset, n);
		offset += n;
		nr -= n;
	}
}

/*
 * All pages or none, and after a failure no older page of these slots either:
 * neither of those that were put nor of those that were not tried any more.
 */
static int tmem_swap_store(unsigned int type, pgoff_t offset,
			   struct folio *folio)
{
	unsigned int nr = folio_nr_pages(folio);
	int err;

	xen_tmem_unleak(type, offset, nr);
	err = tmem_swap_copy(TMEM_PUT_PAGE, type, offset, folio);
	if (!err) {
		tmem_count(TMEM_STORES, nr);
		return 0;
	}
	if (nr > 1 || !xen_tmem_left_nothing(err))
		tmem_swap_flush(type, offset, nr);
	tmem_count(TMEM_REFUSED, nr);
	return err;
}

/*
 * A page that the hypervisor does not return is lost: no other one is right. It is
 * removed by another call, and only when it has been returned: what could not be
 * written to the folio would be lost otherwise.
 */
static int tmem_swap_load(unsigned int type, pgoff_t offset,
			  struct folio *folio, bool exclusive)
{
	unsigned int nr = folio_nr_pages(folio);

	if (tmem_swap_copy(TMEM_GET_PAGE, type, offset, folio)) {
		tmem_count(TMEM_FAILED_LOADS, nr);
		return -EIO;
	}
	tmem_count(TMEM_LOADS, nr);
	if (exclusive)
		tmem_swap_flush(type, offset, nr);
	return 0;
}

/* Any context: an interrupt's, too, that came in the middle of a batch. */
static void tmem_swap_invalidate(unsigned int type, pgoff_t offset,
				 unsigned int nr)
{
	tmem_swap_flush(type, offset, nr);
	tmem_count(TMEM_INVALIDATES, nr);
}

static int tmem_swap_flush_object(int pool, const struct tmem_oid *oid)
{
	int err, tries = TMEM_FLUSH_TRIES;

	do {
		err = xen_tmem_flush_object(pool, oid);
	} while (err && --tries && !msleep_interruptible(TMEM_RETRY_MS / 10));
	return err;
}

/*
 * What stays behind costs memory until the pool goes, or until the slots are
 * stored again.
 */
static void tmem_swap_invalidate_area(unsigned int type)
{
	unsigned long slot, left = 0;
	int pool = tmem_swap_open();

	/* While the pool is closed it is empty. */
	if (pool == TMEM_NO_POOL)
		return;
	for (slot = 0; slot < tmem_nr_slots[type]; slot += TMEM_SWAP_SLOTS) {
		struct tmem_oid oid = tmem_swap_oid(type, slot);

		left += !!tmem_swap_flush_object(pool, &oid);
		cond_resched();
	}
	if (left)
		pr_warn("the hypervisor did not forget %lu object(s) of swap area %u\n",
			left, type);
	xen_tmem_unleak(type, 0, tmem_nr_slots[type]);
}

/*
 * Exclusive, as a page that is here and there counts twice: what the pool has of the
 * guest's maximum the balloon cannot have.
 */
const struct frontswap_ops xen_tmem_swap_ops = {
	.name = KBUILD_MODNAME,
	.flags = FRONTSWAP_OUTSIDE | FRONTSWAP_VOLATILE | FRONTSWAP_EXCLUSIVE,
	.init = tmem_swap_init,
	.store = tmem_swap_store,
	.load = tmem_swap_load,
	.invalidate = tmem_swap_invalidate,
	.invalidate_area = tmem_swap_invalidate_area,
};

/**
 * xen_tmem_swap_make_pool - have a pool, if swap is served and there is none
 *
 * As long as there is none nothing is stored. If the hypervisor lacks memory for
 * it now, it is asked again later.
 *
 * Context: May sleep. xen_tmem_mutex is held.
 * Return: 0, or -ENODEV if this hypervisor does not keep pages of swap for us.
 */
int xen_tmem_swap_make_pool(void)
{
	int pool;

	lockdep_assert_held(&xen_tmem_mutex);
	if (!xen_tmem_frontswap || xen_tmem_swap_pool != TMEM_NO_POOL)
		return 0;
	pool = xen_tmem_new_pool(TMEM_POOL_PERSIST);
	if (pool >= 0) {
		tmem_swap_starves = false;
		WRITE_ONCE(xen_tmem_swap_pool, pool);
		return 0;
	}
	if (!tmem_swap_starves)
		pr_info("this Xen keeps no pages of swap for us%s (%d)\n",
			pool == -ENOMEM ? " yet" : "", pool);
	tmem_swap_starves = pool == -ENOMEM;
	if (!tmem_swap_starves)
		return -ENODEV;
	xen_tmem_retry_later();
	return 0;
}

/**
 * xen_tmem_swap_retry - try again to have a pool
 *
 * Context: May sleep. xen_tmem_mutex is held.
 */
void xen_tmem_swap_retry(void)
{
	if (tmem_swap_starves)
		xen_tmem_swap_make_pool();
}

/**
 * xen_tmem_swap_lose_pool - the hypervisor does not have the pool any more
 *
 * Context: May sleep.
 */
void xen_tmem_swap_lose_pool(void)
{
	xen_tmem_leaks_clear();
	tmem_swap_starves = false;
	WRITE_ONCE(xen_tmem_swap_pool, TMEM_NO_POOL);
}

static void tmem_swap_destroy_pool(void)
{
	int pool;

	mutex_lock(&xen_tmem_mutex);
	pool = xen_tmem_swap_pool;
	xen_tmem_swap_lose_pool();
	if (pool != TMEM_NO_POOL)
		xen_tmem_drop_pool(pool);
	mutex_unlock(&xen_tmem_mutex);
}

/**
 * xen_tmem_swap_start - make the pool and connect to frontswap
 *
 * Context: May sleep. Takes frontswap_mutex.
 * Return: 0, -ENODEV of xen_tmem_swap_make_pool(), or another negative error code
 * of frontswap_register_ops().
 */
int xen_tmem_swap_start(void)
{
	int err;

	mutex_lock(&xen_tmem_mutex);
	err = xen_tmem_swap_make_pool();
	mutex_unlock(&xen_tmem_mutex);
	if (err)
		return err;
	err = frontswap_register_ops(&xen_tmem_swap_ops);
	if (err)
		tmem_swap_destroy_pool();
	return err;
}

/**
 * xen_tmem_swap_stop - take all pages back and destroy the pool
 *
 * Context: May sleep, for as long as the swap devices take. Takes
 * frontswap_mutex.
 */
void xen_tmem_swap_stop(void)
{
	frontswap_unregister_ops(&xen_tmem_swap_ops);
	tmem_swap_destroy_pool();
}

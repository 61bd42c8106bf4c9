/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * frontswap - a store of transcendent memory in front of every swap device
 *
 * A page on its way to a swap device is first offered to a backend, which may
 * copy it to memory that the kernel cannot address and may refuse it. A page
 * that the backend took is read back from there and from nowhere else.
 *
 * See Documentation/mm/frontswap.rst.
 */
#ifndef _LINUX_FRONTSWAP_H
#define _LINUX_FRONTSWAP_H

#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/jump_label.h>
#include <linux/mm_types.h>
#include <linux/swap.h>
#include <linux/types.h>

/*
 * Properties of a backend, struct frontswap_ops.flags
 */

/* Pages leave the machine or guest: others than its kernel may read them. */
#define FRONTSWAP_OUTSIDE	BIT(0)
/* Pages are not part of a hibernation image. */
#define FRONTSWAP_VOLATILE	BIT(1)
/* A load into the swap cache removes the page from the store. */
#define FRONTSWAP_EXCLUSIVE	BIT(2)
/* The store may drop pages at any time; every area is written through. */
#define FRONTSWAP_WRITETHROUGH	BIT(3)
/* Pages are offered before zswap sees them, not after it refused them. */
#define FRONTSWAP_BEFORE_ZSWAP	BIT(4)

#define FRONTSWAP_FLAGS		GENMASK(4, 0)

/**
 * struct frontswap_ops - what a backend does for the swap subsystem
 * @name: Name of the backend, for the administrator.
 * @flags: Properties of the backend, FRONTSWAP_*.
 * @init: Prepare for pages of swap area @type, which has @nr_slots slots of one
 *	page each; offsets below are smaller than that. With @writethrough every
 *	page also goes to the swap device and the backend may drop pages of this
 *	area whenever it likes, otherwise it must keep them. May sleep. Returns
 *	0, or a negative error code; the area then stays without tmem.
 * @store: Copy all pages of @folio into the store as slots @offset,
 *	@offset + 1, ... of area @type; all of them or none. A slot may hold an
 *	older page, which is replaced. The folio is locked and in the swap
 *	cache. Stores of different folios run concurrently. May sleep as far as
 *	reclaim may (no recursion into I/O or the filesystem). Returns 0 when
 *	the copy is complete; otherwise a negative error code (-ENOSPC, -ENOMEM,
 *	...), and then the store holds no page of these slots any more, older
 *	ones included.
 * @load: Fill all pages of @folio from slots @offset, @offset + 1, ... of area
 *	@type. With @exclusive the pages are removed from the store on success.
 *	The folio is locked; nobody stores or invalidates these slots meanwhile.
 *	May sleep. Returns 0 when all pages were copied; otherwise a negative
 *	error code, and the content of the folio is undefined. In an area that
 *	is not written through an error means that the data is lost.
 * @invalidate: Forget slots @offset ... @offset + @nr - 1 of area @type. All of
 *	them were stored, but in a written through area some may have been
 *	dropped since. Called in any context, with spinlocks held and interrupts
 *	off: must not sleep. A backend that queues this must keep it ordered
 *	before a later @store.
 * @invalidate_area: Forget area @type with everything in it; nothing but a new
 *	@init follows for it, and no other operation runs on it. May sleep.
 */
struct frontswap_ops {
	const char *name;
	unsigned int flags;
	int (*init)(unsigned int type, unsigned long nr_slots,
		    bool writethrough);
	int (*store)(unsigned int type, pgoff_t offset, struct folio *folio);
	int (*load)(unsigned int type, pgoff_t offset, struct folio *folio,
		    bool exclusive);
	void (*invalidate)(unsigned int type, pgoff_t offset, unsigned int nr);
	void (*invalidate_area)(unsigned int type);
};

#ifdef CONFIG_FRONTSWAP

int frontswap_register_ops(const struct frontswap_ops *ops);
void frontswap_unregister_ops(const struct frontswap_ops *ops);
unsigned int frontswap_writeback(const swp_entry_t *entries, unsigned int nr);
long frontswap_shrink(unsigned int type, unsigned long nr);
long frontswap_pull(unsigned int type, unsigned long nr);
unsigned long frontswap_pages(void);
int frontswap_suspend(unsigned long timeout);
void frontswap_resume(void);

/* For the swap subsystem only. */

DECLARE_STATIC_KEY_FALSE(frontswap_key);

void frontswap_swapon(struct swap_info_struct *si, unsigned long nr_slots);
void frontswap_swapoff(unsigned int type);
void __frontswap_offer(struct folio *folio);
bool __frontswap_store(struct folio *folio, bool before_zswap);
int __frontswap_load(struct folio *folio);
void __frontswap_invalidate(swp_entry_t entry, unsigned int nr);
bool __frontswap_present(swp_entry_t entry);
bool __frontswap_range_uniform(swp_entry_t entry, unsigned int nr);
int __frontswap_swapcache_prepare(swp_entry_t entry, int nr);

static inline bool frontswap_active(void)
{
	return static_branch_unlikely(&frontswap_key);
}

/**
 * frontswap_offer - count a folio that is about to be swapped out
 * @folio: A locked folio in the swap cache.
 *
 * Counts on its own, so that what became of the offers can be checked: each
 * page is then stored, found to be zero-filled or written somewhere else.
 */
static inline void frontswap_offer(struct folio *folio)
{
	if (frontswap_active())
		__frontswap_offer(folio);
}

/**
 * frontswap_store_before_zswap - offer a folio to a backend ahead of zswap
 * @folio: A locked folio in the swap cache.
 *
 * Context: May sleep as far as reclaim may.
 * Return: true if all pages are in the store and the folio needs no write.
 */
static inline bool frontswap_store_before_zswap(struct folio *folio)
{
	return frontswap_active() &&
	       __frontswap_store(folio, /*before_zswap=*/true);
}

/**
 * frontswap_store - offer a folio that zswap did not take
 * @folio: A locked folio in the swap cache.
 *
 * Unless this or frontswap_store_before_zswap() returned true the store holds
 * no page of the folio afterwards, except in an area that is written through.
 *
 * Context: May sleep as far as reclaim may.
 * Return: true if all pages are in the store and the folio needs no write.
 */
static inline bool frontswap_store(struct folio *folio)
{
	return frontswap_active() &&
	       __frontswap_store(folio, /*before_zswap=*/false);
}

/**
 * frontswap_load - fill a folio from the store
 * @folio: A locked folio with its swap entry set, in the swap cache or, on a
 *	synchronous device, owned by holding SWAP_HAS_CACHE of its slots.
 *
 * Context: May sleep.
 * Return: 0 if the folio is filled and marked so, -ENOENT if the data is
 * elsewhere, -EIO if it is in the store and cannot be had: the swap device must
 * not be read then. Never unlocks the folio.
 */
static inline int frontswap_load(struct folio *folio)
{
	if (frontswap_active())
		return __frontswap_load(folio);
	return -ENOENT;
}

/**
 * frontswap_invalidate - forget the pages of swap slots
 * @entry: The first slot.
 * @nr: Number of slots.
 *
 * Context: Any; the caller owns the slots.
 */
static inline void frontswap_invalidate(swp_entry_t entry, unsigned int nr)
{
	if (frontswap_active())
		__frontswap_invalidate(entry, nr);
}

/**
 * frontswap_invalidate_folio - forget the pages of a folio's swap slots
 * @folio: A locked folio in the swap cache.
 *
 * Context: Any.
 */
static inline void frontswap_invalidate_folio(struct folio *folio)
{
	if (frontswap_active())
		__frontswap_invalidate(folio->swap, folio_nr_pages(folio));
}

/**
 * frontswap_present - does the store hold the page of a swap slot?
 * @entry: The slot, of an area that cannot be swapped off meanwhile.
 *
 * Context: Any. A hint unless the caller owns the slot.
 * Return: true if it does.
 */
static inline bool frontswap_present(swp_entry_t entry)
{
	return frontswap_active() && __frontswap_present(entry);
}

/**
 * frontswap_range_uniform - can one folio be read from a range of slots?
 * @entry: The first slot, of an area that cannot be swapped off meanwhile.
 * @nr: Number of slots.
 *
 * Context: Any. A hint unless the caller owns the slots.
 * Return: true if the store holds all of them or none of them.
 */
static inline bool frontswap_range_uniform(swp_entry_t entry, unsigned int nr)
{
	return !frontswap_active() || __frontswap_range_uniform(entry, nr);
}

/**
 * frontswap_swapcache_prepare - own slots to read them into one folio
 * @entry: The first slot.
 * @nr: Number of slots.
 *
 * As swapcache_prepare(), and where that alone cannot tell: a neighbour may
 * have been swapped out to another place since frontswap_range_uniform() was
 * asked. The caller tries again and finds a smaller range then.
 *
 * Context: Any.
 * Return: 0; an error of swapcache_prepare(); -EAGAIN if the store holds some of
 * the pages, but not all of them.
 */
static inline int frontswap_swapcache_prepare(swp_entry_t entry, int nr)
{
	if (frontswap_active())
		return __frontswap_swapcache_prepare(entry, nr);
	return swapcache_prepare(entry, nr);
}

#else /* !CONFIG_FRONTSWAP */

static inline bool frontswap_active(void)
{
	return false;
}

static inline void frontswap_swapon(struct swap_info_struct *si,
				    unsigned long nr_slots)
{
}

static inline void frontswap_swapoff(unsigned int type)
{
}

static inline void frontswap_offer(struct folio *folio)
{
}

static inline bool frontswap_store_before_zswap(struct folio *folio)
{
	return false;
}

static inline bool frontswap_store(struct folio *folio)
{
	return false;
}

static inline int frontswap_load(struct folio *folio)
{
	return -ENOENT;
}

static inline void frontswap_invalidate(swp_entry_t entry, unsigned int nr)
{
}

static inline void frontswap_invalidate_folio(struct folio *folio)
{
}

static inline bool frontswap_present(swp_entry_t entry)
{
	return false;
}

static inline bool frontswap_range_uniform(swp_entry_t entry, unsigned int nr)
{
	return true;
}

/* No function, not even inline: with one, other code is made of do_swap_page(). */
#define frontswap_swapcache_prepare	swapcache_prepare

#endif /* CONFIG_FRONTSWAP */

#endif /* _LINUX_FRONTSWAP_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of frontswap share with each other and with nobody else. */
#ifndef _MM_FRONTSWAP_H
#define _MM_FRONTSWAP_H

#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/frontswap.h>
#include <linux/kobject.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/srcu.h>
#include <linux/swap.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "tmem.h"

/* Why a page was not stored; each has its counter in sysfs. */
enum frontswap_reject {
	FRONTSWAP_ACCEPT,
	FRONTSWAP_REJECT_BACKEND,	/* the backend refused */
	FRONTSWAP_REJECT_DISABLED,	/* the front end is switched off */
	FRONTSWAP_REJECT_DRAINING,	/* backend leaves or area changes mode */
	FRONTSWAP_REJECT_HIBERNATION,	/* volatile store during hibernation, */
					/* or the store is suspended */
	FRONTSWAP_REJECT_EXCLUDED,	/* area excluded by the administrator */
	FRONTSWAP_REJECT_ENCRYPTED,	/* encrypted area, backend outside */
	FRONTSWAP_REJECT_AREA,		/* the backend does not serve the area */
	FRONTSWAP_REJECT_MEMORY,	/* no memory for the residency map */
	FRONTSWAP_REJECT_CGROUP,	/* written through, but may not be written */
	NR_FRONTSWAP_REJECTS,
};

/* State of the front end, bits of frontswap_state */
enum frontswap_state_bit {
	FRONTSWAP_DISABLED,		/* switched off by the administrator */
	FRONTSWAP_LEAVING,		/* the backend unregisters */
	FRONTSWAP_HIBERNATING,		/* between PREPARE and POST */
	FRONTSWAP_SUSPENDED,		/* the backend may lose its store */
	FRONTSWAP_ALLOW_ENCRYPTED,	/* encrypted areas may leave the guest */
};

/* State of an area, bits of struct frontswap_area.state */
enum frontswap_area_bit {
	FRONTSWAP_AREA_SERVED,		/* the backend's init succeeded */
	FRONTSWAP_AREA_EXCLUDED,	/* excluded by the administrator */
	FRONTSWAP_AREA_DRAINING,	/* mode change in progress */
	FRONTSWAP_AREA_THROUGH,		/* pages also go to the device */
	FRONTSWAP_AREA_WANT_THROUGH,	/* the administrator wants that */
	FRONTSWAP_AREA_ENCRYPTED,	/* the device encrypts what it stores */
};

/* Slots whose bits are allocated together, in one page */
#define FRONTSWAP_CHUNK_SLOTS	(PAGE_SIZE * BITS_PER_BYTE)
/* Chunks that are kept for when memory is short, at most */
#define FRONTSWAP_SPARES	8UL

/**
 * struct frontswap_map - which slots of an area are resident in the store
 * @chunks: Bits of FRONTSWAP_CHUNK_SLOTS slots each, NULL until one is set.
 *	The table itself is allocated when there is a backend.
 * @nr_chunks: Size of the table.
 * @nr_used: Number of chunks that are allocated.
 * @grow: Protects @nr_used, @spares and @nr_spares, and serialises setting a
 *	pointer in @chunks.
 * @spares: Addresses of zeroed chunks for when there is no memory.
 * @nr_spares: Number of them.
 * @refill: Allocates @spares.
 */
struct frontswap_map {
	unsigned long		**chunks;
	unsigned long		nr_chunks;
	unsigned long		nr_used;
	struct mutex		grow;		/* chunks, spares */
	unsigned long		spares[FRONTSWAP_SPARES];
	unsigned int		nr_spares;
	struct work_struct	refill;
};

/**
 * struct frontswap_area - the front end's view of one swap area
 * @kobj: The area's directory in sysfs; its references keep the area.
 * @file: What is swapped to; valid until frontswap_swapoff() returns.
 * @type: Index of the area.
 * @nr_slots: Number of slots, the header's included.
 * @state: FRONTSWAP_AREA_*; atomic bit operations. SERVED and THROUGH change
 *	only under frontswap_mutex while the area is closed and holds nothing.
 * @mode_lock: Serialises mode changes of this area. Nests outside
 *	frontswap_mutex.
 * @map: Residency, one bit per slot; see frontswap_map.c.
 * @poison: Slots whose page was lost when the store was drained. Only
 *	these are read as an I/O error without asking a backend.
 * @nr_pages: Bits set in @map.
 * @nr_poisoned: Entries of @poison, each of them counted in @nr_pages too.
 * @rcu: For its end.
 */
struct frontswap_area {
	struct kobject		kobj;
	struct file		*file;
	unsigned int		type;
	unsigned long		nr_slots;
	unsigned long		state;
	struct mutex		mode_lock;	/* mode changes */
	struct frontswap_map	map;
	struct xarray		poison;
	atomic_long_t		nr_pages;
	atomic_long_t		nr_poisoned;
	struct rcu_head		rcu;
};

/* All in pages and counted since boot; summed over CPUs when read. */
struct frontswap_stats {
	unsigned long offers;
	unsigned long stores;
	unsigned long loads;
	unsigned long failed_loads;
	unsigned long invalidates;
	unsigned long writebacks;
	unsigned long pulls;
	unsigned long rejects[NR_FRONTSWAP_REJECTS];
};

DECLARE_PER_CPU(struct frontswap_stats, frontswap_stats);

#define frontswap_count(counter, nr) \
	this_cpu_add(frontswap_stats.counter, nr)

/* Protects registration, the table of areas and which areas are served. */
extern struct mutex frontswap_mutex;
extern const struct frontswap_ops *frontswap_backend;
/* The backend's functions that may sleep run inside. */
extern struct srcu_struct frontswap_srcu;
extern unsigned long frontswap_state;
/* Properties of the backend; kept apart from it so that no hook follows it. */
extern unsigned int frontswap_flags;
/*
 * Written under frontswap_mutex. Hooks read it without: they hold a slot in
 * use, and an area goes only after its last slot was freed.
 */
extern struct frontswap_area *frontswap_areas[MAX_SWAPFILES];

/* frontswap.c */
void frontswap_connect(const struct frontswap_ops *ops);
void frontswap_forget(struct frontswap_area *area, pgoff_t offset,
		      unsigned int nr);
int frontswap_poison(struct frontswap_area *area, pgoff_t offset);
int frontswap_fill(struct frontswap_area *area, struct folio *folio,
		   bool exclusive);

/* frontswap_control.c */
struct frontswap_area *frontswap_area_get(unsigned int type);
void frontswap_area_put(struct frontswap_area *area);
int frontswap_set_enabled(bool enabled);
int frontswap_set_allow_encrypted(bool allow);
int frontswap_set_excluded(struct frontswap_area *area, bool excluded);
int frontswap_set_writethrough(struct frontswap_area *area, bool through);

/* frontswap_map.c */
enum frontswap_residency {
	FRONTSWAP_ABSENT,
	FRONTSWAP_RESIDENT,
	FRONTSWAP_MIXED,
};

void frontswap_map_init(struct frontswap_map *map, unsigned long nr_slots);
int frontswap_map_alloc(struct frontswap_map *map);
void frontswap_map_destroy(struct frontswap_map *map);
int frontswap_map_reserve(struct frontswap_map *map, pgoff_t offset,
			  unsigned int nr);
unsigned int frontswap_map_set(struct frontswap_map *map, pgoff_t offset,
			       unsigned int nr);
unsigned int frontswap_map_clear_run(struct frontswap_map *map, pgoff_t offset,
				     pgoff_t end);
pgoff_t frontswap_map_next(struct frontswap_map *map, pgoff_t offset,
			   pgoff_t end);
enum frontswap_residency frontswap_map_test(struct frontswap_map *map,
					    pgoff_t offset, unsigned int nr);

/* frontswap_writeback.c */
int frontswap_drain_area(struct frontswap_area *area, bool killable);
int frontswap_drain_all(bool killable);
bool frontswap_drain_until(unsigned long deadline);
long frontswap_writeback_range(struct frontswap_area *area, pgoff_t first,
			       pgoff_t end, unsigned long nr, bool to_device);

/* frontswap_sysfs.c */
int frontswap_area_add_sysfs(struct frontswap_area *area);

/**
 * frontswap_keeps_encrypted - must pages of this area stay inside?
 * @flags: Properties of the backend, FRONTSWAP_*.
 * @state: State of the front end.
 * @area_state: State of the area.
 *
 * Return: true if the backend must not get pages of the area.
 */
static inline bool frontswap_keeps_encrypted(unsigned int flags,
					     unsigned long state,
					     unsigned long area_state)
{
	return tmem_keeps_encrypted(flags & FRONTSWAP_OUTSIDE,
				    test_bit(FRONTSWAP_AREA_ENCRYPTED,
					     &area_state),
				    test_bit(FRONTSWAP_ALLOW_ENCRYPTED,
					     &state));
}

/**
 * frontswap_policy - may a page of an area be offered to the backend?
 * @flags: Properties of the backend, FRONTSWAP_*.
 * @state: State of the front end.
 * @area_state: State of the area.
 *
 * Return: FRONTSWAP_ACCEPT, or why not.
 */
static inline enum frontswap_reject
frontswap_policy(unsigned int flags, unsigned long state,
		 unsigned long area_state)
{
	if (test_bit(FRONTSWAP_DISABLED, &state))
		return FRONTSWAP_REJECT_DISABLED;
	if (test_bit(FRONTSWAP_LEAVING, &state) ||
	    test_bit(FRONTSWAP_AREA_DRAINING, &area_state))
		return FRONTSWAP_REJECT_DRAINING;
	if (test_bit(FRONTSWAP_SUSPENDED, &state) ||
	    (test_bit(FRONTSWAP_HIBERNATING, &state) &&
	     (flags & FRONTSWAP_VOLATILE)))
		return FRONTSWAP_REJECT_HIBERNATION;
	if (test_bit(FRONTSWAP_AREA_EXCLUDED, &area_state))
		return FRONTSWAP_REJECT_EXCLUDED;
	if (!test_bit(FRONTSWAP_AREA_SERVED, &area_state))
		return FRONTSWAP_REJECT_AREA;
	if (frontswap_keeps_encrypted(flags, state, area_state))
		return FRONTSWAP_REJECT_ENCRYPTED;
	return FRONTSWAP_ACCEPT;
}

/**
 * frontswap_goes_first - is an area's page offered before zswap sees it?
 * @flags: Properties of the backend, FRONTSWAP_*.
 * @area_state: State of the area.
 *
 * A page that is written through goes to the device as well, so it is offered
 * where that is certain: after zswap refused it.
 *
 * Return: true for before zswap, false for behind it.
 */
static inline bool frontswap_goes_first(unsigned int flags,
					unsigned long area_state)
{
	return (flags & FRONTSWAP_BEFORE_ZSWAP) &&
	       !test_bit(FRONTSWAP_AREA_THROUGH, &area_state);
}

#endif /* _MM_FRONTSWAP_H */

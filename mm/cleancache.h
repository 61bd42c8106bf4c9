/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of cleancache share with each other and with nobody else. */
#ifndef _MM_CLEANCACHE_H
#define _MM_CLEANCACHE_H

#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/cleancache.h>
#include <linux/gfp.h>
#include <linux/kobject.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/rbtree.h>
#include <linux/refcount.h>
#include <linux/rhashtable-types.h>
#include <linux/spinlock.h>
#include <linux/srcu.h>
#include <linux/static_call.h>
#include <linux/xarray.h>

#include "tmem.h"

/*
 * Pages whose bits are kept together. A folio lies in one chunk, since it is
 * aligned to its size.
 */
#define CLEANCACHE_CHUNK_PAGES \
	(1UL << MAX(9, MIN(MAX_XAS_ORDER, PREFERRED_MAX_PAGECACHE_ORDER)))

/*
 * Called in reclaim, when memory is short: it must not wait for memory, and may take
 * half of what is kept for such times. All of it is not: others need it too.
 */
#define CLEANCACHE_GFP \
	(GFP_NOWAIT | __GFP_HIGH | __GFP_NOMEMALLOC | __GFP_NORETRY | __GFP_NOWARN)

/* Why a page was not put; each has its counter in sysfs. */
enum cleancache_reject {
	CLEANCACHE_ACCEPT,
	CLEANCACHE_REJECT_BACKEND,	/* the backend refused */
	CLEANCACHE_REJECT_DISABLED,	/* the front end is switched off */
	CLEANCACHE_REJECT_DRAINING,	/* the pools are being emptied */
	CLEANCACHE_REJECT_HIBERNATION,	/* between PREPARE and POST */
	CLEANCACHE_REJECT_EXCLUDED,	/* mount excluded by the administrator */
	CLEANCACHE_REJECT_ENCRYPTED,	/* encrypted device, backend outside */
	CLEANCACHE_REJECT_MOUNT,	/* the backend does not serve the mount */
	CLEANCACHE_REJECT_FILE,		/* encrypted, verity, DAX, swap file */
	CLEANCACHE_REJECT_ERROR,	/* a write to the file failed */
	CLEANCACHE_REJECT_DIRECT,	/* direct I/O on the file is running */
	CLEANCACHE_REJECT_PAGE,		/* end of file, max_index, poisoned */
	CLEANCACHE_REJECT_ADMISSION,	/* read only once so far */
	CLEANCACHE_REJECT_MEMORY,	/* no memory to remember the page */
	NR_CLEANCACHE_REJECTS,
};

/* State of the front end, bits of cleancache_state */
enum cleancache_state_bit {
	CLEANCACHE_DISABLED,		/* switched off by the administrator */
	CLEANCACHE_HIBERNATING,		/* between PREPARE and POST */
	CLEANCACHE_ALLOW_ENCRYPTED,	/* encrypted mounts may leave the guest */
	CLEANCACHE_ADMIT_REUSED,	/* pages used only once are not put */
};

/* State of a mount, bits of struct cleancache_mount.state */
enum cleancache_mount_bit {
	CLEANCACHE_MOUNT_SERVED,	/* has a pool; puts and gets are on */
	CLEANCACHE_MOUNT_EXCLUDED,	/* excluded by the administrator */
	CLEANCACHE_MOUNT_DRAINING,	/* being emptied */
	CLEANCACHE_MOUNT_ENCRYPTED,	/* the device encrypts what it stores */
	CLEANCACHE_MOUNT_SHARED,	/* the pool is shared; constant while SERVED */
};

/**
 * struct cleancache_mount - the front end's view of one mounted filesystem
 * @kobj: Its directory in sysfs; its references keep the structure.
 * @node: In cleancache_mounts; under cleancache_mutex.
 * @sb: The filesystem; valid until cleancache_umount().
 * @state: CLEANCACHE_MOUNT_*; atomic bit operations. SERVED changes only under
 *	cleancache_mutex.
 * @pool: The backend's id of its pool while SERVED.
 * @lock: Protects @objects.
 * @objects: All its objects.
 * @nr_pages: Pages that the store may hold.
 * @nr_objects: Length of @objects.
 */
struct cleancache_mount {
	struct kobject		kobj;
	struct list_head	node;
	struct super_block	*sb;
	unsigned long		state;
	int			pool;
	spinlock_t		lock;		/* objects */
	struct list_head	objects;
	atomic_long_t		nr_pages;
	atomic_long_t		nr_objects;
};

/**
 * struct cleancache_object - what the store may hold of one file
 * @hash: In the table of all objects, by @mapping.
 * @mapping: The file. Only compared: the inode may be gone already.
 * @mount: The filesystem. The object keeps it.
 * @node: In @mount->objects, until the object is dead.
 * @id: Never used again, for no file; in a shared pool see
 *	cleancache_shared_id().
 * @pool: The pool that @id belongs to.
 * @shared: @pool is: who knows what is there.
 * @ref: One for being alive, and those of running operations.
 * @lock: Protects @dead and @chunks.
 * @dead: Nothing is put any more; no chunk is there.
 * @chunks: Bits of the pages, by index; see struct cleancache_chunk.
 * @sums: With CONFIG_CLEANCACHE_DEBUG, a checksum of each page.
 * @rcu: To free it after lookups.
 */
struct cleancache_object {
	struct rhash_head	hash;
	struct address_space	*mapping;
	struct cleancache_mount	*mount;
	struct list_head	node;
	u64			id;
	int			pool;
	bool			shared;
	refcount_t		ref;
	spinlock_t		lock;		/* dead, chunks */
	bool			dead;
	struct rb_root		chunks;
#ifdef CONFIG_CLEANCACHE_DEBUG
	struct xarray		sums;
#endif
	struct rcu_head		rcu;
};

/* All in pages and counted since boot; summed over CPUs when read. */
struct cleancache_stats {
	unsigned long puts;
	unsigned long hits;
	unsigned long misses;
	unsigned long partial_misses;
	unsigned long invalidates;
	unsigned long verified;
	unsigned long corrupted;
	unsigned long rejects[NR_CLEANCACHE_REJECTS];
};

DECLARE_PER_CPU(struct cleancache_stats, cleancache_stats);
#define cleancache_count(counter, nr) \
	this_cpu_add(cleancache_stats.counter, nr)

/*
 * cleancache_mutex: The registered backend, the list of mounts and which of
 * them are served. Nests inside sb->s_umount.
 */
extern struct mutex cleancache_mutex;
extern const struct cleancache_ops *cleancache_backend;
extern struct list_head cleancache_mounts;
/* Hooks run inside. */
extern struct srcu_struct cleancache_srcu;
extern unsigned long cleancache_state;
/* Properties of the backend; kept apart from it so that no hook follows it. */
extern unsigned int cleancache_flags;
extern pgoff_t cleancache_max_index;

/* cleancache.c */
void cleancache_connect(const struct cleancache_ops *ops);
void cleancache_tell(struct cleancache_object *object, pgoff_t index,
		     unsigned int nr);
void cleancache_tell_all(struct cleancache_object *object);

/* cleancache_object.c */
extern bool cleancache_ready;

struct cleancache_object *cleancache_object_find(struct address_space *mapping);
struct cleancache_object *cleancache_object_make(struct address_space *mapping,
						 struct cleancache_mount *mount);
bool cleancache_shared_id(const struct inode *inode, u64 *id);
void cleancache_object_put(struct cleancache_object *object);
void cleancache_object_kill(struct cleancache_object *object, bool tell);
void cleancache_mount_kill_objects(struct cleancache_mount *mount);
size_t cleancache_metadata_bytes(void);

/* cleancache_pages.c */
bool cleancache_claim(struct cleancache_object *object, pgoff_t index,
		      unsigned int nr);
void cleancache_settle(struct cleancache_object *object, pgoff_t index,
		       unsigned int nr, const unsigned long *held);
unsigned int cleancache_held(struct cleancache_object *object, pgoff_t index,
			     unsigned int nr);
void cleancache_forget(struct cleancache_object *object, pgoff_t first,
		       pgoff_t last);
unsigned int cleancache_release(struct cleancache_object *object, pgoff_t index,
				unsigned int nr);
bool cleancache_seen(struct cleancache_object *object, pgoff_t index,
		     unsigned int nr);
void cleancache_unsee(struct cleancache_object *object, pgoff_t first,
		      pgoff_t last);
void cleancache_pages_drop(struct cleancache_object *object);
size_t cleancache_pages_bytes(void);
int cleancache_pages_init(void);

/* cleancache_control.c */
int cleancache_set_enabled(bool enabled);
int cleancache_set_allow_encrypted(bool allow);
void cleancache_set_excluded(struct cleancache_mount *mount, bool excluded);

/* cleancache_verify.c */
int cleancache_set_verify(bool verify);
bool cleancache_verify_hit(struct folio *folio, unsigned int nr);
#ifdef CONFIG_CLEANCACHE_DEBUG
void cleancache_sums_init(struct cleancache_object *object);
void cleancache_sums_destroy(struct cleancache_object *object);
bool cleancache_sum_put(struct cleancache_object *object, struct folio *folio,
			unsigned int nr);
bool cleancache_sum_check(struct cleancache_object *object, struct folio *folio,
			  unsigned int nr);
#else
static inline void cleancache_sums_init(struct cleancache_object *object)
{
}

static inline void cleancache_sums_destroy(struct cleancache_object *object)
{
}

static inline bool cleancache_sum_put(struct cleancache_object *object,
				      struct folio *folio, unsigned int nr)
{
	return true;
}

static inline bool cleancache_sum_check(struct cleancache_object *object,
					struct folio *folio, unsigned int nr)
{
	return true;
}
#endif

/* cleancache_sysfs.c */
int cleancache_mount_add_sysfs(struct cleancache_mount *mount);

/**
 * cleancache_policy - may pages of a mount be offered to the backend?
 * @flags: Properties of the backend, CLEANCACHE_*.
 * @state: State of the front end.
 * @mount_state: State of the mount.
 *
 * Return: CLEANCACHE_ACCEPT, or why not.
 */
static inline enum cleancache_reject
cleancache_policy(unsigned int flags, unsigned long state,
		  unsigned long mount_state)
{
	if (test_bit(CLEANCACHE_DISABLED, &state))
		return CLEANCACHE_REJECT_DISABLED;
	if (test_bit(CLEANCACHE_HIBERNATING, &state))
		return CLEANCACHE_REJECT_HIBERNATION;
	if (test_bit(CLEANCACHE_MOUNT_EXCLUDED, &mount_state))
		return CLEANCACHE_REJECT_EXCLUDED;
	if (test_bit(CLEANCACHE_MOUNT_DRAINING, &mount_state))
		return CLEANCACHE_REJECT_DRAINING;
	if (tmem_keeps_encrypted(flags & CLEANCACHE_OUTSIDE,
				 test_bit(CLEANCACHE_MOUNT_ENCRYPTED,
					  &mount_state),
				 test_bit(CLEANCACHE_ALLOW_ENCRYPTED, &state)))
		return CLEANCACHE_REJECT_ENCRYPTED;
	if (!test_bit(CLEANCACHE_MOUNT_SERVED, &mount_state))
		return CLEANCACHE_REJECT_MOUNT;
	return CLEANCACHE_ACCEPT;
}

#endif /* _MM_CLEANCACHE_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the tmem driver share; tmem_main.c says where to begin. */
#ifndef _DRIVERS_XEN_TMEM_H
#define _DRIVERS_XEN_TMEM_H

#include <linux/local_lock.h>
#include <linux/mm_types.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/srcu.h>
#include <linux/types.h>
#include <linux/uuid.h>
#include <linux/xarray.h>

#include <xen/interface/tmem.h>
#include <xen/interface/xen.h>

/* No pool of the hypervisor: holds nothing and takes nothing */
#define TMEM_NO_POOL		(-1)

/* Pages that are put, got or flushed together, at most */
#define TMEM_BATCH_ENTRIES	32

/* How long to wait until the hypervisor is asked again to forget something */
#define TMEM_RETRY_MS		1000

/* In pages, unless said otherwise. */
enum tmem_counter {
	TMEM_STORES, TMEM_REFUSED, TMEM_LOADS, TMEM_FAILED_LOADS,
	TMEM_INVALIDATES, TMEM_LEAKED,
	TMEM_PUTS, TMEM_GETS, TMEM_GET_MISSES, TMEM_FLUSHES,
	TMEM_BATCHED,
	TMEM_HYPERCALLS, TMEM_BATCHES,	/* in hypercalls */
	TMEM_PUT_CALLS, TMEM_GET_CALLS, TMEM_FLUSH_CALLS, /* in hypercalls */
	TMEM_FENCES,			/* in objects */
	TMEM_SUSPENDS,			/* in times */
	TMEM_NR_COUNTERS
};

/**
 * struct tmem_oid - an object, as the hypervisor knows it
 * @id: All of it counts.
 */
struct tmem_oid {
	u64 id[3];
};

/**
 * struct tmem_batch - page operations for the hypervisor
 * @lock: Of the CPU's batch.
 * @nr: Number of operations.
 * @entry: The operations; @entry.status is an errno after xen_tmem_batch_run().
 * @op: What the hypervisor is told of them, for multicalls one each.
 * @call: The multicalls.
 */
struct tmem_batch {
	local_lock_t		lock;
	unsigned int		nr;
	struct tmem_batch_entry	entry[TMEM_BATCH_ENTRIES];
	struct tmem_op		op[TMEM_BATCH_ENTRIES];
	struct multicall_entry	call[TMEM_BATCH_ENTRIES];
};

/* tmem_main.c */

/*
 * Protects which pools there are. Nests inside frontswap_mutex and
 * cleancache_mutex, which the front ends hold when they call us.
 */
extern struct mutex xen_tmem_mutex;
/*
 * Operations on files that use a pool of the hypervisor by its id run inside. Those
 * on swap need not: when frontswap has drained the pool, none is on its way.
 */
extern struct srcu_struct xen_tmem_srcu;
/* The guest is being suspended: nothing is put, got or forgotten. */
extern bool xen_tmem_closed;
extern bool xen_tmem_serving;
/* What is offered to the hypervisor; constant once the driver has started */
extern bool xen_tmem_frontswap, xen_tmem_cleancache;

/* tmem_count.c */
DECLARE_PER_CPU(unsigned long[TMEM_NR_COUNTERS], xen_tmem_counters);

#define tmem_count(counter, nr)	this_cpu_add(xen_tmem_counters[counter], nr)

unsigned long xen_tmem_counted(enum tmem_counter counter);
void xen_tmem_add_debugfs(void);
void xen_tmem_remove_debugfs(void);

/* tmem_hypercall.c */
extern unsigned int xen_tmem_features;
extern bool xen_tmem_multicalls;

int xen_tmem_hypercall(struct tmem_op *op);
int xen_tmem_multicall(struct multicall_entry *calls, unsigned int nr);
int xen_tmem_errno(unsigned int cmd, int ret);
bool xen_tmem_left_nothing(int err);
int xen_tmem_probe(void);
int xen_tmem_new_pool(u32 flags);
int xen_tmem_new_shared_pool(const uuid_t *uuid);
int xen_tmem_destroy_pool(int pool);
void xen_tmem_drop_pool(int pool);
unsigned long xen_tmem_held(unsigned int *pools);
int xen_tmem_flush_pages(int pool, const struct tmem_oid *oid, u32 index,
			 unsigned int nr);
int xen_tmem_flush_object(int pool, const struct tmem_oid *oid);

/* tmem_batch.c */
int xen_tmem_batch_init(void);
void xen_tmem_batch_exit(void);
struct tmem_batch *xen_tmem_batch_get(void);
void xen_tmem_batch_put(void);
void xen_tmem_batch_add(struct tmem_batch *batch, unsigned int cmd, int pool,
			const struct tmem_oid *oid, u32 index,
			struct page *page);
int xen_tmem_batch_run(struct tmem_batch *batch);

/* tmem_retry.c */
void xen_tmem_retry(void);
void xen_tmem_retry_later(void);
void xen_tmem_retry_stop(void);

/* tmem_suspend.c */
int xen_tmem_suspend_init(void);
void xen_tmem_suspend_exit(void);
int xen_tmem_suspend_prepare(void);
void xen_tmem_suspend_cancelled(void);
void xen_tmem_suspend_done(void);
void xen_tmem_hibernation_begins(void);
void xen_tmem_hibernation_ends(void);

/* tmem_frontswap.c, tmem_drain.c, tmem_leak.c, tmem_home.c, tmem_quota.c */
#ifdef CONFIG_FRONTSWAP
extern const struct frontswap_ops xen_tmem_swap_ops;
extern int xen_tmem_swap_pool;

int xen_tmem_swap_start(void);
void xen_tmem_swap_stop(void);
int xen_tmem_swap_make_pool(void);
void xen_tmem_swap_retry(void);
void xen_tmem_swap_lose_pool(void);
int xen_tmem_swap_suspend(unsigned long timeout);
void xen_tmem_swap_resume(void);
void xen_tmem_drain_exit(void);
int xen_tmem_swap_flush_slot(unsigned int type, pgoff_t offset);
void xen_tmem_leak(unsigned int type, pgoff_t offset, unsigned int nr);
void xen_tmem_unleak(unsigned int type, pgoff_t offset, unsigned long nr);
bool xen_tmem_leaks_retry(void);
void xen_tmem_leaks_clear(void);
unsigned long xen_tmem_pull(unsigned long nr);
unsigned long xen_tmem_bring_home(unsigned long nr, unsigned long all);
void xen_tmem_quota_start(void);
void xen_tmem_quota_stop(void);
#else
static inline int xen_tmem_swap_start(void)
{
	return 0;
}

static inline void xen_tmem_swap_stop(void)
{
}

static inline int xen_tmem_swap_make_pool(void)
{
	return 0;
}

static inline void xen_tmem_swap_retry(void)
{
}

static inline void xen_tmem_swap_lose_pool(void)
{
}

static inline int xen_tmem_swap_suspend(unsigned long timeout)
{
	return 0;
}

static inline void xen_tmem_swap_resume(void)
{
}

static inline void xen_tmem_drain_exit(void)
{
}

static inline bool xen_tmem_leaks_retry(void)
{
	return false;
}

static inline void xen_tmem_quota_start(void)
{
}

static inline void xen_tmem_quota_stop(void)
{
}
#endif

/**
 * struct tmem_need - what a guest needs memory for, in pages
 * @committed: What programs may use, as far as it can be swapped out.
 * @kernel: What the kernel uses.
 * @reserve: For files, and for what comes suddenly.
 * @floor: It is not to have less,
 * @ceiling: nor more, whatever it needs.
 */
struct tmem_need {
	unsigned long	committed;
	unsigned long	kernel;
	unsigned long	reserve;
	unsigned long	floor;
	unsigned long	ceiling;
};

/**
 * struct tmem_quiet - for how long nothing was swapped out
 * @stores: Pages that had been until then.
 * @intervals: The time.
 */
struct tmem_quiet {
	unsigned long	stores;
	unsigned int	intervals;
};

/* tmem_selfballoon.c, tmem_goal.c */
#if defined(CONFIG_FRONTSWAP) && defined(CONFIG_XEN_BALLOON)
void xen_tmem_selfballoon_start(void);
void xen_tmem_selfballoon_stop(void);
unsigned long xen_tmem_goal(const struct tmem_need *need);
unsigned long xen_tmem_step(unsigned long now, unsigned long goal,
			    unsigned int down, unsigned int up);
unsigned long xen_tmem_floor(unsigned long most);
bool xen_tmem_quiet(struct tmem_quiet *quiet, unsigned long stores,
		    unsigned int inertia);
#else
static inline void xen_tmem_selfballoon_start(void)
{
}

static inline void xen_tmem_selfballoon_stop(void)
{
}
#endif

/**
 * struct tmem_filesystem - a filesystem that cleancache has us serve
 * @pool: Its pool of the hypervisor, or TMEM_NO_POOL.
 * @uuid: What its pool is shared by; null if that is private.
 * @used: There is such a filesystem; under xen_tmem_mutex.
 * @fences: Objects of which the hypervisor may have what it should not.
 * @fenced: That may be any object.
 */
struct tmem_filesystem {
	int		pool;
	uuid_t		uuid;
	bool		used;
	struct xarray	fences;
	bool		fenced;
};

/* tmem_cleancache.c, tmem_fence.c */
#ifdef CONFIG_CLEANCACHE
extern const struct cleancache_ops xen_tmem_file_ops;
extern struct tmem_filesystem xen_tmem_filesystems[TMEM_MAX_POOLS];

int xen_tmem_file_start(void);
void xen_tmem_file_stop(void);
int xen_tmem_file_make_pool(const uuid_t *uuid);
void xen_tmem_file_leave(void);
void xen_tmem_file_rejoin(void);
void xen_tmem_file_renew(void);
void xen_tmem_file_lose_pools(void);
bool xen_tmem_is_fenced(struct tmem_filesystem *fs, u64 object);
void xen_tmem_fence(struct tmem_filesystem *fs, u64 object);
void xen_tmem_replace_shared(struct tmem_filesystem *fs);
bool xen_tmem_fences_retry(void);
#else
static inline int xen_tmem_file_start(void)
{
	return 0;
}

static inline void xen_tmem_file_stop(void)
{
}

static inline void xen_tmem_file_leave(void)
{
}

static inline void xen_tmem_file_rejoin(void)
{
}

static inline void xen_tmem_file_renew(void)
{
}

static inline void xen_tmem_file_lose_pools(void)
{
}

static inline bool xen_tmem_fences_retry(void)
{
	return false;
}
#endif

#endif /* _DRIVERS_XEN_TMEM_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * zcache - compressed memory of this kernel, behind frontswap and cleancache
 *
 * anon.c and file.c are its halves: pages of swap, which must not be lost, in
 * zsmalloc; and clean pages of files, which may be dropped, in bins (bin.c). The
 * tmem engine knows what there is, codec.c makes it smaller.
 */
#ifndef _MM_ZCACHE_H
#define _MM_ZCACHE_H

#include <linux/list_lru.h>
#include <linux/memcontrol.h>
#include <linux/percpu.h>
#include <linux/types.h>

#include "codec.h"

/* In pages, but for ZCACHE_BYTES */
enum zcache_count {
	ZCACHE_STORES,		/* copied in */
	ZCACHE_LOADS,		/* copied out */
	ZCACHE_PAGES,		/* held */
	ZCACHE_BYTES,		/* of payload, for these */
	ZCACHE_SAME_FILLED,	/* of these, without payload */
	ZCACHE_RAW,		/* of these, not compressed */
	ZCACHE_REJECT_SIZE,	/* refused: they do not compress */
	ZCACHE_REJECT_LIMIT,	/* refused: the half is full */
	ZCACHE_REJECT_MEMORY,	/* refused: there was no memory */
	ZCACHE_EVICTED,		/* dropped, or written to the device */
	NR_ZCACHE_COUNTS
};

struct zcache_counts {
	unsigned long	of[NR_ZCACHE_COUNTS];
};

DECLARE_PER_CPU(struct zcache_counts, zcache_anon_counts);
DECLARE_PER_CPU(struct zcache_counts, zcache_file_counts);

/*
 * A limit: page frames; or, below 0, percent of the memory that there is, which may
 * change.
 */
#define ZCACHE_PERCENT(percent)	(-(long)(percent))

unsigned long zcache_limit(const long *limit);

/* Page frames that both halves together may take */
extern long zcache_total;

/* Does the half behind frontswap keep pages that do not compress? */
extern bool zcache_anon_raw;

/**
 * struct zcache_half - what is alike in both halves
 * @codec: For pages from now on.
 * @limit: See zcache_limit().
 * @counts: What there is, and what happened; the sum over all CPUs counts.
 * @frames: Returns how many page frames it takes.
 * @shrink: Does what it can to keep the limits.
 * @drop: Gives back so many page frames at once; NULL if it must not.
 */
struct zcache_half {
	enum zcache_codec codec;
	long		limit;
	struct zcache_counts __percpu *counts;
	unsigned long	(*frames)(void);
	void		(*shrink)(void);
	void		(*drop)(unsigned long frames);
};

static inline void zcache_add(struct zcache_half *half, enum zcache_count count,
			      long n)
{
	this_cpu_add(half->counts->of[count], n);
}

unsigned long zcache_sum(const struct zcache_half *half,
			 enum zcache_count count);

/*
 * Pages come when memory is short, and who makes room wants some of it first. Half of
 * what the kernel keeps for such times is for that; without it, most pages would be
 * refused just then. All of it is not: others need it too.
 */
#define ZCACHE_GFP	(GFP_NOWAIT | __GFP_HIGH | __GFP_NORETRY | \
			 __GFP_NOWARN | __GFP_NOMEMALLOC)

/* What does not become smaller than this is not compressed. */
#define ZCACHE_MOST	(PAGE_SIZE / 16 * 13)

extern struct zcache_half zcache_anon, zcache_file;

/* Memory cgroups; memcg.c is built in, also where the rest is a module. */
#ifdef CONFIG_MEMCG
struct obj_cgroup *zcache_memcg_of(struct folio *folio);
bool zcache_memcg_lists(struct mem_cgroup *memcg, struct list_lru *lru);
bool zcache_memcg_may_keep(struct mem_cgroup *memcg);
bool zcache_memcg_may_write(struct obj_cgroup *objcg);
void zcache_memcg_account(struct obj_cgroup *objcg, bool file, long bytes,
			  long pages);

/* Under RCU: the cgroup that is charged now, or NULL for the root */
static inline struct mem_cgroup *zcache_memcg(struct obj_cgroup *objcg)
{
	return objcg ? obj_cgroup_memcg(objcg) : NULL;
}

/* The same for mem_cgroup_put() */
static inline struct mem_cgroup *zcache_memcg_get(struct obj_cgroup *objcg)
{
	return objcg ? get_mem_cgroup_from_objcg(objcg) : NULL;
}

/* Takes a reference for obj_cgroup_put(). */
static inline void zcache_memcg_keep(struct obj_cgroup *objcg)
{
	if (objcg)
		obj_cgroup_get(objcg);
}
#else
static inline struct obj_cgroup *zcache_memcg_of(struct folio *folio)
{
	return NULL;
}

static inline bool zcache_memcg_lists(struct mem_cgroup *memcg,
				      struct list_lru *lru)
{
	return true;
}

static inline bool zcache_memcg_may_keep(struct mem_cgroup *memcg)
{
	return true;
}

static inline bool zcache_memcg_may_write(struct obj_cgroup *objcg)
{
	return true;
}

static inline void zcache_memcg_account(struct obj_cgroup *objcg, bool file,
					long bytes, long pages)
{
}

static inline struct mem_cgroup *zcache_memcg(struct obj_cgroup *objcg)
{
	return NULL;
}

static inline struct mem_cgroup *zcache_memcg_get(struct obj_cgroup *objcg)
{
	return NULL;
}

static inline void zcache_memcg_keep(struct obj_cgroup *objcg)
{
}
#endif

int zcache_sysfs_init(void);
void zcache_sysfs_exit(void);
int zcache_anon_init(void);
int zcache_anon_start(void);
void zcache_anon_stop(void);
void zcache_anon_exit(void);
int zcache_file_init(void);
int zcache_file_start(void);
void zcache_file_stop(void);
void zcache_file_exit(void);

#endif /* _MM_ZCACHE_H */

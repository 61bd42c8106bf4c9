/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of tmem_fake share; tmem_fake_main.c says where to begin. */
#ifndef _MM_TMEM_FAKE_H
#define _MM_TMEM_FAKE_H

#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/mm_types.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/xarray.h>

/* What is read from a frame that holds no page */
#define FAKE_POISON	0xdb

/* How often the backend looks after its pages on its own */
#define FAKE_PERIOD_MS	100

/*
 * A store or put runs inside reclaim: it must not wait for memory, and not
 * having it is no news, since the page then just goes elsewhere.
 */
#define FAKE_GFP	(GFP_NOWAIT | __GFP_NOWARN)

/* Pages that belong together: a swap area, or a file. */
struct fake_index {
	struct xarray frames;	/* by slot or page index; under fake_lock, but */
				/* an entry is reserved without it */
	bool ephemeral;		/* its pages may be dropped: they are elsewhere */
				/* too; changes while there are none */
	bool dead;		/* takes no page any more; under fake_lock */
};

/* Memory for one page, got at load. Protected by fake_lock. */
struct fake_frame {
	struct list_head list;	/* in fake_free, fake_kept or fake_ephemeral */
	void *data;		/* constant */
	struct fake_index *index;	/* whose page this is; NULL for none */
	pgoff_t offset;		/* its place there */
	unsigned long born;	/* when it was stored, in jiffies */
};

/* In pages, unless said otherwise. */
enum fake_count {
	FAKE_PAGES, FAKE_BYTES, FAKE_FRAMES, FAKE_STORES, FAKE_REFUSED,
	FAKE_DUPLICATES, FAKE_LOADS, FAKE_EXCLUSIVE_LOADS, FAKE_MISSES,
	FAKE_FAILED_LOADS, FAKE_INVALIDATES, FAKE_DROPPED, FAKE_PUSHED,
	FAKE_PUTS, FAKE_GETS, FAKE_EXCLUSIVE_GETS, FAKE_GET_MISSES,
	FAKE_FLUSHES, FAKE_EVICTED, FAKE_SPOILED,
	FAKE_PUT_CALLS, FAKE_GET_CALLS, FAKE_FLUSH_CALLS, /* in calls */
	FAKE_CORRUPTED, /* in frames */
	FAKE_POOLS, FAKE_OBJECTS, /* now there */
	NR_FAKE_COUNTS
};

/* What happens to the oldest ephemeral page when there is no room. */
enum fake_eviction { FAKE_EVICT_NONE, FAKE_EVICT_FIFO, FAKE_EVICT_LRU };

/* tmem_fake_main.c: parameters; they may change whenever they are read */
extern bool fake_use_engine;
extern bool fake_writethrough, fake_exclusive, fake_before_zswap, fake_outside;
extern bool fake_scribble, fake_refuse_duplicates, fake_drop_now, fake_batch;
extern bool fake_shared;
extern unsigned long fake_region_start, fake_region_mb, fake_pages;
extern unsigned long fake_capacity, fake_max_index;
extern unsigned int fake_drop_after_ms, fake_drop_mean_ms;
extern unsigned int fake_evict, fake_spoil;

bool fake_accepts(void);
bool fake_fails_load(void);
void fake_delay(void);
u32 fake_random(void);

/* tmem_fake_store.c */
extern spinlock_t fake_lock;
extern struct list_head fake_free, fake_kept, fake_ephemeral;
extern u64 fake_counts[NR_FAKE_COUNTS];
extern void *fake_region;

int fake_get_memory(void);
void fake_put_memory(void);
void fake_add(enum fake_count count, u64 nr);
bool fake_has_room(unsigned int nr);
bool fake_make_room(unsigned int nr);
int fake_insert(struct fake_index *index, pgoff_t offset, struct page *page);
bool fake_copy(struct fake_index *index, pgoff_t offset, struct page *page);
struct fake_frame *fake_take_frame(void);
void fake_free_frame(struct fake_frame *frame);
void fake_remove(struct fake_frame *frame, enum fake_count count);
unsigned int fake_forget(struct fake_index *index, pgoff_t offset,
			 unsigned int nr, enum fake_count count);
void fake_forget_all(struct fake_index *index, enum fake_count count);
void fake_drop_due(void);

/* tmem_fake_engine.c */
extern struct tmem_client *fake_client;

int fake_engine_start(void);
void fake_engine_stop(void);
void fake_engine_work(void);
void fake_engine_count(void);
bool fake_engine_takes(void);

/* tmem_fake_frontswap.c, tmem_fake_engine_frontswap.c */
#ifdef CONFIG_FRONTSWAP
extern struct frontswap_ops fake_engine_swap_ops;

void fake_engine_push(unsigned long nr);
int fake_frontswap_init(void);
void fake_frontswap_exit(void);
void fake_frontswap_push(void);
#else
static inline int fake_frontswap_init(void)
{
	return 0;
}

static inline void fake_frontswap_exit(void)
{
}

static inline void fake_frontswap_push(void)
{
}

static inline void fake_engine_push(unsigned long nr)
{
}
#endif

/* tmem_fake_cleancache.c, tmem_fake_engine_cleancache.c */
#ifdef CONFIG_CLEANCACHE
extern struct cleancache_ops fake_engine_file_ops;

void fake_spoil_page(struct page *page);
int fake_cleancache_init(void);
void fake_cleancache_exit(void);
#else
static inline int fake_cleancache_init(void)
{
	return 0;
}

static inline void fake_cleancache_exit(void)
{
}
#endif

#endif /* _MM_TMEM_FAKE_H */

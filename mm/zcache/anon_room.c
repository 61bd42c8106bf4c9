// SPDX-License-Identifier: GPL-2.0-only
/*
 * Room for pages of swap: which of them go to their slots on the device, and when.
 *
 * Stored pages are in a list for each cgroup and node, in the order in which they
 * were stored: a load takes a page out, and when it is stored again it is the
 * youngest. So those at the head were not wanted for the longest time. They go
 *
 *  - before the half is full, by a work item: what is swapped out later, and is
 *    wanted sooner, finds room;
 *  - if that was too slow, by who stores;
 *  - when a cgroup is at its limit, its own pages, by who stores;
 *  - when memory is so short that reclaim asks the shrinkers for much.
 *
 * Pages of a cgroup with memory.zswap.writeback=0 stay.
 */
#include <linux/frontswap.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/sched.h>
#include <linux/shrinker.h>
#include <linux/swapops.h>
#include <linux/workqueue.h>

#include "anon.h"
#include "zcache.h"

/* Pages that are chosen at a time */
#define ANON_BATCH	32

/* Pages that are looked at for it under the lock of a list, and lists */
#define ANON_LOOK	1024

/* Of all cgroups, those go that are in this part of the time since the oldest came. */
#define ANON_OLD	8

/*
 * 32nds of the limit: the work item begins to write, and ends; who stores writes; and
 * at 32 pages are refused.
 */
#define ANON_ENOUGH	28
#define ANON_WAKE	29
#define ANON_FULL	30

/* How often the work item finds nothing that can go before it gives up */
#define ANON_TRIES	16

struct list_lru anon_lru;
static struct shrinker *anon_shrinker;
static struct workqueue_struct *anon_wq;

/**
 * struct anon_cold - pages that were chosen
 * @nr: How many.
 * @slot: Their slots.
 * @age: Only those are chosen that are as old, in jiffies.
 */
struct anon_cold {
	unsigned int	nr;
	swp_entry_t	slot[ANON_BATCH];
	u32		age;
};

/**
 * anon_lru_add - make a page the youngest of its cgroup
 * @anon: The page, in no list, of a cgroup for which there are lists.
 *
 * Context: Process.
 */
void anon_lru_add(struct anon_page *anon)
{
	anon->stored = jiffies;
	rcu_read_lock();
	list_lru_add(&anon_lru, &anon->lru, anon->node,
		     zcache_memcg(anon->objcg));
	rcu_read_unlock();
}

/**
 * anon_lru_del - take a page out of its list
 * @anon: The page; may be in no list.
 *
 * Context: Process.
 */
void anon_lru_del(struct anon_page *anon)
{
	rcu_read_lock();
	list_lru_del(&anon_lru, &anon->lru, anon->node,
		     zcache_memcg(anon->objcg));
	rcu_read_unlock();
}

static u32 anon_age(const struct anon_page *anon)
{
	return (u32)jiffies - anon->stored;
}

/*
 * One after the other of a list, and of the next list from the first that is too
 * young; or at once, where all must stay.
 */
static enum lru_status anon_look(struct list_head *item,
				 struct list_lru_one *list, spinlock_t *lock,
				 void *arg)
{
	struct anon_page *anon = container_of(item, struct anon_page, lru);
	struct anon_cold *cold = arg;

	if (cold->nr == ANON_BATCH || anon_age(anon) < cold->age ||
	    !zcache_memcg_may_write(anon->objcg))
		return LRU_STOP;
	if (!anon->referenced)
		cold->slot[cold->nr++] = anon->slot;
	anon->referenced = false;
	/* Those that are chosen too, so that the next look finds others. */
	anon->stored = jiffies;
	return LRU_ROTATE;
}

/* The first of a list is the oldest. */
static enum lru_status anon_look_first(struct list_head *item,
				       struct list_lru_one *list,
				       spinlock_t *lock, void *arg)
{
	struct anon_page *anon = container_of(item, struct anon_page, lru);
	u32 *age = arg;

	if (zcache_memcg_may_write(anon->objcg))
		*age = max(*age, anon_age(anon));
	return LRU_STOP;
}

static unsigned int anon_write(const struct anon_cold *cold)
{
	unsigned int written = frontswap_writeback(cold->slot, cold->nr);

	zcache_add(&zcache_anon, ZCACHE_EVICTED, written);
	return written;
}

static void anon_walk(list_lru_walk_cb look, void *arg)
{
	unsigned long walk;
	int node;

	for_each_node_state(node, N_NORMAL_MEMORY) {
		walk = ANON_LOOK;
		list_lru_walk_node(&anon_lru, node, look, arg, &walk);
	}
}

/* Return: how many of the coldest pages of all cgroups went to their slots. */
static unsigned int anon_write_any(void)
{
	struct anon_cold cold = {};
	u32 oldest = 0;

	anon_walk(anon_look_first, &oldest);
	cold.age = oldest - oldest / ANON_OLD;
	anon_walk(anon_look, &cold);
	return anon_write(&cold);
}

/* The same of one cgroup, which is at its limit */
static unsigned int anon_write_of(struct mem_cgroup *memcg)
{
	struct anon_cold cold = {};
	unsigned long walk;
	int node;

	for_each_node_state(node, N_NORMAL_MEMORY) {
		walk = ANON_BATCH;
		list_lru_walk_one(&anon_lru, node, memcg, anon_look, &cold,
				  &walk);
	}
	return anon_write(&cold);
}

static unsigned long anon_frames(void)
{
	return zs_get_total_pages(anon_zs);
}

/* Page frames that this half may take, as long as the other one gives way */
static unsigned long anon_limit(void)
{
	return min(zcache_limit(&zcache_anon.limit),
		   zcache_limit(&zcache_total));
}

/* What is kept is in holes among what has gone, until zsmalloc closes them. */
static void anon_write_some(struct work_struct *work)
{
	unsigned int tries = 0, rounds = 0;

	while (anon_frames() > anon_limit() * ANON_ENOUGH / 32 &&
	       tries < ANON_TRIES) {
		tries = anon_write_any() ? 0 : tries + 1;
		if (++rounds % 8 == 0 || tries)
			zs_compact(anon_zs);
		cond_resched();
	}
}

static DECLARE_WORK(anon_write_work, anon_write_some);

static void anon_shrink(void)
{
	if (anon_frames() > anon_limit() * ANON_WAKE / 32)
		queue_work(anon_wq, &anon_write_work);
}

/* Clean pages of files give way first: nothing has to be written. */
static void anon_have_files_give_way(unsigned long frames, unsigned long total)
{
	frames += zcache_file.frames();
	if (frames >= total)
		zcache_file.drop(frames - total + 1);
}

static bool anon_has_room_at_all(void)
{
	unsigned long total = zcache_limit(&zcache_total);
	unsigned long limit = min(total, zcache_limit(&zcache_anon.limit));
	unsigned long frames = anon_frames();

	anon_have_files_give_way(frames, total);
	if (frames > limit * ANON_WAKE / 32)
		queue_work(anon_wq, &anon_write_work);
	if (frames < limit * ANON_FULL / 32)
		return true;
	/*
	 * What these leave are holes that a page fits in, more or less. That the
	 * frames become fewer is up to the work item.
	 */
	return frames < limit && anon_write_any();
}

/**
 * anon_has_room - may a folio be stored?
 * @memcg: Whose it is, or NULL.
 *
 * Makes room, if it can.
 *
 * Context: As ->store of struct frontswap_ops.
 * Return: false if it has to go to the device.
 */
bool anon_has_room(struct mem_cgroup *memcg)
{
	if (!anon_has_room_at_all())
		return false;
	return zcache_memcg_may_keep(memcg) ||
	       (anon_write_of(memcg) && zcache_memcg_may_keep(memcg));
}

/* Reclaim */

/* In page frames, as reclaim counts what it has. */
static unsigned long anon_shrink_count(struct shrinker *shrinker,
				       struct shrink_control *control)
{
	unsigned long pages = zcache_sum(&zcache_anon, ZCACHE_PAGES);
	unsigned long count;

	if (!gfp_has_io_fs(control->gfp_mask))
		return 0;
	count = list_lru_shrink_count(&anon_lru, control);
	if (!count)
		return SHRINK_EMPTY;
	return mult_frac(count, min(anon_frames(), pages), pages ?: 1);
}

static unsigned long anon_shrink_scan(struct shrinker *shrinker,
				      struct shrink_control *control)
{
	unsigned long before = anon_frames(), after;
	struct anon_cold cold = {};
	unsigned int written;

	list_lru_shrink_walk(&anon_lru, control, anon_look, &cold);
	written = anon_write(&cold);
	after = anon_frames();
	if (after < before)
		mm_account_reclaimed_pages(before - after);
	return written ?: SHRINK_STOP;
}

struct zcache_half zcache_anon = {
	.counts = &zcache_anon_counts,
	.frames = anon_frames,
	.shrink = anon_shrink,
};

/**
 * anon_room_init - have lists of pages, and answer reclaim
 *
 * Context: May sleep.
 * Return: 0 or -ENOMEM.
 */
int anon_room_init(void)
{
	anon_wq = alloc_workqueue("zcache", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (!anon_wq)
		return -ENOMEM;
	anon_shrinker = shrinker_alloc(SHRINKER_NUMA_AWARE |
				       SHRINKER_MEMCG_AWARE, "zcache-anon");
	if (!anon_shrinker)
		goto destroy_wq;
	anon_shrinker->count_objects = anon_shrink_count;
	anon_shrinker->scan_objects = anon_shrink_scan;
	anon_shrinker->batch = ANON_BATCH;
	/* Each is written, and most are read again: later than other caches. */
	anon_shrinker->seeks = 16 * DEFAULT_SEEKS;
	if (list_lru_init_memcg(&anon_lru, anon_shrinker))
		goto free_shrinker;
	shrinker_register(anon_shrinker);
	return 0;
free_shrinker:
	shrinker_free(anon_shrinker);
destroy_wq:
	destroy_workqueue(anon_wq);
	return -ENOMEM;
}

/**
 * anon_room_stop - write no more pages to their slots
 *
 * Context: May sleep. No page is stored any more.
 */
void anon_room_stop(void)
{
	shrinker_free(anon_shrinker);
	destroy_workqueue(anon_wq);
}

/**
 * anon_room_exit - have no lists any more
 *
 * Context: May sleep. After anon_room_stop(), and all pages are freed.
 */
void anon_room_exit(void)
{
	list_lru_destroy(&anon_lru);
}

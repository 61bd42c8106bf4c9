// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory for clean pages of files: each memory cgroup has bins of its own, whose page
 * frames are charged to it. When a cgroup is at its limit, its own bins go; when the
 * whole half is, or memory is short, the oldest bins of all.
 *
 * Groups of a cgroup that is gone belong to its parent: the charges, because an
 * object cgroup does, and the place in the list that reclaim looks at, because
 * list_lru does. A group without bins goes when there is a reason to look at it.
 */
#include <linux/gfp.h>
#include <linux/hashtable.h>
#include <linux/list_lru.h>
#include <linux/mm.h>
#include <linux/rculist.h>
#include <linux/shrinker.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/swap.h>
#include <linux/vmstat.h>

#include "file.h"
#include "zcache.h"

/* Locks of a group: a cgroup has few CPUs to itself. */
#define CLEAN_SHARDS	min(nr_cpu_ids, 8u)

/* Groups that are looked at in one go */
#define CLEAN_GROUPS	16

static const struct zcache_bin_ops *clean_ops;
static struct tmh_ulong clean_clock = { ATOMIC_LONG_INIT(1) };
static atomic_long_t clean_nr_frames;

static LIST_HEAD(clean_groups);
static DEFINE_HASHTABLE(clean_hash, 8);
static DEFINE_SPINLOCK(clean_groups_lock);	/* adding and removing */

/* For each cgroup, its groups: more than one if children are gone */
static struct list_lru clean_lru;
static struct shrinker *clean_shrinker;

/* Page frames, which count as reclaimable */

/**
 * clean_get_frame - allocate a page frame for a group
 * @owner: The group.
 *
 * Context: Process.
 * Return: its address, or NULL.
 */
void *clean_get_frame(void *owner)
{
	struct clean_group *group = owner;
	struct page *page = alloc_page(ZCACHE_GFP);

	if (!page)
		return NULL;
	mod_node_page_state(page_pgdat(page), NR_KERNEL_MISC_RECLAIMABLE, 1);
	atomic_long_inc(&clean_nr_frames);
	zcache_memcg_account(group->objcg, /*file=*/true, PAGE_SIZE, 0);
	return page_address(page);
}

/**
 * clean_put_frame - free a page frame of a group
 * @owner: The group.
 * @frame: What clean_get_frame() returned.
 *
 * Context: Any.
 */
void clean_put_frame(void *owner, void *frame)
{
	struct clean_group *group = owner;
	struct page *page = virt_to_page(frame);

	zcache_memcg_account(group->objcg, /*file=*/true, -(long)PAGE_SIZE, 0);
	atomic_long_dec(&clean_nr_frames);
	mod_node_page_state(page_pgdat(page), NR_KERNEL_MISC_RECLAIMABLE, -1);
	__free_page(page);
}

/**
 * clean_frames - how much memory do clean pages of files take?
 *
 * Context: Any.
 * Return: in page frames.
 */
unsigned long clean_frames(void)
{
	return max(atomic_long_read(&clean_nr_frames), 0L);
}

/* Groups */

static void clean_group_free(struct clean_group *group)
{
	zcache_bins_destroy(group->bins);
	obj_cgroup_put(group->objcg);
	kfree_rcu(group, rcu);
}

/* In no list; the caller has one reference more than @users tells. */
static struct clean_group *clean_group_create(struct obj_cgroup *objcg)
{
	struct clean_group *group = kzalloc(sizeof(*group), ZCACHE_GFP);

	if (!group)
		return NULL;
	group->bins = zcache_bins_create(clean_ops, group, CLEAN_SHARDS,
					 &clean_clock);
	if (!group->bins) {
		kfree(group);
		return NULL;
	}
	refcount_set(&group->users, 2);
	INIT_LIST_HEAD(&group->lru);
	group->objcg = objcg;
	zcache_memcg_keep(objcg);
	return group;
}

/* Under RCU */
static struct clean_group *clean_group_find(struct obj_cgroup *objcg)
{
	struct clean_group *group;

	hash_for_each_possible_rcu(clean_hash, group, hash,
				   (unsigned long)objcg)
		if (group->objcg == objcg &&
		    refcount_inc_not_zero(&group->users))
			return group;
	return NULL;
}

/* Return: this group, or one that another task added meanwhile. */
static struct clean_group *clean_group_add(struct clean_group *group)
{
	struct clean_group *other;

	rcu_read_lock();
	spin_lock(&clean_groups_lock);
	other = clean_group_find(group->objcg);
	if (!other) {
		list_lru_add(&clean_lru, &group->lru, /*nid=*/0,
			     zcache_memcg(group->objcg));
		list_add_rcu(&group->all, &clean_groups);
		hash_add_rcu(clean_hash, &group->hash,
			     (unsigned long)group->objcg);
	}
	spin_unlock(&clean_groups_lock);
	rcu_read_unlock();
	if (!other)
		return group;
	clean_group_free(group);
	return other;
}

/**
 * clean_group_get - find the group of a cgroup, or make it
 * @objcg: The cgroup, or NULL.
 *
 * Context: Process.
 * Return: the group, to be given to clean_group_put(); or NULL if there is no memory.
 */
struct clean_group *clean_group_get(struct obj_cgroup *objcg)
{
	struct clean_group *group;
	struct mem_cgroup *memcg;
	bool lists;

	rcu_read_lock();
	group = clean_group_find(objcg);
	rcu_read_unlock();
	if (group)
		return group;
	memcg = zcache_memcg_get(objcg);
	lists = zcache_memcg_lists(memcg, &clean_lru);
	mem_cgroup_put(memcg);
	group = lists ? clean_group_create(objcg) : NULL;
	return group ? clean_group_add(group) : NULL;
}

/* Its last user is gone. It goes with its last bin. */
static void clean_group_end(struct clean_group *group)
{
	bool gone = false;

	spin_lock(&clean_groups_lock);
	if (refcount_dec_if_one(&group->users)) {
		/* Who looks for it now waits for the lock. */
		gone = !zcache_bins_frames(group->bins);
		if (!gone)
			refcount_set(&group->users, 1);
	}
	if (gone) {
		list_lru_del(&clean_lru, &group->lru, /*nid=*/0,
			     zcache_memcg(group->objcg));
		list_del_rcu(&group->all);
		hash_del_rcu(&group->hash);
	}
	spin_unlock(&clean_groups_lock);
	if (gone)
		clean_group_free(group);
}

/**
 * clean_group_put - let go of a group
 * @group: The group.
 *
 * Context: Process.
 */
void clean_group_put(struct clean_group *group)
{
	bool empty = !zcache_bins_frames(group->bins);

	/* The last reference but that of the lists; RCU keeps it for this look. */
	rcu_read_lock();
	refcount_dec(&group->users);
	if (empty)
		clean_group_end(group);
	rcu_read_unlock();
}

/* Making room */

/* The group with the oldest bin of all, to be given to clean_group_put(), or NULL. */
static struct clean_group *clean_oldest_group(void)
{
	struct clean_group *group, *found = NULL;
	unsigned long oldest = 0, stamp;

	rcu_read_lock();
	list_for_each_entry_rcu(group, &clean_groups, all) {
		stamp = zcache_bins_oldest(group->bins);
		if (!stamp || (found && stamp >= oldest))
			continue;
		if (!refcount_inc_not_zero(&group->users))
			continue;
		if (found)
			clean_group_put(found);
		found = group;
		oldest = stamp;
	}
	rcu_read_unlock();
	return found;
}

/**
 * clean_evict - drop the oldest pages of all, until page frames are free
 * @frames: How many page frames.
 *
 * Context: Process.
 * Return: how many are free, which may be more; or fewer if there are no more, or too
 * much of it is being read.
 */
unsigned long clean_evict(unsigned long frames)
{
	unsigned long done = 0, evicted = 1;
	struct clean_group *group;

	while (done < frames && evicted) {
		group = clean_oldest_group();
		if (!group)
			break;
		evicted = zcache_bins_evict(group->bins, ZCACHE_BIN_FRAMES);
		done += evicted;
		clean_group_put(group);
	}
	return done;
}

/* Reclaim */

/* Groups of a cgroup that the shrinker was called for */
struct clean_groups {
	unsigned int		nr;
	struct clean_group	*group[CLEAN_GROUPS];
};

static enum lru_status clean_look(struct list_head *item,
				  struct list_lru_one *list, spinlock_t *lock,
				  void *arg)
{
	struct clean_group *group = container_of(item, struct clean_group, lru);
	struct clean_groups *groups = arg;

	if (groups->nr == CLEAN_GROUPS)
		return LRU_STOP;
	if (refcount_inc_not_zero(&group->users))
		groups->group[groups->nr++] = group;
	/* So that the next look finds others. */
	return LRU_ROTATE;
}

static void clean_groups_of(struct shrink_control *control,
			    struct clean_groups *groups)
{
	unsigned long walk = CLEAN_GROUPS;

	groups->nr = 0;
	list_lru_walk_one(&clean_lru, /*nid=*/0, control->memcg, clean_look,
			  groups, &walk);
}

static unsigned long clean_shrink_count(struct shrinker *shrinker,
					struct shrink_control *control)
{
	struct clean_groups groups;
	unsigned long frames = 0;

	clean_groups_of(control, &groups);
	if (!groups.nr)
		return SHRINK_EMPTY;
	while (groups.nr--) {
		frames += zcache_bins_frames(groups.group[groups.nr]->bins);
		clean_group_put(groups.group[groups.nr]);
	}
	return frames;
}

static unsigned long clean_shrink_scan(struct shrinker *shrinker,
				       struct shrink_control *control)
{
	unsigned long freed = 0, wanted = control->nr_to_scan;
	struct clean_groups groups;

	clean_groups_of(control, &groups);
	while (groups.nr--) {
		struct clean_group *group = groups.group[groups.nr];

		if (freed < wanted)
			freed += zcache_bins_evict(group->bins, wanted - freed);
		clean_group_put(group);
	}
	mm_account_reclaimed_pages(freed);
	control->nr_scanned = max(freed, wanted);
	return freed ?: SHRINK_STOP;
}

/**
 * clean_groups_init - be ready for clean_group_get()
 * @ops: Of all bins.
 *
 * Context: May sleep.
 * Return: 0 or -ENOMEM.
 */
int clean_groups_init(const struct zcache_bin_ops *ops)
{
	clean_ops = ops;
	clean_shrinker = shrinker_alloc(SHRINKER_MEMCG_AWARE, "zcache-file");
	if (!clean_shrinker)
		return -ENOMEM;
	clean_shrinker->count_objects = clean_shrink_count;
	clean_shrinker->scan_objects = clean_shrink_scan;
	/* A frame has two pages and more, and each would have to be read. */
	clean_shrinker->seeks = 8 * DEFAULT_SEEKS;
	if (list_lru_init_memcg(&clean_lru, clean_shrinker)) {
		shrinker_free(clean_shrinker);
		return -ENOMEM;
	}
	shrinker_register(clean_shrinker);
	return 0;
}

/**
 * clean_groups_stop - answer reclaim no more
 *
 * Context: May sleep. Waits for who drops pages.
 */
void clean_groups_stop(void)
{
	shrinker_free(clean_shrinker);
}

/**
 * clean_groups_exit - have no groups any more
 *
 * Context: May sleep. After clean_groups_stop(), and all pages are dropped.
 */
void clean_groups_exit(void)
{
	struct clean_group *group;

	while (!list_empty(&clean_groups)) {
		group = list_first_entry(&clean_groups, struct clean_group, all);
		refcount_inc(&group->users);
		clean_group_put(group);
	}
	list_lru_destroy(&clean_lru);
}

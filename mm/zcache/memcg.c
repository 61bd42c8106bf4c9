// SPDX-License-Identifier: GPL-2.0-only
/*
 * zcache: what its pages cost their memory cgroup.
 *
 * Built in, also where zcache is a module.
 */
#include <linux/export.h>
#include <linux/init.h>
#include <linux/memcontrol.h>
#include <linux/page_counter.h>
#include <linux/sched/mm.h>
#include <linux/seq_file.h>
#include <linux/string.h>

#include "zcache.h"

/* Some cgroup has or had a limit. */
static bool zcache_limited;

/**
 * zcache_memcg_of - whose is a folio?
 * @folio: The folio, locked.
 *
 * Context: Any.
 * Return: the object cgroup, to be given to obj_cgroup_put(), or NULL for the root.
 */
struct obj_cgroup *zcache_memcg_of(struct folio *folio)
{
	return get_obj_cgroup_from_folio(folio);
}
EXPORT_SYMBOL_GPL(zcache_memcg_of);

/**
 * zcache_memcg_lists - have lists for a cgroup and for those above it
 * @memcg: The cgroup, or NULL.
 * @lru: Where.
 *
 * Context: Process.
 * Return: false if there is no memory.
 */
bool zcache_memcg_lists(struct mem_cgroup *memcg, struct list_lru *lru)
{
	return !memcg || !memcg_list_lru_alloc(memcg, lru, ZCACHE_GFP);
}
EXPORT_SYMBOL_GPL(zcache_memcg_lists);

/**
 * zcache_memcg_may_write - may pages of a cgroup go to a swap device?
 * @objcg: The object cgroup, or NULL.
 *
 * Context: Any.
 * Return: false if memory.zswap.writeback is 0, in the cgroup or above it.
 */
bool zcache_memcg_may_write(struct obj_cgroup *objcg)
{
	bool may;

	rcu_read_lock();
	may = mem_cgroup_zswap_writeback_enabled(zcache_memcg(objcg));
	rcu_read_unlock();
	return may;
}
EXPORT_SYMBOL_GPL(zcache_memcg_may_write);

static unsigned long zcache_bytes(struct mem_cgroup *memcg)
{
	return memcg_page_state(memcg, MEMCG_ZCACHE_ANON_B) +
	       memcg_page_state(memcg, MEMCG_ZCACHE_FILE_B);
}

/**
 * zcache_memcg_may_keep - may zcache keep more for this cgroup?
 * @memcg: The cgroup, or NULL.
 *
 * What a page takes is only known when it is compressed, so a limit is exceeded by
 * the pages that are being stored.
 *
 * Context: May sleep.
 * Return: false if memory.zcache.max is reached, in the cgroup or above it.
 */
bool zcache_memcg_may_keep(struct mem_cgroup *memcg)
{
	bool may = true;

	if (!READ_ONCE(zcache_limited))
		return true;
	for (; may && memcg && !mem_cgroup_is_root(memcg);
	     memcg = parent_mem_cgroup(memcg)) {
		unsigned long max = READ_ONCE(memcg->zcache_max);

		if (max == PAGE_COUNTER_MAX)
			continue;
		/* mem_cgroup_flush_stats() ignores small changes. */
		if (max)
			cgroup_rstat_flush(memcg->css.cgroup);
		may = max && zcache_bytes(memcg) / PAGE_SIZE < max;
	}
	return may;
}
EXPORT_SYMBOL_GPL(zcache_memcg_may_keep);

/**
 * zcache_memcg_account - charge what zcache keeps, or uncharge it
 * @objcg: The object cgroup, or NULL.
 * @file: Of clean pages of files; otherwise of anonymous pages.
 * @bytes: How many more; or fewer, if negative.
 * @pages: How many more pages are in them, or fewer.
 *
 * The charge cannot fail: memory that is larger is about to be uncharged.
 *
 * Context: May sleep if @bytes is positive; otherwise any.
 */
void zcache_memcg_account(struct obj_cgroup *objcg, bool file, long bytes,
			  long pages)
{
	struct mem_cgroup *memcg;
	unsigned int flags;

	if (!objcg || !cgroup_subsys_on_dfl(memory_cgrp_subsys))
		return;

	if (bytes > 0) {
		flags = memalloc_noreclaim_save();
		if (obj_cgroup_charge(objcg, GFP_KERNEL, bytes))
			VM_WARN_ON_ONCE(1);
		memalloc_noreclaim_restore(flags);
	} else if (bytes < 0) {
		obj_cgroup_uncharge(objcg, -bytes);
	}

	rcu_read_lock();
	memcg = obj_cgroup_memcg(objcg);
	/* Of files, pages and frames come and go apart. */
	if (bytes)
		mod_memcg_state(memcg, file ? MEMCG_ZCACHE_FILE_B :
				MEMCG_ZCACHE_ANON_B, bytes);
	if (pages)
		mod_memcg_state(memcg, file ? MEMCG_ZCACHE_FILE :
				MEMCG_ZCACHE_ANON, pages);
	rcu_read_unlock();
}
EXPORT_SYMBOL_GPL(zcache_memcg_account);

static u64 zcache_current_read(struct cgroup_subsys_state *css,
			       struct cftype *cft)
{
	struct mem_cgroup *memcg = mem_cgroup_from_css(css);

	mem_cgroup_flush_stats(memcg);
	return zcache_bytes(memcg);
}

static int zcache_max_show(struct seq_file *m, void *v)
{
	unsigned long max = READ_ONCE(mem_cgroup_from_seq(m)->zcache_max);

	if (max == PAGE_COUNTER_MAX)
		seq_puts(m, "max\n");
	else
		seq_printf(m, "%llu\n", (u64)max * PAGE_SIZE);
	return 0;
}

static ssize_t zcache_max_write(struct kernfs_open_file *of,
				char *buf, size_t nbytes, loff_t off)
{
	struct mem_cgroup *memcg = mem_cgroup_from_css(of_css(of));
	unsigned long max;
	int err;

	err = page_counter_memparse(strstrip(buf), "max", &max);
	if (err)
		return err;
	WRITE_ONCE(memcg->zcache_max, max);
	if (max != PAGE_COUNTER_MAX)
		WRITE_ONCE(zcache_limited, true);
	return nbytes;
}

static struct cftype zcache_files[] = {
	{
		.name = "zcache.current",
		.flags = CFTYPE_NOT_ON_ROOT,
		.read_u64 = zcache_current_read,
	},
	{
		.name = "zcache.max",
		.flags = CFTYPE_NOT_ON_ROOT,
		.seq_show = zcache_max_show,
		.write = zcache_max_write,
	},
	{ }	/* terminate */
};

static int __init zcache_memcg_init(void)
{
	if (mem_cgroup_disabled())
		return 0;
	return cgroup_add_dfl_cftypes(&memory_cgrp_subsys, zcache_files);
}
subsys_initcall(zcache_memcg_init);

// SPDX-License-Identifier: GPL-2.0-only
/* What the tmem driver counts, and where it can be read: debugfs, tmem_xen/ */
#include <linux/debugfs.h>
#include <linux/mm.h>

#include "tmem.h"

DEFINE_PER_CPU(unsigned long[TMEM_NR_COUNTERS], xen_tmem_counters);

/* As tmem_fake calls what it counts too */
static const char *const tmem_counter_names[TMEM_NR_COUNTERS] = {
	[TMEM_STORES] = "stores", [TMEM_REFUSED] = "refused",
	[TMEM_LOADS] = "loads", [TMEM_FAILED_LOADS] = "failed_loads",
	[TMEM_INVALIDATES] = "invalidates", [TMEM_LEAKED] = "leaked",
	[TMEM_PUTS] = "puts", [TMEM_GETS] = "gets",
	[TMEM_GET_MISSES] = "get_misses", [TMEM_FLUSHES] = "flushes",
	[TMEM_BATCHED] = "batched",
	[TMEM_HYPERCALLS] = "hypercalls", [TMEM_BATCHES] = "batches",
	[TMEM_PUT_CALLS] = "put_calls", [TMEM_GET_CALLS] = "get_calls",
	[TMEM_FLUSH_CALLS] = "flush_calls",
	[TMEM_FENCES] = "fences",
	[TMEM_SUSPENDS] = "suspends",
};

static struct dentry *tmem_debugfs;

/**
 * xen_tmem_counted - read a counter
 * @counter: Which one.
 *
 * Context: Any.
 * Return: The sum over all CPUs.
 */
unsigned long xen_tmem_counted(enum tmem_counter counter)
{
	unsigned long sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu(xen_tmem_counters, cpu)[counter]);
	return sum;
}

static int tmem_counter_get(void *data, u64 *val)
{
	*val = xen_tmem_counted((enum tmem_counter)(unsigned long)data);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(tmem_counter_fops, tmem_counter_get, NULL, "%llu\n");

static int tmem_pages_get(void *data, u64 *val)
{
	unsigned int pools;

	*val = xen_tmem_held(&pools);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(tmem_pages_fops, tmem_pages_get, NULL, "%llu\n");

static int tmem_bytes_get(void *data, u64 *val)
{
	unsigned int pools;

	*val = (u64)xen_tmem_held(&pools) << PAGE_SHIFT;
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(tmem_bytes_fops, tmem_bytes_get, NULL, "%llu\n");

static int tmem_pools_get(void *data, u64 *val)
{
	unsigned int pools;

	xen_tmem_held(&pools);
	*val = pools;
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(tmem_pools_fops, tmem_pools_get, NULL, "%llu\n");

/**
 * xen_tmem_add_debugfs - make a file for each counter
 *
 * Context: May sleep.
 */
void xen_tmem_add_debugfs(void)
{
	unsigned long i;

	tmem_debugfs = debugfs_create_dir("tmem_xen", NULL);
	for (i = 0; i < TMEM_NR_COUNTERS; i++)
		debugfs_create_file(tmem_counter_names[i], 0444, tmem_debugfs,
				    (void *)i, &tmem_counter_fops);
	debugfs_create_file("pages", 0444, tmem_debugfs, NULL,
			    &tmem_pages_fops);
	debugfs_create_file("bytes", 0444, tmem_debugfs, NULL,
			    &tmem_bytes_fops);
	debugfs_create_file("pools", 0444, tmem_debugfs, NULL,
			    &tmem_pools_fops);
}

/**
 * xen_tmem_remove_debugfs - remove them
 *
 * Context: May sleep.
 */
void xen_tmem_remove_debugfs(void)
{
	debugfs_remove_recursive(tmem_debugfs);
}

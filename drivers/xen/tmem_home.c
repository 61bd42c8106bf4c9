// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bringing pages of swap home although nobody wants to read them
 *
 * To memory, as long as there is some that nobody else misses; what does not fit
 * goes to the swap devices. Either way the hypervisor has them no more.
 */
#include <linux/frontswap.h>
#include <linux/mm.h>
#include <linux/swap.h>

#include "tmem.h"

static unsigned long tmem_take(unsigned long nr,
			       long (*take)(unsigned int type, unsigned long nr))
{
	unsigned long taken = 0;
	unsigned int type;

	for (type = 0; type < MAX_SWAPFILES && taken < nr; type++) {
		long ret = take(type, nr - taken);

		if (ret > 0)
			taken += ret;
	}
	return taken;
}

/* Pages that may come to memory: half of what others do not miss */
static unsigned long tmem_room(void)
{
	return max(si_mem_available(), 0L) / 2;
}

/**
 * xen_tmem_pull - bring pages of swap to memory
 * @nr: Pages, at most; fewer if there is no memory for them.
 *
 * Context: May sleep and reclaim memory.
 * Return: Pages that are home.
 */
unsigned long xen_tmem_pull(unsigned long nr)
{
	return tmem_take(min(nr, tmem_room()), frontswap_pull);
}

/**
 * xen_tmem_bring_home - bring pages of swap to memory or to the swap devices
 * @nr: Pages, at most.
 * @all: How many it will be in the end. If there is no memory for all, none
 *	comes there: it would only be swapped out again.
 *
 * Context: May sleep and reclaim memory.
 * Return: Pages that are home; the others' slots are busy, or memory is short.
 */
unsigned long xen_tmem_bring_home(unsigned long nr, unsigned long all)
{
	unsigned long home = all <= tmem_room() ? xen_tmem_pull(nr) : 0;

	if (home < nr)
		home += tmem_take(nr - home, frontswap_shrink);
	return home;
}

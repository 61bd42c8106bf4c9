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

/**
 * xen_tmem_pull - bring pages of swap to memory
 * @nr: Pages, at most.
 *
 * They take no more than half of what is available, so that others are not swapped
 * out for them.
 *
 * Context: May sleep and reclaim memory.
 * Return: Pages that are home.
 */
unsigned long xen_tmem_pull(unsigned long nr)
{
	long room = si_mem_available() / 2;

	if (room <= 0)
		return 0;
	return tmem_take(min(nr, (unsigned long)room), frontswap_pull);
}

/**
 * xen_tmem_bring_home - bring pages of swap to memory or to the swap devices
 * @nr: Pages, at most.
 *
 * Context: May sleep and reclaim memory.
 * Return: Pages that are home; the others' slots are busy, or memory is short.
 */
unsigned long xen_tmem_bring_home(unsigned long nr)
{
	unsigned long home = xen_tmem_pull(nr);

	if (home < nr)
		home += tmem_take(nr - home, frontswap_shrink);
	return home;
}

// SPDX-License-Identifier: GPL-2.0-only
/* How much memory a guest that balloons itself should have: the arithmetic */
#include <linux/math.h>
#include <linux/minmax.h>

#include "tmem.h"

#define TMEM_SMALL_PAGES	(128UL << (20 - PAGE_SHIFT))

/**
 * xen_tmem_goal - how much memory a guest needs
 * @need: What for, and within which bounds.
 *
 * Context: Any.
 * Return: Pages: what is needed, and at least the floor, but never more than the
 * ceiling.
 */
unsigned long xen_tmem_goal(const struct tmem_need *need)
{
	unsigned long sum = need->committed + need->kernel + need->reserve;

	return min(max(sum, need->floor), need->ceiling);
}

/**
 * xen_tmem_step - how far to go towards a goal now
 * @now: Pages that the guest has.
 * @goal: Pages that it should have.
 * @down: On the way down, one part in so many of what is too much, not 0.
 * @up: On the way up, one part in so many of what is lacking, not 0.
 *
 * Context: Any.
 * Return: Pages that it should have next; the goal comes nearer each time.
 */
unsigned long xen_tmem_step(unsigned long now, unsigned long goal,
			    unsigned int down, unsigned int up)
{
	if (goal < now)
		return now - DIV_ROUND_UP(now - goal, down);
	return now + DIV_ROUND_UP(goal - now, up);
}

/**
 * xen_tmem_floor - the least memory that a guest is left with, unless told otherwise
 * @most: Pages that it may have.
 *
 * What a program has mapped of files is in no sum of what is committed, so a guest
 * that has committed nothing needs some memory nevertheless. Half of the first
 * 128 MB is that, and a sixteenth of what is above.
 *
 * Context: Any.
 * Return: Pages.
 */
unsigned long xen_tmem_floor(unsigned long most)
{
	unsigned long small = min(most, TMEM_SMALL_PAGES);

	return small / 2 + (most - small) / 16;
}

/**
 * xen_tmem_quiet - does a guest that has swapped not do so any more?
 * @quiet: How long it has not.
 * @stores: Pages that were swapped out since it was started.
 * @inertia: For how many intervals it must not have.
 *
 * To be called once in each interval.
 *
 * Context: Any.
 * Return: true if it does not.
 */
bool xen_tmem_quiet(struct tmem_quiet *quiet, unsigned long stores,
		    unsigned int inertia)
{
	if (stores != quiet->stores) {
		quiet->stores = stores;
		quiet->intervals = 0;
		return inertia == 0;
	}
	if (quiet->intervals < inertia)
		quiet->intervals++;
	return quiet->intervals >= inertia;
}

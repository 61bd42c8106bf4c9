// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which slots of a swap area have their page in the store: one bit per slot,
 * in chunks of one page that are allocated when the first page of a chunk's
 * slots is stored and freed when the area is swapped off. An area that never
 * stored anything costs nothing per slot.
 *
 * A bit is changed only by the owner of its slot: whoever has the slot's folio
 * locked in the swap cache, or frees the slot. Neighbours may change at the
 * same time, hence atomic bit operations. Chunks are never freed while slots
 * are in use, so nothing here needs a lock.
 */
#include <linux/gfp.h>
#include <linux/minmax.h>
#include <linux/mm.h>

#include "frontswap.h"

#define SLOTS_PER_CHUNK	(PAGE_SIZE * BITS_PER_BYTE)

static unsigned long *chunk_of(struct xarray *map, pgoff_t offset)
{
	return xa_load(map, offset / SLOTS_PER_CHUNK);
}

/**
 * frontswap_map_init - prepare an empty residency map
 * @map: The map.
 */
void frontswap_map_init(struct xarray *map)
{
	xa_init(map);
}

/**
 * frontswap_map_destroy - free all memory of a residency map
 * @map: The map; nobody else uses it any more.
 */
void frontswap_map_destroy(struct xarray *map)
{
	unsigned long index;
	void *chunk;

	xa_for_each(map, index, chunk)
		free_page((unsigned long)chunk);
	xa_destroy(map);
}

static int reserve_chunk(struct xarray *map, pgoff_t offset, gfp_t gfp)
{
	void *chunk, *old;

	if (chunk_of(map, offset))
		return 0;
	chunk = (void *)get_zeroed_page(gfp);
	if (!chunk)
		return -ENOMEM;
	old = xa_cmpxchg(map, offset / SLOTS_PER_CHUNK, NULL, chunk, gfp);
	if (!old)
		return 0;
	/* Another store was faster, or there is no memory for the node. */
	free_page((unsigned long)chunk);
	return xa_err(old);
}

/**
 * frontswap_map_reserve - allocate what frontswap_map_set() needs
 * @map: The map.
 * @offset: First slot.
 * @nr: Number of slots, at least 1.
 * @gfp: How to allocate.
 *
 * Context: As @gfp says.
 * Return: 0 or -ENOMEM.
 */
int frontswap_map_reserve(struct xarray *map, pgoff_t offset, unsigned int nr,
			  gfp_t gfp)
{
	pgoff_t last = offset + nr - 1;
	int ret;

	for (; offset <= last; offset += SLOTS_PER_CHUNK) {
		ret = reserve_chunk(map, offset, gfp);
		if (ret)
			return ret;
	}
	/* A range that is not aligned may end in one chunk more. */
	return reserve_chunk(map, last, gfp);
}

/**
 * frontswap_map_set - mark slots as resident
 * @map: The map, with the range reserved.
 * @offset: First slot.
 * @nr: Number of slots.
 *
 * Context: Any; the caller owns the slots.
 * Return: How many of them were not marked before.
 */
unsigned int frontswap_map_set(struct xarray *map, pgoff_t offset,
			       unsigned int nr)
{
	pgoff_t end = offset + nr;
	unsigned int new = 0;

	for (; offset < end; offset++)
		new += !test_and_set_bit(offset % SLOTS_PER_CHUNK,
					 chunk_of(map, offset));
	return new;
}

/**
 * frontswap_map_clear_run - unmark slots up to the first that is not marked
 * @map: The map.
 * @offset: First slot.
 * @end: Slot after the last one.
 *
 * Context: Any; the caller owns the slots.
 * Return: How many slots were unmarked.
 */
unsigned int frontswap_map_clear_run(struct xarray *map, pgoff_t offset,
				     pgoff_t end)
{
	unsigned int run = 0;

	for (; offset < end; offset++, run++) {
		unsigned long *chunk = chunk_of(map, offset);

		if (!chunk ||
		    !test_and_clear_bit(offset % SLOTS_PER_CHUNK, chunk))
			break;
	}
	return run;
}

/**
 * frontswap_map_next - find the next slot that is resident
 * @map: The map.
 * @offset: Slot to start with.
 * @end: Slot after the last one.
 *
 * Context: Any.
 * Return: The slot, or @end.
 */
pgoff_t frontswap_map_next(struct xarray *map, pgoff_t offset, pgoff_t end)
{
	while (offset < end) {
		unsigned long *chunk = chunk_of(map, offset);
		pgoff_t base = round_down(offset, SLOTS_PER_CHUNK);
		unsigned long size = min(end - base, SLOTS_PER_CHUNK);
		unsigned long bit = size;

		if (chunk)
			bit = find_next_bit(chunk, size, offset - base);
		if (bit < size)
			return base + bit;
		offset = base + size;
	}
	return end;
}

/**
 * frontswap_map_test - where are the pages of some slots?
 * @map: The map.
 * @offset: First slot.
 * @nr: Number of slots.
 *
 * Context: Any. A hint unless the caller owns the slots.
 * Return: All in the store, none of them, or mixed.
 */
enum frontswap_residency frontswap_map_test(struct xarray *map, pgoff_t offset,
					    unsigned int nr)
{
	pgoff_t end = offset + nr;
	pgoff_t next = frontswap_map_next(map, offset, end);

	if (next == end)
		return FRONTSWAP_ABSENT;
	if (next != offset)
		return FRONTSWAP_MIXED;
	for (; offset < end; offset++) {
		unsigned long *chunk = chunk_of(map, offset);

		if (!chunk || !test_bit(offset % SLOTS_PER_CHUNK, chunk))
			return FRONTSWAP_MIXED;
	}
	return FRONTSWAP_RESIDENT;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which slots of a swap area have their page in the store: one bit per slot,
 * in chunks of one page that are allocated when the first page of a chunk's
 * slots is stored and freed when the area is swapped off. An area that never
 * had a backend costs nothing, one that never stored a pointer per chunk.
 *
 * A bit is changed only by the owner of its slot: whoever has the slot's folio
 * locked in the swap cache, or frees the slot. Neighbours may change at the
 * same time, hence atomic bit operations. Chunks are never freed while slots
 * are in use. So only adding a chunk needs a lock, the map's own, in which
 * nothing sleeps for memory and which nests inside everything else.
 */
#include <linux/gfp.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/slab.h>

#include "frontswap.h"

static unsigned long *chunk_of(struct frontswap_map *map, pgoff_t offset)
{
	/* Pairs with frontswap_map_alloc(). */
	unsigned long **chunks = smp_load_acquire(&map->chunks);

	if (!chunks)
		return NULL;
	/* Pairs with reserve_chunk(). */
	return smp_load_acquire(&chunks[offset / FRONTSWAP_CHUNK_SLOTS]);
}

static bool is_resident(struct frontswap_map *map, pgoff_t offset)
{
	unsigned long *chunk = chunk_of(map, offset);

	return chunk && test_bit(offset % FRONTSWAP_CHUNK_SLOTS, chunk);
}

/* Spares and chunks together never make more than one bit per slot. */
static unsigned int spares_wanted(struct frontswap_map *map)
{
	return min(map->nr_chunks - map->nr_used, FRONTSWAP_SPARES);
}

static void refill_spares(struct work_struct *work)
{
	struct frontswap_map *map = container_of(work, struct frontswap_map,
						 refill);
	unsigned long chunk;
	bool more;

	do {
		chunk = get_zeroed_page(GFP_KERNEL | __GFP_NOWARN);
		mutex_lock(&map->grow);
		more = chunk && map->nr_spares < spares_wanted(map);
		if (more)
			map->spares[map->nr_spares++] = chunk;
		mutex_unlock(&map->grow);
	} while (more);
	free_page(chunk);
}

/**
 * frontswap_map_init - prepare an empty residency map
 * @map: The map.
 * @nr_slots: Number of slots.
 */
void frontswap_map_init(struct frontswap_map *map, unsigned long nr_slots)
{
	map->nr_chunks = DIV_ROUND_UP(nr_slots, FRONTSWAP_CHUNK_SLOTS);
	map->chunks = NULL;
	map->nr_used = 0;
	map->nr_spares = 0;
	mutex_init(&map->grow);
	INIT_WORK(&map->refill, refill_spares);
}

/**
 * frontswap_map_alloc - make a residency map ready for use
 * @map: The map; calling this again does nothing.
 *
 * Context: May sleep. Not concurrently for one map.
 * Return: 0 or -ENOMEM.
 */
int frontswap_map_alloc(struct frontswap_map *map)
{
	unsigned long **chunks;

	if (map->chunks)
		return 0;
	chunks = kvcalloc(map->nr_chunks, sizeof(*chunks), GFP_KERNEL);
	if (!chunks)
		return -ENOMEM;
	refill_spares(&map->refill);
	/* Others look at the map without a lock. */
	smp_store_release(&map->chunks, chunks);
	return 0;
}

/**
 * frontswap_map_destroy - free all memory of a residency map
 * @map: The map; nobody else uses it any more.
 *
 * Context: May sleep.
 */
void frontswap_map_destroy(struct frontswap_map *map)
{
	unsigned long i;

	cancel_work_sync(&map->refill);
	while (map->nr_spares)
		free_page(map->spares[--map->nr_spares]);
	for (i = 0; map->chunks && i < map->nr_chunks; i++)
		free_page((unsigned long)map->chunks[i]);
	kvfree(map->chunks);
}

/*
 * Stores come from reclaim, when memory is shortest. So there are spare chunks,
 * which are replaced in the background, and the reserves are left alone. One
 * would not do: swap areas on solid state devices hand out clusters in columns
 * 64 MB apart (SWAP_CLUSTER_COLS), so that the first few need a chunk each.
 */
static unsigned long *grow_chunk(struct frontswap_map *map)
{
	unsigned long chunk = 0;

	lockdep_assert_held(&map->grow);
	if (map->nr_used + map->nr_spares < map->nr_chunks)
		chunk = get_zeroed_page(GFP_NOWAIT | __GFP_NOMEMALLOC |
					__GFP_NOWARN);
	if (!chunk && map->nr_spares)
		chunk = map->spares[--map->nr_spares];
	if (chunk)
		map->nr_used++;
	if (map->nr_spares < spares_wanted(map))
		queue_work(system_unbound_wq, &map->refill);
	return (unsigned long *)chunk;
}

static int reserve_chunk(struct frontswap_map *map, pgoff_t offset)
{
	unsigned long **slot = &map->chunks[offset / FRONTSWAP_CHUNK_SLOTS];
	int ret = 0;

	if (READ_ONCE(*slot))
		return 0;
	mutex_lock(&map->grow);
	if (!*slot)
		/* Others read the chunk without the lock. */
		smp_store_release(slot, grow_chunk(map));
	if (!*slot)
		ret = -ENOMEM;
	mutex_unlock(&map->grow);
	return ret;
}

/**
 * frontswap_map_reserve - allocate what frontswap_map_set() needs
 * @map: The map, allocated.
 * @offset: First slot.
 * @nr: Number of slots, at least 1.
 *
 * Context: Reclaim: may sleep, not for memory, and leaves the reserves alone.
 * Return: 0 or -ENOMEM.
 */
int frontswap_map_reserve(struct frontswap_map *map, pgoff_t offset,
			  unsigned int nr)
{
	pgoff_t last = offset + nr - 1;
	int ret;

	for (; offset < last; offset += FRONTSWAP_CHUNK_SLOTS) {
		ret = reserve_chunk(map, offset);
		if (ret)
			return ret;
	}
	/* A range that is not aligned may end in one chunk more. */
	return reserve_chunk(map, last);
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
unsigned int frontswap_map_set(struct frontswap_map *map, pgoff_t offset,
			       unsigned int nr)
{
	pgoff_t end = offset + nr;
	unsigned int new = 0;

	for (; offset < end; offset++)
		new += !test_and_set_bit(offset % FRONTSWAP_CHUNK_SLOTS,
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
unsigned int frontswap_map_clear_run(struct frontswap_map *map, pgoff_t offset,
				     pgoff_t end)
{
	unsigned int run = 0;

	for (; offset < end; offset++, run++) {
		unsigned long *chunk = chunk_of(map, offset);

		if (!chunk ||
		    !test_and_clear_bit(offset % FRONTSWAP_CHUNK_SLOTS, chunk))
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
pgoff_t frontswap_map_next(struct frontswap_map *map, pgoff_t offset, pgoff_t end)
{
	while (offset < end) {
		unsigned long *chunk = chunk_of(map, offset);
		pgoff_t base = round_down(offset, FRONTSWAP_CHUNK_SLOTS);
		unsigned long size = min(end - base, FRONTSWAP_CHUNK_SLOTS);
		unsigned long bit = size;

		/* Nearly always it is the first. */
		if (chunk && test_bit(offset - base, chunk))
			return offset;
		if (chunk)
			bit = find_next_bit(chunk, size, offset - base + 1);
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
enum frontswap_residency frontswap_map_test(struct frontswap_map *map, pgoff_t offset,
					    unsigned int nr)
{
	pgoff_t end = offset + nr;

	if (!is_resident(map, offset))
		return frontswap_map_next(map, offset + 1, end) < end ?
			FRONTSWAP_MIXED : FRONTSWAP_ABSENT;
	while (++offset < end)
		if (!is_resident(map, offset))
			return FRONTSWAP_MIXED;
	return FRONTSWAP_RESIDENT;
}

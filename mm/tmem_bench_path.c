// SPDX-License-Identifier: GPL-2.0-only
/*
 * The benchmark: the ways of a page, by the functions that the swap subsystem calls.
 *
 * What all ways have in common in swap_writepage() and swap_read_folio(), such as the
 * look for a page of zeros, belongs to none of them and is not measured.
 */
#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/frontswap.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/string.h>
#include <linux/swap.h>
#include <linux/swapops.h>
#include <linux/writeback.h>
#include <linux/zswap.h>

#include "swap.h"
#include "tmem_bench.h"
#include "zcache/zcache.h"

/* Nothing but the copy, as the other ways make it */

static bool copy_store(struct folio *folio, void *spare)
{
	memcpy(spare, folio_address(folio), PAGE_SIZE);
	return true;
}

static bool copy_load(struct folio *folio, void *spare)
{
	copy_page(folio_address(folio), spare);
	folio_mark_uptodate(folio);
	return true;
}

static void copy_drop(struct folio *folio)
{
}

/* The backend of frontswap */

static bool zcache_store(struct folio *folio, void *spare)
{
	return frontswap_store(folio);
}

static bool zcache_load(struct folio *folio, void *spare)
{
	return !frontswap_load(folio);
}

static void zcache_drop(struct folio *folio)
{
	frontswap_invalidate(folio->swap, 1);
}

static bool bench_zswap_store(struct folio *folio, void *spare)
{
	return zswap_store(folio);
}

static bool bench_zswap_load(struct folio *folio, void *spare)
{
	return zswap_load(folio);
}

static void bench_zswap_drop(struct folio *folio)
{
	zswap_invalidate(folio->swap);
}

/* The device of the swap area */

static bool device_store(struct folio *folio, void *spare)
{
	struct writeback_control wbc = {
		.sync_mode = WB_SYNC_NONE,
		.nr_to_write = SWAP_CLUSTER_MAX,
		.range_end = LLONG_MAX,
		.for_reclaim = 1,
	};

	__swap_writepage(folio, &wbc);
	folio_wait_writeback(folio);
	folio_lock(folio);
	return true;
}

/* As swap_read_folio_bdev_sync() does. */
static bool device_load(struct folio *folio, void *spare)
{
	struct swap_info_struct *si = swp_swap_info(folio->swap);
	struct bio_vec vec;
	struct bio bio;

	bio_init(&bio, si->bdev, &vec, 1, REQ_OP_READ);
	bio.bi_iter.bi_sector = swap_folio_sector(folio);
	bio_add_folio_nofail(&bio, folio, PAGE_SIZE, 0);
	count_vm_event(PSWPIN);
	if (submit_bio_wait(&bio))
		return false;
	folio_mark_uptodate(folio);
	return true;
}

static void device_drop(struct folio *folio)
{
	struct gendisk *disk = swp_swap_info(folio->swap)->bdev->bd_disk;

	if (disk->fops->swap_slot_free_notify)
		disk->fops->swap_slot_free_notify(disk->part0,
						  swp_offset(folio->swap));
}

static const struct bench_path bench_paths[] = {
	{
		.name = "copy",
		.store = copy_store, .load = copy_load, .drop = copy_drop,
	}, {
		.name = "zcache",
		.store = zcache_store, .load = zcache_load, .drop = zcache_drop,
		.most = ZCACHE_MOST, .room = ZCACHE_MOST, .size_known = true,
		.same_filled = true,
	}, {
		.name = "zswap",
		.store = bench_zswap_store, .load = bench_zswap_load,
		.drop = bench_zswap_drop,
		.most = PAGE_SIZE, .room = PAGE_SIZE,
	}, {
		.name = "zram",
		.store = device_store, .load = device_load, .drop = device_drop,
		.room = 2 * PAGE_SIZE, .size_known = true, .same_filled = true,
	}, {
		.name = "device",
		.store = device_store, .load = device_load, .drop = device_drop,
	},
};

/**
 * bench_path_find - find a path
 * @name: Its name.
 *
 * Context: Any.
 * Return: the path or NULL.
 */
const struct bench_path *bench_path_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bench_paths); i++)
		if (!strcmp(bench_paths[i].name, name))
			return &bench_paths[i];
	return NULL;
}

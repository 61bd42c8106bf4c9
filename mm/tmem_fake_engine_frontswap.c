// SPDX-License-Identifier: GPL-2.0-only
/*
 * tmem_fake as a backend of frontswap whose pages the tmem engine keeps.
 */
#include <linux/frontswap.h>
#include <linux/mm.h>
#include <linux/swap.h>

#include "tmem_fake.h"
#include "tmem/linux/folio.h"

/* A swap area. */
struct fake_engine_area {
	int pool;		/* -1: none */
	bool writethrough;
};

static struct fake_engine_area fake_engine_areas[MAX_SWAPFILES] = {
	[0 ... MAX_SWAPFILES - 1] = { .pool = -1 },
};

static int fake_engine_init(unsigned int type, unsigned long nr_slots,
			    bool writethrough)
{
	struct fake_engine_area *area = &fake_engine_areas[type];
	int pool;

	if (WARN_ON_ONCE(area->pool >= 0))
		return -EBUSY;
	pool = tmem_folio_new_pool(fake_client, writethrough ?
				   0 : TMEM_FLAG_PERSISTENT);
	if (pool < 0)
		return pool;
	area->writethrough = writethrough;
	WRITE_ONCE(area->pool, pool);
	fake_add(FAKE_POOLS, 1);
	return 0;
}

static int fake_engine_store(unsigned int type, pgoff_t offset,
			     struct folio *folio)
{
	struct fake_engine_area *area = &fake_engine_areas[type];
	unsigned int older = 0, nr = folio_nr_pages(folio);
	int err = -ENOSPC;

	fake_delay();
	if (READ_ONCE(fake_refuse_duplicates))
		older = tmem_swap_invalidate(fake_client, area->pool, offset,
					     nr);
	fake_add(FAKE_DUPLICATES, older);
	if (!older && fake_engine_takes())
		err = tmem_swap_store(fake_client, area->pool, offset, folio);
	else
		tmem_swap_invalidate(fake_client, area->pool, offset, nr);
	fake_add(err ? FAKE_REFUSED : FAKE_STORES, nr);
	if (!err && area->writethrough && READ_ONCE(fake_drop_now))
		fake_add(FAKE_DROPPED,
			 tmem_swap_invalidate(fake_client, area->pool, offset,
					      nr));
	return err;
}

static int fake_engine_load(unsigned int type, pgoff_t offset,
			    struct folio *folio, bool exclusive)
{
	struct fake_engine_area *area = &fake_engine_areas[type];
	unsigned int nr = folio_nr_pages(folio);
	int err;

	fake_delay();
	if (fake_fails_load()) {
		fake_add(FAKE_FAILED_LOADS, nr);
		return -EIO;
	}
	err = tmem_swap_load(fake_client, area->pool, offset, folio, exclusive);
	fake_add(err ? FAKE_MISSES : FAKE_LOADS, nr);
	if (!err && exclusive)
		fake_add(FAKE_EXCLUSIVE_LOADS, nr);
	return err;
}

static void fake_engine_invalidate(unsigned int type, pgoff_t offset,
				   unsigned int nr)
{
	fake_add(FAKE_INVALIDATES,
		 tmem_swap_invalidate(fake_client, fake_engine_areas[type].pool,
				      offset, nr));
}

static void fake_engine_invalidate_area(unsigned int type)
{
	struct fake_engine_area *area = &fake_engine_areas[type];
	struct tmem_stats stats;
	int pool = area->pool;

	WRITE_ONCE(area->pool, -1);
	tmem_pool_stats(fake_client, pool, &stats);
	tmem_folio_destroy_pool(fake_client, pool);
	fake_add(FAKE_INVALIDATES, stats.pages);
	fake_add(FAKE_POOLS, -1);
}

struct frontswap_ops fake_engine_swap_ops = {
	.name = KBUILD_MODNAME,
	.init = fake_engine_init,
	.store = fake_engine_store,
	.load = fake_engine_load,
	.invalidate = fake_engine_invalidate,
	.invalidate_area = fake_engine_invalidate_area,
};

/* Give so many pages that must not be lost back to the front end. */
void fake_engine_push(unsigned long nr)
{
	unsigned int type;
	long pushed;

	for (type = 0; type < MAX_SWAPFILES && nr; type++) {
		if (READ_ONCE(fake_engine_areas[type].pool) < 0)
			continue;
		pushed = frontswap_shrink(type, nr);
		if (pushed <= 0)
			continue;
		fake_add(FAKE_PUSHED, pushed);
		nr -= min_t(unsigned long, nr, pushed);
	}
}

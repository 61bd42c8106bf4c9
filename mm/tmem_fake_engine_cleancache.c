// SPDX-License-Identifier: GPL-2.0-only
/*
 * tmem_fake as a backend of cleancache whose pages the tmem engine keeps.
 */
#include <linux/cleancache.h>
#include <linux/mm.h>

#include "tmem_fake.h"
#include "tmem/linux/folio.h"

static int fake_engine_init_fs(size_t page_size)
{
	int pool;

	if (page_size != PAGE_SIZE)
		return -EINVAL;
	pool = tmem_folio_new_pool(fake_client, 0);
	if (pool >= 0)
		fake_add(FAKE_POOLS, 1);
	return pool;
}

static void fake_engine_put_folio(int pool, u64 id, pgoff_t index,
				  struct folio *folio, unsigned int nr,
				  unsigned long *held)
{
	unsigned int older = 0, taken = 0;

	if (READ_ONCE(fake_refuse_duplicates))
		older = tmem_file_invalidate(fake_client, pool, id, index, nr);
	fake_add(FAKE_DUPLICATES, older);
	if (!older && fake_engine_takes())
		taken = tmem_file_put(fake_client, pool, id, index, folio, nr,
				      held);
	else
		tmem_file_invalidate(fake_client, pool, id, index, nr);
	fake_add(FAKE_PUTS, taken);
	fake_add(FAKE_REFUSED, nr - taken);
	if (READ_ONCE(fake_drop_now))
		fake_add(FAKE_DROPPED,
			 tmem_file_invalidate(fake_client, pool, id, index,
					      nr));
}

static void fake_engine_put(int pool, u64 id, pgoff_t index,
			    struct folio *folio, unsigned int nr,
			    unsigned long *held)
{
	fake_delay();
	fake_add(FAKE_PUT_CALLS, 1);
	fake_engine_put_folio(pool, id, index, folio, nr, held);
}

static int fake_engine_get_folio(int pool, u64 id, pgoff_t index,
				 struct folio *folio, unsigned int nr)
{
	int err = -ENOENT;

	if (!fake_fails_load())
		err = tmem_file_get(fake_client, pool, id, index, folio, nr,
				    fake_exclusive);
	if (err) {
		fake_add(FAKE_GET_MISSES, nr);
		return err;
	}
	if (fake_exclusive)
		fake_add(FAKE_EXCLUSIVE_GETS, nr);
	fake_spoil_page(folio_page(folio, 0));
	fake_add(FAKE_GETS, nr);
	return 0;
}

static int fake_engine_get(int pool, u64 id, pgoff_t index,
			   struct folio *folio, unsigned int nr)
{
	fake_delay();
	fake_add(FAKE_GET_CALLS, 1);
	return fake_engine_get_folio(pool, id, index, folio, nr);
}

static void fake_engine_put_batch(struct cleancache_vec *vec, unsigned int n)
{
	fake_delay();
	fake_add(FAKE_PUT_CALLS, 1);
	for (; n--; vec++) {
		unsigned long held = 0;

		fake_engine_put_folio(vec->pool, vec->object,
				      vec->folio->index, vec->folio, 1, &held);
		vec->status = held ? 0 : -ENOSPC;
	}
}

static void fake_engine_get_batch(struct cleancache_vec *vec, unsigned int n)
{
	fake_delay();
	fake_add(FAKE_GET_CALLS, 1);
	for (; n--; vec++)
		vec->status = fake_engine_get_folio(vec->pool, vec->object,
						    vec->folio->index,
						    vec->folio, vec->nr);
}

static void fake_engine_flush(int pool, u64 id, pgoff_t index, unsigned int nr)
{
	fake_add(FAKE_FLUSH_CALLS, 1);
	fake_add(FAKE_FLUSHES,
		 tmem_file_invalidate(fake_client, pool, id, index, nr));
}

static void fake_engine_flush_inode(int pool, u64 id)
{
	fake_add(FAKE_FLUSH_CALLS, 1);
	tmem_file_invalidate_inode(fake_client, pool, id);
}

static void fake_engine_flush_fs(int pool)
{
	tmem_folio_destroy_pool(fake_client, pool);
	fake_add(FAKE_POOLS, -1);
}

struct cleancache_ops fake_engine_file_ops = {
	.name = KBUILD_MODNAME,
	.init_fs = fake_engine_init_fs,
	.put = fake_engine_put,
	.get = fake_engine_get,
	.invalidate = fake_engine_flush,
	.invalidate_inode = fake_engine_flush_inode,
	.invalidate_fs = fake_engine_flush_fs,
	.put_batch = fake_engine_put_batch,
	.get_batch = fake_engine_get_batch,
};

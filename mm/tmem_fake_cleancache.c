// SPDX-License-Identifier: GPL-2.0-only
/*
 * tmem_fake as a backend of cleancache: the part to copy for a backend of your
 * own. Each comment says what the contract in <linux/cleancache.h> asks for and
 * how that is kept.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cleancache.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "tmem_fake.h"

/* A file of which there is, or was, a page. */
struct fake_object {
	struct fake_index index;
	struct rcu_head rcu;
};

/* A filesystem, or the same one on several nodes of a cluster. */
struct fake_pool {
	struct xarray objects;	/* by id */
	uuid_t uuid;		/* of the filesystem, if the pool may be shared */
	unsigned int users;	/* how many share it */
};

/* By id, which is never used again: a late call finds nothing. */
static DEFINE_XARRAY_ALLOC(fake_pools);
static u32 fake_next_pool;

/* Protected by fake_lock. */
static unsigned long fake_nr_gets;

static int fake_make_pool(const uuid_t *uuid)
{
	struct fake_pool *pool;
	u32 id;
	int err;

	pool = kzalloc(sizeof(*pool), GFP_KERNEL);
	if (!pool)
		return -ENOMEM;
	xa_init_flags(&pool->objects, XA_FLAGS_LOCK_IRQ);
	uuid_copy(&pool->uuid, uuid);
	pool->users = 1;
	err = xa_alloc_cyclic(&fake_pools, &id, pool,
			      XA_LIMIT(0, INT_MAX), &fake_next_pool,
			      GFP_KERNEL);
	if (err < 0) {
		kfree(pool);
		return err;
	}
	fake_add(FAKE_POOLS, 1);
	return id;
}

/*
 * Contract: make a pool. May sleep, for once.
 */
static int fake_init_fs(size_t page_size)
{
	return page_size == PAGE_SIZE ? fake_make_pool(&uuid_null) : -EINVAL;
}

/*
 * Contract: as ->init_fs, or get into the pool of all who have this uuid. Called one
 * after the other, as ->invalidate_fs.
 */
static int fake_init_shared_fs(const uuid_t *uuid, size_t page_size)
{
	struct fake_pool *pool;
	unsigned long id;

	if (page_size != PAGE_SIZE)
		return -EINVAL;
	if (!fake_shared)
		return -EPERM;
	xa_for_each(&fake_pools, id, pool)
		if (uuid_equal(&pool->uuid, uuid)) {
			pool->users++;
			return id;
		}
	return fake_make_pool(uuid);
}

static bool fake_is_shared(int pool)
{
	struct fake_pool *p = xa_load(&fake_pools, pool);

	return p && !uuid_is_null(&p->uuid);
}

/* Objects are used in RCU read-side sections. */
static struct fake_object *fake_find(int pool, u64 id)
{
	struct fake_pool *p = xa_load(&fake_pools, pool);

	return p ? xa_load(&p->objects, id) : NULL;
}

/* Find an object, or make it; puts of other folios may do the same. */
static struct fake_object *fake_make(int pool, u64 id)
{
	struct fake_pool *p = xa_load(&fake_pools, pool);
	struct fake_object *object, *other;

	RCU_LOCKDEP_WARN(!rcu_read_lock_held(), "object may go");
	if (WARN_ON_ONCE(!p))
		return NULL;
	object = xa_load(&p->objects, id);
	if (object)
		return object;
	object = kzalloc(sizeof(*object), FAKE_GFP);
	if (!object)
		return NULL;
	xa_init_flags(&object->index.frames, XA_FLAGS_LOCK_IRQ);
	object->index.ephemeral = true;
	other = xa_cmpxchg_irq(&p->objects, id, NULL, object, FAKE_GFP);
	if (other) {
		kfree(object);
		return xa_is_err(other) ? NULL : other;
	}
	fake_add(FAKE_OBJECTS, 1);
	return object;
}

static bool fake_takes_page(void)
{
	bool takes;

	spin_lock_irq(&fake_lock);
	takes = fake_accepts();
	spin_unlock_irq(&fake_lock);
	return takes;
}

static bool fake_put_page(struct fake_object *object, pgoff_t index,
			  struct page *page)
{
	unsigned int older;

	if (!object) {
		fake_add(FAKE_REFUSED, 1);
		return false;
	}
	older = fake_forget(&object->index, index, 1, FAKE_DUPLICATES);
	if ((older && READ_ONCE(fake_refuse_duplicates)) || !fake_takes_page() ||
	    fake_insert(&object->index, index, page)) {
		fake_add(FAKE_REFUSED, 1);
		return false;
	}
	fake_add(FAKE_PUTS, 1);
	if (READ_ONCE(fake_drop_now))
		fake_forget(&object->index, index, 1, FAKE_DROPPED);
	return true;
}

/*
 * Contract: each page may be refused, and then no older one is left. A page that
 * was taken may be dropped at any time, even before this returns.
 */
static void fake_put(int pool, u64 id, pgoff_t index, struct folio *folio,
		     unsigned int nr, unsigned long *held)
{
	struct fake_object *object;
	unsigned int i;

	fake_delay();
	fake_add(FAKE_PUT_CALLS, 1);
	rcu_read_lock();
	object = fake_make(pool, id);
	for (i = 0; i < nr; i++)
		if (fake_put_page(object, index + i, folio_page(folio, i)))
			__set_bit(i, held);
	rcu_read_unlock();
}

void fake_spoil_page(struct page *page)
{
	unsigned int nth = READ_ONCE(fake_spoil);
	bool spoils;
	char *data;

	spin_lock_irq(&fake_lock);
	spoils = nth && ++fake_nr_gets % nth == 0;
	spin_unlock_irq(&fake_lock);
	if (!spoils)
		return;
	data = kmap_local_page(page);
	data[PAGE_SIZE / 2] ^= 1;
	kunmap_local(data);
	fake_add(FAKE_SPOILED, 1);
}

static int fake_get_pages(int pool, u64 id, pgoff_t index, struct folio *folio,
			  unsigned int nr)
{
	struct fake_object *object = fake_find(pool, id);
	unsigned int i;

	if (!object || fake_fails_load())
		goto miss;
	for (i = 0; i < nr; i++)
		if (!fake_copy(&object->index, index + i, folio_page(folio, i)))
			goto miss;
	if (fake_exclusive && !fake_is_shared(pool))
		fake_forget(&object->index, index, nr, FAKE_EXCLUSIVE_GETS);
	fake_spoil_page(folio_page(folio, 0));
	fake_add(FAKE_GETS, nr);
	return 0;
miss:
	fake_add(FAKE_GET_MISSES, nr);
	return -ENOENT;
}

/*
 * Contract: all pages or a miss, whatever was put before. They may be forgotten
 * meanwhile, and the whole file too: then it does not matter what is returned.
 */
static int fake_get(int pool, u64 id, pgoff_t index, struct folio *folio,
		    unsigned int nr)
{
	int ret;

	fake_delay();
	fake_add(FAKE_GET_CALLS, 1);
	rcu_read_lock();
	ret = fake_get_pages(pool, id, index, folio, nr);
	rcu_read_unlock();
	return ret;
}

/* Contract: as ->put and ->get, one after the other. */

static void fake_put_batch(struct cleancache_vec *vec, unsigned int n)
{
	fake_delay();
	fake_add(FAKE_PUT_CALLS, 1);
	for (; n--; vec++) {
		struct fake_object *object;

		rcu_read_lock();
		object = fake_make(vec->pool, vec->object);
		vec->status = fake_put_page(object, vec->folio->index,
					    folio_page(vec->folio, 0)) ?
			      0 : -ENOSPC;
		rcu_read_unlock();
	}
}

static void fake_get_batch(struct cleancache_vec *vec, unsigned int n)
{
	fake_delay();
	fake_add(FAKE_GET_CALLS, 1);
	for (; n--; vec++) {
		rcu_read_lock();
		vec->status = fake_get_pages(vec->pool, vec->object,
					     vec->folio->index, vec->folio,
					     vec->nr);
		rcu_read_unlock();
	}
}

/*
 * Contract: must not sleep, cannot fail, and a later put must win.
 */
static void fake_flush(int pool, u64 id, pgoff_t index, unsigned int nr)
{
	struct fake_object *object;

	fake_add(FAKE_FLUSH_CALLS, 1);
	rcu_read_lock();
	object = fake_find(pool, id);
	if (object)
		fake_forget(&object->index, index, nr, FAKE_FLUSHES);
	rcu_read_unlock();
}

/*
 * Contract: as ->invalidate, for all pages. A put or get of the file may still be
 * running: the former makes a new object, if it comes too late, whose pages are
 * forgotten one by one, and which goes with its pool.
 */
static void fake_flush_inode(int pool, u64 id)
{
	struct fake_pool *p = xa_load(&fake_pools, pool);
	struct fake_object *object;

	fake_add(FAKE_FLUSH_CALLS, 1);
	object = p ? xa_erase_irq(&p->objects, id) : NULL;
	if (!object)
		return;
	spin_lock_irq(&fake_lock);
	object->index.dead = true;
	spin_unlock_irq(&fake_lock);
	fake_forget_all(&object->index, FAKE_FLUSHES);
	kfree_rcu(object, rcu);
	fake_add(FAKE_OBJECTS, -1);
}

/*
 * Contract: who shares the pool goes on meanwhile, and finds nothing that was there.
 */
static void fake_empty_fs(int pool)
{
	struct fake_pool *p = xa_load(&fake_pools, pool);
	struct fake_object *object;
	unsigned long id;

	xa_for_each(&p->objects, id, object)
		fake_flush_inode(pool, id);
}

/*
 * Contract: nothing of this filesystem runs on this pool any more, but our own work
 * may drop pages of it. Others may share it, and keep it.
 */
static void fake_flush_fs(int pool)
{
	struct fake_pool *p = xa_load(&fake_pools, pool);
	struct fake_object *object;
	unsigned long id;
	u64 objects = 0;

	if (WARN_ON_ONCE(!p))
		return;
	if (--p->users)
		return;
	xa_erase(&fake_pools, pool);
	xa_for_each(&p->objects, id, object) {
		fake_forget_all(&object->index, FAKE_FLUSHES);
		xa_destroy(&object->index.frames);
		kfree(object);
		objects++;
		cond_resched();
	}
	xa_destroy(&p->objects);
	kfree(p);
	fake_add(FAKE_OBJECTS, -objects);
	fake_add(FAKE_POOLS, -1);
}

static struct cleancache_ops fake_ops = {
	.name = KBUILD_MODNAME,
	.init_fs = fake_init_fs,
	.init_shared_fs = fake_init_shared_fs,
	.empty_fs = fake_empty_fs,
	.put = fake_put,
	.get = fake_get,
	.invalidate = fake_flush,
	.invalidate_inode = fake_flush_inode,
	.invalidate_fs = fake_flush_fs,
	.put_batch = fake_put_batch,
	.get_batch = fake_get_batch,
};

static struct cleancache_ops *fake_ops_in_use(void)
{
	return fake_use_engine ? &fake_engine_file_ops : &fake_ops;
}

int fake_cleancache_init(void)
{
	struct cleancache_ops *ops = fake_ops_in_use();

	ops->max_index = fake_max_index;
	ops->flags = (fake_outside ? CLEANCACHE_OUTSIDE : 0) |
		     (fake_exclusive ? CLEANCACHE_EXCLUSIVE : 0);
	if (!fake_batch) {
		ops->put_batch = NULL;
		ops->get_batch = NULL;
	}
	return cleancache_register_ops(ops);
}

void fake_cleancache_exit(void)
{
	cleancache_unregister_ops(fake_ops_in_use());
	WARN_ON_ONCE(!xa_empty(&fake_pools));
}

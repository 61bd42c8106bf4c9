// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages of files that the hypervisor was told to forget, and did not
 *
 * Their object is fenced: nothing of it is got or put until the hypervisor has
 * forgotten all of it. Without memory to note the object, the whole filesystem is
 * fenced until its pool has been replaced by an empty one. So it is if the pool is
 * shared: no fence holds the others back, who lose what is in it too.
 *
 * Fencing begins before the front end's ->invalidate returns, so that whoever may
 * rely on the page being gone sees the fence. Cleancache itself never gets what it
 * has invalidated; this is for the hypervisor's sake too, which is rid of the page
 * at last.
 */
#define pr_fmt(fmt) "tmem: " fmt

#include <linux/cleancache.h>
#include <linux/printk.h>
#include <linux/sched.h>

#include "tmem.h"

/*
 * What is noted of an object: a number that grows. An object that is fenced again
 * while it is being forgotten has another one then, and stays fenced.
 */
static atomic_t tmem_last_fence;

/**
 * xen_tmem_is_fenced - may the hypervisor have what it should not have?
 * @fs: Its filesystem.
 * @object: The file.
 *
 * Context: Any.
 * Return: true if nothing of it is to be put or got.
 */
bool xen_tmem_is_fenced(struct tmem_filesystem *fs, u64 object)
{
	return unlikely(READ_ONCE(fs->fenced)) ||
	       unlikely(!xa_empty(&fs->fences) && xa_load(&fs->fences, object));
}

/**
 * xen_tmem_fence - a file may have pages that should have been forgotten
 * @fs: Its filesystem.
 * @object: The file.
 *
 * Context: Process, inside xen_tmem_srcu. Does not sleep.
 */
void xen_tmem_fence(struct tmem_filesystem *fs, u64 object)
{
	unsigned long nr = (unsigned int)atomic_inc_return(&tmem_last_fence);

	if (!uuid_is_null(&fs->uuid) ||
	    xa_err(xa_store(&fs->fences, object, xa_mk_value(nr),
			    GFP_ATOMIC | __GFP_NOWARN)))
		WRITE_ONCE(fs->fenced, true);
	tmem_count(TMEM_FENCES, 1);
	xen_tmem_retry_later();
}

/* Return: false, and there is none, if the hypervisor does not give one. */
static bool tmem_make_pool(struct tmem_filesystem *fs)
{
	int pool = xen_tmem_file_make_pool(&fs->uuid);

	if (pool < 0)
		return false;
	/* Who has the pool may be the next to fence it. */
	smp_store_release(&fs->pool, pool);
	return true;
}

/**
 * xen_tmem_replace_shared - empty a shared pool
 * @fs: Its filesystem, which is fenced and stays so if the hypervisor refuses.
 *
 * A guest that asks for a pool that it is in already has forgotten that, and may have
 * forgotten to flush: the hypervisor empties the pool for all, and its first id is good
 * for nothing any more. Who fails to flush by that id meanwhile fences us again.
 *
 * Context: May sleep. xen_tmem_mutex is held.
 */
void xen_tmem_replace_shared(struct tmem_filesystem *fs)
{
	int old = fs->pool, pool = xen_tmem_file_make_pool(&fs->uuid);

	lockdep_assert_held(&xen_tmem_mutex);
	if (pool < 0) {
		WRITE_ONCE(fs->fenced, true);
		xen_tmem_retry_later();
		return;
	}
	WRITE_ONCE(fs->fenced, false);
	/* Who has the new pool may be the next to fence it. */
	smp_store_release(&fs->pool, pool);
	synchronize_srcu(&xen_tmem_srcu);
	xen_tmem_drop_pool(old);
}

/*
 * While the filesystem is fenced nothing is put or got. Its pool is not used after
 * synchronize_srcu(), so that whoever gets the pool's id next is not disturbed.
 */
static void tmem_replace_pool(struct tmem_filesystem *fs)
{
	int err, pool = fs->pool;

	lockdep_assert_held(&xen_tmem_mutex);
	WRITE_ONCE(fs->pool, TMEM_NO_POOL);
	synchronize_srcu(&xen_tmem_srcu);
	err = xen_tmem_destroy_pool(pool);
	if (err && err != -ENOENT) {
		/* What should be forgotten meanwhile is behind the fence. */
		WRITE_ONCE(fs->pool, pool);
		return;
	}
	xa_destroy(&fs->fences);
	WRITE_ONCE(fs->fenced, false);
	if (!tmem_make_pool(fs))
		pr_warn("a filesystem has lost its pool and gets none now\n");
}

/* Return: true if something is still fenced, or has no pool. */
static bool tmem_fence_retry(struct tmem_filesystem *fs)
{
	unsigned long object;
	void *nr;

	if (fs->pool == TMEM_NO_POOL)
		return !tmem_make_pool(fs);
	if (READ_ONCE(fs->fenced)) {
		if (uuid_is_null(&fs->uuid))
			tmem_replace_pool(fs);
		else
			xen_tmem_replace_shared(fs);
		return READ_ONCE(fs->fenced) || fs->pool == TMEM_NO_POOL;
	}
	xa_for_each(&fs->fences, object, nr) {
		struct tmem_oid oid = { { object } };

		if (!xen_tmem_flush_object(fs->pool, &oid))
			xa_cmpxchg(&fs->fences, object, nr, NULL, 0);
		cond_resched();
	}
	return READ_ONCE(fs->fenced) || !xa_empty(&fs->fences);
}

/**
 * xen_tmem_fences_retry - try again to have files forgotten
 *
 * Context: May sleep. xen_tmem_mutex is held.
 * Return: true if some are still fenced, or have no pool.
 */
bool xen_tmem_fences_retry(void)
{
	struct tmem_filesystem *fs = xen_tmem_filesystems;
	bool left = false;

	for (; fs < xen_tmem_filesystems + TMEM_MAX_POOLS; fs++)
		if (fs->used)
			left |= tmem_fence_retry(fs);
	return left;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Clean pages of files, in an ephemeral pool of the hypervisor for each
 * filesystem
 *
 * A get removes what it returns, and the hypervisor drops pages as it likes. What
 * it has to forget it must forget, though: see tmem_fence.c for when it does not.
 *
 * Where the hypervisor has the extensions, guests may share the pool of a filesystem of
 * their cluster. No fence holds the others back, so what cannot be forgotten in it is
 * reason to empty it; and a guest leaves it before it goes elsewhere.
 *
 * A filesystem keeps its place in xen_tmem_filesystems, which cleancache knows it by,
 * while its pool may be replaced by another, or be lost.
 */
#define pr_fmt(fmt) "tmem: " fmt

#include <kunit/static_stub.h>

#include <linux/cleancache.h>
#include <linux/mm.h>
#include <linux/sched.h>

#include "tmem.h"

struct tmem_filesystem xen_tmem_filesystems[TMEM_MAX_POOLS];

/* The guest is about to go elsewhere; under xen_tmem_mutex. */
static bool tmem_leaving;

static struct tmem_oid tmem_file_oid(u64 object)
{
	return (struct tmem_oid) { { object } };
}

/* May all of these pages have a place in the store? */
static bool tmem_index_ok(pgoff_t index, unsigned int nr)
{
	return index + nr - 1 <= U32_MAX;
}

static struct tmem_filesystem *tmem_unused_filesystem(void)
{
	struct tmem_filesystem *fs = xen_tmem_filesystems;

	lockdep_assert_held(&xen_tmem_mutex);
	for (; fs < xen_tmem_filesystems + TMEM_MAX_POOLS; fs++)
		if (!fs->used)
			return fs;
	return NULL;
}

/**
 * xen_tmem_file_make_pool - make a pool for a filesystem
 * @uuid: What it is shared by, or null.
 *
 * Context: May sleep. xen_tmem_mutex is held.
 * Return: As xen_tmem_new_pool().
 */
int xen_tmem_file_make_pool(const uuid_t *uuid)
{
	return uuid_is_null(uuid) ? xen_tmem_new_pool(/*flags=*/0) :
				    xen_tmem_new_shared_pool(uuid);
}

static int tmem_add_filesystem(const uuid_t *uuid)
{
	struct tmem_filesystem *fs;
	int pool = -ENOSPC;

	lockdep_assert_held(&xen_tmem_mutex);
	fs = tmem_unused_filesystem();
	if (fs)
		pool = xen_tmem_file_make_pool(uuid);
	if (pool >= 0) {
		fs->used = true;
		uuid_copy(&fs->uuid, uuid);
		fs->fenced = false;
		xa_init(&fs->fences);
		WRITE_ONCE(fs->pool, pool);
	}
	return pool < 0 ? pool : fs - xen_tmem_filesystems;
}

static int tmem_file_init_fs(size_t page_size)
{
	int ret;

	if (page_size != PAGE_SIZE)
		return -EINVAL;
	mutex_lock(&xen_tmem_mutex);
	ret = tmem_add_filesystem(&uuid_null);
	mutex_unlock(&xen_tmem_mutex);
	return ret;
}

static int tmem_file_init_shared_fs(const uuid_t *uuid, size_t page_size)
{
	int ret = -EOPNOTSUPP;

	if (page_size != PAGE_SIZE)
		return -EINVAL;
	mutex_lock(&xen_tmem_mutex);
	if (xen_tmem_features && !tmem_leaving)
		ret = tmem_add_filesystem(uuid);
	mutex_unlock(&xen_tmem_mutex);
	return ret;
}

/**
 * xen_tmem_file_lose_pools - the hypervisor does not have the pools any more
 *
 * Context: May sleep. xen_tmem_mutex is held. Nothing uses a pool.
 */
void xen_tmem_file_lose_pools(void)
{
	struct tmem_filesystem *fs = xen_tmem_filesystems;

	lockdep_assert_held(&xen_tmem_mutex);
	for (; fs < xen_tmem_filesystems + TMEM_MAX_POOLS; fs++) {
		if (!fs->used)
			continue;
		WRITE_ONCE(fs->pool, TMEM_NO_POOL);
		xa_destroy(&fs->fences);
		WRITE_ONCE(fs->fenced, false);
	}
}

static void tmem_file_empty_fs(int id)
{
	mutex_lock(&xen_tmem_mutex);
	if (xen_tmem_filesystems[id].pool != TMEM_NO_POOL)
		xen_tmem_replace_shared(&xen_tmem_filesystems[id]);
	mutex_unlock(&xen_tmem_mutex);
}

/* Nothing else runs on it any more, but xen_tmem_retry() may. */
static void tmem_file_invalidate_fs(int id)
{
	struct tmem_filesystem *fs = &xen_tmem_filesystems[id];

	mutex_lock(&xen_tmem_mutex);
	if (fs->pool != TMEM_NO_POOL)
		xen_tmem_drop_pool(fs->pool);
	WRITE_ONCE(fs->pool, TMEM_NO_POOL);
	xa_destroy(&fs->fences);
	fs->used = false;
	mutex_unlock(&xen_tmem_mutex);
}

/* Pages of several folios that are put or got together */
struct tmem_round {
	unsigned int	nr;
	u8		vec[TMEM_BATCH_ENTRIES];	/* whose page it is */
	u16		page[TMEM_BATCH_ENTRIES];	/* its place there */
	int		err[TMEM_BATCH_ENTRIES];	/* what became of it */
};

/* How far the rounds have come */
struct tmem_walk {
	struct cleancache_vec	*vec;
	unsigned int		n;
	unsigned int		i;
	unsigned int		page;
};

/*
 * Return: The pool of a folio's file. -ESHUTDOWN while pools are closed, -ENODEV if
 * its pages are never put or got, or not now.
 */
static int tmem_open_pool(const struct cleancache_vec *vec)
{
	struct tmem_filesystem *fs = &xen_tmem_filesystems[vec->pool];
	int pool = READ_ONCE(fs->pool);

	if (READ_ONCE(xen_tmem_closed))
		return -ESHUTDOWN;
	if (pool == TMEM_NO_POOL || xen_tmem_is_fenced(fs, vec->object) ||
	    !tmem_index_ok(vec->folio->index, vec->nr))
		return -ENODEV;
	return pool;
}

/* A folio with an error needs no more of its pages. */
static void tmem_round_fill(struct tmem_round *round, struct tmem_batch *batch,
			    unsigned int cmd, struct tmem_walk *walk)
{
	for (; walk->i < walk->n; walk->i++, walk->page = 0) {
		struct cleancache_vec *vec = &walk->vec[walk->i];
		struct tmem_oid oid = tmem_file_oid(vec->object);
		int pool = tmem_open_pool(vec);

		if (pool < 0)
			vec->status = pool;
		for (; !vec->status && walk->page < vec->nr; walk->page++) {
			if (batch->nr == TMEM_BATCH_ENTRIES)
				return;
			round->vec[batch->nr] = walk->i;
			round->page[batch->nr] = walk->page;
			xen_tmem_batch_add(batch, cmd, pool, &oid,
					   vec->folio->index + walk->page,
					   folio_page(vec->folio, walk->page));
		}
	}
}

/* Return: false if there was nothing left to be done. */
static bool tmem_round(struct tmem_round *round, unsigned int cmd,
		       struct tmem_walk *walk)
{
	struct tmem_batch *batch = xen_tmem_batch_get();
	unsigned int i;

	tmem_round_fill(round, batch, cmd, walk);
	if (batch->nr)
		xen_tmem_batch_run(batch);
	round->nr = batch->nr;
	for (i = 0; i < batch->nr; i++)
		round->err[i] = batch->entry[i].status;
	xen_tmem_batch_put();
	cond_resched();
	return round->nr;
}

/*
 * Forget pages, inside xen_tmem_srcu as everything that has a pool's id. While
 * the pools are closed it is only noted what has to be forgotten.
 */
static void tmem_file_flush(int id, u64 object, pgoff_t index, unsigned int nr)
{
	struct tmem_filesystem *fs = &xen_tmem_filesystems[id];
	struct tmem_oid oid = tmem_file_oid(object);
	int pool = READ_ONCE(fs->pool);

	/* There never was such a page. */
	if (pool == TMEM_NO_POOL || !tmem_index_ok(index, nr))
		return;
	if (READ_ONCE(xen_tmem_closed) ||
	    xen_tmem_flush_pages(pool, &oid, index, nr))
		xen_tmem_fence(fs, object);
}

/* Put pages; what is held is noted in @held, if it is one folio, or as status. */
static void tmem_put_folios(struct cleancache_vec *vec, unsigned int n,
			    unsigned long *held)
{
	struct tmem_walk walk = { .vec = vec, .n = n };
	struct tmem_round round;
	unsigned int i, stored = 0, pages = 0;
	int idx = srcu_read_lock(&xen_tmem_srcu);

	for (i = 0; i < n; i++) {
		vec[i].status = 0;
		pages += vec[i].nr;
	}
	while (tmem_round(&round, TMEM_PUT_PAGE, &walk)) {
		for (i = 0; i < round.nr; i++) {
			struct cleancache_vec *v = &vec[round.vec[i]];

			stored += !round.err[i];
			if (!held)
				v->status = round.err[i];
			else if (!round.err[i])
				__set_bit(round.page[i], held);
			if (round.err[i] && !xen_tmem_left_nothing(round.err[i]))
				tmem_file_flush(v->pool, v->object,
						v->folio->index + round.page[i],
						1);
		}
	}
	/* What was not tried would have replaced something. */
	for (i = 0; i < n; i++)
		if (vec[i].status == -ESHUTDOWN)
			tmem_file_flush(vec[i].pool, vec[i].object,
					vec[i].folio->index, vec[i].nr);
	srcu_read_unlock(&xen_tmem_srcu, idx);
	tmem_count(TMEM_PUTS, stored);
	tmem_count(TMEM_REFUSED, pages - stored);
}

static void tmem_get_folios(struct cleancache_vec *vec, unsigned int n)
{
	struct tmem_walk walk = { .vec = vec, .n = n };
	struct tmem_round round;
	int idx = srcu_read_lock(&xen_tmem_srcu);
	unsigned int i;

	for (i = 0; i < n; i++)
		vec[i].status = 0;
	while (tmem_round(&round, TMEM_GET_PAGE, &walk))
		for (i = 0; i < round.nr; i++)
			if (round.err[i])
				vec[round.vec[i]].status = round.err[i];
	srcu_read_unlock(&xen_tmem_srcu, idx);
	for (i = 0; i < n; i++)
		tmem_count(vec[i].status ? TMEM_GET_MISSES : TMEM_GETS,
			   vec[i].nr);
}

static void tmem_file_put(int pool, u64 object, pgoff_t index,
			  struct folio *folio, unsigned int nr,
			  unsigned long *held)
{
	struct cleancache_vec vec = {
		.folio = folio, .object = object, .pool = pool, .nr = nr,
	};

	tmem_put_folios(&vec, 1, held);
}

/* Pages that were got before another is missing are lost, and it is a miss. */
static int tmem_file_get(int pool, u64 object, pgoff_t index,
			 struct folio *folio, unsigned int nr)
{
	struct cleancache_vec vec = {
		.folio = folio, .object = object, .pool = pool, .nr = nr,
	};

	tmem_get_folios(&vec, 1);
	return vec.status;
}

static void tmem_file_put_batch(struct cleancache_vec *vec, unsigned int n)
{
	tmem_put_folios(vec, n, NULL);
}

static void tmem_file_get_batch(struct cleancache_vec *vec, unsigned int n)
{
	tmem_get_folios(vec, n);
}

static void tmem_file_invalidate(int pool, u64 object, pgoff_t index,
				 unsigned int nr)
{
	int idx = srcu_read_lock(&xen_tmem_srcu);

	tmem_file_flush(pool, object, index, nr);
	srcu_read_unlock(&xen_tmem_srcu, idx);
	tmem_count(TMEM_FLUSHES, nr);
}

static void tmem_file_invalidate_inode(int id, u64 object)
{
	struct tmem_filesystem *fs = &xen_tmem_filesystems[id];
	struct tmem_oid oid = tmem_file_oid(object);
	int idx = srcu_read_lock(&xen_tmem_srcu);
	int pool = READ_ONCE(fs->pool);

	if (pool != TMEM_NO_POOL &&
	    (READ_ONCE(xen_tmem_closed) || xen_tmem_flush_object(pool, &oid)))
		xen_tmem_fence(fs, object);
	srcu_read_unlock(&xen_tmem_srcu, idx);
}

const struct cleancache_ops xen_tmem_file_ops = {
	.name = KBUILD_MODNAME,
	.flags = CLEANCACHE_OUTSIDE | CLEANCACHE_EXCLUSIVE,
	.max_index = U32_MAX,
	.init_fs = tmem_file_init_fs,
	.init_shared_fs = tmem_file_init_shared_fs,
	.empty_fs = tmem_file_empty_fs,
	.put = tmem_file_put,
	.get = tmem_file_get,
	.invalidate = tmem_file_invalidate,
	.invalidate_inode = tmem_file_invalidate_inode,
	.invalidate_fs = tmem_file_invalidate_fs,
	.put_batch = tmem_file_put_batch,
	.get_batch = tmem_file_get_batch,
};

/**
 * xen_tmem_file_start - connect to cleancache
 *
 * Context: May sleep. Takes cleancache_mutex.
 * Return: 0 or a negative error code of cleancache_register_ops().
 */
int xen_tmem_file_start(void)
{
	return cleancache_register_ops(&xen_tmem_file_ops);
}

/**
 * xen_tmem_file_stop - drop all pages
 *
 * Context: May sleep. Takes cleancache_mutex.
 */
void xen_tmem_file_stop(void)
{
	cleancache_unregister_ops(&xen_tmem_file_ops);
}

static void tmem_set_leaving(bool leaving)
{
	mutex_lock(&xen_tmem_mutex);
	tmem_leaving = leaving;
	mutex_unlock(&xen_tmem_mutex);
}

/**
 * xen_tmem_file_leave - leave pools that are shared
 *
 * Context: May sleep. Takes cleancache_mutex.
 */
void xen_tmem_file_leave(void)
{
	KUNIT_STATIC_STUB_REDIRECT(xen_tmem_file_leave);
	tmem_set_leaving(true);
	if (xen_tmem_cleancache)
		cleancache_leave_shared();
}

/**
 * xen_tmem_file_rejoin - share pools again
 *
 * Context: May sleep. Takes cleancache_mutex.
 */
void xen_tmem_file_rejoin(void)
{
	KUNIT_STATIC_STUB_REDIRECT(xen_tmem_file_rejoin);
	tmem_set_leaving(false);
	if (xen_tmem_cleancache)
		cleancache_rejoin();
}

/**
 * xen_tmem_file_renew - begin anew with other pools
 *
 * Context: May sleep. Takes cleancache_mutex.
 */
void xen_tmem_file_renew(void)
{
	KUNIT_STATIC_STUB_REDIRECT(xen_tmem_file_renew);
	tmem_set_leaving(false);
	if (xen_tmem_cleancache)
		cleancache_drop();
}

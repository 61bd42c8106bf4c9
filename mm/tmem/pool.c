// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pools: how they are made and destroyed. What is different if they are shared is in
 * shared.c.
 */
#include "pool.h"

static int tmem_pool_check(const struct tmem_engine *engine, u32 flags)
{
	u32 known = TMEM_FLAG_PERSISTENT | TMEM_FLAG_SHARED |
		TMEM_FLAG_ORDER_MASK | TMEM_FLAG_VERSION_MASK;
	unsigned int order = (flags & TMEM_FLAG_ORDER_MASK) >>
		TMEM_FLAG_ORDER_SHIFT;

	if (flags & ~known)
		return -EINVAL;
	if ((flags & TMEM_FLAG_VERSION_MASK) >> TMEM_FLAG_VERSION_SHIFT !=
	    TMEM_VERSION)
		return -EINVAL;
	if (!(engine->config.orders & 1u << order))
		return -EINVAL;
	/* What a dead client leaves must be evictable. */
	if ((flags & TMEM_FLAG_PERSISTENT) && (flags & TMEM_FLAG_SHARED))
		return -EINVAL;
	return 0;
}

/**
 * tmem_pool_size - how large a pool is
 * @engine: Its engine.
 *
 * Context: Any.
 * Return: bytes of the engine's memory.
 */
size_t tmem_pool_size(const struct tmem_engine *engine)
{
	return sizeof(struct tmem_pool) +
		tmem_nr_stripes(engine) * sizeof(struct tmem_pool_stripe);
}

/**
 * tmem_take_key - a key for a pool
 * @engine: The engine.
 *
 * Context: The engine's lock is held.
 * Return: the key. It is never used again: when there are no more, 0.
 */
unsigned long tmem_take_key(struct tmem_engine *engine)
{
	unsigned long key = engine->last_key + 1;

	if (key)
		engine->last_key = key;
	return key;
}

static unsigned long tmem_new_key(struct tmem_engine *engine)
{
	unsigned long flags = tmh_lock(&engine->lock);
	unsigned long key = tmem_take_key(engine);

	tmh_unlock(&engine->lock, flags);
	return key;
}

/**
 * tmem_pool_publish - give a client a pool
 * @client: The client.
 * @pool: The pool.
 *
 * Context: Takes the client's lock. Of a shared pool the engine's is held, and who
 * calls gives the slot its key.
 * Return: the id, or -ENOSPC.
 */
int tmem_pool_publish(struct tmem_client *client, struct tmem_pool *pool)
{
	unsigned int max = client->engine->config.max_pools, id;
	unsigned long flags = tmh_lock(&client->lock);
	struct tmem_pool_slot *slot = client->pools;

	for (id = 0; id < max && (slot->pool || slot->withdrawn); id++)
		slot++;
	if (id < max) {
		slot->pool = pool;
		tmh_set_release(&slot->flags, pool->flags);
		if (!tmem_is_shared(pool))
			tmh_set_release(&slot->key, pool->key);
	}
	tmh_unlock(&client->lock, flags);
	return id < max ? (int)id : -ENOSPC;
}

/**
 * tmem_new_pool - make a pool
 * @client: Whose it will be.
 * @uuid: Of a pool of the shared kind: whoever gives the same, and the same flags, has
 *	the same pool. Of others it is only kept.
 * @flags: TMEM_FLAG_*, with the version. Without TMEM_FLAG_SHARED unless the host says
 *	that the client may share this.
 *
 * A client that shares this pool already has lost it under its first id, as after
 * tmem_unshare(): it has forgotten that, so it may have forgotten more.
 *
 * Context: No lock of the engine. May do what the host's allocator does.
 * Return: its id, from 0; -EINVAL if that kind, page size or version is not known;
 * -ENODEV if the client is dying; -ENOSPC if it has as many as it can; -ENOMEM; or
 * -EAGAIN if the host had to stop it: call it again.
 */
int tmem_new_pool(struct tmem_client *client, const u64 uuid[2], u32 flags)
{
	struct tmem_engine *engine = client->engine;
	int id = tmem_pool_check(engine, flags);
	struct tmem_pool *pool;
	u32 i;

	if (id)
		return id;
	if (tmh_read(&client->dying))
		return -ENODEV;
	if ((flags & TMEM_FLAG_SHARED) && tmem_unshare(client, uuid))
		return -EAGAIN;
	pool = tmem_obtain_table(client, tmem_pool_size(engine));
	if (!pool)
		return -ENOMEM;
	pool->client = client;
	pool->uuid[0] = uuid[0];
	pool->uuid[1] = uuid[1];
	pool->flags = flags;
	pool->order = (flags & TMEM_FLAG_ORDER_MASK) >> TMEM_FLAG_ORDER_SHIFT;
	pool->key = tmem_new_key(engine);
	for (i = 0; i < tmem_nr_stripes(engine); i++)
		tmem_list_init(&pool->stripes[i].objects);
	if (pool->key && (flags & TMEM_FLAG_SHARED))
		return tmem_shared_join(client, pool);
	id = pool->key ? tmem_pool_publish(client, pool) : -ENOSPC;
	if (id < 0)
		tmem_free_table(client, pool, tmem_pool_size(engine));
	return id;
}

/*
 * Takes @left pages of the pool in this stripe apart, and says of how many it did not.
 * Returns true if there are no more.
 */
static bool tmem_pool_clear(struct tmem_engine *engine, struct tmem_pool *pool,
			    u32 stripe, unsigned int *left)
{
	struct tmem_list *objects = &pool->stripes[stripe].objects;
	unsigned long payloads[TMEM_CHUNK];
	struct tmem_trash trash = { .payloads = payloads, .room = *left };
	unsigned long flags = tmh_lock(&engine->stripes[stripe].lock);
	bool empty;

	while (trash.nr < trash.room && !tmem_list_empty(objects))
		tmem_object_reap(tmem_list_entry(objects->next,
						 struct tmem_object, siblings),
				 &trash);
	empty = tmem_list_empty(objects);
	tmh_unlock(&engine->stripes[stripe].lock, flags);
	*left -= trash.nr;
	tmem_trash_free(pool->client, &trash);
	return empty;
}

/**
 * tmem_pool_clear_all - take apart what is in a pool
 * @engine: Its engine.
 * @pool: The pool. Its key was cleared.
 *
 * Who passes all stripes after that has seen the last of those who had found the
 * pool. A stripe may have few pages, and so may the pool: the host is asked after so
 * many of all stripes, and before there is another pool.
 *
 * Context: No lock of the engine. Any in which the host can release pages.
 * Return: 0, or -EAGAIN if the host had to stop it: call it again.
 */
int tmem_pool_clear_all(struct tmem_engine *engine, struct tmem_pool *pool)
{
	u32 nr = tmem_nr_stripes(engine), i;
	unsigned int left = TMEM_CHUNK;

	for (i = 0; i < nr; i++)
		while (!tmem_pool_clear(engine, pool, i, &left) || !left) {
			left = TMEM_CHUNK;
			if (tmh_should_yield())
				return -EAGAIN;
		}
	return left < TMEM_CHUNK && tmh_should_yield() ? -EAGAIN : 0;
}

static void tmem_stats_add(struct tmem_stats *sum, const struct tmem_stats *stats)
{
	sum->pages += stats->pages;
	sum->objects += stats->objects;
	sum->puts += stats->puts;
	sum->overwrites += stats->overwrites;
	sum->refused += stats->refused;
	sum->hits += stats->hits;
	sum->misses += stats->misses;
	sum->flushed += stats->flushed;
	sum->evicted += stats->evicted;
}

/**
 * tmem_pool_sum - what happened in a pool
 * @engine: Its engine.
 * @pool: The pool.
 * @sum: This is added.
 *
 * Context: Takes locks of stripes.
 */
void tmem_pool_sum(struct tmem_engine *engine, struct tmem_pool *pool,
		   struct tmem_stats *sum)
{
	u32 i;

	for (i = 0; i < tmem_nr_stripes(engine); i++) {
		unsigned long flags = tmh_lock(&engine->stripes[i].lock);

		tmem_stats_add(sum, &pool->stripes[i].stats);
		tmh_unlock(&engine->stripes[i].lock, flags);
	}
}

/* The pool that is to be ended, for one at a time. Returns 0, -ENODEV or -EAGAIN. */
static int tmem_pool_end_begin(struct tmem_client *client,
			       struct tmem_pool_slot *slot,
			       struct tmem_pool **victim)
{
	unsigned long flags = tmh_lock(&client->lock);
	int error = 0;

	*victim = slot->pool;
	if (slot->destroying)
		error = -EAGAIN;
	else if (!slot->pool && !slot->withdrawn)
		error = -ENODEV;
	else
		slot->destroying = slot->pool;
	slot->withdrawn = false;
	tmh_unlock(&client->lock, flags);
	return error;
}

static int tmem_private_end(struct tmem_pool_slot *slot, struct tmem_pool *pool)
{
	tmh_set_release(&slot->key, 0);
	tmh_set_release(&slot->flags, 0);
	return tmem_pool_clear_all(slot->owner->engine, pool);
}

/* @error: it is not over yet. */
static void tmem_pool_end_done(struct tmem_pool_slot *slot, struct tmem_pool *pool,
			       int error, enum tmem_end how)
{
	struct tmem_client *client = slot->owner;
	unsigned long flags = tmh_lock(&client->lock);

	slot->destroying = false;
	if (!error) {
		if (!tmem_is_shared(pool))
			tmem_pool_sum(client->engine, pool, &client->past);
		slot->pool = NULL;
		slot->withdrawn = how == TMEM_END_KEEP_ID;
	}
	tmh_unlock(&client->lock, flags);
	if (error)
		return;
	if (tmem_is_shared(pool))
		tmem_shared_put(client->engine, pool);
	else
		tmem_free_table(client, pool, tmem_pool_size(client->engine));
}

/**
 * tmem_pool_end - a client has a pool no longer
 * @client: The client.
 * @id: Id of the pool.
 * @how: Who wants that.
 *
 * Context: No lock of the engine. May do what the host's allocator does.
 * Return: as tmem_destroy_pool().
 */
int tmem_pool_end(struct tmem_client *client, u32 id, enum tmem_end how)
{
	struct tmem_pool_slot *slot = tmem_pool_slot(client, id);
	struct tmem_pool *victim;
	int error;

	if (!slot)
		return -ENODEV;
	error = tmem_pool_end_begin(client, slot, &victim);
	if (error || !victim)
		return error;
	error = tmem_is_shared(victim) ? tmem_shared_leave(slot, victim, how) :
		tmem_private_end(slot, victim);
	tmem_pool_end_done(slot, victim, error, how);
	return error;
}

/**
 * tmem_destroy_pool - destroy a pool with everything in it
 * @client: Whose it is. If it shares the pool, it leaves: what is in there stays for the
 *	others, unless it was charged for that.
 * @pool: Its id. From the first call on there is no such pool; the id is free for
 *	another when it is done.
 *
 * Context: No lock of the engine. May do what the host's allocator does.
 * Return: 0; -ENODEV if there is no such pool; -EAGAIN if the host had to stop it, or
 * somebody else is at it: call it again.
 */
int tmem_destroy_pool(struct tmem_client *client, u32 pool)
{
	return tmem_pool_end(client, pool, TMEM_END_LEAVE);
}

/**
 * tmem_take_pool - destroy a pool of a client that does not know
 * @client: Whose it is. If it shares the pool, that is empty for all then: what the client
 *	would have flushed may be in there.
 * @pool: Its id, as in tmem_destroy_pool().
 *
 * Context: No lock of the engine. May do what the host's allocator does.
 * Return: as tmem_destroy_pool().
 */
int tmem_take_pool(struct tmem_client *client, u32 pool)
{
	return tmem_pool_end(client, pool, TMEM_END_TAKE);
}

/**
 * tmem_pool_info - what a pool is, and what happened in it
 * @client: Whose it is.
 * @pool: Its id.
 * @info: Filled in.
 *
 * Context: No lock of the engine.
 * Return: 0, or -ENODEV if there is no such pool.
 */
int tmem_pool_info(struct tmem_client *client, u32 pool,
		   struct tmem_pool_info *info)
{
	struct tmem_pool_slot *slot;
	int error = -ENODEV;
	unsigned long flags;

	*info = (struct tmem_pool_info){};
	if (!tmem_pool_slot(client, pool))
		return error;
	slot = tmem_pool_slot(client, pool);
	flags = tmh_lock(&client->lock);
	/* Also of a shared one that is being emptied */
	if (tmh_read(&slot->flags)) {
		info->uuid[0] = slot->pool->uuid[0];
		info->uuid[1] = slot->pool->uuid[1];
		info->flags = slot->pool->flags;
		tmem_pool_sum(client->engine, slot->pool, &info->stats);
		error = 0;
	}
	tmh_unlock(&client->lock, flags);
	return error;
}

/**
 * tmem_pool_stats - what happened in a pool
 * @client: Whose it is.
 * @pool: Its id.
 * @stats: Filled in.
 *
 * Context: No lock of the engine.
 * Return: 0, or -ENODEV if there is no such pool.
 */
int tmem_pool_stats(struct tmem_client *client, u32 pool,
		    struct tmem_stats *stats)
{
	struct tmem_pool_info info;
	int error = tmem_pool_info(client, pool, &info);

	*stats = info.stats;
	return error;
}

TMH_EXPORT(tmem_pool_stats);

static unsigned long tmem_pool_stripe_pages(struct tmem_client *client, u32 pool,
					    u32 stripe)
{
	struct tmem_stripe *held = &client->engine->stripes[stripe];
	struct tmem_pool_slot *slot = tmem_pool_slot(client, pool);
	unsigned long flags = tmh_lock(&held->lock), pages = 0;

	if (tmh_read(&slot->key))
		pages = slot->pool->stripes[stripe].stats.pages;
	tmh_unlock(&held->lock, flags);
	return pages;
}

/**
 * tmem_pool_is_empty - is there no page in a pool?
 * @client: Whose it is.
 * @pool: Its id.
 *
 * Pages may come and go meanwhile.
 *
 * Context: No lock of the engine.
 * Return: true if none was seen, and if there is no such pool.
 */
bool tmem_pool_is_empty(struct tmem_client *client, u32 pool)
{
	u32 i;

	if (!tmem_pool_slot(client, pool))
		return true;
	for (i = 0; i < tmem_nr_stripes(client->engine); i++)
		if (tmem_pool_stripe_pages(client, pool, i))
			return false;
	return true;
}

/**
 * tmem_client_stats - what happened in all pools of a client
 * @client: The client.
 * @stats: Filled in; pools that are gone included, of those that are shared the ones
 *	that it is charged for.
 *
 * Context: No lock of the engine.
 */
void tmem_client_stats(struct tmem_client *client, struct tmem_stats *stats)
{
	struct tmem_engine *engine = client->engine;
	unsigned long shared = tmh_lock(&engine->lock);
	unsigned long flags = tmh_lock(&client->lock);
	unsigned int i;

	*stats = client->past;
	for (i = 0; i < engine->config.max_pools; i++) {
		struct tmem_pool *pool = client->pools[i].pool;

		if (pool && pool->client == client)
			tmem_pool_sum(engine, pool, stats);
	}
	tmh_unlock(&client->lock, flags);
	tmh_unlock(&engine->lock, shared);
}

TMH_EXPORT(tmem_client_stats);

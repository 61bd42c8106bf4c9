// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pools: how they are made and destroyed.
 */
#include "internal.h"

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

static size_t tmem_pool_size(const struct tmem_engine *engine)
{
	return sizeof(struct tmem_pool) +
		tmem_nr_stripes(engine) * sizeof(struct tmem_pool_stripe);
}

static unsigned long tmem_new_key(struct tmem_engine *engine)
{
	unsigned long flags = tmh_lock(&engine->lock);
	unsigned long key = engine->last_key + 1;

	/* A key is never used again: when there are no more, there are none. */
	if (key)
		engine->last_key = key;
	tmh_unlock(&engine->lock, flags);
	return key;
}

/* Returns the id, or -ENOSPC. */
static int tmem_pool_publish(struct tmem_client *client, struct tmem_pool *pool)
{
	unsigned int max = client->engine->config.max_pools, id;
	unsigned long flags = tmh_lock(&client->lock);

	for (id = 0; id < max && client->pools[id].pool; id++)
		;
	if (id < max) {
		client->pools[id].pool = pool;
		tmh_set(&client->pools[id].flags, pool->flags);
		tmh_set_release(&client->pools[id].key, pool->key);
	}
	tmh_unlock(&client->lock, flags);
	return id < max ? (int)id : -ENOSPC;
}

/**
 * tmem_new_pool - make a pool
 * @client: Whose it will be.
 * @uuid: Of a pool of the shared kind; only kept: nobody can join it yet.
 * @flags: TMEM_FLAG_*, with the version.
 *
 * Context: No lock of the engine. May do what the host's allocator does.
 * Return: its id, from 0; -EINVAL if that kind, page size or version is not known;
 * -ENODEV if the client is dying; -ENOSPC if it has as many as it can; -ENOMEM.
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
	id = pool->key ? tmem_pool_publish(client, pool) : -ENOSPC;
	if (id < 0)
		tmem_free_table(client, pool, tmem_pool_size(engine));
	return id;
}

/*
 * Takes @left pages of the pool in this stripe apart, and says of how many it did not.
 * Returns true if there are no more.
 */
static bool tmem_pool_clear(struct tmem_pool *pool, u32 stripe, unsigned int *left)
{
	struct tmem_list *objects = &pool->stripes[stripe].objects;
	struct tmem_engine *engine = pool->client->engine;
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

/*
 * Who passes all stripes after the key was cleared has seen the last of those who
 * had found the pool. A stripe may have few pages, and so may the pool: the host is
 * asked after so many of all stripes, and before there is another pool.
 */
static int tmem_pool_clear_all(struct tmem_pool *pool)
{
	u32 nr = tmem_nr_stripes(pool->client->engine), i;
	unsigned int left = TMEM_CHUNK;

	for (i = 0; i < nr; i++)
		while (!tmem_pool_clear(pool, i, &left) || !left) {
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

static void tmem_pool_sum(struct tmem_pool *pool, struct tmem_stats *sum)
{
	struct tmem_engine *engine = pool->client->engine;
	u32 i;

	for (i = 0; i < tmem_nr_stripes(engine); i++) {
		unsigned long flags = tmh_lock(&engine->stripes[i].lock);

		tmem_stats_add(sum, &pool->stripes[i].stats);
		tmh_unlock(&engine->stripes[i].lock, flags);
	}
}

/**
 * tmem_destroy_pool - destroy a pool with everything in it
 * @client: Whose it is.
 * @pool: Its id. From the first call on there is no such pool; the id is free for
 *	another when it is done.
 *
 * Context: No lock of the engine. May do what the host's allocator does.
 * Return: 0; -ENODEV if there is no such pool; -EAGAIN if the host had to stop it, or
 * somebody else is at it: call it again.
 */
int tmem_destroy_pool(struct tmem_client *client, u32 pool)
{
	struct tmem_pool_slot *slot;
	struct tmem_pool *victim;
	unsigned long flags;
	int error = 0;

	if (!tmem_pool_slot(client, pool))
		return -ENODEV;
	slot = tmem_pool_slot(client, pool);
	flags = tmh_lock(&client->lock);
	victim = slot->pool;
	if (!victim)
		error = -ENODEV;
	else if (slot->destroying)
		error = -EAGAIN;
	else
		slot->destroying = true;
	if (!error)
		tmh_set_release(&slot->key, 0);
	tmh_unlock(&client->lock, flags);
	if (error)
		return error;

	error = tmem_pool_clear_all(victim);
	flags = tmh_lock(&client->lock);
	slot->destroying = false;
	if (!error) {
		tmem_pool_sum(victim, &client->past);
		slot->pool = NULL;
	}
	tmh_unlock(&client->lock, flags);
	if (!error)
		tmem_free_table(client, victim,
				tmem_pool_size(client->engine));
	return error;
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
	if (tmh_read(&slot->key)) {
		info->uuid[0] = slot->pool->uuid[0];
		info->uuid[1] = slot->pool->uuid[1];
		info->flags = slot->pool->flags;
		tmem_pool_sum(slot->pool, &info->stats);
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
 * @stats: Filled in; pools that are gone included.
 *
 * Context: No lock of the engine.
 */
void tmem_client_stats(struct tmem_client *client, struct tmem_stats *stats)
{
	unsigned long flags = tmh_lock(&client->lock);
	unsigned int i;

	*stats = client->past;
	for (i = 0; i < client->engine->config.max_pools; i++)
		if (client->pools[i].pool)
			tmem_pool_sum(client->pools[i].pool, stats);
	tmh_unlock(&client->lock, flags);
}

TMH_EXPORT(tmem_client_stats);

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Engines and their clients: how they are made and destroyed, limits, freezing.
 */
#include "internal.h"

static void tmem_engine_free(struct tmem_engine *engine)
{
	const struct tmem_config *config = &engine->config;

	tmh_free_table(engine->stripes, sizeof(*engine->stripes) <<
		       config->stripe_bits);
	tmh_free_table(engine->buckets, sizeof(*engine->buckets) <<
		       config->bucket_bits);
	tmh_free_table(engine->clients, sizeof(*engine->clients) *
		       config->max_clients);
	tmh_free(engine, sizeof(*engine));
}

/**
 * tmem_engine_create - make an engine
 * @config: What it is made of; copied.
 * @result: Set to the engine.
 *
 * Context: May do what the host's allocator does.
 * Return: 0; -EINVAL if @config makes no sense; -ENOMEM.
 */
int tmem_engine_create(const struct tmem_config *config,
		       struct tmem_engine **result)
{
	struct tmem_engine *engine;
	u32 i;

	if (!config->orders || config->orders > 0xffff ||
	    config->bucket_bits > TMEM_MAX_BUCKET_BITS ||
	    config->stripe_bits > TMEM_MAX_STRIPE_BITS ||
	    config->stripe_bits > config->bucket_bits ||
	    !config->max_clients || !config->max_pools)
		return -EINVAL;
	engine = tmh_alloc(sizeof(*engine));
	if (!engine)
		return -ENOMEM;
	engine->config = *config;
	tmh_lock_init(&engine->lock);
	engine->stripes = tmh_alloc_table(sizeof(*engine->stripes) <<
					  config->stripe_bits);
	engine->buckets = tmh_alloc_table(sizeof(*engine->buckets) <<
					  config->bucket_bits);
	engine->clients = tmh_alloc_table(sizeof(*engine->clients) *
					  config->max_clients);
	if (!engine->stripes || !engine->buckets || !engine->clients) {
		tmem_engine_free(engine);
		return -ENOMEM;
	}
	for (i = 0; i < tmem_nr_stripes(engine); i++) {
		tmh_lock_init(&engine->stripes[i].lock);
		tmem_list_init(&engine->stripes[i].copies);
		engine->stripes[i].changes = 1;
	}
	tmem_list_init(&engine->shared);
	*result = engine;
	return 0;
}

TMH_EXPORT(tmem_engine_create);

static void tmem_client_free(struct tmem_client *client)
{
	struct tmem_engine *engine = client->engine;

	tmh_free_table(client->pools, sizeof(*client->pools) *
		       engine->config.max_pools);
	tmh_free_table(client->stripes, sizeof(*client->stripes) *
		       tmem_nr_stripes(engine));
	tmh_free_table(client->oldest, sizeof(*client->oldest) *
		       tmem_nr_stripes(engine));
	tmh_free_table(client, sizeof(*client));
}

/**
 * tmem_engine_destroy - destroy an engine
 * @engine: The engine; it has no clients any more.
 *
 * Context: May do what the host's allocator does.
 */
void tmem_engine_destroy(struct tmem_engine *engine)
{
	unsigned long nr = tmh_read_acquire(&engine->nr_clients), i;

	for (i = 0; i < nr; i++)
		tmem_client_free(engine->clients[i]);
	tmem_engine_free(engine);
}

TMH_EXPORT(tmem_engine_destroy);

static struct tmem_client *tmem_client_alloc(struct tmem_engine *engine)
{
	struct tmem_client *client = tmh_alloc_table(sizeof(*client));
	u32 nr = tmem_nr_stripes(engine), i;

	if (!client)
		return NULL;
	client->engine = engine;
	tmh_lock_init(&client->lock);
	client->pools = tmh_alloc_table(sizeof(*client->pools) *
					engine->config.max_pools);
	client->stripes = tmh_alloc_table(sizeof(*client->stripes) * nr);
	client->oldest = tmh_alloc_table(sizeof(*client->oldest) * nr);
	if (!client->pools || !client->stripes || !client->oldest) {
		tmem_client_free(client);
		return NULL;
	}
	for (i = 0; i < nr; i++)
		tmem_list_init(&client->stripes[i].lru);
	for (i = 0; i < engine->config.max_pools; i++) {
		client->pools[i].owner = client;
		/* Whenever it is read, it is somebody. */
		tmh_set(&client->pools[i].payer, (unsigned long)client);
	}
	return client;
}

/* One that was used before, or NULL. */
static struct tmem_client *tmem_client_reuse(struct tmem_engine *engine)
{
	unsigned long nr = tmh_read_acquire(&engine->nr_clients), i;
	unsigned long flags = tmh_lock(&engine->lock);
	struct tmem_client *client = NULL;

	for (i = 0; i < nr && !client; i++)
		if (!tmh_read(&engine->clients[i]->used)) {
			client = engine->clients[i];
			tmh_set(&client->used, 1);
		}
	tmh_unlock(&engine->lock, flags);
	return client;
}

static bool tmem_client_publish(struct tmem_client *client)
{
	struct tmem_engine *engine = client->engine;
	unsigned long flags = tmh_lock(&engine->lock);
	unsigned long nr = tmh_read(&engine->nr_clients);
	bool room = nr < engine->config.max_clients;

	if (room) {
		tmh_set(&client->used, 1);
		engine->clients[nr] = client;
		tmh_set_release(&engine->nr_clients, nr + 1);
	}
	tmh_unlock(&engine->lock, flags);
	return room;
}

/**
 * tmem_client_set_limits - change what a client may have
 * @client: The client.
 * @limits: Its limits; what it has above them stays until it goes.
 *
 * Context: No lock of the engine.
 * Return: 0, or -EINVAL if one is too large, and then nothing has changed.
 */
int tmem_client_set_limits(struct tmem_client *client,
			   const struct tmem_limits *limits)
{
	if (limits->persistent_pages > TMEM_UNLIMITED ||
	    limits->metadata_bytes > TMEM_UNLIMITED ||
	    limits->objects > TMEM_UNLIMITED ||
	    limits->weight > TMEM_MAX_WEIGHT)
		return -EINVAL;
	tmh_set(&client->persistent_limit, limits->persistent_pages);
	tmh_set(&client->metadata_limit, limits->metadata_bytes);
	tmh_set(&client->object_limit, limits->objects);
	tmh_set(&client->weight, limits->weight);
	tmem_count_settle(client);
	return 0;
}

/**
 * tmem_client_create - make a client
 * @engine: Its engine.
 * @limits: What it may have.
 * @owner: What the host calls it, given to @charge and @uncharge of struct
 *	tmem_payload_ops.
 * @result: Set to the client.
 *
 * Context: May do what the host's allocator does.
 * Return: 0; -EINVAL if a limit is too large; -ENOSPC if there are as many clients
 * as there can be; -ENOMEM.
 */
int tmem_client_create(struct tmem_engine *engine,
		       const struct tmem_limits *limits, void *owner,
		       struct tmem_client **result)
{
	struct tmem_client *client = tmem_client_reuse(engine);
	int error;

	if (!client) {
		client = tmem_client_alloc(engine);
		if (!client)
			return -ENOMEM;
		if (!tmem_client_publish(client)) {
			tmem_client_free(client);
			return -ENOSPC;
		}
	}
	error = tmem_client_set_limits(client, limits);
	if (error) {
		tmh_set_release(&client->used, 0);
		return error;
	}
	client->owner = owner;
	tmh_set(&client->frozen, 0);
	client->past = (struct tmem_stats){};
	tmh_set_release(&client->dying, 0);
	*result = client;
	return 0;
}

TMH_EXPORT(tmem_client_create);

/**
 * tmem_client_kill - destroy everything that a client has
 * @client: The client. When it is done, no operation that could make a pool may follow
 *	or still run; others may until tmem_client_destroy(), and find nothing.
 *
 * Pools that it shares are empty for all then, as after tmem_take_pool().
 *
 * Context: No lock of the engine. May do what the host's allocator does.
 * Return: 0, or -EAGAIN if the host had to stop it: call it again.
 */
int tmem_client_kill(struct tmem_client *client)
{
	unsigned int i;

	tmh_set_release(&client->dying, 1);
	for (i = 0; i < client->engine->config.max_pools; i++)
		if (tmem_take_pool(client, i) == -EAGAIN)
			return -EAGAIN;
	return 0;
}

/**
 * tmem_client_destroy - destroy a client with everything it has
 * @client: The client. When it is done, no operation of it may follow or still run.
 *
 * Context: No lock of the engine. May do what the host's allocator does.
 * Return: 0, or -EAGAIN if the host had to stop it: call it again. 0 after
 * tmem_client_kill().
 */
int tmem_client_destroy(struct tmem_client *client)
{
	if (tmem_client_kill(client))
		return -EAGAIN;
	tmh_set_release(&client->used, 0);
	return 0;
}

TMH_EXPORT(tmem_client_destroy);

/**
 * tmem_pass_stripes - wait for those who have not seen what was said just now
 * @engine: The engine.
 *
 * They hold a lock.
 *
 * Context: Takes locks of stripes.
 */
void tmem_pass_stripes(struct tmem_engine *engine)
{
	unsigned long flags;
	u32 i;

	for (i = 0; i < tmem_nr_stripes(engine); i++) {
		flags = tmh_lock(&engine->stripes[i].lock);
		tmh_unlock(&engine->stripes[i].lock, flags);
	}
}

/**
 * tmem_client_freeze - let a client add nothing, or let it again
 * @client: The client.
 * @frozen: What it is to be.
 *
 * When it returns, no put adds a page any more.
 *
 * Context: No lock of the engine.
 */
void tmem_client_freeze(struct tmem_client *client, bool frozen)
{
	tmh_set(&client->frozen, frozen);
	tmem_pass_stripes(client->engine);
}

/**
 * tmem_client_usage - what a client has
 * @client: The client.
 * @usage: Filled in.
 *
 * Context: No lock of the engine.
 */
void tmem_client_usage(struct tmem_client *client, struct tmem_usage *usage)
{
	unsigned long flags = tmh_lock(&client->lock);
	unsigned int i;

	usage->pools = 0;
	for (i = 0; i < client->engine->config.max_pools; i++)
		usage->pools += !!client->pools[i].pool;
	tmh_unlock(&client->lock, flags);
	usage->persistent_pages = tmem_count_pages(client, true);
	usage->ephemeral_pages = tmem_count_pages(client, false);
	usage->metadata_bytes = tmh_read(&client->metadata) +
		usage->ephemeral_pages * sizeof(struct tmem_page);
	usage->objects = tmh_read(&client->objects);
}

TMH_EXPORT(tmem_client_usage);

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Objects: how they are found, made, and taken apart.
 */
#include "internal.h"

static u64 tmem_op_hash(const struct tmem_op *op, unsigned long pool_key)
{
	const struct tmem_config *config = &op->engine->config;

	return config->trusted ? tmem_hash_trusted(pool_key, op->oid) :
		tmem_hash(config->seed, pool_key, op->oid);
}

/**
 * tmem_op_init - begin an operation
 * @op: The operation.
 * @client: Who wants it.
 * @pool: Id of a pool of the client; anything.
 * @oid: The object.
 * @index: The page, or the first.
 *
 * Context: Any.
 * Return: 0; -ENODEV if there is no such pool; -ENOENT if it is shared and empty now.
 */
int tmem_op_init(struct tmem_op *op, struct tmem_client *client, u32 pool,
		 const u64 oid[3], u64 index)
{
	struct tmem_engine *engine = client->engine;
	unsigned long flags, pool_key;

	op->place = tmem_pool_slot(client, pool);
	if (!op->place)
		return -ENODEV;
	op->asker = client;
	op->client = client;
	op->engine = engine;
	op->oid = oid;
	op->index = index;
	op->evicted = 0;
	op->key = tmh_read_acquire(&op->place->key);
	if (!op->key)
		return tmem_op_missing(op);
	/*
	 * If one of these is of another pool already, what the lock shows of the key
	 * is not older.
	 */
	flags = tmh_read_acquire(&op->place->flags);
	pool_key = op->key;
	if (flags & TMEM_FLAG_SHARED) {
		op->client = (struct tmem_client *)
			tmh_read_acquire(&op->place->payer);
		pool_key = tmh_read_acquire(&op->place->pool_key);
	}
	op->persistent = flags & TMEM_FLAG_PERSISTENT;
	op->order = (flags & TMEM_FLAG_ORDER_MASK) >> TMEM_FLAG_ORDER_SHIFT;
	op->bucket = tmem_op_hash(op, pool_key) &
		((1u << engine->config.bucket_bits) - 1);
	op->nr_stripe = tmem_stripe_of(engine, op->bucket);
	op->stripe = &engine->stripes[op->nr_stripe];
	op->seen = 0;
	return 0;
}

static struct tmem_object *tmem_object_find(const struct tmem_op *op)
{
	struct tmem_object *object = op->engine->buckets[op->bucket];

	while (object && (object->pool != op->pool ||
			  object->oid[0] != op->oid[0] ||
			  object->oid[1] != op->oid[1] ||
			  object->oid[2] != op->oid[2]))
		object = object->next;
	return object;
}

/**
 * tmem_op_look - look object and page of an operation up
 * @op: The operation, with its pool. Sets @op->seen and what is below it.
 *
 * Context: The stripe's lock is held.
 */
void tmem_op_look(struct tmem_op *op)
{
	op->seen = op->stripe->changes;
	op->leaf = NULL;
	op->slot = NULL;
	op->object = tmem_object_find(op);
	if (op->object)
		op->slot = tmem_tree_find(op->object, op->index, &op->leaf);
}

/**
 * tmem_object_add - make the object of an operation
 * @op: The operation; it has none. Sets @op->object.
 * @object: Memory for it, full of zeros.
 *
 * Context: The stripe's lock is held.
 */
void tmem_object_add(struct tmem_op *op, struct tmem_object *object)
{
	struct tmem_object **bucket = &op->engine->buckets[op->bucket];
	struct tmem_pool_stripe *stripe = &op->pool->stripes[op->nr_stripe];

	object->pool = op->pool;
	object->oid[0] = op->oid[0];
	object->oid[1] = op->oid[1];
	object->oid[2] = op->oid[2];
	object->bucket = op->bucket;
	object->next = *bucket;
	*bucket = object;
	/* Dead ones stay in front. */
	tmem_list_add(stripe->objects.prev, &object->siblings);
	stripe->stats.objects++;
	op->object = object;
}

static struct tmem_pool_stripe *tmem_stripe_of_object(struct tmem_object *object)
{
	struct tmem_pool *pool = object->pool;

	return &pool->stripes[tmem_stripe_of(pool->client->engine,
					     object->bucket)];
}

static void tmem_object_unhash(struct tmem_object *object)
{
	struct tmem_engine *engine = object->pool->client->engine;
	struct tmem_object **link = &engine->buckets[object->bucket];

	engine->stripes[tmem_stripe_of(engine, object->bucket)].changes++;
	while (*link != object)
		link = &(*link)->next;
	*link = object->next;
	object->dead = true;
}

/**
 * tmem_object_kill - nobody finds this object any more
 * @object: The object.
 *
 * Context: The stripe's lock is held.
 */
void tmem_object_kill(struct tmem_object *object)
{
	if (object->dead)
		return;
	tmem_object_unhash(object);
	tmem_list_move(&tmem_stripe_of_object(object)->objects,
		       &object->siblings);
}

/**
 * tmem_object_drop - an object has no pages any more
 * @object: The object.
 * @trash: Where it goes.
 *
 * Context: The stripe's lock is held.
 */
void tmem_object_drop(struct tmem_object *object, struct tmem_trash *trash)
{
	if (!object->dead)
		tmem_object_unhash(object);
	tmem_list_del(&object->siblings);
	tmem_stripe_of_object(object)->stats.objects--;
	object->next = trash->objects;
	trash->objects = object;
}

/**
 * tmem_object_reap - take an object apart
 * @object: The object. It is gone when it has no pages any more.
 * @trash: Where its pages go, as many as there is room for.
 *
 * Context: The stripe's lock is held.
 */
void tmem_object_reap(struct tmem_object *object, struct tmem_trash *trash)
{
	unsigned long pages = object->pages;
	struct tmem_node *leaf;
	unsigned long *slot;
	u64 index = 0;

	while (pages-- && trash->nr < trash->room &&
	       tmem_tree_next(object, &index)) {
		slot = tmem_tree_find(object, index, &leaf);
		tmem_stripe_of_object(object)->stats.flushed++;
		tmem_page_remove(object, index, slot, leaf, trash);
	}
}

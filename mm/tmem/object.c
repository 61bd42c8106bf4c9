// SPDX-License-Identifier: GPL-2.0-only
/*
 * Objects: how they are found, made, and taken apart.
 */
#include "internal.h"

/**
 * tmem_op_init - begin an operation on an object
 * @op: The operation.
 * @client: Who wants it.
 * @pool: Id of a pool of the client; anything.
 * @oid: The object.
 *
 * Context: Any.
 * Return: 0, or -ENODEV if there is no such pool.
 */
int tmem_op_init(struct tmem_op *op, struct tmem_client *client, u32 pool,
		 const u64 oid[3])
{
	struct tmem_engine *engine = client->engine;

	op->slot = tmem_pool_slot(client, pool);
	if (!op->slot)
		return -ENODEV;
	op->client = client;
	op->engine = engine;
	op->oid = oid;
	op->key = tmh_read_acquire(&op->slot->key);
	if (!op->key)
		return -ENODEV;
	op->bucket = tmem_hash(engine->config.seed, op->key, oid) &
		((1u << engine->config.bucket_bits) - 1);
	op->nr_stripe = tmem_stripe_of(engine, op->bucket);
	op->stripe = &engine->stripes[op->nr_stripe];
	op->pool = NULL;
	op->object = NULL;
	return 0;
}

/**
 * tmem_object_find - look the object of an operation up
 * @op: The operation, with its pool. Sets @op->object, to NULL if there is none.
 *
 * Context: The stripe's lock is held.
 */
void tmem_object_find(struct tmem_op *op)
{
	struct tmem_object *object = op->engine->buckets[op->bucket];

	while (object && (object->pool != op->pool ||
			  object->oid[0] != op->oid[0] ||
			  object->oid[1] != op->oid[1] ||
			  object->oid[2] != op->oid[2]))
		object = object->next;
	op->object = object;
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
	struct tmem_object **link =
		&object->pool->client->engine->buckets[object->bucket];

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

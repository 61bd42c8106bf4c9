// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages: how they come into an object, into the order of eviction, and out again.
 *
 * All functions are called under the lock of the stripe.
 */
#include "copy.h"

/* The oldest page of a stripe may be another one now. */
static void tmem_lru_update(struct tmem_client *client, u32 stripe)
{
	struct tmem_list *lru = &client->stripes[stripe].lru;
	unsigned long oldest = 0;

	if (!tmem_list_empty(lru))
		oldest = tmem_list_entry(lru->prev, struct tmem_page,
					 lru)->stamp;
	if (oldest != tmh_read(&client->oldest[stripe]))
		tmh_set(&client->oldest[stripe], oldest);
}

/*
 * A new stamp for each page would have all processors write to the same place. With
 * many stripes each needs one only now and then: the others make some as well.
 */
static u32 tmem_stamp(struct tmem_client *client,
		      struct tmem_client_stripe *part)
{
	u32 every = tmem_nr_stripes(client->engine) / 16;
	u32 stamp = tmh_read(&client->sequence);

	/* A power of two, or 0 */
	if (!every || !(part->puts++ & (every - 1)))
		stamp = tmh_add_return(&client->sequence, 1);
	/* 0 is said of an empty list. */
	return stamp ? stamp : tmh_add_return(&client->sequence, 1);
}

static void tmem_lru_add(struct tmem_client *client, u32 stripe,
			 struct tmem_page *page)
{
	struct tmem_client_stripe *part = &client->stripes[stripe];

	page->stamp = tmem_stamp(client, part);
	tmem_list_add(&part->lru, &page->lru);
	tmem_lru_update(client, stripe);
}

/**
 * tmem_page_add - add a page to the object of an operation
 * @op: The operation, with its object, in which it is not. It is counted already.
 * @payload: Its content.
 * @reserve: Has what tmem_tree_needs(), and a page if it is ephemeral.
 */
void tmem_page_add(struct tmem_op *op, unsigned long payload,
		   struct tmem_reserve *reserve)
{
	struct tmem_node *leaf = op->leaf;
	struct tmem_pool *pool = op->pool;
	struct tmem_page *page;
	unsigned long *slot;

	op->stripe->changes++;
	slot = tmem_tree_insert(op->object, op->index, &leaf, reserve);
	pool->stripes[op->nr_stripe].stats.pages++;
	if (tmem_is_persistent(pool)) {
		*slot = payload;
		return;
	}
	page = reserve->page;
	reserve->page = NULL;
	page->payload = payload;
	if (leaf) {
		page->leaf = leaf;
		page->offset = slot - leaf->slot;
	} else {
		page->object = op->object;
		page->offset = TMEM_SINGLE;
	}
	*slot = (unsigned long)page;
	tmem_lru_add(pool->client, op->nr_stripe, page);
}

static void tmem_trash_payload(struct tmem_stripe *stripe,
			       const struct tmem_object *object, u64 index,
			       unsigned long payload, struct tmem_trash *trash)
{
	trash->order = object->pool->order;
	trash->persistent = tmem_is_persistent(object->pool);
	if (!tmem_copy_orphan(stripe, object, index))
		trash->payloads[trash->nr++] = payload;
}

/**
 * tmem_page_renew - make a page the youngest
 * @op: The operation, with its pool.
 * @slot: What is in the page's slot.
 */
void tmem_page_renew(struct tmem_op *op, unsigned long slot)
{
	struct tmem_page *page = (struct tmem_page *)slot;

	if (op->persistent)
		return;
	tmem_list_del(&page->lru);
	tmem_lru_add(op->pool->client, op->nr_stripe, page);
}

/**
 * tmem_page_replace - give the page of an operation other content
 * @op: The operation, with its page.
 * @payload: The new content.
 * @trash: Where the old one goes; has room.
 */
void tmem_page_replace(struct tmem_op *op, unsigned long payload,
		       struct tmem_trash *trash)
{
	tmem_trash_payload(op->stripe, op->object, op->index,
			   tmem_page_payload(op->pool, *op->slot), trash);
	if (op->persistent)
		*op->slot = payload;
	else
		((struct tmem_page *)*op->slot)->payload = payload;
	tmem_page_renew(op, *op->slot);
}

/**
 * tmem_page_remove - remove a page
 * @object: Its object, which goes with its last page.
 * @index: Of the page.
 * @slot: Its slot.
 * @leaf: The node it is in, or NULL if there is no tree.
 * @trash: Where everything goes; has room for the payload.
 */
void tmem_page_remove(struct tmem_object *object, u64 index,
		      unsigned long *slot, struct tmem_node *leaf,
		      struct tmem_trash *trash)
{
	struct tmem_pool *pool = object->pool;
	struct tmem_client *client = pool->client;
	struct tmem_engine *engine = client->engine;
	u32 stripe = tmem_stripe_of(engine, object->bucket);

	engine->stripes[stripe].changes++;
	tmem_trash_payload(&engine->stripes[stripe], object, index,
			   tmem_page_payload(pool, *slot), trash);
	pool->stripes[stripe].stats.pages--;
	tmem_count_sub(client, stripe, tmem_is_persistent(pool));
	if (!tmem_is_persistent(pool)) {
		struct tmem_page *page = (struct tmem_page *)*slot;

		tmem_list_del(&page->lru);
		tmem_lru_update(client, stripe);
		page->lru.next = (struct tmem_list *)trash->pages;
		trash->pages = page;
	}
	tmem_tree_remove(object, slot, leaf, trash);
	if (!object->pages)
		tmem_object_drop(object, trash);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages: how they come into an object, into the order of eviction, and out again.
 *
 * All functions are called under the lock of the stripe.
 */
#include "internal.h"

static u32 tmem_object_stripe(const struct tmem_object *object)
{
	return tmem_stripe_of(object->pool->client->engine, object->bucket);
}

/* The oldest page of a stripe may be another one now. */
static void tmem_lru_update(struct tmem_client *client, u32 stripe)
{
	struct tmem_list *lru = &client->lru[stripe];
	unsigned long oldest = 0;

	if (!tmem_list_empty(lru))
		oldest = tmem_list_entry(lru->prev, struct tmem_page,
					 lru)->stamp;
	if (oldest != tmh_read(&client->oldest[stripe]))
		tmh_set(&client->oldest[stripe], oldest);
}

static void tmem_lru_add(struct tmem_client *client, u32 stripe,
			 struct tmem_page *page)
{
	/* 0 is said of an empty list. */
	do {
		page->stamp = tmh_add_return(&client->sequence, 1);
	} while (!page->stamp);
	tmem_list_add(&client->lru[stripe], &page->lru);
	tmem_lru_update(client, stripe);
}

/**
 * tmem_page_payload - the content of a page
 * @pool: Its pool.
 * @slot: What is in its slot.
 *
 * Return: the payload.
 */
unsigned long tmem_page_payload(struct tmem_pool *pool, unsigned long slot)
{
	return tmem_is_persistent(pool) ? slot :
		((struct tmem_page *)slot)->payload;
}

/**
 * tmem_page_add - add a page to the object of an operation
 * @op: The operation, with its object.
 * @index: Of the page; it is not there. A persistent page is charged already.
 * @leaf: The node it belongs to, or NULL if there is none yet.
 * @payload: Its content.
 * @reserve: Has what tmem_tree_needs(), and a page if it is ephemeral.
 */
void tmem_page_add(struct tmem_op *op, u64 index, struct tmem_node *leaf,
		   unsigned long payload, struct tmem_reserve *reserve)
{
	struct tmem_pool *pool = op->pool;
	struct tmem_page *page;
	unsigned long *slot;

	slot = tmem_tree_insert(op->object, index, &leaf, reserve);
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
	tmh_add_return(&pool->client->ephemeral, 1);
	tmem_lru_add(pool->client, op->nr_stripe, page);
}

static void tmem_trash_payload(struct tmem_object *object, u64 index,
			       unsigned long payload, struct tmem_trash *trash)
{
	trash->order = object->pool->order;
	if (!tmem_copy_orphan(object, index))
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

	if (tmem_is_persistent(op->pool))
		return;
	tmem_list_del(&page->lru);
	tmem_lru_add(op->pool->client, op->nr_stripe, page);
}

/**
 * tmem_page_replace - give a page other content
 * @op: The operation, with its object.
 * @index: Of the page.
 * @slot: Its slot.
 * @payload: The new content.
 * @trash: Where the old one goes; has room.
 */
void tmem_page_replace(struct tmem_op *op, u64 index, unsigned long *slot,
		       unsigned long payload, struct tmem_trash *trash)
{
	tmem_trash_payload(op->object, index,
			   tmem_page_payload(op->pool, *slot), trash);
	if (tmem_is_persistent(op->pool))
		*slot = payload;
	else
		((struct tmem_page *)*slot)->payload = payload;
	tmem_page_renew(op, *slot);
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
	u32 stripe = tmem_object_stripe(object);

	tmem_trash_payload(object, index, tmem_page_payload(pool, *slot), trash);
	pool->stripes[stripe].stats.pages--;
	if (tmem_is_persistent(pool)) {
		tmh_add_return(&client->persistent, -1ul);
	} else {
		struct tmem_page *page = (struct tmem_page *)*slot;

		tmem_list_del(&page->lru);
		tmem_lru_update(client, stripe);
		tmh_add_return(&client->ephemeral, -1ul);
		page->lru.next = (struct tmem_list *)trash->pages;
		trash->pages = page;
	}
	tmem_tree_remove(object, slot, leaf, trash);
	if (!object->pages)
		tmem_object_drop(object, trash);
}

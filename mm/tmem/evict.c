// SPDX-License-Identifier: GPL-2.0-only
/*
 * Eviction: which client's ephemeral pages go, and which of them.
 *
 * The client that has the most for its weight gives its oldest pages. Each client
 * has a list of pages for each stripe, in the order in which they were put, or last
 * got from a shared pool; the one whose last page has the oldest stamp is next.
 * Locks are only tried, so that pages can be evicted in any context.
 */
#include "internal.h"

/* Of a page with this stamp: how many were put since. */
static u32 tmem_age(struct tmem_client *client, unsigned long stamp)
{
	return (u32)tmh_read(&client->sequence) - (u32)stamp;
}

/* The stripe with the oldest page that is not older than @limit. */
static bool tmem_oldest_stripe(struct tmem_client *client, u64 limit,
			       u32 *stripe, u32 *age)
{
	u32 nr = tmem_nr_stripes(client->engine), i;
	bool found = false;

	for (i = 0; i < nr; i++) {
		unsigned long stamp = tmh_read(&client->oldest[i]);
		u32 this = tmem_age(client, stamp);

		if (!stamp || this >= limit || (found && this <= *age))
			continue;
		*stripe = i;
		*age = this;
		found = true;
	}
	return found;
}

static u64 tmem_index_of(struct tmem_page *page, struct tmem_object *object)
{
	struct tmem_node *node;
	unsigned int shift;
	u64 index;

	if (page->offset == TMEM_SINGLE)
		return object->index;
	index = page->offset;
	shift = TMEM_NODE_BITS;
	for (node = page->leaf; node->parent; node = node->parent) {
		index |= (u64)node->offset << shift;
		shift += TMEM_NODE_BITS;
	}
	return index;
}

static void tmem_evict_page(struct tmem_page *page, u32 stripe,
			    struct tmem_trash *trash)
{
	bool single = page->offset == TMEM_SINGLE;
	struct tmem_object *object = single ? page->object : page->leaf->object;

	object->pool->stripes[stripe].stats.evicted++;
	tmem_page_remove(object, tmem_index_of(page, object), single ?
			 &object->single : &page->leaf->slot[page->offset],
			 single ? NULL : page->leaf, trash);
}

/**
 * tmem_evict_client - evict the oldest pages of a client
 * @client: The client.
 * @pages: How many.
 *
 * Context: No lock of the engine. Any in which the host can release pages.
 * Return: how many were evicted and released. Fewer if it has no more, or if what
 * is left is locked or being copied.
 */
unsigned long tmem_evict_client(struct tmem_client *client, unsigned long pages)
{
	unsigned long payload, done = 0, flags;
	u64 limit = (u64)1 << 32;
	u32 stripe = 0, age = 0;

	while (done < pages &&
	       tmem_oldest_stripe(client, limit, &stripe, &age)) {
		struct tmem_trash trash = { .payloads = &payload, .room = 1 };
		struct tmem_list *lru = &client->stripes[stripe].lru;
		struct tmh_lock *lock = &client->engine->stripes[stripe].lock;

		if (!tmh_trylock(lock, &flags)) {
			limit = age;
			continue;
		}
		if (!tmem_list_empty(lru))
			tmem_evict_page(tmem_list_entry(lru->prev,
							struct tmem_page, lru),
					stripe, &trash);
		tmh_unlock(lock, flags);
		done += trash.nr;
		tmem_trash_free(client, &trash);
	}
	return done;
}

/* Who has the most for his weight; who has none for nothing comes first. */
static struct tmem_client *tmem_victim(struct tmem_engine *engine)
{
	unsigned long nr = tmh_read_acquire(&engine->nr_clients), i;
	struct tmem_client *victim = NULL;
	u64 most = 0, weight = 1;

	for (i = 0; i < nr; i++) {
		struct tmem_client *client = engine->clients[i];
		u64 pages = tmh_read(&client->ephemeral);
		u64 this = tmh_read(&client->weight);

		if (!pages || pages * weight < most * this)
			continue;
		if (victim && pages * weight == most * this)
			continue;
		victim = client;
		most = pages;
		weight = this;
	}
	return victim;
}

/**
 * tmem_evict - take ephemeral pages back
 * @engine: The engine.
 * @pages: How many.
 *
 * Context: No lock of the engine. Any in which the host can release pages.
 * Return: how many were evicted and released.
 */
unsigned long tmem_evict(struct tmem_engine *engine, unsigned long pages)
{
	unsigned long done = 0, got, i;
	struct tmem_client *client;

	while (done < pages && (client = tmem_victim(engine))) {
		got = pages - done < TMEM_EVICT_BATCH ?
			pages - done : TMEM_EVICT_BATCH;
		got = tmem_evict_client(client, got);
		/* Others may have what this one cannot give now. */
		for (i = 0; !got && i < tmh_read_acquire(&engine->nr_clients);
		     i++)
			got = tmem_evict_client(engine->clients[i], 1);
		if (!got)
			break;
		done += got;
	}
	return done;
}

TMH_EXPORT(tmem_evict);

/**
 * tmem_evictable - how many pages could be taken back
 * @engine: The engine.
 * @enough: Stop counting there, as that may take a while.
 *
 * Context: Any.
 * Return: the ephemeral pages of all clients, in pages, or any number from @enough on
 * if there are so many.
 */
unsigned long tmem_evictable(struct tmem_engine *engine, unsigned long enough)
{
	unsigned long nr = tmh_read_acquire(&engine->nr_clients), i, sum = 0;

	for (i = 0; i < nr && sum < enough; i++)
		if (tmh_read(&engine->clients[i]->ephemeral))
			sum += tmem_count_pages(engine->clients[i], false);
	return sum;
}

TMH_EXPORT(tmem_evictable);

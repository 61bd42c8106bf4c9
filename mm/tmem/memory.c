// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of the engine itself, charged to clients, and how it is given back.
 */
#include "internal.h"

/* Each time some pages are evicted and the host is asked again. */
#define TMEM_TRIES	8

/**
 * tmem_charge - count something that has a limit
 * @used: How much there is.
 * @limit: How much there may be.
 * @n: What is to be added.
 *
 * Context: Any.
 * Return: true if it was added.
 */
bool tmem_charge(struct tmh_ulong *used, struct tmh_ulong *limit, unsigned long n)
{
	if (tmh_add_return(used, n) <= tmh_read(limit))
		return true;
	tmh_add_return(used, -n);
	return false;
}

/*
 * Charges memory. That of a struct tmem_page is charged with its page: as long as
 * that is not there, it only has to fit in.
 */
static bool tmem_charge_bytes(struct tmem_client *client, size_t size, bool page)
{
	unsigned long pages = tmh_read(&client->ephemeral) *
		sizeof(struct tmem_page);
	unsigned long limit = tmh_read(&client->metadata_limit);

	if (page)
		return tmh_read(&client->metadata) + pages + size <= limit;
	if (tmh_add_return(&client->metadata, size) + pages <= limit)
		return true;
	tmh_add_return(&client->metadata, -size);
	return false;
}

/* Evicts: this client's if it has reached its limit, otherwise anybody's. */
static void *tmem_obtain_by(struct tmem_client *client, size_t size,
			    void *(*alloc)(size_t size), bool page)
{
	unsigned int tries;
	void *memory;

	for (tries = 0; tries < TMEM_TRIES; tries++) {
		if (!tmem_charge_bytes(client, size, page)) {
			if (!tmem_evict_client(client, TMEM_EVICT_BATCH))
				return NULL;
			continue;
		}
		memory = alloc(size);
		if (memory)
			return memory;
		if (!page)
			tmh_add_return(&client->metadata, -size);
		if (!tmem_evict(client->engine, TMEM_EVICT_BATCH))
			return NULL;
	}
	return NULL;
}

/**
 * tmem_obtain - allocate memory for a client
 * @client: Who is charged.
 * @size: In bytes.
 *
 * Evicts ephemeral pages if there is none.
 *
 * Context: No lock. May do what the host's allocator does where pages are put.
 * Return: memory full of zeros, or NULL.
 */
void *tmem_obtain(struct tmem_client *client, size_t size)
{
	return tmem_obtain_by(client, size, tmh_alloc, false);
}

/**
 * tmem_obtain_table - the same for what is larger and lives longer
 * @client: Who is charged.
 * @size: In bytes.
 *
 * Context: No lock. May do what the host's allocator does.
 * Return: memory full of zeros, or NULL.
 */
void *tmem_obtain_table(struct tmem_client *client, size_t size)
{
	return tmem_obtain_by(client, size, tmh_alloc_table, false);
}

/**
 * tmem_obtain_page - allocate what is kept of an ephemeral page
 * @client: Whose it will be.
 * @evict: Evict others if there is no memory.
 *
 * Context: As tmem_obtain().
 * Return: it, full of zeros, or NULL.
 */
struct tmem_page *tmem_obtain_page(struct tmem_client *client, bool evict)
{
	size_t size = sizeof(struct tmem_page);

	if (!evict)
		return tmem_charge_bytes(client, size, true) ?
			tmh_alloc(size) : NULL;
	return tmem_obtain_by(client, size, tmh_alloc, true);
}

/**
 * tmem_free - free what tmem_obtain() has allocated
 * @client: Who was charged.
 * @memory: What it returned, or NULL.
 * @size: As then.
 *
 * Context: No lock. Whatever pages are flushed in.
 */
void tmem_free(struct tmem_client *client, void *memory, size_t size)
{
	if (!memory)
		return;
	tmh_free(memory, size);
	tmh_add_return(&client->metadata, -size);
}

/**
 * tmem_free_table - free what tmem_obtain_table() has allocated
 * @client: Who was charged.
 * @memory: What it returned.
 * @size: As then.
 *
 * Context: No lock. May do what the host's allocator does.
 */
void tmem_free_table(struct tmem_client *client, void *memory, size_t size)
{
	tmh_free_table(memory, size);
	tmh_add_return(&client->metadata, -size);
}

/**
 * tmem_payload_release - forget the content of a page
 * @engine: The engine.
 * @order: Of the page's size.
 * @payload: Its content; nobody copies it.
 *
 * Context: No lock. Whatever pages are flushed in.
 */
void tmem_payload_release(struct tmem_engine *engine, unsigned int order,
			  unsigned long payload)
{
	engine->config.ops->release(engine->config.host, order, payload);
}

/**
 * tmem_trash_empty - free what was removed under a lock
 * @client: Whose it was.
 * @trash: What it is; empty afterwards.
 *
 * Context: No lock. Whatever pages are flushed in.
 */
void tmem_trash_empty(struct tmem_client *client, struct tmem_trash *trash)
{
	while (trash->nr)
		tmem_payload_release(client->engine, trash->order,
				     trash->payloads[--trash->nr]);
	while (trash->pages) {
		struct tmem_page *page = trash->pages;

		trash->pages = (struct tmem_page *)page->lru.next;
		tmh_free(page, sizeof(*page));
	}
	while (trash->nodes) {
		struct tmem_node *node = trash->nodes;

		trash->nodes = (struct tmem_node *)node->slot[0];
		tmem_free(client, node, sizeof(*node));
	}
	while (trash->objects) {
		struct tmem_object *object = trash->objects;

		trash->objects = object->next;
		tmem_free(client, object, sizeof(*object));
		tmh_add_return(&client->objects, -1ul);
	}
}

/**
 * tmem_reserve_empty - free what an insertion did not need
 * @client: Who was charged.
 * @reserve: What is left; empty afterwards.
 *
 * Context: No lock.
 */
void tmem_reserve_empty(struct tmem_client *client,
			struct tmem_reserve *reserve)
{
	if (reserve->object) {
		tmem_free(client, reserve->object, sizeof(*reserve->object));
		tmh_add_return(&client->objects, -1ul);
		reserve->object = NULL;
	}
	if (reserve->page)
		tmh_free(reserve->page, sizeof(*reserve->page));
	reserve->page = NULL;
	while (reserve->nodes) {
		struct tmem_node *node = reserve->nodes;

		reserve->nodes = (struct tmem_node *)node->slot[0];
		tmem_free(client, node, sizeof(*node));
	}
	reserve->nr_nodes = 0;
}

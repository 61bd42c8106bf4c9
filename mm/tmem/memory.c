// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of the engine itself, charged to clients, and how it is given back.
 */
#include "internal.h"

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

/**
 * tmem_evict_for - evict some pages, as an operation has found no memory
 * @client: Whose operation it is.
 * @evicted: How many pages it has evicted.
 * @own: This client's only.
 *
 * Context: As tmem_evict().
 * Return: true if there may be memory now; false if there is nothing to evict, or if
 * the operation has evicted as many pages as one may.
 */
bool tmem_evict_for(struct tmem_client *client, unsigned int *evicted, bool own)
{
	unsigned long n = TMEM_EVICT_MOST - *evicted;

	if (n > TMEM_EVICT_BATCH)
		n = TMEM_EVICT_BATCH;
	n = own ? tmem_evict_client(client, n) : tmem_evict(client->engine, n);
	*evicted += n;
	return n;
}

/* Evicts: this client's if it has reached its limit, otherwise anybody's. */
static void *tmem_obtain_by(struct tmem_client *client, size_t size,
			    void *(*alloc)(size_t size), bool page,
			    unsigned int *evicted)
{
	void *memory;
	bool fits;

	do {
		fits = tmem_charge_bytes(client, size, page);
		if (!fits)
			continue;
		memory = alloc(size);
		if (memory)
			return memory;
		if (!page)
			tmh_add_return(&client->metadata, -size);
	} while (tmem_evict_for(client, evicted, !fits));
	return NULL;
}

/**
 * tmem_owner_charge - ask the host whether persistent pools may take more memory
 * @client: Whose they are.
 * @bytes: How much more.
 *
 * Context: No lock of the engine.
 * Return: true if they may, and then it is charged.
 */
bool tmem_owner_charge(struct tmem_client *client, size_t bytes)
{
	const struct tmem_payload_ops *ops = client->engine->config.ops;

	return !ops->charge || ops->charge(client->owner, bytes);
}

/**
 * tmem_owner_uncharge - tell the host that persistent pools take less memory
 * @client: Whose they are.
 * @bytes: How much less.
 *
 * Context: No lock of the engine. Whatever pages are flushed in.
 */
void tmem_owner_uncharge(struct tmem_client *client, size_t bytes)
{
	const struct tmem_payload_ops *ops = client->engine->config.ops;

	if (ops->charge)
		ops->uncharge(client->owner, bytes);
}

/**
 * tmem_obtain - allocate memory for a put
 * @op: The put. Its client is charged, of a persistent pool the owner too.
 * @size: In bytes.
 *
 * Evicts ephemeral pages if there is none.
 *
 * Context: No lock. May do what the host's allocator does where pages are put.
 * Return: memory full of zeros, or NULL.
 */
void *tmem_obtain(struct tmem_op *op, size_t size)
{
	void *memory;

	if (op->persistent && !tmem_owner_charge(op->client, size))
		return NULL;
	memory = tmem_obtain_by(op->client, size, tmh_alloc, false, &op->evicted);
	if (op->persistent && !memory)
		tmem_owner_uncharge(op->client, size);
	return memory;
}

/**
 * tmem_obtain_table - allocate what is larger and lives longer
 * @client: Who is charged. The owner is not, whatever it is for.
 * @size: In bytes.
 *
 * Evicts ephemeral pages if there is none; some less than a put, as their client may
 * just have been made, for which the host may have done so too.
 *
 * Context: No lock. May do what the host's allocator does.
 * Return: memory full of zeros, or NULL.
 */
void *tmem_obtain_table(struct tmem_client *client, size_t size)
{
	unsigned int evicted = TMEM_EVICT_BATCH;

	return tmem_obtain_by(client, size, tmh_alloc_table, false, &evicted);
}

/**
 * tmem_obtain_page - allocate what is kept of an ephemeral page
 * @op: The put.
 * @evict: Evict others if there is no memory.
 *
 * Context: As tmem_obtain().
 * Return: it, full of zeros, or NULL.
 */
struct tmem_page *tmem_obtain_page(struct tmem_op *op, bool evict)
{
	size_t size = sizeof(struct tmem_page);

	if (!evict)
		return tmem_charge_bytes(op->client, size, true) ?
			tmh_alloc(size) : NULL;
	return tmem_obtain_by(op->client, size, tmh_alloc, true, &op->evicted);
}

/**
 * tmem_free - free what tmem_obtain() has allocated
 * @client: Who was charged.
 * @memory: What it returned, or NULL.
 * @size: As then.
 * @persistent: That of the put's pool.
 *
 * Context: No lock. Whatever pages are flushed in.
 */
void tmem_free(struct tmem_client *client, void *memory, size_t size,
	       bool persistent)
{
	if (!memory)
		return;
	tmh_free(memory, size);
	tmh_add_return(&client->metadata, -size);
	if (persistent)
		tmem_owner_uncharge(client, size);
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
 * @client: Who was charged for it.
 * @persistent: The kind of its pool.
 * @order: Of the page's size.
 * @payload: Its content; nobody copies it.
 *
 * Context: No lock. Whatever pages are flushed in.
 */
void tmem_payload_release(struct tmem_client *client, bool persistent,
			  unsigned int order, unsigned long payload)
{
	const struct tmem_config *config = &client->engine->config;

	config->ops->release(config->host, order, payload);
	if (persistent)
		tmem_owner_uncharge(client, TMEM_PAGE_BYTES << order);
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
		tmem_payload_release(client, trash->persistent, trash->order,
				     trash->payloads[--trash->nr]);
	while (trash->pages) {
		struct tmem_page *page = trash->pages;

		trash->pages = (struct tmem_page *)page->lru.next;
		tmh_free(page, sizeof(*page));
	}
	while (trash->nodes) {
		struct tmem_node *node = trash->nodes;

		trash->nodes = (struct tmem_node *)node->slot[0];
		tmem_free(client, node, sizeof(*node), trash->persistent);
	}
	while (trash->objects) {
		struct tmem_object *object = trash->objects;

		trash->objects = object->next;
		tmem_free(client, object, sizeof(*object), trash->persistent);
		tmh_add_return(&client->objects, -1ul);
	}
}

/**
 * tmem_reserve_empty - free what an insertion did not need
 * @client: Who was charged.
 * @reserve: What is left; empty afterwards.
 * @persistent: As it was obtained.
 *
 * Context: No lock.
 */
void tmem_reserve_empty(struct tmem_client *client,
			struct tmem_reserve *reserve, bool persistent)
{
	if (reserve->object) {
		tmem_free(client, reserve->object, sizeof(*reserve->object),
			  persistent);
		tmh_add_return(&client->objects, -1ul);
		reserve->object = NULL;
	}
	if (reserve->page)
		tmh_free(reserve->page, sizeof(*reserve->page));
	reserve->page = NULL;
	while (reserve->nodes) {
		struct tmem_node *node = reserve->nodes;

		reserve->nodes = (struct tmem_node *)node->slot[0];
		tmem_free(client, node, sizeof(*node), persistent);
	}
	reserve->nr_nodes = 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Folios in pools of the tmem engine.
 *
 * The contracts are those of <linux/frontswap.h> and <linux/cleancache.h>: the
 * front ends see to it that nobody puts a page while it is got or forgotten, but
 * eviction comes at any time.
 */
#include <linux/bitops.h>
#include <linux/export.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched.h>

#include "folio.h"

/*
 * Slots of a swap area that are one object. An object has one lock: a swap area in
 * one object would be no faster with more CPUs, and with less in each there would
 * be more memory for objects. 256 make the tree two levels high.
 */
#define TMEM_SWAP_SLOTS	256u

/**
 * tmem_folio_engine_create - make an engine for pages of this kernel
 * @ops: How content is kept; what cannot be loaded is lost.
 * @max_pools: Pools at the same time.
 * @engine: Where to write the engine.
 * @client: Where to write its only client, which has no limits.
 *
 * Context: May sleep.
 * Return: 0 or -ENOMEM.
 */
int tmem_folio_engine_create(const struct tmem_payload_ops *ops, u32 max_pools,
			     struct tmem_engine **engine,
			     struct tmem_client **client)
{
	static const struct tmem_limits limits = {
		.persistent_pages = TMEM_UNLIMITED,
		.metadata_bytes = TMEM_UNLIMITED,
		.objects = TMEM_UNLIMITED,
		.weight = 1,
	};
	struct tmem_config config = {
		.ops = ops,
		.orders = 1u << (PAGE_SHIFT - 12),
		.bucket_bits = 14,
		.stripe_bits = 6,
		.max_clients = 1,
		.max_pools = max_pools,
		.trusted = true,
	};
	int err;

	err = tmem_engine_create(&config, engine);
	if (err)
		return err;
	err = tmem_client_create(*engine, &limits, NULL, client);
	if (err)
		tmem_engine_destroy(*engine);
	return err;
}
EXPORT_SYMBOL_GPL(tmem_folio_engine_create);

/**
 * tmem_folio_engine_destroy - destroy what tmem_folio_engine_create() has made
 * @engine: The engine.
 * @client: Its client, with everything in it.
 *
 * Context: May sleep.
 */
void tmem_folio_engine_destroy(struct tmem_engine *engine,
			       struct tmem_client *client)
{
	while (tmem_client_destroy(client) == -EAGAIN)
		cond_resched();
	tmem_engine_destroy(engine);
}
EXPORT_SYMBOL_GPL(tmem_folio_engine_destroy);

/**
 * tmem_folio_new_pool - make a pool for pages of this kernel
 * @client: Whose it will be.
 * @flags: TMEM_FLAG_PERSISTENT, or 0.
 *
 * Context: May sleep.
 * Return: as tmem_new_pool().
 */
int tmem_folio_new_pool(struct tmem_client *client, u32 flags)
{
	static const u64 uuid[2];

	flags |= TMEM_VERSION << TMEM_FLAG_VERSION_SHIFT;
	flags |= (PAGE_SHIFT - 12) << TMEM_FLAG_ORDER_SHIFT;
	return tmem_new_pool(client, uuid, flags);
}
EXPORT_SYMBOL_GPL(tmem_folio_new_pool);

/**
 * tmem_folio_destroy_pool - destroy a pool with everything in it
 * @client: Whose it is.
 * @pool: Its id.
 *
 * Context: May sleep.
 */
void tmem_folio_destroy_pool(struct tmem_client *client, u32 pool)
{
	while (tmem_destroy_pool(client, pool) == -EAGAIN)
		cond_resched();
}
EXPORT_SYMBOL_GPL(tmem_folio_destroy_pool);

static struct tmem_handle tmem_slot(u32 pool, pgoff_t offset)
{
	return (struct tmem_handle){
		.pool = pool,
		.oid = { offset / TMEM_SWAP_SLOTS },
		.index = offset % TMEM_SWAP_SLOTS,
	};
}

/* That of the next slot */
static void tmem_slot_next(struct tmem_handle *slot)
{
	if (++slot->index < TMEM_SWAP_SLOTS)
		return;
	slot->index = 0;
	slot->oid[0]++;
}

static struct tmem_handle tmem_file(u32 pool, u64 object, pgoff_t index)
{
	return (struct tmem_handle){
		.pool = pool,
		.oid = { object },
		.index = index,
	};
}

/* As many at a time as the engine flushes without a stop, so that it tells how many. */
static unsigned int tmem_flush_all(struct tmem_client *client,
				   struct tmem_handle handle, unsigned int nr)
{
	unsigned int n, flushed = 0;
	int ret;

	if (nr == 1)
		return !tmem_flush_page(client, &handle);
	for (; nr; nr -= n, handle.index += n) {
		n = min(nr, TMEM_CHUNK);
		ret = tmem_flush_range(client, &handle, handle.index + n - 1);
		flushed += max(ret, 0);
	}
	return flushed;
}

/**
 * tmem_swap_store - put the pages of a folio, all or none
 * @client: The client.
 * @pool: Id of the swap area's pool.
 * @offset: Slot of the first page.
 * @folio: A locked folio in the swap cache.
 *
 * Context: As ->store of struct frontswap_ops.
 * Return: 0, or an error of tmem_put(); then no page of these slots is left.
 */
int tmem_swap_store(struct tmem_client *client, u32 pool, pgoff_t offset,
		    struct folio *folio)
{
	struct tmem_handle slot = tmem_slot(pool, offset);
	unsigned int i = 0, nr = folio_nr_pages(folio);
	int err;

	for (;;) {
		err = tmem_put(client, &slot, folio_page(folio, i));
		if (err || ++i == nr)
			break;
		tmem_slot_next(&slot);
		cond_resched();
	}
	if (err)
		tmem_swap_invalidate(client, pool, offset, nr);
	return err;
}
EXPORT_SYMBOL_GPL(tmem_swap_store);

/**
 * tmem_swap_load - get the pages of a folio
 * @client: The client.
 * @pool: Id of the swap area's pool.
 * @offset: Slot of the first page.
 * @folio: A locked folio.
 * @exclusive: Remove them, if all of them were got.
 *
 * Context: May sleep.
 * Return: 0, or an error of tmem_get(): the content of the folio is undefined, and
 * nothing was removed, but for the page of a small folio that could not be copied.
 */
int tmem_swap_load(struct tmem_client *client, u32 pool, pgoff_t offset,
		   struct folio *folio, bool exclusive)
{
	struct tmem_handle slot = tmem_slot(pool, offset);
	unsigned int i = 0, nr = folio_nr_pages(folio);
	unsigned int flags = exclusive && nr == 1 ?
		TMEM_GET_REMOVE : TMEM_GET_KEEP;
	int err;

	for (;;) {
		err = tmem_get(client, &slot, folio_page(folio, i), flags);
		if (err || ++i == nr)
			break;
		tmem_slot_next(&slot);
		cond_resched();
	}
	if (!err && exclusive && nr > 1)
		tmem_swap_invalidate(client, pool, offset, nr);
	return err;
}
EXPORT_SYMBOL_GPL(tmem_swap_load);

/**
 * tmem_swap_invalidate - forget slots
 * @client: The client.
 * @pool: Id of the swap area's pool.
 * @offset: The first slot.
 * @nr: How many.
 *
 * Context: Any in which the payload can be released.
 * Return: how many pages there were.
 */
unsigned int tmem_swap_invalidate(struct tmem_client *client, u32 pool,
				  pgoff_t offset, unsigned int nr)
{
	unsigned int flushed = 0;

	while (nr) {
		struct tmem_handle slot = tmem_slot(pool, offset);
		unsigned int n = min_t(u64, nr, TMEM_SWAP_SLOTS - slot.index);

		flushed += tmem_flush_all(client, slot, n);
		offset += n;
		nr -= n;
	}
	return flushed;
}
EXPORT_SYMBOL_GPL(tmem_swap_invalidate);

/**
 * tmem_file_put - put pages of a folio
 * @client: The client.
 * @pool: Id of the filesystem's pool.
 * @object: The file.
 * @index: Index of the folio's first page.
 * @folio: A locked folio.
 * @nr: How many pages.
 * @held: Bit i is set if page i is held.
 *
 * Context: As ->put of struct cleancache_ops.
 * Return: how many are held.
 */
unsigned int tmem_file_put(struct tmem_client *client, u32 pool, u64 object,
			   pgoff_t index, struct folio *folio, unsigned int nr,
			   unsigned long *held)
{
	struct tmem_handle handle = tmem_file(pool, object, index);
	unsigned int i, taken = 0;

	for (i = 0; i < nr; i++, handle.index++) {
		if (tmem_put(client, &handle, folio_page(folio, i)))
			continue;
		__set_bit(i, held);
		taken++;
	}
	return taken;
}
EXPORT_SYMBOL_GPL(tmem_file_put);

/**
 * tmem_file_get - get pages of a folio, all or none
 * @client: The client.
 * @pool: Id of the filesystem's pool.
 * @object: The file.
 * @index: Index of the folio's first page.
 * @folio: A locked folio.
 * @nr: How many pages.
 * @exclusive: Remove them, if all of them were got.
 *
 * Context: As ->get of struct cleancache_ops.
 * Return: as tmem_swap_load().
 */
int tmem_file_get(struct tmem_client *client, u32 pool, u64 object,
		  pgoff_t index, struct folio *folio, unsigned int nr,
		  bool exclusive)
{
	struct tmem_handle handle = tmem_file(pool, object, index);
	unsigned int i, flags = exclusive && nr == 1 ?
		TMEM_GET_REMOVE : TMEM_GET_KEEP;

	for (i = 0; i < nr; i++, handle.index++) {
		int err = tmem_get(client, &handle, folio_page(folio, i),
				   flags);

		if (err)
			return err;
	}
	if (exclusive && nr > 1)
		tmem_file_invalidate(client, pool, object, index, nr);
	return 0;
}
EXPORT_SYMBOL_GPL(tmem_file_get);

/**
 * tmem_file_invalidate - forget pages of a file
 * @client: The client.
 * @pool: Id of the filesystem's pool.
 * @object: The file.
 * @index: Index of the first page.
 * @nr: How many.
 *
 * Context: Any in which the payload can be released.
 * Return: how many there were.
 */
unsigned int tmem_file_invalidate(struct tmem_client *client, u32 pool,
				  u64 object, pgoff_t index, unsigned int nr)
{
	return tmem_flush_all(client, tmem_file(pool, object, index), nr);
}
EXPORT_SYMBOL_GPL(tmem_file_invalidate);

/**
 * tmem_file_invalidate_inode - forget all pages of a file
 * @client: The client.
 * @pool: Id of the filesystem's pool.
 * @object: The file.
 *
 * Context: Any in which the payload can be released.
 */
void tmem_file_invalidate_inode(struct tmem_client *client, u32 pool,
				u64 object)
{
	struct tmem_handle handle = tmem_file(pool, object, 0);

	while (tmem_flush_object(client, pool, handle.oid) == -EAGAIN)
		;
}
EXPORT_SYMBOL_GPL(tmem_file_invalidate_inode);

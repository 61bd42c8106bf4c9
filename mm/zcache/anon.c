// SPDX-License-Identifier: GPL-2.0-only
/*
 * The half of zcache behind frontswap: pages of swap, compressed, in zsmalloc.
 *
 * The engine has the index; what it keeps of a page is a struct anon_page.
 *
 * zsmalloc and the list have locks that must not be taken with interrupts off, and
 * slots are forgotten there too: then pages are freed later, by a work item or
 * by who stores next.
 */
#define pr_fmt(fmt) "zcache: " fmt

#include <linux/frontswap.h>
#include <linux/highmem.h>
#include <linux/irqflags.h>
#include <linux/llist.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/swap.h>
#include <linux/swapops.h>
#include <linux/workqueue.h>
#include <linux/zsmalloc.h>

#include "../tmem/linux/folio.h"
#include "anon.h"
#include "zcache.h"

struct zs_pool *anon_zs;
bool zcache_anon_raw;
static struct kmem_cache *anon_cache;
static struct tmem_engine *anon_engine;
static struct tmem_client *anon_client;

/* The pool of each swap area, or -1 */
static int anon_pools[MAX_SWAPFILES];

/* Freeing */

static LLIST_HEAD(anon_dead);

static void anon_free(struct anon_page *anon)
{
	anon_lru_del(anon);
	if (anon->bytes)
		zs_free(anon_zs, anon->handle);
	else
		zcache_add(&zcache_anon, ZCACHE_SAME_FILLED, -1);
	if (anon->bytes == PAGE_SIZE)
		zcache_add(&zcache_anon, ZCACHE_RAW, -1);
	zcache_add(&zcache_anon, ZCACHE_BYTES, -(long)anon->bytes);
	zcache_add(&zcache_anon, ZCACHE_PAGES, -1);
	zcache_memcg_account(anon->objcg, /*file=*/false, -(long)anon->bytes,
			     -1);
	obj_cgroup_put(anon->objcg);
	kmem_cache_free(anon_cache, anon);
}

static void anon_bury(struct work_struct *work)
{
	struct anon_page *anon, *next;

	llist_for_each_entry_safe(anon, next, llist_del_all(&anon_dead), dead) {
		anon_free(anon);
		cond_resched();
	}
}

static DECLARE_WORK(anon_bury_work, anon_bury);

static void anon_release(void *host, unsigned int order, unsigned long payload)
{
	struct anon_page *anon = (struct anon_page *)payload;

	if (!irqs_disabled() && !in_interrupt()) {
		anon_free(anon);
		return;
	}
	if (llist_add(&anon->dead, &anon_dead))
		queue_work(system_unbound_wq, &anon_bury_work);
}

/* Storing */

static int anon_keep(struct anon_page *anon, const void *data)
{
	unsigned long handle;
	void *payload;

	handle = zs_malloc(anon_zs, anon->bytes, ZCACHE_GFP | __GFP_HIGHMEM |
			   __GFP_MOVABLE);
	if (IS_ERR_VALUE(handle))
		return -ENOMEM;
	payload = zs_map_object(anon_zs, handle, ZS_MM_WO);
	memcpy(payload, data, anon->bytes);
	zs_unmap_object(anon_zs, handle);
	anon->handle = handle;
	return 0;
}

/* Return: 0; -ENOMEM; -E2BIG if it does not become smaller, and may not be raw. */
static int anon_compress(struct anon_page *anon, const void *page)
{
	enum zcache_codec codec = READ_ONCE(zcache_anon.codec);
	struct zcache_stream *stream = zcache_stream_get();
	const void *data = stream->buffer;
	int err, bytes;

	bytes = zcache_compress(stream, codec, page, ZCACHE_MOST);
	if (bytes < 0 && (codec == ZCACHE_NONE || READ_ONCE(zcache_anon_raw))) {
		codec = ZCACHE_NONE;
		bytes = PAGE_SIZE;
		data = page;
	}
	anon->codec = codec;
	anon->bytes = max(bytes, 0);
	err = bytes > 0 ? anon_keep(anon, data) : bytes;
	zcache_stream_put(stream);
	return err;
}

static int anon_fill(struct anon_page *anon, struct page *page)
{
	void *data = kmap_local_page(page);
	int err = 0;

	anon->bytes = 0;
	if (!zcache_same_filled(data, &anon->word))
		err = anon_compress(anon, data);
	kunmap_local(data);
	return err;
}

static void anon_add(struct anon_page *anon, struct page *page)
{
	anon->slot = page_swap_entry(page);
	anon->objcg = zcache_memcg_of(page_folio(page));
	anon->node = page_to_nid(virt_to_page(anon));
	anon->referenced = false;
	zcache_memcg_account(anon->objcg, /*file=*/false, anon->bytes, 1);

	if (!anon->bytes)
		zcache_add(&zcache_anon, ZCACHE_SAME_FILLED, 1);
	if (anon->bytes == PAGE_SIZE)
		zcache_add(&zcache_anon, ZCACHE_RAW, 1);
	zcache_add(&zcache_anon, ZCACHE_BYTES, anon->bytes);
	zcache_add(&zcache_anon, ZCACHE_PAGES, 1);
	zcache_add(&zcache_anon, ZCACHE_STORES, 1);

	INIT_LIST_HEAD(&anon->lru);
	if (anon->bytes)
		anon_lru_add(anon);
}

/* Not -ENOMEM: there is nothing that the engine could evict. */
static int anon_store(void *host, const void *source, unsigned int order,
		      unsigned long *payload)
{
	struct page *page = (struct page *)source;
	struct anon_page *anon = kmem_cache_alloc(anon_cache, ZCACHE_GFP);
	int err = anon ? anon_fill(anon, page) : -ENOMEM;

	if (err) {
		zcache_add(&zcache_anon, err == -E2BIG ?
			   ZCACHE_REJECT_SIZE : ZCACHE_REJECT_MEMORY, 1);
		if (anon)
			kmem_cache_free(anon_cache, anon);
		return -ENOSPC;
	}
	anon_add(anon, page);
	*payload = (unsigned long)anon;
	return 0;
}

static int anon_overwrite(void *host, const void *source, unsigned int order,
			  unsigned long payload)
{
	return -EOPNOTSUPP;
}

/* Loading */

/* Where the codec is slow, not where preemption is off. */
static int anon_decompress_slowly(struct anon_page *anon, void *page)
{
	struct zcache_stream *stream = zcache_stream_get();
	int err;

	memcpy(stream->buffer, zs_map_object(anon_zs, anon->handle, ZS_MM_RO),
	       anon->bytes);
	zs_unmap_object(anon_zs, anon->handle);
	err = zcache_decompress(stream, anon->codec, stream->buffer,
				anon->bytes, page);
	zcache_stream_put(stream);
	return err;
}

static int anon_decompress(struct anon_page *anon, void *page)
{
	int err;

	if (zcache_decompress_needs_stream(anon->codec))
		return anon_decompress_slowly(anon, page);
	err = zcache_decompress(NULL, anon->codec,
				zs_map_object(anon_zs, anon->handle, ZS_MM_RO),
				anon->bytes, page);
	zs_unmap_object(anon_zs, anon->handle);
	return err;
}

static int anon_load(void *host, void *target, unsigned int order,
		     unsigned long payload)
{
	struct anon_page *anon = (struct anon_page *)payload;
	void *page = kmap_local_page(target);
	int err = 0;

	if (anon->bytes)
		err = anon_decompress(anon, page);
	else
		zcache_fill(page, anon->word);
	kunmap_local(page);
	WRITE_ONCE(anon->referenced, true);
	zcache_add(&zcache_anon, ZCACHE_LOADS, !err);
	return err;
}

static const struct tmem_payload_ops anon_payload_ops = {
	.store = anon_store,
	.overwrite = anon_overwrite,
	.load = anon_load,
	.release = anon_release,
};

/* The half of frontswap's */

static int anon_swap_init(unsigned int type, unsigned long nr_slots,
			  bool writethrough)
{
	int pool = tmem_folio_new_pool(anon_client, writethrough ?
				       0 : TMEM_FLAG_PERSISTENT);

	if (pool < 0)
		return pool;
	anon_pools[type] = pool;
	return 0;
}

/* Return: why no page of the folio is stored, or NR_ZCACHE_COUNTS. */
static enum zcache_count anon_swap_refuses(struct folio *folio)
{
	struct mem_cgroup *memcg = folio_memcg(folio);

	if (!anon_has_room(memcg))
		return ZCACHE_REJECT_LIMIT;
	return zcache_memcg_lists(memcg, &anon_lru) ? NR_ZCACHE_COUNTS :
		ZCACHE_REJECT_MEMORY;
}

static int anon_swap_store(unsigned int type, pgoff_t offset,
			   struct folio *folio)
{
	enum zcache_count why;

	/* What waits to be freed is as much as was forgotten since. */
	if (!llist_empty(&anon_dead))
		anon_bury(NULL);
	why = anon_swap_refuses(folio);
	if (why == NR_ZCACHE_COUNTS)
		return tmem_swap_store(anon_client, anon_pools[type], offset,
				       folio);
	tmem_swap_invalidate(anon_client, anon_pools[type], offset,
			     folio_nr_pages(folio));
	zcache_add(&zcache_anon, why, folio_nr_pages(folio));
	return -ENOSPC;
}

static int anon_swap_load(unsigned int type, pgoff_t offset,
			  struct folio *folio, bool exclusive)
{
	return tmem_swap_load(anon_client, anon_pools[type], offset, folio,
			      exclusive);
}

static void anon_swap_invalidate(unsigned int type, pgoff_t offset,
				 unsigned int nr)
{
	tmem_swap_invalidate(anon_client, anon_pools[type], offset, nr);
}

static void anon_swap_invalidate_area(unsigned int type)
{
	tmem_folio_destroy_pool(anon_client, anon_pools[type]);
	anon_pools[type] = -1;
}

static const struct frontswap_ops anon_swap_ops = {
	.name = "zcache",
	.flags = FRONTSWAP_EXCLUSIVE,
	.init = anon_swap_init,
	.store = anon_swap_store,
	.load = anon_swap_load,
	.invalidate = anon_swap_invalidate,
	.invalidate_area = anon_swap_invalidate_area,
};

/**
 * zcache_anon_init - make an empty store for pages of swap
 *
 * Context: May sleep.
 * Return: 0 or -ENOMEM.
 */
int zcache_anon_init(void)
{
	int err = -ENOMEM;

	memset(anon_pools, -1, sizeof(anon_pools));
	anon_cache = KMEM_CACHE(anon_page, SLAB_RECLAIM_ACCOUNT);
	if (!anon_cache)
		return err;
	anon_zs = zs_create_pool("zcache");
	if (!anon_zs)
		goto destroy_cache;
	err = anon_room_init();
	if (err)
		goto destroy_zs;
	err = tmem_folio_engine_create(&anon_payload_ops, MAX_SWAPFILES,
				       &anon_engine, &anon_client);
	if (!err)
		return 0;
	anon_room_stop();
	anon_room_exit();
destroy_zs:
	zs_destroy_pool(anon_zs);
destroy_cache:
	kmem_cache_destroy(anon_cache);
	return err;
}

/**
 * zcache_anon_start - serve swap areas
 *
 * Context: May sleep.
 * Return: 0; -EBUSY if there is another backend.
 */
int zcache_anon_start(void)
{
	return frontswap_register_ops(&anon_swap_ops);
}

/**
 * zcache_anon_stop - give all pages back, and serve no swap areas any more
 *
 * Context: May sleep.
 */
void zcache_anon_stop(void)
{
	frontswap_unregister_ops(&anon_swap_ops);
}

/**
 * zcache_anon_exit - free the store, which serves nobody
 *
 * Context: May sleep.
 */
void zcache_anon_exit(void)
{
	anon_room_stop();
	tmem_folio_engine_destroy(anon_engine, anon_client);
	flush_work(&anon_bury_work);
	anon_bury(NULL);
	anon_room_exit();
	zs_destroy_pool(anon_zs);
	kmem_cache_destroy(anon_cache);
}

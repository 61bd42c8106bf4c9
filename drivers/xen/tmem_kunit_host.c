// SPDX-License-Identifier: GPL-2.0-only
/*
 * A hypervisor for the unit tests of the tmem driver
 *
 * It answers as Xen 4.12 is described to, or as one with the extensions; and on
 * request it answers something else.
 */
#include <kunit/static_stub.h>

#include <linux/highmem.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include <xen/page.h>

#include "tmem_kunit.h"

struct host_page {
	struct list_head list;
	int		pool;
	u64		oid[3];
	u32		index;
	void		*data;
};

static struct host_page *host_find(struct host *host, int pool, const u64 *oid,
				   u32 index)
{
	struct host_page *page;

	list_for_each_entry(page, &host->pages, list)
		if (page->pool == pool && page->index == index &&
		    !memcmp(page->oid, oid, sizeof(page->oid)))
			return page;
	return NULL;
}

static void host_drop(struct host *host, struct host_page *page)
{
	if (!page)
		return;
	host->pool[page->pool].nr_pages--;
	host->nr_pages--;
	list_del(&page->list);
	kfree(page->data);
	kfree(page);
}

/* Drop the pages of a pool, or of an object in it. */
static void host_drop_all(struct host *host, int pool, const u64 *oid)
{
	struct host_page *page, *next;

	list_for_each_entry_safe(page, next, &host->pages, list)
		if (page->pool == pool &&
		    (!oid || !memcmp(page->oid, oid, sizeof(page->oid))))
			host_drop(host, page);
}

static int host_put(struct host *host, int pool, const u64 *oid, u32 index,
		    struct page *source)
{
	struct host_page *page = host_find(host, pool, oid, index);

	if (page && host->no_duplicates) {
		host_drop(host, page);
		return -ENOSPC;
	}
	if (page)
		goto copy;
	if (host->frozen)
		return -TMEM_EFROZEN;
	if (host->nr_pages >= host->capacity)
		return -ENOMEM;
	page = kzalloc(sizeof(*page), GFP_ATOMIC);
	if (page)
		page->data = kmalloc(PAGE_SIZE, GFP_ATOMIC);
	if (!page || !page->data) {
		kfree(page);
		return -ENOMEM;
	}
	page->pool = pool;
	memcpy(page->oid, oid, sizeof(page->oid));
	page->index = index;
	list_add(&page->list, &host->pages);
	host->pool[pool].nr_pages++;
	host->nr_pages++;
copy:
	memcpy_from_page(page->data, source, 0, PAGE_SIZE);
	return 1;
}

static int host_get(struct host *host, int pool, const u64 *oid, u32 index,
		    struct page *target)
{
	struct host_page *page = host_find(host, pool, oid, index);

	if (!host->pool[pool].nr_pages)
		return -TMEM_EEMPTY;
	if (!page)
		return 0;
	memcpy_to_page(target, 0, page->data, PAGE_SIZE);
	if (!host->pool[pool].persist && !host->pool[pool].shared)
		host_drop(host, page);
	return 1;
}

/* Who shares this pool already has forgotten that, and perhaps to flush. */
static void host_unshare(struct host *host, const u64 *uuid)
{
	struct host_pool *pool = host->pool;

	for (; pool < host->pool + TMEM_MAX_POOLS; pool++)
		if (pool->used && pool->shared &&
		    !memcmp(pool->uuid, uuid, sizeof(pool->uuid))) {
			host_drop_all(host, pool - host->pool, NULL);
			pool->withdrawn = true;
		}
}

static int host_new_pool(struct host *host, u32 flags, const u64 *uuid)
{
	bool shared = flags & TMEM_POOL_SHARED;
	int pool;

	if (flags >> TMEM_POOL_VERSION_SHIFT != TMEM_SPEC_VERSION ||
	    (flags & 0xffffff & ~(TMEM_POOL_PERSIST | TMEM_POOL_SHARED)) ||
	    (shared && host->kind != HOST_BATCH))
		return -EPERM;
	if (shared)
		host_unshare(host, uuid);
	for (pool = 0; pool < TMEM_MAX_POOLS; pool++)
		if (!host->pool[pool].used)
			break;
	if (pool == TMEM_MAX_POOLS)
		return -EPERM;
	host->pool[pool] = (struct host_pool) {
		.used = true, .persist = flags & TMEM_POOL_PERSIST,
		.shared = shared && host->may_share,
		.uuid = { uuid[0], uuid[1] },
	};
	return pool;
}

static int host_destroy_pool(struct host *host, int pool)
{
	if (pool < 0 || pool >= TMEM_MAX_POOLS || !host->pool[pool].used)
		return 0;
	host_drop_all(host, pool, NULL);
	host->pool[pool].used = false;
	return 1;
}

/* Only for what has one: a PV guest finds no page for any other frame number. */
static struct page *host_frame(u64 gfn)
{
	return pfn_to_page(gfn_to_pfn(gfn));
}

static int host_page_op(struct host *host, unsigned int cmd, int pool,
			const u64 *oid, u32 index, u32 len, u64 gfn)
{
	if (pool < 0 || pool >= TMEM_MAX_POOLS || !host->pool[pool].used ||
	    host->pool[pool].withdrawn)
		return -ENODEV;
	switch (cmd) {
	case TMEM_PUT_PAGE:
		return host_put(host, pool, oid, index, host_frame(gfn));
	case TMEM_GET_PAGE:
		return host_get(host, pool, oid, index, host_frame(gfn));
	case TMEM_FLUSH_PAGE:
		host_drop(host, host_find(host, pool, oid, index));
		return host->frozen ? -TMEM_EFROZEN : 1;
	case TMEM_FLUSH_OBJECT:
		host_drop_all(host, pool, oid);
		return host->frozen ? -TMEM_EFROZEN : 1;
	case TMEM_FLUSH_RANGE:
		if (host->kind != HOST_BATCH)
			return -TMEM_ENOSYS;
		while (len--)
			host_drop(host, host_find(host, pool, oid, index++));
		return 1;
	}
	return -TMEM_ENOSYS;
}

/* Older ones are not trusted: whatever a put returns, a page may be left. */
static bool host_left_nothing(struct host *host, int ret)
{
	return host->kind == HOST_BATCH &&
	       (ret == -ENOMEM || ret == -ENOSPC || ret == -EFAULT ||
		ret == -ENODEV || ret == -TMEM_EFROZEN);
}

/* Return: true if this operation is to fail, and has its answer. */
static bool host_fails(struct host *host, unsigned int cmd, int pool,
		       const u64 *oid, u32 index, int *ret)
{
	if (cmd != host->cmd || !host->times)
		return false;
	if (host->skip) {
		host->skip--;
		return false;
	}
	host->times--;
	*ret = host->ret;
	if (cmd == TMEM_PUT_PAGE && host_left_nothing(host, *ret))
		host_drop(host, host_find(host, pool, oid, index));
	return true;
}

static int host_one_page(struct host *host, unsigned int cmd, int pool,
			 const u64 *oid, u32 index, u32 len, u64 gfn)
{
	int ret;

	if (host_fails(host, cmd, pool, oid, index, &ret))
		return ret;
	return host_page_op(host, cmd, pool, oid, index, len, gfn);
}

static int host_batch(struct host *host, struct tmem_op *op)
{
	struct tmem_batch_entry *entry = (void *)(unsigned long)op->u.batch.entries;
	unsigned int i;

	if (op->u.batch.nr > TMEM_BATCH_MAX)
		return -E2BIG;
	for (i = 0; i < op->u.batch.nr; i++, entry++) {
		if (host->batch_fault == i + 1)
			return -EFAULT;
		entry->status = host_one_page(host, entry->cmd, entry->pool_id,
					      entry->oid, entry->index, 1,
					      entry->gmfn);
	}
	return 0;
}

static int host_op(struct host *host, struct tmem_op *op)
{
	int ret;

	if (host->absent)
		return host->absent;
	switch (op->cmd) {
	case TMEM_NEW_POOL:
	case TMEM_DESTROY_POOL:
		if (host_fails(host, op->cmd, 0, NULL, 0, &ret))
			return ret;
		if (op->cmd == TMEM_NEW_POOL)
			return host_new_pool(host, op->u.new.flags,
					     op->u.new.uuid);
		return host_destroy_pool(host, op->pool_id);
	case TMEM_FEATURES:
		if (host->kind == HOST_BATCH)
			return TMEM_FEATURE_BATCH;
		break;
	case TMEM_BATCH:
		if (host->kind == HOST_BATCH)
			return host_batch(host, op);
		break;
	}
	return host_one_page(host, op->cmd, op->pool_id, op->u.gen.oid,
			     op->u.gen.index, op->u.gen.len, op->u.gen.gmfn);
}

/* Instead of those that the driver makes */

static int host_hypercall(struct tmem_op *op)
{
	struct host *host = kunit_get_current_test()->priv;

	host->nr_calls++;
	return host_op(host, op);
}

static int host_multicall(struct multicall_entry *calls, unsigned int nr)
{
	struct host *host = kunit_get_current_test()->priv;

	host->nr_calls++;
	for (; nr--; calls++)
		calls->result = host_op(host, (void *)calls->args[0]);
	return 0;
}

static void host_retry_later(void)
{
	struct host *host = kunit_get_current_test()->priv;

	host->nr_retries++;
}

/* For tests of each kind */
const enum host_kind host_kinds[NR_HOST_KINDS] = {
	HOST_SINGLE, HOST_MULTICALL, HOST_BATCH,
};

void host_name(const enum host_kind *kind, char *desc)
{
	static const char *const names[NR_HOST_KINDS] = {
		[HOST_SINGLE] = "single", [HOST_MULTICALL] = "multicall",
		[HOST_BATCH] = "batch",
	};

	strscpy(desc, names[*kind], KUNIT_PARAM_DESC_SIZE);
}

/* Be another hypervisor, without pools, and let the driver find out. */
void host_be(struct kunit *test, enum host_kind kind)
{
	struct host *host = test->priv;

	host_forget_all(host);
	host->kind = kind;
	KUNIT_ASSERT_EQ(test, xen_tmem_probe(), 0);
	xen_tmem_multicalls = kind == HOST_MULTICALL;
}

int host_init(struct kunit *test)
{
	struct host *host;

	if (xen_tmem_serving)
		kunit_skip(test, "the driver is in use");
	host = kunit_kzalloc(test, sizeof(*host), GFP_KERNEL);
	if (!host)
		return -ENOMEM;
	INIT_LIST_HEAD(&host->pages);
	host->capacity = UINT_MAX;
	host->kind = HOST_BATCH;
	test->priv = host;
	kunit_activate_static_stub(test, xen_tmem_hypercall, host_hypercall);
	kunit_activate_static_stub(test, xen_tmem_multicall, host_multicall);
	kunit_activate_static_stub(test, xen_tmem_retry_later,
				   host_retry_later);
	return xen_tmem_batch_init();
}

void host_exit(struct kunit *test)
{
	struct host *host = test->priv;

	if (!host)
		return;
	host_forget_all(host);
	xen_tmem_batch_exit();
}

/* All pools are gone, as after a migration. */
void host_forget_all(struct host *host)
{
	int pool;

	for (pool = 0; pool < TMEM_MAX_POOLS; pool++)
		host_destroy_pool(host, pool);
}

/* Return: How many of these pages are held. */
unsigned int host_holds(struct host *host, int pool, struct tmem_oid oid,
			u32 index, unsigned int nr)
{
	unsigned int held = 0;

	while (nr--)
		held += !!host_find(host, pool, oid.id, index++);
	return held;
}

/* Let a sub-op fail: @times, after @skip that do not. */
void host_fail(struct host *host, unsigned int cmd, int ret, unsigned int skip,
	       unsigned int times)
{
	host->cmd = cmd;
	host->ret = ret;
	host->skip = skip;
	host->times = times;
}

/* Contents: each word says whose page it is. */

static u64 test_word(u32 tag, unsigned int page)
{
	return (u64)tag << 32 | page;
}

void test_fill(struct folio *folio, u32 tag)
{
	unsigned int i;

	for (i = 0; i < folio_nr_pages(folio); i++)
		memset64(page_address(folio_page(folio, i)), test_word(tag, i),
			 PAGE_SIZE / sizeof(u64));
}

unsigned int test_wrong_pages(struct folio *folio, u32 tag)
{
	unsigned int i, word, wrong = 0;

	for (i = 0; i < folio_nr_pages(folio); i++) {
		u64 *data = page_address(folio_page(folio, i));

		for (word = 0; word < PAGE_SIZE / sizeof(u64); word++)
			if (data[word] != test_word(tag, i))
				break;
		wrong += word != PAGE_SIZE / sizeof(u64);
	}
	return wrong;
}

static void test_folio_put(void *folio)
{
	folio_put(folio);
}

struct folio *test_folio(struct kunit *test, unsigned int order, u32 tag)
{
	struct folio *folio = folio_alloc(GFP_KERNEL | __GFP_ZERO, order);

	KUNIT_ASSERT_NOT_NULL(test, folio);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, test_folio_put, folio));
	folio->index = 0;
	test_fill(folio, tag);
	return folio;
}

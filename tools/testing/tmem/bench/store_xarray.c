// SPDX-License-Identifier: GPL-2.0-only
/*
 * The benchmark's store that is the kernel's XArray, with its lock.
 */
#include <linux/list.h>
#include <linux/xarray.h>
#include <stdlib.h>
#include "radix-tree.h"
#include "index.h"

struct kmem_cache *radix_tree_node_cachep;

/* As from the kernel's cache, in which nodes are empty */
void *kmem_cache_alloc_lru(struct kmem_cache *cache, struct list_lru *lru, int gfp)
{
	struct xa_node *node = calloc(1, sizeof(*node));

	if (node)
		INIT_LIST_HEAD(&node->private_list);
	return node;
}

void kmem_cache_free(struct kmem_cache *cache, void *memory)
{
	free(memory);
}

void radix_tree_node_rcu_free(struct rcu_head *head)
{
	free(container_of(head, struct xa_node, rcu_head));
}

static void xarray_begin(void)
{
}

static void *xarray_open(void)
{
	struct xarray *xarray = tmh_alloc_table(sizeof(*xarray));

	if (!xarray)
		bench_die("no xarray");
	xa_init(xarray);
	return xarray;
}

static bool xarray_insert(void *client, u64 key, unsigned long payload)
{
	return !xa_store(client, key, (void *)payload, GFP_KERNEL);
}

/* Locked, as otherwise nothing could be said of what it found. */
static unsigned long xarray_find(void *client, u64 key)
{
	struct xarray *xarray = client;
	void *payload;

	xa_lock(xarray);
	payload = xa_load(xarray, key);
	xa_unlock(xarray);
	return (unsigned long)payload;
}

static unsigned long xarray_take(void *client, u64 key)
{
	return (unsigned long)xa_erase(client, key);
}

static int xarray_put(void *client, const struct tmem_handle *handle,
		      const void *page)
{
	return index_put(client, handle, page, xarray_insert);
}

static int xarray_get(void *client, const struct tmem_handle *handle, void *page)
{
	return index_get(client, handle, page, xarray_find, xarray_take);
}

static int xarray_flush(void *client, const struct tmem_handle *handle)
{
	return index_flush(client, handle, xarray_take);
}

const struct bench_store bench_xarray = {
	.name = "xarray",
	.begin = xarray_begin,
	.open = xarray_open,
	.put = xarray_put,
	.get = xarray_get,
	.flush = xarray_flush,
};

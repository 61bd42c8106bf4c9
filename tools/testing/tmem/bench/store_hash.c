// SPDX-License-Identifier: GPL-2.0-only
/*
 * The benchmark's store that is a hash table with a lock: GLib's, because that is the
 * one most programs have at hand, and it allocates nothing for an entry.
 */
#include <glib.h>
#include "index.h"

struct hash {
	struct tmh_lock lock;
	void	*table;
};

static void hash_begin(void)
{
}

static void *hash_open(void)
{
	struct hash *hash = tmh_alloc_table(sizeof(*hash));

	if (!hash)
		bench_die("no hash table");
	hash->table = g_hash_table_new(g_direct_hash, g_direct_equal);
	return hash;
}

static bool hash_insert(void *client, u64 key, unsigned long payload)
{
	struct hash *hash = client;
	unsigned long flags = tmh_lock(&hash->lock);
	bool new = g_hash_table_insert(hash->table, (void *)key,
				       (void *)payload);

	tmh_unlock(&hash->lock, flags);
	return new;
}

static unsigned long hash_find(void *client, u64 key)
{
	struct hash *hash = client;
	unsigned long flags = tmh_lock(&hash->lock);
	void *payload = g_hash_table_lookup(hash->table, (void *)key);

	tmh_unlock(&hash->lock, flags);
	return (unsigned long)payload;
}

static unsigned long hash_take(void *client, u64 key)
{
	struct hash *hash = client;
	unsigned long flags = tmh_lock(&hash->lock);
	void *payload = NULL;

	g_hash_table_steal_extended(hash->table, (void *)key, NULL, &payload);
	tmh_unlock(&hash->lock, flags);
	return (unsigned long)payload;
}

static int hash_put(void *client, const struct tmem_handle *handle,
		    const void *page)
{
	return index_put(client, handle, page, hash_insert);
}

static int hash_get(void *client, const struct tmem_handle *handle, void *page)
{
	return index_get(client, handle, page, hash_find, hash_take);
}

static int hash_flush(void *client, const struct tmem_handle *handle)
{
	return index_flush(client, handle, hash_take);
}

const struct bench_store bench_hash = {
	.name = "hash",
	.begin = hash_begin,
	.open = hash_open,
	.put = hash_put,
	.get = hash_get,
	.flush = hash_flush,
};

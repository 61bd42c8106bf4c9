/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tmem engine: pools of objects of pages, in memory that others lend.
 *
 * One source for every host: a hypervisor, the Linux kernel, a program. It
 * includes one header of its host, tmem_host.h; what has to be in it shows the
 * shortest one, tools/testing/tmem/user/tmem_host.h.
 */
#ifndef _TMEM_ENGINE_H
#define _TMEM_ENGINE_H

#include "tmem_host.h"

struct tmem_client;
struct tmem_engine;

/*
 * Flags of a pool, as guests have always given them: two bits of kind, the page
 * size as a power of two of 4096 bytes, and the version of the interface.
 */
#define TMEM_FLAG_PERSISTENT	0x00000001u
#define TMEM_FLAG_SHARED	0x00000002u
#define TMEM_FLAG_ORDER_SHIFT	4
#define TMEM_FLAG_ORDER_MASK	0x000000f0u
#define TMEM_FLAG_VERSION_SHIFT	24
#define TMEM_FLAG_VERSION_MASK	0xff000000u

#define TMEM_VERSION		1

/* The smallest pages, of order 0 */
#define TMEM_PAGE_BYTES		4096ul

/* Pages that an operation works on before it asks whether it has to stop */
#define TMEM_CHUNK		64u

/**
 * struct tmem_handle - the name of a page
 * @pool: Id of a pool of the client.
 * @oid: The object in this pool; any 192 bits.
 * @index: The page in this object; any 64 bits.
 */
struct tmem_handle {
	u32	pool;
	u64	oid[3];
	u64	index;
};

/**
 * struct tmem_payload_ops - how the content of a page is kept
 * @store: Copy the page @source, of 4096 << @order bytes, to memory of the store.
 *	Sets @payload, to anything but 0. Returns 0; -EFAULT if the source cannot
 *	be read; -ENOMEM if there is no memory, the engine then evicts pages and
 *	asks again; another negative error code if the page is not wanted.
 * @overwrite: The same into @payload, which nobody else reads or writes. It must
 *	not need memory. Returns 0; -EOPNOTSUPP before anything has changed if
 *	that cannot be done with this payload; or -EFAULT.
 * @load: Copy @payload to the page @target. Several at a time may do that.
 *	Returns 0, or -EFAULT if the target cannot be written to.
 * @release: Forget @payload. Must do in every context in which pages are flushed.
 * @charge: Persistent pools of a client are going to take @bytes more, of pages and
 *	of what the engine needs for them, but not for the pools themselves: who may
 *	have no page now can have a pool. Returns true, or false if that is too much:
 *	then they do not, and nothing is evicted for it. Optional.
 * @uncharge: They take @bytes less. Called where @release is. Present if @charge is.
 * @may_share: May this client share pools of this uuid? Called under a lock, so that
 *	there is no moment between the answer and what follows: who has changed it and
 *	then calls tmem_unshare() misses nothing. Optional: nobody may.
 *
 * Called without any lock of the engine but for that. @host is that of struct tmem_config, @owner
 * what tmem_client_create() was given, pages are whatever the caller of the engine
 * gave.
 */
struct tmem_payload_ops {
	int (*store)(void *host, const void *source, unsigned int order,
		     unsigned long *payload);
	int (*overwrite)(void *host, const void *source, unsigned int order,
			 unsigned long payload);
	int (*load)(void *host, void *target, unsigned int order,
		    unsigned long payload);
	void (*release)(void *host, unsigned int order, unsigned long payload);
	bool (*charge)(void *owner, size_t bytes);
	void (*uncharge)(void *owner, size_t bytes);
	bool (*may_share)(void *owner, const u64 uuid[2]);
};

/**
 * struct tmem_config - what an engine is made of
 * @ops: How content is kept.
 * @host: Given to @ops.
 * @seed: Random; keeps clients from choosing objects that hash alike.
 * @orders: Bit n: pages of 4096 << n bytes are possible.
 * @bucket_bits: log2 of the buckets in the hash table of objects.
 * @stripe_bits: log2 of the locks; also of the lists of pages of each client, so
 *	that with 0 the order of eviction is exact. At most TMEM_MAX_STRIPE_BITS,
 *	and not more than @bucket_bits.
 * @max_clients: Clients at the same time.
 * @max_pools: Pools of a client at the same time.
 * @trusted: Nobody chooses objects that hash alike: a faster hash.
 */
struct tmem_config {
	const struct tmem_payload_ops *ops;
	void		*host;
	u64		seed[2];
	u32		orders;
	unsigned int	bucket_bits;
	unsigned int	stripe_bits;
	unsigned int	max_clients;
	unsigned int	max_pools;
	bool		trusted;
};

#define TMEM_MAX_STRIPE_BITS	10
#define TMEM_MAX_BUCKET_BITS	28

/**
 * struct tmem_limits - what a client may have
 * @persistent_pages: Pages in persistent pools.
 * @metadata_bytes: Memory of the engine itself.
 * @objects: Objects in all pools.
 * @weight: Share of the ephemeral memory, relative to other clients. Of a client
 *	with 0 pages are evicted first.
 */
struct tmem_limits {
	unsigned long	persistent_pages;
	unsigned long	metadata_bytes;
	unsigned long	objects;
	u32		weight;
};

#define TMEM_MAX_WEIGHT		65535
#define TMEM_UNLIMITED		(~0ul >> 1)

/**
 * struct tmem_stats - what happened in a pool, or in all of a client
 * @pages: Pages held now.
 * @objects: Objects now.
 * @puts: Puts that were taken.
 * @overwrites: Those of them that found an older page.
 * @refused: Puts that were not taken.
 * @hits: Gets that found a page.
 * @misses: Gets that did not.
 * @flushed: Pages that were flushed, alone, in a range or with their object.
 * @evicted: Pages that were evicted.
 */
struct tmem_stats {
	u64	pages;
	u64	objects;
	u64	puts;
	u64	overwrites;
	u64	refused;
	u64	hits;
	u64	misses;
	u64	flushed;
	u64	evicted;
};

/**
 * struct tmem_pool_info - what a pool is
 * @uuid: As given to tmem_new_pool().
 * @flags: The same; without TMEM_FLAG_SHARED if it is nobody else's.
 * @stats: What happened in it; if it is shared, since this client is charged for it or
 *	another is.
 */
struct tmem_pool_info {
	u64	uuid[2];
	u32	flags;
	struct tmem_stats stats;
};

/**
 * struct tmem_usage - what a client has
 * @persistent_pages: Pages in persistent pools.
 * @ephemeral_pages: Pages in ephemeral pools.
 * @metadata_bytes: Memory of the engine itself.
 * @objects: Objects in all pools.
 * @pools: Pools, those that are being destroyed included.
 */
struct tmem_usage {
	unsigned long	persistent_pages;
	unsigned long	ephemeral_pages;
	unsigned long	metadata_bytes;
	unsigned long	objects;
	unsigned long	pools;
};

/**
 * struct tmem_io - one page of a batch
 * @handle: Its name.
 * @page: Where it is or where it has to go, as in tmem_put() and tmem_get().
 * @status: Set by the engine: what the single operation would have returned.
 */
struct tmem_io {
	struct tmem_handle handle;
	void	*page;
	int	status;
};

/*
 * Of tmem_get(), in any kind of pool: remove the page, when it was copied; leave it
 * there; remove it before it is copied, which is faster, for who can always copy
 */
#define TMEM_GET_EXCLUSIVE	0x1u
#define TMEM_GET_KEEP		0x2u
#define TMEM_GET_REMOVE		0x4u

int tmem_engine_create(const struct tmem_config *config,
		       struct tmem_engine **result);
void tmem_engine_destroy(struct tmem_engine *engine);

int tmem_client_create(struct tmem_engine *engine,
		       const struct tmem_limits *limits, void *owner,
		       struct tmem_client **result);
int tmem_client_kill(struct tmem_client *client);
int tmem_client_destroy(struct tmem_client *client);
int tmem_client_set_limits(struct tmem_client *client,
			   const struct tmem_limits *limits);
void tmem_client_freeze(struct tmem_client *client, bool frozen);
void tmem_client_usage(struct tmem_client *client, struct tmem_usage *usage);
void tmem_client_stats(struct tmem_client *client, struct tmem_stats *stats);

int tmem_new_pool(struct tmem_client *client, const u64 uuid[2], u32 flags);
int tmem_destroy_pool(struct tmem_client *client, u32 pool);
int tmem_take_pool(struct tmem_client *client, u32 pool);
int tmem_unshare(struct tmem_client *client, const u64 uuid[2]);
int tmem_pool_stats(struct tmem_client *client, u32 pool,
		    struct tmem_stats *stats);
int tmem_pool_info(struct tmem_client *client, u32 pool,
		   struct tmem_pool_info *info);
bool tmem_pool_is_empty(struct tmem_client *client, u32 pool);

int tmem_put(struct tmem_client *client, const struct tmem_handle *handle,
	     const void *source);
int tmem_get(struct tmem_client *client, const struct tmem_handle *handle,
	     void *target, unsigned int flags);
int tmem_flush_page(struct tmem_client *client,
		    const struct tmem_handle *handle);
int tmem_flush_range(struct tmem_client *client,
		     const struct tmem_handle *first, u64 last);
int tmem_flush_object(struct tmem_client *client, u32 pool, const u64 oid[3]);

void tmem_put_batch(struct tmem_client *client, struct tmem_io *io,
		    unsigned int n);
void tmem_get_batch(struct tmem_client *client, struct tmem_io *io,
		    unsigned int n, unsigned int flags);
void tmem_flush_batch(struct tmem_client *client, struct tmem_io *io,
		      unsigned int n);

unsigned long tmem_evict(struct tmem_engine *engine, unsigned long pages);
unsigned long tmem_evict_client(struct tmem_client *client, unsigned long pages);
unsigned long tmem_evictable(struct tmem_engine *engine, unsigned long enough);

#endif /* _TMEM_ENGINE_H */

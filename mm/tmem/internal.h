/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the tmem engine share.
 *
 * A handle is hashed to a bucket, the bucket belongs to a stripe, and the lock of
 * the stripe guards everything that hangs on it: the objects of its buckets, their
 * pages, for each pool the list of these objects and their statistics, and for each
 * client the list of these pages in the order of eviction and their number. So an
 * operation on a page takes one lock, once or twice.
 *
 * Locks, in this order: engine, client, stripe; never two of a kind. Who works on
 * pages takes the lock of a stripe only, who evicts them only tries to. Under none
 * of them memory is allocated or freed, or content copied.
 *
 * That a copy is on its way is written down in a struct tmem_copy on the stack of
 * who copies, on a list of the stripe. Who removes such a page leaves the content
 * to the last of those who copy.
 */
#ifndef _TMEM_INTERNAL_H
#define _TMEM_INTERNAL_H

#include "engine.h"
#include "list.h"

#define TMEM_NODE_BITS		4
#define TMEM_NODE_SLOTS		16
#define TMEM_MAX_HEIGHT		(64 / TMEM_NODE_BITS)

/**
 * struct tmem_node - a node of the tree of an object's pages
 * @slot: In a leaf, pages (see struct tmem_object); in others, nodes; or 0.
 * @object: Whose it is.
 * @parent: The node above, or NULL.
 * @offset: Where in @parent.
 * @count: Slots that are not 0.
 */
struct tmem_node {
	unsigned long	slot[TMEM_NODE_SLOTS];
	struct tmem_object *object;
	struct tmem_node *parent;
	u8		offset;
	u8		count;
};

/**
 * struct tmem_object - the pages of one object of a pool
 * @next: In the bucket, unless @dead.
 * @siblings: In the pool's list of this stripe.
 * @pool: Whose it is.
 * @oid: Its id.
 * @index: With @height 0, that of the only page.
 * @single: With @height 0, the only page, or 0.
 * @root: Otherwise the tree.
 * @pages: How many there are.
 * @bucket: Number of its bucket.
 * @height: Levels of the tree.
 * @dead: Nobody finds it any more, it is being taken apart.
 *
 * A slot of a persistent page is its payload, that of an ephemeral page a pointer
 * to a struct tmem_page.
 */
struct tmem_object {
	struct tmem_object *next;
	struct tmem_list siblings;
	struct tmem_pool *pool;
	u64		oid[3];
	u64		index;
	union {
		unsigned long single;
		struct tmem_node *root;
	};
	unsigned long	pages;
	u32		bucket;
	u8		height;
	bool		dead;
};

/**
 * struct tmem_page - an ephemeral page
 * @lru: In the client's list of this stripe, the youngest first.
 * @payload: Its content.
 * @leaf: The node it is in.
 * @object: Or, with @offset TMEM_SINGLE, the object.
 * @stamp: The client's sequence number when it was put. Pages that were put at
 *	about the same time in different stripes may have the same.
 * @offset: Where in @leaf.
 */
struct tmem_page {
	struct tmem_list lru;
	unsigned long	payload;
	union {
		struct tmem_node *leaf;
		struct tmem_object *object;
	};
	u32		stamp;
	u8		offset;
};

#define TMEM_SINGLE	0xff

/*
 * Pages that are evicted at once when there is no memory, and by one operation
 * altogether: with its own page and the one that it replaces no more than it may
 * work on before it asks whether it has to stop.
 */
#define TMEM_EVICT_BATCH	16
#define TMEM_EVICT_MOST		(TMEM_CHUNK - 2)

/**
 * struct tmem_pool_stripe - what a pool has in one stripe
 * @objects: All of its objects, dead ones first.
 * @stats: What happened to them.
 */
struct tmem_pool_stripe {
	struct tmem_list objects;
	struct tmem_stats stats;
} __aligned(TMH_CACHE_LINE);

/**
 * struct tmem_pool - a pool
 * @client: Who is charged for its pages; whose it is, if it is not shared.
 * @key: Never used again by another; hashed with ids of objects.
 * @uuid: As given by who made it.
 * @flags: TMEM_FLAG_*
 * @order: Of its pages' size.
 * @closed: It is being emptied, and nobody finds anything in it.
 * @busy: Somebody empties it at this moment.
 * @users: Slots that have it, those of who is leaving included.
 * @members: The slots of who shares it, but for these; linked by @next.
 * @shared: In the engine's list of shared pools, as long as there are members.
 * @stripes: One for each.
 *
 * From @closed on it is about shared pools, and guarded by the engine's lock, as is
 * @client, which changes only while there is no page; see shared.c.
 */
struct tmem_pool {
	struct tmem_client *client;
	unsigned long	key;
	u64		uuid[2];
	u32		flags;
	unsigned int	order;
	bool		closed;
	bool		busy;
	unsigned int	users;
	struct tmem_pool_slot *members;
	struct tmem_list shared;
	struct tmem_pool_stripe stripes[];
};

/**
 * struct tmem_pool_slot - where a client has a pool
 * @key: As long as the pool can be used, that of the pool; of a shared one, another,
 *	each time that the client gets it. Else 0. Read without a lock, but what it said
 *	counts only if it still does under a stripe's lock.
 * @flags: The pool's. Read without a lock too, and true as long as @key is. Not 0
 *	until nobody finds the pool here any more, also while a shared one is closed.
 * @payer: Of a shared pool, its @client, a pointer: true as long as @key is.
 * @pool_key: The same of its @key.
 * @pool: The pool; used under a stripe's lock after a look at @key, or by who
 *	destroys it. He frees it when he has had the lock of each stripe.
 * @owner: The client.
 * @next: The next member of a shared pool.
 * @left: The key that a shared pool had when the client left it.
 * @member: The client has not left it. Guarded by the engine's lock, as are @next and
 *	@left.
 * @destroying: Somebody does. Guarded by the client's lock, as is the choice of a
 *	slot.
 * @withdrawn: Not free, although there is no pool: the client does not know.
 */
struct tmem_pool_slot {
	struct tmh_ulong	key;
	struct tmh_ulong	flags;
	struct tmh_ulong	payer;
	struct tmh_ulong	pool_key;
	struct tmem_pool *pool;
	struct tmem_client *owner;
	struct tmem_pool_slot *next;
	unsigned long	left;
	bool		member;
	bool		destroying;
	bool		withdrawn;
} __aligned(TMH_CACHE_LINE);

/**
 * struct tmem_client_stripe - what a client has in one stripe
 * @lru: Its ephemeral pages, the youngest first.
 * @puts: How many of them there have been.
 * @held: Pages; the second, persistent ones. May be read without the lock.
 * @ahead: Pages that are counted and not there, likewise; see count.c.
 *
 * Guarded by the stripe's lock.
 */
struct tmem_client_stripe {
	struct tmem_list lru;
	unsigned long	puts;
	struct tmh_ulong	held[2];
	unsigned int	ahead[2];
} __aligned(TMH_CACHE_LINE);

/**
 * struct tmem_client - who has pools
 * @engine: Its engine.
 * @owner: What the host calls it, for @charge and @uncharge.
 * @used: Between creation and destruction. Memory of a client is kept for the next,
 *	so that who evicts may look at it without a lock.
 * @dying: Nothing new is taken.
 * @frozen: Nothing new is taken, but what is there may be overwritten.
 * @weight: See struct tmem_limits.
 * @persistent_limit: The same, in pages.
 * @metadata_limit: The same, in bytes.
 * @object_limit: The same.
 * @pools: One slot for each id.
 * @stripes: One for each.
 * @oldest: For each stripe the stamp of the oldest of these pages, or 0. Written
 *	under the stripe's lock, read without.
 * @lock: Guards @pools, and whether they are used. It and what follows is written
 *	often, and has cache lines of its own.
 * @persistent: Pages now, and those that are counted ahead.
 * @ephemeral: The same.
 * @metadata: Bytes now, but for those of struct tmem_page.
 * @objects: Objects now.
 * @sequence: The last stamp.
 * @past: Statistics of pools that are gone.
 */
struct tmem_client {
	struct tmem_engine *engine;
	void		*owner;
	struct tmh_ulong	used;
	struct tmh_ulong	dying;
	struct tmh_ulong	frozen;
	struct tmh_ulong	weight;
	struct tmh_ulong	persistent_limit;
	struct tmh_ulong	metadata_limit;
	struct tmh_ulong	object_limit;
	struct tmem_pool_slot *pools;
	struct tmem_client_stripe *stripes;
	struct tmh_ulong	*oldest;
	struct tmh_lock	lock __aligned(TMH_CACHE_LINE);
	struct tmh_ulong	persistent;
	struct tmh_ulong	ephemeral;
	struct tmh_ulong	metadata;
	struct tmh_ulong	objects;
	struct tmh_ulong	sequence;
	struct tmem_stats past;
};

/**
 * struct tmem_stripe - a part of everything, with its lock
 * @lock: Guards what the top of this file says.
 * @changes: How often an object or a page came or went, and 1.
 * @copies: Copies on their way, of struct tmem_copy.
 * @orphans: Number of the last page that was removed while it was copied.
 */
struct tmem_stripe {
	struct tmh_lock	lock;
	u64		changes;
	struct tmem_list copies;
	u64		orphans;
} __aligned(TMH_CACHE_LINE);

/**
 * struct tmem_engine - an engine
 * @config: As given.
 * @stripes: 1 << config.stripe_bits of them.
 * @buckets: 1 << config.bucket_bits of them, lists of objects.
 * @lock: Guards the choice of a client's slot, @last_key, and who shares pools.
 * @clients: Those there have ever been; a slot that was set stays.
 * @nr_clients: How many there have ever been.
 * @last_key: Of pools.
 * @shared: Shared pools that have members.
 */
struct tmem_engine {
	struct tmem_config config;
	struct tmem_stripe *stripes;
	struct tmem_object **buckets;
	struct tmh_lock	lock;
	struct tmem_client **clients;
	struct tmh_ulong	nr_clients;
	unsigned long	last_key;
	struct tmem_list shared;
};

/**
 * struct tmem_op - an operation on an object or a page
 * @asker: Who wants it.
 * @client: Who is charged: the same, but for shared pools.
 * @engine: Their engine.
 * @oid: The object's id.
 * @index: Of the page.
 * @place: That of the pool.
 * @key: The pool's key.
 * @bucket: The object's bucket.
 * @nr_stripe: Number of its stripe.
 * @stripe: Its stripe.
 * @lock_flags: Of the lock, while it is held.
 * @pool: The pool, while the lock is held.
 * @order: Of its pages' size.
 * @persistent: Its kind.
 * @seen: What @stripe->changes was at the last look; what follows is true as long
 *	as it has not changed.
 * @object: The object, or NULL.
 * @leaf: The node in which the page is or would be, or NULL.
 * @slot: The page's slot, or NULL.
 * @nodes: Of a put: how many it needs to add the page, as far as it knows.
 * @evicted: Of a put: pages that it has evicted.
 */
struct tmem_op {
	struct tmem_client *asker;
	struct tmem_client *client;
	struct tmem_engine *engine;
	const u64	*oid;
	u64		index;
	struct tmem_pool_slot *place;
	unsigned long	key;
	u32		bucket;
	u32		nr_stripe;
	struct tmem_stripe *stripe;
	unsigned long	lock_flags;
	struct tmem_pool *pool;
	unsigned int	order;
	bool		persistent;
	u64		seen;
	struct tmem_object *object;
	struct tmem_node *leaf;
	unsigned long	*slot;
	unsigned int	nodes;
	unsigned int	evicted;
};

/**
 * struct tmem_trash - what was removed under a lock, to be freed without
 * @nodes: Linked by slot[0].
 * @pages: Linked by lru.next.
 * @objects: Linked by next.
 * @payloads: Room for @room payloads.
 * @room: How many fit in.
 * @nr: How many there are.
 * @order: Of their pages' size: they are of one pool.
 * @persistent: Its kind.
 */
struct tmem_trash {
	struct tmem_node *nodes;
	struct tmem_page *pages;
	struct tmem_object *objects;
	unsigned long	*payloads;
	unsigned int	room;
	unsigned int	nr;
	unsigned int	order;
	bool		persistent;
};

/**
 * struct tmem_reserve - what an insertion may need, allocated before the lock
 * @object: For the first page of an object.
 * @page: For an ephemeral page.
 * @nodes: For the tree, linked by slot[0].
 * @nr_nodes: How many.
 */
struct tmem_reserve {
	struct tmem_object *object;
	struct tmem_page *page;
	struct tmem_node *nodes;
	unsigned int	nr_nodes;
};

static inline bool tmem_is_persistent(const struct tmem_pool *pool)
{
	return pool->flags & TMEM_FLAG_PERSISTENT;
}

static inline bool tmem_is_shared(const struct tmem_pool *pool)
{
	return pool->flags & TMEM_FLAG_SHARED;
}

static inline struct tmem_stats *tmem_op_stats(struct tmem_op *op)
{
	return &op->pool->stripes[op->nr_stripe].stats;
}

static inline u32 tmem_nr_stripes(const struct tmem_engine *engine)
{
	return 1u << engine->config.stripe_bits;
}

static inline u32 tmem_stripe_of(const struct tmem_engine *engine, u32 bucket)
{
	return bucket & (tmem_nr_stripes(engine) - 1);
}

/**
 * tmem_page_payload - the content of a page
 * @pool: Its pool.
 * @slot: What is in its slot.
 *
 * Context: The stripe's lock is held.
 * Return: the payload.
 */
static inline unsigned long tmem_page_payload(const struct tmem_pool *pool,
					      unsigned long slot)
{
	return tmem_is_persistent(pool) ? slot :
		((struct tmem_page *)slot)->payload;
}

/**
 * tmem_pool_slot - where a client has a pool
 * @client: The client.
 * @pool: Id of a pool; anything.
 *
 * Context: Any.
 * Return: the slot, which may be empty, or NULL if there is none of this id.
 */
static inline struct tmem_pool_slot *tmem_pool_slot(struct tmem_client *client,
						    u32 pool)
{
	u32 max = client->engine->config.max_pools;

	return pool < max ? &client->pools[tmh_index_nospec(pool, max)] : NULL;
}

/**
 * tmem_op_lock - lock the stripe of an operation
 * @op: The operation. Sets @op->pool and what is below it if the pool is still
 *	there.
 *
 * Context: Any. Takes the stripe's lock, always.
 * Return: true if the pool is still there.
 */
static inline bool tmem_op_lock(struct tmem_op *op)
{
	op->lock_flags = tmh_lock(&op->stripe->lock);
	op->pool = NULL;
	if (tmh_read(&op->place->key) != op->key)
		return false;
	op->pool = op->place->pool;
	return true;
}

/**
 * tmem_op_unlock - unlock it again
 * @op: The operation.
 *
 * Context: Any.
 */
static inline void tmem_op_unlock(struct tmem_op *op)
{
	tmh_unlock(&op->stripe->lock, op->lock_flags);
}

/* count.c */
bool tmem_count_full(struct tmem_client *client, u32 stripe);
bool tmem_count_more(struct tmem_client *client, u32 stripe, bool persistent);
void tmem_count_sub(struct tmem_client *client, u32 stripe, bool persistent);
void tmem_count_settle(struct tmem_client *client);
unsigned long tmem_count_pages(struct tmem_client *client, bool persistent);

/**
 * tmem_count_held - more pages are there
 * @part: Of a client in a stripe.
 * @persistent: Their kind.
 * @n: How many; may be negative.
 *
 * Context: The stripe's lock is held.
 */
static inline void tmem_count_held(struct tmem_client_stripe *part,
				   bool persistent, long n)
{
	struct tmh_ulong *held = &part->held[persistent];

	tmh_set(held, tmh_read(held) + n);
}

/**
 * tmem_count_add - count a page that is going to be added
 * @client: Whose it will be.
 * @stripe: Where.
 * @persistent: Its kind.
 *
 * Context: The stripe's lock is held.
 * Return: true; false if it is persistent and would be above the client's limit.
 */
static inline bool tmem_count_add(struct tmem_client *client, u32 stripe,
				  bool persistent)
{
	struct tmem_client_stripe *part = &client->stripes[stripe];

	if (part->ahead[persistent])
		part->ahead[persistent]--;
	else if (!tmem_count_more(client, stripe, persistent))
		return false;
	tmem_count_held(part, persistent, 1);
	return true;
}

/* shared.c */
int tmem_op_missing(struct tmem_op *op);

/* client.c */
void tmem_pass_stripes(struct tmem_engine *engine);

/* memory.c */
bool tmem_charge(struct tmh_ulong *used, struct tmh_ulong *limit, unsigned long n);
bool tmem_owner_charge(struct tmem_client *client, size_t bytes);
void tmem_owner_uncharge(struct tmem_client *client, size_t bytes);
bool tmem_evict_for(struct tmem_client *client, unsigned int *evicted, bool own);
void *tmem_obtain(struct tmem_op *op, size_t size);
void *tmem_obtain_table(struct tmem_client *client, size_t size);
struct tmem_page *tmem_obtain_page(struct tmem_op *op, bool evict);
void tmem_free(struct tmem_client *client, void *memory, size_t size,
	       bool persistent);
void tmem_free_table(struct tmem_client *client, void *memory, size_t size);
void tmem_payload_release(struct tmem_client *client, bool persistent,
			  unsigned int order, unsigned long payload);
void tmem_trash_empty(struct tmem_client *client, struct tmem_trash *trash);
void tmem_reserve_empty(struct tmem_client *client,
			struct tmem_reserve *reserve, bool persistent);

/* Nearly always there is nothing, at the end of a put or get. */
static inline void tmem_trash_free(struct tmem_client *client,
				   struct tmem_trash *trash)
{
	if (trash->nr || trash->pages || trash->nodes || trash->objects)
		tmem_trash_empty(client, trash);
}

static inline void tmem_reserve_free(struct tmem_client *client,
				     struct tmem_reserve *reserve,
				     bool persistent)
{
	if (reserve->object || reserve->page || reserve->nodes)
		tmem_reserve_empty(client, reserve, persistent);
}

/* hash.c */
u64 tmem_hash(const u64 seed[2], u64 key, const u64 oid[3]);

/**
 * tmem_hash_trusted - hash the name of an object that nobody has chosen
 * @key: The pool's.
 * @oid: The object's id.
 *
 * Fibonacci hashing: D. E. Knuth, The Art of Computer Programming 3, 6.4.
 *
 * Context: Any.
 * Return: 32 bits.
 */
static inline u64 tmem_hash_trusted(u64 key, const u64 oid[3])
{
	const u64 golden = 0x9e3779b97f4a7c15ull;
	u64 word = key;

	word = word * golden + oid[0];
	word = word * golden + oid[1];
	word = word * golden + oid[2];
	return word * golden >> 32;
}

/* tree.c */
unsigned long *tmem_tree_find(struct tmem_object *object, u64 index,
			      struct tmem_node **leaf);
bool tmem_tree_next(struct tmem_object *object, u64 *index);
unsigned int tmem_tree_needs(struct tmem_object *object, u64 index);
unsigned long *tmem_tree_insert(struct tmem_object *object, u64 index,
				struct tmem_node **leaf,
				struct tmem_reserve *reserve);
void tmem_tree_remove(struct tmem_object *object, unsigned long *slot,
		      struct tmem_node *leaf, struct tmem_trash *trash);

/* object.c */
int tmem_op_init(struct tmem_op *op, struct tmem_client *client, u32 pool,
		 const u64 oid[3], u64 index);
void tmem_op_look(struct tmem_op *op);

/**
 * tmem_op_find - look the page of an operation up, unless that is known still
 * @op: The operation, with its pool.
 *
 * Context: The stripe's lock is held.
 * Return: its slot, or NULL if there is none.
 */
static inline unsigned long *tmem_op_find(struct tmem_op *op)
{
	if (op->seen != op->stripe->changes)
		tmem_op_look(op);
	return op->slot;
}

void tmem_object_add(struct tmem_op *op, struct tmem_object *object);
void tmem_object_kill(struct tmem_object *object);
void tmem_object_drop(struct tmem_object *object, struct tmem_trash *trash);
void tmem_object_reap(struct tmem_object *object, struct tmem_trash *trash);

/* page.c */
void tmem_page_add(struct tmem_op *op, unsigned long payload,
		   struct tmem_reserve *reserve);
void tmem_page_replace(struct tmem_op *op, unsigned long payload,
		       struct tmem_trash *trash);
void tmem_page_remove(struct tmem_object *object, u64 index,
		      unsigned long *slot, struct tmem_node *leaf,
		      struct tmem_trash *trash);
void tmem_page_renew(struct tmem_op *op, unsigned long slot);

#endif /* _TMEM_INTERNAL_H */

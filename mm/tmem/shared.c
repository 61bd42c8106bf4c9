// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shared pools: clients that give the same uuid have the same pool, if the host lets
 * them. It is for cluster filesystems: what one has read, the others need not.
 *
 * Each member has a slot of its own that points to the pool. One of the members, the
 * first, is the pool's client: it is charged for all pages, they are in its lists and
 * come under its limits. What an operation asks of who wants it, whether that is frozen
 * or dying, it asks of the member; for the rest it looks at the slot's payer.
 *
 * Who leaves of its own accord has flushed what may become wrong. Who is thrown out, or
 * dies, has not: it may have written to the disk what is older in the pool, and others
 * will read that when they have recovered its journal. So the pool is emptied then;
 * and when the payer leaves, as nobody else is charged for these pages.
 *
 * To empty a pool the keys of all its members are cleared, all under the engine's
 * lock; the pool is closed. Who finds no key has to take that lock before he says that
 * there is nothing: otherwise a member could be told that a page is flushed that
 * another one finds yet. From then on it is as with a pool that is destroyed: nobody
 * can add a page, and who has had the lock of each stripe has seen the last of them.
 * Then there are new keys, and perhaps another payer, for all who are members still.
 * Meanwhile gets miss, puts are refused, and there is nothing to flush.
 *
 * What members can do to each other: they can make a pool useless, with wrong pages too,
 * as they can with the disk. They cannot reach further:
 *  - A name leads to pages of the pool only; the pool is hashed with it.
 *  - A member that does not go on emptying, as its processor was stopped, keeps nobody
 *    waiting: whoever needs the pool next goes on, and so does who leaves. What there is
 *    to do gets less only, as a closed pool takes nothing. Who leaves waits for the key to
 *    change, not for the pool to be open: that others close it again is not his concern.
 *  - The pool goes with the last one who leaves or is thrown out, whatever he does.
 *  - Pages, objects and metadata come under the payer's limits, whoever puts them. So
 *    no more of other clients' pages goes than if the payer had put all of it. What it
 *    costs the payer are other ephemeral pages of its own, no more than its share, and
 *    not after it has left.
 */
#include "pool.h"

/* The pool that others share already, or NULL. The engine's lock is held. */
static struct tmem_pool *tmem_shared_find(struct tmem_engine *engine,
					  const struct tmem_pool *wanted)
{
	struct tmem_list *list = engine->shared.next;

	for (; list != &engine->shared; list = list->next) {
		struct tmem_pool *pool = tmem_list_entry(list, struct tmem_pool,
							 shared);

		if (pool->flags == wanted->flags &&
		    pool->uuid[0] == wanted->uuid[0] &&
		    pool->uuid[1] == wanted->uuid[1])
			return pool;
	}
	return NULL;
}

/*
 * From now on this member finds what is in the pool. It may have done so before, and
 * have operations that know one thing from then and another from now: so its key is a
 * new one. The engine's lock is held.
 */
static void tmem_shared_let(struct tmem_pool_slot *slot, struct tmem_pool *pool)
{
	tmh_set_release(&slot->payer, (unsigned long)pool->client);
	tmh_set_release(&slot->pool_key, pool->key);
	tmh_set_release(&slot->key, tmem_take_key(slot->owner->engine));
}

/* Returns the id, or -ENOSPC. The engine's lock is held. */
static int tmem_shared_add(struct tmem_client *client, struct tmem_pool *pool)
{
	int id = tmem_pool_publish(client, pool);
	struct tmem_pool_slot *slot;

	if (id < 0)
		return id;
	slot = &client->pools[id];
	slot->member = true;
	slot->next = NULL;
	if (pool->members) {
		/* The next to pay is who has been there for longest. */
		struct tmem_pool_slot *last = pool->members;

		while (last->next)
			last = last->next;
		last->next = slot;
	} else {
		pool->members = slot;
		tmem_list_add(&client->engine->shared, &pool->shared);
	}
	pool->users++;
	if (!pool->closed)
		tmem_shared_let(slot, pool);
	return id;
}

static bool tmem_may_share(struct tmem_client *client, const u64 uuid[2])
{
	const struct tmem_payload_ops *ops = client->engine->config.ops;

	return ops->may_share && ops->may_share(client->owner, uuid);
}

/**
 * tmem_shared_join - have a pool together with others
 * @client: Who wants it.
 * @pool: What it has if there is none yet, or if it may not share it.
 *
 * Nobody is charged for what a shared pool itself takes: it is the same for each, and a
 * client has few.
 *
 * Context: No lock of the engine. May do what the host's allocator does.
 * Return: as tmem_new_pool().
 */
int tmem_shared_join(struct tmem_client *client, struct tmem_pool *pool)
{
	struct tmem_engine *engine = client->engine;
	size_t size = tmem_pool_size(engine);
	unsigned long flags = tmh_lock(&engine->lock);
	struct tmem_pool *other = NULL;
	int id;

	if (tmem_may_share(client, pool->uuid)) {
		other = tmem_shared_find(engine, pool);
		id = tmem_shared_add(client, other ? other : pool);
	} else {
		pool->flags &= ~TMEM_FLAG_SHARED;
		id = tmem_pool_publish(client, pool);
	}
	tmh_unlock(&engine->lock, flags);
	if (other || id < 0)
		tmem_free_table(client, pool, size);
	else if (tmem_is_shared(pool))
		tmh_add_return(&client->metadata, -size);
	return id;
}

/* Nobody finds anything in it any more. The engine's lock is held. */
static void tmem_shared_close(struct tmem_pool *pool)
{
	struct tmem_pool_slot *slot;

	for (slot = pool->members; slot; slot = slot->next)
		tmh_set_release(&slot->key, 0);
	pool->closed = true;
}

/* Is the payer a member still? The engine's lock is held. */
static bool tmem_shared_is_paid(const struct tmem_pool *pool)
{
	const struct tmem_pool_slot *slot = pool->members;

	while (slot && slot->owner != pool->client)
		slot = slot->next;
	return slot;
}

/* What happened until now is the last payer's. The engine's lock is held. */
static void tmem_shared_settle(struct tmem_engine *engine, struct tmem_pool *pool)
{
	struct tmem_client *payer = pool->client;
	unsigned long flags = tmh_lock(&payer->lock);
	u32 i;

	tmem_pool_sum(engine, pool, &payer->past);
	for (i = 0; i < tmem_nr_stripes(engine); i++) {
		unsigned long stripe = tmh_lock(&engine->stripes[i].lock);

		pool->stripes[i].stats = (struct tmem_stats){};
		tmh_unlock(&engine->stripes[i].lock, stripe);
	}
	if (pool->members)
		pool->client = pool->members->owner;
	tmh_unlock(&payer->lock, flags);
}

/* It is empty. The engine's lock is held. */
static void tmem_shared_open(struct tmem_engine *engine, struct tmem_pool *pool)
{
	struct tmem_pool_slot *slot;

	if (!tmem_shared_is_paid(pool))
		tmem_shared_settle(engine, pool);
	pool->key = tmem_take_key(engine);
	pool->closed = false;
	for (slot = pool->members; slot; slot = slot->next)
		tmem_shared_let(slot, pool);
}

/* Is it this one's turn to empty the pool? The engine's lock is held. */
static bool tmem_shared_begin(struct tmem_pool *pool)
{
	if (!pool->closed || pool->busy)
		return false;
	pool->busy = true;
	return true;
}

/* As long as it is closed, nobody frees it. Returns 0, or -EAGAIN. */
static int tmem_shared_empty(struct tmem_engine *engine, struct tmem_pool *pool)
{
	int error = tmem_pool_clear_all(engine, pool);
	unsigned long flags = tmh_lock(&engine->lock);

	pool->busy = false;
	if (!error)
		tmem_shared_open(engine, pool);
	tmh_unlock(&engine->lock, flags);
	return error;
}

/* The engine's lock is held. */
static void tmem_shared_remove(struct tmem_pool_slot *slot, struct tmem_pool *pool,
			       enum tmem_end how)
{
	struct tmem_pool_slot **link = &pool->members;

	if (how != TMEM_END_LEAVE || pool->client == slot->owner)
		tmem_shared_close(pool);
	while (*link != slot)
		link = &(*link)->next;
	*link = slot->next;
	if (!pool->members) {
		tmem_list_del(&pool->shared);
		pool->closed = true;
	}
	slot->member = false;
	slot->left = pool->key;
	tmh_set_release(&slot->key, 0);
	tmh_set_release(&slot->flags, 0);
}

/**
 * tmem_shared_leave - be a member no longer
 * @slot: Of the client; nobody else ends this.
 * @pool: The pool.
 * @how: Unless the client wants it, the pool is emptied.
 *
 * From the first call on the client finds nothing, and if the pool is emptied, nobody
 * does.
 *
 * Context: No lock of the engine. Any in which the host can release pages.
 * Return: 0: no page in there is charged to the client; or -EAGAIN: call it again.
 */
int tmem_shared_leave(struct tmem_pool_slot *slot, struct tmem_pool *pool,
		      enum tmem_end how)
{
	struct tmem_engine *engine = slot->owner->engine;
	unsigned long flags = tmh_lock(&engine->lock);
	bool first = slot->member, wait, mine;

	if (first)
		tmem_shared_remove(slot, pool, how);
	wait = pool->closed && pool->key == slot->left;
	mine = wait && tmem_shared_begin(pool);
	tmh_unlock(&engine->lock, flags);
	/* Others may be between the key and the pool. */
	if (first)
		tmem_pass_stripes(engine);
	if (mine)
		return tmem_shared_empty(engine, pool);
	return wait ? -EAGAIN : 0;
}

/**
 * tmem_shared_put - forget a pool that was left
 * @engine: The engine.
 * @pool: The pool. The last one frees it.
 *
 * Context: No lock of the engine. May do what the host's allocator does.
 */
void tmem_shared_put(struct tmem_engine *engine, struct tmem_pool *pool)
{
	unsigned long flags = tmh_lock(&engine->lock);
	bool last = !--pool->users;

	tmh_unlock(&engine->lock, flags);
	if (last)
		tmh_free_table(pool, tmem_pool_size(engine));
}

/**
 * tmem_op_missing - why an operation found no pool
 * @op: The operation.
 *
 * If the pool is shared and closed, goes on emptying it, but for an operation that has
 * done much already.
 *
 * Context: No lock of the engine. Any in which the host can release pages.
 * Return: -ENODEV if there is none; -ENOENT if it is shared and empty now.
 */
int tmem_op_missing(struct tmem_op *op)
{
	struct tmem_engine *engine = op->engine;
	struct tmem_pool *pool;
	unsigned long flags;
	bool mine;

	if (!(tmh_read_acquire(&op->place->flags) & TMEM_FLAG_SHARED))
		return -ENODEV;
	/* Who closes it has closed it for all members then. */
	flags = tmh_lock(&engine->lock);
	pool = op->place->member ? op->place->pool : NULL;
	mine = pool && !op->evicted && tmem_shared_begin(pool);
	tmh_unlock(&engine->lock, flags);
	if (mine)
		tmem_shared_empty(engine, pool);
	return pool ? -ENOENT : -ENODEV;
}

/* Is it shared, and has it this uuid? */
static bool tmem_shared_is(struct tmem_client *client, u32 id, const u64 uuid[2])
{
	unsigned long flags = tmh_lock(&client->lock);
	const struct tmem_pool *pool = client->pools[id].pool;
	bool found = pool && tmem_is_shared(pool) && pool->uuid[0] == uuid[0] &&
		pool->uuid[1] == uuid[1];

	tmh_unlock(&client->lock, flags);
	return found;
}

/**
 * tmem_unshare - throw a client out of a shared pool
 * @client: The client.
 * @uuid: The pool's. The host does not let the client share it any more.
 *
 * From the first call on the client finds no such pool, and the pool is empty for all.
 * The id is free for another when the client destroys the pool that it has no longer.
 *
 * Context: No lock of the engine. May do what the host's allocator does.
 * Return: 0, also if it was no member; or -EAGAIN if the host had to stop it, or
 * somebody else is at it: call it again.
 */
int tmem_unshare(struct tmem_client *client, const u64 uuid[2])
{
	u32 id;

	for (id = 0; id < client->engine->config.max_pools; id++)
		if (tmem_shared_is(client, id, uuid) &&
		    tmem_pool_end(client, id, TMEM_END_KEEP_ID) == -EAGAIN)
			return -EAGAIN;
	return 0;
}

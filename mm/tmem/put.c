// SPDX-License-Identifier: GPL-2.0-only
/*
 * Putting pages: as new content, which is made before anything is locked. If that is
 * refused, over the content that is there, if there is one and it can be done in
 * place.
 *
 * Whatever happens, a put that fails leaves no older page behind.
 */
#include "copy.h"

/* What tmem_overwrite(), tmem_insert() and tmem_store() say besides errors */
#define TMEM_DONE	0
#define TMEM_ELSE	1
#define TMEM_FULL	2

/* While a shared pool is being emptied it takes nothing. */
static int tmem_put_missing(int error)
{
	return error == -ENOENT ? -ENOMEM : error;
}

/* Drops the page, if there is one, and says what the client gets to hear. */
static int tmem_refuse(struct tmem_op *op, int error)
{
	unsigned long payload;
	struct tmem_trash trash = { .payloads = &payload, .room = 1 };

	if (!tmem_op_lock(op)) {
		tmem_op_unlock(op);
		return tmem_put_missing(tmem_op_missing(op));
	}
	tmem_op_stats(op)->refused++;
	if (tmem_op_find(op)) {
		tmem_page_remove(op->object, op->index, op->slot, op->leaf,
				 &trash);
		if (error == -ENOMEM)
			error = -ENOSPC;
	}
	tmem_op_unlock(op);
	tmem_trash_free(op->client, &trash);
	return error;
}

/* May it be that no page can be added? Asked before anything is copied for nothing. */
static bool tmem_may_refuse(const struct tmem_op *op)
{
	const struct tmem_client *client = op->client;

	return tmh_read(&op->asker->frozen) ||
		(op->persistent && tmh_read(&client->persistent) >=
		 tmh_read(&client->persistent_limit));
}

/* Why a page cannot be added */
static int tmem_may_add(struct tmem_op *op)
{
	if (tmh_read(&op->asker->frozen))
		return -EROFS;
	if (op->persistent && tmem_count_full(op->client, op->nr_stripe))
		return -ENOMEM;
	return TMEM_ELSE;
}

/*
 * After a copy over the page of an operation. A page that could not be read to its
 * end goes before anybody sees what is there now.
 */
static bool tmem_overwrite_end(struct tmem_op *op, struct tmem_copy *copy,
			       int error, struct tmem_trash *trash)
{
	bool release = tmem_copy_end(op, copy);

	if (error && error != -EOPNOTSUPP && !copy->orphan)
		tmem_page_remove(op->object, op->index, op->slot, op->leaf,
				 trash);
	if (error || !op->pool)
		return release;
	if (!copy->orphan)
		tmem_page_renew(op, *op->slot);
	tmem_op_stats(op)->puts++;
	tmem_op_stats(op)->overwrites++;
	return release;
}

/*
 * Copies over the content of the page that is there. TMEM_ELSE: there is none, or
 * it cannot be done so. With @wait this client's own copies of the page are waited
 * for.
 */
static int tmem_overwrite(struct tmem_op *op, const void *source, bool wait)
{
	const struct tmem_payload_ops *ops = op->engine->config.ops;
	unsigned long payload;
	struct tmem_trash trash = { .payloads = &payload, .room = 1 };
	struct tmem_copy copy;
	bool release;
	int error;

again:
	if (!tmem_op_lock(op) || tmh_read(&op->asker->dying)) {
		tmem_op_unlock(op);
		return -ENODEV;
	}
	if (!tmem_op_find(op)) {
		error = tmem_may_add(op);
		tmem_op_unlock(op);
		return error;
	}
	if (tmem_copy_conflicts(op, TMEM_WRITE)) {
		wait &= !tmem_is_shared(op->pool);
		tmem_op_unlock(op);
		if (!wait)
			return TMEM_ELSE;
		tmh_relax();
		goto again;
	}
	tmem_copy_begin(op, TMEM_WRITE, &copy);
	tmem_op_unlock(op);

	error = ops->overwrite(op->engine->config.host, source, copy.order,
			       copy.payload);

	tmem_op_lock(op);
	release = tmem_overwrite_end(op, &copy, error, &trash);
	tmem_op_unlock(op);
	tmem_trash_free(op->client, &trash);
	if (release)
		tmem_payload_release(op->client, op->persistent, copy.order,
				     copy.payload);
	return error == -EOPNOTSUPP ? TMEM_ELSE : error;
}

/* TMEM_FULL: the owner cannot have it. */
static int tmem_store(struct tmem_op *op, const void *source,
		      unsigned long *payload)
{
	const struct tmem_config *config = &op->engine->config;
	size_t bytes = TMEM_PAGE_BYTES << op->order;
	int error;

	if (op->persistent && !tmem_owner_charge(op->client, bytes))
		return TMEM_FULL;
	error = config->ops->store(config->host, source, op->order, payload);
	if (op->persistent && error)
		tmem_owner_uncharge(op->client, bytes);
	return error;
}

/* The same when there was no memory: other pages are evicted. */
static int tmem_store_again(struct tmem_op *op, const void *source,
			    unsigned long *payload)
{
	int error;

	while (tmem_evict_for(op->client, &op->evicted, false)) {
		error = tmem_store(op, source, payload);
		if (error != -ENOMEM)
			return error;
	}
	return TMEM_FULL;
}

/* Makes new content, TMEM_ELSE, or overwrites what is there. */
static int tmem_put_content(struct tmem_op *op, const void *source,
			    unsigned long *payload)
{
	int error = tmem_store(op, source, payload);

	if (error == -ENOMEM) {
		error = tmem_overwrite(op, source, false);
		if (error != TMEM_ELSE)
			return error;
		error = tmem_store_again(op, source, payload);
	}
	if (!error)
		return TMEM_ELSE;
	if (error != TMEM_FULL)
		return error;
	error = tmem_overwrite(op, source, true);
	/* If the page was there and has just been evicted, that is why. */
	return error == TMEM_ELSE || error == -EROFS ? -ENOMEM : error;
}

/* Allocates what an insertion lacked. */
static int tmem_provide(struct tmem_op *op, struct tmem_reserve *reserve)
{
	struct tmem_client *client = op->client;

	if (!op->object && !reserve->object) {
		if (!tmem_charge(&client->objects, &client->object_limit, 1))
			return -ENOMEM;
		reserve->object = tmem_obtain(op, sizeof(*reserve->object));
		if (!reserve->object) {
			tmh_add_return(&client->objects, -1ul);
			return -ENOMEM;
		}
	}
	if (!op->persistent && !reserve->page) {
		reserve->page = tmem_obtain_page(op, true);
		if (!reserve->page)
			return -ENOMEM;
	}
	while (reserve->nr_nodes < op->nodes) {
		struct tmem_node *node = tmem_obtain(op, sizeof(*node));

		if (!node)
			return -ENOMEM;
		node->slot[0] = (unsigned long)reserve->nodes;
		reserve->nodes = node;
		reserve->nr_nodes++;
	}
	return 0;
}

/* Counts a page. Returns why none can be added, or 0. */
static int tmem_count(struct tmem_op *op)
{
	if (tmh_read(&op->asker->dying))
		return -ENODEV;
	if (tmh_read(&op->asker->frozen))
		return -EROFS;
	return tmem_count_add(op->client, op->nr_stripe, op->persistent) ?
		0 : -ENOMEM;
}

/* TMEM_ELSE: more is needed in @reserve. */
static int tmem_insert(struct tmem_op *op, unsigned long payload,
		       struct tmem_reserve *reserve, struct tmem_trash *trash)
{
	int error;

	if (tmem_op_find(op)) {
		if (tmh_read(&op->asker->dying))
			return -ENODEV;
		tmem_page_replace(op, payload, trash);
		tmem_op_stats(op)->overwrites++;
		tmem_op_stats(op)->puts++;
		return TMEM_DONE;
	}
	op->nodes = op->object && !op->leaf ?
		tmem_tree_needs(op->object, op->index) : 0;
	if ((!op->object && !reserve->object) || reserve->nr_nodes < op->nodes ||
	    (!op->persistent && !reserve->page))
		return TMEM_ELSE;
	error = tmem_count(op);
	if (error)
		return error;
	if (!op->object) {
		tmem_object_add(op, reserve->object);
		reserve->object = NULL;
	}
	tmem_page_add(op, payload, reserve);
	tmem_op_stats(op)->puts++;
	return TMEM_DONE;
}

static int tmem_put_new(struct tmem_op *op, unsigned long payload)
{
	struct tmem_reserve reserve = {};
	unsigned long old;
	struct tmem_trash trash = { .payloads = &old, .room = 1 };
	int error;

	/* Most pages are new. For one that is not, nothing should be evicted. */
	if (!op->persistent)
		reserve.page = tmem_obtain_page(op, false);
	for (;;) {
		error = tmem_op_lock(op) ?
			tmem_insert(op, payload, &reserve, &trash) : -ENODEV;
		tmem_op_unlock(op);
		if (error != TMEM_ELSE)
			break;
		error = tmem_provide(op, &reserve);
		if (error)
			break;
	}
	tmem_trash_free(op->client, &trash);
	tmem_reserve_free(op->client, &reserve, op->persistent);
	return error;
}

/**
 * tmem_put - copy a page into a pool
 * @client: Who puts it.
 * @handle: Its name from now on.
 * @source: The page, as the host names it.
 *
 * If there is a page of this name already, it is replaced; if that fails, it is
 * removed. Where it can be overwritten in place that needs no memory and is not
 * refused, not even to a frozen client.
 *
 * When there is no memory, other pages are evicted, TMEM_EVICT_MOST at most: if that
 * is not enough, the put is refused.
 *
 * Context: No lock of the engine; any in which the host can allocate and copy.
 * Return: 0; -ENODEV if there is no such pool or the client is dying; -EFAULT if the
 * source cannot be read; -EROFS if the client is frozen; -ENOMEM if there is no
 * memory or the client must not have more or the pool is shared and being emptied,
 * -ENOSPC if besides an older page was
 * removed; or what the host said.
 */
int tmem_put(struct tmem_client *client, const struct tmem_handle *handle,
	     const void *source)
{
	unsigned long payload;
	struct tmem_op op;
	int error;

	error = tmem_op_init(&op, client, handle->pool, handle->oid,
			     handle->index);
	if (error)
		return tmem_put_missing(error);
	error = tmem_may_refuse(&op) ?
		tmem_overwrite(&op, source, false) : TMEM_ELSE;
	if (error == TMEM_ELSE)
		error = tmem_put_content(&op, source, &payload);
	if (error == TMEM_ELSE) {
		error = tmem_put_new(&op, payload);
		if (error)
			tmem_payload_release(op.client, op.persistent, op.order,
					     payload);
	}
	return error ? tmem_refuse(&op, error) : 0;
}

TMH_EXPORT(tmem_put);

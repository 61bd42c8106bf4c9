// SPDX-License-Identifier: GPL-2.0-only
/*
 * Flushing: a page, a range, an object. Needs no memory and never waits for who
 * copies. Long ones stop when the host wants that and are called again.
 */
#include "internal.h"

/**
 * tmem_flush_page - remove a page
 * @client: Whose it is.
 * @handle: Its name.
 *
 * Context: No lock of the engine. Any in which the host can release pages.
 * Return: 0; -ENOENT if there is no such page (a get that is about to remove it
 * does not count); -ENODEV if there is no such pool.
 */
int tmem_flush_page(struct tmem_client *client,
		    const struct tmem_handle *handle)
{
	unsigned long payload;
	struct tmem_trash trash = { .payloads = &payload, .room = 1 };
	struct tmem_op op;
	int error;

	error = tmem_op_init(&op, client, handle->pool, handle->oid,
			     handle->index);
	if (error)
		return error;
	if (!tmem_op_lock(&op)) {
		error = -ENODEV;
	} else if (!tmem_op_find(&op)) {
		error = -ENOENT;
	} else {
		tmem_op_stats(&op)->flushed++;
		tmem_page_remove(op.object, op.index, op.slot, op.leaf, &trash);
	}
	tmem_op_unlock(&op);
	tmem_trash_free(op.client, &trash);
	return error == -ENODEV ? tmem_op_missing(&op) : error;
}

TMH_EXPORT(tmem_flush_page);

/* Fills the trash from @index on. Returns false if there is nothing any more. */
static bool tmem_flush_some(struct tmem_op *op, u64 *index, u64 last,
			    struct tmem_trash *trash, int *flushed)
{
	unsigned int n;

	for (n = 0; n < trash->room; n++) {
		struct tmem_node *leaf;
		unsigned long *slot;

		if (!tmem_tree_next(op->object, index) || *index > last)
			return false;
		slot = tmem_tree_find(op->object, *index, &leaf);
		tmem_op_stats(op)->flushed++;
		++*flushed;
		/* The object may go with its last page. */
		n += op->object->pages == 1 ? trash->room : 0;
		tmem_page_remove(op->object, *index, slot, leaf, trash);
		if (n >= trash->room || (*index)++ == last)
			return false;
	}
	return true;
}

/* Where a shared pool is empty, there is nothing more to flush. */
static int tmem_flush_missing(int error, int flushed)
{
	return error == -ENOENT ? flushed : error;
}

/**
 * tmem_flush_range - remove pages of an object
 * @client: Whose they are.
 * @first: Name of the first.
 * @last: Index of the last.
 *
 * Context: No lock of the engine. Any in which the host can release pages.
 * Return: how many there were; -ENODEV if there is no such pool; -EAGAIN if the host
 * had to stop it: call it again.
 */
int tmem_flush_range(struct tmem_client *client,
		     const struct tmem_handle *first, u64 last)
{
	unsigned long payloads[TMEM_CHUNK];
	struct tmem_trash trash = { .payloads = payloads, .room = TMEM_CHUNK };
	u64 index = first->index;
	int error, flushed = 0;
	struct tmem_op op;
	bool more;

	error = tmem_op_init(&op, client, first->pool, first->oid, index);
	if (error)
		return tmem_flush_missing(error, 0);
	for (;;) {
		if (!tmem_op_lock(&op)) {
			tmem_op_unlock(&op);
			return tmem_flush_missing(tmem_op_missing(&op), flushed);
		}
		tmem_op_find(&op);
		more = op.object && index <= last &&
			tmem_flush_some(&op, &index, last, &trash, &flushed);
		tmem_op_unlock(&op);
		tmem_trash_free(op.client, &trash);
		if (!more)
			return flushed;
		if (tmh_should_yield())
			return -EAGAIN;
	}
}

/* Takes dead objects of a pool apart. Returns true if there are more pages. */
static bool tmem_reap_some(struct tmem_op *op, struct tmem_trash *trash)
{
	struct tmem_list *objects = &op->pool->stripes[op->nr_stripe].objects;
	struct tmem_object *object;

	while (trash->nr < trash->room && !tmem_list_empty(objects)) {
		object = tmem_list_entry(objects->next, struct tmem_object,
					 siblings);
		if (!object->dead)
			return false;
		tmem_object_reap(object, trash);
	}
	return !tmem_list_empty(objects) &&
		tmem_list_entry(objects->next, struct tmem_object,
				siblings)->dead;
}

/**
 * tmem_flush_object - remove all pages of an object
 * @client: Whose it is.
 * @pool: Id of its pool.
 * @oid: Its id.
 *
 * From the first call on none of the pages that it had is found any more.
 *
 * Context: No lock of the engine. Any in which the host can release pages.
 * Return: 0; -ENODEV if there is no such pool; -EAGAIN if the host had to stop it:
 * call it again.
 */
int tmem_flush_object(struct tmem_client *client, u32 pool, const u64 oid[3])
{
	unsigned long payloads[TMEM_CHUNK];
	struct tmem_trash trash = { .payloads = payloads, .room = TMEM_CHUNK };
	struct tmem_op op;
	bool more, first = true;
	int error;

	error = tmem_op_init(&op, client, pool, oid, 0);
	if (error)
		return tmem_flush_missing(error, 0);
	do {
		if (!tmem_op_lock(&op)) {
			tmem_op_unlock(&op);
			return tmem_flush_missing(tmem_op_missing(&op), 0);
		}
		tmem_op_find(&op);
		if (first && op.object)
			tmem_object_kill(op.object);
		first = false;
		more = tmem_reap_some(&op, &trash);
		tmem_op_unlock(&op);
		tmem_trash_free(op.client, &trash);
		if (more && tmh_should_yield())
			return -EAGAIN;
	} while (more);
	return 0;
}

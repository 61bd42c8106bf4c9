// SPDX-License-Identifier: GPL-2.0-only
/*
 * Getting pages. What is removed by a get is removed after it was copied, so that a
 * target that cannot be written to costs nothing; or before, where it always can be.
 */
#include "copy.h"

static enum tmem_copy_kind tmem_get_kind(const struct tmem_pool *pool,
					 unsigned int flags)
{
	if (flags & (TMEM_GET_EXCLUSIVE | TMEM_GET_REMOVE))
		return TMEM_TAKE;
	if (flags & TMEM_GET_KEEP)
		return TMEM_READ;
	return tmem_is_persistent(pool) || tmem_is_shared(pool) ?
		TMEM_READ : TMEM_TAKE;
}

/*
 * Finds the page, and begins to copy it or removes it, to @trash. Returns 0, -ENOENT,
 * or -EAGAIN.
 */
static int tmem_get_begin(struct tmem_op *op, unsigned int flags,
			  struct tmem_copy *copy, struct tmem_trash *trash)
{
	enum tmem_copy_kind kind = tmem_get_kind(op->pool, flags);

	if (!tmem_op_find(op)) {
		tmem_op_stats(op)->misses++;
		return -ENOENT;
	}
	if ((flags & TMEM_GET_REMOVE) && !tmem_copy_conflicts(op, TMEM_WRITE)) {
		tmem_op_stats(op)->hits++;
		tmem_page_remove(op->object, op->index, op->slot, op->leaf,
				 trash);
		return 0;
	}
	if (tmem_copy_conflicts(op, kind)) {
		/* Nobody waits for another client; this page may go. */
		if (!tmem_is_shared(op->pool))
			return -EAGAIN;
		tmem_page_remove(op->object, op->index, op->slot, op->leaf,
				 trash);
		tmem_op_stats(op)->evicted++;
		tmem_op_stats(op)->misses++;
		return -ENOENT;
	}
	tmem_copy_begin(op, kind, copy);
	if (kind == TMEM_READ)
		tmem_page_renew(op, *op->slot);
	return 0;
}

static bool tmem_get_end(struct tmem_op *op, struct tmem_copy *copy, int error,
			 struct tmem_trash *trash)
{
	bool release = tmem_copy_end(op, copy);

	if (!error && op->pool)
		tmem_op_stats(op)->hits++;
	if (!error && !copy->orphan && copy->kind == TMEM_TAKE)
		tmem_page_remove(op->object, op->index, op->slot, op->leaf,
				 trash);
	return release;
}

static int tmem_get_load(struct tmem_op *op, void *target, unsigned long payload)
{
	const struct tmem_config *config = &op->engine->config;

	return config->ops->load(config->host, target, op->order, payload);
}

/* Copies what tmem_get_begin() has written down. */
static int tmem_get_copy(struct tmem_op *op, void *target,
			 struct tmem_copy *copy, struct tmem_trash *trash)
{
	int error = tmem_get_load(op, target, copy->payload);
	bool release;

	tmem_op_lock(op);
	release = tmem_get_end(op, copy, error, trash);
	tmem_op_unlock(op);
	if (release)
		tmem_payload_release(op->client, op->persistent, copy->order,
				     copy->payload);
	return error;
}

/**
 * tmem_get - copy a page out of a pool
 * @client: Who wants it.
 * @handle: Its name.
 * @target: Where it goes, as the host names it.
 * @flags: TMEM_GET_EXCLUSIVE, TMEM_GET_REMOVE, TMEM_GET_KEEP, or 0.
 *
 * Removes the page if the pool is private and ephemeral, unless it is told what to
 * do. An ephemeral page that stays is the youngest then.
 *
 * Context: No lock of the engine; any in which the host can copy.
 * Return: 0; -ENODEV if there is no such pool; -ENOENT if there is no such page, the
 * target is as before; -EFAULT if the target cannot be written to, the page stays,
 * but for TMEM_GET_REMOVE.
 */
int tmem_get(struct tmem_client *client, const struct tmem_handle *handle,
	     void *target, unsigned int flags)
{
	unsigned long payload;
	struct tmem_trash trash = { .payloads = &payload, .room = 1 };
	struct tmem_copy copy;
	struct tmem_op op;
	int error;

	error = tmem_op_init(&op, client, handle->pool, handle->oid,
			     handle->index);
	if (error)
		return error;
	for (;;) {
		error = tmem_op_lock(&op) ?
			tmem_get_begin(&op, flags, &copy, &trash) : -ENODEV;
		tmem_op_unlock(&op);
		if (error != -EAGAIN)
			break;
		tmh_relax();
	}
	if (!error)
		error = trash.nr ? tmem_get_load(&op, target, payload) :
			tmem_get_copy(&op, target, &copy, &trash);
	else if (error == -ENODEV)
		error = tmem_op_missing(&op);
	tmem_trash_free(op.client, &trash);
	return error;
}

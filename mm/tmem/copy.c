// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copies on their way. Content is copied without a lock, so what is copied is
 * written down meanwhile, on a list of the stripe that is as long as there are
 * copies: nearly always empty.
 *
 * All functions are called under the lock of the stripe.
 */
#include "internal.h"

/* The copy on the way behind @list, or NULL. */
static struct tmem_copy *tmem_copy_next(const struct tmem_stripe *stripe,
					const struct tmem_list *list)
{
	return list->next == &stripe->copies ? NULL :
		tmem_list_entry(list->next, struct tmem_copy, list);
}

static bool tmem_copy_is_of(const struct tmem_copy *copy,
			    const struct tmem_object *object, u64 index)
{
	return copy->object == object && copy->index == index && !copy->orphan;
}

/**
 * tmem_copy_conflicts - must a copy of a page wait for others of it?
 * @op: The operation, with its object.
 * @index: Of the page.
 * @kind: What is wanted.
 *
 * Return: true if it must: one of both writes, or both want the page alone.
 */
bool tmem_copy_conflicts(struct tmem_op *op, u64 index, enum tmem_copy_kind kind)
{
	struct tmem_copy *copy = tmem_copy_next(op->stripe,
						&op->stripe->copies);

	for (; copy; copy = tmem_copy_next(op->stripe, &copy->list))
		if (tmem_copy_is_of(copy, op->object, index) &&
		    (kind == TMEM_WRITE || copy->kind == TMEM_WRITE ||
		     (kind == TMEM_TAKE && copy->kind == TMEM_TAKE)))
			return true;
	return false;
}

/**
 * tmem_copy_begin - write down that a page is going to be copied
 * @op: The operation, with its object.
 * @index: Of the page.
 * @payload: Its content.
 * @kind: What is going to happen.
 * @copy: Where to write it.
 */
void tmem_copy_begin(struct tmem_op *op, u64 index, unsigned long payload,
		     enum tmem_copy_kind kind, struct tmem_copy *copy)
{
	copy->object = op->object;
	copy->index = index;
	copy->payload = payload;
	copy->order = op->pool->order;
	copy->kind = kind;
	copy->orphan = 0;
	tmem_list_add(&op->stripe->copies, &copy->list);
}

/**
 * tmem_copy_end - it has been copied
 * @op: The operation.
 * @copy: What tmem_copy_begin() has written. If the page is still there,
 *	@copy->orphan is 0, and object and index are where it was.
 *
 * Return: true if the page is gone and the caller has to release the payload,
 * without the lock.
 */
bool tmem_copy_end(struct tmem_op *op, struct tmem_copy *copy)
{
	struct tmem_copy *other;

	tmem_list_del(&copy->list);
	if (!copy->orphan)
		return false;
	for (other = tmem_copy_next(op->stripe, &op->stripe->copies); other;
	     other = tmem_copy_next(op->stripe, &other->list))
		if (other->orphan == copy->orphan)
			return false;
	return true;
}

/**
 * tmem_copy_orphan - a page goes away
 * @object: Its object.
 * @index: Of the page.
 *
 * Return: true if it is being copied: who does releases the payload.
 */
bool tmem_copy_orphan(struct tmem_object *object, u64 index)
{
	struct tmem_engine *engine = object->pool->client->engine;
	struct tmem_stripe *stripe =
		&engine->stripes[tmem_stripe_of(engine, object->bucket)];
	struct tmem_copy *copy;
	bool found = false;

	for (copy = tmem_copy_next(stripe, &stripe->copies); copy;
	     copy = tmem_copy_next(stripe, &copy->list))
		if (tmem_copy_is_of(copy, object, index)) {
			copy->orphan = stripe->orphans + 1;
			found = true;
		}
	stripe->orphans += found;
	return found;
}

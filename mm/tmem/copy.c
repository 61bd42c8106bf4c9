// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copies on their way. Content is copied without a lock, so what is copied is
 * written down meanwhile, on a list of the stripe that is as long as there are
 * copies: nearly always empty.
 *
 * All functions are called under the lock of the stripe.
 */
#include "copy.h"

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
 * tmem_copy_meets - tmem_copy_conflicts() where there are copies
 * @op: As there.
 * @kind: As there.
 *
 * Return: as there.
 */
bool tmem_copy_meets(struct tmem_op *op, enum tmem_copy_kind kind)
{
	struct tmem_copy *copy = tmem_copy_next(op->stripe,
						&op->stripe->copies);

	for (; copy; copy = tmem_copy_next(op->stripe, &copy->list))
		if (tmem_copy_is_of(copy, op->object, op->index) &&
		    (kind == TMEM_WRITE || copy->kind == TMEM_WRITE ||
		     (kind == TMEM_TAKE && copy->kind == TMEM_TAKE)))
			return true;
	return false;
}

/**
 * tmem_copy_lost - tmem_copy_end() where something has changed
 * @op: As there.
 * @copy: As there.
 *
 * Return: as there.
 */
bool tmem_copy_lost(struct tmem_op *op, struct tmem_copy *copy)
{
	struct tmem_copy *other;

	if (!copy->orphan) {
		/* By its name another could be found, if this object is dead. */
		op->object = copy->object;
		op->slot = tmem_tree_find(copy->object, copy->index, &op->leaf);
		return false;
	}
	for (other = tmem_copy_next(op->stripe, &op->stripe->copies); other;
	     other = tmem_copy_next(op->stripe, &other->list))
		if (other->orphan == copy->orphan)
			return false;
	return true;
}

/**
 * tmem_copy_mark - tmem_copy_orphan() where there are copies
 * @stripe: As there.
 * @object: As there.
 * @index: As there.
 *
 * Return: as there.
 */
bool tmem_copy_mark(struct tmem_stripe *stripe,
		    const struct tmem_object *object, u64 index)
{
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

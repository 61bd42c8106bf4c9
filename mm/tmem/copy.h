/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copies on their way: what gets, puts, and who removes pages know of them. How it
 * works is in copy.c.
 */
#ifndef _TMEM_COPY_H
#define _TMEM_COPY_H

#include "internal.h"

enum tmem_copy_kind { TMEM_READ, TMEM_TAKE, TMEM_WRITE };

/**
 * struct tmem_copy - a copy on its way
 * @list: In the stripe's.
 * @object: Where the page was found.
 * @index: Where in @object.
 * @payload: What is copied.
 * @order: Of the page's size.
 * @kind: The payload is read, or read and then removed, or written to.
 * @orphan: Not 0: the page was removed meanwhile. The same number for all copies
 *	of one page.
 */
struct tmem_copy {
	struct tmem_list list;
	struct tmem_object *object;
	u64		index;
	unsigned long	payload;
	unsigned int	order;
	enum tmem_copy_kind kind;
	u64		orphan;
};

bool tmem_copy_meets(struct tmem_op *op, enum tmem_copy_kind kind);
bool tmem_copy_lost(struct tmem_op *op, struct tmem_copy *copy);
bool tmem_copy_mark(struct tmem_stripe *stripe,
		    const struct tmem_object *object, u64 index);

/**
 * tmem_copy_conflicts - must a copy of a page wait for others of it?
 * @op: The operation, with its page.
 * @kind: What is wanted.
 *
 * Context: The stripe's lock is held.
 * Return: true if it must: one of both writes, or both want the page alone.
 */
static inline bool tmem_copy_conflicts(struct tmem_op *op,
				       enum tmem_copy_kind kind)
{
	return !tmem_list_empty(&op->stripe->copies) &&
		tmem_copy_meets(op, kind);
}

/**
 * tmem_copy_begin - write down that a page is going to be copied
 * @op: The operation, with its page.
 * @kind: What is going to happen.
 * @copy: Where to write it.
 *
 * Context: The stripe's lock is held.
 */
static inline void tmem_copy_begin(struct tmem_op *op, enum tmem_copy_kind kind,
				   struct tmem_copy *copy)
{
	copy->object = op->object;
	copy->index = op->index;
	copy->payload = op->persistent ? *op->slot :
		((struct tmem_page *)*op->slot)->payload;
	copy->order = op->order;
	copy->kind = kind;
	copy->orphan = 0;
	tmem_list_add(&op->stripe->copies, &copy->list);
}

/**
 * tmem_copy_end - it has been copied
 * @op: The operation. If the page is still there, sets its object, leaf and slot.
 * @copy: What tmem_copy_begin() has written. Unless the page is still there,
 *	@copy->orphan is not 0.
 *
 * Context: The stripe's lock is held.
 * Return: true if the page is gone and the caller has to release the payload,
 * without the lock.
 */
static inline bool tmem_copy_end(struct tmem_op *op, struct tmem_copy *copy)
{
	tmem_list_del(&copy->list);
	return (copy->orphan || op->seen != op->stripe->changes) &&
		tmem_copy_lost(op, copy);
}

/**
 * tmem_copy_orphan - a page goes away
 * @stripe: Its stripe.
 * @object: Its object.
 * @index: Of the page.
 *
 * Context: The stripe's lock is held.
 * Return: true if it is being copied: who does releases the payload.
 */
static inline bool tmem_copy_orphan(struct tmem_stripe *stripe,
				    const struct tmem_object *object, u64 index)
{
	return !tmem_list_empty(&stripe->copies) &&
		tmem_copy_mark(stripe, object, index);
}

#endif /* _TMEM_COPY_H */

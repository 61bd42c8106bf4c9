/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The host of the tmem engine in the Linux kernel.
 */
#ifndef _TMEM_HOST_H
#define _TMEM_HOST_H

#include <linux/atomic.h>
#include <linux/cache.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/processor.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#define TMH_CACHE_LINE SMP_CACHE_BYTES

/* What modules use */
#define TMH_EXPORT(function) EXPORT_SYMBOL_GPL(function)

/*
 * Pages are put in reclaim, which must not wait for memory. It may use what is kept
 * for those who free some: what is needed here is small beside the page.
 */
static inline void *tmh_alloc(size_t size)
{
	return kzalloc(size, GFP_NOWAIT | __GFP_NORETRY | __GFP_NOWARN);
}

static inline void tmh_free(void *memory, size_t size)
{
	kfree(memory);
}

static inline void *tmh_alloc_table(size_t size)
{
	return kvzalloc(size, GFP_KERNEL);
}

static inline void tmh_free_table(void *memory, size_t size)
{
	kvfree(memory);
}

struct tmh_lock {
	spinlock_t lock;	/* a leaf, but for clients above stripes */
};

/* For lockdep, each place that calls this makes a class. */
#define tmh_lock_init(tmh) spin_lock_init(&(tmh)->lock)

static inline unsigned long tmh_lock(struct tmh_lock *tmh)
{
	unsigned long flags;

	spin_lock_irqsave(&tmh->lock, flags);
	return flags;
}

static inline bool tmh_trylock(struct tmh_lock *tmh, unsigned long *flags)
{
	return spin_trylock_irqsave(&tmh->lock, *flags);
}

static inline void tmh_unlock(struct tmh_lock *tmh, unsigned long flags)
{
	spin_unlock_irqrestore(&tmh->lock, flags);
}

struct tmh_ulong {
	atomic_long_t value;
};

static inline unsigned long tmh_read(const struct tmh_ulong *atomic)
{
	return atomic_long_read(&atomic->value);
}

static inline void tmh_set(struct tmh_ulong *atomic, unsigned long value)
{
	atomic_long_set(&atomic->value, value);
}

static inline unsigned long tmh_read_acquire(const struct tmh_ulong *atomic)
{
	return atomic_long_read_acquire(&atomic->value);
}

static inline void tmh_set_release(struct tmh_ulong *atomic,
				   unsigned long value)
{
	atomic_long_set_release(&atomic->value, value);
}

static inline unsigned long tmh_add_return(struct tmh_ulong *atomic,
					   unsigned long n)
{
	return atomic_long_add_return_relaxed(n, &atomic->value);
}

static inline void tmh_relax(void)
{
	cpu_relax();
}

/* Who may not sleep calls again at once. */
static inline bool tmh_should_yield(void)
{
	return need_resched();
}

static inline unsigned long tmh_index_nospec(unsigned long index,
					     unsigned long size)
{
	return array_index_nospec(index, size);
}

#endif /* _TMEM_HOST_H */

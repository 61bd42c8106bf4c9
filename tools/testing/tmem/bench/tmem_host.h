/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The host of the tmem engine in its benchmark: as a kernel would be, with locks that
 * spin, inline, and an allocator out of line. Checks nothing.
 */
#ifndef _TMEM_HOST_H
#define _TMEM_HOST_H

#include <errno.h>
#include "../program.h"

static inline unsigned long tmh_read_acquire(const struct tmh_ulong *atomic)
{
	return __atomic_load_n(&atomic->value, __ATOMIC_ACQUIRE);
}

#define TMH_CACHE_LINE 64

void *tmh_alloc(size_t size);
void tmh_free(void *memory, size_t size);
/* Begins and ends with a cache line */
void *tmh_alloc_table(size_t size);
void tmh_free_table(void *memory, size_t size);

struct tmh_lock {
	unsigned int taken;
};

static inline void tmh_lock_init(struct tmh_lock *lock)
{
	lock->taken = 0;
}

static inline bool tmh_trylock(struct tmh_lock *lock, unsigned long *flags)
{
	*flags = 0;
	return !__atomic_exchange_n(&lock->taken, 1, __ATOMIC_ACQUIRE);
}

static inline void tmh_relax(void)
{
	__builtin_ia32_pause();
}

static inline unsigned long tmh_lock(struct tmh_lock *lock)
{
	unsigned long flags;

	while (!tmh_trylock(lock, &flags))
		while (__atomic_load_n(&lock->taken, __ATOMIC_RELAXED))
			tmh_relax();
	return flags;
}

static inline void tmh_unlock(struct tmh_lock *lock, unsigned long flags)
{
	__atomic_store_n(&lock->taken, 0, __ATOMIC_RELEASE);
}

static inline bool tmh_should_yield(void)
{
	return false;
}

#endif /* _TMEM_HOST_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The host of the tmem engine in a program: threads, malloc, and what tests want:
 * allocations that fail, and yields.
 */
#ifndef _TMEM_HOST_H
#define _TMEM_HOST_H

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#define TMH_CACHE_LINE 64

/* Memory, full of zeros; not under a lock */

void *tmh_alloc(size_t size);
void tmh_free(void *memory, size_t size);
void *tmh_alloc_table(size_t size);
void tmh_free_table(void *memory, size_t size);

/* Locks, to be taken in any context; tests check that they are leaves */

struct tmh_lock {
	pthread_mutex_t mutex;
};

void tmh_lock_init(struct tmh_lock *lock);
unsigned long tmh_lock(struct tmh_lock *lock);
bool tmh_trylock(struct tmh_lock *lock, unsigned long *flags);
void tmh_unlock(struct tmh_lock *lock, unsigned long flags);

/* Atomics: relaxed, but for those whose names say more */

struct tmh_ulong {
	unsigned long value;
};

static inline unsigned long tmh_read(const struct tmh_ulong *atomic)
{
	return __atomic_load_n(&atomic->value, __ATOMIC_RELAXED);
}

static inline void tmh_set(struct tmh_ulong *atomic, unsigned long value)
{
	__atomic_store_n(&atomic->value, value, __ATOMIC_RELAXED);
}

static inline unsigned long tmh_read_acquire(const struct tmh_ulong *atomic)
{
	return __atomic_load_n(&atomic->value, __ATOMIC_ACQUIRE);
}

static inline void tmh_set_release(struct tmh_ulong *atomic, unsigned long value)
{
	__atomic_store_n(&atomic->value, value, __ATOMIC_RELEASE);
}

static inline unsigned long tmh_add_return(struct tmh_ulong *atomic, unsigned long n)
{
	return __atomic_add_fetch(&atomic->value, n, __ATOMIC_RELAXED);
}

/* Waiting, and an index that a speculating processor does not get beyond @size */

void tmh_relax(void);
bool tmh_should_yield(void);

static inline unsigned long tmh_index_nospec(unsigned long index,
					     unsigned long size)
{
	return index < size ? index : 0;
}

#endif /* _TMEM_HOST_H */

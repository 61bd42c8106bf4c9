/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The host of the tmem engine in a program: threads, malloc, and what tests want:
 * allocations that fail, and yields.
 */
#ifndef _TMEM_HOST_H
#define _TMEM_HOST_H

#include <errno.h>
#include <string.h>
#include <pthread.h>
#include "../program.h"

unsigned long tmh_read_acquire(const struct tmh_ulong *atomic);

#define TMH_CACHE_LINE 64

/* Of whoever has whole page frames */
#define PAGE_SIZE 4096ul

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

/* Waiting */

void tmh_relax(void);
bool tmh_should_yield(void);

#endif /* _TMEM_HOST_H */

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host of the tmem engine in a program. It checks what the engine promises: that
 * its locks are leaves, that memory is given back with its size, and that nothing
 * stays.
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "host.h"

/* The engine's, a client's, and then a stripe's */
static __thread const struct tmh_lock *held[3];
static __thread unsigned int nr_held;
static unsigned long bytes;
static unsigned long countdown;

unsigned long host_yield_every;
unsigned long host_busy_locks;
bool host_yields_unlocked;

#define CHECK(condition) do {						\
	if (!(condition)) {						\
		fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
		abort();						\
	}								\
} while (0)

unsigned long host_bytes(void)
{
	return __atomic_load_n(&bytes, __ATOMIC_RELAXED);
}

void host_fail_at(unsigned long k)
{
	__atomic_store_n(&countdown, k, __ATOMIC_RELAXED);
}

bool host_has_failed(void)
{
	return !__atomic_load_n(&countdown, __ATOMIC_RELAXED);
}

static bool fails_now(void)
{
	unsigned long left = __atomic_load_n(&countdown, __ATOMIC_RELAXED);

	return left && !__atomic_sub_fetch(&countdown, 1, __ATOMIC_RELAXED);
}

void *tmh_alloc(size_t size)
{
	void *memory;

	CHECK(!nr_held);
	if (fails_now())
		return NULL;
	/* As kernels do: what has such a size is aligned to it. */
	memory = size & (size - 1) ? malloc(size) : aligned_alloc(size, size);
	CHECK(memory);
	memset(memory, 0, size);
	__atomic_add_fetch(&bytes, size, __ATOMIC_RELAXED);
	return memory;
}

void tmh_free(void *memory, size_t size)
{
	CHECK(!nr_held);
	if (!memory)
		return;
	/* What is used afterwards shall not look right. */
	memset(memory, 0xa5, size);
	free(memory);
	__atomic_sub_fetch(&bytes, size, __ATOMIC_RELAXED);
}

void *tmh_alloc_table(size_t size)
{
	size = (size + 63) / 64 * 64;
	CHECK(!nr_held);
	if (fails_now())
		return NULL;
	__atomic_add_fetch(&bytes, size, __ATOMIC_RELAXED);
	return memset(aligned_alloc(64, size), 0, size);
}

void tmh_free_table(void *memory, size_t size)
{
	if (memory)
		tmh_free(memory, (size + 63) / 64 * 64);
}

void tmh_lock_init(struct tmh_lock *lock)
{
	pthread_mutex_init(&lock->mutex, NULL);
}

unsigned long tmh_lock(struct tmh_lock *lock)
{
	CHECK(nr_held < 3);
	CHECK(!nr_held || held[nr_held - 1] != lock);
	CHECK(!pthread_mutex_lock(&lock->mutex));
	held[nr_held] = lock;
	return nr_held++;
}

bool tmh_trylock(struct tmh_lock *lock, unsigned long *flags)
{
	CHECK(!nr_held);
	if (host_busy_locks) {
		host_busy_locks--;
		return false;
	}
	if (pthread_mutex_trylock(&lock->mutex))
		return false;
	held[0] = lock;
	*flags = nr_held++;
	return true;
}

void tmh_unlock(struct tmh_lock *lock, unsigned long flags)
{
	CHECK(nr_held == flags + 1);
	CHECK(held[flags] == lock);
	nr_held = flags;
	pthread_mutex_unlock(&lock->mutex);
	if (host_yields_unlocked && !nr_held)
		sched_yield();
}

/* What comes next is read later: others may do much in between. */
unsigned long tmh_read_acquire(const struct tmh_ulong *atomic)
{
	unsigned long value = __atomic_load_n(&atomic->value, __ATOMIC_ACQUIRE);
	static __thread unsigned int read;

	if (host_yields_unlocked && !nr_held && !(++read % 8))
		usleep(100);
	return value;
}

void tmh_relax(void)
{
	CHECK(!nr_held);
	sched_yield();
}

bool tmh_should_yield(void)
{
	static unsigned long asked;

	CHECK(!nr_held);
	return host_yield_every &&
		!(__atomic_add_fetch(&asked, 1, __ATOMIC_RELAXED) %
		  host_yield_every);
}

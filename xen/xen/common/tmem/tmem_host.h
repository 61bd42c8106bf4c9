/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The host of the tmem engine in the Xen hypervisor.
 *
 * The engine runs in hypercalls and in what else may allocate and free memory:
 * never in an interrupt, nor with interrupts disabled.
 */
#ifndef TMEM_HOST_H
#define TMEM_HOST_H

#include <xen/cache.h>
#include <xen/errno.h>
#include <xen/event.h>
#include <xen/nospec.h>
#include <xen/percpu.h>
#include <xen/sched.h>
#include <xen/spinlock.h>
#include <xen/types.h>
#include <xen/vmap.h>
#include <xen/xmalloc.h>

#include <asm/atomic.h>

#define TMH_CACHE_LINE SMP_CACHE_BYTES

/* There are no modules. */
#define TMH_EXPORT(function) struct tmem_exported_##function

/*
 * Set while tmem allocates. If there is no memory the engine evicts, and counts how
 * much it does for one operation, which tmem_give_back() could not.
 */
DECLARE_PER_CPU(bool, tmem_allocates);

/* Not xzalloc_bytes(), which gives each allocation a cache line of its own. */
static inline void *tmh_alloc(size_t size)
{
    void *memory;

    this_cpu(tmem_allocates) = true;
    memory = _xzalloc(size, __alignof__(uint64_t));
    this_cpu(tmem_allocates) = false;

    return memory;
}

static inline void tmh_free(void *memory, size_t size)
{
    xfree(memory);
}

static inline void *tmh_alloc_table(size_t size)
{
    void *memory;

    this_cpu(tmem_allocates) = true;
    memory = vzalloc(size);
    this_cpu(tmem_allocates) = false;

    return memory;
}

static inline void tmh_free_table(void *memory, size_t size)
{
    vfree(memory);
}

/*
 * No interrupt takes these locks, so all who do leave interrupts enabled, as
 * they have to agree about it. Inlined always, so that speculation does not
 * get around the barrier behind the lock by skipping a call.
 */
struct tmh_lock {
    spinlock_t lock;
};

static inline void tmh_lock_init(struct tmh_lock *tmh)
{
    spin_lock_init(&tmh->lock);
}

static always_inline unsigned long tmh_lock(struct tmh_lock *tmh)
{
    spin_lock(&tmh->lock);

    return 0;
}

static always_inline bool tmh_trylock(struct tmh_lock *tmh,
                                      unsigned long *flags)
{
    *flags = 0;

    return spin_trylock(&tmh->lock);
}

static inline void tmh_unlock(struct tmh_lock *tmh, unsigned long flags)
{
    spin_unlock(&tmh->lock);
}

/* Xen's atomic_t is an int. */
struct tmh_ulong {
    unsigned long value;
};

static inline unsigned long tmh_read(const struct tmh_ulong *atomic)
{
    return read_atomic(&atomic->value);
}

static inline void tmh_set(struct tmh_ulong *atomic, unsigned long value)
{
    write_atomic(&atomic->value, value);
}

/*
 * A read barrier is enough: on x86 no store is done before an earlier load,
 * and on Arm the barrier keeps stores behind it as well.
 */
static inline unsigned long tmh_read_acquire(const struct tmh_ulong *atomic)
{
    unsigned long value = read_atomic(&atomic->value);

    smp_rmb();

    return value;
}

/* A write barrier is not, as it does not wait for loads. */
static inline void tmh_set_release(struct tmh_ulong *atomic,
                                   unsigned long value)
{
    smp_mb();
    write_atomic(&atomic->value, value);
}

static inline unsigned long tmh_add_return(struct tmh_ulong *atomic,
                                           unsigned long n)
{
    return arch_fetch_and_add(&atomic->value, n) + n;
}

static inline void tmh_relax(void)
{
    cpu_relax();
}

/* Tasklets run on the idle vCPU, which has no events. */
static inline bool tmh_should_yield(void)
{
    return general_preempt_check();
}

static inline unsigned long tmh_index_nospec(unsigned long index,
                                             unsigned long size)
{
    return array_index_nospec(index, size);
}

#endif /* TMEM_HOST_H */

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */

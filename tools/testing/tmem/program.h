/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the hosts of the tmem engine in programs have in common: types and most atomics.
 */
#ifndef _PROGRAM_H
#define _PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

/* For hosts that have modules */
#define TMH_EXPORT(function) struct tmem_exported_##function

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

static inline void tmh_set_release(struct tmh_ulong *atomic, unsigned long value)
{
	__atomic_store_n(&atomic->value, value, __ATOMIC_RELEASE);
}

static inline unsigned long tmh_add_return(struct tmh_ulong *atomic, unsigned long n)
{
	return __atomic_add_fetch(&atomic->value, n, __ATOMIC_RELAXED);
}

/* An index that a speculating processor does not get beyond @size */

static inline unsigned long tmh_index_nospec(unsigned long index,
					     unsigned long size)
{
	return index < size ? index : 0;
}

#endif /* _PROGRAM_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What tests want of the host of the tmem engine in a program.
 */
#ifndef _HOST_H
#define _HOST_H

#include "tmem_host.h"

/* Every so often the engine is told to stop; 0 never. */
extern unsigned long host_yield_every;
/* So many locks that are tried next are held by somebody else. */
extern unsigned long host_busy_locks;

/* Whoever gives a lock back lets others go first. */
extern bool host_yields_unlocked;

/* Bytes that are allocated. */
unsigned long host_bytes(void);
/* The @k-th allocation from now on fails; 0 none. */
void host_fail_at(unsigned long k);
bool host_has_failed(void);

#endif /* _HOST_H */

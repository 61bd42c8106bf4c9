/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What tests want of Xen. The first ones are those of tools/testing/tmem/user/host.h,
 * so that the engine's tests run in Xen's host too.
 */
#ifndef _HOST_H
#define _HOST_H

#include <xen/tmem.h>
#include "tmem_host.h"

/* Every so often there is something else to do for the processor; 0 never. */
extern unsigned long host_yield_every;
/* So many locks that are tried next are held by somebody else. */
extern unsigned long host_busy_locks;
/* Whoever gives a lock back lets others go first. */
extern bool host_yields_unlocked;

/* Bytes that are allocated, those of frames included. */
unsigned long host_bytes(void);
/* The @k-th allocation from now on fails; 0 none. */
void host_fail_at(unsigned long k);
bool host_has_failed(void);

/* Allocations fail for good. */
extern bool host_no_memory;
/* Frames in the heap, in use and free; total_pages of them are the host's. */
extern long host_used;
/* Bytes of the largest vzalloc() since this was set to 0. */
extern size_t host_largest;
/* Interrupts are off. */
extern bool host_irqs_off;
/* How many there are in the host */
extern unsigned int host_nodes;
/* What XSM says. */
extern int host_xsm;
/* Called once, by who copies the next page, before he does. */
extern void (*host_on_copy)(void);
/* Called once, by who allocates next, before he does. */
extern void (*host_on_alloc)(void);
/* Called whenever a hypercall is going to be continued. */
extern void (*host_on_continue)(void);
/* Instead of host_yield_every. */
extern bool (*host_preempts)(void);

/* What tmem has registered, and what has been printed since host_print_begin(). */
extern void (*host_key)(unsigned char key);
void host_print_begin(void);
const char *host_printed(void);

/* Pages this thread has worked on between two looks at what else there is to do. */
void host_work_begin(void);
unsigned long host_work_most(void);
/* How often this thread's hypercalls were continued. */
extern __thread unsigned long host_continued;

/* Nobody who was in an RCU critical section is there any more. */
void host_quiesce(void);

/* Of guest.c: the thread holds no reference and type of a guest's frame. */
void guest_check_balance(void);
/* Of host.c: it holds no lock. */
void host_check_unlocked(void);
void host_worked(void);

#define GUEST_BASE	0x7f0000000000ul

struct domain *guest_create(unsigned int id, bool hardware);
/* Dies; returns how often that had to be restarted. */
unsigned long guest_destroy(struct domain *d);
/* As assign_pages() in Xen: false if @d would have too much. */
bool guest_grow(struct domain *d, unsigned int pages);
void guest_shrink(struct domain *d, unsigned int pages);
/* @at: of the guest, where the structure is. */
long guest_call(struct vcpu *v, unsigned long at);
/* A sysctl of a privileged domain; what it is told is in @op then. */
struct xen_sysctl_tmem_op;
long guest_control(struct vcpu *v, struct xen_sysctl_tmem_op *op);
struct page_info *guest_page(struct domain *d, unsigned int gfn);

#endif /* _HOST_H */

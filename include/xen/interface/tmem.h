/* SPDX-License-Identifier: MIT */
/*
 * Transcendent memory: what a guest may ask of hypercall __HYPERVISOR_tmem_op
 *
 * Pages are copied in and out by handle: pool, object of 192 bits, index. Xen
 * 4.0 to 4.12 answered the sub-ops up to TMEM_FLUSH_OBJECT. Those behind it are
 * extensions, which TMEM_FEATURES tells of.
 */
#ifndef __XEN_PUBLIC_TMEM_H__
#define __XEN_PUBLIC_TMEM_H__

#include <linux/build_bug.h>
#include <linux/stddef.h>
#include <linux/types.h>

#include <xen/interface/xen.h>

/* Version of the interface, part of the flags of TMEM_NEW_POOL */
#define TMEM_SPEC_VERSION		1

/* Sub-ops, struct tmem_op.cmd; 0, 3, 8 to 10, 101 and 102 are not for guests */
#define TMEM_NEW_POOL			1
#define TMEM_DESTROY_POOL		2
#define TMEM_PUT_PAGE			4
#define TMEM_GET_PAGE			5
#define TMEM_FLUSH_PAGE			6
#define TMEM_FLUSH_OBJECT		7
/*
 * Returns a mask of TMEM_FEATURE_*. Is sent with a pool_id that does not exist:
 * a hypervisor without extensions answers -ENODEV, one without tmem -ENOSYS. One
 * that knows tmem, and was booted without it, answers -ENODEV to everything.
 */
#define TMEM_FEATURES			16
/*
 * u.batch: several page operations. Returns 0 when each entry has its status,
 * -EFAULT if entries cannot be read or written (some may have been done), -E2BIG.
 */
#define TMEM_BATCH			17
/* u.gen: forget len pages of an object, from index on. Returns 1. */
#define TMEM_FLUSH_RANGE		18
/* Returns how many pages a pool has, or -ENODEV. */
#define TMEM_POOL_PAGES			19

/* What TMEM_FEATURES returns */
#define TMEM_FEATURE_BATCH		1	/* TMEM_BATCH, TMEM_FLUSH_RANGE */
#define TMEM_FEATURE_POOL_PAGES		2	/* TMEM_POOL_PAGES */

/* Flags of TMEM_NEW_POOL */
#define TMEM_POOL_PERSIST		1
#define TMEM_POOL_SHARED		2
#define TMEM_POOL_PRECOMPRESSED		4
#define TMEM_POOL_PAGESIZE_SHIFT	4	/* log2 of the page size, less 12 */
#define TMEM_POOL_PAGESIZE_MASK		0xf
#define TMEM_POOL_RESERVED_BITS		0x00ffff00
#define TMEM_POOL_VERSION_SHIFT		24

/* Errors of page operations beyond those of xen/interface/xen.h, negative too */
#define TMEM_EFROZEN			1000	/* the host has frozen tmem */
#define TMEM_EEMPTY			1001	/* the pool is empty */
/* No such sub-op, or no tmem: ENOSYS, which means something else to Linux */
#define TMEM_ENOSYS			38

/* Pools of a guest; their ids are smaller than that */
#define TMEM_MAX_POOLS			16
/* Entries of a batch, at most */
#define TMEM_BATCH_MAX			512

struct tmem_op {
	u32 cmd;
	s32 pool_id;
	union {
		struct {	/* TMEM_NEW_POOL */
			u64 uuid[2];	/* of shared pools */
			u32 flags;
			u32 arg1;
		} new;
		struct {
			u64 oid[3];
			u32 index;
			u32 tmem_offset;	/* 0 */
			u32 pfn_offset;	/* 0 */
			u32 len;		/* TMEM_FLUSH_RANGE: pages */
			xen_pfn_t gmfn;		/* machine frame if PV, else guest frame */
		} gen;
		struct {	/* TMEM_BATCH */
			u32 nr;
			u32 done;		/* 0; the hypervisor's own */
			u64 entries;	/* address of tmem_batch_entry[nr] */
		} batch;
	} u;
};

struct tmem_batch_entry {
	u32 cmd;		/* TMEM_PUT_PAGE, TMEM_GET_PAGE, TMEM_FLUSH_PAGE */
	s32 status;		/* out: what the sub-op alone would return */
	u32 pool_id;
	u32 index;
	u64 oid[3];
	u64 gmfn;
};

static_assert(sizeof(struct tmem_op) == 48 + sizeof(xen_pfn_t));
static_assert(offsetof(struct tmem_op, cmd) == 0);
static_assert(offsetof(struct tmem_op, pool_id) == 4);
static_assert(offsetof(struct tmem_op, u) == 8);
static_assert(offsetof(struct tmem_op, u.new.uuid) == 8);
static_assert(offsetof(struct tmem_op, u.new.flags) == 24);
static_assert(offsetof(struct tmem_op, u.new.arg1) == 28);
static_assert(offsetof(struct tmem_op, u.gen.oid) == 8);
static_assert(offsetof(struct tmem_op, u.gen.index) == 32);
static_assert(offsetof(struct tmem_op, u.gen.tmem_offset) == 36);
static_assert(offsetof(struct tmem_op, u.gen.pfn_offset) == 40);
static_assert(offsetof(struct tmem_op, u.gen.len) == 44);
static_assert(offsetof(struct tmem_op, u.gen.gmfn) == 48);
static_assert(offsetof(struct tmem_op, u.batch.nr) == 8);
static_assert(offsetof(struct tmem_op, u.batch.done) == 12);
static_assert(offsetof(struct tmem_op, u.batch.entries) == 16);
static_assert(sizeof(struct tmem_batch_entry) == 48);
static_assert(offsetof(struct tmem_batch_entry, cmd) == 0);
static_assert(offsetof(struct tmem_batch_entry, status) == 4);
static_assert(offsetof(struct tmem_batch_entry, pool_id) == 8);
static_assert(offsetof(struct tmem_batch_entry, index) == 12);
static_assert(offsetof(struct tmem_batch_entry, oid) == 16);
static_assert(offsetof(struct tmem_batch_entry, gmfn) == 40);

#endif /* __XEN_PUBLIC_TMEM_H__ */

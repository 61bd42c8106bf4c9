/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tests of the hypervisor share; see tmem_conformance_main.c. */
#ifndef _DRIVERS_XEN_TMEM_CONFORMANCE_H
#define _DRIVERS_XEN_TMEM_CONFORMANCE_H

#include <kunit/test.h>

#include <linux/bitmap.h>
#include <linux/bits.h>
#include <linux/types.h>

#include <xen/interface/tmem.h>

/* A frame that no guest has */
#define BAD_GFN		BIT(39)

/**
 * struct conformance - what a test has
 * @pools: Pools that were made, to be removed whatever becomes of the test.
 * @page: One page of memory.
 * @features: Extensions of the hypervisor, TMEM_FEATURE_*.
 */
struct conformance {
	DECLARE_BITMAP(pools, TMEM_MAX_POOLS);
	u64		*page;
	unsigned int	features;
};

void tmc_set_oid(u64 *oid, u64 object);
u32 tmc_new_flags(u32 flags);
int tmc_new_pool_raw(struct kunit *test, u32 flags);
int tmc_new_pool(struct kunit *test, u32 flags);
int tmc_destroy_pool(struct kunit *test, int pool);
int tmc_op_gfn(unsigned int cmd, int pool, u64 object, u32 index,
	       unsigned long gfn);
unsigned long tmc_page_gfn(struct kunit *test);
void tmc_fill(struct kunit *test, u64 tag);
bool tmc_is_filled(struct kunit *test, u64 tag);
int tmc_put(struct kunit *test, int pool, u64 object, u32 index, u64 tag);
int tmc_get(struct kunit *test, int pool, u64 object, u32 index);
int tmc_flush(int pool, u64 object, u32 index);
int tmc_flush_object(int pool, u64 object);
int tmc_new_persistent(struct kunit *test);
int tmc_new_ephemeral(struct kunit *test, u32 flags);
void tmc_need_batch(struct kunit *test);

void tmc_expect_hit(struct kunit *test, int pool, u64 object, u32 index,
		    u64 tag);
void tmc_expect_miss(struct kunit *test, int pool, u64 object, u32 index,
		     int ret);

int tmc_init(struct kunit *test);
void tmc_exit(struct kunit *test);

extern struct kunit_suite tmc_pages_suite, tmc_many_suite, tmc_control_suite;

#endif /* _DRIVERS_XEN_TMEM_CONFORMANCE_H */

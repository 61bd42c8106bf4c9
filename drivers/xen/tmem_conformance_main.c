// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does the hypervisor do with transcendent memory what the interface says?
 *
 * Unlike the unit tests of the driver this makes hypercalls, and expects what Xen
 * 4.12 answered, and the extensions where there are some. It needs all
 * pools of the guest, so the driver must not be in use; and for pages that
 * are not dropped a guest below its memory limit, see
 * Documentation/admin-guide/mm/tmem-xen.rst.
 *
 *  tmem_conformance_main.c	What the tests have in common.
 *  tmem_conformance_pages.c	Each answer, and what becomes of pages.
 *  tmem_conformance_many.c	Many pages, and the extensions.
 *  tmem_conformance_control.c	What is for who runs the host.
 */
#include <kunit/test.h>

#include <linux/mm.h>
#include <linux/module.h>

#include <asm/xen/hypercall.h>
#include <xen/page.h>
#include <xen/xen.h>

#include "tmem_conformance.h"

/* An object that differs from others in each of its words */
void tmc_set_oid(u64 *oid, u64 object)
{
	oid[0] = object;
	oid[1] = ~object;
	oid[2] = object << 32;
}

u32 tmc_new_flags(u32 flags)
{
	return flags | TMEM_SPEC_VERSION << TMEM_POOL_VERSION_SHIFT;
}

/* Pools are noted, to be removed whatever becomes of the test. */
int tmc_new_pool_raw(struct kunit *test, u32 flags)
{
	struct tmem_op op = { .cmd = TMEM_NEW_POOL, .u.new.flags = flags };
	struct conformance *ctx = test->priv;
	int pool = HYPERVISOR_tmem_op(&op);

	if (pool >= 0 && pool < TMEM_MAX_POOLS)
		__set_bit(pool, ctx->pools);
	return pool;
}

int tmc_new_pool(struct kunit *test, u32 flags)
{
	int pool = tmc_new_pool_raw(test, tmc_new_flags(flags));

	KUNIT_ASSERT_GE(test, pool, 0);
	KUNIT_ASSERT_LT(test, pool, TMEM_MAX_POOLS);
	return pool;
}

int tmc_destroy_pool(struct kunit *test, int pool)
{
	struct tmem_op op = { .cmd = TMEM_DESTROY_POOL, .pool_id = pool };
	struct conformance *ctx = test->priv;

	if (pool >= 0 && pool < TMEM_MAX_POOLS)
		__clear_bit(pool, ctx->pools);
	return HYPERVISOR_tmem_op(&op);
}

int tmc_op_gfn(unsigned int cmd, int pool, u64 object, u32 index,
	       unsigned long gfn)
{
	struct tmem_op op = {
		.cmd = cmd,
		.pool_id = pool,
		.u.gen.index = index,
		.u.gen.gmfn = gfn,
	};

	tmc_set_oid(op.u.gen.oid, object);
	return HYPERVISOR_tmem_op(&op);
}

unsigned long tmc_page_gfn(struct kunit *test)
{
	struct conformance *ctx = test->priv;

	return pfn_to_gfn(page_to_pfn(virt_to_page(ctx->page)));
}

/* Contents: each word says whose page it is, and which of them. */

void tmc_fill(struct kunit *test, u64 tag)
{
	struct conformance *ctx = test->priv;
	unsigned int i;

	for (i = 0; i < PAGE_SIZE / sizeof(u64); i++)
		ctx->page[i] = tag << 16 | i;
}

bool tmc_is_filled(struct kunit *test, u64 tag)
{
	struct conformance *ctx = test->priv;
	unsigned int i;

	for (i = 0; i < PAGE_SIZE / sizeof(u64); i++)
		if (ctx->page[i] != (tag << 16 | i))
			return false;
	return true;
}

int tmc_put(struct kunit *test, int pool, u64 object, u32 index, u64 tag)
{
	tmc_fill(test, tag);
	return tmc_op_gfn(TMEM_PUT_PAGE, pool, object, index, tmc_page_gfn(test));
}

/* What there was is gone, so that a page is seen only if it was returned. */
int tmc_get(struct kunit *test, int pool, u64 object, u32 index)
{
	tmc_fill(test, 0xdead);
	return tmc_op_gfn(TMEM_GET_PAGE, pool, object, index, tmc_page_gfn(test));
}

int tmc_flush(int pool, u64 object, u32 index)
{
	return tmc_op_gfn(TMEM_FLUSH_PAGE, pool, object, index, 0);
}

int tmc_flush_object(int pool, u64 object)
{
	return tmc_op_gfn(TMEM_FLUSH_OBJECT, pool, object, 0, 0);
}

/* What there is must be the page that was put, */
void tmc_expect_hit(struct kunit *test, int pool, u64 object, u32 index,
		    u64 tag)
{
	KUNIT_EXPECT_EQ_MSG(test, tmc_get(test, pool, object, index), 1,
			    "object %llu, index %u", object, index);
	KUNIT_EXPECT_TRUE_MSG(test, tmc_is_filled(test, tag),
			      "object %llu, index %u: another page", object,
			      index);
}

/* and a miss leaves the frame alone. */
void tmc_expect_miss(struct kunit *test, int pool, u64 object, u32 index,
		     int ret)
{
	KUNIT_EXPECT_EQ_MSG(test, tmc_get(test, pool, object, index), ret,
			    "object %llu, index %u", object, index);
	KUNIT_EXPECT_TRUE_MSG(test, tmc_is_filled(test, 0xdead),
			      "object %llu, index %u: written to", object,
			      index);
}

/* A persistent pool that takes a page; there is another page in it. */
int tmc_new_persistent(struct kunit *test)
{
	int pool = tmc_new_pool_raw(test, tmc_new_flags(TMEM_POOL_PERSIST));
	int ret;

	if (pool == -EPERM)
		kunit_skip(test, "no persistent pool is given to us");
	KUNIT_ASSERT_GE(test, pool, 0);
	ret = tmc_put(test, pool, ~0ULL, 0, 0);
	if (ret == -ENOMEM)
		kunit_skip(test, "no persistent page is taken: balloon the guest down");
	KUNIT_ASSERT_EQ(test, ret, 1);
	return pool;
}

/* An ephemeral pool with a page in it, so that a miss is 0 */
int tmc_new_ephemeral(struct kunit *test, u32 flags)
{
	int pool = tmc_new_pool(test, flags);

	KUNIT_ASSERT_EQ(test, tmc_put(test, pool, ~0ULL, 0, 0), 1);
	return pool;
}

void tmc_need_batch(struct kunit *test)
{
	struct conformance *ctx = test->priv;

	if (!(ctx->features & TMEM_FEATURE_BATCH))
		kunit_skip(test, "no extensions");
}

/* Return: How many pools can be made; they are removed again. */
static int free_pools(struct kunit *test)
{
	int nr = 0, pool;

	while (tmc_new_pool_raw(test, tmc_new_flags(0)) >= 0)
		nr++;
	for (pool = 0; pool < TMEM_MAX_POOLS; pool++)
		if (test_bit(pool, ((struct conformance *)test->priv)->pools))
			tmc_destroy_pool(test, pool);
	return nr;
}

int tmc_init(struct kunit *test)
{
	struct tmem_op op = { .cmd = TMEM_FEATURES, .pool_id = -1 };
	struct conformance *ctx;
	int ret;

	if (!xen_domain())
		kunit_skip(test, "this is no guest of Xen");
	ret = HYPERVISOR_tmem_op(&op);
	if (ret < 0 && ret != -ENODEV)
		kunit_skip(test, "this Xen has no tmem for us (%d)", ret);
	ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);
	if (!ctx)
		return -ENOMEM;
	ctx->page = (u64 *)__get_free_page(GFP_KERNEL);
	if (!ctx->page)
		return -ENOMEM;
	ctx->features = max(ret, 0);
	test->priv = ctx;
	if (free_pools(test) != TMEM_MAX_POOLS)
		kunit_skip(test, "pools are in use: remove the driver, tmem");
	return 0;
}

void tmc_exit(struct kunit *test)
{
	struct conformance *ctx = test->priv;
	int pool;

	if (!ctx)
		return;
	for_each_set_bit(pool, ctx->pools, TMEM_MAX_POOLS)
		tmc_destroy_pool(test, pool);
	free_page((unsigned long)ctx->page);
}

kunit_test_suites(&tmc_pages_suite, &tmc_many_suite, &tmc_control_suite);

MODULE_DESCRIPTION("Does the Xen hypervisor do with tmem what the interface says?");
MODULE_LICENSE("GPL");

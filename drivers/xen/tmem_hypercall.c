// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the hypervisor is asked for, and what its answers mean
 *
 * Xen 4.0 to 4.12 answered one operation at a time. Later ones have no tmem,
 * unless they also have the extensions of TMEM_FEATURES; so there is nothing to
 * find out for a guest that is not PV about multicalls, which such guests have
 * since Xen 4.15 only.
 */
#define pr_fmt(fmt) "tmem: " fmt

#include <kunit/static_stub.h>

#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/printk.h>

#include <asm/xen/hypercall.h>
#include <xen/page.h>
#include <xen/xen.h>

#include "tmem.h"

/* Frames are handed over as they are. */
static_assert(PAGE_SHIFT == 12);

/* TMEM_FEATURE_* of this hypervisor */
unsigned int xen_tmem_features;
/* Does it take several operations as a multicall? */
bool xen_tmem_multicalls;

/**
 * xen_tmem_hypercall - make a hypercall
 * @op: What is asked for.
 *
 * Context: Any.
 * Return: What the hypervisor answers, see xen_tmem_errno().
 */
int xen_tmem_hypercall(struct tmem_op *op)
{
	KUNIT_STATIC_STUB_REDIRECT(xen_tmem_hypercall, op);
	return HYPERVISOR_tmem_op(op);
}

/**
 * xen_tmem_multicall - make several hypercalls at once
 * @calls: What is asked for; each has its result afterwards.
 * @nr: Number of calls.
 *
 * Context: Any.
 * Return: 0 or a negative error code; then some calls may have no result.
 */
int xen_tmem_multicall(struct multicall_entry *calls, unsigned int nr)
{
	KUNIT_STATIC_STUB_REDIRECT(xen_tmem_multicall, calls, nr);
	return HYPERVISOR_multicall(calls, nr);
}

/**
 * xen_tmem_errno - what the hypervisor's answer means
 * @cmd: The sub-op, TMEM_*.
 * @ret: What it returned.
 *
 * A frozen host refuses pages, but forgets what it is told to forget. A pool that
 * is not there holds nothing that could be forgotten.
 *
 * Return: 0 or more if it was done, for TMEM_NEW_POOL the pool. Otherwise a
 * negative error code, among them -ENOENT for a page or a pool that is not there,
 * -EAGAIN for a frozen host and -EIO for an answer that nobody knows.
 */
int xen_tmem_errno(unsigned int cmd, int ret)
{
	switch (cmd) {
	case TMEM_NEW_POOL:
		if (ret >= 0 && ret < TMEM_MAX_POOLS)
			return ret;
		break;
	case TMEM_DESTROY_POOL:
		if (ret == 1)
			return 0;
		if (!ret)
			return -ENOENT;
		break;
	case TMEM_GET_PAGE:
		if (ret == 1)
			return 0;
		if (!ret || ret == -TMEM_EEMPTY)
			return -ENOENT;
		break;
	case TMEM_PUT_PAGE:
		if (ret == 1)
			return 0;
		if (ret == -TMEM_EFROZEN)
			return -EAGAIN;
		break;
	case TMEM_FLUSH_PAGE:
	case TMEM_FLUSH_OBJECT:
	case TMEM_FLUSH_RANGE:
		if (ret == 1 || ret == -TMEM_EFROZEN || ret == -ENODEV)
			return 0;
		break;
	}
	/* From 512 on Linux has codes of its own, and Xen those of tmem. */
	return ret < 0 && ret > -512 ? ret : -EIO;
}

/**
 * xen_tmem_left_nothing - has a refused put left no page behind?
 * @err: What xen_tmem_errno() made of the answer.
 *
 * Where there are extensions, a put that replaces a page does so, or removes it.
 * That is so for the errors it is known to return: -EAGAIN, -ENOMEM and -ENODEV
 * say that there was none, -ENOSPC and -EFAULT that it has gone. Not so before:
 * Xen 4.6 to 4.12 have looked for memory first, and for an older page only if
 * there was some.
 *
 * Return: false if there may be an older page, which has to be flushed.
 */
bool xen_tmem_left_nothing(int err)
{
	if (!xen_tmem_features)
		return false;
	return err == -EAGAIN || err == -ENOMEM || err == -ENODEV ||
	       err == -ENOSPC || err == -EFAULT;
}

static int tmem_call(struct tmem_op *op)
{
	tmem_count(TMEM_HYPERCALLS, 1);
	return xen_tmem_errno(op->cmd, xen_tmem_hypercall(op));
}

/**
 * xen_tmem_new_shared_pool - get into a pool that is shared, or make it
 * @uuid: What those who share it know it by. Its bytes go as they are: they are those
 *	of the text that the administrator authorises, in that order.
 *
 * Without authorisation the hypervisor makes a pool that is not shared, and does not
 * say so.
 *
 * Context: Any.
 * Return: As xen_tmem_new_pool().
 */
int xen_tmem_new_shared_pool(const uuid_t *uuid)
{
	struct tmem_op op = {
		.cmd = TMEM_NEW_POOL,
		.pool_id = TMEM_NO_POOL,
		.u.new.flags = TMEM_POOL_SHARED |
			       TMEM_SPEC_VERSION << TMEM_POOL_VERSION_SHIFT,
	};

	static_assert(sizeof(op.u.new.uuid) == sizeof(*uuid));
	memcpy(op.u.new.uuid, uuid, sizeof(*uuid));
	return tmem_call(&op);
}

/**
 * xen_tmem_new_pool - make a pool
 * @flags: TMEM_POOL_PERSIST or 0.
 *
 * Context: Any.
 * Return: The hypervisor's id of it, 0 or more, or a negative error code: -EPERM
 * if there are TMEM_MAX_POOLS, -ENOMEM.
 */
int xen_tmem_new_pool(u32 flags)
{
	struct tmem_op op = {
		.cmd = TMEM_NEW_POOL,
		.pool_id = TMEM_NO_POOL,
		.u.new.flags = flags |
			       TMEM_SPEC_VERSION << TMEM_POOL_VERSION_SHIFT,
	};

	return tmem_call(&op);
}

/**
 * xen_tmem_destroy_pool - remove a pool with everything in it
 * @pool: Its id.
 *
 * Context: Any.
 * Return: 0, -ENOENT if there was no such pool, -ENODEV if there are never any, or
 * another negative error code.
 */
int xen_tmem_destroy_pool(int pool)
{
	struct tmem_op op = { .cmd = TMEM_DESTROY_POOL, .pool_id = pool };

	return tmem_call(&op);
}

/**
 * xen_tmem_drop_pool - remove a pool of which nothing is needed any more
 * @pool: Its id. A line in the log if the hypervisor keeps it.
 *
 * Context: Any.
 */
void xen_tmem_drop_pool(int pool)
{
	int err = xen_tmem_destroy_pool(pool);

	if (err && err != -ENOENT)
		pr_warn("the hypervisor keeps pool %d, and what is in it: error %d\n",
			pool, err);
}

/*
 * After a kexec, or when a hibernation image is resumed, the pools of the kernel
 * that ran before are still there, and what they hold counts as ours.
 */
static int tmem_destroy_all_pools(void)
{
	int pool, err = 0;

	for (pool = 0; pool < TMEM_MAX_POOLS && err != -ENODEV; pool++)
		err = xen_tmem_destroy_pool(pool);
	return err == -ENODEV ? err : 0;
}

/**
 * xen_tmem_probe - begin anew with a hypervisor
 *
 * Finds out what it can do, for xen_tmem_features and xen_tmem_multicalls, and
 * removes all pools. One line in the log if there is no tmem.
 *
 * Context: Any. Nobody uses a pool.
 * Return: 0, or -ENODEV without tmem.
 */
int xen_tmem_probe(void)
{
	struct tmem_op op = { .cmd = TMEM_FEATURES, .pool_id = TMEM_NO_POOL };
	int ret = xen_tmem_hypercall(&op);

	xen_tmem_features = max(ret, 0);
	xen_tmem_multicalls = xen_pv_domain();
	/*
	 * Who does not know the question says that there is no such pool, or
	 * that it was booted without tmem. No other answer is -ENODEV then.
	 */
	if (ret >= 0 || ret == -ENODEV)
		ret = tmem_destroy_all_pools();
	if (!ret)
		return 0;
	pr_info("this Xen has no tmem for us (%d)\n", ret);
	return -ENODEV;
}

/**
 * xen_tmem_held - what the hypervisor has of ours
 * @pools: Set to the number of pools.
 *
 * Context: Any.
 * Return: How many pages; 0, and no pools, if the hypervisor does not tell.
 */
unsigned long xen_tmem_held(unsigned int *pools)
{
	struct tmem_op op = { .cmd = TMEM_POOL_PAGES };
	unsigned long pages = 0;
	int ret;

	*pools = 0;
	if (!(xen_tmem_features & TMEM_FEATURE_POOL_PAGES))
		return 0;
	for (; op.pool_id < TMEM_MAX_POOLS; op.pool_id++) {
		ret = xen_tmem_hypercall(&op);
		if (ret < 0)
			continue;
		pages += ret;
		++*pools;
	}
	return pages;
}

static int tmem_flush_page(int pool, const struct tmem_oid *oid, u32 index)
{
	struct tmem_op op = { .cmd = TMEM_FLUSH_PAGE, .pool_id = pool };

	memcpy(op.u.gen.oid, oid->id, sizeof(op.u.gen.oid));
	op.u.gen.index = index;
	tmem_count(TMEM_FLUSH_CALLS, 1);
	return tmem_call(&op);
}

static int tmem_flush_range(int pool, const struct tmem_oid *oid, u32 index,
			    unsigned int nr)
{
	struct tmem_op op = { .cmd = TMEM_FLUSH_RANGE, .pool_id = pool };

	memcpy(op.u.gen.oid, oid->id, sizeof(op.u.gen.oid));
	op.u.gen.index = index;
	op.u.gen.len = nr;
	tmem_count(TMEM_FLUSH_CALLS, 1);
	return tmem_call(&op);
}

/**
 * xen_tmem_flush_pages - forget some pages of an object
 * @pool: The hypervisor's id of the pool.
 * @oid: The object.
 * @index: The first page.
 * @nr: Number of pages.
 *
 * Called where an operation of the same CPU may be interrupted, so its batch is
 * not used.
 *
 * Context: Any.
 * Return: 0 if none of them is there any more, or a negative error code.
 */
int xen_tmem_flush_pages(int pool, const struct tmem_oid *oid, u32 index,
			 unsigned int nr)
{
	int ret, err = 0;

	if (nr > 1 && (xen_tmem_features & TMEM_FEATURE_BATCH) &&
	    !tmem_flush_range(pool, oid, index, nr))
		return 0;
	while (nr--) {
		ret = tmem_flush_page(pool, oid, index++);
		err = err ?: ret;
	}
	return err;
}

/**
 * xen_tmem_flush_object - forget all pages of an object
 * @pool: The hypervisor's id of the pool.
 * @oid: The object.
 *
 * Context: Any.
 * Return: 0 if none is there any more, or a negative error code.
 */
int xen_tmem_flush_object(int pool, const struct tmem_oid *oid)
{
	struct tmem_op op = { .cmd = TMEM_FLUSH_OBJECT, .pool_id = pool };

	memcpy(op.u.gen.oid, oid->id, sizeof(op.u.gen.oid));
	tmem_count(TMEM_FLUSH_CALLS, 1);
	return tmem_call(&op);
}

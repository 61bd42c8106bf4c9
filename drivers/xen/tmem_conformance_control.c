// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the hypervisor's tmem: its control, which is for who runs the host
 *
 * A guest may ask for nothing; dom0 asks about itself. Toolstacks do that, not kernels:
 * so the structures are here, and only of the Xen that has them, 4.17.
 */
#include <kunit/test.h>

#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/types.h>

#include <asm/xen/hypercall.h>
#include <xen/xen.h>

#include "tmem_conformance.h"

#define SYSCTL_TMEM_OP		24
#define SYSCTL_VERSION		0x15

#define CONTROL_THAW		0
#define CONTROL_FREEZE		1
#define CONTROL_EVICT		2
#define CONTROL_DESTROY		3
#define CONTROL_GET_CLIENT	5
#define CONTROL_SET_CLIENT	6
#define CONTROL_GET_POOLS	7
#define CONTROL_FREEABLE	8
#define CONTROL_SET_AUTH	11
#define CONTROL_GET_AUTHS	40
#define CONTROLS		64 /* more than there have ever been */

#define CONTROL_ALL		0xffff
#define CLIENT_ENABLED		BIT(0)
#define CLIENT_PERSISTENT	BIT(1)
#define CLIENT_FROZEN		BIT(2)

/**
 * struct tmc_sysctl - struct xen_sysctl with a struct xen_sysctl_tmem_op
 * @cmd: SYSCTL_TMEM_OP
 * @version: SYSCTL_VERSION
 * @op: CONTROL_*
 * @domain: Whom it is about.
 * @nr: Room for pools, or how many there are.
 * @pad: 0
 * @client: What a domain may have, and has.
 * @pages: How many are to be evicted, or were.
 * @u: What there is no name for here.
 */
struct tmc_sysctl {
	u32	cmd;
	u32	version;
	u32	op;
	u32	domain;
	u32	nr;
	u32	pad;
	union {
		struct {
			u32	flags;
			u32	weight;
			u64	quota;
			u32	nr_pools;
			u32	charged_pages;
			u64	persistent_pages;
			u64	ephemeral_pages;
		} client;
		u64	pages;
		u64	u[14];
	};
};

/* Our own id is 0 where more is answered than -EPERM. */
static int control(u32 op, u32 domain, struct tmc_sysctl *sysctl)
{
	sysctl->cmd = SYSCTL_TMEM_OP;
	sysctl->version = SYSCTL_VERSION;
	sysctl->op = op;
	sysctl->domain = domain;
	return privcmd_call(__HYPERVISOR_sysctl, (unsigned long)sysctl, 0, 0, 0, 0);
}

static int control_self(u32 op)
{
	struct tmc_sysctl sysctl = {};

	return control(op, 0, &sysctl);
}

static int set_client(u32 flags, u32 weight, u64 quota)
{
	struct tmc_sysctl sysctl = {
		.client = { .flags = flags, .weight = weight, .quota = quota },
	};

	return control(CONTROL_SET_CLIENT, 0, &sysctl);
}

static void need_dom0(struct kunit *test)
{
	tmc_need_batch(test);
	if (!xen_initial_domain())
		kunit_skip(test, "this is not dom0");
}

static void control_by_guest(struct kunit *test)
{
	static const u32 domains[] = { 0, 1, 2, 0x7ff0, CONTROL_ALL };
	int pool, i;

	tmc_need_batch(test);
	if (xen_initial_domain())
		kunit_skip(test, "this is dom0");
	pool = tmc_new_ephemeral(test, 0);
	KUNIT_EXPECT_EQ(test, tmc_put(test, pool, 1, 0, 1), 1);
	for (i = 0; i < ARRAY_SIZE(domains) * CONTROLS; i++) {
		struct tmc_sysctl sysctl = { .nr = i & 1 };

		KUNIT_EXPECT_EQ_MSG(test, control(i % CONTROLS, domains[i / CONTROLS],
						  &sysctl), -EPERM, "%d", i);
	}
	tmc_expect_hit(test, pool, 1, 0, 1);
}

static void control_answers(struct kunit *test)
{
	static const u32 nobody[] = { 0x7000, 0x7ff0, 0xfffe, 0x10000, ~0U };
	struct tmc_sysctl sysctl;
	int i;

	need_dom0(test);
	for (i = 9; i < CONTROLS; i++)
		if (i != CONTROL_SET_AUTH && i != CONTROL_GET_AUTHS)
			KUNIT_EXPECT_EQ_MSG(test, control_self(i), -EOPNOTSUPP, "%d", i);
	for (i = 0; i < ARRAY_SIZE(nobody); i++) {
		sysctl = (struct tmc_sysctl){};
		KUNIT_EXPECT_EQ_MSG(test, control(CONTROL_GET_CLIENT, nobody[i],
						  &sysctl), -ESRCH, "%x", nobody[i]);
	}
	sysctl = (struct tmc_sysctl){ .pad = 1 };
	KUNIT_EXPECT_EQ(test, control(CONTROL_FREEABLE, 0, &sysctl), -EINVAL);
	sysctl = (struct tmc_sysctl){ .u[13] = 1 };
	KUNIT_EXPECT_EQ(test, control(CONTROL_FREEZE, 0, &sysctl), -EINVAL);
	sysctl = (struct tmc_sysctl){ .nr = 1 };
	KUNIT_EXPECT_EQ(test, control(CONTROL_GET_POOLS, 0, &sysctl), 0);
	KUNIT_EXPECT_EQ(test, sysctl.nr, 0);
	KUNIT_EXPECT_EQ(test, control_self(CONTROL_FREEABLE), 0);
	KUNIT_EXPECT_EQ(test, set_client(CLIENT_ENABLED, 65536, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, set_client(~0U, 1, 0), -EINVAL);
}

static int set_auth(u64 uuid, u64 auth)
{
	struct tmc_sysctl sysctl = { .u = { 0, uuid, auth } };

	return control(CONTROL_SET_AUTH, 0, &sysctl);
}

static void expect_auths(struct kunit *test, u32 nr)
{
	struct tmc_sysctl sysctl = {};

	KUNIT_EXPECT_EQ(test, control(CONTROL_GET_AUTHS, 0, &sysctl), 0);
	KUNIT_EXPECT_EQ(test, sysctl.nr, nr);
}

static void control_authorises(struct kunit *test)
{
	need_dom0(test);
	KUNIT_EXPECT_EQ(test, set_auth(0, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, set_auth(1, 2), -EINVAL);
	expect_auths(test, 0);
	KUNIT_EXPECT_EQ(test, set_auth(1, 1), 0);
	KUNIT_EXPECT_EQ(test, set_auth(1, 1), 0);
	expect_auths(test, 1);
	KUNIT_EXPECT_EQ(test, set_auth(1, 0), 0);
	expect_auths(test, 0);
}

static void control_freezes(struct kunit *test)
{
	struct tmc_sysctl sysctl = {};
	int pool;

	need_dom0(test);
	pool = tmc_new_ephemeral(test, 0);
	KUNIT_EXPECT_EQ(test, tmc_put(test, pool, 1, 0, 1), 1);
	KUNIT_EXPECT_EQ(test, control_self(CONTROL_FREEZE), 0);
	KUNIT_EXPECT_EQ(test, control(CONTROL_GET_CLIENT, 0, &sysctl), 0);
	KUNIT_EXPECT_TRUE(test, sysctl.client.flags & CLIENT_FROZEN);
	KUNIT_EXPECT_EQ(test, sysctl.client.nr_pools, 1);
	KUNIT_EXPECT_EQ(test, tmc_put(test, pool, 1, 1, 2), -TMEM_EFROZEN);
	KUNIT_EXPECT_EQ(test, tmc_put(test, pool, 1, 0, 3), 1);
	tmc_expect_hit(test, pool, 1, 0, 3);
	sysctl = (struct tmc_sysctl){};
	KUNIT_EXPECT_EQ(test, control(CONTROL_THAW, CONTROL_ALL, &sysctl), 0);
	KUNIT_EXPECT_EQ(test, tmc_put(test, pool, 1, 1, 2), 1);
}

/* Back to what it was, if it was what is the default */
static void control_sets(struct kunit *test)
{
	struct tmc_sysctl sysctl = {};
	int pool;

	need_dom0(test);
	pool = tmc_new_ephemeral(test, 0);
	KUNIT_EXPECT_EQ(test, set_client(0, 7, 5), 0);
	KUNIT_EXPECT_EQ(test, tmc_new_pool_raw(test, tmc_new_flags(0)), -TMEM_ENOSYS);
	KUNIT_EXPECT_EQ(test, tmc_put(test, pool, 1, 0, 1), 1);
	KUNIT_EXPECT_EQ(test, control(CONTROL_GET_CLIENT, 0, &sysctl), 0);
	KUNIT_EXPECT_EQ(test, sysctl.client.flags, 0);
	KUNIT_EXPECT_EQ(test, sysctl.client.weight, 7);
	KUNIT_EXPECT_EQ(test, sysctl.client.quota, 5);
	KUNIT_EXPECT_EQ(test, sysctl.client.ephemeral_pages, 2);
	KUNIT_EXPECT_EQ(test, set_client(CLIENT_ENABLED, 1, ~0ULL), 0);
	KUNIT_EXPECT_EQ(test, tmc_new_pool_raw(test,
					       tmc_new_flags(TMEM_POOL_PERSIST)),
			-EPERM);
	KUNIT_EXPECT_EQ(test, set_client(CLIENT_ENABLED | CLIENT_PERSISTENT, 1,
					 ~0ULL), 0);
}

/* So much that it has to be continued, if there is anything else to do */
static void control_takes_back(struct kunit *test)
{
	struct tmc_sysctl sysctl = { .pages = 1000 };
	int pool, i;

	need_dom0(test);
	pool = tmc_new_ephemeral(test, 0);
	for (i = 0; i < 3000; i++)
		if (tmc_put(test, pool, 1, i, i) != 1)
			kunit_skip(test, "no memory");
	KUNIT_EXPECT_EQ(test, control(CONTROL_EVICT, 0, &sysctl), 0);
	KUNIT_EXPECT_EQ(test, sysctl.pages, 1000);
	KUNIT_EXPECT_EQ(test, sysctl.nr, 0);
	tmc_expect_miss(test, pool, 1, 0, 0);
	tmc_expect_hit(test, pool, 1, 2999, 2999);
	KUNIT_EXPECT_EQ(test, control_self(CONTROL_DESTROY), 0);
	KUNIT_EXPECT_EQ(test, tmc_get(test, pool, 1, 2998), -ENODEV);
	KUNIT_EXPECT_EQ(test, tmc_destroy_pool(test, pool), 0);
	sysctl = (struct tmc_sysctl){};
	KUNIT_EXPECT_EQ(test, control(CONTROL_GET_CLIENT, 0, &sysctl), 0);
	KUNIT_EXPECT_EQ(test, sysctl.client.nr_pools, 0);
	KUNIT_EXPECT_EQ(test, sysctl.client.ephemeral_pages, 0);
}

static struct kunit_case control_cases[] = {
	KUNIT_CASE(control_by_guest),
	KUNIT_CASE(control_answers),
	KUNIT_CASE(control_authorises),
	KUNIT_CASE(control_freezes),
	KUNIT_CASE(control_sets),
	KUNIT_CASE_SLOW(control_takes_back),
	{}
};

struct kunit_suite tmc_control_suite = {
	.name = "tmem_conformance_control",
	.init = tmc_init,
	.exit = tmc_exit,
	.test_cases = control_cases,
};

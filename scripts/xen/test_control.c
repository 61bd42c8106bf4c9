// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the administrator may ask for, field by field, and what he is told of pools.
 */
#include "scene.h"

#define ALL_CLIENTS XEN_SYSCTL_TMEM_OP_ALL_CLIENTS

static const uint32_t known[] = {
	XEN_SYSCTL_TMEM_OP_THAW, XEN_SYSCTL_TMEM_OP_FREEZE,
	XEN_SYSCTL_TMEM_OP_EVICT, XEN_SYSCTL_TMEM_OP_DESTROY,
	XEN_SYSCTL_TMEM_OP_GET_CLIENT_INFO, XEN_SYSCTL_TMEM_OP_SET_CLIENT_INFO,
	XEN_SYSCTL_TMEM_OP_GET_POOLS, XEN_SYSCTL_TMEM_OP_QUERY_FREEABLE_MB,
	XEN_SYSCTL_TMEM_OP_GET_AUTHS, XEN_SYSCTL_TMEM_OP_SET_AUTH,
};

static bool is_for_domain(uint32_t cmd)
{
	return cmd != XEN_SYSCTL_TMEM_OP_QUERY_FREEABLE_MB;
}

static bool is_for_all(uint32_t cmd)
{
	return cmd == XEN_SYSCTL_TMEM_OP_THAW ||
		cmd == XEN_SYSCTL_TMEM_OP_FREEZE ||
		cmd == XEN_SYSCTL_TMEM_OP_EVICT;
}

/* One that is good, and changes nothing */
static struct xen_sysctl_tmem_op good_op(uint32_t cmd, uint32_t id)
{
	struct xen_sysctl_tmem_op op = {
		.cmd = cmd, .cli_id = is_for_domain(cmd) ? id : 0,
	};

	if (cmd == XEN_SYSCTL_TMEM_OP_SET_CLIENT_INFO)
		op.u.client = (struct xen_sysctl_tmem_client){
			.flags = ENABLED, .weight = 1,
			.quota = XEN_SYSCTL_TMEM_NO_QUOTA,
		};
	if (cmd == XEN_SYSCTL_TMEM_OP_SET_AUTH)
		op.u.auth.uuid[0] = op.u.auth.uuid[1] = 1;
	return op;
}

void test_control_without_tmem(struct tmem_test *test)
{
	struct scene scene;
	unsigned int i;

	TMEM_EXPECT(test, !xen_begin(test, "0,dom0,domu"));
	guest_begin(&scene, test, 1, 0);
	for (i = 0; i < ARRAY_SIZE(known); i++) {
		struct xen_sysctl_tmem_op op = good_op(known[i], 1);

		TMEM_EXPECT(test, guest_control(&scene.v, &op) == -EOPNOTSUPP);
	}
	TMEM_EXPECT(test, !scene.d->tmem);
	guest_end(&scene);
	xen_end(test);
}

void test_control_of_unknown_commands(struct tmem_test *test)
{
	struct xen_sysctl_tmem_op op;
	struct scene scene;
	unsigned int i;
	uint32_t cmd;

	scene_begin(&scene, test, PERSISTENT);
	put_many(&scene, 1, 3);
	for (cmd = 0; cmd < 301; cmd++) {
		for (i = 0; i < ARRAY_SIZE(known) && known[i] != cmd; i++)
			;
		if (i < ARRAY_SIZE(known))
			continue;
		memset(&op, 0, sizeof(op));
		op.cmd = cmd == 300 ? ~0u : cmd;
		op.cli_id = 1;
		TMEM_EXPECT(test, guest_control(&scene.v, &op) == -EOPNOTSUPP);
		memset(&op.u, 0xff, sizeof(op.u));
		op.cli_id = ALL_CLIENTS;
		TMEM_EXPECT(test, guest_control(&scene.v, &op) == -EOPNOTSUPP);
	}
	TMEM_EXPECT(test, usage_of(&scene).persistent_pages == 3);
	scene_end(&scene);
}

/* Bytes that may be anything: those that are in use, and those that are told. */
static bool may_be_set(uint32_t cmd, size_t byte)
{
	size_t u = offsetof(struct xen_sysctl_tmem_op, u), nr = 8, pad = 12;

	switch (cmd) {
	case XEN_SYSCTL_TMEM_OP_EVICT:
		return byte >= u && byte < u + 8;
	case XEN_SYSCTL_TMEM_OP_GET_CLIENT_INFO:
		return byte >= u;
	case XEN_SYSCTL_TMEM_OP_SET_CLIENT_INFO:
		return byte >= u + offsetof(struct xen_sysctl_tmem_client, nr_pools);
	case XEN_SYSCTL_TMEM_OP_GET_POOLS:
	case XEN_SYSCTL_TMEM_OP_GET_AUTHS:
		return (byte >= nr && byte < pad) || (byte >= u && byte < u + 8);
	case XEN_SYSCTL_TMEM_OP_QUERY_FREEABLE_MB:
		return byte >= u && byte < u + 8;
	case XEN_SYSCTL_TMEM_OP_SET_AUTH:
		return byte >= u && byte < u + 16;
	default:
		return false;
	}
}

/* Each byte from the third field on, in each command */
void test_control_checks_each_field(struct tmem_test *test)
{
	struct xen_sysctl_tmem_op op;
	uint8_t *bytes = (uint8_t *)&op;
	unsigned int i, byte, bit;
	struct scene scene;
	long rc;

	_Static_assert(sizeof(op) == 128, "layout");
	_Static_assert(sizeof(struct xen_sysctl) == 136, "it must not grow");
	scene_begin(&scene, test, 0);
	for (i = 0; i < ARRAY_SIZE(known); i++)
		for (byte = 8; byte < sizeof(op); byte++)
			for (bit = 0; bit < 8; bit++) {
				op = good_op(known[i], 1);
				TMEM_EXPECT(test, guest_control(&scene.v, &op) == 0);
				op = good_op(known[i], 1);
				bytes[byte] ^= 1 << bit;
				rc = guest_control(&scene.v, &op);
				if (may_be_set(known[i], byte) ||
				    (known[i] == XEN_SYSCTL_TMEM_OP_SET_AUTH &&
				     byte == 16 + 16 && !bit))
					TMEM_EXPECT(test, rc == 0);
				else if (known[i] == XEN_SYSCTL_TMEM_OP_DESTROY &&
					 byte == 8)
					/* Of its own, up to the number of pools */
					TMEM_EXPECT(test, rc == (bit < 5 ? 0 : -EINVAL));
				else if (byte < 16 + 16 && byte >= 16 && known[i] ==
					 XEN_SYSCTL_TMEM_OP_SET_CLIENT_INFO)
					continue; /* the next test's */
				else
					TMEM_EXPECT(test, rc == -EINVAL);
			}
	op = good_op(XEN_SYSCTL_TMEM_OP_QUERY_FREEABLE_MB, 1);
	op.cli_id = 1;
	TMEM_EXPECT(test, guest_control(&scene.v, &op) == -EINVAL);
	scene_end(&scene);
}

void test_control_checks_what_it_sets(struct tmem_test *test)
{
	static const struct {
		uint32_t flags, weight;
		uint64_t quota;
		bool good;
	} cases[] = {
		{ 0, 0, 0, true },
		{ XEN_SYSCTL_TMEM_ENABLED, 65535, 1, true },
		{ XEN_SYSCTL_TMEM_PERSISTENT, 1, 1ull << 40, true },
		{ ENABLED, TMEM_MAX_WEIGHT + 1, 1, false },
		{ ENABLED, ~0u, 1, false },
		{ ENABLED, 1u << 31, 1, false },
		{ ENABLED, 7, ~0ull >> 1, true },
		{ ENABLED, 8, ~0ull, true },
		{ ENABLED, 9, (~0ull >> 1) + 1, false },
		{ ENABLED, 9, ~0ull - 1, false },
		{ ENABLED | XEN_SYSCTL_TMEM_FROZEN, 9, 1, false },
	};
	struct xen_sysctl_tmem_client before, after;
	struct scene scene;
	unsigned int i;

	scene_begin(&scene, test, PERSISTENT);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		before = client_of(&scene);
		TMEM_EXPECT(test, set_client(&scene, cases[i].flags,
					     cases[i].weight, cases[i].quota) ==
			    (cases[i].good ? 0 : -EINVAL));
		after = client_of(&scene);
		if (cases[i].good) {
			before.flags = cases[i].flags;
			before.weight = cases[i].weight;
			before.quota = cases[i].quota;
		}
		/* No quota is one that nobody reaches. */
		if (before.quota == ~0ull >> 1)
			before.quota = XEN_SYSCTL_TMEM_NO_QUOTA;
		TMEM_EXPECT(test, !memcmp(&before, &after, sizeof(after)));
	}
	for (i = 2; i < 32; i++)
		TMEM_EXPECT(test, set_client(&scene, ENABLED | 1u << i, 1, 1) ==
			    -EINVAL);
	TMEM_EXPECT(test, client_of(&scene).flags == ENABLED);
	scene_end(&scene);
}

/* What is truncated to an id of 16 bits must not become that of a domain. */
void test_control_of_no_domain(struct tmem_test *test)
{
	static const uint32_t ids[] = {
		2, DOMID_FIRST_RESERVED - 1, DOMID_FIRST_RESERVED, 0x7ff0, 0x7ff1,
		0x7ff2, 0x7fff, 0x8000, 0x8001, 0xfffe, ALL_CLIENTS, 0x10000,
		0x10001, 0x1ffff, 1u << 31, (1u << 31) + 1, ~0u,
	};
	struct scene scene;
	unsigned int i;

	scene_begin(&scene, test, PERSISTENT);
	for (i = 0; i < ARRAY_SIZE(ids) * ARRAY_SIZE(known); i++) {
		uint32_t cmd = known[i % ARRAY_SIZE(known)];
		uint32_t id = ids[i / ARRAY_SIZE(known)];
		struct xen_sysctl_tmem_op op = good_op(cmd, id);

		if (is_for_domain(cmd))
			TMEM_EXPECT(test, guest_control(&scene.v, &op) ==
				    (id == ALL_CLIENTS && is_for_all(cmd) ? 0 :
				     -ESRCH));
	}
	scene_end(&scene);
}

static long get_pools(struct scene *scene, uint32_t *nr, unsigned long at)
{
	struct xen_sysctl_tmem_op op = {
		.cmd = XEN_SYSCTL_TMEM_OP_GET_POOLS,
		.cli_id = scene->d->domain_id, .nr = *nr,
	};
	long rc;

	op.u.pools.p = (void *)at;
	rc = guest_control(&scene->v, &op);
	*nr = op.nr;
	return rc;
}

static struct xen_sysctl_tmem_pool *pool_at(struct scene *scene, unsigned int i)
{
	return (struct xen_sysctl_tmem_pool *)(scene->d->memory + POOLS_AT -
					       GUEST_BASE) + i;
}

static bool is_untouched(struct scene *scene, unsigned int i)
{
	return !memchr_inv(pool_at(scene, i), 0xee, sizeof(*pool_at(scene, i)));
}

void test_control_of_pools(struct tmem_test *test)
{
	struct tmem_op op = { .cmd = TMEM_NEW_POOL, .u.creat = {
		.flags = EPHEMERAL | TMEM_POOL_SHARED, .uuid = { 3, ~0ull } } };
	uint32_t room, nr;
	struct scene scene;

	scene_begin(&scene, test, PERSISTENT);
	put_many(&scene, 1, 20);
	TMEM_EXPECT(test, get(&scene, 1, 3) == 4);
	TMEM_EXPECT(test, page_op(&scene, TMEM_FLUSH_PAGE, 1, 3) == 1);
	TMEM_EXPECT(test, new_pool(&scene, EPHEMERAL) == 1);
	TMEM_EXPECT(test, call(&scene, &op) == 2);
	TMEM_EXPECT(test, pool_op(&scene, TMEM_DESTROY_POOL, 1) == 1);
	for (room = 0; room < 5; room++) {
		memset(scene.d->memory, 0xee, XEN_MEMORY);
		nr = room;
		/* Without room it does not matter where that is. */
		TMEM_EXPECT(test, get_pools(&scene, &nr, room ? POOLS_AT : 0) == 0);
		TMEM_EXPECT(test, nr == 2);
		TMEM_EXPECT(test, is_untouched(&scene, room < 2 ? room : 2));
		TMEM_EXPECT(test, room < 2 || !is_untouched(&scene, 1));
	}
	TMEM_EXPECT(test, pool_at(&scene, 0)->id == 0);
	TMEM_EXPECT(test, pool_at(&scene, 0)->flags == PERSISTENT);
	TMEM_EXPECT(test, pool_at(&scene, 0)->pages == 19);
	TMEM_EXPECT(test, pool_at(&scene, 0)->objects == 1);
	TMEM_EXPECT(test, pool_at(&scene, 0)->stats.puts == 20);
	TMEM_EXPECT(test, pool_at(&scene, 0)->stats.hits == 1);
	TMEM_EXPECT(test, pool_at(&scene, 0)->stats.flushed == 1);
	TMEM_EXPECT(test, pool_at(&scene, 1)->id == 2);
	/* Nobody has authorised it to share pages. */
	TMEM_EXPECT(test, pool_at(&scene, 1)->flags == EPHEMERAL);
	TMEM_EXPECT(test, pool_at(&scene, 1)->uuid[0] == 3);
	TMEM_EXPECT(test, pool_at(&scene, 1)->uuid[1] == ~0ull);
	nr = 1;
	TMEM_EXPECT(test, get_pools(&scene, &nr, 0) == -EFAULT);
	nr = 2;
	TMEM_EXPECT(test, get_pools(&scene, &nr, GUEST_BASE + XEN_MEMORY - 100) ==
		    -EFAULT);
	nr = ~0u;
	TMEM_EXPECT(test, get_pools(&scene, &nr, GUEST_BASE + XEN_MEMORY - 2 *
				    sizeof(struct xen_sysctl_tmem_pool)) == 0);
	TMEM_EXPECT(test, nr == 2);
	scene_end(&scene);
}

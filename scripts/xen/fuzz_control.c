// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sysctls that libFuzzer chooses: what they do to domains is written down for the model,
 * and what they tell is compared with it.
 */
#include "fuzz.h"

static void expect_client(struct guest *guest,
			  const struct xen_sysctl_tmem_client *told)
{
	struct tmem_usage usage = usage_of(&guest->scene);

	CHECK(told->flags == guest->flags);
	CHECK(told->weight == guest->weight && told->quota == guest->quota);
	CHECK(told->nr_pools == usage.pools);
	CHECK(told->charged_pages == guest->scene.d->tmem_pages);
	CHECK(told->persistent_pages == usage.persistent_pages);
	CHECK(told->ephemeral_pages == usage.ephemeral_pages);
}

/* It was done. */
static void controlled(struct guest *guest, const struct xen_sysctl_tmem_op *op)
{
	switch (op->cmd) {
	case XEN_SYSCTL_TMEM_OP_THAW:
		guest->flags &= ~XEN_SYSCTL_TMEM_FROZEN;
		break;
	case XEN_SYSCTL_TMEM_OP_FREEZE:
		/* All are those that have any. */
		if (guest->scene.d->tmem)
			guest->flags |= XEN_SYSCTL_TMEM_FROZEN;
		break;
	case XEN_SYSCTL_TMEM_OP_DESTROY:
		forget_pools(guest);
		break;
	case XEN_SYSCTL_TMEM_OP_GET_CLIENT_INFO:
		expect_client(guest, &op->u.client);
		break;
	case XEN_SYSCTL_TMEM_OP_SET_CLIENT_INFO:
		CHECK(!(op->u.client.flags & ~ENABLED));
		guest->flags &= XEN_SYSCTL_TMEM_FROZEN;
		guest->flags |= op->u.client.flags;
		guest->weight = op->u.client.weight;
		guest->quota = op->u.client.quota;
		if (guest->quota == TMEM_UNLIMITED)
			guest->quota = XEN_SYSCTL_TMEM_NO_QUOTA;
		break;
	case XEN_SYSCTL_TMEM_OP_SET_AUTH:
		CHECK(op->u.auth.auth < 2 && !op->u.auth.pad);
		set_auth(guest, op->u.auth.uuid, op->u.auth.auth);
		break;
	}
}

/* Told in an array */
static bool is_list(uint32_t cmd)
{
	return cmd == XEN_SYSCTL_TMEM_OP_GET_POOLS ||
		cmd == XEN_SYSCTL_TMEM_OP_GET_AUTHS;
}

/* What is right, but for a bit here and there */
static struct xen_sysctl_tmem_op some_control(struct guest *guest)
{
	static const uint64_t quotas[] = {
		XEN_SYSCTL_TMEM_NO_QUOTA, 0, 5, 30, TMEM_UNLIMITED,
	};
	struct xen_sysctl_tmem_op op = {
		.cmd = pick(13), .cli_id = guest->scene.d->domain_id,
	};

	if (op.cmd == 12)
		op.cmd = XEN_SYSCTL_TMEM_OP_GET_AUTHS;
	if (op.cmd == XEN_SYSCTL_TMEM_OP_QUERY_FREEABLE_MB)
		op.cli_id = 0;
	if (op.cmd == XEN_SYSCTL_TMEM_OP_SET_AUTH) {
		op.u.auth.uuid[1] = pick(UUIDS + 1);
		op.u.auth.auth = !!pick(4);
	}
	if (op.cmd == XEN_SYSCTL_TMEM_OP_EVICT)
		op.u.pages = pick(100);
	if (op.cmd == XEN_SYSCTL_TMEM_OP_SET_CLIENT_INFO)
		op.u.client = (struct xen_sysctl_tmem_client){
			.flags = pick(8) ? ENABLED : pick(8),
			.weight = pick(4), .quota = quotas[pick(ARRAY_SIZE(quotas))],
		};
	if (is_list(op.cmd)) {
		op.nr = pick(POOLS + 3);
		op.u.pools.p = (void *)(GUEST_BASE + pick(260) * 128);
	}
	if (pick(8) == 1)
		op.cli_id = XEN_SYSCTL_TMEM_OP_ALL_CLIENTS;
	if (pick(4) == 1)
		((uint8_t *)&op)[pick(sizeof(op))] ^= 1 << pick(8);
	if (pick(16) == 1)
		any_bytes(&op, sizeof(op));
	return op;
}

/* Nothing is written to but what there is room for. */
static void expect_list(const struct xen_sysctl_tmem_op *asked, const uint8_t *before,
			 const uint8_t *after)
{
	uint64_t from = (unsigned long)asked->u.pools.p - GUEST_BASE, i;
	uint64_t bytes = asked->nr * (asked->cmd == XEN_SYSCTL_TMEM_OP_GET_POOLS ?
				      sizeof(struct xen_sysctl_tmem_pool) :
				      sizeof(struct xen_sysctl_tmem_uuid));

	for (i = 0; i < XEN_MEMORY; i++)
		CHECK(before[i] == after[i] || i - from < bytes);
}

/* The administrator is the hostile one as well: his memory is written to. */
void administrate(struct guest *guest)
{
	struct xen_sysctl_tmem_op op = some_control(guest), asked = op;
	struct scene *scene = &guests[HOSTILE].scene;
	static uint8_t before[XEN_MEMORY];
	unsigned int i;
	long rc;

	if (is_list(asked.cmd))
		memcpy(before, scene->d->memory, XEN_MEMORY);
	rc = guest_control(&scene->v, &op);
	if (is_list(asked.cmd))
		expect_list(&asked, before, scene->d->memory);
	CHECK(rc == 0 || rc == -EINVAL || rc == -ESRCH || rc == -EOPNOTSUPP ||
	      rc == -EFAULT || rc == -ENOMEM || rc == -ENOSPC);
	CHECK(rc != -EFAULT || is_list(asked.cmd));
	CHECK(rc != -ENOSPC || asked.cmd == XEN_SYSCTL_TMEM_OP_SET_AUTH);
	if (rc)
		return;
	CHECK(!asked.pad);
	for (i = 0; i < DOMAINS; i++)
		if (op.cli_id == XEN_SYSCTL_TMEM_OP_ALL_CLIENTS ||
		    op.cli_id == guests[i].scene.d->domain_id)
			controlled(&guests[i], &op);
}

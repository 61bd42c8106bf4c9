// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the fuzzer of Xen's side knows of pools that domains share. A page may be gone
 * at any time; what is found is what was put last, unless the hostile domain may have
 * put something else there. When a domain is thrown out nothing is found any more.
 */
#include "fuzz.h"

/**
 * struct shared_pool - what domains share
 * @foreign: The hostile one may have put something there.
 * @page: What is there, unless @foreign; 0 for nothing.
 */
struct shared_pool {
	bool	foreign;
	uint64_t page[OIDS][INDEXES];
};

static struct shared_pool shared[UUIDS];
/* For each identity, in which shared pools it was, or may have been */
static uint8_t shared_in[1 << 17];

/* What a domain shares, or NULL */
static struct shared_pool *shared_of(struct guest *guest, unsigned int pool)
{
	return pool < POOLS && guest->uuid[pool] ?
		&shared[guest->uuid[pool] - 1] : NULL;
}

bool is_foreign(struct guest *guest, unsigned int pool)
{
	return shared_of(guest, pool) && shared_of(guest, pool)->foreign;
}

uint64_t *page_of(struct guest *guest, unsigned int pool, unsigned int oid,
		  unsigned int index)
{
	struct shared_pool *of = shared_of(guest, pool);

	return of ? &of->page[oid][index] : &guest->page[pool][oid][index];
}

bool may_be_in(unsigned int uuids, const struct tmem_test_page *page)
{
	uint64_t identity = page->word[0];

	return tmem_test_whole(page) && ((identity & 0xff) == HOSTILE + 1 ||
					 shared_in[identity >> 8] & uuids);
}

void forget_pool(struct guest *guest, unsigned int pool, bool stay)
{
	unsigned int uuid = guest->uuid[pool], i;
	bool others;

	guest->pool[pool] = 0;
	guest->uuid[pool] = 0;
	guest->lost[pool] = false;
	memset(guest->page[pool], 0, sizeof(guest->page[pool]));
	if (!uuid)
		return;
	others = guests[HOSTILE].auth & 1u << uuid;
	for (i = 0; i < POOLS; i++)
		others |= guests[0].uuid[i] == uuid || guests[1].uuid[i] == uuid;
	if (!stay || !others)
		memset(&shared[uuid - 1], 0, sizeof(shared[0]));
}

void lose_shared(struct guest *guest, unsigned int uuid)
{
	unsigned int i;

	for (i = 0; i < POOLS; i++)
		if (guest->uuid[i] == uuid) {
			forget_pool(guest, i, false);
			guest->lost[i] = true;
		}
}

void set_auth(struct guest *guest, const uint64_t uuid[2], bool auth)
{
	if (uuid[0] || uuid[1] > UUIDS)
		return;
	guest->auth &= ~(1u << uuid[1]);
	guest->auth |= (unsigned int)auth << uuid[1];
	if (!auth)
		lose_shared(guest, uuid[1]);
}

void was_put(struct guest *guest, unsigned int pool, uint64_t identity)
{
	if (guest->uuid[pool])
		shared_in[identity >> 8] |= 1u << guest->uuid[pool];
}

void may_put_anything(struct guest *guest)
{
	unsigned int i;

	for (i = 0; i < UUIDS; i++)
		shared[i].foreign |= guest->auth >> (i + 1) & 1;
}

void forget_shared(uint64_t last)
{
	memset(shared, 0, sizeof(shared));
	memset(shared_in, 0, last + 1);
}

/* Nearly all do. The hostile one has another pool with one of the others. */
void authorise(struct guest *guest)
{
	struct xen_sysctl_tmem_op op = {
		.cmd = XEN_SYSCTL_TMEM_OP_SET_AUTH,
		.cli_id = guest->scene.d->domain_id, .u.auth.auth = 1,
	};
	unsigned int i;

	if (op.cli_id % 4 == 3)
		return;
	for (i = 0; i < UUIDS; i++) {
		op.u.auth.uuid[1] = i + 1;
		if (guest != &guests[i ? 0 : HOSTILE] &&
		    !guest_control(&guest->scene.v, &op))
			set_auth(guest, op.u.auth.uuid, true);
	}
}

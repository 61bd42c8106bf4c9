/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the fuzzer of Xen's side share: domains, and what they should have.
 */
#ifndef _FUZZ_H
#define _FUZZ_H

#include "scene.h"

#define DOMAINS	3
#define HOSTILE	2
#define POOLS	4
#define OIDS	4
#define INDEXES	12
#define FRAMES	8
#define UUIDS	2	/* of pools that can be shared: { 0, 1 } and { 0, 2 } */
#define ENTRIES	24

/**
 * struct guest - a domain and what it should have
 * @scene: The domain.
 * @flags: What it may have, XEN_SYSCTL_TMEM_*.
 * @weight: As set.
 * @quota: As set.
 * @auth: What it may share, a bit for each uuid.
 * @pool: Flags of its pools, 0 for none.
 * @uuid: Which one it shares, from 1, or 0.
 * @lost: It does not know that it has no such pool any more.
 * @page: What is in them, 0 for nothing, unless it is shared.
 */
struct guest {
	struct scene scene;
	uint32_t flags;
	uint32_t weight;
	uint64_t quota;
	unsigned int auth;
	uint32_t pool[POOLS];
	unsigned int uuid[POOLS];
	bool	lost[POOLS];
	uint64_t page[POOLS][OIDS][INDEXES];
};

extern struct tmem_test *fuzz;
extern struct guest guests[DOMAINS];

/* From what libFuzzer has chosen: a number below @n, and @size bytes */
unsigned int pick(unsigned int n);
void any_bytes(void *to, size_t size);

/* A domain has none any more, and had not wanted that. */
void forget_pools(struct guest *guest);

/*
 * Of fuzz_shared.c, what is in pools: page_of() is where the model has a page, and
 * is_foreign() says that the hostile one may have put another there.
 */
uint64_t *page_of(struct guest *guest, unsigned int pool, unsigned int oid,
		  unsigned int index);
bool is_foreign(struct guest *guest, unsigned int pool);
/* It is the hostile one's, or was in a shared pool of these, a bit for each. */
bool may_be_in(unsigned int uuids, const struct tmem_test_page *page);
void was_put(struct guest *guest, unsigned int pool, uint64_t identity);
/* The hostile one makes a hypercall. */
void may_put_anything(struct guest *guest);
/* @stay: it wants that, and what is shared stays if anybody else may have it. */
void forget_pool(struct guest *guest, unsigned int pool, bool stay);
/* It has no such pool any more, and the id is not free. */
void lose_shared(struct guest *guest, unsigned int uuid);
/* The domain may share pools of a uuid, or not any more. */
void set_auth(struct guest *guest, const uint64_t uuid[2], bool auth);
/* A domain lives from now on. */
void authorise(struct guest *guest);
/* All of them, with identities up to this one */
void forget_shared(uint64_t last);

/* Of fuzz_control.c: a sysctl, most likely about @guest */
void administrate(struct guest *guest);

#endif /* _FUZZ_H */

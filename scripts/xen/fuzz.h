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

/**
 * struct shared_pool - what domains share
 * @foreign: The hostile one may have put something there.
 * @page: What is there, unless @foreign; 0 for nothing.
 */
struct shared_pool {
	bool	foreign;
	uint64_t page[OIDS][INDEXES];
};

extern struct tmem_test *fuzz;
extern struct guest guests[DOMAINS];

/* From what libFuzzer has chosen: a number below @n, and @size bytes */
unsigned int pick(unsigned int n);
void any_bytes(void *to, size_t size);

/* A domain has none any more, and had not wanted that. */
void forget_pools(struct guest *guest);
/* The domain may share pools of a uuid, or not any more. */
void set_auth(struct guest *guest, const uint64_t uuid[2], bool auth);

/* Of fuzz_control.c: a sysctl, most likely about @guest */
void administrate(struct guest *guest);

#endif /* _FUZZ_H */

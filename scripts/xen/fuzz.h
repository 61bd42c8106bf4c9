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
#define ENTRIES	24

/**
 * struct guest - a domain and what it should have
 * @scene: The domain.
 * @flags: What it may have, XEN_SYSCTL_TMEM_*.
 * @weight: As set.
 * @quota: As set.
 * @pool: Flags of its pools, 0 for none.
 * @page: What is in them, 0 for nothing.
 */
struct guest {
	struct scene scene;
	uint32_t flags;
	uint32_t weight;
	uint64_t quota;
	uint32_t pool[POOLS];
	uint64_t page[POOLS][OIDS][INDEXES];
};

extern struct tmem_test *fuzz;
extern struct guest guests[DOMAINS];

/* From what libFuzzer has chosen: a number below @n, and @size bytes */
unsigned int pick(unsigned int n);
void any_bytes(void *to, size_t size);

/* A domain has none any more. */
void forget_pools(struct guest *guest);

/* Of fuzz_control.c: a sysctl, most likely about @guest */
void administrate(struct guest *guest);

#endif /* _FUZZ_H */

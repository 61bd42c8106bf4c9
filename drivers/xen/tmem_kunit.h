/* SPDX-License-Identifier: GPL-2.0-only */
/* A hypervisor for the unit tests of the tmem driver; see tmem_kunit_host.c. */
#ifndef _DRIVERS_XEN_TMEM_KUNIT_H
#define _DRIVERS_XEN_TMEM_KUNIT_H

#include <kunit/test.h>

#include "tmem.h"

/* What kind of hypervisor */
enum host_kind {
	HOST_SINGLE,	/* Xen 4.0 to 4.12, an HVM guest */
	HOST_MULTICALL,	/* the same, a PV guest */
	HOST_BATCH,	/* has the extensions */
	NR_HOST_KINDS
};

struct host_pool {
	bool		used;
	bool		withdrawn;	/* the id is for nothing but TMEM_DESTROY_POOL */
	bool		persist;
	bool		shared;
	u64		uuid[2];
	unsigned int	nr_pages;
};

/**
 * struct host - the hypervisor
 * @kind: What it can do.
 * @absent: It has no tmem (any more); what it answers then.
 * @frozen: The administrator has frozen it.
 * @may_share: Pools may be shared.
 * @no_duplicates: It has no memory to replace a page.
 * @capacity: Pages it takes.
 * @batch_fault: A batch fails after that many entries, less one; 0: does not.
 * @cmd: This sub-op does not do what it should,
 * @ret: but returns this,
 * @skip: not for the first ones,
 * @times: and not after so many.
 * @nr_calls: Hypercalls made.
 * @nr_retries: Times that something is to be tried again later.
 * @nr_pages: Pages held.
 * @pool: Pools.
 * @pages: What is held.
 */
struct host {
	enum host_kind	kind;
	int		absent;
	bool		frozen;
	bool		may_share;
	bool		no_duplicates;
	unsigned int	capacity;
	unsigned int	batch_fault;
	unsigned int	cmd;
	int		ret;
	unsigned int	skip;
	unsigned int	times;
	unsigned int	nr_calls;
	unsigned int	nr_retries;
	unsigned int	nr_pages;
	struct host_pool pool[TMEM_MAX_POOLS];
	struct list_head pages;
};

extern const enum host_kind host_kinds[NR_HOST_KINDS];

void host_name(const enum host_kind *kind, char *desc);
int host_init(struct kunit *test);
void host_exit(struct kunit *test);
void host_be(struct kunit *test, enum host_kind kind);
void host_forget_all(struct host *host);
unsigned int host_holds(struct host *host, int pool, struct tmem_oid oid,
			u32 index, unsigned int nr);
void host_fail(struct host *host, unsigned int cmd, int ret, unsigned int skip,
	       unsigned int times);

struct folio *test_folio(struct kunit *test, unsigned int order, u32 tag);
void test_fill(struct folio *folio, u32 tag);
unsigned int test_wrong_pages(struct folio *folio, u32 tag);

#endif /* _DRIVERS_XEN_TMEM_KUNIT_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What tests of Xen's side begin with: Xen with tmem, a domain, a pool, and short ways
 * to make its hypercalls.
 */
#ifndef _SCENE_H
#define _SCENE_H

#include "test.h"
#include "host.h"
#include "private.h"

#include <public/sysctl.h>
#include <public/tmem.h>

#define ALL		"1,dom0,domu,persistent"

#define EPHEMERAL	(TMEM_SPEC_VERSION << TMEM_POOL_VERSION_SHIFT)
#define PERSISTENT	(EPHEMERAL | TMEM_POOL_PERSIST)

/* Where structures are */
#define OP_AT		GUEST_BASE
#define ENTRIES_AT	(GUEST_BASE + 4096)
#define POOLS_AT	(GUEST_BASE + 8192)

/* Of a domain to which all was given */
#define ENABLED		(XEN_SYSCTL_TMEM_ENABLED | XEN_SYSCTL_TMEM_PERSISTENT)

/**
 * struct scene - a domain with a pool
 * @test: The test.
 * @d: The domain.
 * @v: Its vCPU.
 * @pool: Id of its pool.
 * @gfn: The frame that is put and got.
 */
struct scene {
	struct tmem_test *test;
	struct domain *d;
	struct vcpu v;
	int	pool;
	uint64_t gfn;
};

/* Xen starts with this on its command line, and ends again. scene.c has them. */
int xen_parse(const char *parameter);
bool xen_restart(void);
bool xen_begin(struct tmem_test *test, const char *parameter);
void xen_end(struct tmem_test *test);

void scene_begin(struct scene *scene, struct tmem_test *test, uint32_t flags);
unsigned long scene_end(struct scene *scene);

/* A second domain beside another one */
void guest_begin(struct scene *scene, struct tmem_test *test, unsigned int id,
		 uint32_t flags);
unsigned long guest_end(struct scene *scene);

/* Hypercalls, and what the guest is told */
long call(struct scene *scene, const struct tmem_op *op);
long new_pool(struct scene *scene, uint32_t flags);
long page_op(struct scene *scene, uint32_t cmd, uint64_t oid, uint32_t index);
long pool_op(struct scene *scene, uint32_t cmd, int32_t pool);
long flush_range(struct scene *scene, uint64_t oid, uint32_t index, uint32_t len);
long put(struct scene *scene, uint64_t oid, uint32_t index, uint64_t identity);
/* The identity if it was there and whole, 0 if not, ~0 if anything was wrong. */
uint64_t get(struct scene *scene, uint64_t oid, uint32_t index);
long batch(struct scene *scene, uint32_t nr);

/* Sysctls about this domain, and what the administrator is told */
long control(struct scene *scene, uint32_t cmd);
long set_client(struct scene *scene, uint32_t flags, uint32_t weight,
		uint64_t quota);
struct xen_sysctl_tmem_client client_of(struct scene *scene);

struct tmem_batch_entry *entry(struct scene *scene, unsigned int i);
void set_entry(struct scene *scene, unsigned int i, uint32_t cmd, uint64_t oid,
	       uint32_t index);
struct tmem_test_page *content(struct scene *scene, unsigned int gfn);
struct tmem_usage usage_of(struct scene *scene);
/* Puts @n pages: all were taken. */
void put_many(struct scene *scene, uint64_t oid, uint32_t n);

#include "tests.h"

#endif /* _SCENE_H */

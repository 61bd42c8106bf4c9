/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What Xen's own files of tmem share: hypercall.c decodes what a guest asks for,
 * domain.c says what a domain may have, frame.c keeps the pages.
 *
 * Locks: no lock of the engine is held when these are called, and they hold
 * none when they call the engine. A domain is charged under its page_alloc_lock.
 */
#ifndef TMEM_PRIVATE_H
#define TMEM_PRIVATE_H

#include <xen/rcupdate.h>
#include <xen/sched.h>

#include "engine.h"

/* Pages that are evicted for who needs one, or a little memory */
#define TMEM_GIVE_BACK 16

/* Pools of a domain, as there have always been */
#define TMEM_MAX_POOLS 16

/**
 * struct tmem_domain - the tmem of a domain, from its first pool on
 * @domain: The domain.
 * @client: What the engine calls it.
 * @bytes: Charged: persistent pages and what the engine needs for them. Guarded
 *         by the domain's page_alloc_lock.
 * @max_pages: @bytes may come to so many pages if the domain has no limit.
 * @rcu: To free it.
 */
struct tmem_domain {
    struct domain *domain;
    struct tmem_client *client;
    uint64_t bytes;
    unsigned int max_pages;
    struct rcu_head rcu;
};

/**
 * struct tmem_frame - a page of a guest
 * @domain: The guest.
 * @gfn: Whatever it says. For a guest that is not translated, an MFN.
 */
struct tmem_frame {
    struct domain *domain;
    uint64_t gfn;
};

extern const struct tmem_payload_ops tmem_frame_ops;

extern struct tmem_engine *tmem_engine;

bool tmem_permitted(const struct domain *d);
bool tmem_permits_persistent(const struct domain *d);
struct tmem_domain *tmem_domain_get(struct domain *d);

bool cf_check tmem_domain_charge(void *owner, size_t bytes);
void cf_check tmem_domain_uncharge(void *owner, size_t bytes);

#endif /* TMEM_PRIVATE_H */

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */

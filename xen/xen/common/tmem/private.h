/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What Xen's own files of tmem share: hypercall.c decodes what a guest asks for,
 * control.c what the administrator does, domain.c says what a domain may have,
 * auth.c which pools it may share, frame.c keeps the pages.
 *
 * Locks: no lock of the engine is held when these are called, but for the
 * question whether a domain may share a pool, and they hold none when they call
 * the engine. A domain is charged under its page_alloc_lock.
 *
 * Others than a domain's own vCPUs use its tmem under RCU only, as it may be
 * dying: then they find nothing in it any more.
 */
#ifndef TMEM_PRIVATE_H
#define TMEM_PRIVATE_H

#include <xen/rcupdate.h>
#include <xen/sched.h>
#include <xen/spinlock.h>

#include "engine.h"

/* Pages that are evicted for who needs one, or a little memory */
#define TMEM_GIVE_BACK 16

/* Pools of a domain, as there have always been */
#define TMEM_MAX_POOLS 16

/* Uuids of pools that a domain may share */
#define TMEM_MAX_AUTHS 64

struct tmem_uuid {
    uint64_t uuid[2];
};

/**
 * struct tmem_domain - the tmem of a domain, from its first pool on, or since
 *                      the administrator said something about it
 * @domain: The domain.
 * @client: What the engine calls it.
 * @limits: Of @client.
 * @enabled: It may have pools.
 * @persistent: Also persistent ones.
 * @frozen: So is @client.
 * @bytes: Charged: persistent pages and what the engine needs for them. Guarded
 *         by the domain's page_alloc_lock.
 * @max_pages: @bytes may come to so many pages if the domain has no limit.
 * @auths: Uuids of pools that it may share, TMEM_MAX_AUTHS at most; NULL before
 *         the first one.
 * @nr_auths: How many.
 * @auth_lock: Guards these. Nothing is called with it held.
 * @rcu: To free it.
 *
 * @limits to @frozen, @auths and @nr_auths are changed in sysctls only, of which there is one at a
 * time.
 */
struct tmem_domain {
    struct domain *domain;
    struct tmem_client *client;
    struct tmem_limits limits;
    bool enabled;
    bool persistent;
    bool frozen;
    uint64_t bytes;
    unsigned int max_pages;
    struct tmem_uuid *auths;
    unsigned int nr_auths;
    spinlock_t auth_lock;
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
bool tmem_has_pools(const struct domain *d);
void tmem_domain_default(const struct domain *d, struct tmem_domain *td);
struct tmem_domain *tmem_domain_get(struct domain *d);

bool cf_check tmem_domain_charge(void *owner, size_t bytes);
void cf_check tmem_domain_uncharge(void *owner, size_t bytes);

bool cf_check tmem_domain_may_share(void *owner, const uint64_t uuid[2]);
int tmem_auth_set(struct tmem_domain *td, const uint64_t uuid[2], bool auth);

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

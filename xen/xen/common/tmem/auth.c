/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which pools a domain may share with others: the administrator says so, by
 * uuid, for each domain.
 *
 * The engine asks when a domain makes a pool. Whoever must not share it has a
 * pool of its own, and is not told: that is what guests have always got. Who
 * loses the right loses the pool at once, and the pool what is in it; see the
 * engine's shared.c for what members can do to each other.
 */
#include <xen/lib.h>

#include "private.h"

/* Where it is, or NULL. The lock is held, or this is a sysctl. */
static struct tmem_uuid *tmem_auth_find(const struct tmem_domain *td,
                                        const uint64_t uuid[2])
{
    unsigned int i;

    for ( i = 0; i < td->nr_auths; i++ )
        if ( td->auths[i].uuid[0] == uuid[0] &&
             td->auths[i].uuid[1] == uuid[1] )
            return &td->auths[i];

    return NULL;
}

/**
 * tmem_domain_may_share - may a domain share pools of this uuid?
 * @owner: Its struct tmem_domain.
 * @uuid: The uuid.
 *
 * Context: a lock of the engine is held.
 * Return: true if it may.
 */
bool cf_check tmem_domain_may_share(void *owner, const uint64_t uuid[2])
{
    struct tmem_domain *td = owner;
    bool found;

    spin_lock(&td->auth_lock);
    found = tmem_auth_find(td, uuid);
    spin_unlock(&td->auth_lock);

    return found;
}

static int tmem_auth_add(struct tmem_domain *td, const uint64_t uuid[2])
{
    int rc = 0;

    if ( !td->auths )
        td->auths = tmh_alloc(TMEM_MAX_AUTHS * sizeof(*td->auths));
    if ( !td->auths )
        return -ENOMEM;
    spin_lock(&td->auth_lock);
    if ( tmem_auth_find(td, uuid) )
        ;
    else if ( td->nr_auths == TMEM_MAX_AUTHS )
        rc = -ENOSPC;
    else
        td->auths[td->nr_auths++] = (struct tmem_uuid){ { uuid[0], uuid[1] } };
    spin_unlock(&td->auth_lock);

    return rc;
}

static int tmem_auth_remove(struct tmem_domain *td, const uint64_t uuid[2])
{
    struct tmem_uuid *found;

    spin_lock(&td->auth_lock);
    found = tmem_auth_find(td, uuid);
    if ( found )
        *found = td->auths[--td->nr_auths];
    spin_unlock(&td->auth_lock);

    return tmem_unshare(td->client, uuid) ? -ERESTART : 0;
}

/**
 * tmem_auth_set - let a domain share pools of a uuid, or not any more
 * @td: The domain's.
 * @uuid: The uuid.
 * @auth: What it is to be.
 *
 * Context: a sysctl; no lock.
 * Return: 0; -ENOSPC if there are as many as there can be; -ENOMEM; -ERESTART:
 * call it again.
 */
int tmem_auth_set(struct tmem_domain *td, const uint64_t uuid[2], bool auth)
{
    return auth ? tmem_auth_add(td, uuid) : tmem_auth_remove(td, uuid);
}

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */

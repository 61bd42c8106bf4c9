/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tmem sysctl: what the administrator says about domains, and what he is
 * told.
 *
 * Who calls it is privileged, which XSM has seen to, and may be wrong
 * nevertheless: every field is checked. Domains may die meanwhile, and use what
 * is changed. Long ones are continued.
 */
#include <xen/event.h>
#include <xen/guest_access.h>
#include <xen/mm.h>
#include <xen/string.h>
#include <xen/tmem.h>

#include <public/sysctl.h>

#include "private.h"

/* Bytes of op->u that a command uses, for what comes in or goes out. */
static int tmem_control_used(const struct xen_sysctl_tmem_op *op)
{
    switch ( op->cmd )
    {
    case XEN_SYSCTL_TMEM_OP_THAW:
    case XEN_SYSCTL_TMEM_OP_FREEZE:
    case XEN_SYSCTL_TMEM_OP_DESTROY:
        return 0;

    case XEN_SYSCTL_TMEM_OP_EVICT:
        return sizeof(op->u.pages);

    case XEN_SYSCTL_TMEM_OP_GET_CLIENT_INFO:
    case XEN_SYSCTL_TMEM_OP_SET_CLIENT_INFO:
        return sizeof(op->u.client);

    case XEN_SYSCTL_TMEM_OP_GET_POOLS:
        return sizeof(op->u.pools);

    case XEN_SYSCTL_TMEM_OP_QUERY_FREEABLE_MB:
        return sizeof(op->u.mb);

    case XEN_SYSCTL_TMEM_OP_SET_AUTH:
        return sizeof(op->u.auth);

    case XEN_SYSCTL_TMEM_OP_GET_AUTHS:
        return sizeof(op->u.auths);

    default:
        return -EOPNOTSUPP;
    }
}

/* For long ones it is where to go on, for Xen to know. */
static bool tmem_control_uses_nr(const struct xen_sysctl_tmem_op *op)
{
    switch ( op->cmd )
    {
    case XEN_SYSCTL_TMEM_OP_EVICT:
    case XEN_SYSCTL_TMEM_OP_DESTROY:
    case XEN_SYSCTL_TMEM_OP_GET_POOLS:
    case XEN_SYSCTL_TMEM_OP_GET_AUTHS:
        return true;

    case XEN_SYSCTL_TMEM_OP_THAW:
    case XEN_SYSCTL_TMEM_OP_FREEZE:
        return op->cli_id == XEN_SYSCTL_TMEM_OP_ALL_CLIENTS;

    default:
        return false;
    }
}

/* What a command does not use may get a meaning one day. */
static int tmem_control_check(const struct xen_sysctl_tmem_op *op)
{
    int used = tmem_control_used(op);

    BUILD_BUG_ON(sizeof(op->u) != sizeof(op->u.client));
    /* struct xen_sysctl must not grow. */
    BUILD_BUG_ON(sizeof(*op) > sizeof(((struct xen_sysctl *)NULL)->u.pad));
    if ( used < 0 )
        return used;
    if ( op->pad || (op->nr && !tmem_control_uses_nr(op)) ||
         (op->cli_id && op->cmd == XEN_SYSCTL_TMEM_OP_QUERY_FREEABLE_MB) ||
         memchr_inv((const char *)&op->u + used, 0, sizeof(op->u) - used) )
        return -EINVAL;

    return 0;
}

static void tmem_control_freeze_domain(struct tmem_domain *td, bool frozen)
{
    tmem_client_freeze(td->client, frozen);
    td->frozen = frozen;
}

/* Those who have it: domains that come later are as they are by default. */
static int tmem_control_freeze_all(struct xen_sysctl_tmem_op *op, bool frozen)
{
    unsigned int from = op->nr;
    struct domain *d;
    int rc = 0;

    op->nr = 0;
    rcu_read_lock(&domlist_read_lock);
    for_each_domain ( d )
    {
        struct tmem_domain *td = rcu_dereference(d->tmem);

        if ( !td || d->domain_id < from )
            continue;
        tmem_control_freeze_domain(td, frozen);
        if ( !hypercall_preempt_check() )
            continue;
        op->nr = d->domain_id + 1;
        rc = -ERESTART;
        break;
    }
    rcu_read_unlock(&domlist_read_lock);

    return rc;
}

static int tmem_control_freeze(struct domain *d, bool frozen)
{
    struct tmem_domain *td = rcu_dereference(d->tmem);

    if ( !td && !frozen )
        return 0;
    td = tmem_domain_get(d);
    if ( !td )
        return d->is_dying ? -ESRCH : -ENOMEM;
    tmem_control_freeze_domain(td, frozen);

    return 0;
}

/* @d: whose pages, or NULL for those of whoever has most for his weight. */
static int tmem_control_evict(struct xen_sysctl_tmem_op *op, struct domain *d)
{
    uint64_t pages = min_t(uint64_t, op->u.pages, UINT32_MAX);
    struct tmem_domain *td = d ? rcu_dereference(d->tmem) : NULL;
    unsigned int n;

    if ( op->nr > pages )
        return -EINVAL;
    while ( op->nr < pages && (td || !d) )
    {
        n = min_t(uint64_t, pages - op->nr, TMEM_CHUNK);
        n = d ? tmem_evict_client(td->client, n) : tmem_evict(tmem_engine, n);
        if ( !n )
            break;
        op->nr += n;
        if ( op->nr < pages && hypercall_preempt_check() )
            return -ERESTART;
    }
    op->u.pages = op->nr;
    op->nr = 0;

    return 0;
}

/*
 * One after the other: a guest that makes one anew as often as that is
 * destroyed does not keep anybody busy.
 */
static int tmem_control_destroy(struct xen_sysctl_tmem_op *op, struct domain *d)
{
    struct tmem_domain *td = rcu_dereference(d->tmem);

    if ( op->nr > TMEM_MAX_POOLS )
        return -EINVAL;
    for ( ; td && op->nr < TMEM_MAX_POOLS; op->nr++ )
        if ( tmem_take_pool(td->client, op->nr) == -EAGAIN )
            return -ERESTART;
    op->nr = 0;

    return 0;
}

static void tmem_control_stats(struct xen_sysctl_tmem_stats *to,
                               const struct tmem_stats *from)
{
    to->puts = from->puts;
    to->overwrites = from->overwrites;
    to->refused = from->refused;
    to->hits = from->hits;
    to->misses = from->misses;
    to->flushed = from->flushed;
    to->evicted = from->evicted;
}

/* What it has now, and what happened. */
static void tmem_control_get_use(struct xen_sysctl_tmem_client *info,
                                 struct tmem_client *client)
{
    struct tmem_usage usage;
    struct tmem_stats stats;

    tmem_client_usage(client, &usage);
    tmem_client_stats(client, &stats);
    info->nr_pools = usage.pools;
    info->persistent_pages = usage.persistent_pages;
    info->ephemeral_pages = usage.ephemeral_pages;
    info->metadata_bytes = usage.metadata_bytes;
    info->objects = usage.objects;
    tmem_control_stats(&info->stats, &stats);
}

static void tmem_control_get(struct xen_sysctl_tmem_client *info,
                             struct domain *d)
{
    const struct tmem_domain *td = rcu_dereference(d->tmem);
    struct tmem_domain none = {};

    memset(info, 0, sizeof(*info));
    if ( td )
        tmem_control_get_use(info, td->client);
    else
    {
        tmem_domain_default(d, &none);
        td = &none;
    }
    info->flags = (td->enabled ? XEN_SYSCTL_TMEM_ENABLED : 0) |
                  (td->persistent ? XEN_SYSCTL_TMEM_PERSISTENT : 0) |
                  (td->frozen ? XEN_SYSCTL_TMEM_FROZEN : 0);
    info->weight = td->limits.weight;
    info->quota = td->limits.persistent_pages == TMEM_UNLIMITED ?
                  XEN_SYSCTL_TMEM_NO_QUOTA : td->limits.persistent_pages;
    spin_lock(&d->page_alloc_lock);
    info->charged_pages = d->tmem_pages;
    spin_unlock(&d->page_alloc_lock);
}

/* Of a pool that is being made at this moment nothing may be seen yet. */
static int tmem_control_set(const struct xen_sysctl_tmem_client *info,
                            struct domain *d)
{
    const uint32_t known = XEN_SYSCTL_TMEM_ENABLED | XEN_SYSCTL_TMEM_PERSISTENT;
    struct tmem_limits limits;
    struct tmem_domain *td;

    if ( (info->flags & ~known) || info->weight > TMEM_MAX_WEIGHT ||
         (info->quota > TMEM_UNLIMITED &&
          info->quota != XEN_SYSCTL_TMEM_NO_QUOTA) )
        return -EINVAL;
    td = tmem_domain_get(d);
    if ( !td )
        return d->is_dying ? -ESRCH : -ENOMEM;
    limits = td->limits;
    limits.weight = info->weight;
    limits.persistent_pages = min_t(uint64_t, info->quota, TMEM_UNLIMITED);
    tmem_client_set_limits(td->client, &limits);
    td->limits = limits;
    write_atomic(&td->enabled, !!(info->flags & XEN_SYSCTL_TMEM_ENABLED));
    write_atomic(&td->persistent, !!(info->flags & XEN_SYSCTL_TMEM_PERSISTENT));

    return 0;
}

static int tmem_control_get_pools(struct xen_sysctl_tmem_op *op,
                                  const struct domain *d)
{
    const struct tmem_domain *td = rcu_dereference(d->tmem);
    unsigned int id, nr = 0;

    for ( id = 0; td && id < TMEM_MAX_POOLS; id++ )
    {
        struct xen_sysctl_tmem_pool pool = { .id = id };
        struct tmem_pool_info info;

        if ( tmem_pool_info(td->client, id, &info) || nr++ >= op->nr )
            continue;
        pool.flags = info.flags;
        pool.uuid[0] = info.uuid[0];
        pool.uuid[1] = info.uuid[1];
        pool.pages = info.stats.pages;
        pool.objects = info.stats.objects;
        tmem_control_stats(&pool.stats, &info.stats);
        if ( copy_to_guest_offset(op->u.pools, nr - 1, &pool, 1) )
            return -EFAULT;
    }
    op->nr = nr;

    return 0;
}

/*
 * A domain that loses the right is thrown out of that pool; that it has no such
 * right is no error, as this may be continued.
 */
static int tmem_control_set_auth(struct xen_sysctl_tmem_op *op, struct domain *d)
{
    const uint64_t uuid[2] = { op->u.auth.uuid[0], op->u.auth.uuid[1] };
    struct tmem_domain *td = rcu_dereference(d->tmem);

    /* Guests give 0 for pools that are not shared. */
    if ( op->u.auth.pad || op->u.auth.auth > 1 || (!uuid[0] && !uuid[1]) )
        return -EINVAL;
    if ( !td && !op->u.auth.auth )
        return 0;
    td = tmem_domain_get(d);
    if ( !td )
        return d->is_dying ? -ESRCH : -ENOMEM;

    return tmem_auth_set(td, uuid, op->u.auth.auth);
}

static int tmem_control_get_auths(struct xen_sysctl_tmem_op *op,
                                  const struct domain *d)
{
    const struct tmem_domain *td = rcu_dereference(d->tmem);
    unsigned int i, nr = td ? td->nr_auths : 0;

    for ( i = 0; i < nr && i < op->nr; i++ )
    {
        const struct xen_sysctl_tmem_uuid uuid = {
            .uuid = { td->auths[i].uuid[0], td->auths[i].uuid[1] },
        };

        if ( copy_to_guest_offset(op->u.auths, i, &uuid, 1) )
            return -EFAULT;
    }
    op->nr = nr;

    return 0;
}

/* Those about one domain, which is there as long as this runs. */
static int tmem_control_domain(struct xen_sysctl_tmem_op *op, struct domain *d)
{
    switch ( op->cmd )
    {
    case XEN_SYSCTL_TMEM_OP_THAW:
    case XEN_SYSCTL_TMEM_OP_FREEZE:
        return tmem_control_freeze(d, op->cmd == XEN_SYSCTL_TMEM_OP_FREEZE);

    case XEN_SYSCTL_TMEM_OP_EVICT:
        return tmem_control_evict(op, d);

    case XEN_SYSCTL_TMEM_OP_DESTROY:
        return tmem_control_destroy(op, d);

    case XEN_SYSCTL_TMEM_OP_GET_CLIENT_INFO:
        tmem_control_get(&op->u.client, d);
        return 0;

    case XEN_SYSCTL_TMEM_OP_SET_CLIENT_INFO:
        return tmem_control_set(&op->u.client, d);

    case XEN_SYSCTL_TMEM_OP_GET_POOLS:
        return tmem_control_get_pools(op, d);

    case XEN_SYSCTL_TMEM_OP_SET_AUTH:
        return tmem_control_set_auth(op, d);

    case XEN_SYSCTL_TMEM_OP_GET_AUTHS:
        return tmem_control_get_auths(op, d);

    default:
        ASSERT_UNREACHABLE();
        return -EOPNOTSUPP;
    }
}

/* Those about all of them. For others, there is no such domain. */
static int tmem_control_all(struct xen_sysctl_tmem_op *op)
{
    switch ( op->cmd )
    {
    case XEN_SYSCTL_TMEM_OP_THAW:
    case XEN_SYSCTL_TMEM_OP_FREEZE:
        return tmem_control_freeze_all(op,
                                       op->cmd == XEN_SYSCTL_TMEM_OP_FREEZE);

    case XEN_SYSCTL_TMEM_OP_EVICT:
        return tmem_control_evict(op, NULL);

    default:
        return -ESRCH;
    }
}

/**
 * tmem_control - do a tmem sysctl
 * @op: What is to be done; what came out of it.
 *
 * Context: a sysctl, of which there is one at a time. No lock but its own.
 * Return: 0; -ERESTART: to be called again, with what is in @op->nr then; or
 * what public/sysctl.h says.
 */
int tmem_control(struct xen_sysctl_tmem_op *op)
{
    struct domain *d;
    int rc = tmem_engine ? tmem_control_check(op) : -EOPNOTSUPP;

    if ( rc )
        return rc;
    if ( op->cmd == XEN_SYSCTL_TMEM_OP_QUERY_FREEABLE_MB )
    {
        op->u.mb = tmem_freeable_pages(ULONG_MAX) >> (20 - PAGE_SHIFT);
        return 0;
    }
    if ( op->cli_id == XEN_SYSCTL_TMEM_OP_ALL_CLIENTS )
        return tmem_control_all(op);
    if ( op->cli_id >= DOMID_FIRST_RESERVED )
        return -ESRCH;
    d = rcu_lock_domain_by_id(op->cli_id);
    if ( !d )
        return -ESRCH;
    rc = d->is_dying ? -ESRCH : tmem_control_domain(op, d);
    rcu_unlock_domain(d);

    return rc;
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

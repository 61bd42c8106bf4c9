/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tmem hypercall: what guests ask for, and what they are told.
 *
 * The interface and its return values are those that Xen 4.0 to 4.12 had, so that
 * guests made for them work. Nothing that a guest says is trusted: the operation
 * is copied before it is looked at, pools and pages are looked up by the engine,
 * frames by frame.c.
 */
#include <xen/event.h>
#include <xen/guest_access.h>
#include <xen/hypercall.h>
#include <xen/tmem.h>

#include <public/tmem.h>
#include <xsm/xsm.h>

#include "private.h"

/* What differs between the layouts is behind what both have. */
#define TMEM_OP_SIZE_32 52

static bool tmem_caller_is_32bit(void)
{
#ifdef CONFIG_COMPAT
    return current->hcall_compat;
#else
    return false;
#endif
}

static int tmem_copy_op(struct tmem_op *op, XEN_GUEST_HANDLE_PARAM(void) arg)
{
    size_t size = tmem_caller_is_32bit() ? TMEM_OP_SIZE_32 : sizeof(*op);

    BUILD_BUG_ON(sizeof(*op) != 56);
    BUILD_BUG_ON(offsetof(struct tmem_op, u.gen.cmfn) != 48);
    *op = (struct tmem_op){};

    return raw_copy_from_guest(op, arg.p, size) ? -EFAULT : 0;
}

/* Whatever a new pool is refused for but memory, guests are told -EPERM. */
static long tmem_op_new_pool(struct domain *d, const struct tmem_op *op)
{
    uint32_t flags = op->u.creat.flags;
    struct tmem_domain *td;
    int rc;

    if ( !tmem_permitted(d) )
        return -ENOSYS;
    if ( (flags & TMEM_POOL_PERSIST) &&
         ((flags & TMEM_POOL_SHARED) || !tmem_permits_persistent(d)) )
        return -EPERM;
    td = tmem_domain_get(d);
    if ( !td )
        return -ENOMEM;
    /* Who is not authorised to share pages has a pool of his own. */
    rc = tmem_new_pool(td->client, op->u.creat.uuid, flags);

    return rc < 0 && rc != -ENOMEM && rc != -EAGAIN ? -EPERM : rc;
}

static long tmem_put_result(int rc)
{
    switch ( rc )
    {
    case 0:
        return 1;

    case -EROFS:
        return -EFROZEN;

    default:
        return rc;
    }
}

static long tmem_get_result(struct tmem_client *client, uint32_t pool, int rc)
{
    switch ( rc )
    {
    case 0:
        return 1;

    case -ENOENT:
        return tmem_pool_is_empty(client, pool) ? -EEMPTY : 0;

    default:
        return rc;
    }
}

/* One page, alone or of a batch */
static long tmem_op_page(struct domain *d, uint32_t cmd,
                         const struct tmem_handle *handle, uint64_t gfn)
{
    struct tmem_frame frame = { .domain = d, .gfn = gfn };
    struct tmem_client *client = rcu_dereference(d->tmem)->client;
    int rc;

    switch ( cmd )
    {
    case TMEM_PUT_PAGE:
        return tmem_put_result(tmem_put(client, handle, &frame));

    case TMEM_GET_PAGE:
        return tmem_get_result(client, handle->pool,
                               tmem_get(client, handle, &frame, 0));

    case TMEM_FLUSH_PAGE:
        rc = tmem_flush_page(client, handle);
        return rc && rc != -ENOENT ? rc : 1;

    default:
        return -ENOSYS;
    }
}

/* How many pages a pool has, also for guests of 32 bits; -ENODEV. */
static long tmem_op_pool_pages(struct tmem_client *client, uint32_t pool)
{
    struct tmem_stats stats;
    int rc = tmem_pool_stats(client, pool, &stats);

    if ( rc )
        return rc;

    return min_t(uint64_t, stats.pages, INT_MAX);
}

static long tmem_op_flush_range(struct tmem_client *client,
                                const struct tmem_handle *first, uint32_t nr)
{
    int rc;

    if ( !nr )
    {
        rc = tmem_op_pool_pages(client, first->pool);
        return rc < 0 ? rc : 1;
    }
    rc = tmem_flush_range(client, first, first->index + nr - 1);

    return rc < 0 ? rc : 1;
}

/* Those on a pool. -EAGAIN: call it again. */
static long tmem_op_pool(struct domain *d, const struct tmem_op *op)
{
    struct tmem_client *client = rcu_dereference(d->tmem)->client;
    struct tmem_handle handle = {
        .pool = op->pool_id,
        .oid = { op->u.gen.oid.oid[0], op->u.gen.oid.oid[1], op->u.gen.oid.oid[2] },
        .index = op->u.gen.index,
    };
    int rc;

    switch ( op->cmd )
    {
    case TMEM_DESTROY_POOL:
        rc = tmem_destroy_pool(client, op->pool_id);
        return rc == -ENODEV ? 0 : rc ?: 1;

    case TMEM_PUT_PAGE:
    case TMEM_GET_PAGE:
    case TMEM_FLUSH_PAGE:
        return tmem_op_page(d, op->cmd, &handle, op->u.gen.cmfn);

    case TMEM_FLUSH_OBJECT:
        return tmem_flush_object(client, op->pool_id, handle.oid) ?: 1;

    case TMEM_FLUSH_RANGE:
        return tmem_op_flush_range(client, &handle, op->u.gen.len);

    case TMEM_POOL_PAGES:
        return tmem_op_pool_pages(client, op->pool_id);

    default:
        rc = tmem_op_pool_pages(client, op->pool_id);
        return rc < 0 ? rc : -ENOSYS;
    }
}

static long tmem_batch_op(struct domain *d, const struct tmem_batch_entry *entry)
{
    const struct tmem_handle handle = {
        .pool = entry->pool_id,
        .oid = { entry->oid[0], entry->oid[1], entry->oid[2] },
        .index = entry->index,
    };

    if ( entry->cmd != TMEM_PUT_PAGE && entry->cmd != TMEM_GET_PAGE &&
         entry->cmd != TMEM_FLUSH_PAGE )
        return -ENOSYS;
    /* There may never have been a pool. */
    if ( !rcu_dereference(d->tmem) )
        return -ENODEV;

    return tmem_op_page(d, entry->cmd, &handle, entry->gfn);
}

static long tmem_batch_entry(struct domain *d,
                             XEN_GUEST_HANDLE_PARAM(tmem_batch_entry_t) entries,
                             unsigned int i)
{
    struct tmem_batch_entry entry;

    guest_handle_add_offset(entries, i);
    if ( copy_from_guest(&entry, entries, 1) )
        return -EFAULT;
    entry.status = tmem_batch_op(d, &entry);

    return copy_field_to_guest(entries, &entry, status) ? -EFAULT : 0;
}

/* -EAGAIN: call it again with the @op that the guest has then. */
static long tmem_op_batch(struct domain *d, struct tmem_op *op,
                          XEN_GUEST_HANDLE_PARAM(void) arg)
{
    XEN_GUEST_HANDLE_PARAM(tmem_batch_entry_t) entries =
        guest_handle_from_ptr(op->u.batch.entries, tmem_batch_entry_t);
    unsigned int i = op->u.batch.done;
    long rc;

    BUILD_BUG_ON(sizeof(struct tmem_batch_entry) != 48);
    if ( op->u.batch.nr > TMEM_BATCH_MAX )
        return -E2BIG;
    while ( i < op->u.batch.nr )
    {
        rc = tmem_batch_entry(d, entries, i);
        if ( rc )
            return rc;
        if ( ++i == op->u.batch.nr || !hypercall_preempt_check() )
            continue;
        op->u.batch.done = i;
        if ( copy_field_to_guest(guest_handle_cast(arg, tmem_op_t), op,
                                 u.batch.done) )
            return -EFAULT;
        return -EAGAIN;
    }

    return 0;
}

static long tmem_op(struct domain *d, struct tmem_op *op,
                    XEN_GUEST_HANDLE_PARAM(void) arg)
{
    switch ( op->cmd )
    {
    case 0: /* TMEM_CONTROL, for the toolstack of Xen 4.0 to 4.5 */
    case TMEM_AUTH:
    case TMEM_RESTORE_NEW:
        return -EOPNOTSUPP;

    case TMEM_NEW_POOL:
        return tmem_op_new_pool(d, op);

    case TMEM_FEATURES:
        return TMEM_FEATURE_BATCH | TMEM_FEATURE_POOL_PAGES;

    case TMEM_BATCH:
        return tmem_op_batch(d, op, arg);

    default:
        if ( rcu_dereference(d->tmem) )
            return tmem_op_pool(d, op);
        return op->cmd == TMEM_DESTROY_POOL ? 0 : -ENODEV;
    }
}

/**
 * do_tmem_op - the hypercall
 * @arg: Of the guest, a struct tmem_op.
 *
 * Context: a vCPU of the domain. May be preempted, and continues then.
 * Return: what public/tmem.h says. -ENOSYS if the domain has no tmem.
 */
long do_tmem_op(XEN_GUEST_HANDLE_PARAM(void) arg)
{
    struct domain *d = current->domain;
    struct tmem_op op;
    long rc;

    /* If that has changed, what it has stays until it is destroyed. */
    if ( !tmem_permitted(d) && !tmem_has_pools(d) )
        return -ENOSYS;
    rc = xsm_tmem_op(XSM_HOOK, d);
    if ( rc )
        return rc;
    if ( d->is_dying )
        return -ENODEV;
    rc = tmem_copy_op(&op, arg);
    if ( rc )
        return rc;
    rc = tmem_op(d, &op, arg);

    return rc != -EAGAIN ? rc :
           hypercall_create_continuation(__HYPERVISOR_tmem_op, "h", arg);
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

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which domains have tmem, how much of it, and its end with the domain.
 */
#include <xen/init.h>
#include <xen/keyhandler.h>
#include <xen/mm.h>
#include <xen/param.h>
#include <xen/random.h>
#include <xen/rcupdate.h>
#include <xen/tmem.h>

#include "private.h"

static bool __initdata opt_tmem;
static bool __ro_after_init opt_tmem_dom0;
static bool __ro_after_init opt_tmem_domu;
static bool __ro_after_init opt_tmem_persistent;

struct tmem_engine *__ro_after_init tmem_engine;

static int __init cf_check parse_tmem(const char *s)
{
    const char *ss;
    int val, rc = 0;

    /* The name alone switches on, as that of any boolean does. */
    if ( !*s )
        s = "1";
    do {
        ss = strchr(s, ',');
        if ( !ss )
            ss = strchr(s, '\0');

        if ( (val = parse_bool(s, ss)) >= 0 )
            opt_tmem = val;
        else if ( (val = parse_boolean("dom0", s, ss)) >= 0 )
            opt_tmem_dom0 = val;
        else if ( (val = parse_boolean("domu", s, ss)) >= 0 )
            opt_tmem_domu = val;
        else if ( (val = parse_boolean("persistent", s, ss)) >= 0 )
            opt_tmem_persistent = val;
        else
            rc = -EINVAL;

        s = ss + 1;
    } while ( *ss );

    return rc;
}
custom_param("tmem", parse_tmem);

static bool tmem_enabled_by_default(const struct domain *d)
{
    return is_hardware_domain(d) ? opt_tmem_dom0 : opt_tmem_domu;
}

static bool tmem_persistent_by_default(const struct domain *d)
{
    return is_hardware_domain(d) || opt_tmem_persistent;
}

/**
 * tmem_permitted - has the administrator given a domain tmem?
 * @d: The domain.
 *
 * Xen's command line has said so, unless somebody has said otherwise since.
 *
 * Context: a vCPU of the domain, or RCU.
 * Return: true if he has.
 */
bool tmem_permitted(const struct domain *d)
{
    const struct tmem_domain *td = rcu_dereference(d->tmem);

    if ( !tmem_engine )
        return false;

    return td ? read_atomic(&td->enabled) : tmem_enabled_by_default(d);
}

/**
 * tmem_permits_persistent - may a domain have persistent pools?
 * @d: The domain.
 *
 * Nobody saves them with the domain, so that they are not for one that is going
 * to be saved or migrated.
 *
 * Context: a vCPU of the domain, or RCU.
 * Return: true if it may.
 */
bool tmem_permits_persistent(const struct domain *d)
{
    const struct tmem_domain *td = rcu_dereference(d->tmem);

    return td ? read_atomic(&td->persistent) : tmem_persistent_by_default(d);
}

/**
 * tmem_has_pools - has a domain any pool?
 * @d: The domain.
 *
 * Context: a vCPU of the domain, or RCU.
 * Return: true if it has, if it may have one or not.
 */
bool tmem_has_pools(const struct domain *d)
{
    const struct tmem_domain *td = rcu_dereference(d->tmem);
    struct tmem_usage usage;

    if ( !td )
        return false;
    tmem_client_usage(td->client, &usage);

    return usage.pools;
}

/*
 * Enough for half the memory if each page is an object of its own, as of files of
 * one page. For all domains together there is no limit: the worst that guests can
 * do is about a third of a page for each, which goes with it when anybody needs
 * memory. So that is about a quarter of what nobody else has, and not kept from
 * anybody.
 */
static unsigned long tmem_max_metadata(void)
{
    return total_pages / 2 * 128;
}

/**
 * tmem_domain_default - what a domain may have of which nothing was said
 * @d: The domain.
 * @td: Its limits and permissions are filled in.
 *
 * Context: any.
 */
void tmem_domain_default(const struct domain *d, struct tmem_domain *td)
{
    td->limits = (struct tmem_limits){
        .persistent_pages = TMEM_UNLIMITED,
        .metadata_bytes = tmem_max_metadata(),
        .objects = TMEM_UNLIMITED,
        .weight = 1,
    };
    td->enabled = tmem_enabled_by_default(d);
    td->persistent = tmem_persistent_by_default(d);
}

static struct tmem_domain *tmem_domain_alloc(struct domain *d)
{
    struct tmem_domain *td = tmh_alloc(sizeof(*td));

    if ( !td )
        return NULL;
    tmem_domain_default(d, td);
    td->domain = d;
    spin_lock_init(&td->auth_lock);
    /* A dom0 without a limit must not take all memory of the host. */
    td->max_pages = min(total_pages / 4, UINT_MAX + 0ul);
    if ( !tmem_client_create(tmem_engine, &td->limits, td, &td->client) )
        return td;
    xfree(td);

    return NULL;
}

/* The domain's, which somebody else may have made; or NULL. */
static struct tmem_domain *tmem_domain_create(struct domain *d)
{
    struct tmem_domain *td = tmem_domain_alloc(d), *mine = td;

    if ( !td )
        return NULL;
    /* domain_kill() waits for this lock before tmem_teardown() looks. */
    domain_lock(d);
    if ( d->is_dying )
        td = NULL;
    else if ( d->tmem )
        td = d->tmem;
    else
        rcu_assign_pointer(d->tmem, td);
    domain_unlock(d);
    if ( td != mine )
    {
        tmem_client_destroy(mine->client);
        xfree(mine);
    }

    return td;
}

/**
 * tmem_domain_get - the tmem of a domain, made if there is none
 * @d: The domain.
 *
 * Context: a vCPU of the domain, or RCU; no lock.
 * Return: it, or NULL if there is no memory for it or the domain is dying.
 */
struct tmem_domain *tmem_domain_get(struct domain *d)
{
    struct tmem_domain *td = rcu_dereference(d->tmem) ?: tmem_domain_create(d);

    if ( !td && tmem_evict(tmem_engine, TMEM_GIVE_BACK) )
        td = tmem_domain_create(d);

    return td;
}

static bool tmem_domain_may_have(const struct tmem_domain *td, uint64_t pages)
{
    const struct domain *d = td->domain;

    if ( d->is_dying )
        return false;
    if ( d->max_pages == UINT_MAX && pages > td->max_pages )
        return false;

    return domain_tot_pages(d) + pages <= d->max_pages;
}

/**
 * tmem_domain_charge - count memory of persistent pools as that of a domain
 * @owner: Its struct tmem_domain.
 * @bytes: How much more there is going to be.
 *
 * Context: no lock. Takes the domain's page_alloc_lock.
 * Return: true; false if it would have more than it may.
 */
bool cf_check tmem_domain_charge(void *owner, size_t bytes)
{
    struct tmem_domain *td = owner;
    struct domain *d = td->domain;
    bool good;

    spin_lock(&d->page_alloc_lock);
    good = tmem_domain_may_have(td, PFN_UP(td->bytes + bytes));
    if ( good )
    {
        td->bytes += bytes;
        d->tmem_pages = PFN_UP(td->bytes);
    }
    spin_unlock(&d->page_alloc_lock);

    return good;
}

/**
 * tmem_domain_uncharge - there is less of it now
 * @owner: As in tmem_domain_charge().
 * @bytes: How much less.
 *
 * Context: no lock. Takes the domain's page_alloc_lock.
 */
void cf_check tmem_domain_uncharge(void *owner, size_t bytes)
{
    struct tmem_domain *td = owner;
    struct domain *d = td->domain;

    spin_lock(&d->page_alloc_lock);
    td->bytes -= bytes;
    d->tmem_pages = PFN_UP(td->bytes);
    spin_unlock(&d->page_alloc_lock);
}

static void cf_check tmem_free(struct rcu_head *rcu)
{
    struct tmem_domain *td = container_of(rcu, struct tmem_domain, rcu);

    tmem_client_destroy(td->client);
    xfree(td->auths);
    xfree(td);
}

/**
 * tmem_teardown - forget all pages of a domain, and what was said about it
 * @d: The domain; it is dying and runs no hypercall.
 *
 * Context: no lock.
 * Return: 0, or -ERESTART: call it again.
 */
int tmem_teardown(struct domain *d)
{
    struct tmem_domain *td = d->tmem;

    if ( !td )
        return 0;
    if ( tmem_client_kill(td->client) )
        return -ERESTART;
    ASSERT(!d->tmem_pages);
    rcu_assign_pointer(d->tmem, NULL);
    /* Somebody may be looking at it: nobody else is this client until then. */
    call_rcu(&td->rcu, tmem_free);

    return 0;
}

/**
 * tmem_soft_reset - forget all pages of a domain
 * @d: The domain; it runs no hypercall.
 *
 * What it may have stays as the administrator has said: the guest asks for
 * this. It may be on its way out of a crash, so that pools it shares are empty
 * for all then.
 *
 * Context: no lock.
 * Return: 0, or -ERESTART: call it again.
 */
int tmem_soft_reset(struct domain *d)
{
    struct tmem_domain *td = d->tmem;
    unsigned int i;

    if ( !td )
        return 0;
    for ( i = 0; i < TMEM_MAX_POOLS; i++ )
        if ( tmem_take_pool(td->client, i) == -EAGAIN )
            return -ERESTART;
    ASSERT(!d->tmem_pages);

    return 0;
}

static void tmem_dump_domain(const struct tmem_domain *td)
{
    const struct domain *d = td->domain;
    struct tmem_client *client = td->client;
    struct tmem_usage usage;
    struct tmem_stats stats;

    tmem_client_usage(client, &usage);
    tmem_client_stats(client, &stats);
    printk("%pd: %lu pools, %lu objects, %lu ephemeral and %lu persistent pages, "
           "%lu bytes of metadata, %u pages charged\n",
           d, usage.pools, usage.objects, usage.ephemeral_pages,
           usage.persistent_pages, usage.metadata_bytes, d->tmem_pages);
    printk("    puts %"PRIu64" (refused %"PRIu64", again %"PRIu64"), "
           "gets %"PRIu64" (missed %"PRIu64"), flushed %"PRIu64", "
           "evicted %"PRIu64"\n",
           stats.puts, stats.refused, stats.overwrites, stats.hits,
           stats.misses, stats.flushed, stats.evicted);
}

static void cf_check tmem_dump(unsigned char key)
{
    struct domain *d;

    printk("Transcendent memory, %lu freeable pages:\n",
           tmem_freeable_pages(ULONG_MAX));
    rcu_read_lock(&domlist_read_lock);
    for_each_domain ( d )
    {
        const struct tmem_domain *td = rcu_dereference(d->tmem);

        if ( td )
            tmem_dump_domain(td);
    }
    rcu_read_unlock(&domlist_read_lock);
}

static int __init cf_check tmem_init(void)
{
    unsigned int bits = flsl(total_pages);
    struct tmem_config config = {
        .ops = &tmem_frame_ops,
        .orders = 1,
        .bucket_bits = min(max(bits, 14u) - 4, TMEM_MAX_BUCKET_BITS + 0u),
        .stripe_bits = 6,
        .max_clients = DOMID_FIRST_RESERVED,
        .max_pools = TMEM_MAX_POOLS,
    };
    unsigned int i;

    if ( !opt_tmem )
        return 0;
    for ( i = 0; i < ARRAY_SIZE(config.seed); i++ )
        config.seed[i] = (uint64_t)get_random() << 32 | get_random();
    if ( tmem_engine_create(&config, &tmem_engine) )
    {
        printk(XENLOG_ERR "tmem: no memory, disabled\n");
        return 0;
    }
    register_keyhandler('y', tmem_dump, "dump transcendent memory", 1);
    printk("tmem: enabled%s%s%s\n", opt_tmem_dom0 ? ", dom0" : "",
           opt_tmem_domu ? ", domU" : "",
           opt_tmem_persistent ? ", persistent" : "");

    return 0;
}
__initcall(tmem_init);

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */

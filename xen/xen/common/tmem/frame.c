/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pages that are kept: frames of nobody, into and out of which those of guests
 * are copied.
 *
 * A frame without an owner is on no list of a domain, so that nobody frees it
 * but tmem, and it is scrubbed when it is freed.
 */
#include <xen/domain_page.h>
#include <xen/mm.h>
#include <xen/nodemask.h>
#include <xen/percpu.h>
#include <xen/tmem.h>

#include <asm/p2m.h>
#include <asm/paging.h>

#include "private.h"

/*
 * When there is less free memory, nothing new is kept before something else was
 * evicted: others than tmem need memory at once, and more than one page of it.
 */
#define TMEM_RESERVE_SHIFT 7 /* 1/128 of all memory */

/* Pages that are evicted at once for who needs several in a row */
#define TMEM_GIVE_BACK_MOST 64

DEFINE_PER_CPU(bool, tmem_allocates);

static bool tmem_memory_is_low(void)
{
    return free_unclaimed_pages() < (long)(total_pages >> TMEM_RESERVE_SHIFT);
}

static bool tmem_type_is_good(p2m_type_t type, bool write)
{
    switch ( type )
    {
    case p2m_ram_rw:
    case p2m_ram_logdirty:
        return true;

    case p2m_ram_ro:
        return !write;

    default:
        return false;
    }
}

/* Takes a reference, and to write a type. */
static struct page_info *tmem_frame_get(const struct tmem_frame *frame,
                                        bool write)
{
    struct page_info *page;
    p2m_type_t type;

    /* What does not fit in has no frame, and must not become another one. */
    if ( gfn_x(_gfn(frame->gfn)) != frame->gfn )
        return NULL;
    page = get_page_from_gfn(frame->domain, frame->gfn, &type,
                             write ? P2M_UNSHARE : P2M_ALLOC);
    if ( !page )
        return NULL;
    if ( tmem_type_is_good(type, write) &&
         (!write || get_page_type(page, PGT_writable_page)) )
        return page;
    put_page(page);

    return NULL;
}

static int cf_check tmem_frame_overwrite(void *host, const void *source,
                                         unsigned int order,
                                         unsigned long payload)
{
    struct page_info *page = tmem_frame_get(source, false);

    if ( !page )
        return -EFAULT;
    copy_domain_page(page_to_mfn((struct page_info *)payload),
                     page_to_mfn(page));
    put_page(page);

    return 0;
}

static int cf_check tmem_frame_store(void *host, const void *source,
                                     unsigned int order, unsigned long *payload)
{
    struct page_info *page;
    int error;

    if ( tmem_memory_is_low() )
        return -ENOMEM;
    this_cpu(tmem_allocates) = true;
    page = alloc_domheap_page(NULL, MEMF_no_scrub);
    this_cpu(tmem_allocates) = false;
    if ( !page )
        return -ENOMEM;
    error = tmem_frame_overwrite(host, source, order, (unsigned long)page);
    if ( error )
        free_domheap_page(page);
    *payload = (unsigned long)page;

    return error;
}

static int cf_check tmem_frame_load(void *host, void *target,
                                    unsigned int order, unsigned long payload)
{
    const struct tmem_frame *frame = target;
    struct page_info *page = tmem_frame_get(frame, true);

    if ( !page )
        return -EFAULT;
    copy_domain_page(page_to_mfn(page),
                     page_to_mfn((struct page_info *)payload));
    paging_mark_dirty(frame->domain, page_to_mfn(page));
    put_page_and_type(page);

    return 0;
}

static void cf_check tmem_frame_release(void *host, unsigned int order,
                                        unsigned long payload)
{
    free_domheap_page((struct page_info *)payload);
}

const struct tmem_payload_ops tmem_frame_ops = {
    .store = tmem_frame_store,
    .overwrite = tmem_frame_overwrite,
    .load = tmem_frame_load,
    .release = tmem_frame_release,
    .charge = tmem_domain_charge,
    .uncharge = tmem_domain_uncharge,
    .may_share = tmem_domain_may_share,
};

/**
 * tmem_give_back - evict ephemeral pages, as somebody has found no memory
 * @order: What was wanted, 1 << @order pages in a row.
 * @bits: Frame numbers may have so many bits.
 * @memflags: Of the allocation, MEMF_*.
 *
 * Those that are evicted are the oldest, in no order and wherever they are. So
 * for more than one page this may not help, and only some are tried: for two as
 * many as for more, for two alone are hardly ever neighbours. Where not every
 * page would do, none is: that the next one does is luck, and to go on until one
 * does may evict them all.
 *
 * Context: heap_lock is not held, any other lock may be. Locks are only tried,
 * and nothing is allocated.
 * Return: true if it is worth trying again.
 */
bool tmem_give_back(unsigned int order, unsigned int bits,
                    unsigned int memflags)
{
    /* Tmem's locks are not taken with interrupts off, not even tried. */
    if ( !tmem_engine || !local_irq_is_enabled() || this_cpu(tmem_allocates) )
        return false;
    if ( ((max_page - 1) >> bits) ||
         ((memflags & MEMF_exact_node) && num_online_nodes() > 1) )
        return false;

    return tmem_evict(tmem_engine,
                      order ? TMEM_GIVE_BACK_MOST : TMEM_GIVE_BACK);
}

/**
 * tmem_freeable_pages - count pages that are kept as long as nobody needs them
 * @enough: No need to know how many more there are.
 *
 * Context: any.
 * Return: how many there are, or, if that is less, @enough.
 */
unsigned long tmem_freeable_pages(unsigned long enough)
{
    return tmem_engine ? min(tmem_evictable(tmem_engine, enough), enough) : 0;
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

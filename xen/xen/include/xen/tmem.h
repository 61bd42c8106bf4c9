/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Transcendent memory: what the rest of Xen has to know of it.
 *
 * Pages of guests that Xen keeps for them, copied in and out by hypercall
 * (public/tmem.h). Those in ephemeral pools are dropped when anybody needs
 * memory; those in persistent pools count as memory of their domain.
 */
#ifndef __XEN_TMEM_H__
#define __XEN_TMEM_H__

#include <xen/errno.h>
#include <xen/sched.h>

struct xen_sysctl_tmem_op;

#ifdef CONFIG_TMEM

int tmem_teardown(struct domain *d);
int tmem_soft_reset(struct domain *d);
int tmem_control(struct xen_sysctl_tmem_op *op);
bool tmem_give_back(unsigned int order, unsigned int bits,
                    unsigned int memflags);
unsigned long tmem_freeable_pages(unsigned long enough);

/* Pages that count as @d's. Guarded by its page_alloc_lock. */
static inline unsigned int tmem_charged_pages(const struct domain *d)
{
    return d->tmem_pages;
}

#else /* !CONFIG_TMEM */

static inline int tmem_teardown(struct domain *d)
{
    return 0;
}

static inline int tmem_soft_reset(struct domain *d)
{
    return 0;
}

static inline int tmem_control(struct xen_sysctl_tmem_op *op)
{
    return -EOPNOTSUPP;
}

static inline bool tmem_give_back(unsigned int order, unsigned int bits,
                                  unsigned int memflags)
{
    return false;
}

static inline unsigned long tmem_freeable_pages(unsigned long enough)
{
    return 0;
}

static inline unsigned int tmem_charged_pages(const struct domain *d)
{
    return 0;
}

#endif /* CONFIG_TMEM */

#endif /* __XEN_TMEM_H__ */

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */

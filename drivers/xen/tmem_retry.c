// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the hypervisor could not do is asked for again, once a second, until it
 * has done all of it.
 */
#include <kunit/static_stub.h>

#include <linux/jiffies.h>
#include <linux/workqueue.h>

#include "tmem.h"

static void tmem_retry_fn(struct work_struct *work)
{
	xen_tmem_retry();
}

static DECLARE_DELAYED_WORK(tmem_retry_work, tmem_retry_fn);

/**
 * xen_tmem_retry - try again to have pages forgotten
 *
 * Context: May sleep. Takes xen_tmem_mutex.
 */
void xen_tmem_retry(void)
{
	bool left;

	mutex_lock(&xen_tmem_mutex);
	/* Afterwards they are tried again, or gone. */
	if (READ_ONCE(xen_tmem_closed)) {
		mutex_unlock(&xen_tmem_mutex);
		return;
	}
	left = xen_tmem_leaks_retry();
	left |= xen_tmem_fences_retry();
	xen_tmem_swap_retry();
	mutex_unlock(&xen_tmem_mutex);
	if (left)
		xen_tmem_retry_later();
}

/**
 * xen_tmem_retry_later - see to it that xen_tmem_retry() is called
 *
 * Context: Any.
 */
void xen_tmem_retry_later(void)
{
	KUNIT_STATIC_STUB_REDIRECT(xen_tmem_retry_later);
	queue_delayed_work(system_unbound_wq, &tmem_retry_work,
			   msecs_to_jiffies(TMEM_RETRY_MS));
}

/**
 * xen_tmem_retry_stop - nothing is there any more that could be forgotten
 *
 * Context: May sleep.
 */
void xen_tmem_retry_stop(void)
{
	cancel_delayed_work_sync(&tmem_retry_work);
}

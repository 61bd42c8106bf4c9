// SPDX-License-Identifier: GPL-2.0-only
/*
 * Taking pages of swap back before a suspend
 *
 * Who asks for the suspend waits a minute. It is xenwatch that prepares it: the
 * thread which also gives a disk another backend when its own has gone. If it
 * waited for such a disk, both would wait for ever. So a work item drains, and
 * xenwatch waits as long as it may. If that is not enough there is no suspend,
 * and the work item undoes what it did when it comes to its end.
 */
#include <kunit/static_stub.h>

#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/frontswap.h>
#include <linux/workqueue.h>

#include "tmem.h"

enum tmem_drain {
	TMEM_DRAIN_NONE,
	TMEM_DRAIN_AWAITED,
	TMEM_DRAIN_GIVEN_UP,
};

static atomic_t tmem_drain = ATOMIC_INIT(TMEM_DRAIN_NONE);
static DECLARE_COMPLETION(tmem_drained);
static unsigned long tmem_drain_timeout;
static int tmem_drain_error;

/* Return: true if it was so, and is not any more. */
static bool tmem_drain_change(enum tmem_drain from, enum tmem_drain to)
{
	return atomic_cmpxchg(&tmem_drain, from, to) == from;
}

static void tmem_drain_fn(struct work_struct *work)
{
	int err = frontswap_suspend(tmem_drain_timeout);

	tmem_drain_error = err;
	if (tmem_drain_change(TMEM_DRAIN_AWAITED, TMEM_DRAIN_NONE)) {
		complete(&tmem_drained);
		return;
	}
	if (!err)
		frontswap_resume();
	atomic_set_release(&tmem_drain, TMEM_DRAIN_NONE);
}

static DECLARE_WORK(tmem_drain_work, tmem_drain_fn);

/**
 * xen_tmem_swap_suspend - take all pages back, and store no others
 * @timeout: How long that may take, in jiffies.
 *
 * Context: May sleep, but not longer than that. One caller at a time.
 * Return: 0, or -EBUSY if pages are left or may be; then pages are stored again,
 * at once or when what hangs does not hang any more.
 */
int xen_tmem_swap_suspend(unsigned long timeout)
{
	KUNIT_STATIC_STUB_REDIRECT(xen_tmem_swap_suspend, timeout);
	if (!xen_tmem_frontswap)
		return 0;
	/* The one before may hang still. */
	if (!tmem_drain_change(TMEM_DRAIN_NONE, TMEM_DRAIN_AWAITED))
		return -EBUSY;
	reinit_completion(&tmem_drained);
	tmem_drain_timeout = timeout;
	queue_work(system_unbound_wq, &tmem_drain_work);
	if (!wait_for_completion_timeout(&tmem_drained, timeout)) {
		if (tmem_drain_change(TMEM_DRAIN_AWAITED, TMEM_DRAIN_GIVEN_UP))
			return -EBUSY;
		/* It has come to its end just now. */
		wait_for_completion(&tmem_drained);
	}
	return tmem_drain_error;
}

/**
 * xen_tmem_swap_resume - store pages again
 *
 * Context: Any.
 */
void xen_tmem_swap_resume(void)
{
	KUNIT_STATIC_STUB_REDIRECT(xen_tmem_swap_resume);
	if (xen_tmem_frontswap)
		frontswap_resume();
}

/**
 * xen_tmem_drain_exit - nobody will suspend any more
 *
 * Context: May sleep, for as long as a drain that was given up hangs.
 */
void xen_tmem_drain_exit(void)
{
	flush_work(&tmem_drain_work);
}

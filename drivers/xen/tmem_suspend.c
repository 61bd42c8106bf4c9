// SPDX-License-Identifier: GPL-2.0-only
/*
 * When the guest leaves its hypervisor: save, migration, hibernation
 *
 * No tool saves what the hypervisor has of a guest. So before a suspend the pages
 * of swap are taken back, or there is no suspend. From then on nothing is put,
 * got or forgotten, which xen_tmem_closed and xen_tmem_srcu see to: after a
 * resume the ids of the pools may be somebody else's, and what runs late must not
 * meet those. What had to be forgotten meanwhile is fenced.
 *
 * Pools that are shared are left, since others go on there. If the suspend is
 * cancelled, all of the rest is still there. After a resume nothing
 * is, and the hypervisor may be another: it is asked what it can do, and
 * everything begins anew.
 *
 * Who hibernates calls the front ends, which empty the store before. Here it
 * remains to begin anew, since what runs may have been booted on another host.
 */
#define pr_fmt(fmt) "tmem: " fmt

#include <linux/jiffies.h>
#include <linux/notifier.h>
#include <linux/printk.h>
#include <linux/suspend.h>

#include <xen/xen-ops.h>

#include "tmem.h"

/*
 * Xen's tools wait a minute for a guest to suspend, and must not be surprised by
 * one that does later. 40 s of it are for tasks and kernel threads to freeze.
 */
#define TMEM_DRAIN_SECONDS	15

/* The store is empty, and nothing is stored. */
static bool tmem_hibernating;

/**
 * xen_tmem_suspend_prepare - empty what must not be lost, and close the pools
 *
 * Context: May sleep, for TMEM_DRAIN_SECONDS at most. Takes cleancache_mutex.
 * Return: 0; -EBUSY if pages of swap are left, and then nothing has changed.
 */
int xen_tmem_suspend_prepare(void)
{
	int err = xen_tmem_swap_suspend(TMEM_DRAIN_SECONDS * HZ);

	if (err) {
		pr_err("no suspend: pages of swap are left in the hypervisor after %u s; swap them in (swapoff) or try again\n",
		       TMEM_DRAIN_SECONDS);
		return err;
	}
	xen_tmem_file_leave();
	mutex_lock(&xen_tmem_mutex);
	WRITE_ONCE(xen_tmem_closed, true);
	mutex_unlock(&xen_tmem_mutex);
	synchronize_srcu(&xen_tmem_srcu);
	return 0;
}

/**
 * xen_tmem_suspend_cancelled - the guest is where it was
 *
 * Context: May sleep. Takes cleancache_mutex.
 */
void xen_tmem_suspend_cancelled(void)
{
	if (!READ_ONCE(xen_tmem_closed))
		return;
	WRITE_ONCE(xen_tmem_closed, false);
	xen_tmem_retry();
	xen_tmem_file_rejoin();
	xen_tmem_swap_resume();
}

/*
 * The hypervisor has none of our pools, but may have some of another kernel's.
 * Nothing uses a pool now.
 */
static void tmem_renew_pools(void)
{
	lockdep_assert_held(&xen_tmem_mutex);
	xen_tmem_file_lose_pools();
	xen_tmem_swap_lose_pool();
	if (!xen_tmem_probe())
		xen_tmem_swap_make_pool();
}

/**
 * xen_tmem_suspend_done - the guest is somewhere else, and has nothing there
 *
 * Context: May sleep. Takes cleancache_mutex.
 */
void xen_tmem_suspend_done(void)
{
	mutex_lock(&xen_tmem_mutex);
	tmem_renew_pools();
	WRITE_ONCE(xen_tmem_closed, false);
	mutex_unlock(&xen_tmem_mutex);
	tmem_count(TMEM_SUSPENDS, 1);
	xen_tmem_file_renew();
	xen_tmem_swap_resume();
}

static int tmem_suspend_notify(struct notifier_block *nb, unsigned long event,
			       void *data)
{
	switch (event) {
	case XEN_SUSPEND_PREPARE:
		return notifier_from_errno(xen_tmem_suspend_prepare());
	case XEN_SUSPEND_CANCELLED:
		xen_tmem_suspend_cancelled();
		break;
	case XEN_SUSPEND_DONE:
		xen_tmem_suspend_done();
		break;
	}
	return NOTIFY_OK;
}

static struct notifier_block tmem_suspend_nb = {
	.notifier_call = tmem_suspend_notify,
};

/**
 * xen_tmem_hibernation_begins - the front ends have emptied the store
 *
 * Context: May sleep.
 */
void xen_tmem_hibernation_begins(void)
{
	tmem_hibernating = true;
}

/**
 * xen_tmem_hibernation_ends - the guest has hibernated, or could not
 *
 * Also called when a front end could not empty the store: then it has not begun,
 * and everything stays as it is.
 *
 * Context: May sleep.
 */
void xen_tmem_hibernation_ends(void)
{
	if (!tmem_hibernating)
		return;
	tmem_hibernating = false;
	mutex_lock(&xen_tmem_mutex);
	tmem_renew_pools();
	mutex_unlock(&xen_tmem_mutex);
}

static int tmem_pm_begin(struct notifier_block *nb, unsigned long event,
			 void *data)
{
	if (event != PM_HIBERNATION_PREPARE)
		return NOTIFY_DONE;
	xen_tmem_hibernation_begins();
	return NOTIFY_OK;
}

static int tmem_pm_end(struct notifier_block *nb, unsigned long event,
		       void *data)
{
	if (event != PM_POST_HIBERNATION)
		return NOTIFY_DONE;
	xen_tmem_hibernation_ends();
	return NOTIFY_OK;
}

/* Called after the front ends, and only if they have succeeded */
static struct notifier_block tmem_pm_begin_nb = {
	.notifier_call = tmem_pm_begin,
	.priority = -1,
};

/* Called before the front ends use the pools again */
static struct notifier_block tmem_pm_end_nb = {
	.notifier_call = tmem_pm_end,
	.priority = 1,
};

/**
 * xen_tmem_suspend_init - be told of suspends
 *
 * Context: May sleep.
 * Return: 0, or -EBUSY if the guest is being suspended.
 */
int xen_tmem_suspend_init(void)
{
	int err = xen_suspend_notifier_register(&tmem_suspend_nb);

	if (err)
		return err;
	register_pm_notifier(&tmem_pm_begin_nb);
	register_pm_notifier(&tmem_pm_end_nb);
	return 0;
}

/**
 * xen_tmem_suspend_exit - do not be told any more
 *
 * If a suspend has begun, xen_tmem_suspend_cancelled() is for the caller to call when
 * nothing is stored any more.
 *
 * Context: May sleep.
 */
void xen_tmem_suspend_exit(void)
{
	unregister_pm_notifier(&tmem_pm_end_nb);
	unregister_pm_notifier(&tmem_pm_begin_nb);
	xen_suspend_notifier_unregister(&tmem_suspend_nb);
	xen_tmem_drain_exit();
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * When the guest leaves its hypervisor: save, migration, hibernation
 *
 * No tool saves what the hypervisor has of a guest. So before a suspend the pages
 * of swap are taken back, or there is no suspend. From then on nothing is put,
 * got or forgotten, which tmem_closed and tmem_srcu see to: after a resume the
 * ids of the pools may be somebody else's, and what runs late must not meet those.
 * What had to be forgotten meanwhile is fenced.
 *
 * If the suspend is cancelled, all of this is still there. After a resume nothing
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

/* Xen's tools wait a minute for a guest to suspend, and must not be surprised. */
#define TMEM_DRAIN_SECONDS	40

/* The store is empty, and nothing is stored. */
static bool tmem_hibernating;

/**
 * tmem_suspend_prepare - empty what must not be lost, and close the pools
 *
 * Context: May sleep, for as long as the swap devices take, but not for ever.
 * Return: 0; -EBUSY if pages of swap are left, and then nothing has changed.
 */
int tmem_suspend_prepare(void)
{
	int err = tmem_swap_suspend(TMEM_DRAIN_SECONDS * HZ);

	if (err) {
		pr_err("no suspend: pages of swap are left in the hypervisor after %u s; swap them in (swapoff) or try again\n",
		       TMEM_DRAIN_SECONDS);
		return err;
	}
	mutex_lock(&tmem_mutex);
	WRITE_ONCE(tmem_closed, true);
	mutex_unlock(&tmem_mutex);
	synchronize_srcu(&tmem_srcu);
	return 0;
}

/**
 * tmem_suspend_cancelled - the guest is where it was
 *
 * Context: May sleep.
 */
void tmem_suspend_cancelled(void)
{
	if (!READ_ONCE(tmem_closed))
		return;
	WRITE_ONCE(tmem_closed, false);
	tmem_retry();
	tmem_swap_resume();
}

/*
 * The hypervisor has none of our pools, but may have some of another kernel's.
 * Nothing uses a pool now.
 */
static void tmem_renew_pools(void)
{
	lockdep_assert_held(&tmem_mutex);
	tmem_file_lose_pools();
	tmem_swap_lose_pool();
	if (tmem_probe())
		return;
	tmem_destroy_all_pools();
	tmem_swap_make_pool();
}

/**
 * tmem_suspend_done - the guest is somewhere else, and has nothing there
 *
 * Context: May sleep. Takes cleancache_mutex.
 */
void tmem_suspend_done(void)
{
	mutex_lock(&tmem_mutex);
	tmem_renew_pools();
	WRITE_ONCE(tmem_closed, false);
	mutex_unlock(&tmem_mutex);
	tmem_count(TMEM_SUSPENDS, 1);
	tmem_file_renew();
	tmem_swap_resume();
}

static int tmem_suspend_notify(struct notifier_block *nb, unsigned long event,
			       void *data)
{
	switch (event) {
	case XEN_SUSPEND_PREPARE:
		return notifier_from_errno(tmem_suspend_prepare());
	case XEN_SUSPEND_CANCELLED:
		tmem_suspend_cancelled();
		break;
	case XEN_SUSPEND_DONE:
		tmem_suspend_done();
		break;
	}
	return NOTIFY_OK;
}

static struct notifier_block tmem_suspend_nb = {
	.notifier_call = tmem_suspend_notify,
};

/**
 * tmem_hibernation_begins - the front ends have emptied the store
 *
 * Context: May sleep.
 */
void tmem_hibernation_begins(void)
{
	tmem_hibernating = true;
}

/**
 * tmem_hibernation_ends - the guest has hibernated, or could not
 *
 * Also called when a front end could not empty the store: then it has not begun,
 * and everything stays as it is.
 *
 * Context: May sleep.
 */
void tmem_hibernation_ends(void)
{
	if (!tmem_hibernating)
		return;
	tmem_hibernating = false;
	mutex_lock(&tmem_mutex);
	tmem_renew_pools();
	mutex_unlock(&tmem_mutex);
}

static int tmem_pm_begin(struct notifier_block *nb, unsigned long event,
			 void *data)
{
	if (event != PM_HIBERNATION_PREPARE)
		return NOTIFY_DONE;
	tmem_hibernation_begins();
	return NOTIFY_OK;
}

static int tmem_pm_end(struct notifier_block *nb, unsigned long event,
		       void *data)
{
	if (event != PM_POST_HIBERNATION)
		return NOTIFY_DONE;
	tmem_hibernation_ends();
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
 * tmem_suspend_init - be told of suspends
 *
 * Context: May sleep.
 * Return: 0, or -EBUSY if the guest is being suspended.
 */
int tmem_suspend_init(void)
{
	int err = xen_suspend_notifier_register(&tmem_suspend_nb);

	if (err)
		return err;
	register_pm_notifier(&tmem_pm_begin_nb);
	register_pm_notifier(&tmem_pm_end_nb);
	return 0;
}

/**
 * tmem_suspend_exit - do not be told any more
 *
 * If a suspend has begun, tmem_suspend_cancelled() is for the caller to call when
 * nothing is stored any more.
 *
 * Context: May sleep.
 */
void tmem_suspend_exit(void)
{
	unregister_pm_notifier(&tmem_pm_end_nb);
	unregister_pm_notifier(&tmem_pm_begin_nb);
	xen_suspend_notifier_unregister(&tmem_suspend_nb);
}

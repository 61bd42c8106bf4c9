// SPDX-License-Identifier: GPL-2.0-only
/*
 * tmem - swap pages and clean file pages in memory of the Xen hypervisor
 *
 * The guest's side of hypercall __HYPERVISOR_tmem_op, as a backend of frontswap
 * and cleancache. Works with Xen 4.0 to 4.12, and with later ones that have tmem
 * again.
 *
 *  tmem_hypercall.c	What the hypervisor is asked for, and its answers.
 *  tmem_batch.c	Several pages in one hypercall.
 *  tmem_frontswap.c	Pages of swap: what must not be lost.
 *  tmem_drain.c	Taking them back before a suspend.
 *  tmem_leak.c		Those that the hypervisor did not forget.
 *  tmem_home.c		Taking pages of swap back while the guest goes on,
 *  tmem_quota.c	as the host asks for its memory,
 *  tmem_selfballoon.c	or as the guest has some itself again;
 *  tmem_goal.c		how much it needs.
 *  tmem_cleancache.c	Pages of files: what must not be old.
 *  tmem_fence.c	Those that the hypervisor did not forget.
 *  tmem_retry.c	When it is asked again.
 *  tmem_suspend.c	When the guest leaves the hypervisor.
 *  tmem_count.c	Counters.
 *
 * Lock order:
 *	system_transition_mutex
 *	  frontswap_mutex, cleancache_mutex
 *	    xen_tmem_mutex
 *	      xen_tmem_srcu
 *	        tmem_batch.lock
 *	          xa_lock
 */
#define pr_fmt(fmt) "tmem: " fmt

#include <linux/init.h>
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/suspend.h>

#include <xen/xen.h>

#include "tmem.h"

/* See tmem.h for what it protects. */
DEFINE_MUTEX(xen_tmem_mutex);
DEFINE_SRCU(xen_tmem_srcu);
bool xen_tmem_closed;

/* A module is loaded because it is wanted. */
bool xen_tmem_frontswap = IS_MODULE(CONFIG_XEN_TMEM);
module_param_named(frontswap, xen_tmem_frontswap, bool, 0444);
MODULE_PARM_DESC(frontswap, "Offer swap pages to the hypervisor");

bool xen_tmem_cleancache = IS_MODULE(CONFIG_XEN_TMEM);
module_param_named(cleancache, xen_tmem_cleancache, bool, 0444);
MODULE_PARM_DESC(cleancache, "Offer clean file pages to the hypervisor");

/* Pages go to the hypervisor: there is something to be undone. */
bool xen_tmem_serving;

#ifndef MODULE
/*
 * Built in, the driver does nothing unless it is told to. "tmem" on the command
 * line switches both on; as an early parameter, so that tmem.frontswap=0
 * and tmem.cleancache=0 win wherever they stand.
 */
static int __init tmem_setup(char *arg)
{
	bool on = true;

	if (arg && kstrtobool(arg, &on)) {
		pr_err("'tmem=%s' is not known: use tmem, tmem=0, tmem.frontswap=, tmem.cleancache=\n",
		       arg);
		return -EINVAL;
	}
	xen_tmem_frontswap = on;
	xen_tmem_cleancache = on;
	return 0;
}
early_param("tmem", tmem_setup);
#endif

/* Files first: to take that back costs nothing, should swap not be had. */
static int __init tmem_start(void)
{
	int err = xen_tmem_cleancache ? xen_tmem_file_start() : 0;

	if (err || !xen_tmem_frontswap)
		return err;
	err = xen_tmem_swap_start();
	if (!err || !xen_tmem_cleancache)
		return err;
	/* A host may drop pages when it likes, and not have any others. */
	if (err == -ENODEV) {
		xen_tmem_frontswap = false;
		return 0;
	}
	xen_tmem_file_stop();
	return err;
}

/* What changes how much of swap there is where */
static void tmem_start_balance(void)
{
	if (!xen_tmem_frontswap)
		return;
	xen_tmem_quota_start();
	xen_tmem_selfballoon_start();
}

static void tmem_stop_balance(void)
{
	if (!xen_tmem_frontswap)
		return;
	xen_tmem_selfballoon_stop();
	xen_tmem_quota_stop();
}

static void tmem_stop(void)
{
	if (xen_tmem_frontswap)
		xen_tmem_swap_stop();
	if (xen_tmem_cleancache)
		xen_tmem_file_stop();
}

/* Nobody calls us any more, nor has pages with us. */
static void tmem_end(void)
{
	/* If a suspend has begun, nobody will tell us how it went. */
	xen_tmem_suspend_cancelled();
	xen_tmem_retry_stop();
	xen_tmem_remove_debugfs();
	xen_tmem_batch_exit();
}

static int __init tmem_begin(void)
{
	int err = xen_tmem_batch_init();

	if (err)
		return err;
	err = xen_tmem_suspend_init();
	if (err) {
		xen_tmem_batch_exit();
		return err;
	}
	err = xen_tmem_probe();
	if (!err) {
		xen_tmem_add_debugfs();
		/* Last: pages are stored before this returns. */
		err = tmem_start();
	}
	if (err) {
		xen_tmem_suspend_exit();
		tmem_end();
	}
	return err;
}

static int __init tmem_serve(void)
{
	unsigned int flags;
	int err;

	xen_tmem_frontswap &= IS_ENABLED(CONFIG_FRONTSWAP);
	xen_tmem_cleancache &= IS_ENABLED(CONFIG_CLEANCACHE);
	if (!xen_domain() || !(xen_tmem_frontswap || xen_tmem_cleancache))
		return -ENODEV;
	/* Who hibernates has to be heard from its beginning. */
	flags = lock_system_sleep();
	err = tmem_begin();
	unlock_system_sleep(flags);
	if (err && err != -ENODEV)
		pr_err("cannot register%s (%d)\n",
		       err == -EBUSY ? ": another backend has, or a suspend is under way" :
				       "", err);
	xen_tmem_serving = !err;
	if (!err)
		tmem_start_balance();
	return err;
}

static int __init tmem_init(void)
{
	int err = tmem_serve();

	/* A module has to stay for its unit tests to be run. */
	if (err == -ENODEV && IS_ENABLED(CONFIG_XEN_TMEM_KUNIT_TEST))
		return 0;
	return err;
}
module_init(tmem_init);

/*
 * First the front ends take their pages back or drop them; then nobody calls us
 * any more.
 */
static void __exit tmem_exit(void)
{
	if (!xen_tmem_serving)
		return;
	tmem_stop_balance();
	xen_tmem_suspend_exit();
	tmem_stop();
	tmem_end();
}
module_exit(tmem_exit);

MODULE_DESCRIPTION("Transcendent memory of the Xen hypervisor for frontswap and cleancache");
MODULE_LICENSE("GPL");

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host asks for its memory back: memory/tmem-quota in xenstore
 *
 * KiB that this guest may have in persistent pools. The hypervisor takes no pages
 * beyond it, but does not remove any: they would be lost. So what is too much is
 * brought home here, some pages at a time, until it is not. Without the node there
 * is no quota.
 */
#define pr_fmt(fmt) "tmem: " fmt

#include <linux/frontswap.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/notifier.h>
#include <linux/printk.h>
#include <linux/workqueue.h>

#include <xen/xenbus.h>

#include "tmem.h"

/* Pages that are brought home before others have a turn */
#define TMEM_QUOTA_STEP		512UL

static void tmem_quota_fn(struct work_struct *work);
/* While the guest is suspended there is no device to write to. */
static DECLARE_DELAYED_WORK(tmem_quota_work, tmem_quota_fn);

/* In pages */
static unsigned long tmem_quota = ULONG_MAX;
/* The one that was last exceeded; for tmem_quota_work only */
static unsigned long tmem_quota_exceeded = ULONG_MAX;
/* It is watched; changes when nobody else begins or ends that. */
static bool tmem_quota_watched;

static void tmem_quota_fn(struct work_struct *work)
{
	unsigned long quota = READ_ONCE(tmem_quota);
	unsigned long held = frontswap_pages();
	unsigned long home;

	if (held <= quota)
		return;
	if (tmem_quota_exceeded != quota)
		pr_info("the host wants %lu of %lu pages of swap to be taken back\n",
			held - quota, held);
	tmem_quota_exceeded = quota;
	home = xen_tmem_bring_home(min(held - quota, TMEM_QUOTA_STEP),
				   held - quota);
	queue_delayed_work(system_freezable_wq, &tmem_quota_work,
			   home ? 0 : msecs_to_jiffies(TMEM_RETRY_MS));
}

/* Who brings pages home may wait for a disk, and its backend for this thread. */
static void tmem_quota_changed(struct xenbus_watch *watch, const char *path,
			       const char *token)
{
	unsigned long quota = ULONG_MAX;
	unsigned long long kb;

	if (xenbus_scanf(XBT_NIL, "memory", "tmem-quota", "%llu", &kb) == 1)
		quota = kb >> (PAGE_SHIFT - 10);
	WRITE_ONCE(tmem_quota, quota);
	mod_delayed_work(system_freezable_wq, &tmem_quota_work, 0);
}

static struct xenbus_watch tmem_quota_watch = {
	.node = "memory/tmem-quota",
	.callback = tmem_quota_changed,
};

static int tmem_quota_begin(struct notifier_block *nb, unsigned long event,
			    void *data)
{
	int err = register_xenbus_watch(&tmem_quota_watch);

	if (err)
		pr_err("cannot hear of the host's quota (%d)\n", err);
	tmem_quota_watched = !err;
	return NOTIFY_DONE;
}

static struct notifier_block tmem_quota_nb = {
	.notifier_call = tmem_quota_begin,
};

/**
 * xen_tmem_quota_start - do what the host asks for
 *
 * From now on, or when there is a xenstore.
 *
 * Context: May sleep.
 */
void xen_tmem_quota_start(void)
{
	register_xenstore_notifier(&tmem_quota_nb);
}

/**
 * xen_tmem_quota_stop - do not do so any more
 *
 * Context: May sleep, for as long as the swap devices take.
 */
void xen_tmem_quota_stop(void)
{
	unregister_xenstore_notifier(&tmem_quota_nb);
	if (tmem_quota_watched)
		unregister_xenbus_watch(&tmem_quota_watch);
	tmem_quota_watched = false;
	cancel_delayed_work_sync(&tmem_quota_work);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * How swap areas and backends come and go, and what the administrator decides.
 *
 * Why a backend can leave although nothing counts references to it:
 *  1. FRONTSWAP_LEAVING refuses new stores; synchronize_srcu() waits for those
 *     that passed the test before.
 *  2. Every page is taken back. Loads and invalidates still reach the backend.
 *  3. The static calls go to functions of frontswap.c, so a task that was
 *     preempted on its way to the backend arrives there.
 *  4. synchronize_srcu() and synchronize_rcu() wait for those already inside.
 *
 * Lock order:
 *	frontswap_area.mode_lock
 *	  frontswap_mutex
 *	    cpu_hotplug_lock (static keys and calls)
 */
#define pr_fmt(fmt) "frontswap: " fmt

#include <linux/blkdev.h>
#include <linux/export.h>
#include <linux/frontswap.h>
#include <linux/init.h>
#include <linux/slab.h>
#include <linux/suspend.h>
#include <linux/swap.h>
#include <linux/swapops.h>

#include "frontswap.h"
#include "tmem.h"

/* See frontswap.h for what it protects. */
DEFINE_MUTEX(frontswap_mutex);

const struct frontswap_ops *frontswap_backend;

/**
 * frontswap_area_get - find a swap area and keep it
 * @type: Index of the area.
 *
 * Takes no mutex: who holds frontswap_mutex may wait for reclaim, which comes here.
 *
 * Context: Any.
 * Return: The area, to be given to frontswap_area_put(), or NULL.
 */
struct frontswap_area *frontswap_area_get(unsigned int type)
{
	struct frontswap_area *area = NULL;

	rcu_read_lock();
	if (type < MAX_SWAPFILES)
		area = READ_ONCE(frontswap_areas[type]);
	if (area && !kobject_get_unless_zero(&area->kobj))
		area = NULL;
	rcu_read_unlock();
	return area;
}

/**
 * frontswap_area_put - let go of a swap area
 * @area: What frontswap_area_get() returned.
 *
 * Context: May sleep.
 */
void frontswap_area_put(struct frontswap_area *area)
{
	kobject_put(&area->kobj);
}

/* The area is closed and holds nothing. */
static void frontswap_serve(struct frontswap_area *area)
{
	bool through;
	int ret;

	lockdep_assert_held(&frontswap_mutex);
	if (!frontswap_backend ||
	    test_bit(FRONTSWAP_LEAVING, &frontswap_state))
		return;
	through = (frontswap_backend->flags & FRONTSWAP_WRITETHROUGH) ||
		  test_bit(FRONTSWAP_AREA_WANT_THROUGH, &area->state);
	ret = frontswap_map_alloc(&area->map);
	if (!ret)
		ret = frontswap_backend->init(area->type, area->nr_slots,
					      through);
	if (ret) {
		pr_warn("%s does not serve swap area %u: error %d\n",
			frontswap_backend->name, area->type, ret);
		return;
	}
	assign_bit(FRONTSWAP_AREA_THROUGH, &area->state, through);
	/* A store that sees SERVED must see THROUGH. */
	smp_mb__before_atomic();
	set_bit(FRONTSWAP_AREA_SERVED, &area->state);
}

/* As frontswap_serve(), and no operation is on its way to the backend. */
static void frontswap_unserve(struct frontswap_area *area)
{
	lockdep_assert_held(&frontswap_mutex);
	if (test_and_clear_bit(FRONTSWAP_AREA_SERVED, &area->state))
		frontswap_backend->invalidate_area(area->type);
}

static bool frontswap_encrypted(struct block_device *bdev)
{
	return bdev && bdev_encrypts(bdev);
}

/**
 * frontswap_swapon - a swap area comes
 * @si: The area, not yet enabled.
 * @nr_slots: Number of its slots.
 *
 * Without memory the area works, without a store in front of it.
 *
 * Context: May sleep. Takes frontswap_mutex.
 */
void frontswap_swapon(struct swap_info_struct *si, unsigned long nr_slots)
{
	struct frontswap_area *area = kzalloc(sizeof(*area), GFP_KERNEL);

	if (!area)
		goto fail;
	area->file = si->swap_file;
	area->type = si->type;
	area->nr_slots = nr_slots;
	mutex_init(&area->mode_lock);
	frontswap_map_init(&area->map, nr_slots);
	xa_init_flags(&area->poison, XA_FLAGS_LOCK_IRQ);
	if (frontswap_encrypted(si->bdev))
		__set_bit(FRONTSWAP_AREA_ENCRYPTED, &area->state);
	if (frontswap_area_add_sysfs(area))
		goto fail;

	mutex_lock(&frontswap_mutex);
	frontswap_serve(area);
	WRITE_ONCE(frontswap_areas[area->type], area);
	mutex_unlock(&frontswap_mutex);
	return;
fail:
	pr_warn("no memory for swap area %d, it stays without tmem\n",
		si->type);
}

/**
 * frontswap_swapoff - a swap area goes
 * @type: Index of the area, whose slots are all free.
 *
 * Context: May sleep. Takes frontswap_mutex.
 */
void frontswap_swapoff(unsigned int type)
{
	struct frontswap_area *area;

	mutex_lock(&frontswap_mutex);
	area = frontswap_areas[type];
	WRITE_ONCE(frontswap_areas[type], NULL);
	if (area)
		frontswap_unserve(area);
	mutex_unlock(&frontswap_mutex);
	if (!area)
		return;

	WARN_ON_ONCE(atomic_long_read(&area->nr_pages));
	/* Not when the last reference goes, which may be in reclaim. */
	cancel_work_sync(&area->map.refill);
	/* Waits for its sysfs files, which may wait for frontswap_mutex. */
	kobject_del(&area->kobj);
	kobject_put(&area->kobj);
}

static int frontswap_check_ops(const struct frontswap_ops *ops)
{
	if (!ops->name || !ops->init || !ops->store || !ops->load ||
	    !ops->invalidate || !ops->invalidate_area ||
	    (ops->flags & ~FRONTSWAP_FLAGS)) {
		pr_err("backend %s: operation missing or unknown flag\n",
		       ops->name ?: "without name");
		return -EINVAL;
	}
	if (tmem_platform_refuses(ops->flags & FRONTSWAP_OUTSIDE)) {
		pr_info("backend %s refused: pages of a confidential guest stay inside\n",
			ops->name);
		return -EPERM;
	}
	return 0;
}

/**
 * frontswap_register_ops - connect a backend
 * @ops: Its operations; must stay until frontswap_unregister_ops() returned.
 *
 * The backend is offered the pages of all swap areas, those already on too:
 * their @init is called from here.
 *
 * Context: May sleep. Takes frontswap_mutex.
 * Return: 0; -EBUSY if there is a backend already; -EINVAL if @ops is not
 * complete; -EPERM if the backend is outside a confidential guest.
 */
int frontswap_register_ops(const struct frontswap_ops *ops)
{
	unsigned int type;
	int ret = frontswap_check_ops(ops);

	if (ret)
		return ret;
	mutex_lock(&frontswap_mutex);
	if (frontswap_backend) {
		pr_info("backend %s refused: %s is registered\n", ops->name,
			frontswap_backend->name);
		mutex_unlock(&frontswap_mutex);
		return -EBUSY;
	}
	frontswap_backend = ops;
	WRITE_ONCE(frontswap_flags, ops->flags);
	frontswap_connect(ops);
	/* From here on the areas are served one after the other. */
	static_branch_enable(&frontswap_key);
	for (type = 0; type < MAX_SWAPFILES; type++)
		if (frontswap_areas[type])
			frontswap_serve(frontswap_areas[type]);
	mutex_unlock(&frontswap_mutex);
	pr_info("backend %s registered\n", ops->name);
	return 0;
}
EXPORT_SYMBOL_GPL(frontswap_register_ops);

/**
 * frontswap_unregister_ops - disconnect a backend
 * @ops: What was registered.
 *
 * Takes every page back, writing it to its slot on the swap device or keeping
 * it in memory, and returns when the backend holds nothing and nothing calls it
 * any more. A page that cannot be loaded is lost: whoever touches it gets an
 * I/O error, and poisoned_pages in sysfs counts it.
 *
 * Context: May sleep, for as long as the swap devices take. Takes
 * frontswap_mutex.
 */
void frontswap_unregister_ops(const struct frontswap_ops *ops)
{
	bool poisoned = false;
	unsigned int type;

	mutex_lock(&frontswap_mutex);
	if (WARN_ON_ONCE(frontswap_backend != ops)) {
		mutex_unlock(&frontswap_mutex);
		return;
	}
	set_bit(FRONTSWAP_LEAVING, &frontswap_state);
	mutex_unlock(&frontswap_mutex);

	synchronize_srcu(&frontswap_srcu);
	frontswap_drain_all(/*killable=*/false);

	mutex_lock(&frontswap_mutex);
	for (type = 0; type < MAX_SWAPFILES; type++)
		if (frontswap_areas[type])
			poisoned |= atomic_long_read(&frontswap_areas[type]->nr_poisoned);
	/* Lost pages must be met by the hooks, not read from the device. */
	if (!poisoned)
		static_branch_disable(&frontswap_key);
	frontswap_connect(NULL);
	synchronize_srcu(&frontswap_srcu);
	synchronize_rcu();
	for (type = 0; type < MAX_SWAPFILES; type++)
		if (frontswap_areas[type])
			frontswap_unserve(frontswap_areas[type]);
	frontswap_backend = NULL;
	WRITE_ONCE(frontswap_flags, 0);
	clear_bit(FRONTSWAP_LEAVING, &frontswap_state);
	mutex_unlock(&frontswap_mutex);
	pr_info("backend %s unregistered\n", ops->name);
}
EXPORT_SYMBOL_GPL(frontswap_unregister_ops);

/**
 * frontswap_set_enabled - switch the front end on or off
 * @enabled: Off refuses stores and takes every page back.
 *
 * Context: May sleep.
 * Return: 0, or -EINTR if a fatal signal came before the store was empty.
 */
int frontswap_set_enabled(bool enabled)
{
	assign_bit(FRONTSWAP_DISABLED, &frontswap_state, !enabled);
	if (enabled)
		return 0;
	synchronize_srcu(&frontswap_srcu);
	return frontswap_drain_all(/*killable=*/true);
}

/**
 * frontswap_set_allow_encrypted - may encrypted areas leave the guest?
 * @allow: Not any more takes their pages back from a backend outside.
 *
 * Context: May sleep. Takes frontswap_mutex.
 * Return: 0, or -EINTR if a fatal signal came before the areas were empty.
 */
int frontswap_set_allow_encrypted(bool allow)
{
	struct frontswap_area *area;
	unsigned int type;
	int ret = 0;

	assign_bit(FRONTSWAP_ALLOW_ENCRYPTED, &frontswap_state, allow);
	synchronize_srcu(&frontswap_srcu);
	for (type = 0; !ret && type < MAX_SWAPFILES; type++) {
		area = frontswap_area_get(type);
		if (!area)
			continue;
		if (frontswap_keeps_encrypted(READ_ONCE(frontswap_flags),
					      READ_ONCE(frontswap_state),
					      READ_ONCE(area->state)))
			ret = frontswap_drain_area(area, /*killable=*/true);
		frontswap_area_put(area);
	}
	return ret;
}

/**
 * frontswap_set_excluded - exclude an area, or include it again
 * @area: The area.
 * @excluded: Excluding refuses stores and takes every page back.
 *
 * Context: May sleep.
 * Return: 0, or -EINTR if a fatal signal came before the area was empty.
 */
int frontswap_set_excluded(struct frontswap_area *area, bool excluded)
{
	assign_bit(FRONTSWAP_AREA_EXCLUDED, &area->state, excluded);
	if (!excluded)
		return 0;
	synchronize_srcu(&frontswap_srcu);
	return frontswap_drain_area(area, /*killable=*/true);
}

/**
 * frontswap_set_writethrough - choose whether an area is written through
 * @area: The area.
 * @through: Also write to the device what is stored.
 *
 * A bit of the residency map means something else in either mode, so the area
 * is emptied first.
 *
 * Context: May sleep. Takes frontswap_mutex.
 * Return: 0, or -EINTR if a fatal signal came first; then nothing changed.
 */
int frontswap_set_writethrough(struct frontswap_area *area, bool through)
{
	int ret;

	ret = mutex_lock_killable(&area->mode_lock);
	if (ret)
		return ret;
	set_bit(FRONTSWAP_AREA_DRAINING, &area->state);
	synchronize_srcu(&frontswap_srcu);
	ret = frontswap_drain_area(area, /*killable=*/true);
	if (!ret) {
		synchronize_rcu();
		mutex_lock(&frontswap_mutex);
		assign_bit(FRONTSWAP_AREA_WANT_THROUGH, &area->state, through);
		/* Nothing to do in an area that has just been swapped off. */
		if (frontswap_areas[area->type] == area) {
			frontswap_unserve(area);
			frontswap_serve(area);
		}
		mutex_unlock(&frontswap_mutex);
	}
	clear_bit(FRONTSWAP_AREA_DRAINING, &area->state);
	mutex_unlock(&area->mode_lock);
	return ret;
}

/**
 * frontswap_suspend - empty the store, because the backend is about to lose it
 * @timeout: How long that may take, in jiffies.
 *
 * Refuses stores until frontswap_resume() is called, and takes every page back.
 * For a backend whose guest may wake up on another host.
 *
 * Context: May sleep. Takes frontswap_mutex.
 * Return: 0 when the store is empty. -EBUSY if pages are left; stores are taken
 * again then.
 */
int frontswap_suspend(unsigned long timeout)
{
	set_bit(FRONTSWAP_SUSPENDED, &frontswap_state);
	synchronize_srcu(&frontswap_srcu);
	if (frontswap_drain_until(jiffies + timeout))
		return 0;
	frontswap_resume();
	return -EBUSY;
}
EXPORT_SYMBOL_GPL(frontswap_suspend);

/**
 * frontswap_resume - take stores again
 *
 * Context: Any.
 */
void frontswap_resume(void)
{
	clear_bit(FRONTSWAP_SUSPENDED, &frontswap_state);
}
EXPORT_SYMBOL_GPL(frontswap_resume);

/*
 * A store that is not part of the image must be empty before the image is made.
 * Memory is still swapped out after PREPARE, so it stays closed until POST.
 */
static int frontswap_pm_notify(struct notifier_block *nb, unsigned long event,
			       void *data)
{
	int ret = 0;

	switch (event) {
	case PM_HIBERNATION_PREPARE:
		set_bit(FRONTSWAP_HIBERNATING, &frontswap_state);
		synchronize_srcu(&frontswap_srcu);
		if (READ_ONCE(frontswap_flags) & FRONTSWAP_VOLATILE)
			ret = frontswap_drain_all(/*killable=*/true);
		/* Who fails does not get POST. */
		if (ret)
			clear_bit(FRONTSWAP_HIBERNATING, &frontswap_state);
		break;
	case PM_POST_HIBERNATION:
		clear_bit(FRONTSWAP_HIBERNATING, &frontswap_state);
		break;
	}
	return notifier_from_errno(ret);
}

static struct notifier_block frontswap_pm_nb = {
	.notifier_call = frontswap_pm_notify,
};

static int __init frontswap_init(void)
{
	return register_pm_notifier(&frontswap_pm_nb);
}
late_initcall(frontswap_init);

// SPDX-License-Identifier: GPL-2.0-only
/*
 * How filesystems and backends come and go, and what the administrator decides.
 *
 * A pool is emptied in one way only, whether its filesystem goes, the backend
 * leaves, the administrator excludes it or the machine hibernates:
 *  1. No SERVED or a DRAINING bit refuses new puts, and gets from a shared pool;
 *     synchronize_srcu() waits for those that passed the test before.
 *  2. All objects die: no get finds one any more, and what a running get returns
 *     does not count. If the pool is shared, what was put of them is forgotten.
 *  3. synchronize_srcu() waits for gets and invalidations that found an object.
 *  4. The backend forgets the pool.
 * Nothing is lost by that, and the page cache never waits.
 *
 * Lock order:
 *	super_block.s_umount
 *	  cleancache_mutex
 *	    cpu_hotplug_lock (static keys and calls)
 *	    cleancache_object.lock
 *	      list_lru
 *	    cleancache_mount.lock
 */
#define pr_fmt(fmt) "cleancache: " fmt

#include <linux/blkdev.h>
#include <linux/export.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/suspend.h>

#include "cleancache.h"
#include "tmem.h"

/* See cleancache.h for what it protects. */
DEFINE_MUTEX(cleancache_mutex);
const struct cleancache_ops *cleancache_backend;
LIST_HEAD(cleancache_mounts);

static bool cleancache_may_share(struct cleancache_mount *mount)
{
	return mount->sb->s_iflags & SB_I_CLEANCACHE_CLUSTER &&
	       cleancache_backend->init_shared_fs &&
	       !uuid_is_null(&mount->sb->s_uuid);
}

/* A cluster filesystem whose pool is not shared needs no less care, and no more. */
static int cleancache_make_pool(struct cleancache_mount *mount)
{
	int pool = -EOPNOTSUPP;

	if (cleancache_may_share(mount))
		pool = cleancache_backend->init_shared_fs(&mount->sb->s_uuid,
							  PAGE_SIZE);
	assign_bit(CLEANCACHE_MOUNT_SHARED, &mount->state, pool >= 0);
	return pool < 0 ? cleancache_backend->init_fs(PAGE_SIZE) : pool;
}

static void cleancache_serve(struct cleancache_mount *mount)
{
	int pool;

	lockdep_assert_held(&cleancache_mutex);
	if (!cleancache_backend ||
	    test_bit(CLEANCACHE_MOUNT_SERVED, &mount->state))
		return;
	pool = cleancache_make_pool(mount);
	if (pool < 0) {
		pr_warn("%s does not serve %s: error %d\n",
			cleancache_backend->name, mount->sb->s_id, pool);
		return;
	}
	mount->pool = pool;
	/* A put that sees SERVED must see the pool. */
	smp_mb__before_atomic();
	set_bit(CLEANCACHE_MOUNT_SERVED, &mount->state);
}

/*
 * Empty some mounts, @only or all, and of these those with state bits @mask, as
 * described above. Their pools are gone.
 */
static void cleancache_unserve(struct cleancache_mount *only, unsigned long mask)
{
	struct cleancache_mount *mount;

	lockdep_assert_held(&cleancache_mutex);
	if (!cleancache_backend)
		return;
	list_for_each_entry(mount, &cleancache_mounts, node)
		if ((!only || mount == only) &&
		    (mount->state & mask) == mask &&
		    test_and_clear_bit(CLEANCACHE_MOUNT_SERVED, &mount->state))
			set_bit(CLEANCACHE_MOUNT_DRAINING, &mount->state);
	synchronize_srcu(&cleancache_srcu);
	list_for_each_entry(mount, &cleancache_mounts, node)
		if (test_bit(CLEANCACHE_MOUNT_DRAINING, &mount->state))
			cleancache_mount_kill_objects(mount);
	synchronize_srcu(&cleancache_srcu);
	list_for_each_entry(mount, &cleancache_mounts, node)
		if (test_and_clear_bit(CLEANCACHE_MOUNT_DRAINING,
				       &mount->state))
			cleancache_backend->invalidate_fs(mount->pool);
}

/* Empty some mounts and go on with new pools. */
static void cleancache_renew(struct cleancache_mount *only)
{
	struct cleancache_mount *mount;

	mutex_lock(&cleancache_mutex);
	cleancache_unserve(only, /*mask=*/0);
	list_for_each_entry(mount, &cleancache_mounts, node)
		if (!only || mount == only)
			cleancache_serve(mount);
	mutex_unlock(&cleancache_mutex);
}

static bool cleancache_encrypted(struct super_block *sb)
{
	return sb->s_bdev && bdev_encrypts(sb->s_bdev);
}

/**
 * cleancache_mount - a filesystem comes
 * @sb: Its superblock, complete. Nothing happens unless it opted in.
 *
 * Without memory the filesystem works, without a store behind it.
 *
 * Context: May sleep. sb->s_umount is held for writing.
 */
void cleancache_mount(struct super_block *sb)
{
	struct cleancache_mount *mount;

	if (!(sb->s_iflags & SB_I_CLEANCACHE) || sb->s_cleancache)
		return;
	mount = kzalloc(sizeof(*mount), GFP_KERNEL);
	if (!mount)
		goto fail;
	mount->sb = sb;
	spin_lock_init(&mount->lock);
	INIT_LIST_HEAD(&mount->objects);
	if (cleancache_encrypted(sb))
		__set_bit(CLEANCACHE_MOUNT_ENCRYPTED, &mount->state);
	if (cleancache_mount_add_sysfs(mount))
		goto fail;

	mutex_lock(&cleancache_mutex);
	list_add_tail(&mount->node, &cleancache_mounts);
	cleancache_serve(mount);
	mutex_unlock(&cleancache_mutex);
	/* Who sees it without the mutex sees what is in it. */
	smp_store_release(&sb->s_cleancache, mount);
	return;
fail:
	pr_warn("no memory for %s, it stays without tmem\n", sb->s_id);
}

/**
 * cleancache_umount - a filesystem goes
 * @sb: Its superblock, whose inodes have been evicted.
 *
 * Context: May sleep.
 */
void cleancache_umount(struct super_block *sb)
{
	struct cleancache_mount *mount = sb->s_cleancache;

	if (!mount)
		return;
	WRITE_ONCE(sb->s_cleancache, NULL);
	mutex_lock(&cleancache_mutex);
	cleancache_unserve(mount, /*mask=*/0);
	list_del(&mount->node);
	mutex_unlock(&cleancache_mutex);
	/* Waits for its sysfs files, which may wait for cleancache_mutex. */
	kobject_del(&mount->kobj);
	/* An inode that is still busy may be looked at by reclaim. */
	synchronize_srcu(&cleancache_srcu);
	kobject_put(&mount->kobj);
}

static int cleancache_check_ops(const struct cleancache_ops *ops)
{
	if (!ops->name || !ops->init_fs || !ops->put || !ops->get ||
	    !ops->invalidate || !ops->invalidate_inode || !ops->invalidate_fs ||
	    !ops->init_shared_fs != !ops->empty_fs ||
	    (ops->flags & ~CLEANCACHE_FLAGS)) {
		pr_err("backend %s: operation missing or unknown flag\n",
		       ops->name ?: "without name");
		return -EINVAL;
	}
	if (tmem_platform_refuses(ops->flags & CLEANCACHE_OUTSIDE)) {
		pr_info("backend %s refused: pages of a confidential guest stay inside\n",
			ops->name);
		return -EPERM;
	}
	return cleancache_ready ? 0 : -ENOMEM;
}

/**
 * cleancache_register_ops - connect a backend
 * @ops: Its operations; must stay until cleancache_unregister_ops() returned.
 *
 * The backend gets pages of all filesystems that opted in, those already
 * mounted too: their @init_fs is called from here.
 *
 * Context: May sleep. Takes cleancache_mutex.
 * Return: 0; -EBUSY if there is a backend already; -EINVAL if @ops is not
 * complete; -EPERM if the backend is outside a confidential guest; -ENOMEM.
 */
int cleancache_register_ops(const struct cleancache_ops *ops)
{
	struct cleancache_mount *mount;
	int ret = cleancache_check_ops(ops);

	if (ret)
		return ret;
	mutex_lock(&cleancache_mutex);
	if (cleancache_backend) {
		pr_info("backend %s refused: %s is registered\n", ops->name,
			cleancache_backend->name);
		mutex_unlock(&cleancache_mutex);
		return -EBUSY;
	}
	cleancache_backend = ops;
	WRITE_ONCE(cleancache_flags, ops->flags);
	WRITE_ONCE(cleancache_max_index, ops->max_index);
	cleancache_connect(ops);
	static_branch_enable(&cleancache_key);
	list_for_each_entry(mount, &cleancache_mounts, node)
		cleancache_serve(mount);
	mutex_unlock(&cleancache_mutex);
	pr_info("backend %s registered\n", ops->name);
	return 0;
}
EXPORT_SYMBOL_GPL(cleancache_register_ops);

/**
 * cleancache_unregister_ops - disconnect a backend
 * @ops: What was registered.
 *
 * Drops every page. When it returns the backend holds nothing and nothing calls
 * it any more.
 *
 * Context: May sleep. Takes cleancache_mutex.
 */
void cleancache_unregister_ops(const struct cleancache_ops *ops)
{
	mutex_lock(&cleancache_mutex);
	if (WARN_ON_ONCE(cleancache_backend != ops)) {
		mutex_unlock(&cleancache_mutex);
		return;
	}
	cleancache_unserve(NULL, /*mask=*/0);
	static_branch_disable(&cleancache_key);
	cleancache_connect(NULL);
	synchronize_srcu(&cleancache_srcu);
	cleancache_backend = NULL;
	WRITE_ONCE(cleancache_flags, 0);
	mutex_unlock(&cleancache_mutex);
	pr_info("backend %s unregistered\n", ops->name);
}
EXPORT_SYMBOL_GPL(cleancache_unregister_ops);

/**
 * cleancache_drop - remove all pages from the store
 *
 * Each filesystem gets a new pool: also for a backend that has lost its pools.
 *
 * Context: May sleep. Takes cleancache_mutex.
 */
void cleancache_drop(void)
{
	cleancache_renew(NULL);
}
EXPORT_SYMBOL_GPL(cleancache_drop);

/**
 * cleancache_empty_fs - remove all pages of a filesystem that others have put
 * @sb: Its superblock.
 *
 * For a cluster filesystem, before it forgets the locks of a node that has died:
 * that node removes no page any more.
 *
 * Context: May sleep. Takes cleancache_mutex.
 */
void cleancache_empty_fs(struct super_block *sb)
{
	unsigned long mask = BIT(CLEANCACHE_MOUNT_SERVED) |
			     BIT(CLEANCACHE_MOUNT_SHARED);
	struct cleancache_mount *mount;

	mutex_lock(&cleancache_mutex);
	list_for_each_entry(mount, &cleancache_mounts, node)
		if (mount->sb == sb && (mount->state & mask) == mask)
			cleancache_backend->empty_fs(mount->pool);
	mutex_unlock(&cleancache_mutex);
}
EXPORT_SYMBOL_GPL(cleancache_empty_fs);

/**
 * cleancache_leave_shared - leave all pools that are shared
 *
 * For a backend whose guest goes elsewhere, from where it cannot tell any more what
 * has to be forgotten here. cleancache_rejoin() or cleancache_drop() must follow.
 *
 * Context: May sleep. Takes cleancache_mutex.
 */
void cleancache_leave_shared(void)
{
	mutex_lock(&cleancache_mutex);
	cleancache_unserve(NULL, BIT(CLEANCACHE_MOUNT_SHARED));
	mutex_unlock(&cleancache_mutex);
}
EXPORT_SYMBOL_GPL(cleancache_leave_shared);

/**
 * cleancache_rejoin - get pools for filesystems that have none
 *
 * Context: May sleep. Takes cleancache_mutex.
 */
void cleancache_rejoin(void)
{
	struct cleancache_mount *mount;

	mutex_lock(&cleancache_mutex);
	list_for_each_entry(mount, &cleancache_mounts, node)
		cleancache_serve(mount);
	mutex_unlock(&cleancache_mutex);
}
EXPORT_SYMBOL_GPL(cleancache_rejoin);

/**
 * cleancache_set_enabled - switch the front end on or off
 * @enabled: Off refuses pages and drops those that are in the store.
 *
 * Context: May sleep. Takes cleancache_mutex.
 * Return: 0.
 */
int cleancache_set_enabled(bool enabled)
{
	assign_bit(CLEANCACHE_DISABLED, &cleancache_state, !enabled);
	if (!enabled)
		cleancache_renew(NULL);
	return 0;
}

/**
 * cleancache_set_allow_encrypted - may encrypted mounts leave the guest?
 * @allow: Not any more drops their pages.
 *
 * Context: May sleep. Takes cleancache_mutex.
 * Return: 0.
 */
int cleancache_set_allow_encrypted(bool allow)
{
	assign_bit(CLEANCACHE_ALLOW_ENCRYPTED, &cleancache_state, allow);
	if (!allow)
		cleancache_renew(NULL);
	return 0;
}

/**
 * cleancache_set_excluded - exclude a mount, or include it again
 * @mount: The mount.
 * @excluded: Excluding refuses pages and drops those that are in the store.
 *
 * Context: May sleep. Takes cleancache_mutex.
 */
void cleancache_set_excluded(struct cleancache_mount *mount, bool excluded)
{
	assign_bit(CLEANCACHE_MOUNT_EXCLUDED, &mount->state, excluded);
	if (excluded)
		cleancache_renew(mount);
}

/*
 * The store is not part of the image, and it may have gone on when the image is
 * resumed: it must be empty when the image is made, and pools that were made
 * before are not used again.
 */
static int cleancache_pm_notify(struct notifier_block *nb, unsigned long event,
				void *data)
{
	switch (event) {
	case PM_HIBERNATION_PREPARE:
		set_bit(CLEANCACHE_HIBERNATING, &cleancache_state);
		cleancache_renew(NULL);
		break;
	case PM_POST_HIBERNATION:
		cleancache_renew(NULL);
		clear_bit(CLEANCACHE_HIBERNATING, &cleancache_state);
		break;
	}
	return NOTIFY_OK;
}

static struct notifier_block cleancache_pm_nb = {
	.notifier_call = cleancache_pm_notify,
};

/* The guest is a copy, or was set back to an earlier state (vmgenid). */
static int cleancache_vmfork_notify(struct notifier_block *nb,
				    unsigned long event, void *data)
{
	cleancache_renew(NULL);
	return NOTIFY_OK;
}

static struct notifier_block cleancache_vmfork_nb = {
	.notifier_call = cleancache_vmfork_notify,
};

static int __init cleancache_init(void)
{
	register_random_vmfork_notifier(&cleancache_vmfork_nb);
	return register_pm_notifier(&cleancache_pm_nb);
}
late_initcall(cleancache_init);

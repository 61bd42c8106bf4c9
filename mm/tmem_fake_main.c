// SPDX-License-Identifier: GPL-2.0-only
/*
 * tmem_fake - a hypervisor that is not there, as a backend of both front ends
 *
 * Stores uncompressed pages in memory that was kept from the kernel at boot
 * (or in pages allocated at load) and does, on request, everything that
 * the front ends allow a backend to do: refuse, drop, delay, fail, change its
 * size; and spoil a page, which they do not allow.
 *
 * How to read this, if you write a backend of your own:
 *
 *  tmem_fake_frontswap.c, tmem_fake_cleancache.c
 *	The part to copy: the operations, and what the contract asks for.
 *  tmem_fake_store.c
 *	Where the pages are, and which one is where.
 *  tmem_fake_engine.c, tmem_fake_engine_*.c
 *	The same where the tmem engine keeps the pages, and for its tests.
 *  tmem_fake_main.c
 *	Parameters, all of them for tests; loading and unloading, whose order
 *	matters.
 *
 * Documentation/mm/tmem-fake.rst leads through it and lists the parameters.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/random.h>
#include <linux/string.h>
#include <linux/suspend.h>
#include <linux/workqueue.h>

#include "tmem_fake.h"

static const char *const fake_count_names[NR_FAKE_COUNTS] = {
	"pages", "bytes", "frames", "stores", "refused",
	"duplicates", "loads", "exclusive_loads", "misses",
	"failed_loads", "invalidates", "dropped", "pushed",
	"puts", "gets", "exclusive_gets", "get_misses",
	"flushes", "evicted", "spoiled",
	"put_calls", "get_calls", "flush_calls",
	"corrupted",
	"pools", "objects",
};

/* Parameters */

unsigned long fake_region_start, fake_region_mb, fake_pages;
module_param_named(region_start, fake_region_start, ulong, 0444);
MODULE_PARM_DESC(region_start, "Address of memory kept from the kernel");
module_param_named(region_mb, fake_region_mb, ulong, 0444);
MODULE_PARM_DESC(region_mb, "Size of that memory in MB");
module_param_named(pages, fake_pages, ulong, 0444);
MODULE_PARM_DESC(pages, "Number of pages to allocate, without a region");

static bool fake_use_frontswap = true, fake_use_cleancache = true;
module_param_named(frontswap, fake_use_frontswap, bool, 0444);
MODULE_PARM_DESC(frontswap, "Serve swap areas");
module_param_named(cleancache, fake_use_cleancache, bool, 0444);
MODULE_PARM_DESC(cleancache, "Serve filesystems");

bool fake_use_engine;
module_param_named(engine, fake_use_engine, bool, 0444);
MODULE_PARM_DESC(engine, "Let the tmem engine keep the pages");

bool fake_writethrough, fake_exclusive, fake_before_zswap, fake_outside;
module_param_named(writethrough, fake_writethrough, bool, 0444);
MODULE_PARM_DESC(writethrough, "All pages also go to the device");
module_param_named(exclusive, fake_exclusive, bool, 0444);
MODULE_PARM_DESC(exclusive, "A load or get removes the page from the store");
module_param_named(before_zswap, fake_before_zswap, bool, 0444);
MODULE_PARM_DESC(before_zswap, "Stand before zswap, not behind it");
module_param_named(outside, fake_outside, bool, 0444);
MODULE_PARM_DESC(outside, "Claim that the store is outside the guest");

bool fake_scribble = true;
module_param_named(scribble, fake_scribble, bool, 0444);
MODULE_PARM_DESC(scribble, "Overwrite dead pages and check that they stay so");

static int fake_set_percent(const char *val, const struct kernel_param *kp)
{
	return param_set_uint_minmax(val, kp, 0, 100);
}

static const struct kernel_param_ops fake_percent_ops = {
	.set = fake_set_percent,
	.get = param_get_uint,
};

static unsigned int fake_percent = 100, fake_nth, fake_seed;
module_param_cb(percent, &fake_percent_ops, &fake_percent, 0644);
MODULE_PARM_DESC(percent, "Share of folios to take, at random, 0 to 100");
module_param_named(nth, fake_nth, uint, 0644);
MODULE_PARM_DESC(nth, "Take every nth folio instead; 0: percent counts");
module_param_named(seed, fake_seed, uint, 0444);
MODULE_PARM_DESC(seed, "Seed of random decisions; 0 to have one chosen");

unsigned long fake_capacity = ULONG_MAX;
bool fake_refuse_duplicates;
static unsigned int fake_delay_us, fake_fail_loads;
module_param_named(capacity, fake_capacity, ulong, 0644);
MODULE_PARM_DESC(capacity, "Number of pages to hold at most");
module_param_named(refuse_duplicates, fake_refuse_duplicates, bool, 0644);
MODULE_PARM_DESC(refuse_duplicates, "Do not replace a page by another");
module_param_named(delay_us, fake_delay_us, uint, 0644);
MODULE_PARM_DESC(delay_us, "Time that stores and loads take longer");
module_param_named(fail_loads, fake_fail_loads, uint, 0644);
MODULE_PARM_DESC(fail_loads, "Every nth load is an error, every nth get a miss; 0: none");

bool fake_drop_now;
unsigned int fake_drop_after_ms, fake_drop_mean_ms;
module_param_named(drop_now, fake_drop_now, bool, 0644);
MODULE_PARM_DESC(drop_now, "Drop pages when they are stored");
module_param_named(drop_after_ms, fake_drop_after_ms, uint, 0644);
MODULE_PARM_DESC(drop_after_ms, "Drop pages of this age; 0: none");
module_param_named(drop_mean_ms, fake_drop_mean_ms, uint, 0644);
MODULE_PARM_DESC(drop_mean_ms, "Drop pages of this mean age; 0: none");

unsigned long fake_max_index = ULONG_MAX;
bool fake_batch = true, fake_shared = true;
module_param_named(max_index, fake_max_index, ulong, 0444);
MODULE_PARM_DESC(max_index, "Largest page index of a file");
module_param_named(batch, fake_batch, bool, 0444);
MODULE_PARM_DESC(batch, "Offer batches of puts and gets");
module_param_named(shared, fake_shared, bool, 0444);
MODULE_PARM_DESC(shared, "Let nodes of a cluster share a pool; not with engine=1");

static const char *const fake_evictions[] = { "none", "fifo", "lru", NULL };

static int fake_set_evict(const char *val, const struct kernel_param *kp)
{
	int evict = sysfs_match_string(fake_evictions, val);

	if (evict < 0)
		return evict;
	WRITE_ONCE(fake_evict, evict);
	return 0;
}

static int fake_get_evict(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%s\n", fake_evictions[READ_ONCE(fake_evict)]);
}

static const struct kernel_param_ops fake_evict_ops = {
	.set = fake_set_evict,
	.get = fake_get_evict,
};

unsigned int fake_evict = FAKE_EVICT_FIFO, fake_spoil;
module_param_cb(evict, &fake_evict_ops, NULL, 0644);
MODULE_PARM_DESC(evict, "Page that may go when there is no room: none, fifo, lru");
module_param_named(spoil, fake_spoil, uint, 0644);
MODULE_PARM_DESC(spoil, "Every nth get returns a wrong page; 0: none");

/* Protected by fake_lock. */
static struct rnd_state fake_rnd;
static unsigned long fake_nr_offers, fake_nr_loads;

u32 fake_random(void)
{
	lockdep_assert_held(&fake_lock);
	return prandom_u32_state(&fake_rnd);
}

bool fake_accepts(void)
{
	unsigned int nth = READ_ONCE(fake_nth);

	lockdep_assert_held(&fake_lock);
	if (nth)
		return ++fake_nr_offers % nth == 0;
	return fake_random() % 100 < READ_ONCE(fake_percent);
}

bool fake_fails_load(void)
{
	unsigned int nth = READ_ONCE(fake_fail_loads);
	bool fails;

	spin_lock_irq(&fake_lock);
	fails = nth && ++fake_nr_loads % nth == 0;
	spin_unlock_irq(&fake_lock);
	return fails;
}

void fake_delay(void)
{
	unsigned int us = READ_ONCE(fake_delay_us);

	if (us)
		fsleep(us);
}

/* Load and unload */

static void fake_work_fn(struct work_struct *work)
{
	if (fake_use_engine) {
		fake_engine_work();
	} else {
		fake_frontswap_push();
		if (READ_ONCE(fake_drop_after_ms) ||
		    READ_ONCE(fake_drop_mean_ms))
			fake_drop_due();
	}
	queue_delayed_work(system_unbound_wq, to_delayed_work(work),
			   msecs_to_jiffies(FAKE_PERIOD_MS));
}

static DECLARE_DELAYED_WORK(fake_work, fake_work_fn);

/*
 * A region is not part of a hibernation image, and the machine that resumes may
 * have other things there. The front ends have emptied it before.
 */
static bool fake_hibernating;

static int fake_pm_begin(struct notifier_block *nb, unsigned long event,
			 void *data)
{
	if (event != PM_HIBERNATION_PREPARE || !fake_region)
		return NOTIFY_DONE;
	WARN_ON(fake_counts[FAKE_PAGES]);
	fake_hibernating = true;
	return NOTIFY_OK;
}

static int fake_pm_end(struct notifier_block *nb, unsigned long event,
		       void *data)
{
	struct fake_frame *frame;

	if (event != PM_POST_HIBERNATION || !fake_hibernating)
		return NOTIFY_DONE;
	fake_hibernating = false;
	list_for_each_entry(frame, &fake_free, list)
		memset(frame->data, FAKE_POISON, PAGE_SIZE);
	return NOTIFY_OK;
}

/* Called after the front ends, and only if they have succeeded */
static struct notifier_block fake_pm_begin_nb = {
	.notifier_call = fake_pm_begin,
	.priority = -1,
};

/* Called before a front end opens the store again */
static struct notifier_block fake_pm_end_nb = {
	.notifier_call = fake_pm_end,
	.priority = 1,
};

static void fake_register_pm(void)
{
	register_pm_notifier(&fake_pm_begin_nb);
	register_pm_notifier(&fake_pm_end_nb);
}

static void fake_unregister_pm(void)
{
	unregister_pm_notifier(&fake_pm_end_nb);
	unregister_pm_notifier(&fake_pm_begin_nb);
}

static struct dentry *fake_debugfs;

static int fake_get_count(void *data, u64 *val)
{
	if (fake_use_engine)
		fake_engine_count();
	*val = READ_ONCE(*(u64 *)data);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(fake_count_fops, fake_get_count, NULL, "%llu\n");

static void __init fake_add_debugfs(void)
{
	int i;

	fake_debugfs = debugfs_create_dir(KBUILD_MODNAME, NULL);
	for (i = 0; i < NR_FAKE_COUNTS; i++)
		debugfs_create_file_unsafe(fake_count_names[i], 0444,
					   fake_debugfs, &fake_counts[i],
					   &fake_count_fops);
}

/* Late: pages are stored before these return. */
static int __init fake_register(void)
{
	int err = 0;

	if (fake_use_frontswap)
		err = fake_frontswap_init();
	if (!err && fake_use_cleancache) {
		err = fake_cleancache_init();
		if (err && fake_use_frontswap)
			fake_frontswap_exit();
	}
	if (err)
		pr_err("cannot register: %s (%d)\n",
		       err == -EBUSY ? "there is another backend" : "error",
		       err);
	return err;
}

static int __init fake_module_init(void)
{
	int err;

	if (IS_BUILTIN(CONFIG_TMEM_FAKE) && !fake_pages && !fake_region_mb)
		return -ENODEV;

	err = fake_get_memory();
	if (!err && fake_use_engine)
		err = fake_engine_start();
	if (err)
		goto put_memory;
	if (!fake_seed)
		fake_seed = get_random_u32_inclusive(1, U32_MAX);
	prandom_seed_state(&fake_rnd, fake_seed);
	fake_add_debugfs();
	fake_register_pm();
	err = fake_register();
	if (err)
		goto remove_debugfs;
	queue_delayed_work(system_unbound_wq, &fake_work, 0);
	pr_info("loaded, %llu frames, seed=%u\n", fake_counts[FAKE_FRAMES],
		fake_seed);
	return 0;
remove_debugfs:
	fake_unregister_pm();
	debugfs_remove_recursive(fake_debugfs);
	if (fake_use_engine)
		fake_engine_stop();
put_memory:
	fake_put_memory();
	return err;
}
module_init(fake_module_init);

/*
 * First nobody here may call a front end any more; then the front ends take
 * their pages back or drop them; only then is the memory free.
 */
static void __exit fake_module_exit(void)
{
	cancel_delayed_work_sync(&fake_work);
	if (fake_use_cleancache)
		fake_cleancache_exit();
	if (fake_use_frontswap)
		fake_frontswap_exit();
	fake_unregister_pm();
	debugfs_remove_recursive(fake_debugfs);
	if (fake_use_engine)
		fake_engine_stop();
	if (!WARN_ON(fake_counts[FAKE_PAGES]))
		pr_info("unloaded, 0 pages held\n");
	fake_put_memory();
}
module_exit(fake_module_exit);

MODULE_DESCRIPTION("Fake hypervisor: backend of frontswap and cleancache for tests, and example");
MODULE_LICENSE("GPL");

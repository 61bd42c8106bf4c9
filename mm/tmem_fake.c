// SPDX-License-Identifier: GPL-2.0-only
/*
 * tmem_fake - a hypervisor that is not there, as a backend of frontswap
 *
 * Stores uncompressed pages in memory that was kept from the kernel at boot
 * (or in pages allocated at load) and does, on request, everything that
 * frontswap allows a backend to do: refuse, drop, delay, fail, change its size.
 *
 * How to read this file, if you write a backend of your own:
 *
 *  1. Parameters: all of them are for tests, and so is all that they switch on.
 *  2. Store: where the pages go, and which one is where. A real backend has a
 *     device or a hypervisor here and handles in place of struct fake_frame.
 *  3. Operations: the part to copy. Each comment says what the contract in
 *     <linux/frontswap.h> asks for and how that is kept.
 *  4. Work: how a backend gives pages back on its own initiative.
 *  5. Load and unload: their order matters.
 *
 * Documentation/mm/tmem-fake.rst leads through it and lists the parameters.
 *
 * Locking: fake_lock covers everything that changes at run time. It is taken
 * with interrupts off, because ->invalidate is called so, and is a leaf but for
 * the locks of the xarrays: nothing is allocated under it and no function of
 * the front end is called. Parameters may change whenever they are read.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/frontswap.h>
#include <linux/highmem.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/random.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/suspend.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

/* What is read from a frame that holds no page */
#define FAKE_POISON	0xdb

/* How often the backend looks after its pages on its own */
#define FAKE_PERIOD_MS	100

/*
 * A store runs inside reclaim: it must not wait for memory, and not having it
 * is no news, since the page then just goes elsewhere.
 */
#define FAKE_GFP	(GFP_NOWAIT | __GFP_NOWARN)

/* A swap area. */
struct fake_area {
	struct xarray index;	/* slot to frame; under fake_lock, but a slot */
				/* is reserved without it */
	bool served;		/* between ->init and ->invalidate_area */
	bool writethrough;	/* the device has all pages: they may be */
				/* dropped; changes while the area is empty */
};

/* Memory for one page, allocated at load. Protected by fake_lock. */
struct fake_frame {
	struct list_head list;	/* in fake_free or in fake_lru */
	void *data;		/* constant */
	struct fake_area *area;	/* whose page this is; NULL for none */
	pgoff_t offset;		/* its slot */
	unsigned long born;	/* when it was stored, in jiffies */
};

/* In pages, unless said otherwise. */
enum fake_count {
	FAKE_PAGES, FAKE_BYTES, FAKE_FRAMES, FAKE_STORES, FAKE_REFUSED,
	FAKE_DUPLICATES, FAKE_LOADS, FAKE_EXCLUSIVE_LOADS, FAKE_MISSES,
	FAKE_FAILED_LOADS, FAKE_INVALIDATES, FAKE_DROPPED, FAKE_PUSHED,
	FAKE_CORRUPTED, /* in frames */
	NR_FAKE_COUNTS
};

static const char *const fake_count_names[NR_FAKE_COUNTS] = {
	"pages", "bytes", "frames", "stores", "refused",
	"duplicates", "loads", "exclusive_loads", "misses",
	"failed_loads", "invalidates", "dropped", "pushed",
	"corrupted",
};

static DEFINE_SPINLOCK(fake_lock);
static LIST_HEAD(fake_free); /* frames without a page, longest free first */
static LIST_HEAD(fake_lru); /* frames with a page, oldest first */
static u64 fake_counts[NR_FAKE_COUNTS];
static struct fake_area fake_areas[MAX_SWAPFILES];

/* Constant between load and unload. */
static struct fake_frame *fake_frames;
static unsigned long fake_nr_frames;
static void *fake_region;

/* 1. Parameters */

static unsigned long fake_region_start, fake_region_mb, fake_pages;
module_param_named(region_start, fake_region_start, ulong, 0444);
MODULE_PARM_DESC(region_start, "Address of memory kept from the kernel");
module_param_named(region_mb, fake_region_mb, ulong, 0444);
MODULE_PARM_DESC(region_mb, "Size of that memory in MB");
module_param_named(pages, fake_pages, ulong, 0444);
MODULE_PARM_DESC(pages, "Number of pages to allocate, without a region");

static bool fake_writethrough, fake_exclusive, fake_before_zswap, fake_outside;
module_param_named(writethrough, fake_writethrough, bool, 0444);
MODULE_PARM_DESC(writethrough, "All pages also go to the device");
module_param_named(exclusive, fake_exclusive, bool, 0444);
MODULE_PARM_DESC(exclusive, "A load removes the page from the store");
module_param_named(before_zswap, fake_before_zswap, bool, 0444);
MODULE_PARM_DESC(before_zswap, "Stand before zswap, not behind it");
module_param_named(outside, fake_outside, bool, 0444);
MODULE_PARM_DESC(outside, "Claim that the store is outside the guest");

static bool fake_scribble = true;
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

static unsigned long fake_capacity = ULONG_MAX;
static bool fake_refuse_duplicates;
static unsigned int fake_delay_us, fake_fail_loads;
module_param_named(capacity, fake_capacity, ulong, 0644);
MODULE_PARM_DESC(capacity, "Number of pages to hold at most");
module_param_named(refuse_duplicates, fake_refuse_duplicates, bool, 0644);
MODULE_PARM_DESC(refuse_duplicates, "Do not replace a page by another");
module_param_named(delay_us, fake_delay_us, uint, 0644);
MODULE_PARM_DESC(delay_us, "Time that stores and loads take longer");
module_param_named(fail_loads, fake_fail_loads, uint, 0644);
MODULE_PARM_DESC(fail_loads, "Every nth load is an error; 0: none");

static bool fake_drop_now;
static unsigned int fake_drop_after_ms, fake_drop_mean_ms;
module_param_named(drop_now, fake_drop_now, bool, 0644);
MODULE_PARM_DESC(drop_now, "Drop pages when they are stored");
module_param_named(drop_after_ms, fake_drop_after_ms, uint, 0644);
MODULE_PARM_DESC(drop_after_ms, "Drop pages of this age; 0: none");
module_param_named(drop_mean_ms, fake_drop_mean_ms, uint, 0644);
MODULE_PARM_DESC(drop_mean_ms, "Drop pages of this mean age; 0: none");

/* Protected by fake_lock. */
static struct rnd_state fake_rnd;
static unsigned long fake_nr_offers, fake_nr_loads;

static bool fake_accepts(void)
{
	unsigned int nth = READ_ONCE(fake_nth);

	lockdep_assert_held(&fake_lock);
	if (nth)
		return ++fake_nr_offers % nth == 0;
	return prandom_u32_state(&fake_rnd) % 100 < READ_ONCE(fake_percent);
}

static bool fake_fails_load(void)
{
	unsigned int nth = READ_ONCE(fake_fail_loads);
	bool fails;

	spin_lock_irq(&fake_lock);
	fails = nth && ++fake_nr_loads % nth == 0;
	spin_unlock_irq(&fake_lock);
	return fails;
}

static void fake_delay(void)
{
	unsigned int us = READ_ONCE(fake_delay_us);

	if (us)
		fsleep(us);
}

/* Asked every FAKE_PERIOD_MS, about a page that may be dropped */
static bool fake_is_due(struct fake_frame *frame)
{
	unsigned int age = READ_ONCE(fake_drop_after_ms);
	unsigned int mean = READ_ONCE(fake_drop_mean_ms);

	lockdep_assert_held(&fake_lock);
	if (age && time_after(jiffies, frame->born + msecs_to_jiffies(age)))
		return true;
	/* The same chance at any age makes ages exponential. */
	return mean && prandom_u32_state(&fake_rnd) % mean < FAKE_PERIOD_MS;
}

/* 2. Store */

static void fake_add(enum fake_count count, u64 nr)
{
	spin_lock_irq(&fake_lock);
	fake_counts[count] += nr;
	spin_unlock_irq(&fake_lock);
}

static bool fake_has_room(unsigned int nr)
{
	lockdep_assert_held(&fake_lock);
	return fake_counts[FAKE_PAGES] + nr <=
	       min(READ_ONCE(fake_capacity), fake_nr_frames);
}

/*
 * Put a page into the store. What can fail is done before the lock is taken.
 * The copy needs no lock, since nobody else can find the frame yet; it is made
 * under it for the sake of a short example.
 */
static int fake_insert(struct fake_area *area, pgoff_t offset,
		       struct page *page)
{
	struct fake_frame *frame;

	if (xa_reserve_irq(&area->index, offset, FAKE_GFP))
		return -ENOMEM;

	spin_lock_irq(&fake_lock);
	if (!fake_has_room(1)) {
		xa_erase(&area->index, offset);
		spin_unlock_irq(&fake_lock);
		return -ENOSPC;
	}
	frame = list_first_entry(&fake_free, struct fake_frame, list);
	if (fake_scribble && memchr_inv(frame->data, FAKE_POISON, PAGE_SIZE)) {
		fake_counts[FAKE_CORRUPTED]++;
		WARN_ONCE(1, "tmem_fake: a free frame was written to\n");
	}
	memcpy_from_page(frame->data, page, 0, PAGE_SIZE);
	frame->area = area;
	frame->offset = offset;
	frame->born = jiffies;
	list_move_tail(&frame->list, &fake_lru);
	WARN_ON_ONCE(xa_store(&area->index, offset, frame, 0));
	fake_counts[FAKE_PAGES]++;
	fake_counts[FAKE_BYTES] += PAGE_SIZE;
	spin_unlock_irq(&fake_lock);
	return 0;
}

/*
 * Remove a page. Its frame is scribbled over, so that whoever still uses the
 * dead page is seen, and then waits for its next use as long as possible.
 */
static void fake_remove(struct fake_frame *frame, enum fake_count count)
{
	lockdep_assert_held(&fake_lock);
	xa_erase(&frame->area->index, frame->offset);
	if (fake_scribble)
		memset(frame->data, FAKE_POISON, PAGE_SIZE);
	frame->area = NULL;
	list_move_tail(&frame->list, &fake_free);
	fake_counts[FAKE_PAGES]--;
	fake_counts[FAKE_BYTES] -= PAGE_SIZE;
	fake_counts[count]++;
}

/*
 * Remove what these slots hold, if anything; return how much it was. The lock
 * is dropped between two pages to bound the time with interrupts off, as far as
 * that is in our hands.
 */
static unsigned int fake_forget(struct fake_area *area, pgoff_t offset,
				unsigned int nr, enum fake_count count)
{
	struct fake_frame *frame;
	unsigned int found = 0;
	unsigned long flags;

	while (nr--) {
		spin_lock_irqsave(&fake_lock, flags);
		frame = xa_load(&area->index, offset++);
		if (frame) {
			fake_remove(frame, count);
			found++;
		}
		spin_unlock_irqrestore(&fake_lock, flags);
	}
	return found;
}

/* 3. Operations */

/*
 * Contract: prepare for an area, which may be on long before the backend is
 * loaded. There is nothing to prepare here, an index grows as it is used. If the
 * area was in use already, ->invalidate_area came before.
 */
static int fake_init(unsigned int type, unsigned long nr_slots, bool through)
{
	if (WARN_ON_ONCE(fake_areas[type].served))
		return -EBUSY;
	fake_areas[type].served = true;
	fake_areas[type].writethrough = through;
	return 0;
}

static bool fake_takes(unsigned int nr, bool duplicate)
{
	bool takes;

	spin_lock_irq(&fake_lock);
	takes = fake_accepts() && fake_has_room(nr) &&
		!(duplicate && READ_ONCE(fake_refuse_duplicates));
	spin_unlock_irq(&fake_lock);
	return takes;
}

/*
 * Contract: all pages or none, and after a failure no older page of these slots
 * either. So older pages go first, and the new ones if not all of them can be
 * stored. Nobody else sees what is between: the folio is locked, so that no
 * other store, load or invalidation of these slots comes. Stores of different
 * folios run concurrently, inside reclaim.
 */
static int fake_store(unsigned int type, pgoff_t offset, struct folio *folio)
{
	struct fake_area *area = &fake_areas[type];
	unsigned int i, older, nr = folio_nr_pages(folio);
	int err = -ENOSPC;

	fake_delay();
	older = fake_forget(area, offset, nr, FAKE_DUPLICATES);
	if (!fake_takes(nr, older))
		goto refuse;
	for (i = 0; i < nr; i++) {
		err = fake_insert(area, offset + i, folio_page(folio, i));
		if (err)
			goto refuse;
		cond_resched();
	}
	fake_add(FAKE_STORES, nr);
	if (area->writethrough && READ_ONCE(fake_drop_now))
		fake_forget(area, offset, nr, FAKE_DROPPED);
	return 0;
refuse:
	fake_add(FAKE_REFUSED, nr - fake_forget(area, offset, nr, FAKE_REFUSED));
	return err;
}

/*
 * Contract: fill all pages, or fail. Nobody else removes one meanwhile, but our
 * own work may, so a page is copied under the lock. An exclusive load removes
 * none before the last one is copied: after a failure all must still be there.
 */
static int fake_load(unsigned int type, pgoff_t offset, struct folio *folio,
		     bool exclusive)
{
	struct fake_area *area = &fake_areas[type];
	unsigned int i, nr = folio_nr_pages(folio);
	struct fake_frame *frame;

	fake_delay();
	if (fake_fails_load()) {
		fake_add(FAKE_FAILED_LOADS, nr);
		return -EIO;
	}
	for (i = 0; i < nr; i++) {
		spin_lock_irq(&fake_lock);
		frame = xa_load(&area->index, offset + i);
		if (frame)
			memcpy_to_page(folio_page(folio, i), 0, frame->data,
				       PAGE_SIZE);
		spin_unlock_irq(&fake_lock);
		if (!frame) {
			fake_add(FAKE_MISSES, nr);
			return -ENOENT;
		}
		cond_resched();
	}
	if (exclusive)
		fake_forget(area, offset, nr, FAKE_EXCLUSIVE_LOADS);
	fake_add(FAKE_LOADS, nr);
	return 0;
}

/*
 * Contract: any context, must not sleep, and a later store must win. A backend
 * that has to tell somebody else queues a note here, and its ->store waits
 * until the notes about its slots are delivered.
 */
static void fake_invalidate(unsigned int type, pgoff_t offset, unsigned int nr)
{
	fake_forget(&fake_areas[type], offset, nr, FAKE_INVALIDATES);
}

/*
 * Contract: the area is gone, and no other operation runs on it. But our own
 * work may, so that each page is looked up again under the lock.
 */
static void fake_invalidate_area(unsigned int type)
{
	struct fake_frame *frame;
	unsigned long offset;

	xa_for_each(&fake_areas[type].index, offset, frame) {
		fake_forget(&fake_areas[type], offset, 1, FAKE_INVALIDATES);
		cond_resched();
	}
	fake_areas[type].served = false;
}

static struct frontswap_ops fake_ops __ro_after_init = {
	.name = KBUILD_MODNAME,
	.init = fake_init,
	.store = fake_store,
	.load = fake_load,
	.invalidate = fake_invalidate,
	.invalidate_area = fake_invalidate_area,
};

/* 4. Work */

/*
 * Make room for one page without losing it: of a page in a written through area
 * the swap device has a copy, it is dropped; any other page is given to the
 * front end, which moves it to its slot and then calls ->invalidate. That must
 * be done without a lock, and it fails for a page that is busy; so the page is
 * made the youngest first. Returns 1, 0 if there is nothing to do, or an error.
 */
static int fake_push_oldest(void)
{
	struct fake_frame *frame;
	unsigned int type;
	pgoff_t offset;
	long ret;

	spin_lock_irq(&fake_lock);
	if (fake_has_room(0)) {
		spin_unlock_irq(&fake_lock);
		return 0;
	}
	/* Tests want gaps: some old pages get a second chance. */
	if (prandom_u32_state(&fake_rnd) % 4 == 0)
		list_rotate_left(&fake_lru);
	frame = list_first_entry(&fake_lru, struct fake_frame, list);
	if (frame->area->writethrough) {
		fake_remove(frame, FAKE_DROPPED);
		spin_unlock_irq(&fake_lock);
		return 1;
	}
	type = frame->area - fake_areas;
	offset = frame->offset;
	list_move_tail(&frame->list, &fake_lru);
	spin_unlock_irq(&fake_lock);

	ret = frontswap_writeback(type, offset, 1);
	if (ret <= 0)
		return ret ?: -EAGAIN;
	fake_add(FAKE_PUSHED, ret);
	return 1;
}

/* Push until the capacity is kept; have a rest when too many pages are busy. */
static void fake_push(void)
{
	int ret, failures = 0;

	do {
		ret = fake_push_oldest();
		failures = ret < 0 ? failures + 1 : 0;
		cond_resched();
	} while (ret && failures < SWAP_CLUSTER_MAX);
}

static void fake_evict(void)
{
	struct fake_frame *frame;
	unsigned long i;

	for (i = 0; i < fake_nr_frames; i++) {
		frame = &fake_frames[i];
		spin_lock_irq(&fake_lock);
		if (frame->area && frame->area->writethrough &&
		    fake_is_due(frame))
			fake_remove(frame, FAKE_DROPPED);
		spin_unlock_irq(&fake_lock);
		cond_resched();
	}
}

static void fake_work_fn(struct work_struct *work)
{
	fake_push();
	if (READ_ONCE(fake_drop_after_ms) || READ_ONCE(fake_drop_mean_ms))
		fake_evict();
	queue_delayed_work(system_unbound_wq, to_delayed_work(work),
			   msecs_to_jiffies(FAKE_PERIOD_MS));
}

static DECLARE_DELAYED_WORK(fake_work, fake_work_fn);

/* 5. Load and unload */

/* Also after fake_get_memory() failed half way. */
static void fake_put_memory(void)
{
	unsigned long i;

	for (i = 0; !fake_region && fake_frames && i < fake_nr_frames; i++)
		free_page((unsigned long)fake_frames[i].data);
	kvfree(fake_frames);
	if (fake_region) {
		memunmap(fake_region);
		release_mem_region(fake_region_start, fake_region_mb << 20);
	}
}

/* memremap() would gladly map memory that the kernel uses. */
static int __init fake_map_region(void)
{
	unsigned long start = fake_region_start, size = fake_region_mb << 20;

	if (!PAGE_ALIGNED(start) || size >> 20 != fake_region_mb ||
	    start + size < start ||
	    region_intersects(start, size, IORESOURCE_SYSTEM_RAM,
			      IORES_DESC_NONE) != REGION_DISJOINT ||
	    !request_mem_region(start, size, KBUILD_MODNAME))
		goto fail;
	fake_region = memremap(start, size, MEMREMAP_WB);
	if (fake_region)
		return 0;
	release_mem_region(start, size);
fail:
	pr_err("no region of %lu MB at %#lx: keep it from the kernel with memmap=, see /proc/iomem\n",
	       fake_region_mb, start);
	return -EINVAL;
}

/* Get the memory; what was got in case of an error is put by the caller. */
static int __init fake_get_memory(void)
{
	const gfp_t gfp = GFP_KERNEL | __GFP_NOWARN | __GFP_RETRY_MAYFAIL;
	struct fake_frame *frame;
	unsigned long i;

	if (!fake_pages == !fake_region_mb || fake_pages >= totalram_pages()) {
		pr_err("give either region_start= and region_mb=, or pages=, less than all\n");
		return -EINVAL;
	}
	if (fake_region_mb && fake_map_region())
		return -EINVAL;
	fake_nr_frames = fake_pages ?: fake_region_mb << (20 - PAGE_SHIFT);
	fake_frames = kvcalloc(fake_nr_frames, sizeof(*fake_frames), gfp);

	for (i = 0; fake_frames && i < fake_nr_frames; i++) {
		frame = &fake_frames[i];
		frame->data = fake_region ? fake_region + (i << PAGE_SHIFT) :
					    (void *)__get_free_page(gfp);
		if (!frame->data)
			break;
		memset(frame->data, FAKE_POISON, PAGE_SIZE);
		/* Is there any memory at this address? */
		if (memchr_inv(frame->data, FAKE_POISON, PAGE_SIZE))
			break;
		list_add_tail(&frame->list, &fake_free);
		cond_resched();
	}
	if (fake_frames && i == fake_nr_frames)
		return 0;
	pr_err("no memory for %lu frames: ask for less\n", fake_nr_frames);
	return -ENOMEM;
}

/*
 * A region is not part of a hibernation image. The front end has emptied it
 * before, but the machine that resumes may have other things there.
 */
static int fake_pm_notify(struct notifier_block *nb, unsigned long event,
			  void *data)
{
	struct fake_frame *frame;

	if (event != PM_POST_HIBERNATION || !fake_region)
		return NOTIFY_DONE;
	WARN_ON(fake_counts[FAKE_PAGES]);
	list_for_each_entry(frame, &fake_free, list)
		memset(frame->data, FAKE_POISON, PAGE_SIZE);
	return NOTIFY_OK;
}

/* Called before the front end opens the store again */
static struct notifier_block fake_pm_nb = {
	.notifier_call = fake_pm_notify,
	.priority = 1,
};

static struct dentry *fake_debugfs;

static int __init fake_module_init(void)
{
	int i, err;

	if (IS_BUILTIN(CONFIG_TMEM_FAKE) && !fake_pages && !fake_region_mb)
		return -ENODEV;

	for (i = 0; i < MAX_SWAPFILES; i++)
		xa_init_flags(&fake_areas[i].index, XA_FLAGS_LOCK_IRQ);
	err = fake_get_memory();
	if (err)
		goto put_memory;

	if (!fake_seed)
		fake_seed = get_random_u32_inclusive(1, U32_MAX);
	prandom_seed_state(&fake_rnd, fake_seed);
	fake_counts[FAKE_FRAMES] = fake_nr_frames;
	fake_debugfs = debugfs_create_dir(KBUILD_MODNAME, NULL);
	for (i = 0; i < NR_FAKE_COUNTS; i++)
		debugfs_create_u64(fake_count_names[i], 0444, fake_debugfs,
				   &fake_counts[i]);
	register_pm_notifier(&fake_pm_nb);

	fake_ops.flags = (fake_outside ? FRONTSWAP_OUTSIDE : 0) |
			 (fake_region ? FRONTSWAP_VOLATILE : 0) |
			 (fake_exclusive ? FRONTSWAP_EXCLUSIVE : 0) |
			 (fake_writethrough ? FRONTSWAP_WRITETHROUGH : 0) |
			 (fake_before_zswap ? FRONTSWAP_BEFORE_ZSWAP : 0);
	/* Late: ->init and ->store come before it returns. */
	err = frontswap_register_ops(&fake_ops);
	if (err) {
		pr_err("cannot register: %s (%d)\n",
		       err == -EBUSY ? "there is another backend" : "error",
		       err);
		goto unregister;
	}
	queue_delayed_work(system_unbound_wq, &fake_work, 0);
	pr_info("loaded, %lu frames, seed=%u\n", fake_nr_frames, fake_seed);
	return 0;
unregister:
	unregister_pm_notifier(&fake_pm_nb);
	debugfs_remove_recursive(fake_debugfs);
put_memory:
	fake_put_memory();
	return err;
}
module_init(fake_module_init);

/*
 * First nobody here may call the front end any more; then the front end takes
 * its pages back, with ->load and ->invalidate for each of them; only then is
 * the memory free.
 */
static void __exit fake_module_exit(void)
{
	int i;

	cancel_delayed_work_sync(&fake_work);
	frontswap_unregister_ops(&fake_ops);
	unregister_pm_notifier(&fake_pm_nb);
	debugfs_remove_recursive(fake_debugfs);
	for (i = 0; i < MAX_SWAPFILES; i++)
		WARN_ON_ONCE(fake_areas[i].served);
	if (!WARN_ON(fake_counts[FAKE_PAGES]))
		pr_info("unloaded, 0 pages held\n");
	fake_put_memory();
}
module_exit(fake_module_exit);

MODULE_DESCRIPTION("Fake hypervisor: backend of frontswap for tests, and example");
MODULE_LICENSE("GPL");

// SPDX-License-Identifier: GPL-2.0-only
/*
 * tmem_fake as a backend of frontswap: the part to copy for a backend of your
 * own. Each comment says what the contract in <linux/frontswap.h> asks for and
 * how that is kept.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/frontswap.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/swap.h>
#include <linux/swapops.h>

#include "tmem_fake.h"

/* A swap area. */
struct fake_area {
	struct fake_index index;
	bool served;		/* between ->init and ->invalidate_area */
};

static struct fake_area fake_areas[MAX_SWAPFILES];

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
	fake_areas[type].index.ephemeral = through;
	return 0;
}

static bool fake_takes(unsigned int nr, bool duplicate)
{
	bool takes;

	spin_lock_irq(&fake_lock);
	takes = fake_accepts() && fake_make_room(nr) &&
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
	struct fake_index *index = &fake_areas[type].index;
	unsigned int i, older, nr = folio_nr_pages(folio);
	int err = -ENOSPC;

	fake_delay();
	older = fake_forget(index, offset, nr, FAKE_DUPLICATES);
	if (!fake_takes(nr, older))
		goto refuse;
	for (i = 0; i < nr; i++) {
		err = fake_insert(index, offset + i, folio_page(folio, i));
		if (err)
			goto refuse;
		cond_resched();
	}
	fake_add(FAKE_STORES, nr);
	if (index->ephemeral && READ_ONCE(fake_drop_now))
		fake_forget(index, offset, nr, FAKE_DROPPED);
	return 0;
refuse:
	fake_add(FAKE_REFUSED, nr - fake_forget(index, offset, nr, FAKE_REFUSED));
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
	struct fake_index *index = &fake_areas[type].index;
	unsigned int i, nr = folio_nr_pages(folio);

	fake_delay();
	if (fake_fails_load()) {
		fake_add(FAKE_FAILED_LOADS, nr);
		return -EIO;
	}
	for (i = 0; i < nr; i++) {
		if (!fake_copy(index, offset + i, folio_page(folio, i))) {
			fake_add(FAKE_MISSES, nr);
			return -ENOENT;
		}
		cond_resched();
	}
	if (exclusive)
		fake_forget(index, offset, nr, FAKE_EXCLUSIVE_LOADS);
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
	fake_forget(&fake_areas[type].index, offset, nr, FAKE_INVALIDATES);
}

/*
 * Contract: the area is gone, and no other operation runs on it. But our own
 * work may, so that each page is looked up again under the lock.
 */
static void fake_invalidate_area(unsigned int type)
{
	fake_forget_all(&fake_areas[type].index, FAKE_INVALIDATES);
	fake_areas[type].served = false;
}

static struct frontswap_ops fake_ops = {
	.name = KBUILD_MODNAME,
	.init = fake_init,
	.store = fake_store,
	.load = fake_load,
	.invalidate = fake_invalidate,
	.invalidate_area = fake_invalidate_area,
};

/*
 * How a backend gives pages back on its own initiative. Make room for one page
 * without losing it: a page that is elsewhere too is dropped; any other page is
 * given to the front end, which moves it to its slot and then calls
 * ->invalidate. That must be done without a lock, and it fails for a page that
 * is busy; so the page is made the youngest first. Returns 1, 0 if there is
 * nothing to do, or an error.
 */
static int fake_push_oldest(void)
{
	struct fake_frame *frame;
	swp_entry_t entry;

	spin_lock_irq(&fake_lock);
	if (fake_has_room(0)) {
		spin_unlock_irq(&fake_lock);
		return 0;
	}
	if (!list_empty(&fake_ephemeral)) {
		fake_remove(list_first_entry(&fake_ephemeral, struct fake_frame,
					     list), FAKE_DROPPED);
		spin_unlock_irq(&fake_lock);
		return 1;
	}
	/* Tests want gaps: some old pages get a second chance. */
	if (fake_random() % 4 == 0)
		list_rotate_left(&fake_kept);
	frame = list_first_entry(&fake_kept, struct fake_frame, list);
	entry = swp_entry(container_of(frame->index, struct fake_area, index) -
			  fake_areas, frame->offset);
	list_move_tail(&frame->list, &fake_kept);
	spin_unlock_irq(&fake_lock);

	if (!frontswap_writeback(&entry, 1))
		return -EAGAIN;
	fake_add(FAKE_PUSHED, 1);
	return 1;
}

/* Push until the capacity is kept; have a rest when too many pages are busy. */
void fake_frontswap_push(void)
{
	int ret, failures = 0;

	do {
		ret = fake_push_oldest();
		failures = ret < 0 ? failures + 1 : 0;
		cond_resched();
	} while (ret && failures < SWAP_CLUSTER_MAX);
}

static struct frontswap_ops *fake_ops_in_use(void)
{
	return fake_use_engine ? &fake_engine_swap_ops : &fake_ops;
}

int fake_frontswap_init(void)
{
	struct frontswap_ops *ops = fake_ops_in_use();
	int i;

	for (i = 0; i < MAX_SWAPFILES; i++)
		xa_init_flags(&fake_areas[i].index.frames, XA_FLAGS_LOCK_IRQ);
	ops->flags = (fake_outside ? FRONTSWAP_OUTSIDE : 0) |
		     (fake_region ? FRONTSWAP_VOLATILE : 0) |
		     (fake_exclusive ? FRONTSWAP_EXCLUSIVE : 0) |
		     (fake_writethrough ? FRONTSWAP_WRITETHROUGH : 0) |
		     (fake_before_zswap ? FRONTSWAP_BEFORE_ZSWAP : 0);
	return frontswap_register_ops(ops);
}

void fake_frontswap_exit(void)
{
	int i;

	frontswap_unregister_ops(fake_ops_in_use());
	for (i = 0; i < MAX_SWAPFILES; i++)
		WARN_ON_ONCE(fake_areas[i].served);
}

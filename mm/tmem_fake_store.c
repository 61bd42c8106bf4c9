// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where tmem_fake keeps pages: a number of frames, got at load, in a region that
 * was kept from the kernel at boot or allocated.
 *
 * A real backend has a device or a hypervisor here, and handles in place of
 * struct fake_frame.
 *
 * Locking: fake_lock covers everything that changes at run time. It is taken
 * with interrupts off, because frontswap's ->invalidate is called so, and is a
 * leaf but for the locks of the xarrays: nothing is allocated under it and no
 * function of a front end is called.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/highmem.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "tmem_fake.h"

DEFINE_SPINLOCK(fake_lock);
LIST_HEAD(fake_free); /* frames without a page, longest free first */
LIST_HEAD(fake_kept); /* frames with a page that must be kept, oldest first */
LIST_HEAD(fake_ephemeral); /* frames with another page, first to go first */
u64 fake_counts[NR_FAKE_COUNTS];

/* Constant between load and unload. */
static struct fake_frame *fake_frames;
static unsigned long fake_nr_frames;
void *fake_region;

void fake_add(enum fake_count count, u64 nr)
{
	unsigned long flags;

	spin_lock_irqsave(&fake_lock, flags);
	fake_counts[count] += nr;
	spin_unlock_irqrestore(&fake_lock, flags);
}

bool fake_has_room(unsigned int nr)
{
	lockdep_assert_held(&fake_lock);
	return fake_counts[FAKE_PAGES] + nr <=
	       min(READ_ONCE(fake_capacity), fake_nr_frames);
}

/* Return: false if there is no room and nothing may be dropped to make some. */
bool fake_make_room(unsigned int nr)
{
	lockdep_assert_held(&fake_lock);
	while (!fake_has_room(nr)) {
		if (READ_ONCE(fake_evict) == FAKE_EVICT_NONE ||
		    list_empty(&fake_ephemeral))
			return false;
		fake_remove(list_first_entry(&fake_ephemeral, struct fake_frame,
					     list), FAKE_EVICTED);
	}
	return true;
}

/* Take the longest free frame; the caller puts it on a list again. */
struct fake_frame *fake_take_frame(void)
{
	struct fake_frame *frame;

	lockdep_assert_held(&fake_lock);
	frame = list_first_entry(&fake_free, struct fake_frame, list);
	if (fake_scribble && memchr_inv(frame->data, FAKE_POISON, PAGE_SIZE)) {
		fake_counts[FAKE_CORRUPTED]++;
		WARN_ONCE(1, "tmem_fake: a free frame was written to\n");
	}
	fake_counts[FAKE_PAGES]++;
	fake_counts[FAKE_BYTES] += PAGE_SIZE;
	return frame;
}

/*
 * Give a frame back. It is scribbled over, so that whoever still uses the dead
 * page is seen, and then waits for its next use as long as possible.
 */
void fake_free_frame(struct fake_frame *frame)
{
	lockdep_assert_held(&fake_lock);
	if (fake_scribble)
		memset(frame->data, FAKE_POISON, PAGE_SIZE);
	frame->index = NULL;
	list_move_tail(&frame->list, &fake_free);
	fake_counts[FAKE_PAGES]--;
	fake_counts[FAKE_BYTES] -= PAGE_SIZE;
}

/*
 * Put a page into the store. What can fail is done before the lock is taken.
 * The copy needs no lock, since nobody else can find the frame yet; it is made
 * under it for the sake of a short example.
 */
int fake_insert(struct fake_index *index, pgoff_t offset, struct page *page)
{
	struct fake_frame *frame;

	if (xa_reserve_irq(&index->frames, offset, FAKE_GFP))
		return -ENOMEM;

	spin_lock_irq(&fake_lock);
	if (index->dead || !fake_make_room(1)) {
		xa_erase(&index->frames, offset);
		spin_unlock_irq(&fake_lock);
		return -ENOSPC;
	}
	frame = fake_take_frame();
	memcpy_from_page(frame->data, page, 0, PAGE_SIZE);
	frame->index = index;
	frame->offset = offset;
	frame->born = jiffies;
	list_move_tail(&frame->list,
		       index->ephemeral ? &fake_ephemeral : &fake_kept);
	WARN_ON_ONCE(xa_store(&index->frames, offset, frame, 0));
	spin_unlock_irq(&fake_lock);
	return 0;
}

/* Copy a page out of the store. Return: false if it is not there. */
bool fake_copy(struct fake_index *index, pgoff_t offset, struct page *page)
{
	struct fake_frame *frame;

	spin_lock_irq(&fake_lock);
	frame = xa_load(&index->frames, offset);
	if (frame) {
		memcpy_to_page(page, 0, frame->data, PAGE_SIZE);
		if (index->ephemeral && READ_ONCE(fake_evict) == FAKE_EVICT_LRU)
			list_move_tail(&frame->list, &fake_ephemeral);
	}
	spin_unlock_irq(&fake_lock);
	return frame;
}

void fake_remove(struct fake_frame *frame, enum fake_count count)
{
	lockdep_assert_held(&fake_lock);
	xa_erase(&frame->index->frames, frame->offset);
	fake_free_frame(frame);
	fake_counts[count]++;
}

/*
 * Remove what these slots hold, if anything; return how much it was. The lock
 * is dropped between two pages to bound the time with interrupts off, as far as
 * that is in our hands.
 */
unsigned int fake_forget(struct fake_index *index, pgoff_t offset,
			 unsigned int nr, enum fake_count count)
{
	struct fake_frame *frame;
	unsigned int found = 0;
	unsigned long flags;

	while (nr--) {
		spin_lock_irqsave(&fake_lock, flags);
		frame = xa_load(&index->frames, offset++);
		if (frame) {
			fake_remove(frame, count);
			found++;
		}
		spin_unlock_irqrestore(&fake_lock, flags);
	}
	return found;
}

/* Remove everything; our own work may remove pages at the same time. */
void fake_forget_all(struct fake_index *index, enum fake_count count)
{
	struct fake_frame *frame;
	unsigned long offset;

	xa_for_each(&index->frames, offset, frame)
		fake_forget(index, offset, 1, count);
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
	return mean && fake_random() % mean < FAKE_PERIOD_MS;
}

/* Drop ephemeral pages whose time has come. */
void fake_drop_due(void)
{
	struct fake_frame *frame;
	unsigned long i;

	for (i = 0; i < fake_nr_frames; i++) {
		frame = &fake_frames[i];
		spin_lock_irq(&fake_lock);
		if (frame->index && frame->index->ephemeral &&
		    fake_is_due(frame))
			fake_remove(frame, FAKE_DROPPED);
		spin_unlock_irq(&fake_lock);
		cond_resched();
	}
}

/* Also after fake_get_memory() failed half way. */
void fake_put_memory(void)
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
static int fake_map_region(void)
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
int fake_get_memory(void)
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
	fake_counts[FAKE_FRAMES] = fake_nr_frames;
	if (fake_frames && i == fake_nr_frames)
		return 0;
	pr_err("no memory for %lu frames: ask for less\n", fake_nr_frames);
	return -ENOMEM;
}

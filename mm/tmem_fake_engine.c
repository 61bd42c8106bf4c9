// SPDX-License-Identifier: GPL-2.0-only
/*
 * With engine=1 the frames of tmem_fake are kept by the tmem engine, as a real
 * hypervisor does: what there is, where, and what goes when there is no room is
 * its business then. tmem_fake_store.c has the frames only.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/highmem.h>
#include <linux/mutex.h>

#include "tmem_fake.h"
#include "tmem/linux/folio.h"

/* Pools: as many as swap areas and mounts that may be wanted */
#define FAKE_MAX_POOLS	256

struct tmem_client *fake_client;
static struct tmem_engine *fake_engine;
/* Protects both, so that no page that was dropped is counted as evicted. */
static DEFINE_MUTEX(fake_engine_mutex);
/* Pages that went because fake_engine_work() wanted it */
static u64 fake_engine_dropped;
/* Pages that met an older copy, as far as they are counted */
static u64 fake_engine_replaced;

static int fake_payload_store(void *host, const void *source,
			      unsigned int order, unsigned long *payload)
{
	struct fake_frame *frame;
	unsigned long flags;

	spin_lock_irqsave(&fake_lock, flags);
	frame = fake_has_room(1) ? fake_take_frame() : NULL;
	if (frame)
		list_del_init(&frame->list);
	spin_unlock_irqrestore(&fake_lock, flags);
	if (!frame)
		return -ENOMEM;
	memcpy_from_page(frame->data, (struct page *)source, 0, PAGE_SIZE);
	*payload = (unsigned long)frame;
	return 0;
}

static int fake_payload_overwrite(void *host, const void *source,
				  unsigned int order, unsigned long payload)
{
	struct fake_frame *frame = (struct fake_frame *)payload;

	memcpy_from_page(frame->data, (struct page *)source, 0, PAGE_SIZE);
	return 0;
}

static int fake_payload_load(void *host, void *target, unsigned int order,
			     unsigned long payload)
{
	struct fake_frame *frame = (struct fake_frame *)payload;

	memcpy_to_page(target, 0, frame->data, PAGE_SIZE);
	return 0;
}

static void fake_payload_release(void *host, unsigned int order,
				 unsigned long payload)
{
	unsigned long flags;

	spin_lock_irqsave(&fake_lock, flags);
	fake_free_frame((struct fake_frame *)payload);
	spin_unlock_irqrestore(&fake_lock, flags);
}

static const struct tmem_payload_ops fake_payload_ops = {
	.store = fake_payload_store,
	.overwrite = fake_payload_overwrite,
	.load = fake_payload_load,
	.release = fake_payload_release,
};

/* Whether a folio is taken, as far as chance decides */
bool fake_engine_takes(void)
{
	bool takes;

	spin_lock_irq(&fake_lock);
	takes = fake_accepts();
	spin_unlock_irq(&fake_lock);
	return takes;
}

static unsigned long fake_over_capacity(void)
{
	unsigned long pages;

	spin_lock_irq(&fake_lock);
	pages = fake_counts[FAKE_PAGES];
	spin_unlock_irq(&fake_lock);
	return pages - min(pages, READ_ONCE(fake_capacity));
}

/* So many that a page is, on average, dropped at this age, the oldest first */
static unsigned long fake_nr_due(unsigned int age_ms)
{
	return age_ms ? DIV_ROUND_UP(tmem_evictable(fake_engine, ~0ul) *
				     FAKE_PERIOD_MS, age_ms) : 0;
}

static unsigned long fake_engine_drop(unsigned long nr)
{
	unsigned long dropped;

	mutex_lock(&fake_engine_mutex);
	dropped = tmem_evict(fake_engine, nr);
	fake_engine_dropped += dropped;
	mutex_unlock(&fake_engine_mutex);
	fake_add(FAKE_DROPPED, dropped);
	return dropped;
}

/* Every FAKE_PERIOD_MS: keep the capacity and drop pages. */
void fake_engine_work(void)
{
	unsigned long due = fake_nr_due(READ_ONCE(fake_drop_after_ms)) +
		fake_nr_due(READ_ONCE(fake_drop_mean_ms));
	unsigned long over = fake_over_capacity();
	unsigned long dropped = fake_engine_drop(over);

	if (over > dropped)
		fake_engine_push(over - dropped);
	fake_engine_drop(due);
}

/* Whoever reads the counters wants what the engine did until now. */
void fake_engine_count(void)
{
	struct tmem_usage usage;
	struct tmem_stats stats;

	mutex_lock(&fake_engine_mutex);
	tmem_client_stats(fake_client, &stats);
	tmem_client_usage(fake_client, &usage);
	spin_lock_irq(&fake_lock);
	fake_counts[FAKE_EVICTED] = stats.evicted - fake_engine_dropped;
	fake_counts[FAKE_OBJECTS] = usage.objects;
	fake_counts[FAKE_DUPLICATES] += stats.overwrites - fake_engine_replaced;
	fake_engine_replaced = stats.overwrites;
	spin_unlock_irq(&fake_lock);
	mutex_unlock(&fake_engine_mutex);
}

/* Return: 0, or a negative error code; nothing is left then. */
int fake_engine_start(void)
{
	return tmem_folio_engine_create(&fake_payload_ops, FAKE_MAX_POOLS,
					&fake_engine, &fake_client);
}

void fake_engine_stop(void)
{
	tmem_folio_engine_destroy(fake_engine, fake_client);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest that has no more memory than it needs: self-ballooning
 *
 * Every few seconds the balloon is told what the guest needs: what it has committed,
 * what the kernel has, and a reserve. The toolstack's target stays, and is the most
 * it may have. On the way down pages of files and of swap go to the hypervisor,
 * and under sudden load too, until memory has come back.
 *
 * When nothing has been swapped out for a while, pages of swap come home: memory
 * that they have there is memory that the balloon cannot have.
 *
 * Its files: Documentation/ABI/testing/sysfs-devices-system-xen_memory
 */
#define pr_fmt(fmt) "tmem: " fmt

#include <linux/device.h>
#include <linux/frontswap.h>
#include <linux/kernel.h>
#include <linux/kstrtox.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/moduleparam.h>
#include <linux/printk.h>
#include <linux/sysfs.h>
#include <linux/vmstat.h>
#include <linux/workqueue.h>

#include <xen/balloon.h>
#include <xen/xen.h>

#include "tmem.h"

#define MB_TO_PAGES(mb)		((unsigned long)(mb) << (20 - PAGE_SHIFT))
#define PAGES_TO_MB(pages)	((pages) >> (20 - PAGE_SHIFT))

static bool tmem_wanted;
module_param_named(selfballooning, tmem_wanted, bool, 0444);
MODULE_PARM_DESC(selfballooning, "Give memory back that the guest does not need");

/**
 * struct tmem_knob - a number that the administrator may change
 * @attr: Its file.
 * @value: What it is now.
 * @least: The smallest that it may be.
 * @most: The largest.
 */
struct tmem_knob {
	struct device_attribute attr;
	unsigned int	value;
	unsigned int	least;
	unsigned int	most;
};

static void tmem_selfballoon_fn(struct work_struct *work);
/* While the guest is suspended nobody needs anything. */
static DECLARE_DELAYED_WORK(tmem_selfballoon_work, tmem_selfballoon_fn);
static bool tmem_has_files;

static ssize_t tmem_knob_show(struct device *dev, struct device_attribute *attr,
			      char *buf)
{
	struct tmem_knob *knob = container_of(attr, struct tmem_knob, attr);

	return sysfs_emit(buf, "%u\n", READ_ONCE(knob->value));
}

static ssize_t tmem_knob_store(struct device *dev,
			       struct device_attribute *attr, const char *buf,
			       size_t len)
{
	struct tmem_knob *knob = container_of(attr, struct tmem_knob, attr);
	unsigned int value;
	int err = kstrtouint(buf, 0, &value);

	if (err)
		return err;
	if (value < knob->least || value > knob->most)
		return -EINVAL;
	WRITE_ONCE(knob->value, value);
	mod_delayed_work(system_freezable_wq, &tmem_selfballoon_work, 0);
	return len;
}

#define TMEM_KNOB(_name, _value, _least, _most) {			\
	.attr = __ATTR(_name, 0644, tmem_knob_show, tmem_knob_store),	\
	.value = _value, .least = _least, .most = _most,		\
}

#define TMEM_MOST_MB	INT_MAX

static struct tmem_knob selfballooning = TMEM_KNOB(selfballooning, 0, 0, 1);
static struct tmem_knob selfballoon_interval =
	TMEM_KNOB(selfballoon_interval, 5, 1, 3600);
static struct tmem_knob selfballoon_downhysteresis =
	TMEM_KNOB(selfballoon_downhysteresis, 8, 1, 1000);
static struct tmem_knob selfballoon_uphysteresis =
	TMEM_KNOB(selfballoon_uphysteresis, 1, 1, 1000);
static struct tmem_knob selfballoon_min_usable_mb =
	TMEM_KNOB(selfballoon_min_usable_mb, 0, 0, TMEM_MOST_MB);
static struct tmem_knob selfballoon_reserved_mb =
	TMEM_KNOB(selfballoon_reserved_mb, 0, 0, TMEM_MOST_MB);
static struct tmem_knob frontswap_selfshrinking =
	TMEM_KNOB(frontswap_selfshrinking, 1, 0, 1);
static struct tmem_knob frontswap_hysteresis =
	TMEM_KNOB(frontswap_hysteresis, 20, 1, 1000);
static struct tmem_knob frontswap_inertia =
	TMEM_KNOB(frontswap_inertia, 3, 0, 1000);

static struct attribute *tmem_selfballoon_attrs[] = {
	&selfballooning.attr.attr,
	&selfballoon_interval.attr.attr,
	&selfballoon_downhysteresis.attr.attr,
	&selfballoon_uphysteresis.attr.attr,
	&selfballoon_min_usable_mb.attr.attr,
	&selfballoon_reserved_mb.attr.attr,
	&frontswap_selfshrinking.attr.attr,
	&frontswap_hysteresis.attr.attr,
	&frontswap_inertia.attr.attr,
	NULL
};

static const struct attribute_group tmem_selfballoon_group = {
	.name = "selfballoon",
	.attrs = tmem_selfballoon_attrs,
};

/* Everything that is neither free nor could be swapped out or read again */
static unsigned long tmem_kernel_pages(unsigned long now)
{
	unsigned long others = global_zone_page_state(NR_FREE_PAGES) +
			       global_node_page_state(NR_ACTIVE_ANON) +
			       global_node_page_state(NR_INACTIVE_ANON) +
			       global_node_page_state(NR_ACTIVE_FILE) +
			       global_node_page_state(NR_INACTIVE_FILE);

	return now > others ? now - others : 0;
}

static void tmem_set_balloon(void)
{
	unsigned long now = balloon_stats.current_pages;
	struct tmem_need need = {
		.committed = vm_memory_committed(),
		.kernel = tmem_kernel_pages(now),
		.reserve = MB_TO_PAGES(READ_ONCE(selfballoon_reserved_mb.value)),
		.floor = MB_TO_PAGES(READ_ONCE(selfballoon_min_usable_mb.value)),
		.ceiling = balloon_stats.target_pages,
	};

	balloon_set_limit(xen_tmem_step(now, xen_tmem_goal(&need),
					READ_ONCE(selfballoon_downhysteresis.value),
					READ_ONCE(selfballoon_uphysteresis.value)));
}

/* A part of them each time: somebody may need the memory more than they do. */
static void tmem_shrink_frontswap(void)
{
	static struct tmem_quiet quiet;
	unsigned long held;

	if (!READ_ONCE(frontswap_selfshrinking.value) ||
	    !xen_tmem_quiet(&quiet, xen_tmem_counted(TMEM_STORES) +
				    xen_tmem_counted(TMEM_REFUSED),
			    READ_ONCE(frontswap_inertia.value)))
		return;
	held = frontswap_pages();
	xen_tmem_pull(DIV_ROUND_UP(held, READ_ONCE(frontswap_hysteresis.value)));
}

static void tmem_selfballoon_fn(struct work_struct *work)
{
	if (!READ_ONCE(selfballooning.value)) {
		balloon_set_limit(BALLOON_NO_LIMIT);
		return;
	}
	/* Who boots may be waiting for the balloon to reach its first target. */
	if (system_state == SYSTEM_RUNNING) {
		tmem_set_balloon();
		tmem_shrink_frontswap();
	}
	queue_delayed_work(system_freezable_wq, &tmem_selfballoon_work,
			   READ_ONCE(selfballoon_interval.value) * HZ);
}

/**
 * xen_tmem_selfballoon_start - give memory back, if that is wanted
 *
 * Not in dom0, whose memory is the toolstack's to balance.
 *
 * Context: May sleep.
 */
void xen_tmem_selfballoon_start(void)
{
	struct device *dev = xen_balloon_device();
	unsigned long most = balloon_stats.total_pages;

	if (xen_initial_domain() || !dev)
		return;
	selfballooning.value = tmem_wanted;
	selfballoon_min_usable_mb.value = PAGES_TO_MB(xen_tmem_floor(most));
	selfballoon_reserved_mb.value = PAGES_TO_MB(most / 16);
	tmem_has_files = !device_add_group(dev, &tmem_selfballoon_group);
	if (!tmem_has_files)
		pr_warn("self-ballooning has no files in sysfs\n");
	if (tmem_wanted)
		queue_delayed_work(system_freezable_wq, &tmem_selfballoon_work,
				   selfballoon_interval.value * HZ);
}

/**
 * xen_tmem_selfballoon_stop - have as much memory as the toolstack says
 *
 * Context: May sleep, for as long as pages of swap take that are on their way home.
 */
void xen_tmem_selfballoon_stop(void)
{
	if (xen_initial_domain() || !xen_balloon_device())
		return;
	/* From here on nobody switches it on again. */
	if (tmem_has_files)
		device_remove_group(xen_balloon_device(),
				    &tmem_selfballoon_group);
	WRITE_ONCE(selfballooning.value, 0);
	cancel_delayed_work_sync(&tmem_selfballoon_work);
	balloon_set_limit(BALLOON_NO_LIMIT);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * frontswap for the administrator: /sys/kernel/mm/tmem/frontswap, one value
 * per file, documented in Documentation/ABI/testing/sysfs-kernel-mm-tmem; and
 * the historic files in debugfs.
 */
#include <linux/debugfs.h>
#include <linux/export.h>
#include <linux/frontswap.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/kstrtox.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "frontswap.h"
#include "tmem.h"

static struct kobject *areas_kobj;

TMEM_COUNTER(offers, frontswap_stats.offers);
TMEM_COUNTER(stores, frontswap_stats.stores);
TMEM_COUNTER(loads, frontswap_stats.loads);
TMEM_COUNTER(failed_loads, frontswap_stats.failed_loads);
TMEM_COUNTER(invalidates, frontswap_stats.invalidates);
TMEM_COUNTER(writebacks, frontswap_stats.writebacks);
TMEM_COUNTER(pulls, frontswap_stats.pulls);
TMEM_COUNTER(rejects_backend,
	     frontswap_stats.rejects[FRONTSWAP_REJECT_BACKEND]);
TMEM_COUNTER(rejects_disabled,
	     frontswap_stats.rejects[FRONTSWAP_REJECT_DISABLED]);
TMEM_COUNTER(rejects_draining,
	     frontswap_stats.rejects[FRONTSWAP_REJECT_DRAINING]);
TMEM_COUNTER(rejects_hibernation,
	     frontswap_stats.rejects[FRONTSWAP_REJECT_HIBERNATION]);
TMEM_COUNTER(rejects_excluded,
	     frontswap_stats.rejects[FRONTSWAP_REJECT_EXCLUDED]);
TMEM_COUNTER(rejects_encrypted,
	     frontswap_stats.rejects[FRONTSWAP_REJECT_ENCRYPTED]);
TMEM_COUNTER(rejects_area, frontswap_stats.rejects[FRONTSWAP_REJECT_AREA]);
TMEM_COUNTER(rejects_memory, frontswap_stats.rejects[FRONTSWAP_REJECT_MEMORY]);
TMEM_COUNTER(rejects_cgroup, frontswap_stats.rejects[FRONTSWAP_REJECT_CGROUP]);

static long frontswap_sum_areas(bool poisoned)
{
	struct frontswap_area *area;
	unsigned int type;
	long lost, sum = 0;

	for (type = 0; type < MAX_SWAPFILES; type++) {
		area = frontswap_area_get(type);
		if (!area)
			continue;
		lost = atomic_long_read(&area->nr_poisoned);
		sum += poisoned ? lost :
				  atomic_long_read(&area->nr_pages) - lost;
		frontswap_area_put(area);
	}
	return sum;
}

/**
 * frontswap_pages - how many pages the store has
 *
 * Context: May sleep.
 * Return: Pages of all areas; those that were lost are not there.
 */
unsigned long frontswap_pages(void)
{
	return max(frontswap_sum_areas(/*poisoned=*/false), 0L);
}
EXPORT_SYMBOL_GPL(frontswap_pages);

static ssize_t pages_show(struct kobject *kobj, struct kobj_attribute *attr,
			  char *buf)
{
	return sysfs_emit(buf, "%lu\n", frontswap_pages());
}

static struct kobj_attribute pages_attr = __ATTR_RO(pages);

static ssize_t poisoned_pages_show(struct kobject *kobj,
				   struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%ld\n", frontswap_sum_areas(/*poisoned=*/true));
}

static struct kobj_attribute poisoned_pages_attr = __ATTR_RO(poisoned_pages);

static ssize_t backend_show(struct kobject *kobj, struct kobj_attribute *attr,
			    char *buf)
{
	ssize_t len;

	mutex_lock(&frontswap_mutex);
	len = sysfs_emit(buf, "%s\n",
			 frontswap_backend ? frontswap_backend->name : "none");
	mutex_unlock(&frontswap_mutex);
	return len;
}

static struct kobj_attribute backend_attr = __ATTR_RO(backend);

static ssize_t enabled_show(struct kobject *kobj, struct kobj_attribute *attr,
			    char *buf)
{
	return sysfs_emit(buf, "%d\n",
			  !test_bit(FRONTSWAP_DISABLED, &frontswap_state));
}

static ssize_t enabled_store(struct kobject *kobj, struct kobj_attribute *attr,
			     const char *buf, size_t len)
{
	return tmem_set_switch(buf, len, frontswap_set_enabled);
}

static struct kobj_attribute enabled_attr = __ATTR_RW(enabled);

static ssize_t allow_encrypted_show(struct kobject *kobj,
				    struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", test_bit(FRONTSWAP_ALLOW_ENCRYPTED,
						&frontswap_state));
}

static ssize_t allow_encrypted_store(struct kobject *kobj,
				     struct kobj_attribute *attr,
				     const char *buf, size_t len)
{
	return tmem_set_switch(buf, len, frontswap_set_allow_encrypted);
}

static struct kobj_attribute allow_encrypted_attr = __ATTR_RW(allow_encrypted);

static struct attribute *frontswap_attrs[] = {
	&allow_encrypted_attr.attr,
	&backend_attr.attr,
	&enabled_attr.attr,
	&failed_loads_attr.attr,
	&invalidates_attr.attr,
	&loads_attr.attr,
	&offers_attr.attr,
	&pages_attr.attr,
	&poisoned_pages_attr.attr,
	&pulls_attr.attr,
	&rejects_area_attr.attr,
	&rejects_backend_attr.attr,
	&rejects_cgroup_attr.attr,
	&rejects_disabled_attr.attr,
	&rejects_draining_attr.attr,
	&rejects_encrypted_attr.attr,
	&rejects_excluded_attr.attr,
	&rejects_hibernation_attr.attr,
	&rejects_memory_attr.attr,
	&stores_attr.attr,
	&writebacks_attr.attr,
	NULL,
};

static const struct attribute_group frontswap_group = {
	.attrs = frontswap_attrs,
};

/* One directory per swap area */

static struct frontswap_area *to_area(struct kobject *kobj)
{
	return container_of(kobj, struct frontswap_area, kobj);
}

static ssize_t path_show(struct kobject *kobj, struct kobj_attribute *attr,
			 char *buf)
{
	char *path, *page = (char *)__get_free_page(GFP_KERNEL);
	ssize_t len;

	if (!page)
		return -ENOMEM;
	path = file_path(to_area(kobj)->file, page, PAGE_SIZE);
	len = IS_ERR(path) ? PTR_ERR(path) : sysfs_emit(buf, "%s\n", path);
	free_page((unsigned long)page);
	return len;
}

static struct kobj_attribute path_attr = __ATTR_RO(path);

static ssize_t slots_show(struct kobject *kobj, struct kobj_attribute *attr,
			  char *buf)
{
	return sysfs_emit(buf, "%lu\n", to_area(kobj)->nr_slots);
}

static struct kobj_attribute slots_attr = __ATTR_RO(slots);

static ssize_t area_pages_show(struct kobject *kobj,
			       struct kobj_attribute *attr, char *buf)
{
	struct frontswap_area *area = to_area(kobj);
	long lost = atomic_long_read(&area->nr_poisoned);

	return sysfs_emit(buf, "%ld\n",
			  atomic_long_read(&area->nr_pages) - lost);
}

static struct kobj_attribute area_pages_attr =
	__ATTR(pages, 0444, area_pages_show, NULL);

static ssize_t area_poisoned_pages_show(struct kobject *kobj,
					struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%ld\n",
			  atomic_long_read(&to_area(kobj)->nr_poisoned));
}

static struct kobj_attribute area_poisoned_pages_attr =
	__ATTR(poisoned_pages, 0444, area_poisoned_pages_show, NULL);

static ssize_t area_bit_show(struct kobject *kobj, int bit, char *buf)
{
	return sysfs_emit(buf, "%d\n", test_bit(bit, &to_area(kobj)->state));
}

static ssize_t encrypted_show(struct kobject *kobj,
			      struct kobj_attribute *attr, char *buf)
{
	return area_bit_show(kobj, FRONTSWAP_AREA_ENCRYPTED, buf);
}

static struct kobj_attribute encrypted_attr = __ATTR_RO(encrypted);

static ssize_t excluded_show(struct kobject *kobj, struct kobj_attribute *attr,
			     char *buf)
{
	return area_bit_show(kobj, FRONTSWAP_AREA_EXCLUDED, buf);
}

static ssize_t excluded_store(struct kobject *kobj, struct kobj_attribute *attr,
			      const char *buf, size_t len)
{
	bool excluded;
	int ret;

	ret = kstrtobool(buf, &excluded);
	if (!ret)
		ret = frontswap_set_excluded(to_area(kobj), excluded);
	return ret ?: len;
}

static struct kobj_attribute excluded_attr = __ATTR_RW(excluded);

static ssize_t writethrough_show(struct kobject *kobj,
				 struct kobj_attribute *attr, char *buf)
{
	return area_bit_show(kobj, FRONTSWAP_AREA_WANT_THROUGH, buf);
}

static ssize_t writethrough_store(struct kobject *kobj,
				  struct kobj_attribute *attr, const char *buf,
				  size_t len)
{
	bool through;
	int ret;

	ret = kstrtobool(buf, &through);
	if (!ret)
		ret = frontswap_set_writethrough(to_area(kobj), through);
	return ret ?: len;
}

static struct kobj_attribute writethrough_attr = __ATTR_RW(writethrough);

static ssize_t area_take_back(struct kobject *kobj, const char *buf, size_t len,
			      bool to_device)
{
	struct frontswap_area *area = to_area(kobj);
	unsigned long nr;
	int ret;

	ret = kstrtoul(buf, 0, &nr);
	if (ret)
		return ret;
	frontswap_writeback_range(area, 0, area->nr_slots, nr, to_device);
	return len;
}

static ssize_t writeback_store(struct kobject *kobj,
			       struct kobj_attribute *attr, const char *buf,
			       size_t len)
{
	return area_take_back(kobj, buf, len, /*to_device=*/true);
}

static struct kobj_attribute writeback_attr = __ATTR_WO(writeback);

static ssize_t pull_store(struct kobject *kobj, struct kobj_attribute *attr,
			  const char *buf, size_t len)
{
	return area_take_back(kobj, buf, len, /*to_device=*/false);
}

static struct kobj_attribute pull_attr = __ATTR_WO(pull);

static struct attribute *area_attrs[] = {
	&area_pages_attr.attr,
	&area_poisoned_pages_attr.attr,
	&encrypted_attr.attr,
	&excluded_attr.attr,
	&path_attr.attr,
	&pull_attr.attr,
	&slots_attr.attr,
	&writeback_attr.attr,
	&writethrough_attr.attr,
	NULL,
};
ATTRIBUTE_GROUPS(area);

static void area_release(struct kobject *kobj)
{
	struct frontswap_area *area = to_area(kobj);

	frontswap_map_destroy(&area->map);
	xa_destroy(&area->poison);
	/* For frontswap_area_get() */
	kfree_rcu(area, rcu);
}

static const struct kobj_type area_ktype = {
	.release = area_release,
	.sysfs_ops = &kobj_sysfs_ops,
	.default_groups = area_groups,
};

/**
 * frontswap_area_add_sysfs - give an area its directory and its reference count
 * @area: The area, otherwise initialised.
 *
 * Context: May sleep.
 * Return: 0, or a negative error code; the area is freed then.
 */
int frontswap_area_add_sysfs(struct frontswap_area *area)
{
	int ret = kobject_init_and_add(&area->kobj, &area_ktype, areas_kobj,
				       "%u", area->type);

	if (ret)
		kobject_put(&area->kobj);
	return ret;
}

/* The files of 2012, with the meaning they had. */

static int failed_stores_get(void *data, u64 *val)
{
	int reject;

	for (*val = 0, reject = 0; reject < NR_FRONTSWAP_REJECTS; reject++)
		*val += tmem_sum(&frontswap_stats.rejects[reject]);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(failed_stores_fops, failed_stores_get, NULL, "%llu\n");

static int __init frontswap_sysfs_init(void)
{
	struct dentry *dir;

	areas_kobj = tmem_add_front_end("frontswap", &frontswap_group, "areas");
	if (!areas_kobj)
		return -ENOMEM;
	dir = debugfs_create_dir("frontswap", NULL);
	tmem_add_debugfs(dir, "loads", &frontswap_stats.loads);
	tmem_add_debugfs(dir, "succ_stores", &frontswap_stats.stores);
	tmem_add_debugfs(dir, "invalidates", &frontswap_stats.invalidates);
	debugfs_create_file("failed_stores", 0444, dir, NULL,
			    &failed_stores_fops);
	return 0;
}
subsys_initcall(frontswap_sysfs_init);

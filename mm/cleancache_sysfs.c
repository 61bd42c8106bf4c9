// SPDX-License-Identifier: GPL-2.0-only
/*
 * cleancache for the administrator: /sys/kernel/mm/tmem/cleancache, one value
 * per file, documented in
 * Documentation/ABI/testing/sysfs-kernel-mm-tmem-cleancache; and the historic
 * files in debugfs.
 */
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/kstrtox.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "cleancache.h"
#include "tmem.h"

static struct kobject *cleancache_kobj;
static struct kobject *mounts_kobj;

/* @counter: Offset in struct cleancache_stats. Return: Sum over all CPUs. */
static unsigned long cleancache_sum(size_t counter)
{
	unsigned long sum = 0;
	int cpu;

	for_each_possible_cpu(cpu) {
		void *stats = per_cpu_ptr(&cleancache_stats, cpu);

		sum += READ_ONCE(*(unsigned long *)(stats + counter));
	}
	return sum;
}

#define CLEANCACHE_COUNTER(_name, _member)				\
static ssize_t _name##_show(struct kobject *kobj,			\
			    struct kobj_attribute *attr, char *buf)	\
{									\
	return sysfs_emit(buf, "%lu\n",					\
		cleancache_sum(offsetof(struct cleancache_stats,	\
					_member)));			\
}									\
static struct kobj_attribute _name##_attr = __ATTR_RO(_name)

CLEANCACHE_COUNTER(puts, puts);
CLEANCACHE_COUNTER(hits, hits);
CLEANCACHE_COUNTER(misses, misses);
CLEANCACHE_COUNTER(partial_misses, partial_misses);
CLEANCACHE_COUNTER(invalidates, invalidates);
CLEANCACHE_COUNTER(verified, verified);
CLEANCACHE_COUNTER(corrupted, corrupted);
CLEANCACHE_COUNTER(rejects_backend, rejects[CLEANCACHE_REJECT_BACKEND]);
CLEANCACHE_COUNTER(rejects_disabled, rejects[CLEANCACHE_REJECT_DISABLED]);
CLEANCACHE_COUNTER(rejects_draining, rejects[CLEANCACHE_REJECT_DRAINING]);
CLEANCACHE_COUNTER(rejects_hibernation, rejects[CLEANCACHE_REJECT_HIBERNATION]);
CLEANCACHE_COUNTER(rejects_excluded, rejects[CLEANCACHE_REJECT_EXCLUDED]);
CLEANCACHE_COUNTER(rejects_encrypted, rejects[CLEANCACHE_REJECT_ENCRYPTED]);
CLEANCACHE_COUNTER(rejects_mount, rejects[CLEANCACHE_REJECT_MOUNT]);
CLEANCACHE_COUNTER(rejects_file, rejects[CLEANCACHE_REJECT_FILE]);
CLEANCACHE_COUNTER(rejects_error, rejects[CLEANCACHE_REJECT_ERROR]);
CLEANCACHE_COUNTER(rejects_direct, rejects[CLEANCACHE_REJECT_DIRECT]);
CLEANCACHE_COUNTER(rejects_page, rejects[CLEANCACHE_REJECT_PAGE]);
CLEANCACHE_COUNTER(rejects_admission, rejects[CLEANCACHE_REJECT_ADMISSION]);
CLEANCACHE_COUNTER(rejects_memory, rejects[CLEANCACHE_REJECT_MEMORY]);

static long cleancache_sum_mounts(void)
{
	struct cleancache_mount *mount;
	long sum = 0;

	mutex_lock(&cleancache_mutex);
	list_for_each_entry(mount, &cleancache_mounts, node)
		sum += atomic_long_read(&mount->nr_pages);
	mutex_unlock(&cleancache_mutex);
	return sum;
}

static ssize_t pages_show(struct kobject *kobj, struct kobj_attribute *attr,
			  char *buf)
{
	return sysfs_emit(buf, "%ld\n", cleancache_sum_mounts());
}

static struct kobj_attribute pages_attr = __ATTR_RO(pages);

static ssize_t metadata_bytes_show(struct kobject *kobj,
				   struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%zu\n", cleancache_metadata_bytes());
}

static struct kobj_attribute metadata_bytes_attr = __ATTR_RO(metadata_bytes);

static ssize_t backend_show(struct kobject *kobj, struct kobj_attribute *attr,
			    char *buf)
{
	ssize_t len;

	mutex_lock(&cleancache_mutex);
	len = sysfs_emit(buf, "%s\n", cleancache_backend ?
			 cleancache_backend->name : "none");
	mutex_unlock(&cleancache_mutex);
	return len;
}

static struct kobj_attribute backend_attr = __ATTR_RO(backend);

/* A switch: a bit of cleancache_state and what happens when it changes */
static ssize_t set_switch(const char *buf, size_t len, int (*set)(bool))
{
	bool value;
	int ret;

	ret = kstrtobool(buf, &value);
	if (!ret)
		ret = set(value);
	return ret ?: len;
}

static ssize_t enabled_show(struct kobject *kobj, struct kobj_attribute *attr,
			    char *buf)
{
	return sysfs_emit(buf, "%d\n",
			  !test_bit(CLEANCACHE_DISABLED, &cleancache_state));
}

static ssize_t enabled_store(struct kobject *kobj, struct kobj_attribute *attr,
			     const char *buf, size_t len)
{
	return set_switch(buf, len, cleancache_set_enabled);
}

static struct kobj_attribute enabled_attr = __ATTR_RW(enabled);

static ssize_t allow_encrypted_show(struct kobject *kobj,
				    struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", test_bit(CLEANCACHE_ALLOW_ENCRYPTED,
						&cleancache_state));
}

static ssize_t allow_encrypted_store(struct kobject *kobj,
				     struct kobj_attribute *attr,
				     const char *buf, size_t len)
{
	return set_switch(buf, len, cleancache_set_allow_encrypted);
}

static struct kobj_attribute allow_encrypted_attr = __ATTR_RW(allow_encrypted);

static ssize_t verify_show(struct kobject *kobj, struct kobj_attribute *attr,
			   char *buf)
{
	return sysfs_emit(buf, "%d\n",
			  static_key_enabled(&cleancache_verify_key));
}

static ssize_t verify_store(struct kobject *kobj, struct kobj_attribute *attr,
			    const char *buf, size_t len)
{
	return set_switch(buf, len, cleancache_set_verify);
}

static struct kobj_attribute verify_attr = __ATTR_RW(verify);

static const char *const admit_names[] = { "all", "reused", NULL };

static ssize_t admit_show(struct kobject *kobj, struct kobj_attribute *attr,
			  char *buf)
{
	bool reused = test_bit(CLEANCACHE_ADMIT_REUSED, &cleancache_state);

	return sysfs_emit(buf, "%s\n", admit_names[reused]);
}

static ssize_t admit_store(struct kobject *kobj, struct kobj_attribute *attr,
			   const char *buf, size_t len)
{
	int admit = sysfs_match_string(admit_names, buf);

	if (admit < 0)
		return admit;
	assign_bit(CLEANCACHE_ADMIT_REUSED, &cleancache_state, admit);
	return len;
}

static struct kobj_attribute admit_attr = __ATTR_RW(admit);

static ssize_t drop_store(struct kobject *kobj, struct kobj_attribute *attr,
			  const char *buf, size_t len)
{
	unsigned int value;
	int ret;

	ret = kstrtouint(buf, 0, &value);
	if (ret)
		return ret;
	if (value != 1)
		return -EINVAL;
	cleancache_drop();
	return len;
}

static struct kobj_attribute drop_attr = __ATTR_WO(drop);

static struct attribute *cleancache_attrs[] = {
	&admit_attr.attr,
	&allow_encrypted_attr.attr,
	&backend_attr.attr,
	&corrupted_attr.attr,
	&drop_attr.attr,
	&enabled_attr.attr,
	&hits_attr.attr,
	&invalidates_attr.attr,
	&metadata_bytes_attr.attr,
	&misses_attr.attr,
	&pages_attr.attr,
	&partial_misses_attr.attr,
	&puts_attr.attr,
	&rejects_admission_attr.attr,
	&rejects_backend_attr.attr,
	&rejects_direct_attr.attr,
	&rejects_disabled_attr.attr,
	&rejects_draining_attr.attr,
	&rejects_encrypted_attr.attr,
	&rejects_error_attr.attr,
	&rejects_excluded_attr.attr,
	&rejects_file_attr.attr,
	&rejects_hibernation_attr.attr,
	&rejects_memory_attr.attr,
	&rejects_mount_attr.attr,
	&rejects_page_attr.attr,
	&verified_attr.attr,
	&verify_attr.attr,
	NULL,
};

static const struct attribute_group cleancache_group = {
	.attrs = cleancache_attrs,
};

/* One directory per mount */

static struct cleancache_mount *to_mount(struct kobject *kobj)
{
	return container_of(kobj, struct cleancache_mount, kobj);
}

static ssize_t device_show(struct kobject *kobj, struct kobj_attribute *attr,
			   char *buf)
{
	return sysfs_emit(buf, "%s\n", to_mount(kobj)->sb->s_id);
}

static struct kobj_attribute device_attr = __ATTR_RO(device);

static ssize_t filesystem_show(struct kobject *kobj,
			       struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", to_mount(kobj)->sb->s_type->name);
}

static struct kobj_attribute filesystem_attr = __ATTR_RO(filesystem);

static ssize_t mount_pages_show(struct kobject *kobj,
				struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%ld\n",
			  atomic_long_read(&to_mount(kobj)->nr_pages));
}

static struct kobj_attribute mount_pages_attr =
	__ATTR(pages, 0444, mount_pages_show, NULL);

static ssize_t files_show(struct kobject *kobj, struct kobj_attribute *attr,
			  char *buf)
{
	return sysfs_emit(buf, "%ld\n",
			  atomic_long_read(&to_mount(kobj)->nr_objects));
}

static struct kobj_attribute files_attr = __ATTR_RO(files);

static ssize_t encrypted_show(struct kobject *kobj,
			      struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", test_bit(CLEANCACHE_MOUNT_ENCRYPTED,
						&to_mount(kobj)->state));
}

static struct kobj_attribute encrypted_attr = __ATTR_RO(encrypted);

static ssize_t excluded_show(struct kobject *kobj, struct kobj_attribute *attr,
			     char *buf)
{
	return sysfs_emit(buf, "%d\n", test_bit(CLEANCACHE_MOUNT_EXCLUDED,
						&to_mount(kobj)->state));
}

static ssize_t excluded_store(struct kobject *kobj, struct kobj_attribute *attr,
			      const char *buf, size_t len)
{
	bool excluded;
	int ret;

	ret = kstrtobool(buf, &excluded);
	if (!ret)
		ret = cleancache_set_excluded(to_mount(kobj), excluded);
	return ret ?: len;
}

static struct kobj_attribute excluded_attr = __ATTR_RW(excluded);

static struct attribute *mount_attrs[] = {
	&device_attr.attr,
	&encrypted_attr.attr,
	&excluded_attr.attr,
	&files_attr.attr,
	&filesystem_attr.attr,
	&mount_pages_attr.attr,
	NULL,
};
ATTRIBUTE_GROUPS(mount);

static void mount_release(struct kobject *kobj)
{
	kfree(to_mount(kobj));
}

static const struct kobj_type mount_ktype = {
	.release = mount_release,
	.sysfs_ops = &kobj_sysfs_ops,
	.default_groups = mount_groups,
};

/**
 * cleancache_mount_add_sysfs - give a mount its directory and reference count
 * @mount: The mount, otherwise initialised.
 *
 * Context: May sleep.
 * Return: 0, or a negative error code; the mount is freed then.
 */
int cleancache_mount_add_sysfs(struct cleancache_mount *mount)
{
	dev_t dev = mount->sb->s_dev;
	int ret = kobject_init_and_add(&mount->kobj, &mount_ktype, mounts_kobj,
				       "%u:%u", MAJOR(dev), MINOR(dev));

	if (ret)
		kobject_put(&mount->kobj);
	return ret;
}

/* The files of 2011, with the meaning they had. */

static int puts_get(void *data, u64 *val)
{
	/* All that were given to the backend, whatever it did */
	*val = cleancache_sum(offsetof(struct cleancache_stats, puts)) +
	       cleancache_sum(offsetof(struct cleancache_stats,
				       rejects[CLEANCACHE_REJECT_BACKEND]));
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(puts_fops, puts_get, NULL, "%llu\n");

static int counter_get(void *data, u64 *val)
{
	*val = cleancache_sum((unsigned long)data);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(counter_fops, counter_get, NULL, "%llu\n");

static void __init cleancache_add_debugfs(void)
{
	struct dentry *root = debugfs_create_dir("cleancache", NULL);

#define COUNTER(member)	((void *)offsetof(struct cleancache_stats, member))
	debugfs_create_file("succ_gets", 0444, root, COUNTER(hits),
			    &counter_fops);
	debugfs_create_file("failed_gets", 0444, root, COUNTER(misses),
			    &counter_fops);
	debugfs_create_file("puts", 0444, root, NULL, &puts_fops);
	debugfs_create_file("invalidates", 0444, root, COUNTER(invalidates),
			    &counter_fops);
#undef COUNTER
}

static int __init cleancache_sysfs_init(void)
{
	struct kobject *tmem = tmem_kobject();
	int ret = -ENOMEM;

	if (!tmem)
		return ret;
	cleancache_kobj = kobject_create_and_add("cleancache", tmem);
	if (!cleancache_kobj)
		return ret;
	mounts_kobj = kobject_create_and_add("mounts", cleancache_kobj);
	if (!mounts_kobj)
		goto put_cleancache;
	ret = sysfs_create_group(cleancache_kobj, &cleancache_group);
	if (ret)
		goto put_mounts;
	cleancache_add_debugfs();
	return 0;

put_mounts:
	kobject_put(mounts_kobj);
put_cleancache:
	kobject_put(cleancache_kobj);
	return ret;
}
subsys_initcall(cleancache_sysfs_init);

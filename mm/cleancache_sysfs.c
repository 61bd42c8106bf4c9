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

static struct kobject *mounts_kobj;

TMEM_COUNTER(puts, cleancache_stats.puts);
TMEM_COUNTER(hits, cleancache_stats.hits);
TMEM_COUNTER(misses, cleancache_stats.misses);
TMEM_COUNTER(partial_misses, cleancache_stats.partial_misses);
TMEM_COUNTER(invalidates, cleancache_stats.invalidates);
TMEM_COUNTER(verified, cleancache_stats.verified);
TMEM_COUNTER(corrupted, cleancache_stats.corrupted);
TMEM_COUNTER(rejects_backend,
	     cleancache_stats.rejects[CLEANCACHE_REJECT_BACKEND]);
TMEM_COUNTER(rejects_disabled,
	     cleancache_stats.rejects[CLEANCACHE_REJECT_DISABLED]);
TMEM_COUNTER(rejects_draining,
	     cleancache_stats.rejects[CLEANCACHE_REJECT_DRAINING]);
TMEM_COUNTER(rejects_hibernation,
	     cleancache_stats.rejects[CLEANCACHE_REJECT_HIBERNATION]);
TMEM_COUNTER(rejects_excluded,
	     cleancache_stats.rejects[CLEANCACHE_REJECT_EXCLUDED]);
TMEM_COUNTER(rejects_encrypted,
	     cleancache_stats.rejects[CLEANCACHE_REJECT_ENCRYPTED]);
TMEM_COUNTER(rejects_mount, cleancache_stats.rejects[CLEANCACHE_REJECT_MOUNT]);
TMEM_COUNTER(rejects_file, cleancache_stats.rejects[CLEANCACHE_REJECT_FILE]);
TMEM_COUNTER(rejects_error, cleancache_stats.rejects[CLEANCACHE_REJECT_ERROR]);
TMEM_COUNTER(rejects_direct,
	     cleancache_stats.rejects[CLEANCACHE_REJECT_DIRECT]);
TMEM_COUNTER(rejects_page, cleancache_stats.rejects[CLEANCACHE_REJECT_PAGE]);
TMEM_COUNTER(rejects_admission,
	     cleancache_stats.rejects[CLEANCACHE_REJECT_ADMISSION]);
TMEM_COUNTER(rejects_memory,
	     cleancache_stats.rejects[CLEANCACHE_REJECT_MEMORY]);

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

static ssize_t enabled_show(struct kobject *kobj, struct kobj_attribute *attr,
			    char *buf)
{
	return sysfs_emit(buf, "%d\n",
			  !test_bit(CLEANCACHE_DISABLED, &cleancache_state));
}

static ssize_t enabled_store(struct kobject *kobj, struct kobj_attribute *attr,
			     const char *buf, size_t len)
{
	return tmem_set_switch(buf, len, cleancache_set_enabled);
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
	return tmem_set_switch(buf, len, cleancache_set_allow_encrypted);
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
	return tmem_set_switch(buf, len, cleancache_set_verify);
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
	if (ret)
		return ret;
	cleancache_set_excluded(to_mount(kobj), excluded);
	return len;
}

static struct kobj_attribute excluded_attr = __ATTR_RW(excluded);

static ssize_t shared_show(struct kobject *kobj, struct kobj_attribute *attr,
			   char *buf)
{
	unsigned long state = READ_ONCE(to_mount(kobj)->state);

	return sysfs_emit(buf, "%d\n",
			  test_bit(CLEANCACHE_MOUNT_SERVED, &state) &&
			  test_bit(CLEANCACHE_MOUNT_SHARED, &state));
}

static struct kobj_attribute shared_attr = __ATTR_RO(shared);

static struct attribute *mount_attrs[] = {
	&device_attr.attr,
	&encrypted_attr.attr,
	&excluded_attr.attr,
	&files_attr.attr,
	&filesystem_attr.attr,
	&mount_pages_attr.attr,
	&shared_attr.attr,
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
	*val = tmem_sum(&cleancache_stats.puts) +
	       tmem_sum(&cleancache_stats.rejects[CLEANCACHE_REJECT_BACKEND]);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(puts_fops, puts_get, NULL, "%llu\n");

static int __init cleancache_sysfs_init(void)
{
	struct dentry *dir;

	mounts_kobj = tmem_add_front_end("cleancache", &cleancache_group,
					 "mounts");
	if (!mounts_kobj)
		return -ENOMEM;
	dir = debugfs_create_dir("cleancache", NULL);
	tmem_add_debugfs(dir, "succ_gets", &cleancache_stats.hits);
	tmem_add_debugfs(dir, "failed_gets", &cleancache_stats.misses);
	tmem_add_debugfs(dir, "invalidates", &cleancache_stats.invalidates);
	debugfs_create_file("puts", 0444, dir, NULL, &puts_fops);
	return 0;
}
subsys_initcall(cleancache_sysfs_init);

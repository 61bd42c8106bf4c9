// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/kernel/mm/tmem, where the front ends have their directories, and what
 * their files have in common
 */
#include <linux/debugfs.h>
#include <linux/export.h>
#include <linux/kstrtox.h>

#include "tmem.h"

static struct kobject *tmem_kobj;

/**
 * tmem_add_front_end - make the directory of a front end in sysfs
 * @name: Its name.
 * @group: Its files.
 * @children: Name of the directory of what it serves, inside.
 *
 * Context: Initcalls, one at a time.
 * Return: The directory @children, or NULL if there is no memory.
 */
struct kobject * __init tmem_add_front_end(const char *name,
					   const struct attribute_group *group,
					   const char *children)
{
	struct kobject *front_end, *inside;

	if (!tmem_kobj)
		tmem_kobj = kobject_create_and_add("tmem", mm_kobj);
	if (!tmem_kobj)
		return NULL;
	front_end = kobject_create_and_add(name, tmem_kobj);
	if (!front_end)
		return NULL;
	inside = kobject_create_and_add(children, front_end);
	if (inside && !sysfs_create_group(front_end, group))
		return inside;
	kobject_put(inside);
	kobject_put(front_end);
	return NULL;
}

/**
 * tmem_add_backend - make the directory of a backend in sysfs
 * @name: Its name.
 *
 * Context: May sleep.
 * Return: The directory, or NULL if there is no memory.
 */
struct kobject *tmem_add_backend(const char *name)
{
	return tmem_kobj ? kobject_create_and_add(name, tmem_kobj) : NULL;
}
EXPORT_SYMBOL_GPL(tmem_add_backend);

/**
 * tmem_sum - read a counter
 * @counter: What each CPU counted.
 *
 * Context: Any.
 * Return: The sum over all CPUs.
 */
unsigned long tmem_sum(unsigned long __percpu *counter)
{
	unsigned long sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(*per_cpu_ptr(counter, cpu));
	return sum;
}

static int tmem_counter_get(void *data, u64 *val)
{
	*val = tmem_sum((__force unsigned long __percpu *)data);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(tmem_counter_fops, tmem_counter_get, NULL, "%llu\n");

/**
 * tmem_add_debugfs - make a file with a counter in debugfs
 * @dir: Its directory.
 * @name: Its name.
 * @counter: What each CPU counted.
 */
void __init tmem_add_debugfs(struct dentry *dir, const char *name,
			     unsigned long __percpu *counter)
{
	debugfs_create_file(name, 0444, dir, (__force void *)counter,
			    &tmem_counter_fops);
}

/**
 * tmem_set_switch - what the administrator wrote to a switch
 * @buf: What was written.
 * @len: Its length in bytes.
 * @set: Sets the switch. May sleep.
 *
 * Context: May sleep.
 * Return: @len, or a negative error code, and nothing has changed.
 */
ssize_t tmem_set_switch(const char *buf, size_t len, int (*set)(bool on))
{
	bool on;
	int ret;

	ret = kstrtobool(buf, &on);
	if (!ret)
		ret = set(on);
	return ret ?: len;
}

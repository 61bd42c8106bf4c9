// SPDX-License-Identifier: GPL-2.0-only
/* /sys/kernel/mm/tmem, where the front ends have their directories */
#include <linux/sysfs.h>

#include "tmem.h"

static struct kobject *tmem_kobj __initdata;

/**
 * tmem_kobject - the directory of transcendent memory in sysfs
 *
 * Context: Initcalls, one at a time.
 * Return: The directory, made by who asks first; NULL if there is no memory.
 */
struct kobject * __init tmem_kobject(void)
{
	if (!tmem_kobj)
		tmem_kobj = kobject_create_and_add("tmem", mm_kobj);
	return tmem_kobj;
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* What the two front ends of transcendent memory have in common. */
#ifndef _MM_TMEM_H
#define _MM_TMEM_H

#include <linux/cc_platform.h>
#include <linux/init.h>
#include <linux/kobject.h>
#include <linux/percpu.h>
#include <linux/sysfs.h>

struct dentry;

struct kobject * __init tmem_add_front_end(const char *name,
					   const struct attribute_group *group,
					   const char *children);
struct kobject *tmem_add_backend(const char *name);
void __init tmem_add_debugfs(struct dentry *dir, const char *name,
			     unsigned long __percpu *counter);
unsigned long tmem_sum(unsigned long __percpu *counter);
ssize_t tmem_set_switch(const char *buf, size_t len, int (*set)(bool on));

/*
 * A file in sysfs with the sum of a per-CPU counter; the attribute is called
 * _name##_attr.
 */
#define TMEM_COUNTER(_name, _counter)					\
static ssize_t _name##_show(struct kobject *kobj,			\
			    struct kobj_attribute *attr, char *buf)	\
{									\
	return sysfs_emit(buf, "%lu\n", tmem_sum(&(_counter)));		\
}									\
static struct kobj_attribute _name##_attr = __ATTR_RO(_name)

/**
 * tmem_confidential - must this kernel's memory stay inside?
 * @outside: The backend keeps pages outside of the guest.
 * @guest: CC_ATTR_GUEST_MEM_ENCRYPT holds.
 * @mem: CC_ATTR_MEM_ENCRYPT holds.
 * @host: CC_ATTR_HOST_MEM_ENCRYPT holds.
 *
 * A confidential guest trusts nothing outside. On x86 @mem alone may also mean
 * a host with SME, which protects the host's own memory and does not count;
 * elsewhere it is set in confidential guests only.
 *
 * Return: true if the backend must get nothing.
 */
static inline bool tmem_confidential(bool outside, bool guest, bool mem,
				     bool host)
{
	return outside && (guest || (mem && !host));
}

/**
 * tmem_platform_refuses - must a backend get nothing on this platform?
 * @outside: The backend keeps pages outside of the guest.
 *
 * Return: true if this is a confidential guest and the backend outside.
 */
static inline bool tmem_platform_refuses(bool outside)
{
	return tmem_confidential(outside,
				 cc_platform_has(CC_ATTR_GUEST_MEM_ENCRYPT),
				 cc_platform_has(CC_ATTR_MEM_ENCRYPT),
				 cc_platform_has(CC_ATTR_HOST_MEM_ENCRYPT));
}

/**
 * tmem_keeps_encrypted - must pages of a device stay inside?
 * @outside: The backend keeps pages outside of the guest.
 * @encrypted: The device encrypts what it stores.
 * @allowed: The administrator lets them out.
 *
 * Whoever encrypts a device does not expect its pages in clear anywhere outside,
 * unless he says so.
 *
 * Return: true if the backend must not get them.
 */
static inline bool tmem_keeps_encrypted(bool outside, bool encrypted,
					bool allowed)
{
	return outside && encrypted && !allowed;
}

#endif /* _MM_TMEM_H */

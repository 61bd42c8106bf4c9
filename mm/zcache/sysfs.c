// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the administrator sees of zcache and may set:
 * /sys/kernel/mm/tmem/zcache, with a directory for each half.
 */
#include <linux/kobject.h>
#include <linux/kstrtox.h>
#include <linux/math.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "../tmem.h"
#include "zcache.h"

static struct kobject *zcache_kobj, *anon_kobj, *file_kobj;

static struct zcache_half *half_of(struct kobject *kobj)
{
	return kobj == anon_kobj ? &zcache_anon : &zcache_file;
}

static ssize_t codec_show(struct kobject *kobj, struct kobj_attribute *attr,
			  char *buf)
{
	unsigned int i, codec = READ_ONCE(half_of(kobj)->codec);
	ssize_t len = 0;

	for (i = 0; i < NR_ZCACHE_CODECS; i++)
		len += sysfs_emit_at(buf, len, i == codec ? "%s[%s]" : "%s%s",
				     i ? " " : "", zcache_codec_names[i]);
	return len + sysfs_emit_at(buf, len, "\n");
}

static ssize_t codec_store(struct kobject *kobj, struct kobj_attribute *attr,
			   const char *buf, size_t len)
{
	int err, codec = sysfs_match_string(zcache_codec_names, buf);

	if (codec < 0)
		return codec;
	err = zcache_codec_use(codec);
	if (err)
		return err;
	WRITE_ONCE(half_of(kobj)->codec, codec);
	return len;
}

static struct kobj_attribute codec_attr = __ATTR_RW(codec);

/* Limits: of a half, or of both together */

static long *limit_of(struct kobject *kobj)
{
	return kobj == zcache_kobj ? &zcache_total : &half_of(kobj)->limit;
}

static void set_limit(struct kobject *kobj, long limit)
{
	WRITE_ONCE(*limit_of(kobj), limit);
	zcache_file.shrink();
	zcache_anon.shrink();
}

static ssize_t max_bytes_show(struct kobject *kobj, struct kobj_attribute *attr,
			      char *buf)
{
	return sysfs_emit(buf, "%llu\n",
			  (u64)zcache_limit(limit_of(kobj)) << PAGE_SHIFT);
}

/* As memparse(), but what is no number of bytes, or too many, is an error. */
static int parse_bytes(const char *buf, u64 *bytes)
{
	size_t digits = strspn(buf, "0123456789");
	unsigned int shift = 0;
	char number[24] = "";
	int err;

	if (digits >= sizeof(number))
		return -ERANGE;
	memcpy(number, buf, digits);
	err = kstrtou64(number, 10, bytes);
	if (err)
		return err;
	buf += digits;
	switch (*buf) {
	case 'G': case 'g':
		shift += 10;
		fallthrough;
	case 'M': case 'm':
		shift += 10;
		fallthrough;
	case 'K': case 'k':
		shift += 10;
		buf++;
	}
	if (!sysfs_streq(buf, ""))
		return -EINVAL;
	return check_shl_overflow(*bytes, shift, bytes) ? -ERANGE : 0;
}

static ssize_t max_bytes_store(struct kobject *kobj,
			       struct kobj_attribute *attr, const char *buf,
			       size_t len)
{
	u64 bytes;
	int err = parse_bytes(buf, &bytes);

	if (err)
		return err;
	if (bytes >> PAGE_SHIFT > totalram_pages())
		return -ERANGE;
	set_limit(kobj, bytes >> PAGE_SHIFT);
	return len;
}

static struct kobj_attribute max_bytes_attr = __ATTR_RW(max_bytes);

static ssize_t max_percent_show(struct kobject *kobj,
				struct kobj_attribute *attr, char *buf)
{
	long limit = READ_ONCE(*limit_of(kobj));

	return sysfs_emit(buf, "%lu\n", limit < 0 ? -limit :
			  mult_frac(100UL, limit, totalram_pages()));
}

static ssize_t max_percent_store(struct kobject *kobj,
				 struct kobj_attribute *attr, const char *buf,
				 size_t len)
{
	unsigned int percent;
	int err = kstrtouint(buf, 0, &percent);

	if (err)
		return err;
	if (percent > 100)
		return -ERANGE;
	set_limit(kobj, ZCACHE_PERCENT(percent));
	return len;
}

static struct kobj_attribute max_percent_attr = __ATTR_RW(max_percent);

static ssize_t frames_show(struct kobject *kobj, struct kobj_attribute *attr,
			   char *buf)
{
	if (kobj == zcache_kobj)
		return sysfs_emit(buf, "%lu\n",
				  zcache_anon.frames() + zcache_file.frames());
	return sysfs_emit(buf, "%lu\n", half_of(kobj)->frames());
}

static struct kobj_attribute frames_attr = __ATTR_RO(frames);

/* What becomes of anonymous pages that do not compress */

static const char *const incompressible_names[] = { "disk", "raw", NULL };

static ssize_t incompressible_show(struct kobject *kobj,
				   struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, READ_ONCE(zcache_anon_raw) ?
			  "disk [raw]\n" : "[disk] raw\n");
}

static ssize_t incompressible_store(struct kobject *kobj,
				    struct kobj_attribute *attr,
				    const char *buf, size_t len)
{
	int raw = sysfs_match_string(incompressible_names, buf);

	if (raw < 0)
		return raw;
	WRITE_ONCE(zcache_anon_raw, raw);
	return len;
}

static struct kobj_attribute incompressible_attr = __ATTR_RW(incompressible);

#define ZCACHE_COUNT(_name, _count)					\
static ssize_t _name##_show(struct kobject *kobj,			\
			    struct kobj_attribute *attr, char *buf)	\
{									\
	return sysfs_emit(buf, "%lu\n",					\
			  zcache_sum(half_of(kobj), _count));		\
}									\
static struct kobj_attribute _name##_attr = __ATTR_RO(_name)

ZCACHE_COUNT(stores, ZCACHE_STORES);
ZCACHE_COUNT(loads, ZCACHE_LOADS);
ZCACHE_COUNT(pages, ZCACHE_PAGES);
ZCACHE_COUNT(bytes, ZCACHE_BYTES);
ZCACHE_COUNT(same_filled, ZCACHE_SAME_FILLED);
ZCACHE_COUNT(raw, ZCACHE_RAW);
ZCACHE_COUNT(rejects_size, ZCACHE_REJECT_SIZE);
ZCACHE_COUNT(rejects_limit, ZCACHE_REJECT_LIMIT);
ZCACHE_COUNT(rejects_memory, ZCACHE_REJECT_MEMORY);
ZCACHE_COUNT(evicted, ZCACHE_EVICTED);

static struct attribute *half_attrs[] = {
	&codec_attr.attr,
	&max_bytes_attr.attr,
	&max_percent_attr.attr,
	&frames_attr.attr,
	&stores_attr.attr,
	&loads_attr.attr,
	&pages_attr.attr,
	&bytes_attr.attr,
	&same_filled_attr.attr,
	&raw_attr.attr,
	&rejects_size_attr.attr,
	&rejects_limit_attr.attr,
	&rejects_memory_attr.attr,
	&evicted_attr.attr,
	NULL
};

ATTRIBUTE_GROUPS(half);

static struct attribute *total_attrs[] = {
	&max_bytes_attr.attr,
	&max_percent_attr.attr,
	&frames_attr.attr,
	NULL
};
ATTRIBUTE_GROUPS(total);

/**
 * zcache_sysfs_init - show what there is
 *
 * Context: May sleep.
 * Return: 0 or a negative error code.
 */
int zcache_sysfs_init(void)
{
	int err = -ENOMEM;

	zcache_kobj = tmem_add_backend("zcache");
	if (!zcache_kobj)
		return -ENOMEM;
	anon_kobj = kobject_create_and_add("anon", zcache_kobj);
	file_kobj = kobject_create_and_add("file", zcache_kobj);
	if (anon_kobj && file_kobj)
		err = sysfs_create_groups(anon_kobj, half_groups);
	if (!err)
		err = sysfs_create_groups(file_kobj, half_groups);
	if (!err)
		err = sysfs_create_groups(zcache_kobj, total_groups);
	if (!err)
		err = sysfs_create_file(anon_kobj, &incompressible_attr.attr);
	if (err)
		zcache_sysfs_exit();
	return err;
}

/**
 * zcache_sysfs_exit - show it no more
 *
 * Context: May sleep. Waits for who reads or writes a file.
 */
void zcache_sysfs_exit(void)
{
	kobject_put(file_kobj);
	kobject_put(anon_kobj);
	kobject_put(zcache_kobj);
}

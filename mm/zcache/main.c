// SPDX-License-Identifier: GPL-2.0-only
/*
 * zcache: parameters, loading and unloading.
 */
#define pr_fmt(fmt) "zcache: " fmt

#include <linux/init.h>
#include <linux/kstrtox.h>
#include <linux/math.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/string.h>

#include "zcache.h"

DEFINE_PER_CPU(struct zcache_counts, zcache_anon_counts);
DEFINE_PER_CPU(struct zcache_counts, zcache_file_counts);

/**
 * zcache_sum - what all CPUs have counted
 * @half: The half.
 * @count: What.
 *
 * Context: Any.
 * Return: the sum, which others may be changing.
 */
unsigned long zcache_sum(const struct zcache_half *half,
			 enum zcache_count count)
{
	unsigned long sum = 0;
	unsigned int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(half->counts, cpu)->of[count]);
	return (long)sum > 0 ? sum : 0;
}

long zcache_total;

/**
 * zcache_limit - what a limit is now
 * @limit: The limit.
 *
 * Context: Any.
 * Return: in page frames.
 */
unsigned long zcache_limit(const long *limit)
{
	long value = READ_ONCE(*limit);

	return value < 0 ? totalram_pages() * -value / 100 : value;
}

/*
 * Parameters, of the module or on the command line of the kernel. Those without a
 * file are where they begin: sysfs.c has what changes.
 */

static bool zcache_frontswap = true;
module_param_named(frontswap, zcache_frontswap, bool, 0444);
MODULE_PARM_DESC(frontswap, "keep pages of swap");

static bool zcache_cleancache = true;
module_param_named(cleancache, zcache_cleancache, bool, 0444);
MODULE_PARM_DESC(cleancache, "keep clean pages of files");

static char *zcache_anon_codec = "lz4";
module_param_named(anon_codec, zcache_anon_codec, charp, 0);
MODULE_PARM_DESC(anon_codec, "for pages of swap: none, lz4, lzo-rle or zstd");

static char *zcache_file_codec = "lz4";
module_param_named(file_codec, zcache_file_codec, charp, 0);
MODULE_PARM_DESC(file_codec, "the same for clean pages of files");

static unsigned int zcache_max_percent = 40;
module_param_named(max_percent, zcache_max_percent, uint, 0);
MODULE_PARM_DESC(max_percent, "of memory, for everything");

static unsigned int zcache_anon_max_percent = 20;
module_param_named(anon_max_percent, zcache_anon_max_percent, uint, 0);
MODULE_PARM_DESC(anon_max_percent, "of memory, for pages of swap");

static unsigned int zcache_file_max_percent = 20;
module_param_named(file_max_percent, zcache_file_max_percent, uint, 0);
MODULE_PARM_DESC(file_max_percent, "of memory, for clean pages of files");

#ifdef MODULE
#define zcache_off	false
#else
static bool zcache_off;

static int __init zcache_setup(char *value)
{
	bool on;

	if (kstrtobool(value, &on))
		pr_err("zcache=%s: on or off is meant\n", value);
	else
		zcache_off = !on;
	return 0;
}
early_param("zcache", zcache_setup);
#endif

static int __init zcache_configure_limit(const char *name, unsigned int percent,
					 long *limit)
{
	if (percent > 100) {
		pr_err("%s=%u: 0 to 100 is meant\n", name, percent);
		return -EINVAL;
	}
	*limit = ZCACHE_PERCENT(percent);
	return 0;
}

static int __init zcache_configure_codec(const char *name, const char *codec,
					 struct zcache_half *half)
{
	int found = match_string(zcache_codec_names, -1, codec);

	if (found < 0) {
		pr_err("%s=%s: none, lz4, lzo-rle or zstd is meant\n", name,
		       codec);
		return -EINVAL;
	}
	half->codec = found;
	return zcache_codec_use(found);
}

static int __init zcache_configure(void)
{
	int err = zcache_configure_limit("max_percent", zcache_max_percent,
					 &zcache_total);

	if (!err)
		err = zcache_configure_limit("anon_max_percent",
					     zcache_anon_max_percent,
					     &zcache_anon.limit);
	if (!err)
		err = zcache_configure_limit("file_max_percent",
					     zcache_file_max_percent,
					     &zcache_file.limit);
	if (!err)
		err = zcache_configure_codec("anon_codec", zcache_anon_codec,
					     &zcache_anon);
	if (!err)
		err = zcache_configure_codec("file_codec", zcache_file_codec,
					     &zcache_file);
	return err;
}

static int __init zcache_start(void)
{
	int err = zcache_sysfs_init();

	if (err)
		return err;
	if (zcache_frontswap)
		err = zcache_anon_start();
	if (err)
		goto exit_sysfs;
	if (zcache_cleancache)
		err = zcache_file_start();
	if (!err)
		return 0;
	if (zcache_frontswap)
		zcache_anon_stop();
exit_sysfs:
	zcache_sysfs_exit();
	return err;
}

/* Both halves are there before one of them serves anybody: each asks the other. */
static int __init zcache_init(void)
{
	int err;

	if (zcache_off)
		return 0;
	err = zcache_codec_init();
	if (err)
		return err;
	err = zcache_configure();
	if (!err)
		err = zcache_anon_init();
	if (err)
		goto exit_codec;
	err = zcache_file_init();
	if (err)
		goto exit_anon;
	err = zcache_start();
	if (!err)
		return 0;
	zcache_file_exit();
exit_anon:
	zcache_anon_exit();
exit_codec:
	zcache_codec_exit();
	pr_err("not in use: error %d\n", err);
	return err;
}
module_init(zcache_init);

/* Only of a module */
static void __exit zcache_exit(void)
{
	if (zcache_cleancache)
		zcache_file_stop();
	if (zcache_frontswap)
		zcache_anon_stop();
	zcache_sysfs_exit();
	zcache_file_exit();
	zcache_anon_exit();
	zcache_codec_exit();
}
module_exit(zcache_exit);

MODULE_DESCRIPTION("Compressed memory behind frontswap and cleancache");
MODULE_LICENSE("GPL");

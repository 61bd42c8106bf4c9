// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tests of cleancache: what it remembers and decides. For what it does with
 * the page cache see cleancache_kunit_pagecache.c.
 */
#include <kunit/test.h>

#include <linux/fs.h>
#include <linux/pagemap.h>
#include <linux/slab.h>

#include "cleancache_kunit.h"

/* What is remembered of a file's pages */

struct object_test {
	struct address_space mapping;
	struct cleancache_mount *mount;
	struct cleancache_object *object;
};

static void test_mount_release(struct kobject *kobj)
{
	kfree(container_of(kobj, struct cleancache_mount, kobj));
}

static const struct kobj_type test_mount_ktype = {
	.release = test_mount_release,
};

/* A mount of no filesystem */
struct cleancache_mount *cleancache_test_mount(struct kunit *test)
{
	struct cleancache_mount *mount = kzalloc(sizeof(*mount), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, mount);
	kobject_init(&mount->kobj, &test_mount_ktype);
	spin_lock_init(&mount->lock);
	INIT_LIST_HEAD(&mount->objects);
	return mount;
}

/* The store has taken these pages. */
void cleancache_test_hold(struct kunit *test, struct cleancache_object *object,
			  pgoff_t index, unsigned int nr)
{
	DECLARE_BITMAP(held, CLEANCACHE_CHUNK_PAGES);

	bitmap_fill(held, CLEANCACHE_CHUNK_PAGES);
	KUNIT_ASSERT_TRUE(test, cleancache_claim(object, index, nr));
	cleancache_settle(object, index, nr, held);
}

static int object_test_init(struct kunit *test)
{
	struct object_test *ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, ctx);
	ctx->mount = cleancache_test_mount(test);
	ctx->object = cleancache_object_make(&ctx->mapping, ctx->mount);
	KUNIT_ASSERT_NOT_NULL(test, ctx->object);
	test->priv = ctx;
	return 0;
}

static void object_test_exit(struct kunit *test)
{
	struct object_test *ctx = test->priv;

	if (!ctx)
		return;
	cleancache_object_kill(ctx->object, /*tell=*/true);
	cleancache_object_put(ctx->object);
	kobject_put(&ctx->mount->kobj);
}

static void hold(struct kunit *test, pgoff_t index, unsigned int nr)
{
	struct object_test *ctx = test->priv;

	cleancache_test_hold(test, ctx->object, index, nr);
}

static long pages(struct kunit *test)
{
	struct object_test *ctx = test->priv;

	return atomic_long_read(&ctx->mount->nr_pages);
}

static void object_is_found_by_its_file(struct kunit *test)
{
	struct object_test *ctx = test->priv;
	struct address_space *other = kunit_kzalloc(test, sizeof(*other),
						    GFP_KERNEL);
	struct cleancache_object *found;

	KUNIT_ASSERT_NOT_NULL(test, other);
	found = cleancache_object_find(&ctx->mapping);
	KUNIT_EXPECT_PTR_EQ(test, found, ctx->object);
	if (found)
		cleancache_object_put(found);
	KUNIT_EXPECT_NULL(test, cleancache_object_find(other));
	KUNIT_EXPECT_TRUE(test, test_bit(AS_CLEANCACHE, &ctx->mapping.flags));
}

/* An id that comes back would bring back another file's pages. */
static void object_has_an_id_of_its_own(struct kunit *test)
{
	struct object_test *ctx = test->priv;
	u64 id = ctx->object->id;

	cleancache_object_kill(ctx->object, /*tell=*/true);
	cleancache_object_put(ctx->object);
	KUNIT_EXPECT_NULL(test, cleancache_object_find(&ctx->mapping));
	ctx->object = cleancache_object_make(&ctx->mapping, ctx->mount);
	KUNIT_ASSERT_NOT_NULL(test, ctx->object);
	KUNIT_EXPECT_GT(test, ctx->object->id, id);
}

static void object_remembers_pages(struct kunit *test)
{
	struct object_test *ctx = test->priv;

	hold(test, 0, 1);
	hold(test, 8, 4);
	hold(test, 10 * CLEANCACHE_CHUNK_PAGES, 512);
	KUNIT_EXPECT_EQ(test, pages(test), 517);
	KUNIT_EXPECT_EQ(test, cleancache_held(ctx->object, 0, 1), 1);
	KUNIT_EXPECT_EQ(test, cleancache_held(ctx->object, 1, 1), 0);
	KUNIT_EXPECT_EQ(test, cleancache_held(ctx->object, 8, 8), 4);
	hold(test, 8, 4);
	KUNIT_EXPECT_EQ(test, pages(test), 517);
	KUNIT_EXPECT_EQ(test, cleancache_release(ctx->object, 8, 8), 4);
	KUNIT_EXPECT_EQ(test, cleancache_held(ctx->object, 8, 8), 0);
	KUNIT_EXPECT_EQ(test, pages(test), 513);
}

static void object_keeps_what_was_taken(struct kunit *test)
{
	struct object_test *ctx = test->priv;
	unsigned long held = 0x5;

	hold(test, 16, 4);
	KUNIT_ASSERT_TRUE(test, cleancache_claim(ctx->object, 16, 4));
	cleancache_settle(ctx->object, 16, 4, &held);
	KUNIT_EXPECT_EQ(test, cleancache_held(ctx->object, 16, 1), 1);
	KUNIT_EXPECT_EQ(test, cleancache_held(ctx->object, 17, 1), 0);
	KUNIT_EXPECT_EQ(test, cleancache_held(ctx->object, 18, 1), 1);
	KUNIT_EXPECT_EQ(test, cleancache_held(ctx->object, 19, 1), 0);
	KUNIT_EXPECT_EQ(test, pages(test), 2);
}

/* A page that is forgotten while the backend gets it must not be seen again. */
static void object_forgets_during_a_put(struct kunit *test)
{
	struct object_test *ctx = test->priv;
	unsigned long held = 0xf, told;

	KUNIT_ASSERT_TRUE(test, cleancache_claim(ctx->object, 4, 4));
	cleancache_forget(ctx->object, 5, 6);
	told = tmem_sum(&cleancache_stats.invalidates);
	cleancache_settle(ctx->object, 4, 4, &held);
	/* The backend may have got it only then, and has to be told again. */
	KUNIT_EXPECT_EQ(test, tmem_sum(&cleancache_stats.invalidates) - told, 2);
	KUNIT_EXPECT_EQ(test, cleancache_held(ctx->object, 4, 1), 1);
	KUNIT_EXPECT_EQ(test, cleancache_held(ctx->object, 5, 2), 0);
	KUNIT_EXPECT_EQ(test, cleancache_held(ctx->object, 7, 1), 1);
	KUNIT_EXPECT_EQ(test, pages(test), 2);
}

static void object_takes_nothing_when_dead(struct kunit *test)
{
	struct object_test *ctx = test->priv;
	unsigned long held = 1;

	KUNIT_ASSERT_TRUE(test, cleancache_claim(ctx->object, 4, 1));
	cleancache_object_kill(ctx->object, /*tell=*/true);
	cleancache_settle(ctx->object, 4, 1, &held);
	KUNIT_EXPECT_EQ(test, cleancache_held(ctx->object, 4, 1), 0);
	KUNIT_EXPECT_FALSE(test, cleancache_claim(ctx->object, 4, 1));
	KUNIT_EXPECT_EQ(test, pages(test), 0);
}

static void object_forgets_ranges(struct kunit *test)
{
	struct object_test *ctx = test->priv;
	pgoff_t far = 1000 * CLEANCACHE_CHUNK_PAGES;

	hold(test, 0, 64);
	hold(test, CLEANCACHE_CHUNK_PAGES, 64);
	hold(test, far, 64);
	cleancache_forget(ctx->object, 10, 19);
	KUNIT_EXPECT_EQ(test, pages(test), 182);
	KUNIT_EXPECT_EQ(test, cleancache_held(ctx->object, 0, 64), 54);
	cleancache_forget(ctx->object, 63, CLEANCACHE_CHUNK_PAGES);
	KUNIT_EXPECT_EQ(test, pages(test), 180);
	cleancache_forget(ctx->object, CLEANCACHE_CHUNK_PAGES + 60, far + 3);
	KUNIT_EXPECT_EQ(test, pages(test), 172);
	cleancache_forget(ctx->object, 20, (pgoff_t)-1);
	KUNIT_EXPECT_EQ(test, pages(test), 10);
	cleancache_forget(ctx->object, 0, (pgoff_t)-1);
	KUNIT_EXPECT_EQ(test, pages(test), 0);
}

static void object_knows_what_was_seen(struct kunit *test)
{
	struct object_test *ctx = test->priv;

	KUNIT_EXPECT_FALSE(test, cleancache_seen(ctx->object, 8, 4));
	KUNIT_EXPECT_TRUE(test, cleancache_seen(ctx->object, 8, 4));
	KUNIT_EXPECT_FALSE(test, cleancache_seen(ctx->object, 8, 8));
	/* Forgotten for want of room: still seen. Changed: another page. */
	cleancache_forget(ctx->object, 8, 15);
	KUNIT_EXPECT_TRUE(test, cleancache_seen(ctx->object, 8, 8));
	cleancache_unsee(ctx->object, 9, 9);
	KUNIT_EXPECT_TRUE(test, cleancache_seen(ctx->object, 8, 1));
	KUNIT_EXPECT_FALSE(test, cleancache_seen(ctx->object, 9, 1));
	KUNIT_EXPECT_EQ(test, pages(test), 0);
}

static struct kunit_case object_cases[] = {
	KUNIT_CASE(object_is_found_by_its_file),
	KUNIT_CASE(object_has_an_id_of_its_own),
	KUNIT_CASE(object_remembers_pages),
	KUNIT_CASE(object_keeps_what_was_taken),
	KUNIT_CASE(object_forgets_during_a_put),
	KUNIT_CASE(object_takes_nothing_when_dead),
	KUNIT_CASE(object_forgets_ranges),
	KUNIT_CASE(object_knows_what_was_seen),
	{}
};

static struct kunit_suite object_suite = {
	.name = "cleancache_object",
	.init = object_test_init,
	.exit = object_test_exit,
	.test_cases = object_cases,
};

/* Who may be put */

static void policy_each_reason(struct kunit *test)
{
	unsigned long served = BIT(CLEANCACHE_MOUNT_SERVED);
	unsigned long draining = BIT(CLEANCACHE_MOUNT_DRAINING);
	unsigned long excluded = BIT(CLEANCACHE_MOUNT_EXCLUDED);

	KUNIT_EXPECT_EQ(test, cleancache_policy(0, 0, served),
			CLEANCACHE_ACCEPT);
	KUNIT_EXPECT_EQ(test, cleancache_policy(0, 0, 0),
			CLEANCACHE_REJECT_MOUNT);
	KUNIT_EXPECT_EQ(test, cleancache_policy(0, 0, draining),
			CLEANCACHE_REJECT_DRAINING);
	KUNIT_EXPECT_EQ(test, cleancache_policy(0, 0, served | excluded),
			CLEANCACHE_REJECT_EXCLUDED);
	KUNIT_EXPECT_EQ(test, cleancache_policy(0, BIT(CLEANCACHE_DISABLED),
						served),
			CLEANCACHE_REJECT_DISABLED);
	KUNIT_EXPECT_EQ(test, cleancache_policy(0, BIT(CLEANCACHE_HIBERNATING),
						served),
			CLEANCACHE_REJECT_HIBERNATION);
}

static void policy_encrypted_mount(struct kunit *test)
{
	unsigned long mount = BIT(CLEANCACHE_MOUNT_SERVED) |
			      BIT(CLEANCACHE_MOUNT_ENCRYPTED);
	unsigned long allow = BIT(CLEANCACHE_ALLOW_ENCRYPTED);

	KUNIT_EXPECT_EQ(test, cleancache_policy(CLEANCACHE_OUTSIDE, 0, mount),
			CLEANCACHE_REJECT_ENCRYPTED);
	KUNIT_EXPECT_EQ(test, cleancache_policy(CLEANCACHE_OUTSIDE, allow,
						mount),
			CLEANCACHE_ACCEPT);
	KUNIT_EXPECT_EQ(test, cleancache_policy(0, 0, mount),
			CLEANCACHE_ACCEPT);
}

static struct kunit_case policy_cases[] = {
	KUNIT_CASE(policy_each_reason),
	KUNIT_CASE(policy_encrypted_mount),
	{}
};

static struct kunit_suite policy_suite = {
	.name = "cleancache_policy",
	.test_cases = policy_cases,
};

kunit_test_suites(&object_suite, &policy_suite);

MODULE_DESCRIPTION("KUnit tests of cleancache");
MODULE_LICENSE("GPL");

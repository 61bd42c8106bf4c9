// SPDX-License-Identifier: GPL-2.0-only
/* Unit tests of the tmem driver: how much memory a guest should have */
#include <kunit/test.h>

#include "tmem.h"

#define MB(nr)	((unsigned long)(nr) << (20 - PAGE_SHIFT))

/* Needs 40 + 20 + 10 MB. */
static const struct tmem_need usual = {
	.committed = MB(40), .kernel = MB(20), .reserve = MB(10),
	.floor = MB(64), .ceiling = MB(128),
};

static void goal_is_what_is_needed(struct kunit *test)
{
	struct tmem_need need = usual;

	KUNIT_EXPECT_EQ(test, xen_tmem_goal(&need), MB(70));
	need.committed++;
	KUNIT_EXPECT_EQ(test, xen_tmem_goal(&need), MB(70) + 1);
	need.kernel++;
	KUNIT_EXPECT_EQ(test, xen_tmem_goal(&need), MB(70) + 2);
	need.reserve++;
	KUNIT_EXPECT_EQ(test, xen_tmem_goal(&need), MB(70) + 3);
}

static void goal_has_bounds(struct kunit *test)
{
	struct tmem_need need = usual;

	need.committed = 0;
	KUNIT_EXPECT_EQ(test, xen_tmem_goal(&need), MB(64));
	need.committed = MB(1000000);
	KUNIT_EXPECT_EQ(test, xen_tmem_goal(&need), MB(128));
	/* The toolstack knows better than the administrator of the guest. */
	need.ceiling = MB(32);
	KUNIT_EXPECT_EQ(test, xen_tmem_goal(&need), MB(32));
	need.committed = 0;
	KUNIT_EXPECT_EQ(test, xen_tmem_goal(&need), MB(32));
}

static void step_goes_a_part_of_the_way(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, xen_tmem_step(1000, 1000, 8, 4), 1000);
	KUNIT_EXPECT_EQ(test, xen_tmem_step(1000, 200, 8, 4), 900);
	KUNIT_EXPECT_EQ(test, xen_tmem_step(1000, 1800, 8, 4), 1200);
	KUNIT_EXPECT_EQ(test, xen_tmem_step(1000, 200, 1, 1), 200);
	KUNIT_EXPECT_EQ(test, xen_tmem_step(1000, 1800, 1, 1), 1800);
	KUNIT_EXPECT_EQ(test, xen_tmem_step(1000, 999, 1000, 1000), 999);
	KUNIT_EXPECT_EQ(test, xen_tmem_step(1000, 1001, 1000, 1000), 1001);
}

/* However small the steps are, none is too many. */
static void step_arrives(struct kunit *test)
{
	static const unsigned long goals[] = { 0, 1, 4095, 4096, 4097, 70000 };
	static const unsigned int parts[] = { 1, 2, 8, 20, 1000 };
	unsigned long now, next;
	unsigned int g, p;

	for (g = 0; g < ARRAY_SIZE(goals); g++) {
		for (p = 0; p < ARRAY_SIZE(parts); p++) {
			now = 4096;
			while (now != goals[g]) {
				next = xen_tmem_step(now, goals[g], parts[p],
						     parts[p]);
				KUNIT_ASSERT_NE(test, next, now);
				KUNIT_ASSERT_EQ(test, next > now, goals[g] > now);
				KUNIT_ASSERT_LE(test, next, max(now, goals[g]));
				KUNIT_ASSERT_GE(test, next, min(now, goals[g]));
				now = next;
			}
		}
	}
}

static void floor_grows_with_the_guest(struct kunit *test)
{
	unsigned long most, before = 0;

	KUNIT_EXPECT_EQ(test, xen_tmem_floor(0), 0);
	KUNIT_EXPECT_EQ(test, xen_tmem_floor(MB(64)), MB(32));
	KUNIT_EXPECT_EQ(test, xen_tmem_floor(MB(128)), MB(64));
	KUNIT_EXPECT_EQ(test, xen_tmem_floor(MB(160)), MB(66));
	KUNIT_EXPECT_EQ(test, xen_tmem_floor(MB(1024)), MB(120));
	for (most = MB(1); most < MB(65536); most += MB(17)) {
		KUNIT_EXPECT_GE(test, xen_tmem_floor(most), before);
		KUNIT_EXPECT_LE(test, xen_tmem_floor(most), most / 2);
		before = xen_tmem_floor(most);
	}
}

static void quiet_takes_its_time(struct kunit *test)
{
	struct tmem_quiet quiet = { };

	/* What was swapped out before anybody looked is swapping, too. */
	KUNIT_EXPECT_FALSE(test, xen_tmem_quiet(&quiet, 100, 3));
	KUNIT_EXPECT_FALSE(test, xen_tmem_quiet(&quiet, 100, 3));
	KUNIT_EXPECT_FALSE(test, xen_tmem_quiet(&quiet, 100, 3));
	KUNIT_EXPECT_TRUE(test, xen_tmem_quiet(&quiet, 100, 3));
	KUNIT_EXPECT_TRUE(test, xen_tmem_quiet(&quiet, 100, 3));
	KUNIT_EXPECT_FALSE(test, xen_tmem_quiet(&quiet, 101, 3));
	KUNIT_EXPECT_FALSE(test, xen_tmem_quiet(&quiet, 101, 3));
	/* It has been told to wait for less, and then for more. */
	KUNIT_EXPECT_TRUE(test, xen_tmem_quiet(&quiet, 101, 2));
	KUNIT_EXPECT_FALSE(test, xen_tmem_quiet(&quiet, 101, 4));
	KUNIT_EXPECT_TRUE(test, xen_tmem_quiet(&quiet, 101, 4));
	KUNIT_EXPECT_TRUE(test, xen_tmem_quiet(&quiet, 102, 0));
}

static struct kunit_case tmem_xen_goal_cases[] = {
	KUNIT_CASE(goal_is_what_is_needed),
	KUNIT_CASE(goal_has_bounds),
	KUNIT_CASE(step_goes_a_part_of_the_way),
	KUNIT_CASE(step_arrives),
	KUNIT_CASE(floor_grows_with_the_guest),
	KUNIT_CASE(quiet_takes_its_time),
	{}
};

static struct kunit_suite tmem_xen_goal_suite = {
	.name = "tmem_xen_goal",
	.test_cases = tmem_xen_goal_cases,
};

kunit_test_suite(tmem_xen_goal_suite);

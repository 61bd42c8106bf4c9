// SPDX-License-Identifier: GPL-2.0-only
/* Unit tests of frontswap: what needs no swapping. */
#include <kunit/test.h>

#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/swap.h>
#include <linux/swapops.h>

#include "frontswap.h"
#include "tmem.h"

/* The residency map */

static int map_test_init(struct kunit *test)
{
	struct frontswap_map *map = kunit_kzalloc(test, sizeof(*map), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, map);
	frontswap_map_init(map, 20 * FRONTSWAP_CHUNK_SLOTS);
	test->priv = map;
	return 0;
}

static void map_test_exit(struct kunit *test)
{
	frontswap_map_destroy(test->priv);
}

static void map_is_free_until_used(struct kunit *test)
{
	struct frontswap_map *map = test->priv;

	KUNIT_EXPECT_EQ(test, frontswap_map_test(map, 5, 3), FRONTSWAP_ABSENT);
	KUNIT_EXPECT_EQ(test, frontswap_map_next(map, 0, 1000), 1000);
	KUNIT_EXPECT_EQ(test, frontswap_map_clear_run(map, 7, 9), 0);
	KUNIT_EXPECT_NULL(test, map->chunks);

	KUNIT_ASSERT_EQ(test, frontswap_map_alloc(map), 0);
	KUNIT_EXPECT_EQ(test, frontswap_map_test(map, 5, 3), FRONTSWAP_ABSENT);
	KUNIT_EXPECT_NULL(test, map->chunks[0]);
	KUNIT_EXPECT_EQ(test, map->nr_spares, FRONTSWAP_SPARES);
}

/* Never more than one bit per slot, whatever is allocated and spare */
static void map_small_area_has_few_spares(struct kunit *test)
{
	struct frontswap_map *map = test->priv;

	map->nr_chunks = 2;
	KUNIT_ASSERT_EQ(test, frontswap_map_alloc(map), 0);
	KUNIT_EXPECT_EQ(test, map->nr_spares, 2);
}

static void map_counts_new_pages(struct kunit *test)
{
	struct frontswap_map *map = test->priv;

	KUNIT_ASSERT_EQ(test, frontswap_map_alloc(map), 0);
	KUNIT_ASSERT_EQ(test, frontswap_map_reserve(map, 8, 4), 0);
	KUNIT_EXPECT_EQ(test, frontswap_map_set(map, 8, 4), 4);
	KUNIT_EXPECT_EQ(test, frontswap_map_set(map, 6 + 4, 4), 2);
	KUNIT_EXPECT_EQ(test, frontswap_map_next(map, 0, 100), 8);
	KUNIT_EXPECT_EQ(test, frontswap_map_clear_run(map, 9, 100), 5);
	KUNIT_EXPECT_EQ(test, frontswap_map_clear_run(map, 9, 100), 0);
	KUNIT_EXPECT_EQ(test, frontswap_map_next(map, 9, 100), 100);
}

static void map_tells_mixed_ranges(struct kunit *test)
{
	struct frontswap_map *map = test->priv;

	KUNIT_ASSERT_EQ(test, frontswap_map_alloc(map), 0);
	KUNIT_ASSERT_EQ(test, frontswap_map_reserve(map, 16, 16), 0);
	frontswap_map_set(map, 16, 16);
	KUNIT_EXPECT_EQ(test, frontswap_map_test(map, 16, 16),
			FRONTSWAP_RESIDENT);
	KUNIT_EXPECT_EQ(test, frontswap_map_test(map, 15, 2), FRONTSWAP_MIXED);
	KUNIT_EXPECT_EQ(test, frontswap_map_test(map, 31, 2), FRONTSWAP_MIXED);
	KUNIT_EXPECT_EQ(test, frontswap_map_test(map, 32, 2), FRONTSWAP_ABSENT);
	frontswap_map_clear_run(map, 20, 21);
	KUNIT_EXPECT_EQ(test, frontswap_map_test(map, 16, 16), FRONTSWAP_MIXED);
	KUNIT_EXPECT_EQ(test, frontswap_map_test(map, 16, 4),
			FRONTSWAP_RESIDENT);
}

/* A range over the end of a chunk, whose second chunk may not exist */
static void map_crosses_chunks(struct kunit *test)
{
	struct frontswap_map *map = test->priv;
	pgoff_t end = FRONTSWAP_CHUNK_SLOTS;

	KUNIT_ASSERT_EQ(test, frontswap_map_alloc(map), 0);
	KUNIT_ASSERT_EQ(test, frontswap_map_reserve(map, end - 2, 2), 0);
	frontswap_map_set(map, end - 2, 2);
	KUNIT_EXPECT_EQ(test, frontswap_map_test(map, end - 2, 4),
			FRONTSWAP_MIXED);
	KUNIT_ASSERT_EQ(test, frontswap_map_reserve(map, end - 2, 4), 0);
	KUNIT_EXPECT_EQ(test, frontswap_map_set(map, end - 2, 4), 2);
	KUNIT_EXPECT_EQ(test, frontswap_map_test(map, end - 2, 4),
			FRONTSWAP_RESIDENT);
	KUNIT_EXPECT_EQ(test, frontswap_map_clear_run(map, end - 1, end + 9),
			3);
	KUNIT_ASSERT_EQ(test, frontswap_map_reserve(map, 5 * end - 2, 4), 0);
	KUNIT_EXPECT_EQ(test, frontswap_map_set(map, 5 * end - 2, 4), 4);
	KUNIT_EXPECT_EQ(test, frontswap_map_clear_run(map, 5 * end - 2, 6 * end),
			4);
	/* Holes of whole chunks are skipped. */
	KUNIT_ASSERT_EQ(test, frontswap_map_reserve(map, 9 * end + 3, 1), 0);
	frontswap_map_set(map, 9 * end + 3, 1);
	KUNIT_EXPECT_EQ(test, frontswap_map_next(map, end - 1, 20 * end),
			9 * end + 3);
}

static struct kunit_case frontswap_map_cases[] = {
	KUNIT_CASE(map_is_free_until_used),
	KUNIT_CASE(map_small_area_has_few_spares),
	KUNIT_CASE(map_counts_new_pages),
	KUNIT_CASE(map_tells_mixed_ranges),
	KUNIT_CASE(map_crosses_chunks),
	{}
};

static struct kunit_suite frontswap_map_suite = {
	.name = "frontswap_map",
	.init = map_test_init,
	.exit = map_test_exit,
	.test_cases = frontswap_map_cases,
};

/* What may be offered */

static void policy_accepts(struct kunit *test)
{
	unsigned long area = BIT(FRONTSWAP_AREA_SERVED);

	KUNIT_EXPECT_EQ(test, frontswap_policy(0, 0, area), FRONTSWAP_ACCEPT);
	KUNIT_EXPECT_EQ(test, frontswap_policy(FRONTSWAP_FLAGS, 0, area),
			FRONTSWAP_ACCEPT);
}

static void policy_names_the_reason(struct kunit *test)
{
	unsigned long area = BIT(FRONTSWAP_AREA_SERVED);

	KUNIT_EXPECT_EQ(test, frontswap_policy(0, 0, 0), FRONTSWAP_REJECT_AREA);
	KUNIT_EXPECT_EQ(test,
			frontswap_policy(0, BIT(FRONTSWAP_DISABLED), area),
			FRONTSWAP_REJECT_DISABLED);
	KUNIT_EXPECT_EQ(test, frontswap_policy(0, BIT(FRONTSWAP_LEAVING), area),
			FRONTSWAP_REJECT_DRAINING);
	KUNIT_EXPECT_EQ(test,
			frontswap_policy(0, 0, area |
					 BIT(FRONTSWAP_AREA_DRAINING)),
			FRONTSWAP_REJECT_DRAINING);
	KUNIT_EXPECT_EQ(test,
			frontswap_policy(0, 0, area |
					 BIT(FRONTSWAP_AREA_EXCLUDED)),
			FRONTSWAP_REJECT_EXCLUDED);
}

static void policy_hibernation(struct kunit *test)
{
	unsigned long area = BIT(FRONTSWAP_AREA_SERVED);
	unsigned long state = BIT(FRONTSWAP_HIBERNATING);

	KUNIT_EXPECT_EQ(test, frontswap_policy(FRONTSWAP_VOLATILE, state, area),
			FRONTSWAP_REJECT_HIBERNATION);
	KUNIT_EXPECT_EQ(test, frontswap_policy(FRONTSWAP_OUTSIDE, state, area),
			FRONTSWAP_ACCEPT);
	/* Who asks for it is about to lose the store, whatever it is. */
	state = BIT(FRONTSWAP_SUSPENDED);
	KUNIT_EXPECT_EQ(test, frontswap_policy(0, state, area),
			FRONTSWAP_REJECT_HIBERNATION);
}

static void policy_encrypted_area(struct kunit *test)
{
	unsigned long area = BIT(FRONTSWAP_AREA_SERVED) |
			     BIT(FRONTSWAP_AREA_ENCRYPTED);
	unsigned long allow = BIT(FRONTSWAP_ALLOW_ENCRYPTED);

	KUNIT_EXPECT_EQ(test, frontswap_policy(FRONTSWAP_OUTSIDE, 0, area),
			FRONTSWAP_REJECT_ENCRYPTED);
	KUNIT_EXPECT_EQ(test, frontswap_policy(FRONTSWAP_OUTSIDE, allow, area),
			FRONTSWAP_ACCEPT);
	KUNIT_EXPECT_EQ(test, frontswap_policy(0, 0, area), FRONTSWAP_ACCEPT);
}

static void policy_confidential_guest(struct kunit *test)
{
	/* guest, mem, host as of TDX or SEV, SME on bare metal, Arm CCA */
	KUNIT_EXPECT_TRUE(test, tmem_confidential(true, true, true, false));
	KUNIT_EXPECT_FALSE(test, tmem_confidential(true, false, true, true));
	KUNIT_EXPECT_TRUE(test, tmem_confidential(true, false, true, false));
	KUNIT_EXPECT_FALSE(test, tmem_confidential(true, false, false, false));
	KUNIT_EXPECT_FALSE(test, tmem_confidential(false, true, true, false));
}

static void policy_place_of_zswap(struct kunit *test)
{
	unsigned long through = BIT(FRONTSWAP_AREA_THROUGH);

	KUNIT_EXPECT_FALSE(test, frontswap_goes_first(0, 0));
	KUNIT_EXPECT_TRUE(test,
			  frontswap_goes_first(FRONTSWAP_BEFORE_ZSWAP, 0));
	KUNIT_EXPECT_FALSE(test, frontswap_goes_first(FRONTSWAP_BEFORE_ZSWAP,
						      through));
}

static struct kunit_case frontswap_policy_cases[] = {
	KUNIT_CASE(policy_accepts),
	KUNIT_CASE(policy_names_the_reason),
	KUNIT_CASE(policy_hibernation),
	KUNIT_CASE(policy_encrypted_area),
	KUNIT_CASE(policy_confidential_guest),
	KUNIT_CASE(policy_place_of_zswap),
	{}
};

static struct kunit_suite frontswap_policy_suite = {
	.name = "frontswap_policy",
	.test_cases = frontswap_policy_cases,
};

/* Who may register; no swap area is on when this runs at boot. */

static int dummy_init(unsigned int type, unsigned long nr_slots,
		      bool writethrough)
{
	return 0;
}

static int dummy_store(unsigned int type, pgoff_t offset, struct folio *folio)
{
	return -ENOSPC;
}

static int dummy_load(unsigned int type, pgoff_t offset, struct folio *folio,
		      bool exclusive)
{
	return -ENOENT;
}

static void dummy_invalidate(unsigned int type, pgoff_t offset, unsigned int nr)
{
}

static void dummy_invalidate_area(unsigned int type)
{
}

static const struct frontswap_ops dummy_ops = {
	.name = "kunit",
	.init = dummy_init,
	.store = dummy_store,
	.load = dummy_load,
	.invalidate = dummy_invalidate,
	.invalidate_area = dummy_invalidate_area,
};

static void register_one_at_a_time(struct kunit *test)
{
	struct frontswap_ops second = dummy_ops;

	if (frontswap_backend)
		kunit_skip(test, "a backend is registered");
	KUNIT_ASSERT_EQ(test, frontswap_register_ops(&dummy_ops), 0);
	KUNIT_EXPECT_TRUE(test, frontswap_active());
	KUNIT_EXPECT_EQ(test, frontswap_register_ops(&second), -EBUSY);
	KUNIT_EXPECT_PTR_EQ(test, frontswap_backend, &dummy_ops);
	frontswap_unregister_ops(&dummy_ops);
	KUNIT_EXPECT_NULL(test, frontswap_backend);
	KUNIT_EXPECT_FALSE(test, frontswap_active());
	KUNIT_ASSERT_EQ(test, frontswap_register_ops(&second), 0);
	frontswap_unregister_ops(&second);
}

static void register_only_complete(struct kunit *test)
{
	struct frontswap_ops ops = dummy_ops;

	ops.load = NULL;
	KUNIT_EXPECT_EQ(test, frontswap_register_ops(&ops), -EINVAL);
	ops = dummy_ops;
	ops.flags = ~0;
	KUNIT_EXPECT_EQ(test, frontswap_register_ops(&ops), -EINVAL);
	ops = dummy_ops;
	ops.name = NULL;
	KUNIT_EXPECT_EQ(test, frontswap_register_ops(&ops), -EINVAL);
}

static void suspended_while_asked(struct kunit *test)
{
	if (frontswap_backend)
		kunit_skip(test, "a backend is registered");
	KUNIT_EXPECT_EQ(test, frontswap_suspend(0), 0);
	KUNIT_EXPECT_TRUE(test, test_bit(FRONTSWAP_SUSPENDED, &frontswap_state));
	frontswap_resume();
	KUNIT_EXPECT_FALSE(test,
			   test_bit(FRONTSWAP_SUSPENDED, &frontswap_state));
}

static void area_unknown(struct kunit *test)
{
	swp_entry_t entry = swp_entry(MAX_SWAPFILES, 1);

	KUNIT_EXPECT_EQ(test, frontswap_shrink(MAX_SWAPFILES, 1), -ENODEV);
	KUNIT_EXPECT_EQ(test, frontswap_writeback(&entry, 1), 0);
}

static struct kunit_case frontswap_register_cases[] = {
	KUNIT_CASE(register_one_at_a_time),
	KUNIT_CASE(register_only_complete),
	KUNIT_CASE(suspended_while_asked),
	KUNIT_CASE(area_unknown),
	{}
};

static struct kunit_suite frontswap_register_suite = {
	.name = "frontswap_register",
	.test_cases = frontswap_register_cases,
};

kunit_test_suites(&frontswap_map_suite, &frontswap_policy_suite,
		  &frontswap_register_suite);

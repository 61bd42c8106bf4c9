// SPDX-License-Identifier: GPL-2.0-only
/*
 * Domains that compete for the host's memory: how much of it each of them has in the
 * end.
 */
#include "scene.h"

/* That are left for tmem: many more than one put evicts */
#define SHARED_PAGES	2000

static void shares_begin(struct tmem_test *test, struct scene *a, struct scene *b)
{
	TMEM_EXPECT(test, xen_begin(test, ALL));
	guest_begin(a, test, 1, EPHEMERAL);
	if (b)
		guest_begin(b, test, 2, EPHEMERAL);
	host_used += total_pages - total_pages / 128 - SHARED_PAGES;
}

static void shares_end(struct tmem_test *test, struct scene *a, struct scene *b)
{
	host_used -= total_pages - total_pages / 128 - SHARED_PAGES;
	guest_end(a);
	guest_end(b);
	xen_end(test);
}

/* In turns, of one some at a time, until nothing is left of what was there before */
static void compete(struct scene *a, struct scene *b, unsigned int at_a_time)
{
	static uint32_t turn;
	unsigned int i, k;

	for (i = 0; i < 2 * SHARED_PAGES; i++, turn++) {
		for (k = 0; k < at_a_time; k++)
			TMEM_EXPECT(a->test, put(a, k, turn, turn) == 1);
		TMEM_EXPECT(b->test, put(b, 1, turn, turn) == 1);
	}
}

static void expect_share(struct scene *scene, unsigned long pages)
{
	unsigned long has = usage_of(scene).ephemeral_pages;

	TMEM_EXPECT(scene->test, has * 10 >= pages * 9 && has * 10 <= pages * 11);
}

/* Weights are changed while they compete. */
void test_shares(struct tmem_test *test)
{
	static const struct {
		uint32_t a, b;
		unsigned long pages_of_a;
	} cases[] = {
		{ 1, 1, 1000 }, { 1, 3, 500 }, { 3, 1, 1500 }, { 0, 7, 0 },
		{ 65535, 65535, 1000 },
	};
	struct scene a, b;
	unsigned int i;

	shares_begin(test, &a, &b);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		TMEM_EXPECT(test, set_client(&a, ENABLED, cases[i].a, 0) == 0);
		TMEM_EXPECT(test, set_client(&b, ENABLED, cases[i].b, 0) == 0);
		compete(&a, &b, 1 + i % 2);
		if (cases[i].pages_of_a)
			expect_share(&a, cases[i].pages_of_a);
		else
			TMEM_EXPECT(test, usage_of(&a).ephemeral_pages < 40);
		expect_share(&b, SHARED_PAGES - cases[i].pages_of_a);
	}
	shares_end(test, &a, &b);
}

/* It has its share as soon as it has put as many pages. */
void test_share_of_a_late_domain(struct tmem_test *test)
{
	struct scene a, late;

	shares_begin(test, &a, NULL);
	TMEM_EXPECT(test, set_client(&a, ENABLED, 10, 0) == 0);
	put_many(&a, 1, SHARED_PAGES);
	expect_share(&a, SHARED_PAGES);
	guest_begin(&late, test, 2, 0);
	TMEM_EXPECT(test, set_client(&late, ENABLED, 30, 0) == 0);
	late.pool = new_pool(&late, EPHEMERAL);
	put_many(&late, 1, SHARED_PAGES * 3 / 4);
	expect_share(&late, SHARED_PAGES * 3 / 4);
	expect_share(&a, SHARED_PAGES / 4);
	shares_end(test, &a, &late);
}

/* It keeps what it has of its share, and its pages. */
void test_share_of_the_frozen(struct tmem_test *test)
{
	unsigned int i, got = 0;
	struct scene a, frozen;

	shares_begin(test, &a, &frozen);
	put_many(&frozen, 1, SHARED_PAGES);
	TMEM_EXPECT(test, control(&frozen, XEN_SYSCTL_TMEM_OP_FREEZE) == 0);
	for (i = 0; i < 3; i++)
		put_many(&a, i, SHARED_PAGES);
	expect_share(&frozen, SHARED_PAGES / 2);
	TMEM_EXPECT(test, put(&frozen, 2, 0, 5) == -EFROZEN);
	for (i = 0; i < SHARED_PAGES; i++) {
		uint64_t page = get(&frozen, 1, i);

		TMEM_EXPECT(test, page == 0 || page == i + 1);
		got += !!page;
	}
	TMEM_EXPECT(test, got >= SHARED_PAGES * 9 / 20);
	TMEM_EXPECT(test, !usage_of(&frozen).ephemeral_pages);
	shares_end(test, &a, &frozen);
}

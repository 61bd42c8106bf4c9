// SPDX-License-Identifier: GPL-2.0-only
/*
 * TMEM_BATCH: what it does, and what a guest can do to it.
 */
#include "scene.h"

static struct scene *tampered;

void test_batch_in_order(struct tmem_test *test)
{
	struct scene scene;
	int i;

	scene_begin(&scene, test, PERSISTENT);
	tmem_test_identify(content(&scene, 1), 11);
	tmem_test_identify(content(&scene, 2), 22);
	set_entry(&scene, 0, TMEM_GET_PAGE, 1, 0);
	scene.gfn = 1;
	set_entry(&scene, 1, TMEM_PUT_PAGE, 1, 0);
	scene.gfn = 2;
	set_entry(&scene, 2, TMEM_PUT_PAGE, 1, 0);
	scene.gfn = 3;
	set_entry(&scene, 3, TMEM_GET_PAGE, 1, 0);
	set_entry(&scene, 4, TMEM_FLUSH_PAGE, 1, 0);
	set_entry(&scene, 5, TMEM_GET_PAGE, 1, 0);
	set_entry(&scene, 6, TMEM_PUT_PAGE, 1, 0);
	set_entry(&scene, 7, TMEM_PUT_PAGE, 1, 1);
	TMEM_EXPECT(test, batch(&scene, 7) == 0);
	for (i = 0; i < 7; i++)
		TMEM_EXPECT(test, entry(&scene, i)->status ==
			    (i == 0 || i == 5 ? -EEMPTY : 1));
	TMEM_EXPECT(test, entry(&scene, 7)->status == 12345);
	TMEM_EXPECT(test, tmem_test_is(content(&scene, 3), 22));
	TMEM_EXPECT(test, usage_of(&scene).persistent_pages == 1);
	TMEM_EXPECT(test, batch(&scene, 0) == 0);
	scene_end(&scene);
}

/* Each status is what the operation alone would have returned. */
void test_batch_of_bad_entries(struct tmem_test *test)
{
	static const uint32_t cmds[] = {
		0, TMEM_NEW_POOL, TMEM_DESTROY_POOL, 3, TMEM_FLUSH_OBJECT,
		TMEM_FEATURES, TMEM_BATCH, TMEM_FLUSH_RANGE, TMEM_POOL_PAGES, 55,
		TMEM_AUTH, ~0u,
	};
	struct scene scene;
	unsigned int i;

	scene_begin(&scene, test, EPHEMERAL);
	put_many(&scene, 1, 1);
	for (i = 0; i < ARRAY_SIZE(cmds); i++)
		set_entry(&scene, i, cmds[i], 1, 0);
	set_entry(&scene, i, TMEM_FLUSH_PAGE, 1, 5);
	scene.gfn = XEN_FRAMES;
	set_entry(&scene, i + 1, TMEM_GET_PAGE, 1, 0);
	set_entry(&scene, i + 2, TMEM_PUT_PAGE, 1, 1);
	scene.gfn = ~0ull;
	set_entry(&scene, i + 3, TMEM_PUT_PAGE, 1, 1);
	scene.gfn = 0;
	scene.pool = 16;
	set_entry(&scene, i + 4, TMEM_PUT_PAGE, 1, 1);
	scene.pool = -1;
	set_entry(&scene, i + 5, TMEM_GET_PAGE, 1, 1);
	scene.pool = 1;
	set_entry(&scene, i + 6, TMEM_FLUSH_PAGE, 1, 1);
	scene.pool = 0;
	set_entry(&scene, i + 7, TMEM_GET_PAGE, 1, 0);
	TMEM_EXPECT(test, batch(&scene, i + 8) == 0);
	for (i = 0; i < ARRAY_SIZE(cmds); i++)
		TMEM_EXPECT(test, entry(&scene, i)->status == -ENOSYS);
	TMEM_EXPECT(test, entry(&scene, i++)->status == 1);
	TMEM_EXPECT(test, entry(&scene, i++)->status == -EFAULT);
	TMEM_EXPECT(test, entry(&scene, i++)->status == -EFAULT);
	TMEM_EXPECT(test, entry(&scene, i++)->status == -EFAULT);
	TMEM_EXPECT(test, entry(&scene, i++)->status == -ENODEV);
	TMEM_EXPECT(test, entry(&scene, i++)->status == -ENODEV);
	TMEM_EXPECT(test, entry(&scene, i++)->status == -ENODEV);
	TMEM_EXPECT(test, entry(&scene, i++)->status == 1);
	TMEM_EXPECT(test, tmem_test_is(content(&scene, 0), 1));
	scene_end(&scene);
}

/* Commands that are none are -ENOSYS there as well. */
void test_batch_without_a_pool(struct tmem_test *test)
{
	struct scene scene;

	scene_begin(&scene, test, 0);
	set_entry(&scene, 0, TMEM_PUT_PAGE, 1, 0);
	set_entry(&scene, 1, TMEM_GET_PAGE, 1, 0);
	set_entry(&scene, 2, TMEM_FLUSH_PAGE, 1, 0);
	set_entry(&scene, 3, TMEM_FLUSH_OBJECT, 1, 0);
	TMEM_EXPECT(test, batch(&scene, 4) == 0);
	TMEM_EXPECT(test, entry(&scene, 0)->status == -ENODEV);
	TMEM_EXPECT(test, entry(&scene, 1)->status == -ENODEV);
	TMEM_EXPECT(test, entry(&scene, 2)->status == -ENODEV);
	TMEM_EXPECT(test, entry(&scene, 3)->status == -ENOSYS);
	TMEM_EXPECT(test, !scene.d->tmem);
	scene_end(&scene);
}

void test_batch_in_mixed_pools(struct tmem_test *test)
{
	unsigned int i, good = 0;
	struct scene scene;

	scene_begin(&scene, test, EPHEMERAL);
	TMEM_EXPECT(test, new_pool(&scene, PERSISTENT) == 1);
	for (i = 0; i < 60; i++) {
		scene.pool = i % 3;
		scene.gfn = i;
		tmem_test_identify(content(&scene, i), i + 1);
		set_entry(&scene, i, TMEM_PUT_PAGE, 1, i / 3);
	}
	TMEM_EXPECT(test, batch(&scene, 60) == 0);
	for (i = 0; i < 60; i++) {
		tmem_test_identify(content(&scene, i), 0);
		good += entry(&scene, i)->status == (i % 3 == 2 ? -ENODEV : 1);
		entry(&scene, i)->cmd = TMEM_GET_PAGE;
	}
	TMEM_EXPECT(test, batch(&scene, 60) == 0);
	for (i = 0; i < 60; i++)
		good += tmem_test_is(content(&scene, i), i % 3 == 2 ? 0 : i + 1);
	TMEM_EXPECT(test, good == 120);
	TMEM_EXPECT(test, usage_of(&scene).ephemeral_pages == 0);
	TMEM_EXPECT(test, usage_of(&scene).persistent_pages == 20);
	scene_end(&scene);
}

void test_batch_of_too_many(struct tmem_test *test)
{
	struct tmem_op op = { .cmd = TMEM_BATCH };
	struct scene scene;
	unsigned int i, k;

	scene_begin(&scene, test, PERSISTENT);
	for (i = 0; i < TMEM_BATCH_MAX; i++)
		set_entry(&scene, i, TMEM_PUT_PAGE, i % 7, i);
	TMEM_EXPECT(test, batch(&scene, TMEM_BATCH_MAX + 1) == -E2BIG);
	TMEM_EXPECT(test, batch(&scene, ~0u) == -E2BIG);
	TMEM_EXPECT(test, batch(&scene, 1u << 31) == -E2BIG);
	TMEM_EXPECT(test, usage_of(&scene).persistent_pages == 0);
	TMEM_EXPECT(test, entry(&scene, 0)->status == 12345);
	TMEM_EXPECT(test, batch(&scene, TMEM_BATCH_MAX) == 0);
	for (i = k = 0; i < TMEM_BATCH_MAX; i++)
		k += entry(&scene, i)->status == 1;
	TMEM_EXPECT(test, k == TMEM_BATCH_MAX);
	/* Something is said to be done already. */
	op.u.batch.entries = ENTRIES_AT;
	op.u.batch.nr = 10;
	for (i = 0; i < 13; i++) {
		op.u.batch.done = i < 11 ? i : i < 12 ? TMEM_BATCH_MAX : ~0u;
		entry(&scene, 9)->status = 12345;
		TMEM_EXPECT(test, call(&scene, &op) == 0);
		TMEM_EXPECT(test, entry(&scene, 9)->status ==
			    (i < 10 ? 1 : 12345));
	}
	scene_end(&scene);
}

/* Entries that begin or end where there is no memory, or are not writable */
void test_batch_nowhere(struct tmem_test *test)
{
	static const uint64_t nowhere[] = {
		0, GUEST_BASE - 48, GUEST_BASE + XEN_MEMORY, ~0ull, ~0ull - 47,
		~0ull - 48 * 512, 1ull << 63,
	};
	const unsigned int size = sizeof(struct tmem_batch_entry);
	struct tmem_op op = { .cmd = TMEM_BATCH };
	struct scene scene;
	unsigned int i;

	scene_begin(&scene, test, PERSISTENT);
	op.u.batch.nr = TMEM_BATCH_MAX;
	for (i = 0; i < ARRAY_SIZE(nowhere); i++) {
		op.u.batch.entries = nowhere[i];
		TMEM_EXPECT(test, call(&scene, &op) == -EFAULT);
	}
	TMEM_EXPECT(test, usage_of(&scene).persistent_pages == 0);
	for (i = 0; i < 2; i++)
		set_entry(&scene, i, TMEM_PUT_PAGE, 1, i);
	memcpy(scene.d->memory + XEN_MEMORY - 2 * size, entry(&scene, 0), 2 * size);
	for (i = 0; i < 2 * size + 2; i++) {
		op.u.batch.entries = GUEST_BASE + XEN_MEMORY - 2 * size + i;
		TMEM_EXPECT(test, call(&scene, &op) == -EFAULT);
	}
	/* The first two were good. */
	TMEM_EXPECT(test, usage_of(&scene).persistent_pages == 2);
	op.u.batch.nr = 2;
	op.u.batch.entries = GUEST_BASE + XEN_MEMORY - 2 * size;
	TMEM_EXPECT(test, call(&scene, &op) == 0);
	/* The status of the second cannot be written: in all its bytes, and not in some. */
	for (i = 0; i < 5; i++) {
		scene.d->read_only = XEN_MEMORY - size + 4 + i;
		TMEM_EXPECT(test, call(&scene, &op) == (i < 4 ? -EFAULT : 0));
	}
	scene_end(&scene);
}

/* What has been done cannot be written down; pages are there, and good. */
void test_batch_that_cannot_continue(struct tmem_test *test)
{
	unsigned long every = host_yield_every;
	struct scene scene;
	unsigned int i;

	scene_begin(&scene, test, PERSISTENT);
	host_yield_every = 1;
	tmem_test_identify(content(&scene, 0), 77);
	for (i = 0; i < 5; i++)
		set_entry(&scene, i, TMEM_PUT_PAGE, 1, i);
	scene.d->read_only = 12;
	TMEM_EXPECT(test, batch(&scene, 5) == -EFAULT);
	scene.d->read_only = XEN_MEMORY;
	host_yield_every = 0;
	TMEM_EXPECT(test, usage_of(&scene).persistent_pages == 1);
	TMEM_EXPECT(test, get(&scene, 1, 0) == 77);
	scene_end(&scene);
	host_yield_every = every;
}

void test_batch_continued_after_each_entry(struct tmem_test *test)
{
	unsigned long every = host_yield_every;
	unsigned int i, good = 0;
	struct scene scene;

	scene_begin(&scene, test, PERSISTENT);
	for (i = 0; i < TMEM_BATCH_MAX; i++) {
		scene.gfn = i % XEN_FRAMES;
		tmem_test_identify(content(&scene, scene.gfn), scene.gfn + 1);
		set_entry(&scene, i, TMEM_PUT_PAGE, i, 0);
	}
	host_yield_every = 1;
	host_continued = 0;
	TMEM_EXPECT(test, batch(&scene, TMEM_BATCH_MAX) == 0);
	TMEM_EXPECT(test, host_continued == TMEM_BATCH_MAX - 1);
	for (i = 0; i < TMEM_BATCH_MAX; i++)
		good += entry(&scene, i)->status == 1 &&
			get(&scene, i, 0) == i % XEN_FRAMES + 1;
	TMEM_EXPECT(test, good == TMEM_BATCH_MAX);
	scene_end(&scene);
	host_yield_every = every;
}

static void tamper(void)
{
	struct tmem_op *op = (struct tmem_op *)tampered->d->memory;

	switch (host_continued % 5) {
	case 0:
		op->u.batch.done = 0;
		break;
	case 1:
		op->u.batch.nr = host_continued < 50 ? TMEM_BATCH_MAX : 1;
		break;
	case 2:
		op->u.batch.done = ~0u;
		op->u.batch.nr = host_continued < 50 ? 0 : TMEM_BATCH_MAX + 1;
		break;
	case 3:
		op->u.batch.entries += 24;
		break;
	case 4:
		op->cmd = host_continued < 70 ? TMEM_FLUSH_OBJECT : TMEM_DESTROY_POOL;
		break;
	}
}

/* It may do nothing useful then, but ends, and harms nobody. */
void test_batch_tampered_with(struct tmem_test *test)
{
	unsigned long every = host_yield_every;
	unsigned int i, round;
	struct scene scene;

	scene_begin(&scene, test, PERSISTENT);
	tampered = &scene;
	host_on_continue = tamper;
	host_yield_every = 1;
	for (round = 0; round < 100; round++) {
		for (i = 0; i < 20; i++)
			set_entry(&scene, i, TMEM_PUT_PAGE, i, round);
		host_continued = round;
		batch(&scene, 20);
	}
	host_on_continue = NULL;
	host_yield_every = every;
	scene_end(&scene);
}

static void take_tmem(void)
{
	struct domain *d = tampered->d;

	/* As a soft reset does, with the domain paused */
	while (tmem_soft_reset(d))
		;
}

/* A domain is reset while its batch is to be continued. */
void test_batch_without_tmem_any_more(struct tmem_test *test)
{
	unsigned long every = host_yield_every;
	struct scene scene;
	unsigned int i;

	scene_begin(&scene, test, PERSISTENT);
	tampered = &scene;
	host_yield_every = 1;
	host_on_continue = take_tmem;
	for (i = 0; i < 3; i++)
		set_entry(&scene, i, TMEM_PUT_PAGE, i, 0);
	TMEM_EXPECT(test, batch(&scene, 3) == 0);
	TMEM_EXPECT(test, entry(&scene, 0)->status == 1);
	TMEM_EXPECT(test, entry(&scene, 2)->status == -ENODEV);
	host_on_continue = NULL;
	host_yield_every = every;
	TMEM_EXPECT(test, new_pool(&scene, PERSISTENT) == 0);
	TMEM_EXPECT(test, get(&scene, 0, 0) == 0);
	scene_end(&scene);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Long operations: no more than 64 pages without a look at what else the processor has
 * to do, and right however often they are continued.
 */
#include "scene.h"

#define PAGES	3000

static unsigned long seed;

static bool always(void)
{
	return true;
}

static bool never(void)
{
	return false;
}

static bool sometimes(void)
{
	seed = seed * 6364136223846793005ul + 1442695040888963407ul;
	return seed >> 62 == 0;
}

static bool (*const preempting[])(void) = { never, always, sometimes };

/* In one object, or each in one of its own: all stripes have some then. */
static void fill(struct scene *scene, bool one)
{
	uint32_t i;

	host_preempts = never;
	for (i = 0; i < PAGES; i++)
		TMEM_EXPECT(scene->test, put(scene, one ? 1 : i, one ? i : 0,
					     i + 1) == 1);
}

static void begin_work(unsigned int how)
{
	host_preempts = preempting[how];
	host_continued = 0;
	host_work_begin();
}

/* @least: so often it is continued if there is always something else to do. */
static void end_work(struct tmem_test *test, unsigned int how, unsigned long least)
{
	host_preempts = never;
	TMEM_EXPECT(test, host_work_most() > 0);
	TMEM_EXPECT(test, host_work_most() <= TMEM_CHUNK);
	if (how == 0)
		TMEM_EXPECT(test, host_continued == 0);
	if (how == 1)
		TMEM_EXPECT(test, host_continued >= least);
}

void test_64_pages_flush_object(struct tmem_test *test)
{
	struct scene scene;
	unsigned int how;

	for (how = 0; how < ARRAY_SIZE(preempting); how++) {
		scene_begin(&scene, test, how % 2 ? PERSISTENT : EPHEMERAL);
		fill(&scene, true);
		TMEM_EXPECT(test, put(&scene, 2, 0, 5) == 1);
		begin_work(how);
		TMEM_EXPECT(test, page_op(&scene, TMEM_FLUSH_OBJECT, 1, 0) == 1);
		end_work(test, how, PAGES / TMEM_CHUNK - 1);
		TMEM_EXPECT(test, get(&scene, 1, PAGES / 2) == 0);
		TMEM_EXPECT(test, host_used == 1);
		TMEM_EXPECT(test, get(&scene, 2, 0) == 5);
		scene_end(&scene);
	}
}

void test_64_pages_flush_range(struct tmem_test *test)
{
	struct scene scene;
	unsigned int how;

	for (how = 0; how < ARRAY_SIZE(preempting); how++) {
		scene_begin(&scene, test, how % 2 ? PERSISTENT : EPHEMERAL);
		fill(&scene, true);
		begin_work(how);
		TMEM_EXPECT(test, flush_range(&scene, 1, 10, PAGES - 20) == 1);
		end_work(test, how, PAGES / TMEM_CHUNK - 2);
		TMEM_EXPECT(test, host_used == 20);
		TMEM_EXPECT(test, get(&scene, 1, 10) == 0);
		TMEM_EXPECT(test, get(&scene, 1, 9) == 10);
		TMEM_EXPECT(test, get(&scene, 1, PAGES - 10) == PAGES - 9);
		scene_end(&scene);
	}
}

/* @one: one large object, or many small ones */
static void destroy_pool(struct tmem_test *test, unsigned int how, bool one)
{
	struct scene scene;

	scene_begin(&scene, test, PERSISTENT);
	fill(&scene, one);
	begin_work(how);
	TMEM_EXPECT(test, pool_op(&scene, TMEM_DESTROY_POOL, 0) == 1);
	end_work(test, how, PAGES / TMEM_CHUNK - 1);
	TMEM_EXPECT(test, host_used == 0);
	TMEM_EXPECT(test, scene.d->tmem_pages == 0);
	TMEM_EXPECT(test, new_pool(&scene, EPHEMERAL) == 0);
	scene_end(&scene);
}

void test_64_pages_destroy_pool(struct tmem_test *test)
{
	unsigned int how;

	for (how = 0; how < 2 * ARRAY_SIZE(preempting); how++)
		destroy_pool(test, how / 2, how % 2);
}

static void teardown(struct tmem_test *test, unsigned int how, bool one)
{
	unsigned long restarts;
	struct scene scene;
	unsigned int i;

	scene_begin(&scene, test, 0);
	for (i = 0; i < 3; i++) {
		scene.pool = new_pool(&scene, i % 2 ? PERSISTENT : EPHEMERAL);
		fill(&scene, one);
	}
	begin_work(how);
	restarts = scene_end(&scene);
	host_continued = restarts;
	end_work(test, how, 3 * (PAGES / TMEM_CHUNK - 1));
}

/* With each step restarted; its end checks that nothing is left. */
void test_64_pages_teardown(struct tmem_test *test)
{
	unsigned int how;

	for (how = 0; how < 2 * ARRAY_SIZE(preempting); how++)
		teardown(test, how / 2, how % 2);
}

void test_64_pages_batch(struct tmem_test *test)
{
	static const uint32_t cmds[] = {
		TMEM_PUT_PAGE, TMEM_PUT_PAGE, TMEM_GET_PAGE, TMEM_FLUSH_PAGE,
	};
	struct scene scene;
	unsigned int how, i, k;

	for (how = 0; how < ARRAY_SIZE(preempting); how++) {
		scene_begin(&scene, test, PERSISTENT);
		for (k = 0; k < ARRAY_SIZE(cmds); k++) {
			for (i = 0; i < TMEM_BATCH_MAX; i++)
				set_entry(&scene, i, cmds[k], 1, i);
			begin_work(how);
			TMEM_EXPECT(test, batch(&scene, TMEM_BATCH_MAX) == 0);
			end_work(test, how, TMEM_BATCH_MAX - 1);
			for (i = 0; i < TMEM_BATCH_MAX; i++)
				TMEM_EXPECT(test, entry(&scene, i)->status == 1);
		}
		TMEM_EXPECT(test, host_used == 0);
		scene_end(&scene);
	}
}

static struct scene *other;

/* Between two parts of a long operation the guest's other vCPUs go on. */
static void meanwhile(void)
{
	struct vcpu v = other->v;
	struct tmem_op op;
	uint8_t saved[56];

	memcpy(saved, other->d->memory, sizeof(saved));
	op = (struct tmem_op){ .cmd = TMEM_PUT_PAGE, .pool_id = other->pool };
	op.u.gen.oid.oid[0] = 7;
	op.u.gen.index = host_continued;
	memcpy(other->d->memory, &op, sizeof(op));
	TMEM_EXPECT(other->test, guest_call(&v, OP_AT) == 1);
	memcpy(other->d->memory, saved, sizeof(saved));
}

static bool once_in_a_while(void)
{
	return sometimes() && host_continued < 40;
}

void test_others_go_on_between(struct tmem_test *test)
{
	struct scene scene;

	scene_begin(&scene, test, PERSISTENT);
	fill(&scene, true);
	other = &scene;
	host_preempts = once_in_a_while;
	host_continued = 0;
	host_on_continue = meanwhile;
	TMEM_EXPECT(test, page_op(&scene, TMEM_FLUSH_OBJECT, 1, 0) == 1);
	host_on_continue = NULL;
	TMEM_EXPECT(test, host_continued > 0);
	/* What they have put into another object is there. */
	TMEM_EXPECT(test, host_used == (long)host_continued);
	scene_end(&scene);
}

static long results[2];

static void use_it(void)
{
	struct scene again = *other;
	uint8_t saved[56];

	memcpy(saved, other->d->memory, sizeof(saved));
	host_preempts = never;
	results[0] |= page_op(&again, TMEM_GET_PAGE, 1, 0) != -ENODEV;
	results[0] |= page_op(&again, TMEM_PUT_PAGE, 1, 0) != -ENODEV;
	/* Its id is not free before it is gone. */
	results[1] = new_pool(&again, EPHEMERAL);
	results[0] |= results[1] == other->pool;
	pool_op(&again, TMEM_DESTROY_POOL, results[1]);
	host_preempts = always;
	memcpy(other->d->memory, saved, sizeof(saved));
}

/* From the first part on there is no such pool. */
void test_pool_half_destroyed(struct tmem_test *test)
{
	struct scene scene;

	scene_begin(&scene, test, PERSISTENT);
	fill(&scene, true);
	other = &scene;
	results[0] = 0;
	host_preempts = always;
	host_continued = 0;
	host_on_continue = use_it;
	TMEM_EXPECT(test, pool_op(&scene, TMEM_DESTROY_POOL, 0) == 1);
	host_on_continue = NULL;
	host_preempts = never;
	TMEM_EXPECT(test, host_continued > 10);
	TMEM_EXPECT(test, !results[0]);
	TMEM_EXPECT(test, results[1] == 1);
	scene_end(&scene);
}

static void die(void)
{
	other->d->is_dying = true;
}

/* A domain dies while an operation is to be continued. */
void test_dying_between(struct tmem_test *test)
{
	struct scene scene;

	scene_begin(&scene, test, PERSISTENT);
	fill(&scene, true);
	other = &scene;
	host_preempts = always;
	host_on_continue = die;
	TMEM_EXPECT(test, page_op(&scene, TMEM_FLUSH_OBJECT, 1, 0) == -ENODEV);
	host_on_continue = NULL;
	scene_end(&scene);
}

/* All of the host is taken, and what tmem gives back is not enough. */
static void nothing_helps(struct scene *scene)
{
	host_used += total_pages;
	host_work_begin();
	TMEM_EXPECT(scene->test, put(scene, 2, 0, 5) == -ENOMEM);
	end_work(scene->test, 0, 0);
	begin_work(1);
	TMEM_EXPECT(scene->test, batch(scene, 3) == 0);
	TMEM_EXPECT(scene->test, entry(scene, 2)->status == -ENOMEM);
	end_work(scene->test, 1, 2);
	host_used -= total_pages;
}

static void lose_memory(void)
{
	host_no_memory = true;
}

static unsigned int allocations;

static void lose_memory_later(void)
{
	if (!--allocations)
		host_no_memory = true;
	else
		host_on_alloc = lose_memory_later;
}

/* All but the pool itself is there, at the second attempt. */
static void pool_alone_fails(struct tmem_test *test)
{
	struct scene late;

	guest_begin(&late, test, 2, 0);
	allocations = 7;
	host_on_alloc = lose_memory_later;
	host_fail_at(1);
	begin_work(0);
	TMEM_EXPECT(test, new_pool(&late, EPHEMERAL) == -ENOMEM);
	TMEM_EXPECT(test, host_no_memory && late.d->tmem);
	end_work(test, 0, 0);
	guest_end(&late);
}

/* One that is refused when memory is short evicts, and has no look meanwhile. */
void test_evictions_of_a_put(struct tmem_test *test)
{
	struct scene scene;
	unsigned int i;

	scene_begin(&scene, test, EPHEMERAL);
	fill(&scene, true);
	for (i = 0; i < 3; i++)
		set_entry(&scene, i, TMEM_PUT_PAGE, 2, i);
	nothing_helps(&scene);
	pool_alone_fails(test);
	begin_work(0);
	TMEM_EXPECT(test, put(&scene, 2, 0, 5) == -ENOMEM);
	end_work(test, 0, 0);
	/* There is a page, but not what the engine needs for it. */
	host_no_memory = false;
	host_on_copy = lose_memory;
	begin_work(0);
	TMEM_EXPECT(test, put(&scene, 2, 0, 5) == -ENOMEM);
	TMEM_EXPECT(test, host_no_memory);
	end_work(test, 0, 0);
	host_no_memory = false;
	scene_end(&scene);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * What becomes of what the administrator asks for.
 */
#include "scene.h"

#define ALL_CLIENTS XEN_SYSCTL_TMEM_OP_ALL_CLIENTS

/* What was said before is true of the first pool, and other domains are as before. */
void test_control_before_the_first_pool(struct tmem_test *test)
{
	struct scene scene, other;

	TMEM_EXPECT(test, xen_begin(test, "1,dom0"));
	guest_begin(&scene, test, 1, 0);
	guest_begin(&other, test, 2, 0);
	TMEM_EXPECT(test, client_of(&scene).flags == 0);
	TMEM_EXPECT(test, client_of(&scene).weight == 1);
	TMEM_EXPECT(test, client_of(&scene).quota == XEN_SYSCTL_TMEM_NO_QUOTA);
	TMEM_EXPECT(test, control(&scene, XEN_SYSCTL_TMEM_OP_THAW) == 0);
	TMEM_EXPECT(test, control(&scene, XEN_SYSCTL_TMEM_OP_DESTROY) == 0);
	/* To look is not to make. */
	TMEM_EXPECT(test, !scene.d->tmem);
	TMEM_EXPECT(test, new_pool(&scene, EPHEMERAL) == -ENOSYS);
	TMEM_EXPECT(test, set_client(&scene, XEN_SYSCTL_TMEM_ENABLED, 5, 2) == 0);
	TMEM_EXPECT(test, client_of(&scene).nr_pools == 0);
	TMEM_EXPECT(test, new_pool(&scene, PERSISTENT) == -EPERM);
	TMEM_EXPECT(test, new_pool(&scene, EPHEMERAL) == 0);
	TMEM_EXPECT(test, set_client(&scene, ENABLED, 5, 2) == 0);
	scene.pool = new_pool(&scene, PERSISTENT);
	TMEM_EXPECT(test, scene.pool == 1);
	put_many(&scene, 1, 2);
	TMEM_EXPECT(test, put(&scene, 1, 2, 3) == -ENOMEM);
	TMEM_EXPECT(test, client_of(&scene).weight == 5);
	TMEM_EXPECT(test, new_pool(&other, EPHEMERAL) == -ENOSYS);
	TMEM_EXPECT(test, set_client(&other, XEN_SYSCTL_TMEM_PERSISTENT, 1, 1) == 0);
	TMEM_EXPECT(test, new_pool(&other, EPHEMERAL) == -ENOSYS);
	guest_end(&other);
	guest_end(&scene);
	xen_end(test);
}

/* No memory for a domain that has nothing yet; and one that is made frozen */
void test_control_of_a_first_pool(struct tmem_test *test)
{
	struct scene scene;

	scene_begin(&scene, test, 0);
	host_no_memory = true;
	TMEM_EXPECT(test, set_client(&scene, ENABLED, 1, 1) == -ENOMEM);
	TMEM_EXPECT(test, control(&scene, XEN_SYSCTL_TMEM_OP_FREEZE) == -ENOMEM);
	TMEM_EXPECT(test, client_of(&scene).flags == ENABLED);
	host_no_memory = false;
	TMEM_EXPECT(test, control(&scene, XEN_SYSCTL_TMEM_OP_FREEZE) == 0);
	TMEM_EXPECT(test, client_of(&scene).flags ==
		    (ENABLED | XEN_SYSCTL_TMEM_FROZEN));
	scene.pool = new_pool(&scene, PERSISTENT);
	TMEM_EXPECT(test, scene.pool == 0);
	TMEM_EXPECT(test, put(&scene, 1, 0, 5) == -EFROZEN);
	scene_end(&scene);
}

/* What it has stays until it is destroyed; then it is told that there is no tmem. */
void test_control_takes_tmem_away(struct tmem_test *test)
{
	struct scene scene;

	scene_begin(&scene, test, PERSISTENT);
	put_many(&scene, 1, 10);
	TMEM_EXPECT(test, set_client(&scene, 0, 1, 100) == 0);
	TMEM_EXPECT(test, new_pool(&scene, EPHEMERAL) == -ENOSYS);
	TMEM_EXPECT(test, new_pool(&scene, PERSISTENT) == -ENOSYS);
	TMEM_EXPECT(test, get(&scene, 1, 3) == 4);
	TMEM_EXPECT(test, put(&scene, 1, 3, 7) == 1);
	TMEM_EXPECT(test, get(&scene, 1, 3) == 7);
	TMEM_EXPECT(test, page_op(&scene, TMEM_FLUSH_PAGE, 1, 4) == 1);
	TMEM_EXPECT(test, client_of(&scene).persistent_pages == 9);
	TMEM_EXPECT(test, pool_op(&scene, TMEM_DESTROY_POOL, 0) == 1);
	TMEM_EXPECT(test, pool_op(&scene, TMEM_DESTROY_POOL, 0) == -ENOSYS);
	/* Before anything is looked at */
	TMEM_EXPECT(test, guest_call(&scene.v, 0) == -ENOSYS);
	TMEM_EXPECT(test, pool_op(&scene, TMEM_FEATURES, -1) == -ENOSYS);
	TMEM_EXPECT(test, set_client(&scene, XEN_SYSCTL_TMEM_ENABLED, 1, 100) == 0);
	TMEM_EXPECT(test, new_pool(&scene, PERSISTENT) == -EPERM);
	TMEM_EXPECT(test, new_pool(&scene, EPHEMERAL) == 0);
	scene_end(&scene);
}

/* In whatever pools, and after a reset; what is there above it stays. */
void test_control_of_quota(struct tmem_test *test)
{
	struct scene scene, second;
	uint32_t i;

	scene_begin(&scene, test, PERSISTENT);
	second = scene;
	second.pool = new_pool(&scene, PERSISTENT);
	put_many(&scene, 1, 60);
	put_many(&second, 1, 40);
	TMEM_EXPECT(test, set_client(&scene, ENABLED, 1, 80) == 0);
	TMEM_EXPECT(test, client_of(&scene).persistent_pages == 100);
	TMEM_EXPECT(test, put(&scene, 2, 0, 1) == -ENOMEM);
	TMEM_EXPECT(test, put(&second, 2, 0, 1) == -ENOMEM);
	TMEM_EXPECT(test, put(&scene, 1, 5, 7) == 1);
	for (i = 0; i < 60; i++)
		TMEM_EXPECT(test, get(&scene, 1, i) == (i == 5 ? 7 : i + 1));
	for (i = 0; i < 20; i++) {
		TMEM_EXPECT(test, page_op(&scene, TMEM_FLUSH_PAGE, 1, i) == 1);
		TMEM_EXPECT(test, put(&second, 2, i, 1) == -ENOMEM);
	}
	TMEM_EXPECT(test, page_op(&scene, TMEM_FLUSH_PAGE, 1, i) == 1);
	TMEM_EXPECT(test, put(&second, 2, 0, 1) == 1);
	TMEM_EXPECT(test, put(&second, 2, 1, 1) == -ENOMEM);
	/* Ephemeral pages have none. */
	second.pool = new_pool(&scene, EPHEMERAL);
	put_many(&second, 1, 200);
	TMEM_EXPECT(test, set_client(&scene, ENABLED, 1, 0) == 0);
	put_many(&second, 2, 10);
	while (tmem_soft_reset(scene.d))
		;
	TMEM_EXPECT(test, new_pool(&scene, PERSISTENT) == 0);
	TMEM_EXPECT(test, put(&scene, 1, 0, 1) == -ENOMEM);
	TMEM_EXPECT(test, set_client(&scene, ENABLED, 1,
				     XEN_SYSCTL_TMEM_NO_QUOTA) == 0);
	put_many(&scene, 1, 200);
	scene_end(&scene);
}

/* Nothing is added, and what is there is read, written and flushed. */
static void frozen_pool(struct tmem_test *test, uint32_t flags)
{
	struct scene scene;
	uint32_t i;

	scene_begin(&scene, test, flags);
	put_many(&scene, 1, 50);
	for (i = 0; i < 2; i++)
		TMEM_EXPECT(test, control(&scene, XEN_SYSCTL_TMEM_OP_FREEZE) == 0);
	TMEM_EXPECT(test, client_of(&scene).flags ==
		    (ENABLED | XEN_SYSCTL_TMEM_FROZEN));
	TMEM_EXPECT(test, put(&scene, 1, 50, 5) == -EFROZEN);
	TMEM_EXPECT(test, put(&scene, 2, 0, 5) == -EFROZEN);
	for (i = 0; i < 50; i += 2)
		TMEM_EXPECT(test, put(&scene, 1, i, 100 + i) == 1);
	for (i = 0; i < 50; i++)
		TMEM_EXPECT(test, get(&scene, 1, i) ==
			    (i % 2 ? i + 1 : 100 + i));
	TMEM_EXPECT(test, page_op(&scene, TMEM_FLUSH_OBJECT, 1, 0) == 1);
	TMEM_EXPECT(test, get(&scene, 1, 1) == 0);
	TMEM_EXPECT(test, put(&scene, 1, 1, 5) == -EFROZEN);
	/* To set something else is not to thaw. */
	TMEM_EXPECT(test, set_client(&scene, ENABLED, 2, 100) == 0);
	TMEM_EXPECT(test, put(&scene, 1, 1, 5) == -EFROZEN);
	for (i = 0; i < 2; i++)
		TMEM_EXPECT(test, control(&scene, XEN_SYSCTL_TMEM_OP_THAW) == 0);
	TMEM_EXPECT(test, client_of(&scene).flags == ENABLED);
	put_many(&scene, 1, 50);
	scene_end(&scene);
}

void test_control_freezes(struct tmem_test *test)
{
	frozen_pool(test, PERSISTENT);
	frozen_pool(test, EPHEMERAL);
}

static bool always(void)
{
	return true;
}

/* All that have tmem, however often that is continued */
void test_control_freezes_all(struct tmem_test *test)
{
	static const uint32_t cmds[] = {
		XEN_SYSCTL_TMEM_OP_FREEZE, XEN_SYSCTL_TMEM_OP_THAW,
	};
	struct scene scenes[8];
	unsigned int i, how;

	TMEM_EXPECT(test, xen_begin(test, ALL));
	for (i = 0; i < ARRAY_SIZE(scenes); i++)
		guest_begin(&scenes[i], test, 3 * i, i % 4 ? EPHEMERAL : 0);
	for (how = 0; how < 4; how++) {
		struct xen_sysctl_tmem_op op = {
			.cmd = cmds[how % 2], .cli_id = ALL_CLIENTS,
		};

		host_preempts = how < 2 ? NULL : always;
		host_continued = 0;
		TMEM_EXPECT(test, guest_control(&scenes[0].v, &op) == 0);
		TMEM_EXPECT(test, !op.nr);
		TMEM_EXPECT(test, host_yield_every || how < 2 ||
			    host_continued == 6);
		host_preempts = NULL;
		for (i = 0; i < ARRAY_SIZE(scenes); i++) {
			TMEM_EXPECT(test, client_of(&scenes[i]).flags ==
				    (!(how % 2) && i % 4 ?
				     ENABLED | XEN_SYSCTL_TMEM_FROZEN : ENABLED));
			if (i % 4)
				TMEM_EXPECT(test, put(&scenes[i], 1, how, 5) ==
					    (how % 2 ? 1 : -EFROZEN));
		}
	}
	for (i = 0; i < ARRAY_SIZE(scenes); i++)
		guest_end(&scenes[i]);
	xen_end(test);
}

static long evict(struct scene *scene, uint32_t id, uint64_t pages)
{
	struct xen_sysctl_tmem_op op = {
		.cmd = XEN_SYSCTL_TMEM_OP_EVICT, .cli_id = id, .u.pages = pages,
	};
	long rc = guest_control(&scene->v, &op);

	TMEM_EXPECT(scene->test, !op.nr);
	return rc ?: (long)op.u.pages;
}

void test_control_evicts(struct tmem_test *test)
{
	struct scene scene, other, none;
	unsigned int how;

	for (how = 0; how < 2; how++) {
		scene_begin(&scene, test, EPHEMERAL);
		guest_begin(&other, test, 2, EPHEMERAL);
		guest_begin(&none, test, 3, 0);
		put_many(&scene, 1, 500);
		put_many(&other, 1, 700);
		host_preempts = how ? always : NULL;
		host_continued = 0;
		host_work_begin();
		TMEM_EXPECT(test, evict(&none, 1, 200) == 200);
		TMEM_EXPECT(test, host_work_most() <= TMEM_CHUNK);
		TMEM_EXPECT(test, !how || host_continued == 3);
		TMEM_EXPECT(test, usage_of(&scene).ephemeral_pages == 300);
		TMEM_EXPECT(test, usage_of(&other).ephemeral_pages == 700);
		/* The oldest go, of whom has most. */
		TMEM_EXPECT(test, evict(&none, ALL_CLIENTS, 400) == 400);
		TMEM_EXPECT(test, usage_of(&scene).ephemeral_pages == 300);
		TMEM_EXPECT(test, get(&other, 1, 0) == 0);
		TMEM_EXPECT(test, get(&other, 1, 699) == 700);
		TMEM_EXPECT(test, evict(&none, 1, ~0ull) == 300);
		TMEM_EXPECT(test, evict(&none, 1, 1) == 0);
		TMEM_EXPECT(test, evict(&none, 3, 1) == 0);
		TMEM_EXPECT(test, evict(&none, ALL_CLIENTS, 0) == 0);
		TMEM_EXPECT(test, evict(&none, ALL_CLIENTS, ~0ull) == 299);
		TMEM_EXPECT(test, tmem_freeable_pages(~0ul) == 0);
		/* Persistent ones do not. */
		scene.pool = new_pool(&scene, PERSISTENT);
		put_many(&scene, 1, 10);
		TMEM_EXPECT(test, evict(&none, 1, 10) == 0);
		TMEM_EXPECT(test, usage_of(&scene).persistent_pages == 10);
		guest_end(&none);
		guest_end(&other);
		scene_end(&scene);
	}
}

static struct scene *stubborn;

/* As often as it is destroyed */
static void make_it_again(void)
{
	struct scene scene = *stubborn;

	host_preempts = NULL;
	scene.pool = new_pool(&scene, EPHEMERAL);
	put(&scene, 1, host_continued, 5);
	host_preempts = always;
}

void test_control_destroys(struct tmem_test *test)
{
	struct scene scene, other;
	unsigned int how, i;

	for (how = 0; how < 3; how++) {
		scene_begin(&scene, test, PERSISTENT);
		guest_begin(&other, test, 2, PERSISTENT);
		put_many(&other, 1, 10);
		put_many(&scene, 1, 500);
		for (i = 0; i < 5; i++)
			scene.pool = new_pool(&scene, i % 2 ? PERSISTENT :
					      EPHEMERAL);
		put_many(&scene, 1, 500);
		TMEM_EXPECT(test, control(&other, XEN_SYSCTL_TMEM_OP_DESTROY) == 0);
		TMEM_EXPECT(test, host_used == 1000);
		TMEM_EXPECT(test, new_pool(&other, PERSISTENT) == 0);
		host_preempts = how ? always : NULL;
		stubborn = &scene;
		host_on_continue = how == 2 ? make_it_again : NULL;
		host_continued = 0;
		host_work_begin();
		TMEM_EXPECT(test, control(&scene, XEN_SYSCTL_TMEM_OP_DESTROY) == 0);
		/* With everything destroyed whenever there is another pool: 65536 */
		TMEM_EXPECT(test, !how || (host_continued > 10 &&
					   host_continued < 100));
		host_on_continue = NULL;
		host_preempts = NULL;
		TMEM_EXPECT(test, scene.d->tmem_pages == 0);
		if (how < 2) {
			TMEM_EXPECT(test, host_work_most() <= TMEM_CHUNK);
			TMEM_EXPECT(test, usage_of(&scene).pools == 0);
			TMEM_EXPECT(test, host_used == 0);
			TMEM_EXPECT(test, put(&scene, 1, 0, 5) == -ENODEV);
		}
		guest_end(&other);
		scene_end(&scene);
	}
}

/* Numbers that differ, so that none is told instead of another one */
void test_control_tells(struct tmem_test *test)
{
	struct xen_sysctl_tmem_op op = {
		.cmd = XEN_SYSCTL_TMEM_OP_QUERY_FREEABLE_MB,
	};
	struct xen_sysctl_tmem_client told;
	struct scene scene;

	scene_begin(&scene, test, PERSISTENT);
	put_many(&scene, 1, 30);
	put_many(&scene, 2, 11);
	put_many(&scene, 2, 3);
	get(&scene, 1, 1);
	get(&scene, 9, 1);
	get(&scene, 9, 1);
	flush_range(&scene, 1, 0, 4);
	scene.pool = new_pool(&scene, EPHEMERAL);
	put_many(&scene, 1, 520);
	TMEM_EXPECT(test, evict(&scene, 1, 5) == 5);
	control(&scene, XEN_SYSCTL_TMEM_OP_FREEZE);
	TMEM_EXPECT(test, put(&scene, 3, 0, 1) == -EFROZEN);
	told = client_of(&scene);
	TMEM_EXPECT(test, told.nr_pools == 2);
	TMEM_EXPECT(test, told.persistent_pages == 37);
	TMEM_EXPECT(test, told.ephemeral_pages == 515);
	TMEM_EXPECT(test, told.charged_pages == scene.d->tmem_pages);
	TMEM_EXPECT(test, told.charged_pages > 37 && told.charged_pages < 50);
	TMEM_EXPECT(test, told.metadata_bytes == usage_of(&scene).metadata_bytes);
	TMEM_EXPECT(test, told.metadata_bytes > 515 * 40);
	TMEM_EXPECT(test, told.objects == 3);
	TMEM_EXPECT(test, told.stats.puts == 30 + 11 + 3 + 520);
	TMEM_EXPECT(test, told.stats.overwrites == 3);
	TMEM_EXPECT(test, told.stats.refused == 1);
	TMEM_EXPECT(test, told.stats.hits == 1 && told.stats.misses == 2);
	TMEM_EXPECT(test, told.stats.flushed == 4 && told.stats.evicted == 5);
	TMEM_EXPECT(test, guest_control(&scene.v, &op) == 0);
	TMEM_EXPECT(test, op.u.mb == 2); /* 515 pages of 4096 bytes */
	scene_end(&scene);
}

/* A guest can ask for a reset: what was said about it stays. */
void test_control_after_a_reset(struct tmem_test *test)
{
	struct xen_sysctl_tmem_client told;
	struct scene scene;

	scene_begin(&scene, test, PERSISTENT);
	put_many(&scene, 1, 300);
	TMEM_EXPECT(test, set_client(&scene, XEN_SYSCTL_TMEM_ENABLED, 7, 5) == 0);
	TMEM_EXPECT(test, control(&scene, XEN_SYSCTL_TMEM_OP_FREEZE) == 0);
	while (tmem_soft_reset(scene.d))
		;
	told = client_of(&scene);
	TMEM_EXPECT(test, told.flags == (XEN_SYSCTL_TMEM_ENABLED |
					 XEN_SYSCTL_TMEM_FROZEN));
	TMEM_EXPECT(test, told.weight == 7 && told.quota == 5);
	TMEM_EXPECT(test, !told.nr_pools && !told.charged_pages);
	TMEM_EXPECT(test, new_pool(&scene, PERSISTENT) == -EPERM);
	scene.pool = new_pool(&scene, EPHEMERAL);
	TMEM_EXPECT(test, scene.pool == 0);
	TMEM_EXPECT(test, put(&scene, 1, 0, 1) == -EFROZEN);
	scene_end(&scene);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Domains that die while they are controlled: nobody else's tmem is taken for theirs,
 * and nothing of theirs is left.
 */
#include "scene.h"

static const uint32_t every_cmd[] = {
	XEN_SYSCTL_TMEM_OP_THAW, XEN_SYSCTL_TMEM_OP_FREEZE,
	XEN_SYSCTL_TMEM_OP_EVICT, XEN_SYSCTL_TMEM_OP_DESTROY,
	XEN_SYSCTL_TMEM_OP_GET_CLIENT_INFO, XEN_SYSCTL_TMEM_OP_SET_CLIENT_INFO,
	XEN_SYSCTL_TMEM_OP_GET_POOLS,
};

static struct scene *victim, *heir;

static bool always(void)
{
	return true;
}

/* As domain_kill(), but for what comes when nobody is in an RCU critical section */
static void die(struct scene *scene)
{
	scene->d->is_dying = true;
	domain_lock(scene->d);
	domain_unlock(scene->d);
	while (tmem_teardown(scene->d))
		;
}

void test_control_of_the_dying(struct tmem_test *test)
{
	struct scene scene;
	unsigned int i, how;

	for (how = 0; how < 3; how++) {
		scene_begin(&scene, test, how ? PERSISTENT : 0);
		if (how)
			put_many(&scene, 1, 500);
		scene.d->is_dying = true;
		host_preempts = always;
		TMEM_EXPECT(test, how < 2 || tmem_teardown(scene.d) == -ERESTART);
		host_preempts = NULL;
		for (i = 0; i < ARRAY_SIZE(every_cmd); i++)
			TMEM_EXPECT(test, control(&scene, every_cmd[i]) == -ESRCH);
		scene_end(&scene);
	}
}

/* The next domain may be the same client of the engine. */
static bool die_and_inherit(void)
{
	host_preempts = NULL;
	die(victim);
	guest_begin(heir, victim->test, 9, EPHEMERAL);
	put_many(heir, 1, 300);
	return false;
}

static void die_meanwhile(void)
{
	die(victim);
}

static void make_pool_meanwhile(void)
{
	struct scene scene = *victim;

	TMEM_EXPECT(scene.test, new_pool(&scene, PERSISTENT) == 0);
}

/* While its tmem is made for the administrator, it dies, or makes it. */
void test_control_of_the_just_made(struct tmem_test *test)
{
	struct xen_sysctl_tmem_op op = {
		.cmd = XEN_SYSCTL_TMEM_OP_EVICT, .cli_id = 1, .u.pages = 1000,
	};
	struct scene scene, next, other;

	victim = &scene;
	scene_begin(&scene, test, 0);
	host_on_alloc = die_meanwhile;
	TMEM_EXPECT(test, set_client(&scene, ENABLED, 2, 3) == -ESRCH);
	TMEM_EXPECT(test, !scene.d->tmem);
	scene_end(&scene);

	scene_begin(&scene, test, 0);
	host_on_alloc = make_pool_meanwhile;
	TMEM_EXPECT(test, set_client(&scene, ENABLED, 2, 3) == 0);
	TMEM_EXPECT(test, client_of(&scene).nr_pools == 1);
	scene.pool = 0;
	put_many(&scene, 1, 3);
	TMEM_EXPECT(test, put(&scene, 1, 3, 5) == -ENOMEM);
	scene_end(&scene);

	heir = &next;
	scene_begin(&scene, test, EPHEMERAL);
	guest_begin(&other, test, 2, 0);
	put_many(&scene, 1, 300);
	host_preempts = die_and_inherit;
	guest_control(&other.v, &op);
	TMEM_EXPECT(test, usage_of(&next).ephemeral_pages == 300);
	guest_end(&next);
	guest_end(&other);
	scene_end(&scene);
}

#define LIVES	30
#define GUESTS	3

struct mortal {
	pthread_t thread;
	struct tmem_test test;
	unsigned int id;
};

static void count(struct tmem_test *test, const char *what, const char *file, int line)
{
	fprintf(stderr, "%s:%d: %s\n", file, line, what);
}

/* Whatever the administrator does: what is there is right. */
static void *live(void *argument)
{
	struct mortal *mortal = argument;
	unsigned int i, k;

	for (i = 0; i < LIVES; i++) {
		struct scene scene;

		guest_begin(&scene, &mortal->test, mortal->id, 0);
		for (k = 0; k < 300; k++) {
			uint64_t page;

			if (scene.pool < 0)
				scene.pool = new_pool(&scene, k % 2 ? PERSISTENT :
						      EPHEMERAL);
			if (put(&scene, k % 3, k, k + 1) == -ENODEV)
				scene.pool = -1;
			page = get(&scene, k % 3, k);
			TMEM_EXPECT(&mortal->test, !page || page == k + 1 ||
				    page == ~0ull);
		}
		guest_end(&scene);
	}
	return NULL;
}

static volatile bool all_dead;

static void *reign(void *argument)
{
	struct mortal *mortal = argument;
	unsigned int i = 0;

	while (!__atomic_load_n(&all_dead, __ATOMIC_RELAXED)) {
		struct xen_sysctl_tmem_op op = {
			.cmd = every_cmd[i % ARRAY_SIZE(every_cmd)],
			.cli_id = 1 + i / ARRAY_SIZE(every_cmd) % (GUESTS + 1),
		};
		struct vcpu v = {};
		long rc;

		if (op.cli_id > GUESTS)
			op.cli_id = XEN_SYSCTL_TMEM_OP_ALL_CLIENTS;
		if (op.cmd == XEN_SYSCTL_TMEM_OP_SET_CLIENT_INFO)
			op.u.client = (struct xen_sysctl_tmem_client){
				.flags = i % 5 ? ENABLED : 0, .quota = i % 500,
			};
		if (op.cmd == XEN_SYSCTL_TMEM_OP_EVICT)
			op.u.pages = i % 200;
		rc = guest_control(&v, &op);
		TMEM_EXPECT(&mortal->test, rc == 0 || rc == -ESRCH);
		i++;
	}
	return NULL;
}

void test_control_while_they_die(struct tmem_test *test)
{
	struct mortal king = { .test.say = count }, mortals[GUESTS] = {};
	unsigned long every = host_yield_every;
	unsigned int i;

	TMEM_EXPECT(test, xen_begin(test, ALL));
	/* Meanwhile each look says that there is something else to do. */
	host_yield_every = 2;
	all_dead = false;
	CHECK(!pthread_create(&king.thread, NULL, reign, &king));
	for (i = 0; i < GUESTS; i++) {
		mortals[i].test.say = count;
		mortals[i].id = i + 1;
		CHECK(!pthread_create(&mortals[i].thread, NULL, live, &mortals[i]));
	}
	for (i = 0; i < GUESTS; i++) {
		pthread_join(mortals[i].thread, NULL);
		TMEM_EXPECT(test, !mortals[i].test.failures);
	}
	__atomic_store_n(&all_dead, true, __ATOMIC_RELAXED);
	pthread_join(king.thread, NULL);
	TMEM_EXPECT(test, !king.test.failures);
	host_yield_every = every;
	xen_end(test);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which domains may share a pool, and what that does to them.
 */
#include "scene.h"

#define SHARED	(EPHEMERAL | TMEM_POOL_SHARED)

static const uint64_t some_uuid[2] = { 0, 0x123456789abcdef };

static long set_auth(struct scene *scene, const uint64_t uuid[2], uint32_t auth)
{
	struct xen_sysctl_tmem_op op = {
		.cmd = XEN_SYSCTL_TMEM_OP_SET_AUTH,
		.cli_id = scene->d->domain_id,
		.u.auth = { .uuid = { uuid[0], uuid[1] }, .auth = auth },
	};

	return guest_control(&scene->v, &op);
}

static long get_auths(struct scene *scene, uint32_t *nr, unsigned long at)
{
	struct xen_sysctl_tmem_op op = {
		.cmd = XEN_SYSCTL_TMEM_OP_GET_AUTHS,
		.cli_id = scene->d->domain_id, .nr = *nr,
	};
	long rc;

	op.u.auths.p = (void *)at;
	rc = guest_control(&scene->v, &op);
	*nr = op.nr;
	return rc;
}

static struct xen_sysctl_tmem_uuid *auth_at(struct scene *scene, unsigned int i)
{
	return (struct xen_sysctl_tmem_uuid *)(scene->d->memory + POOLS_AT -
					       GUEST_BASE) + i;
}

/* How many it may share, and whether this is one of them */
static uint32_t auths_of(struct scene *scene, const uint64_t uuid[2], bool *one)
{
	uint32_t nr = TMEM_MAX_AUTHS, i;

	TMEM_EXPECT(scene->test, get_auths(scene, &nr, POOLS_AT) == 0);
	for (i = 0, *one = false; i < nr; i++)
		*one |= auth_at(scene, i)->uuid[0] == uuid[0] &&
			auth_at(scene, i)->uuid[1] == uuid[1];
	return nr;
}

static int share(struct scene *scene)
{
	struct tmem_op op = { .cmd = TMEM_NEW_POOL, .u.creat = {
		.flags = SHARED, .uuid = { some_uuid[0], some_uuid[1] } } };

	return call(scene, &op);
}

/* Two domains with a pool; each is told that it has id 0. */
static void share_begin(struct scene *a, struct scene *b, struct tmem_test *test)
{
	TMEM_EXPECT(test, xen_begin(test, ALL));
	guest_begin(a, test, 1, 0);
	guest_begin(b, test, 2, 0);
	TMEM_EXPECT(test, set_auth(a, some_uuid, 1) == 0);
	TMEM_EXPECT(test, set_auth(b, some_uuid, 1) == 0);
	a->pool = share(a);
	b->pool = share(b);
	TMEM_EXPECT(test, a->pool == 0 && b->pool == 0);
}

static void share_end(struct scene *a, struct scene *b)
{
	guest_end(b);
	scene_end(a);
}

void test_auth_is_checked(struct tmem_test *test)
{
	uint64_t uuid[2] = {};
	struct scene scene;
	uint32_t nr = 0, i;
	bool one;

	scene_begin(&scene, test, 0);
	TMEM_EXPECT(test, set_auth(&scene, uuid, 0) == -EINVAL);
	TMEM_EXPECT(test, set_auth(&scene, uuid, 1) == -EINVAL);
	TMEM_EXPECT(test, set_auth(&scene, some_uuid, 2) == -EINVAL);
	TMEM_EXPECT(test, get_auths(&scene, &nr, 0) == 0 && !nr);
	/* What it has not it can lose, and nothing is made for that. */
	TMEM_EXPECT(test, set_auth(&scene, some_uuid, 0) == 0);
	TMEM_EXPECT(test, !scene.d->tmem);
	host_no_memory = true;
	TMEM_EXPECT(test, set_auth(&scene, some_uuid, 1) == -ENOMEM);
	host_no_memory = false;
	for (i = 0; i < TMEM_MAX_AUTHS; i++) {
		uuid[i % 2] = i + 1;
		TMEM_EXPECT(test, set_auth(&scene, uuid, 1) == 0);
		TMEM_EXPECT(test, set_auth(&scene, uuid, 1) == 0);
		TMEM_EXPECT(test, auths_of(&scene, uuid, &one) == i + 1 && one);
	}
	TMEM_EXPECT(test, set_auth(&scene, some_uuid, 1) == -ENOSPC);
	TMEM_EXPECT(test, set_auth(&scene, uuid, 1) == 0);
	uuid[1] = 2;
	uuid[0] = 1;
	TMEM_EXPECT(test, auths_of(&scene, uuid, &one) == TMEM_MAX_AUTHS && one);
	TMEM_EXPECT(test, set_auth(&scene, uuid, 0) == 0);
	TMEM_EXPECT(test, auths_of(&scene, uuid, &one) == TMEM_MAX_AUTHS - 1 && !one);
	TMEM_EXPECT(test, set_auth(&scene, some_uuid, 1) == 0);
	TMEM_EXPECT(test, auths_of(&scene, some_uuid, &one) == TMEM_MAX_AUTHS && one);
	scene_end(&scene);
}

void test_auth_is_told(struct tmem_test *test)
{
	struct scene scene;
	uint32_t room, nr;
	uint64_t uuid[2];

	scene_begin(&scene, test, 0);
	for (uuid[0] = 0; uuid[0] < 3; uuid[0]++) {
		uuid[1] = 7;
		TMEM_EXPECT(test, set_auth(&scene, uuid, 1) == 0);
	}
	for (room = 0; room < 5; room++) {
		memset(scene.d->memory, 0xee, XEN_MEMORY);
		nr = room;
		TMEM_EXPECT(test, get_auths(&scene, &nr, room ? POOLS_AT : 0) == 0);
		TMEM_EXPECT(test, nr == 3);
		TMEM_EXPECT(test, !memchr_inv(auth_at(&scene, room < 3 ? room : 3),
					      0xee, 16));
		TMEM_EXPECT(test, room < 3 || (auth_at(&scene, 2)->uuid[0] == 2 &&
					       auth_at(&scene, 2)->uuid[1] == 7));
	}
	nr = 1;
	TMEM_EXPECT(test, get_auths(&scene, &nr, 0) == -EFAULT);
	nr = ~0u;
	TMEM_EXPECT(test, get_auths(&scene, &nr, GUEST_BASE + XEN_MEMORY - 47) ==
		    -EFAULT);
	nr = ~0u;
	TMEM_EXPECT(test, get_auths(&scene, &nr, GUEST_BASE + XEN_MEMORY - 48) == 0);
	scene_end(&scene);
}

static struct tmem_pool_info info_of(struct scene *scene)
{
	struct tmem_pool_info info;

	TMEM_EXPECT(scene->test, !tmem_pool_info(scene->d->tmem->client,
						 scene->pool, &info));
	return info;
}

/* Who is authorised shares, who is not has one of its own and does not know. */
void test_auth_makes_shared(struct tmem_test *test)
{
	struct scene a, b, c;

	share_begin(&a, &b, test);
	guest_begin(&c, test, 3, 0);
	c.pool = share(&c);
	TMEM_EXPECT(test, c.pool == 0);
	put_many(&a, 1, 20);
	TMEM_EXPECT(test, get(&b, 1, 3) == 4 && get(&b, 1, 3) == 4);
	TMEM_EXPECT(test, get(&c, 1, 3) == 0);
	TMEM_EXPECT(test, put(&c, 1, 3, 99) == 1 && get(&a, 1, 3) == 4);
	TMEM_EXPECT(test, page_op(&b, TMEM_FLUSH_PAGE, 1, 3) == 1);
	TMEM_EXPECT(test, get(&a, 1, 3) == 0);
	TMEM_EXPECT(test, get(&c, 1, 3) == 99 && get(&c, 1, 3) == 0);
	TMEM_EXPECT(test, info_of(&b).flags == SHARED && info_of(&c).flags == EPHEMERAL);
	TMEM_EXPECT(test, info_of(&b).uuid[1] == some_uuid[1]);
	TMEM_EXPECT(test, info_of(&b).stats.pages == 19);
	TMEM_EXPECT(test, client_of(&a).ephemeral_pages == 19);
	TMEM_EXPECT(test, client_of(&b).ephemeral_pages == 0);
	/* Authorised later: the next pool is shared. */
	TMEM_EXPECT(test, set_auth(&c, some_uuid, 1) == 0);
	TMEM_EXPECT(test, get(&c, 1, 4) == 0);
	c.pool = share(&c);
	TMEM_EXPECT(test, c.pool == 1 && get(&c, 1, 4) == 5);
	/* A second time: another one has forgotten what it had. */
	c.pool = share(&c);
	TMEM_EXPECT(test, c.pool == 2 && get(&c, 1, 4) == 0 && get(&a, 1, 4) == 0);
	guest_end(&c);
	share_end(&a, &b);
}

static void expect_thrown_out(struct scene *scene)
{
	struct tmem_test *test = scene->test;

	TMEM_EXPECT(test, page_op(scene, TMEM_GET_PAGE, 1, 3) == -ENODEV);
	TMEM_EXPECT(test, page_op(scene, TMEM_PUT_PAGE, 1, 3) == -ENODEV);
	TMEM_EXPECT(test, page_op(scene, TMEM_FLUSH_PAGE, 1, 3) == -ENODEV);
	TMEM_EXPECT(test, pool_op(scene, TMEM_POOL_PAGES, scene->pool) == -ENODEV);
}

/* Whoever is charged */
void test_auth_is_withdrawn(struct tmem_test *test)
{
	struct scene a, b, *out, *in;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		share_begin(&a, &b, test);
		out = i ? &b : &a;
		in = i ? &a : &b;
		put_many(&a, 1, 500);
		TMEM_EXPECT(test, set_auth(out, some_uuid, 0) == 0);
		expect_thrown_out(out);
		TMEM_EXPECT(test, get(in, 1, 3) == 0);
		TMEM_EXPECT(test, !host_used);
		TMEM_EXPECT(test, put(in, 1, 3, 7) == 1 && get(in, 1, 3) == 7);
		TMEM_EXPECT(test, client_of(in).ephemeral_pages == 1);
		/* Another pool does not get the id before the guest knows. */
		TMEM_EXPECT(test, new_pool(out, EPHEMERAL) == 1);
		TMEM_EXPECT(test, pool_op(out, TMEM_DESTROY_POOL, 0) == 1);
		TMEM_EXPECT(test, pool_op(out, TMEM_DESTROY_POOL, 0) == 0);
		out->pool = share(out);
		TMEM_EXPECT(test, out->pool == 0 && get(out, 1, 3) == 0);
		TMEM_EXPECT(test, info_of(out).flags == EPHEMERAL);
		share_end(&a, &b);
	}
}

static bool always(void)
{
	return true;
}

static struct scene *member, *loser;
static unsigned int stops;

static void look(void)
{
	uint8_t saved[56];

	host_on_continue = NULL;
	stops++;
	memcpy(saved, loser->d->memory, sizeof(saved));
	expect_thrown_out(loser);
	TMEM_EXPECT(member->test, get(member, 1, 999) == 0);
	TMEM_EXPECT(member->test, page_op(member, TMEM_FLUSH_PAGE, 1, 998) == 1);
	memcpy(loser->d->memory, saved, sizeof(saved));
	host_on_continue = look;
}

/* Nobody finds anything from the first part of it on, and the others help. */
void test_auth_is_withdrawn_in_parts(struct tmem_test *test)
{
	unsigned int how;
	struct scene a, b;

	for (how = 0; how < 2; how++) {
		share_begin(&a, &b, test);
		put_many(&a, 1, 1000);
		member = &b;
		loser = &a;
		stops = 0;
		host_preempts = always;
		host_on_continue = look;
		host_work_begin();
		if (how)
			TMEM_EXPECT(test, set_auth(&a, some_uuid, 0) == 0);
		else
			TMEM_EXPECT(test, pool_op(&a, TMEM_DESTROY_POOL, 0) == 1);
		host_on_continue = NULL;
		host_preempts = NULL;
		TMEM_EXPECT(test, host_work_most() <= TMEM_CHUNK);
		TMEM_EXPECT(test, stops > 2);
		TMEM_EXPECT(test, !host_used);
		put_many(&b, 1, 10);
		TMEM_EXPECT(test, client_of(&b).ephemeral_pages == 10);
		share_end(&a, &b);
	}
}

/* It may have written what others had not to read in the pool. */
void test_auth_of_who_crashes(struct tmem_test *test)
{
	struct scene a, b, again;
	unsigned int how;
	bool one;

	for (how = 0; how < 4; how++) {
		share_begin(&a, &b, test);
		put_many(&b, 1, 300);
		TMEM_EXPECT(test, get(&a, 1, 3) == 4);
		if (how == 0) {
			TMEM_EXPECT(test, pool_op(&b, TMEM_DESTROY_POOL, 0) == 1);
		} else if (how == 1) {
			guest_end(&b);
			guest_begin(&again, test, 2, 0);
			TMEM_EXPECT(test, !auths_of(&again, some_uuid, &one));
			again.pool = share(&again);
			TMEM_EXPECT(test, info_of(&again).flags == EPHEMERAL);
			b = again;
		} else if (how == 2) {
			while (tmem_soft_reset(b.d))
				;
			TMEM_EXPECT(test, auths_of(&b, some_uuid, &one) == 1 && one);
		} else {
			TMEM_EXPECT(test, control(&b, XEN_SYSCTL_TMEM_OP_DESTROY) ==
				    0);
		}
		/* All but the first one, which is no crash */
		TMEM_EXPECT(test, get(&a, 1, 3) == (how ? 0 : 4));
		TMEM_EXPECT(test, put(&a, 1, 3, 7) == 1);
		share_end(&a, &b);
	}
}

/* The last one takes the pool along, and who comes then has another one. */
void test_auth_last_one_out(struct tmem_test *test)
{
	struct scene a, b;

	share_begin(&a, &b, test);
	put_many(&b, 1, 300);
	TMEM_EXPECT(test, pool_op(&b, TMEM_DESTROY_POOL, 0) == 1);
	TMEM_EXPECT(test, client_of(&a).ephemeral_pages == 300);
	TMEM_EXPECT(test, pool_op(&a, TMEM_DESTROY_POOL, 0) == 1);
	TMEM_EXPECT(test, !host_used);
	TMEM_EXPECT(test, client_of(&a).metadata_bytes == 0);
	b.pool = share(&b);
	TMEM_EXPECT(test, get(&b, 1, 3) == 0);
	TMEM_EXPECT(test, put(&b, 1, 3, 7) == 1);
	TMEM_EXPECT(test, client_of(&b).ephemeral_pages == 1);
	share_end(&a, &b);
}

static void withdraw(void)
{
	TMEM_EXPECT(loser->test, set_auth(loser, some_uuid, 0) == 0);
}

/* While the pool is allocated, the right goes: what counts is what is right then. */
void test_auth_withdrawn_meanwhile(struct tmem_test *test)
{
	struct scene a, b;

	share_begin(&a, &b, test);
	TMEM_EXPECT(test, pool_op(&b, TMEM_DESTROY_POOL, 0) == 1);
	put_many(&a, 1, 20);
	loser = &b;
	host_on_alloc = withdraw;
	b.pool = share(&b);
	TMEM_EXPECT(test, !host_on_alloc && b.pool == 0);
	TMEM_EXPECT(test, info_of(&b).flags == EPHEMERAL);
	TMEM_EXPECT(test, get(&b, 1, 3) == 0 && get(&a, 1, 3) == 4);
	share_end(&a, &b);
}

struct joiner {
	pthread_t thread;
	struct tmem_test test;
	struct scene scene;
	bool	stop;
	/* Odd: it may share. */
	unsigned long phase;
	unsigned long shared;
};

static void count(struct tmem_test *test, const char *what, const char *file, int line)
{
	fprintf(stderr, "%s:%d: %s\n", file, line, what);
}

/* Whatever it does, it gets nothing while it may not. */
static void *join_and_get(void *argument)
{
	struct joiner *joiner = argument;
	struct scene *scene = &joiner->scene;

	while (!__atomic_load_n(&joiner->stop, __ATOMIC_RELAXED)) {
		unsigned long phase = __atomic_load_n(&joiner->phase, __ATOMIC_SEQ_CST);
		uint64_t page = get(scene, 1, 0);

		if (phase % 2 == 0 &&
		    __atomic_load_n(&joiner->phase, __ATOMIC_SEQ_CST) == phase)
			TMEM_EXPECT(&joiner->test, !page || page == ~0ull);
		if (page && page != ~0ull)
			__atomic_fetch_add(&joiner->shared, 1, __ATOMIC_RELAXED);
		pool_op(scene, TMEM_DESTROY_POOL, 0);
		share(scene);
	}
	return NULL;
}

/* The right is taken away while the domain makes the pool. */
void test_auth_withdrawn_while_used(struct tmem_test *test)
{
	static struct joiner joiner;
	struct scene a;
	unsigned int i, k;

	memset(&joiner, 0, sizeof(joiner));
	share_begin(&a, &joiner.scene, test);
	joiner.test.say = count;
	joiner.scene.test = &joiner.test;
	joiner.phase = 1;
	host_yields_unlocked = true;
	CHECK(!pthread_create(&joiner.thread, NULL, join_and_get, &joiner));
	for (i = 0; i < 300; i++) {
		struct vcpu v = {};
		struct scene admin = joiner.scene;

		admin.v = v;
		TMEM_EXPECT(test, set_auth(&admin, some_uuid, 0) == 0);
		__atomic_fetch_add(&joiner.phase, 1, __ATOMIC_SEQ_CST);
		put(&a, 1, 0, i + 1);
		/* What was asked for before may be answered now. */
		for (k = 0; k < 20; k++)
			sched_yield();
		__atomic_fetch_add(&joiner.phase, 1, __ATOMIC_SEQ_CST);
		TMEM_EXPECT(test, set_auth(&admin, some_uuid, 1) == 0);
		put(&a, 1, 0, i + 1);
		sched_yield();
	}
	/* Sometimes it did share. */
	while (!__atomic_load_n(&joiner.shared, __ATOMIC_RELAXED))
		sched_yield();
	__atomic_store_n(&joiner.stop, true, __ATOMIC_RELAXED);
	pthread_join(joiner.thread, NULL);
	host_yields_unlocked = false;
	TMEM_EXPECT(test, !joiner.test.failures);
	guest_end(&joiner.scene);
	scene_end(&a);
}

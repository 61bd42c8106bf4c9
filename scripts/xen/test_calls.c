// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a guest is told: the return values that tmem had from Xen 4.0 to 4.12, guests
 * of 32 bits, and structures where there is no memory.
 */
#include "scene.h"

void test_results_without_tmem(struct tmem_test *test)
{
	static const char *const refusing[] = {
		"0,dom0,domu", "1", "1,dom0", "1,domu=0",
	};
	struct scene scene;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(refusing); i++) {
		TMEM_EXPECT(test, xen_begin(test, refusing[i]) == !!i);
		guest_begin(&scene, test, 1, 0);
		/* Before anything is looked at */
		TMEM_EXPECT(test, guest_call(&scene.v, 0) == -ENOSYS);
		TMEM_EXPECT(test, pool_op(&scene, TMEM_FEATURES, -1) == -ENOSYS);
		TMEM_EXPECT(test, new_pool(&scene, EPHEMERAL) == -ENOSYS);
		guest_end(&scene);
		xen_end(test);
	}
}

void test_results_of_new_pool(struct tmem_test *test)
{
	static const uint32_t bad[] = {
		0, 2u << 24, 255u << 24, PERSISTENT | TMEM_POOL_SHARED,
		EPHEMERAL | TMEM_POOL_PRECOMPRESSED, EPHEMERAL | 1 << 4,
		EPHEMERAL | 15 << 4, EPHEMERAL | 8, EPHEMERAL | 1 << 8,
		EPHEMERAL | 1 << 23, EPHEMERAL | TMEM_POOL_RESERVED_BITS, ~0u,
	};
	struct scene scene;
	unsigned int i;

	scene_begin(&scene, test, 0);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		TMEM_EXPECT(test, new_pool(&scene, bad[i]) == -EPERM);
	for (i = 0; i < TMEM_MAX_POOLS; i++)
		TMEM_EXPECT(test, new_pool(&scene, i % 2 ? PERSISTENT :
					   EPHEMERAL) == (long)i);
	TMEM_EXPECT(test, new_pool(&scene, EPHEMERAL) == -EPERM);
	TMEM_EXPECT(test, new_pool(&scene, PERSISTENT) == -EPERM);
	TMEM_EXPECT(test, pool_op(&scene, TMEM_DESTROY_POOL, 5) == 1);
	TMEM_EXPECT(test, pool_op(&scene, TMEM_DESTROY_POOL, 11) == 1);
	TMEM_EXPECT(test, new_pool(&scene, EPHEMERAL) == 5);
	TMEM_EXPECT(test, new_pool(&scene, EPHEMERAL) == 11);
	TMEM_EXPECT(test, usage_of(&scene).pools == TMEM_MAX_POOLS);
	scene_end(&scene);
}

static struct scene *meant;
static long made;

static void make_one_more(void)
{
	struct scene scene = *meant;
	uint8_t saved[56];

	memcpy(saved, meant->d->memory, sizeof(saved));
	made = new_pool(&scene, EPHEMERAL);
	memcpy(meant->d->memory, saved, sizeof(saved));
}

/* Two vCPUs make the first pool: there is one tmem for both, and not one more. */
void test_first_pool_of_two(struct tmem_test *test)
{
	struct scene scenes[DOMID_FIRST_RESERVED + 1];
	unsigned int i;

	TMEM_EXPECT(test, xen_begin(test, ALL));
	for (i = 0; i < ARRAY_SIZE(scenes); i++) {
		guest_begin(&scenes[i], test, i, 0);
		meant = &scenes[i];
		host_on_alloc = i ? NULL : make_one_more;
		TMEM_EXPECT(test, new_pool(&scenes[i], PERSISTENT) ==
			    (!i ? 1 : i < DOMID_FIRST_RESERVED ? 0 : -ENOMEM));
	}
	TMEM_EXPECT(test, made == 0);
	TMEM_EXPECT(test, usage_of(&scenes[0]).pools == 2);
	for (i = 0; i < ARRAY_SIZE(scenes); i++)
		guest_end(&scenes[i]);
	xen_end(test);
}

void test_results_of_destroy_pool(struct tmem_test *test)
{
	static const int32_t none[] = { 1, 15, 16, 17, 1 << 16, INT_MAX, INT_MIN, -1 };
	struct scene scene;
	unsigned int i;

	scene_begin(&scene, test, 0);
	TMEM_EXPECT(test, pool_op(&scene, TMEM_DESTROY_POOL, 0) == 0);
	scene.pool = new_pool(&scene, EPHEMERAL);
	for (i = 0; i < ARRAY_SIZE(none); i++)
		TMEM_EXPECT(test, pool_op(&scene, TMEM_DESTROY_POOL,
					  none[i]) == 0);
	put_many(&scene, 1, 3);
	TMEM_EXPECT(test, pool_op(&scene, TMEM_DESTROY_POOL, 0) == 1);
	TMEM_EXPECT(test, pool_op(&scene, TMEM_DESTROY_POOL, 0) == 0);
	TMEM_EXPECT(test, page_op(&scene, TMEM_GET_PAGE, 1, 0) == -ENODEV);
	TMEM_EXPECT(test, tmem_freeable_pages(~0ul) == 0);
	scene_end(&scene);
}

/* In every kind of pool; @keeps: a get does not remove the page. */
static void results_of_pages(struct tmem_test *test, uint32_t flags, bool keeps)
{
	struct scene scene;

	scene_begin(&scene, test, flags);
	TMEM_EXPECT(test, page_op(&scene, TMEM_GET_PAGE, 1, 0) == -EEMPTY);
	TMEM_EXPECT(test, page_op(&scene, TMEM_FLUSH_PAGE, 1, 0) == 1);
	TMEM_EXPECT(test, page_op(&scene, TMEM_FLUSH_OBJECT, 1, 0) == 1);
	TMEM_EXPECT(test, flush_range(&scene, 1, 0, 10) == 1);
	TMEM_EXPECT(test, put(&scene, 1, 0, 5) == 1);
	TMEM_EXPECT(test, put(&scene, 1, 1, 6) == 1);
	TMEM_EXPECT(test, put(&scene, 1, 0, 7) == 1);
	TMEM_EXPECT(test, page_op(&scene, TMEM_GET_PAGE, 2, 0) == 0);
	TMEM_EXPECT(test, get(&scene, 1, 0) == 7);
	TMEM_EXPECT(test, get(&scene, 1, 0) == (keeps ? 7 : 0));
	TMEM_EXPECT(test, page_op(&scene, TMEM_FLUSH_PAGE, 1, 0) == 1);
	TMEM_EXPECT(test, get(&scene, 1, 0) == 0);
	TMEM_EXPECT(test, page_op(&scene, TMEM_FLUSH_OBJECT, 1, 0) == 1);
	TMEM_EXPECT(test, page_op(&scene, TMEM_GET_PAGE, 1, 1) == -EEMPTY);
	scene_end(&scene);
}

void test_results_of_pages(struct tmem_test *test)
{
	results_of_pages(test, EPHEMERAL, false);
	results_of_pages(test, PERSISTENT, true);
	/* Not authorised: a private one */
	results_of_pages(test, EPHEMERAL | TMEM_POOL_SHARED, false);
}

/* A put that fails leaves no older page, a get leaves it. */
static void results_of_bad_frames(struct tmem_test *test, uint32_t flags)
{
	struct scene scene;

	scene_begin(&scene, test, flags);
	scene.gfn = XEN_FRAMES;
	TMEM_EXPECT(test, page_op(&scene, TMEM_PUT_PAGE, 1, 0) == -EFAULT);
	scene.gfn = 0;
	TMEM_EXPECT(test, page_op(&scene, TMEM_GET_PAGE, 1, 0) == -EEMPTY);
	TMEM_EXPECT(test, put(&scene, 1, 0, 5) == 1);
	scene.gfn = XEN_FRAMES;
	TMEM_EXPECT(test, page_op(&scene, TMEM_GET_PAGE, 1, 0) == -EFAULT);
	scene.gfn = 0;
	TMEM_EXPECT(test, get(&scene, 1, 0) == 5);
	TMEM_EXPECT(test, put(&scene, 1, 0, 6) == 1);
	scene.gfn = XEN_FRAMES;
	TMEM_EXPECT(test, page_op(&scene, TMEM_PUT_PAGE, 1, 0) == -EFAULT);
	scene.gfn = 0;
	TMEM_EXPECT(test, page_op(&scene, TMEM_GET_PAGE, 1, 0) == -EEMPTY);
	scene_end(&scene);
}

void test_results_of_bad_frames(struct tmem_test *test)
{
	results_of_bad_frames(test, EPHEMERAL);
	results_of_bad_frames(test, PERSISTENT);
}

void test_results_while_frozen(struct tmem_test *test)
{
	struct scene scene;

	scene_begin(&scene, test, PERSISTENT);
	TMEM_EXPECT(test, put(&scene, 1, 0, 5) == 1);
	TMEM_EXPECT(test, control(&scene, XEN_SYSCTL_TMEM_OP_FREEZE) == 0);
	TMEM_EXPECT(test, put(&scene, 1, 1, 6) == -EFROZEN);
	TMEM_EXPECT(test, put(&scene, 1, 0, 7) == 1);
	TMEM_EXPECT(test, get(&scene, 1, 0) == 7);
	TMEM_EXPECT(test, control(&scene, XEN_SYSCTL_TMEM_OP_THAW) == 0);
	TMEM_EXPECT(test, put(&scene, 1, 1, 6) == 1);
	scene_end(&scene);
}

/* A new page is -ENOMEM; an old one is replaced, or gone, but never left as it was. */
void test_results_without_memory(struct tmem_test *test)
{
	struct scene scene;
	long rc;

	scene_begin(&scene, test, PERSISTENT);
	TMEM_EXPECT(test, put(&scene, 1, 0, 5) == 1);
	host_no_memory = true;
	TMEM_EXPECT(test, put(&scene, 1, 1, 6) == -ENOMEM);
	TMEM_EXPECT(test, get(&scene, 1, 1) == 0);
	rc = put(&scene, 1, 0, 7);
	TMEM_EXPECT(test, rc == 1 || rc == -ENOSPC);
	TMEM_EXPECT(test, get(&scene, 1, 0) == (rc == 1 ? 7 : 0));
	TMEM_EXPECT(test, new_pool(&scene, EPHEMERAL) == -ENOMEM);
	host_no_memory = false;
	TMEM_EXPECT(test, put(&scene, 1, 1, 6) == 1);
	scene_end(&scene);
}

void test_results_of_unknown_commands(struct tmem_test *test)
{
	struct scene scene;
	uint32_t cmd;

	scene_begin(&scene, test, 0);
	TMEM_EXPECT(test, pool_op(&scene, 55, 0) == -ENODEV);
	scene.pool = new_pool(&scene, EPHEMERAL);
	for (cmd = 0; cmd < 300; cmd++) {
		bool known = (cmd >= TMEM_NEW_POOL && cmd <= TMEM_FLUSH_OBJECT &&
			      cmd != 3) ||
			(cmd >= TMEM_FEATURES && cmd <= TMEM_POOL_PAGES);
		bool control = !cmd || cmd == TMEM_AUTH ||
			cmd == TMEM_RESTORE_NEW;

		if (known)
			continue;
		TMEM_EXPECT(test, pool_op(&scene, cmd, 0) ==
			    (control ? -EOPNOTSUPP : -ENOSYS));
		TMEM_EXPECT(test, pool_op(&scene, cmd, 3) ==
			    (control ? -EOPNOTSUPP : -ENODEV));
	}
	TMEM_EXPECT(test, pool_op(&scene, ~0u, 0) == -ENOSYS);
	TMEM_EXPECT(test, pool_op(&scene, ~0u, -1) == -ENODEV);
	TMEM_EXPECT(test, pool_op(&scene, TMEM_FEATURES, -1) ==
		    (TMEM_FEATURE_BATCH | TMEM_FEATURE_POOL_PAGES));
	TMEM_EXPECT(test, usage_of(&scene).pools == 1);
	scene_end(&scene);
}

void test_results_of_pool_pages(struct tmem_test *test)
{
	struct scene scene;
	int other;

	scene_begin(&scene, test, PERSISTENT);
	other = new_pool(&scene, EPHEMERAL);
	TMEM_EXPECT(test, pool_op(&scene, TMEM_POOL_PAGES, scene.pool) == 0);
	put_many(&scene, 1, 70);
	put_many(&scene, 2, 3);
	TMEM_EXPECT(test, pool_op(&scene, TMEM_POOL_PAGES, scene.pool) == 73);
	TMEM_EXPECT(test, pool_op(&scene, TMEM_POOL_PAGES, other) == 0);
	TMEM_EXPECT(test, page_op(&scene, TMEM_FLUSH_OBJECT, 1, 0) == 1);
	TMEM_EXPECT(test, pool_op(&scene, TMEM_POOL_PAGES, scene.pool) == 3);
	TMEM_EXPECT(test, pool_op(&scene, TMEM_DESTROY_POOL, scene.pool) == 1);
	TMEM_EXPECT(test, pool_op(&scene, TMEM_POOL_PAGES, scene.pool) ==
		    -ENODEV);
	scene_end(&scene);
}

/* Everything that names a pool, with those that there are not */
void test_results_on_no_pool(struct tmem_test *test)
{
	static const uint32_t cmds[] = {
		TMEM_PUT_PAGE, TMEM_GET_PAGE, TMEM_FLUSH_PAGE, TMEM_FLUSH_OBJECT,
		TMEM_FLUSH_RANGE, TMEM_POOL_PAGES,
	};
	static const int pools[] = { 1, 15, 16, 17, INT_MAX, INT_MIN, -1, -16 };
	struct scene scene;
	unsigned int i, k;

	scene_begin(&scene, test, 0);
	for (k = 0; k < 2; k++) {
		for (i = 0; i < ARRAY_SIZE(cmds) * ARRAY_SIZE(pools); i++) {
			scene.pool = pools[i / ARRAY_SIZE(cmds)];
			TMEM_EXPECT(test, page_op(&scene,
						  cmds[i % ARRAY_SIZE(cmds)],
						  0, 0) == -ENODEV);
		}
		TMEM_EXPECT(test, !scene.d->tmem == !k);
		TMEM_EXPECT(test, new_pool(&scene, PERSISTENT) == (int)k);
		pool_op(&scene, TMEM_DESTROY_POOL, 1);
	}
	scene_end(&scene);
}

/* As compilers for 32 bits lay it out: 52 bytes, the frame has four */
void test_guests_of_32_bits(struct tmem_test *test)
{
	const struct { uint32_t word[13]; } last_put = { {
		TMEM_PUT_PAGE, 0, 1, 0, 0, 0, 0, 0, 9, 0, 0, 0, 3 } };
	struct tmem_op op = { .cmd = TMEM_NEW_POOL, .u.creat.flags = PERSISTENT };
	uint8_t *end;
	struct scene scene;

	_Static_assert(sizeof(last_put) == 52, "layout");
	scene_begin(&scene, test, 0);
	scene.v.hcall_compat = true;
	end = scene.d->memory + XEN_MEMORY;
	/* At the end of what it has, for which 56 bytes would be too many */
	memcpy(end - 52, &op, 52);
	TMEM_EXPECT(test, guest_call(&scene.v, GUEST_BASE + XEN_MEMORY - 52) == 0);
	tmem_test_identify(content(&scene, 3), 33);
	memcpy(end - 52, &last_put, 52);
	TMEM_EXPECT(test, guest_call(&scene.v, GUEST_BASE + XEN_MEMORY - 52) == 1);
	/* What is behind does not belong to it. */
	memcpy(scene.d->memory, &last_put, 52);
	memset(scene.d->memory + 52, 0xff, 4);
	TMEM_EXPECT(test, guest_call(&scene.v, OP_AT) == 1);
	scene.pool = 0;
	TMEM_EXPECT(test, get(&scene, 1, 9) == 33);
	scene.v.hcall_compat = false;
	TMEM_EXPECT(test, guest_call(&scene.v, GUEST_BASE + XEN_MEMORY - 52) ==
		    -EFAULT);
	memcpy(scene.d->memory, &last_put, 52);
	memset(scene.d->memory + 52, 0xff, 4);
	TMEM_EXPECT(test, guest_call(&scene.v, OP_AT) == -EFAULT);
	scene.v.hcall_compat = true;
	put_many(&scene, 2, 2);
	set_entry(&scene, 0, TMEM_GET_PAGE, 2, 1);
	TMEM_EXPECT(test, batch(&scene, 1) == 0);
	TMEM_EXPECT(test, entry(&scene, 0)->status == 1);
	TMEM_EXPECT(test, tmem_test_is(content(&scene, 0), 2));
	scene_end(&scene);
}

void test_structures_nowhere(struct tmem_test *test)
{
	static const unsigned long nowhere[] = {
		0, 1, 8, GUEST_BASE - 1, GUEST_BASE - 56, GUEST_BASE + XEN_MEMORY,
		~0ul, ~0ul - 55, 1ul << 47, 0xffff800000000000ul,
	};
	struct scene scene;
	unsigned int i;

	scene_begin(&scene, test, EPHEMERAL);
	for (i = 0; i < 2 * ARRAY_SIZE(nowhere); i++) {
		scene.v.hcall_compat = i % 2;
		TMEM_EXPECT(test, guest_call(&scene.v, nowhere[i / 2]) == -EFAULT);
	}
	scene.v.hcall_compat = false;
	/* They begin where there is memory, and would be valid with zeros behind. */
	for (i = 1; i < 56; i++) {
		struct tmem_op op = { .cmd = TMEM_FEATURES };

		memcpy(scene.d->memory + XEN_MEMORY - i, &op, i);
		TMEM_EXPECT(test, guest_call(&scene.v, GUEST_BASE + XEN_MEMORY -
					     i) == -EFAULT);
	}
	scene_end(&scene);
}

void test_xsm_refuses(struct tmem_test *test)
{
	struct scene scene;

	scene_begin(&scene, test, EPHEMERAL);
	host_xsm = -EACCES;
	TMEM_EXPECT(test, put(&scene, 1, 0, 5) == -EACCES);
	TMEM_EXPECT(test, pool_op(&scene, TMEM_FEATURES, -1) == -EACCES);
	TMEM_EXPECT(test, batch(&scene, 0) == -EACCES);
	host_xsm = 0;
	TMEM_EXPECT(test, put(&scene, 1, 0, 5) == 1);
	scene_end(&scene);
}

void test_ranges(struct tmem_test *test)
{
	static const uint32_t first[] = { 0, 5, ~0u - 5, ~0u };
	unsigned int i, n;
	struct scene scene;

	scene_begin(&scene, test, PERSISTENT);
	for (i = 0; i < ARRAY_SIZE(first); i++) {
		TMEM_EXPECT(test, put(&scene, 1, first[i], 5 + i) == 1);
		TMEM_EXPECT(test, flush_range(&scene, 1, first[i], 0) == 1);
		TMEM_EXPECT(test, get(&scene, 1, first[i]) == 5 + i);
	}
	/* The end is behind the last index: nothing comes round to 0. */
	TMEM_EXPECT(test, flush_range(&scene, 1, ~0u, ~0u) == 1);
	TMEM_EXPECT(test, get(&scene, 1, ~0u) == 0);
	TMEM_EXPECT(test, get(&scene, 1, ~0u - 5) == 7);
	TMEM_EXPECT(test, flush_range(&scene, 1, 6, ~0u) == 1);
	TMEM_EXPECT(test, get(&scene, 1, ~0u - 5) == 0);
	TMEM_EXPECT(test, get(&scene, 1, 5) == 6);
	TMEM_EXPECT(test, get(&scene, 1, 0) == 5);
	TMEM_EXPECT(test, flush_range(&scene, 2, 0, ~0u) == 1);
	TMEM_EXPECT(test, flush_range(&scene, 1, 0, 5) == 1);
	TMEM_EXPECT(test, get(&scene, 1, 0) == 0);
	TMEM_EXPECT(test, get(&scene, 1, 5) == 6);
	TMEM_EXPECT(test, flush_range(&scene, 1, 0, ~0u) == 1);
	TMEM_EXPECT(test, usage_of(&scene).objects == 0);
	put_many(&scene, 3, 300);
	TMEM_EXPECT(test, flush_range(&scene, 3, 100, 150) == 1);
	for (i = n = 0; i < 300; i++)
		n += get(&scene, 3, i) == (i < 100 || i >= 250 ? i + 1 : 0);
	TMEM_EXPECT(test, n == 300);
	scene_end(&scene);
}

static bool permits(struct tmem_test *test, const char *parameter,
		    unsigned int id, uint32_t flags)
{
	struct scene scene;
	long rc = -ENOSYS;

	if (xen_begin(test, parameter)) {
		guest_begin(&scene, test, id, 0);
		rc = new_pool(&scene, flags);
		guest_end(&scene);
	}
	xen_end(test);
	return rc == 0;
}

void test_switches(struct tmem_test *test)
{
	/* "tmem" alone, and "no-tmem" */
	TMEM_EXPECT(test, xen_begin(test, ""));
	xen_end(test);
	TMEM_EXPECT(test, !xen_begin(test, "no"));
	xen_end(test);
	TMEM_EXPECT(test, permits(test, "1,dom0", 0, EPHEMERAL));
	TMEM_EXPECT(test, permits(test, "on,dom0=yes", 0, PERSISTENT));
	TMEM_EXPECT(test, permits(test, "dom0,yes", 0, PERSISTENT));
	TMEM_EXPECT(test, !permits(test, "1,dom0", 1, EPHEMERAL));
	TMEM_EXPECT(test, permits(test, "1,domu", 1, EPHEMERAL));
	TMEM_EXPECT(test, !permits(test, "1,domu", 1, PERSISTENT));
	TMEM_EXPECT(test, !permits(test, "1,domu", 0, EPHEMERAL));
	TMEM_EXPECT(test, permits(test, "1,domu,persistent", 1, PERSISTENT));
	TMEM_EXPECT(test, !permits(test, "1,domu,persistent,no-persistent", 1,
				   PERSISTENT));
	TMEM_EXPECT(test, !permits(test, "1,domu,no-domu", 1, EPHEMERAL));
	TMEM_EXPECT(test, !permits(test, "1,dom0,domu,persistent,0", 1,
				   EPHEMERAL));
	TMEM_EXPECT(test, !permits(test, "dom0,domu,persistent", 0, EPHEMERAL));
}

/* What is wrong is said, what is behind it counts. */
void test_switches_that_are_wrong(struct tmem_test *test)
{
	static const char *const wrong[] = {
		"2", "dom1", "dom0=2", "domu=", "dom", "domux", "persistent=maybe",
		"=", "no-", "no-dom0=1", "1,bad", "bad,1", "1,,dom0", "dom0=1=1",
		"no-1", "1 ", "persistent=01",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++)
		TMEM_EXPECT(test, xen_parse(wrong[i]) == -EINVAL);
	TMEM_EXPECT(test, xen_parse("bad,1,domu,dom0=2") == -EINVAL);
	tmem_engine = NULL;
	TMEM_EXPECT(test, !xen_parse("no,dom0=no,domu=off,persistent=false"));
}

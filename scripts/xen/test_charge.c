// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a domain may have: persistent pages and what is needed for them count as its
 * memory, ephemeral ones are bounded and go when anybody needs memory.
 */
#include <sched.h>
#include "scene.h"

/* What counts as the domain's is never more than it may have. */
static bool is_within(struct domain *d)
{
	return domain_tot_pages(d) + d->tmem_pages <= d->max_pages;
}

static unsigned int put_until_full(struct scene *scene, uint64_t oid)
{
	unsigned int i = 0;

	while (put(scene, oid, i, i + 1) == 1) {
		TMEM_EXPECT(scene->test, is_within(scene->d));
		i++;
	}
	TMEM_EXPECT(scene->test, put(scene, oid, i, 1) == -ENOMEM);
	return i;
}

static unsigned long pool_bytes;

/* With a pool, which is not charged */
static void charge_begin(struct scene *scene, struct tmem_test *test)
{
	scene_begin(scene, test, PERSISTENT);
	TMEM_EXPECT(test, scene->d->tmem_pages == 0);
	pool_bytes = usage_of(scene).metadata_bytes;
}

/* In pages, what there must be at least for what the domain has */
static unsigned long least_charge(struct scene *scene)
{
	struct tmem_usage usage = usage_of(scene);

	return usage.persistent_pages +
		(usage.metadata_bytes - pool_bytes) / PAGE_SIZE;
}

void test_full_pool_then_grow(struct tmem_test *test)
{
	struct scene scene;
	unsigned int n;

	charge_begin(&scene, test);
	scene.d->max_pages = XEN_FRAMES + 1000;
	n = put_until_full(&scene, 1);
	TMEM_EXPECT(test, n > 900 && n < 1000);
	TMEM_EXPECT(test, scene.d->tmem_pages >= least_charge(&scene));
	/* Less than a page is left. */
	TMEM_EXPECT(test, !guest_grow(scene.d, 2));
	TMEM_EXPECT(test, get(&scene, 1, n - 1) == n);
	TMEM_EXPECT(test, page_op(&scene, TMEM_FLUSH_OBJECT, 1, 0) == 1);
	TMEM_EXPECT(test, guest_grow(scene.d, n - 20));
	TMEM_EXPECT(test, put_until_full(&scene, 2) < 60);
	TMEM_EXPECT(test, pool_op(&scene, TMEM_DESTROY_POOL, 0) == 1);
	TMEM_EXPECT(test, scene.d->tmem_pages == 0);
	scene_end(&scene);
}

void test_full_domain_then_put(struct tmem_test *test)
{
	struct scene scene;

	scene_begin(&scene, test, PERSISTENT);
	scene.d->max_pages = XEN_FRAMES + 1000;
	TMEM_EXPECT(test, guest_grow(scene.d, 1000 - scene.d->tmem_pages));
	TMEM_EXPECT(test, put(&scene, 1, 0, 5) == -ENOMEM);
	TMEM_EXPECT(test, usage_of(&scene).objects == 0);
	guest_shrink(scene.d, 100);
	TMEM_EXPECT(test, put_until_full(&scene, 1) > 80);
	/* The toolstack takes more away than there is: nothing new, nothing is lost. */
	scene.d->max_pages = XEN_FRAMES;
	TMEM_EXPECT(test, !guest_grow(scene.d, 1));
	TMEM_EXPECT(test, put(&scene, 1, 0, 6) == 1);
	TMEM_EXPECT(test, get(&scene, 1, 0) == 6);
	TMEM_EXPECT(test, get(&scene, 1, 50) == 51);
	scene_end(&scene);
}

/* A guest that boots at its maximum has its pool before it gives memory back. */
void test_pool_of_a_full_domain(struct tmem_test *test)
{
	struct scene scene;

	scene_begin(&scene, test, 0);
	scene.d->max_pages = XEN_FRAMES;
	scene.pool = new_pool(&scene, PERSISTENT);
	TMEM_EXPECT(test, scene.pool == 0);
	TMEM_EXPECT(test, scene.d->tmem_pages == 0);
	TMEM_EXPECT(test, put(&scene, 1, 0, 5) == -ENOMEM);
	guest_shrink(scene.d, 10);
	TMEM_EXPECT(test, put_until_full(&scene, 1) == 9);
	TMEM_EXPECT(test, !guest_grow(scene.d, 1));
	scene_end(&scene);
}

/* With one page in each object what is needed for it is a lot. */
void test_charge_of_metadata(struct tmem_test *test)
{
	struct scene scene;
	unsigned int i;

	charge_begin(&scene, test);
	scene.d->max_pages = XEN_FRAMES + 1000;
	for (i = 0; put(&scene, i, 1u << 31, 1) == 1 &&
		    put(&scene, i, 0, 1) == 1; i++)
		TMEM_EXPECT(test, is_within(scene.d));
	TMEM_EXPECT(test, i > 200 && i < 450);
	TMEM_EXPECT(test, scene.d->tmem_pages >= least_charge(&scene));
	TMEM_EXPECT(test, scene.d->tmem_pages <= 1000);
	for (i = 0; i < 450; i++)
		TMEM_EXPECT(test, page_op(&scene, TMEM_FLUSH_OBJECT, i, 0) == 1);
	TMEM_EXPECT(test, scene.d->tmem_pages == 0);
	scene_end(&scene);
}

void test_charge_in_any_order(struct tmem_test *test)
{
	struct scene scene;
	unsigned int i;

	charge_begin(&scene, test);
	scene.d->max_pages = XEN_FRAMES + 200;
	for (i = 0; i < 4000; i++) {
		unsigned int n = tmem_test_random(test) % 40;
		uint64_t oid = tmem_test_random(test) % 5;

		switch (tmem_test_random(test) % 8) {
		case 0:
			guest_grow(scene.d, n);
			break;
		case 1:
			if (scene.d->tot_pages >= XEN_FRAMES + n)
				guest_shrink(scene.d, n);
			break;
		case 2:
			page_op(&scene, TMEM_FLUSH_OBJECT, oid, 0);
			break;
		case 3:
			flush_range(&scene, oid, n, n);
			break;
		case 4:
			page_op(&scene, TMEM_FLUSH_PAGE, oid, n << 20);
			break;
		default:
			put(&scene, oid, n << 20 | n, i + 1);
			break;
		}
		if (!TMEM_EXPECT(test, is_within(scene.d) &&
				 scene.d->tmem_pages >= least_charge(&scene)))
			break;
	}
	scene_end(&scene);
}

struct grower {
	struct scene scene;
	struct tmem_test random;
	pthread_t thread;
	bool	wrong;
};

/* A vCPU; each has its own frame and structure. */
static long thread_op(struct grower *grower, uint32_t cmd, uint64_t oid,
		      uint32_t index)
{
	struct scene *scene = &grower->scene;
	unsigned long at = scene->gfn * sizeof(struct tmem_op);
	struct tmem_op op = { .cmd = cmd, .pool_id = scene->pool };

	op.u.gen.oid.oid[0] = oid;
	op.u.gen.index = index;
	op.u.gen.cmfn = scene->gfn;
	memcpy(scene->d->memory + at, &op, sizeof(op));
	return guest_call(&scene->v, GUEST_BASE + at);
}

static bool is_within_locked(struct domain *d)
{
	bool good;

	spin_lock(&d->page_alloc_lock);
	good = is_within(d);
	spin_unlock(&d->page_alloc_lock);
	return good;
}

static void *grow_and_put(void *argument)
{
	struct grower *grower = argument;
	struct domain *d = grower->scene.d;
	unsigned int i, more = 0;

	for (i = 0; i < 3000; i++) {
		uint32_t index = tmem_test_random(&grower->random) % 300;

		switch (tmem_test_random(&grower->random) % 6) {
		case 0:
			if (guest_grow(d, 5))
				more += 5;
			break;
		case 1:
			guest_shrink(d, more);
			more = 0;
			break;
		case 2:
			thread_op(grower, TMEM_FLUSH_PAGE, index % 3, index);
			break;
		default:
			thread_op(grower, TMEM_PUT_PAGE, index % 3, index);
			break;
		}
		if (!is_within_locked(d))
			grower->wrong = true;
	}
	return NULL;
}

void test_charge_on_threads(struct tmem_test *test)
{
	struct grower growers[3];
	struct scene scene;
	unsigned int i;

	scene_begin(&scene, test, PERSISTENT);
	scene.d->max_pages = XEN_FRAMES + 150;
	for (i = 0; i < ARRAY_SIZE(growers); i++) {
		growers[i] = (struct grower){ .scene = scene };
		growers[i].scene.gfn = i;
		growers[i].random.seed = tmem_test_random(test) | 1;
		CHECK(!pthread_create(&growers[i].thread, NULL, grow_and_put,
				      &growers[i]));
	}
	for (i = 0; i < ARRAY_SIZE(growers); i++) {
		pthread_join(growers[i].thread, NULL);
		TMEM_EXPECT(test, !growers[i].wrong);
	}
	scene_end(&scene);
}

void test_dom0_without_a_maximum(struct tmem_test *test)
{
	struct scene scene;
	unsigned int n;

	TMEM_EXPECT(test, xen_begin(test, ALL));
	total_pages = 4000;
	guest_begin(&scene, test, 0, PERSISTENT);
	TMEM_EXPECT(test, scene.d->max_pages == UINT_MAX);
	n = put_until_full(&scene, 1);
	TMEM_EXPECT(test, n > 950 && n < 1000);
	TMEM_EXPECT(test, scene.d->tmem_pages <= total_pages / 4);
	TMEM_EXPECT(test, guest_grow(scene.d, 1000));
	guest_end(&scene);
	/* With one it is like any other domain. */
	guest_begin(&scene, test, 0, PERSISTENT);
	scene.d->max_pages = XEN_FRAMES + 1500;
	n = put_until_full(&scene, 1);
	TMEM_EXPECT(test, n > 1400 && n < 1500);
	guest_end(&scene);
	xen_end(test);
}

static struct scene *dying;

static void die(void)
{
	dying->d->is_dying = true;
}

/* Nothing more is charged to a domain from then on, as in assign_pages(). */
void test_charge_of_the_dying(struct tmem_test *test)
{
	struct scene scene;

	scene_begin(&scene, test, PERSISTENT);
	TMEM_EXPECT(test, put(&scene, 1, 0, 1) == 1);
	dying = &scene;
	host_on_copy = die;
	TMEM_EXPECT(test, put(&scene, 2, 0, 2) == -ENOMEM);
	TMEM_EXPECT(test, usage_of(&scene).persistent_pages == 1);
	TMEM_EXPECT(test, !guest_grow(scene.d, 1));
	scene_end(&scene);
}

/* A reserve of 1/128 stays, whatever is put. */
void test_reserve(struct tmem_test *test)
{
	struct scene scenes[2];
	unsigned int i, good = 0;

	TMEM_EXPECT(test, xen_begin(test, ALL));
	total_pages = 128 * 20;
	guest_begin(&scenes[0], test, 1, EPHEMERAL);
	guest_begin(&scenes[1], test, 2, PERSISTENT);
	for (i = 0; i < 2 * total_pages; i++) {
		good += put(&scenes[0], i, 0, i + 1) == 1;
		TMEM_EXPECT(test, free_unclaimed_pages() >= 19);
	}
	/* Older ones made room. */
	TMEM_EXPECT(test, good == 2 * total_pages);
	TMEM_EXPECT(test, get(&scenes[0], i - 1, 0) == i);
	TMEM_EXPECT(test, get(&scenes[0], 0, 0) == 0);
	TMEM_EXPECT(test, (long)tmem_freeable_pages(~0ul) == host_used);
	/* For persistent ones as well, until there are no others. */
	for (i = 0; put(&scenes[1], 1, i, 1) == 1; i++)
		TMEM_EXPECT(test, free_unclaimed_pages() >= 19);
	TMEM_EXPECT(test, i > total_pages - 40);
	TMEM_EXPECT(test, tmem_freeable_pages(~0ul) == 0);
	TMEM_EXPECT(test, put(&scenes[0], 1, 0, 1) == -ENOMEM);
	guest_end(&scenes[0]);
	guest_end(&scenes[1]);
	xen_end(test);
}

void test_ephemeral_metadata_is_bounded(struct tmem_test *test)
{
	struct tmem_usage usage;
	unsigned long limit;
	struct scene scene;
	unsigned int i;

	TMEM_EXPECT(test, xen_begin(test, ALL));
	total_pages = 1 << 15;
	limit = total_pages / 2 * 128;
	guest_begin(&scene, test, 1, EPHEMERAL);
	/* As much of it for each page as can be */
	for (i = 0; i < 3000; i++) {
		TMEM_EXPECT(test, put(&scene, i, 0, 1) == 1);
		TMEM_EXPECT(test, put(&scene, i, ~0u, 1) == 1);
		usage = usage_of(&scene);
		if (!TMEM_EXPECT(test, usage.metadata_bytes <= limit))
			break;
	}
	TMEM_EXPECT(test, usage.metadata_bytes > limit / 2);
	TMEM_EXPECT(test, usage.ephemeral_pages < 3000);
	TMEM_EXPECT(test, !scene.d->tmem_pages);
	guest_end(&scene);
	xen_end(test);
}

/* Objects of two pages, of which one is flushed: a branch of the tree for each page */
static void put_sparse(struct scene *scene, uint64_t n)
{
	uint64_t i;

	for (i = 0; i < n; i++) {
		TMEM_EXPECT(scene->test, put(scene, i, 0, 1) == 1);
		TMEM_EXPECT(scene->test, put(scene, i, ~0u, 1) == 1);
		TMEM_EXPECT(scene->test,
			    page_op(scene, TMEM_FLUSH_PAGE, i, 0) == 1);
	}
}

/*
 * So is that of all domains together: whatever guests do, it is less than a third of
 * the pages that it is for, and goes with them when memory is needed.
 */
void test_metadata_goes_with_its_pages(struct tmem_test *test)
{
	unsigned long bytes = 0, pools = 0, pages, i;
	struct scene scenes[3];

	TMEM_EXPECT(test, xen_begin(test, ALL));
	for (i = 0; i < ARRAY_SIZE(scenes); i++) {
		guest_begin(&scenes[i], test, i + 1, EPHEMERAL);
		pools += usage_of(&scenes[i]).metadata_bytes;
		put_sparse(&scenes[i], 300 + 100 * i);
		bytes += usage_of(&scenes[i]).metadata_bytes;
	}
	pages = tmem_freeable_pages(~0ul);
	TMEM_EXPECT(test, pages == 3 * 400);
	TMEM_EXPECT(test, bytes - pools > pages * 1000);
	TMEM_EXPECT(test, bytes - pools < pages * PAGE_SIZE / 3);
	while (tmem_give_back(0, 41, 0))
		;
	for (i = 0; i < ARRAY_SIZE(scenes); i++) {
		pools -= usage_of(&scenes[i]).metadata_bytes;
		guest_end(&scenes[i]);
	}
	TMEM_EXPECT(test, pools == 0);
	xen_end(test);
}

/* Each allocation of the last put fails: it first evicts, and then it is done. */
void test_each_allocation_evicts(struct tmem_test *test)
{
	unsigned long k, refused = 0;
	struct scene scene;
	uint32_t kind;

	for (kind = 0; kind < 2; kind++) {
		host_fail_at(0);
		scene_begin(&scene, test, EPHEMERAL);
		put_many(&scene, 1, 600);
		scene.pool = kind ? new_pool(&scene, PERSISTENT) : 0;
		for (k = 1; k < 1000; k++) {
			host_fail_at(k);
			refused += put(&scene, 100 + k, 1u << 20, k) != 1;
			refused += put(&scene, 100 + k, 0, k + 1) != 1;
			if (!host_has_failed())
				break;
			TMEM_EXPECT(test, get(&scene, 100 + k, 1u << 20) == k);
			TMEM_EXPECT(test, get(&scene, 100 + k, 0) == k + 1);
		}
		TMEM_EXPECT(test, k > 8 && k < 20);
		TMEM_EXPECT(test, tmem_freeable_pages(~0ul) < 600);
		host_fail_at(0);
		scene_end(&scene);
	}
	TMEM_EXPECT(test, !refused);
}

/* A domain's first pool on a host that is full of others' pages: the same */
void test_first_pool_evicts(struct tmem_test *test)
{
	struct scene scene, late;
	unsigned long k;

	for (k = 1; k < 20; k++) {
		scene_begin(&scene, test, EPHEMERAL);
		put_many(&scene, 1, 100);
		host_fail_at(k);
		guest_begin(&late, test, 2, PERSISTENT);
		if (!host_has_failed())
			break;
		TMEM_EXPECT(test, tmem_freeable_pages(~0ul) == 100 - 16);
		guest_end(&late);
		scene_end(&scene);
	}
	host_fail_at(0);
	TMEM_EXPECT(test, k == 7);
	guest_end(&late);
	scene_end(&scene);
}

/* The same with nothing to evict: refused, and nothing of it stays. */
void test_each_allocation_fails(struct tmem_test *test)
{
	unsigned long k, i, bytes;
	struct scene scene;
	long rc, pool;

	for (k = 1; k < 100; k++) {
		scene_begin(&scene, test, 0);
		host_fail_at(k);
		pool = new_pool(&scene, k % 2 ? PERSISTENT : EPHEMERAL);
		if (pool == -ENOMEM)
			pool = new_pool(&scene, PERSISTENT);
		TMEM_EXPECT(test, pool == 0);
		scene.pool = pool;
		for (i = 0; i < 5; i++) {
			bytes = host_bytes();
			rc = put(&scene, i % 3, (i << 10) | i, i + 1);
			TMEM_EXPECT(test, rc == 1 || (rc == -ENOMEM &&
						      host_bytes() == bytes));
			TMEM_EXPECT(test, get(&scene, i % 3, (i << 10) | i) ==
				    (rc == 1 ? i + 1 : 0));
		}
		for (i = 1; i < TMEM_MAX_POOLS; i++) {
			pool = new_pool(&scene, PERSISTENT);
			if (pool == -ENOMEM)
				pool = new_pool(&scene, PERSISTENT);
			TMEM_EXPECT(test, pool == (long)i);
		}
		i = host_has_failed();
		host_fail_at(0);
		scene_end(&scene);
		if (!i)
			break;
	}
	TMEM_EXPECT(test, k > 10 && k < 100);
}

/* What Xen's allocator calls when it finds nothing */
void test_give_back(struct tmem_test *test)
{
	struct scene scene;

	TMEM_EXPECT(test, !tmem_give_back(0, 41, 0));
	scene_begin(&scene, test, EPHEMERAL);
	TMEM_EXPECT(test, !tmem_give_back(0, 41, 0));
	put_many(&scene, 1, 200);
	TMEM_EXPECT(test, tmem_give_back(0, 41, 0));
	TMEM_EXPECT(test, tmem_freeable_pages(~0ul) == 200 - 16);
	host_work_begin();
	TMEM_EXPECT(test, tmem_give_back(1, 41, 0));
	TMEM_EXPECT(test, host_work_most() == 64);
	TMEM_EXPECT(test, tmem_give_back(20, 41, 0));
	TMEM_EXPECT(test, tmem_freeable_pages(~0ul) == 200 - 16 - 2 * 64);
	host_irqs_off = true;
	TMEM_EXPECT(test, !tmem_give_back(0, 41, 0));
	host_irqs_off = false;
	/* All locks are held by others: no waiting, nothing is said to be free. */
	host_busy_locks = -1ul;
	TMEM_EXPECT(test, !tmem_give_back(0, 41, 0));
	host_busy_locks = 0;
	TMEM_EXPECT(test, tmem_freeable_pages(~0ul) == 200 - 16 - 2 * 64);
	TMEM_EXPECT(test, tmem_give_back(0, 41, 0));
	TMEM_EXPECT(test, tmem_give_back(9, 41, 0));
	TMEM_EXPECT(test, !tmem_give_back(0, 41, 0));
	TMEM_EXPECT(test, (long)tmem_freeable_pages(~0ul) == host_used);
	scene_end(&scene);
}

/* Only where any page does, wherever it is. */
void test_give_back_where_it_helps(struct tmem_test *test)
{
	struct scene scene;

	scene_begin(&scene, test, EPHEMERAL);
	put_many(&scene, 1, 200);
	/* The last frame is 0x123456: 21 bits. */
	max_page = 0x123457;
	TMEM_EXPECT(test, !tmem_give_back(0, 20, 0));
	TMEM_EXPECT(test, tmem_give_back(0, 21, 0));
	/* The last that has 20 */
	max_page = 0x100000;
	TMEM_EXPECT(test, tmem_give_back(0, 20, 0));
	TMEM_EXPECT(test, !tmem_give_back(0, 19, 0));
	max_page++;
	TMEM_EXPECT(test, !tmem_give_back(0, 20, 0));
	TMEM_EXPECT(test, tmem_give_back(0, 41, MEMF_exact_node));
	host_nodes = 2;
	TMEM_EXPECT(test, !tmem_give_back(0, 41, MEMF_exact_node | MEMF_no_scrub));
	TMEM_EXPECT(test, tmem_give_back(0, 41, MEMF_no_scrub));
	TMEM_EXPECT(test, tmem_freeable_pages(~0ul) == 200 - 4 * 16);
	TMEM_EXPECT(test, tmem_freeable_pages(5) == 5);
	TMEM_EXPECT(test, tmem_freeable_pages(500) == 200 - 4 * 16);
	scene_end(&scene);
}

/* Hosts of more than 16 TB too: the table is not smaller then. */
void test_table_for_all_memory(struct tmem_test *test)
{
	static const unsigned int bits[] = { 12, 20, 31, 32, 33, 36 };
	size_t before = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bits); i++) {
		TMEM_EXPECT(test, xen_begin(test, "0") == false);
		TMEM_EXPECT(test, !xen_parse("1"));
		total_pages = 1ul << bits[i];
		host_largest = 0;
		/* As large a table, the third allocation, is not to be had here. */
		host_fail_at(bits[i] > 20 ? 3 : 0);
		TMEM_EXPECT(test, !xen_restart());
		TMEM_EXPECT(test, !tmem_engine == (bits[i] > 20));
		TMEM_EXPECT(test, host_has_failed());
		TMEM_EXPECT(test, host_largest >= before);
		before = host_largest;
		xen_end(test);
	}
	TMEM_EXPECT(test, before == 8ul << TMEM_MAX_BUCKET_BITS);
}

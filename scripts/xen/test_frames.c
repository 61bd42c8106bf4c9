// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frames of guests: of which kinds pages are put and to which they are got, what is
 * marked dirty, and what is let go again. Those that copy check references and types.
 */
#include "scene.h"

#define KINDS	(p2m_invalid + 1)

static const bool readable[KINDS] = {
	[p2m_ram_rw] = true, [p2m_ram_logdirty] = true, [p2m_ram_ro] = true,
};

/* A shared page is made the domain's own when it is going to be written to. */
static const bool writable[KINDS] = {
	[p2m_ram_rw] = true, [p2m_ram_logdirty] = true, [p2m_ram_shared] = true,
};

void test_put_from_each_type(struct tmem_test *test)
{
	struct scene scene;
	p2m_type_t type;

	scene_begin(&scene, test, PERSISTENT);
	for (type = 0; type < KINDS; type++) {
		scene.gfn = 5;
		scene.d->frame[5].type = type;
		TMEM_EXPECT(test, put(&scene, 1, type, 100 + type) ==
			    (readable[type] ? 1 : -EFAULT));
		/* A put writes nothing. */
		TMEM_EXPECT(test, scene.d->frame[5].dirty == 0);
		TMEM_EXPECT(test, scene.d->frame[5].type == type);
		scene.gfn = 0;
		TMEM_EXPECT(test, get(&scene, 1, type) ==
			    (readable[type] ? 100 + type : 0));
		/* Over a page that is there, which goes if it fails */
		TMEM_EXPECT(test, put(&scene, 2, type, 200 + type) == 1);
		scene.gfn = 5;
		TMEM_EXPECT(test, put(&scene, 2, type, 300 + type) ==
			    (readable[type] ? 1 : -EFAULT));
		scene.gfn = 0;
		TMEM_EXPECT(test, get(&scene, 2, type) ==
			    (readable[type] ? 300 + type : 0));
	}
	scene_end(&scene);
}

static void get_to_each_type(struct tmem_test *test, uint32_t flags)
{
	struct scene scene;
	p2m_type_t type;

	scene_begin(&scene, test, flags);
	for (type = 0; type < KINDS; type++) {
		scene.gfn = 0;
		TMEM_EXPECT(test, put(&scene, 1, type, 100 + type) == 1);
		scene.gfn = 5;
		scene.d->frame[5].type = type;
		scene.d->frame[5].dirty = 0;
		tmem_test_identify(content(&scene, 5), 7);
		TMEM_EXPECT(test, page_op(&scene, TMEM_GET_PAGE, 1, type) ==
			    (writable[type] ? 1 : -EFAULT));
		TMEM_EXPECT(test, scene.d->frame[5].dirty == writable[type]);
		TMEM_EXPECT(test, tmem_test_is(content(&scene, 5), writable[type] ?
					       100 + type : 7));
		scene.gfn = 0;
		/* It stays where it could not be copied, whatever kind of pool. */
		TMEM_EXPECT(test, get(&scene, 1, type) ==
			    (writable[type] && !(flags & TMEM_POOL_PERSIST) ?
			     0 : 100 + type));
	}
	scene_end(&scene);
}

void test_get_to_each_type(struct tmem_test *test)
{
	get_to_each_type(test, PERSISTENT);
	get_to_each_type(test, EPHEMERAL);
}

/* A page table of a PV guest, or what else is never writable for it */
void test_get_to_a_page_table(struct tmem_test *test)
{
	struct scene scene;

	scene_begin(&scene, test, EPHEMERAL);
	guest_page(scene.d, 5)->untyped = true;
	scene.gfn = 5;
	TMEM_EXPECT(test, put(&scene, 1, 0, 5) == 1);
	tmem_test_identify(content(&scene, 5), 7);
	TMEM_EXPECT(test, page_op(&scene, TMEM_GET_PAGE, 1, 0) == -EFAULT);
	TMEM_EXPECT(test, tmem_test_is(content(&scene, 5), 7));
	scene.gfn = 0;
	TMEM_EXPECT(test, get(&scene, 1, 0) == 5);
	scene_end(&scene);
}

void test_frames_that_are_none(struct tmem_test *test)
{
	static const uint64_t none[] = {
		XEN_FRAMES, 1ull << 31, 1ull << 32, 1ull << 51, 1ull << 52,
		(1ull << 52) + 1, 1ull << 63, ~0ull, ~0ull - 1, ~0ull >> 12,
	};
	struct scene scene;
	unsigned int i;

	scene_begin(&scene, test, PERSISTENT);
	put_many(&scene, 1, 1);
	for (i = 0; i < ARRAY_SIZE(none); i++) {
		scene.gfn = none[i];
		TMEM_EXPECT(test, page_op(&scene, TMEM_PUT_PAGE, 2, i) == -EFAULT);
		TMEM_EXPECT(test, page_op(&scene, TMEM_GET_PAGE, 1, 0) == -EFAULT);
		set_entry(&scene, 0, TMEM_GET_PAGE, 1, 0);
		set_entry(&scene, 1, TMEM_PUT_PAGE, 2, i);
		TMEM_EXPECT(test, batch(&scene, 2) == 0);
		TMEM_EXPECT(test, entry(&scene, 0)->status == -EFAULT);
		TMEM_EXPECT(test, entry(&scene, 1)->status == -EFAULT);
	}
	scene.gfn = 0;
	TMEM_EXPECT(test, get(&scene, 1, 0) == 1);
	TMEM_EXPECT(test, usage_of(&scene).persistent_pages == 1);
	scene_end(&scene);
}

/* While a domain is migrated live all its pages are of this type. */
void test_log_dirty(struct tmem_test *test)
{
	struct scene scene;
	unsigned int i;

	scene_begin(&scene, test, PERSISTENT);
	for (i = 0; i < XEN_FRAMES; i++)
		scene.d->frame[i].type = p2m_ram_logdirty;
	for (i = 0; i < XEN_FRAMES; i++) {
		scene.gfn = i;
		TMEM_EXPECT(test, put(&scene, 1, i, i + 1) == 1);
	}
	for (i = 0; i < XEN_FRAMES; i++) {
		scene.gfn = i;
		/* Of get() each marks its frame once. */
		TMEM_EXPECT(test, get(&scene, 1, i) == i + 1);
		set_entry(&scene, i, TMEM_GET_PAGE, 1, i);
	}
	TMEM_EXPECT(test, batch(&scene, XEN_FRAMES) == 0);
	for (i = 0; i < XEN_FRAMES; i++)
		TMEM_EXPECT(test, scene.d->frame[i].dirty == 2);
	TMEM_EXPECT(test, get(&scene, 1, XEN_FRAMES) == 0);
	TMEM_EXPECT(test, scene.d->frame[scene.gfn].dirty == 2);
	scene_end(&scene);
}

static struct scene *meant;

static void make_readonly(void)
{
	meant->d->frame[5].type = p2m_ram_ro;
}

/* The type changes while the page is copied: the reference is what counts. */
void test_type_changes_meanwhile(struct tmem_test *test)
{
	struct scene scene;

	scene_begin(&scene, test, PERSISTENT);
	meant = &scene;
	scene.gfn = 5;
	TMEM_EXPECT(test, put(&scene, 1, 0, 5) == 1);
	host_on_copy = make_readonly;
	TMEM_EXPECT(test, get(&scene, 1, 0) == 5);
	TMEM_EXPECT(test, page_op(&scene, TMEM_GET_PAGE, 1, 0) == -EFAULT);
	scene_end(&scene);
}

/* The shim aborts if what was in a frame before is handed on. */
void test_nobody_sees_what_was_there(struct tmem_test *test)
{
	struct scene scenes[2];
	unsigned int i;

	TMEM_EXPECT(test, xen_begin(test, ALL));
	guest_begin(&scenes[0], test, 1, EPHEMERAL);
	guest_begin(&scenes[1], test, 2, PERSISTENT);
	for (i = 0; i < 100; i++) {
		scenes[0].gfn = i % 3 ? 0 : XEN_FRAMES;
		scenes[1].gfn = i % 4 ? 0 : XEN_FRAMES;
		page_op(&scenes[0], TMEM_PUT_PAGE, i % 5, i);
		page_op(&scenes[1], TMEM_PUT_PAGE, i % 5, i);
		scenes[0].gfn = 1;
		scenes[1].gfn = 1;
		tmem_test_identify(content(&scenes[0], 1), 9);
		page_op(&scenes[0], TMEM_GET_PAGE, i % 5, i);
		TMEM_EXPECT(test, tmem_test_is(content(&scenes[0], 1),
					       i % 3 ? 0 : 9));
	}
	guest_end(&scenes[0]);
	guest_end(&scenes[1]);
	xen_end(test);
}

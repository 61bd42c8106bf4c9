// SPDX-License-Identifier: GPL-2.0-only
/*
 * What tests of Xen's side begin with.
 */
#include "scene.h"

extern int (*const xen_param_parse_tmem)(const char *s);
extern int (*const xen_initcall_tmem_init)(void);

int xen_parse(const char *parameter)
{
	return xen_param_parse_tmem(parameter);
}

bool xen_restart(void)
{
	tmem_engine = NULL;
	return xen_initcall_tmem_init();
}

bool xen_begin(struct tmem_test *test, const char *parameter)
{
	TMEM_EXPECT(test, !xen_parse("0,dom0=0,domu=0,persistent=0"));
	TMEM_EXPECT(test, !xen_parse(parameter));
	total_pages = max_page = 1 << 15;
	host_used = 0;
	host_xsm = 0;
	host_no_memory = false;
	host_nodes = 1;
	host_preempts = NULL;
	host_on_copy = NULL;
	host_on_alloc = NULL;
	host_on_continue = NULL;
	host_continued = 0;
	TMEM_EXPECT(test, !xen_restart());
	return tmem_engine;
}

/* Nothing is left, neither pages nor charges: those who died have checked theirs. */
void xen_end(struct tmem_test *test)
{
	host_quiesce();
	TMEM_EXPECT(test, !domain_list);
	TMEM_EXPECT(test, !tmem_freeable_pages(~0ul));
	TMEM_EXPECT(test, !host_used);
	if (tmem_engine)
		tmem_engine_destroy(tmem_engine);
	tmem_engine = NULL;
}

void guest_begin(struct scene *scene, struct tmem_test *test, unsigned int id,
		 uint32_t flags)
{
	*scene = (struct scene){
		.test = test, .d = guest_create(id, !id), .pool = -1,
	};
	scene->v.domain = scene->d;
	if (flags)
		scene->pool = new_pool(scene, flags);
	TMEM_EXPECT(test, !flags || scene->pool == 0);
}

unsigned long guest_end(struct scene *scene)
{
	return guest_destroy(scene->d);
}

void scene_begin(struct scene *scene, struct tmem_test *test, uint32_t flags)
{
	TMEM_EXPECT(test, xen_begin(test, ALL));
	guest_begin(scene, test, 1, flags);
}

unsigned long scene_end(struct scene *scene)
{
	unsigned long restarts = guest_end(scene);

	xen_end(scene->test);
	return restarts;
}

long call(struct scene *scene, const struct tmem_op *op)
{
	memcpy(scene->d->memory, op, sizeof(*op));
	return guest_call(&scene->v, OP_AT);
}

long new_pool(struct scene *scene, uint32_t flags)
{
	struct tmem_op op = { .cmd = TMEM_NEW_POOL, .u.creat.flags = flags };

	return call(scene, &op);
}

long page_op(struct scene *scene, uint32_t cmd, uint64_t oid, uint32_t index)
{
	struct tmem_op op = { .cmd = cmd, .pool_id = scene->pool };

	op.u.gen.oid.oid[0] = oid;
	op.u.gen.index = index;
	op.u.gen.cmfn = scene->gfn;
	return call(scene, &op);
}

long pool_op(struct scene *scene, uint32_t cmd, int32_t pool)
{
	struct tmem_op op = { .cmd = cmd, .pool_id = pool };

	return call(scene, &op);
}

long flush_range(struct scene *scene, uint64_t oid, uint32_t index, uint32_t len)
{
	struct tmem_op op = { .cmd = TMEM_FLUSH_RANGE, .pool_id = scene->pool };

	op.u.gen.oid.oid[0] = oid;
	op.u.gen.index = index;
	op.u.gen.len = len;
	return call(scene, &op);
}

struct tmem_test_page *content(struct scene *scene, unsigned int gfn)
{
	return (struct tmem_test_page *)guest_page(scene->d, gfn)->content;
}

long put(struct scene *scene, uint64_t oid, uint32_t index, uint64_t identity)
{
	tmem_test_identify(content(scene, scene->gfn), identity);
	return page_op(scene, TMEM_PUT_PAGE, oid, index);
}

uint64_t get(struct scene *scene, uint64_t oid, uint32_t index)
{
	struct tmem_test_page *page = content(scene, scene->gfn);
	unsigned int dirty = scene->d->frame[scene->gfn].dirty;
	long rc;

	tmem_test_identify(page, ~1ull);
	rc = page_op(scene, TMEM_GET_PAGE, oid, index);
	if (rc != 1)
		return (rc == 0 || rc == -EEMPTY) && tmem_test_is(page, ~1ull) &&
			scene->d->frame[scene->gfn].dirty == dirty ? 0 : ~0ull;
	return tmem_test_whole(page) && page->word[0] != ~1ull &&
		scene->d->frame[scene->gfn].dirty == dirty + 1 ?
		page->word[0] : ~0ull;
}

long batch(struct scene *scene, uint32_t nr)
{
	struct tmem_op op = {
		.cmd = TMEM_BATCH, .u.batch = { .nr = nr, .entries = ENTRIES_AT },
	};

	return call(scene, &op);
}

long control(struct scene *scene, uint32_t cmd)
{
	struct xen_sysctl_tmem_op op = {
		.cmd = cmd, .cli_id = scene->d->domain_id,
	};

	return guest_control(&scene->v, &op);
}

long set_client(struct scene *scene, uint32_t flags, uint32_t weight,
		uint64_t quota)
{
	struct xen_sysctl_tmem_op op = {
		.cmd = XEN_SYSCTL_TMEM_OP_SET_CLIENT_INFO,
		.cli_id = scene->d->domain_id,
		.u.client = { .flags = flags, .weight = weight, .quota = quota },
	};

	return guest_control(&scene->v, &op);
}

struct xen_sysctl_tmem_client client_of(struct scene *scene)
{
	struct xen_sysctl_tmem_op op = {
		.cmd = XEN_SYSCTL_TMEM_OP_GET_CLIENT_INFO,
		.cli_id = scene->d->domain_id,
	};

	TMEM_EXPECT(scene->test, guest_control(&scene->v, &op) == 0);
	return op.u.client;
}

struct tmem_batch_entry *entry(struct scene *scene, unsigned int i)
{
	return (struct tmem_batch_entry *)(scene->d->memory + ENTRIES_AT -
					   GUEST_BASE) + i;
}

void set_entry(struct scene *scene, unsigned int i, uint32_t cmd, uint64_t oid,
	       uint32_t index)
{
	*entry(scene, i) = (struct tmem_batch_entry){
		.cmd = cmd, .status = 12345, .pool_id = scene->pool,
		.index = index, .oid = { oid }, .gfn = scene->gfn,
	};
}

struct tmem_usage usage_of(struct scene *scene)
{
	struct tmem_usage usage = {};

	if (scene->d->tmem)
		tmem_client_usage(scene->d->tmem->client, &usage);
	return usage;
}

void put_many(struct scene *scene, uint64_t oid, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		TMEM_EXPECT(scene->test, put(scene, oid, i, i + 1) == 1);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hypercalls that libFuzzer chooses, of three domains. What two of them, one of 32 bits,
 * are told and get is compared with a model: a page is what was put last under this
 * handle, or it is gone. The third one gives any bytes, and tampers with those of calls
 * that are continued. Meanwhile memory is short, frames change their types, pages are
 * evicted, domains are reset or die, and an administrator makes sysctls about them, also
 * of any bytes: what he is told is compared too.
 */
#include "fuzz.h"

static const uint32_t indexes[INDEXES] = {
	0, 1, 2, 15, 16, 17, 255, 256, 1u << 31, (1u << 31) + 1, ~0u - 1, ~0u,
};

static const uint64_t oids[OIDS][3] = {
	{ 0, 0, 0 }, { 1, 0, 0 }, { 0, 1ull << 63, 0 }, { 1, 0, ~0ull },
};

static const uint32_t kinds[] = {
	EPHEMERAL, PERSISTENT, EPHEMERAL | TMEM_POOL_SHARED, PERSISTENT,
	PERSISTENT | TMEM_POOL_SHARED, 0, EPHEMERAL | 1 << 4, ~0u,
};

/* A page of a guest as the model names it; @pool may be POOLS and more: none. */
struct handle {
	uint32_t cmd;
	unsigned int pool;
	unsigned int oid;
	unsigned int index;
	unsigned int gfn;
	uint64_t identity;
	bool	readable;
	bool	writable;
};

struct tmem_test *fuzz;
struct guest guests[DOMAINS];
static uint64_t last_identity;
static unsigned int next_id;
static long taken;

unsigned int pick(unsigned int n)
{
	return tmem_test_random(fuzz) % n;
}

static bool chosen_preempts(void)
{
	return pick(4) == 1;
}

static void fill_frame(struct guest *guest, unsigned int gfn, uint64_t identity)
{
	tmem_test_identify(content(&guest->scene, gfn), identity);
}

/* Identities tell whose they are. */
static uint64_t new_identity(struct guest *guest)
{
	return ++last_identity << 8 | (guest - guests + 1);
}

static bool is_persistent(struct guest *guest, unsigned int pool)
{
	return guest->pool[pool] & TMEM_POOL_PERSIST;
}

static void set_frame(struct guest *guest, struct handle *handle, unsigned int gfn)
{
	p2m_type_t type = p2m_invalid;

	handle->gfn = gfn;
	if (gfn < FRAMES)
		type = guest->scene.d->frame[gfn].type;
	handle->readable = type == p2m_ram_rw || type == p2m_ram_logdirty ||
		type == p2m_ram_ro;
	handle->writable = type == p2m_ram_rw || type == p2m_ram_logdirty ||
		type == p2m_ram_shared;
}

static struct handle some_handle(struct guest *guest)
{
	struct handle handle = {
		.cmd = TMEM_PUT_PAGE + pick(3), .pool = pick(POOLS + 2),
		.oid = pick(OIDS), .index = pick(INDEXES),
	};
	unsigned int gfn = pick(FRAMES + 1);

	set_frame(guest, &handle, gfn < FRAMES ? gfn : XEN_FRAMES + pick(200));
	return handle;
}

/* Pools that are none: the next ones, and what is negative */
static int pool_id(unsigned int pool)
{
	return pool < POOLS ? (int)pool : pool == POOLS ? INT_MIN : 16;
}

static void expect_put(struct guest *guest, const struct handle *handle, long rc,
		       uint64_t *page)
{
	CHECK(rc == 1 || rc == -ENOMEM || rc == -ENOSPC || rc == -EFAULT ||
	      rc == -EFROZEN);
	if (rc == 1)
		CHECK(handle->readable);
	/* What is evicted meanwhile is new. */
	if (rc == -EFROZEN)
		CHECK(guest->flags & XEN_SYSCTL_TMEM_FROZEN &&
		      (!*page || !is_persistent(guest, handle->pool)));
	if (guest->flags & XEN_SYSCTL_TMEM_FROZEN && !*page)
		CHECK(rc != 1 || is_foreign(guest, handle->pool));
	/* Without memory nobody has looked at the frame. */
	if (rc == -EFAULT)
		CHECK(!handle->readable);
	if (rc == -ENOSPC && is_persistent(guest, handle->pool))
		CHECK(*page);
	*page = rc == 1 ? handle->identity : 0;
	was_put(guest, handle->pool, handle->identity);
}

static void expect_miss(struct guest *guest, const struct handle *handle, long rc,
			uint64_t *page)
{
	unsigned int i;

	if (is_persistent(guest, handle->pool)) {
		CHECK(!*page);
		for (i = 0; rc == -EEMPTY && i < OIDS * INDEXES; i++)
			CHECK(!(&guest->page[handle->pool][0][0])[i]);
	}
	*page = 0;
}

/* @got: what is in the frame then */
static void expect_get(struct guest *guest, const struct handle *handle, long rc,
		       uint64_t *page, const struct tmem_test_page *got)
{
	if (rc == 0 || rc == -EEMPTY) {
		expect_miss(guest, handle, rc, page);
		return;
	}
	CHECK(*page || is_foreign(guest, handle->pool));
	if (rc == -EFAULT) {
		CHECK(!handle->writable);
		return;
	}
	CHECK(rc == 1 && handle->writable);
	if (got && is_foreign(guest, handle->pool))
		CHECK(may_be_in(1u << guest->uuid[handle->pool], got));
	else if (got)
		CHECK(tmem_test_is(got, *page));
	if (!is_persistent(guest, handle->pool) && !guest->uuid[handle->pool])
		*page = 0;
}

/* Who may have no pools is told nothing else as soon as the last one is gone. */
static bool has_tmem(const struct guest *guest)
{
	unsigned int i;

	for (i = 0; i < POOLS; i++)
		if (guest->pool[i])
			return true;
	return guest->flags & XEN_SYSCTL_TMEM_ENABLED;
}

static void expect(struct guest *guest, const struct handle *handle, long rc,
		   bool alone)
{
	uint64_t *page;

	if (!has_tmem(guest)) {
		CHECK(rc == -ENOSYS);
		return;
	}
	if (handle->pool >= POOLS || !guest->pool[handle->pool]) {
		CHECK(rc == -ENODEV);
		return;
	}
	page = page_of(guest, handle->pool, handle->oid, handle->index);
	switch (handle->cmd) {
	case TMEM_PUT_PAGE:
		expect_put(guest, handle, rc, page);
		break;
	case TMEM_GET_PAGE:
		expect_get(guest, handle, rc, page, alone && handle->gfn < FRAMES ?
			   content(&guest->scene, handle->gfn) : NULL);
		break;
	case TMEM_FLUSH_PAGE:
		CHECK(rc == 1);
		*page = 0;
		break;
	}
}

static void name_page(struct tmem_op *op, const struct handle *handle)
{
	op->pool_id = pool_id(handle->pool);
	memcpy(op->u.gen.oid.oid, oids[handle->oid], sizeof(oids[0]));
	op->u.gen.index = indexes[handle->index];
	op->u.gen.cmfn = handle->gfn;
}

static void one_page(struct guest *guest)
{
	struct handle handle = some_handle(guest);
	struct tmem_op op = { .cmd = handle.cmd };

	name_page(&op, &handle);
	handle.identity = new_identity(guest);
	if (handle.gfn < FRAMES)
		fill_frame(guest, handle.gfn, handle.identity);
	expect(guest, &handle, call(&guest->scene, &op), true);
}

static void flushed(struct guest *guest, unsigned int pool, unsigned int oid,
		    uint64_t first, uint64_t last)
{
	unsigned int i;

	for (i = 0; i < INDEXES; i++)
		if (indexes[i] >= first && indexes[i] <= last)
			*page_of(guest, pool, oid, i) = 0;
}

/* Pages that stay when they are got: all of an object */
static void check_object(struct guest *guest, unsigned int pool, unsigned int oid)
{
	struct handle handle = { .cmd = TMEM_GET_PAGE, .pool = pool, .oid = oid };

	if (!is_persistent(guest, pool))
		return;
	for (; handle.index < INDEXES; handle.index++) {
		struct tmem_op op = { .cmd = TMEM_GET_PAGE };

		set_frame(guest, &handle, 0);
		name_page(&op, &handle);
		expect(guest, &handle, call(&guest->scene, &op), true);
	}
}

static void many_pages(struct guest *guest)
{
	struct handle handle = some_handle(guest);
	struct tmem_op op = {
		.cmd = pick(2) ? TMEM_FLUSH_RANGE : TMEM_FLUSH_OBJECT,
	};
	uint64_t first = indexes[handle.index], last = ~0ull;
	long rc;

	name_page(&op, &handle);
	op.u.gen.len = pick(2) ? ~0u - pick(3) : pick(40);
	rc = call(&guest->scene, &op);
	if (handle.pool >= POOLS || !guest->pool[handle.pool]) {
		CHECK(rc == (has_tmem(guest) ? -ENODEV : -ENOSYS));
		return;
	}
	CHECK(rc == 1);
	if (op.cmd == TMEM_FLUSH_OBJECT) {
		first = 0;
	} else {
		if (!op.u.gen.len)
			return;
		last = first + op.u.gen.len - 1;
	}
	flushed(guest, handle.pool, handle.oid, first, last);
	check_object(guest, handle.pool, handle.oid);
}

/* @frames: what was in them before */
static void expect_batch(struct guest *guest, struct handle *handles, unsigned int n,
			 uint64_t frames[FRAMES])
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		struct handle *handle = &handles[i];
		long rc = entry(&guest->scene, i)->status;
		uint64_t page = 0;

		if (handle->pool < POOLS)
			page = *page_of(guest, handle->pool, handle->oid,
					handle->index);
		if (handle->gfn < FRAMES)
			handle->identity = frames[handle->gfn];
		if (handle->cmd == TMEM_GET_PAGE && rc == 1)
			frames[handle->gfn] = page;
		expect(guest, handle, rc, false);
	}
	for (i = 0; i < FRAMES; i++)
		CHECK(tmem_test_is(content(&guest->scene, i), frames[i]));
}

/* What a guest has to do when it does not know: it flushes all of them. */
static void flush_all_of(struct guest *guest, const struct handle *handles,
			 unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		struct handle handle = handles[i];
		struct tmem_op op = { .cmd = TMEM_FLUSH_PAGE };

		handle.cmd = TMEM_FLUSH_PAGE;
		name_page(&op, &handle);
		expect(guest, &handle, call(&guest->scene, &op), true);
	}
}

static void some_batch(struct guest *guest)
{
	struct scene *scene = &guest->scene;
	struct handle handles[ENTRIES];
	unsigned int n = 1 + pick(ENTRIES), i;
	uint64_t frames[FRAMES];
	bool unknown = false;
	long rc;

	for (i = 0; i < FRAMES; i++) {
		frames[i] = new_identity(guest);
		fill_frame(guest, i, frames[i]);
		/* It becomes a writable one in between. */
		unknown |= scene->d->frame[i].type == p2m_ram_shared;
	}
	for (i = 0; i < n; i++) {
		handles[i] = some_handle(guest);
		unknown |= is_foreign(guest, handles[i].pool);
		scene->pool = pool_id(handles[i].pool);
		scene->gfn = handles[i].gfn;
		set_entry(scene, i, handles[i].cmd, 0, indexes[handles[i].index]);
		memcpy(entry(scene, i)->oid, oids[handles[i].oid], sizeof(oids[0]));
	}
	/* Somewhere in them the guest's memory may end for who writes. */
	if (pick(4) == 1)
		scene->d->read_only = ENTRIES_AT - GUEST_BASE +
			pick(n) * sizeof(struct tmem_batch_entry) + pick(48);
	rc = batch(scene, n);
	if (!has_tmem(guest)) {
		CHECK(rc == -ENOSYS);
		scene->d->read_only = XEN_MEMORY;
		return;
	}
	CHECK(!rc || (rc == -EFAULT && scene->d->read_only < XEN_MEMORY));
	scene->d->read_only = XEN_MEMORY;
	if (rc || unknown)
		flush_all_of(guest, handles, n);
	else
		expect_batch(guest, handles, n, frames);
}

static void some_pool(struct guest *guest)
{
	unsigned int pool = pick(POOLS), i;
	uint32_t flags = kinds[pick(ARRAY_SIZE(kinds))];
	struct tmem_op op = { .cmd = TMEM_NEW_POOL };
	unsigned int uuid;
	bool bad;
	long rc;

	if (pick(4) == 1) {
		rc = pool_op(&guest->scene, TMEM_DESTROY_POOL, pool);
		/* It may end with a part that has nothing to do any more. */
		CHECK(has_tmem(guest) ? rc == (guest->pool[pool] || guest->lost[pool]) :
		      rc == -ENOSYS);
		if (rc != -ENOSYS)
			forget_pool(guest, pool, true);
		return;
	}
	for (i = 0; i < POOLS && (guest->pool[i] || guest->lost[i]); i++)
		;
	if (i == POOLS)
		return;
	uuid = flags == (EPHEMERAL | TMEM_POOL_SHARED) ? pick(UUIDS + 1) : 0;
	op.u.creat.flags = flags;
	op.u.creat.uuid[1] = uuid;
	rc = call(&guest->scene, &op);
	CHECK((rc == -ENOSYS) == !(guest->flags & XEN_SYSCTL_TMEM_ENABLED));
	if (rc == -ENOSYS)
		return;
	CHECK(rc == (long)i || rc == -EPERM || rc == -ENOMEM);
	bad = !flags || flags == ~0u || (flags & 0xf0) || (flags & 3) == 3 ||
		(flags & ~guest->flags & TMEM_POOL_PERSIST);
	CHECK(bad ? rc == -EPERM || rc == -ENOMEM : rc != -EPERM);
	if (!(guest->auth & 1u << uuid))
		uuid = 0;
	/* Even without memory for the second one */
	if (uuid)
		lose_shared(guest, uuid);
	if (rc != (long)i)
		return;
	guest->pool[i] = flags;
	guest->uuid[i] = uuid;
}

void any_bytes(void *to, size_t size)
{
	uint8_t *at = to;

	while (size--)
		*at++ = tmem_test_random(fuzz);
}

static void tamper(void)
{
	struct domain *d = current ? current->domain : guests[HOSTILE].scene.d;

	if (d == guests[HOSTILE].scene.d && pick(2))
		any_bytes(d->memory + pick(56), pick(8));
}

/* Bytes of which some are what they should be */
static void hostile_call(struct guest *guest)
{
	static const uint64_t places[] = {
		OP_AT, OP_AT, OP_AT, 0, GUEST_BASE + XEN_MEMORY - 52,
		GUEST_BASE + XEN_MEMORY - 30, ~0ull,
	};
	struct domain *d = guest->scene.d;
	unsigned int i;
	struct tmem_op op;

	any_bytes(&op, sizeof(op));
	op.cmd %= 20;
	if (pick(4))
		op.pool_id &= 3;
	if (op.cmd == TMEM_NEW_POOL && pick(4)) {
		op.u.creat.flags = kinds[op.u.creat.flags % 4];
		op.u.creat.uuid[0] = 0;
		op.u.creat.uuid[1] %= UUIDS + 1;
	}
	may_put_anything(guest);
	if (op.cmd == TMEM_BATCH && pick(4)) {
		op.u.batch.nr %= ENTRIES;
		op.u.batch.done &= 3;
		op.u.batch.entries = GUEST_BASE + pick(200) * 128;
	} else if (op.cmd >= TMEM_PUT_PAGE && op.cmd <= TMEM_FLUSH_OBJECT && pick(4)) {
		memcpy(op.u.gen.oid.oid, oids[pick(OIDS)], sizeof(oids[0]));
		op.u.gen.cmfn %= FRAMES;
	}
	memcpy(d->memory, &op, sizeof(op));
	for (i = 0; i < FRAMES; i++)
		fill_frame(guest, i, new_identity(guest));
	guest->scene.v.hcall_compat = pick(2);
	guest_call(&guest->scene.v, places[pick(ARRAY_SIZE(places))]);
	/* Whatever it was: no other page is there than it may share, and no torn one. */
	for (i = 0; i < FRAMES; i++)
		CHECK(may_be_in(guest->auth, content(&guest->scene, i)));
}

static void guest_lives(struct guest *guest)
{
	memset(guest, 0, sizeof(*guest));
	/* The first one is dom0. */
	guest_begin(&guest->scene, fuzz, guest == guests ? 0 : ++next_id, 0);
	guest->scene.v.hcall_compat = guest == &guests[1];
	guest->flags = ENABLED;
	guest->weight = 1;
	guest->quota = XEN_SYSCTL_TMEM_NO_QUOTA;
	authorise(guest);
}

void forget_pools(struct guest *guest)
{
	unsigned int i;

	for (i = 0; i < POOLS; i++)
		forget_pool(guest, i, false);
}

static void lose_all(struct guest *guest)
{
	struct scene scene = guest->scene;

	if (pick(2)) {
		guest_end(&scene);
		forget_pools(guest);
		guest_lives(guest);
		return;
	}
	while (tmem_soft_reset(scene.d))
		;
	forget_pools(guest);
}

/* What others do to the host and to the domain */
static void meanwhile(struct guest *guest)
{
	struct domain *d = guest->scene.d;
	unsigned int gfn = pick(FRAMES);

	switch (pick(12)) {
	case 0:
		tmem_give_back(pick(8), 41, 0);
		break;
	case 1:
		host_fail_at(pick(6));
		break;
	case 2:
		host_no_memory = pick(8) == 1;
		break;
	case 3:
		host_busy_locks = pick(2) * 8;
		break;
	case 4:
		d->frame[gfn].type = pick(p2m_invalid + 1);
		break;
	case 5:
		guest_grow(d, pick(8));
		break;
	case 6:
		if (d->tot_pages > XEN_FRAMES)
			guest_shrink(d, 1);
		break;
	case 7:
		/* Never less than there is */
		d->max_pages = domain_tot_pages(d) + d->tmem_pages + pick(200);
		break;
	case 8:
		host_used -= taken;
		taken = pick(4) == 1 ? total_pages - total_pages / 128 - 4 : 0;
		host_used += taken;
		break;
	case 9:
		if (pick(4) == 1)
			lose_all(guest);
		break;
	case 10:
	case 11:
		administrate(guest);
		break;
	}
}

static void check_host(void)
{
	long pages = taken + tmem_freeable_pages(~0ul);
	unsigned int i;

	for (i = 0; i < DOMAINS; i++) {
		struct domain *d = guests[i].scene.d;
		struct tmem_usage usage = usage_of(&guests[i].scene);

		pages += usage.persistent_pages;
		CHECK(domain_tot_pages(d) + d->tmem_pages <= d->max_pages);
		CHECK(d->tmem_pages >= usage.persistent_pages);
	}
	CHECK(pages == host_used);
}

static void one_step(void)
{
	struct guest *guest = &guests[pick(DOMAINS)];
	unsigned int what = pick(12);

	if (what >= 9)
		meanwhile(guest);
	else if (guest == &guests[HOSTILE])
		hostile_call(guest);
	else if (what < 5)
		one_page(guest);
	else if (what < 6)
		many_pages(guest);
	else if (what < 8)
		some_batch(guest);
	else
		some_pool(guest);
	check_host();
}

static void say(struct tmem_test *test, const char *what, const char *file,
		int line)
{
	printf("%s:%d: %s\n", file, line, what);
}

/* libFuzzer has another name for it, given by who compiles this. */
int fuzz_one_input(const uint8_t *input, size_t size);

int fuzz_one_input(const uint8_t *input, size_t size)
{
	struct tmem_test test = { .seed = 1, .say = say };
	unsigned long bytes = host_bytes();
	unsigned int i;

	if (!size)
		return 0;
	fuzz = &test;
	CHECK(xen_begin(&test, ALL));
	next_id = 0;
	taken = 0;
	forget_shared(last_identity);
	last_identity = 0;
	for (i = 0; i < DOMAINS; i++)
		guest_lives(&guests[i]);
	test.input = input;
	test.left = size;
	host_preempts = chosen_preempts;
	host_on_continue = tamper;
	while (test.left)
		one_step();
	host_preempts = NULL;
	host_on_continue = NULL;
	host_used -= taken;
	host_fail_at(0);
	for (i = 0; i < DOMAINS; i++)
		guest_end(&guests[i].scene);
	xen_end(&test);
	CHECK(!test.failures && host_bytes() == bytes);
	return 0;
}

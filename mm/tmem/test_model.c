// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random operations on a tmem engine, and on a model of it that knows what must come
 * out, the order of eviction included: one stripe.
 */
#include "test.h"

#define MODEL_CLIENTS	3
#define MODEL_POOLS	3
#define MODEL_OIDS	4
#define MODEL_INDEXES	24
#define MODEL_UUIDS	2
/* A pool each, and after them those that can be shared */
#define MODEL_SHARED	(MODEL_CLIENTS * MODEL_POOLS)
#define MODEL_SPACES	(MODEL_SHARED + MODEL_UUIDS)
#define MODEL_PER_SPACE	(MODEL_OIDS * MODEL_INDEXES)
#define MODEL_PAGES	(MODEL_SPACES * MODEL_PER_SPACE)
#define MODEL_OPS	4000
/* As in the engine */
#define MODEL_BATCH	16
#define MODEL_MOST	62	/* pages evicted for one put */

/**
 * struct model_page - what should be there
 * @identity: Its content, or 0.
 * @stamp: When it was put.
 * @filled: It needs no memory.
 */
struct model_page {
	u64	identity;
	u64	stamp;
	bool	filled;
};

/**
 * struct model_space - what is in a pool
 * @flags: What kind of pool it is.
 * @nr: Clients that have it.
 * @member: Which; the first one is charged.
 * @page: Its pages.
 */
struct model_space {
	u32	flags;
	unsigned int nr;
	int	member[MODEL_CLIENTS];
	struct model_page page[MODEL_OIDS][MODEL_INDEXES];
};

/**
 * struct model - all that should be there
 * @test: The test.
 * @client: The clients.
 * @pool: Ids of their pools.
 * @of: What is in these, an index of @space.
 * @weight: Of the clients.
 * @limit: Persistent pages of the clients.
 * @frozen: Clients that are.
 * @space: What is in all pools.
 * @capacity: Of the store.
 * @stamp: The last one.
 * @identity: The last one.
 */
struct model {
	struct tmem_test *test;
	struct tmem_client *client[MODEL_CLIENTS];
	int	pool[MODEL_CLIENTS][MODEL_POOLS];
	int	of[MODEL_CLIENTS][MODEL_POOLS];
	u32	weight[MODEL_CLIENTS];
	unsigned long limit[MODEL_CLIENTS];
	bool	frozen[MODEL_CLIENTS];
	struct model_space space[MODEL_SPACES];
	unsigned long capacity;
	u64	stamp;
	u64	identity;
};

/* Close to each other, far away, and where the tree has to grow */
static const u64 model_index[MODEL_INDEXES] = {
	0, 1, 2, 14, 15, 16, 17, 31, 32, 255, 256, 257, 4095, 4096, 65535,
	65536, 0xffffffff, 0x100000000, 0x1000000000000000, 0x7fffffffffffffff,
	0x8000000000000000, 0xfffffffffffffff0, 0xfffffffffffffffe,
	0xffffffffffffffff,
};

/* They differ in one bit, in each of the words. */
static const u64 model_oid[MODEL_OIDS][3] = {
	{ 0, 0, 0 }, { 1, 0, 0 }, { 0, 0x8000000000000000, 0 }, { 0, 0, 1 },
};

static bool model_is_filled(u64 identity)
{
	return identity % 7 == 0;
}

static bool model_is_persistent(const struct model_space *space)
{
	return space->flags & TMEM_FLAG_PERSISTENT;
}

static struct model_page *model_any(struct model *model, unsigned int i)
{
	return &model->space[i / MODEL_PER_SPACE].page[0][0] + i % MODEL_PER_SPACE;
}

/* Of the pages of client @c of this kind, or NULL */
static struct model_page *model_of(struct model *model, unsigned int i, int c,
				   bool persistent)
{
	const struct model_space *space = &model->space[i / MODEL_PER_SPACE];
	struct model_page *page = model_any(model, i);

	return page->identity && space->member[0] == c &&
		model_is_persistent(space) == persistent ? page : NULL;
}

static unsigned long model_used(struct model *model)
{
	unsigned long used = 0;
	unsigned int i;

	for (i = 0; i < MODEL_PAGES; i++)
		used += model_any(model, i)->identity &&
			!model_any(model, i)->filled;
	return used;
}

static unsigned long model_pages(struct model *model, int c, bool persistent)
{
	unsigned long pages = 0;
	unsigned int i;

	for (i = 0; i < MODEL_PAGES; i++)
		pages += !!model_of(model, i, c, persistent);
	return pages;
}

static struct model_page *model_oldest(struct model *model, int c)
{
	struct model_page *oldest = NULL, *page;
	unsigned int i;

	for (i = 0; i < MODEL_PAGES; i++) {
		page = model_of(model, i, c, false);
		if (page && (!oldest || page->stamp < oldest->stamp))
			oldest = page;
	}
	return oldest;
}

static int model_victim(struct model *model)
{
	u64 most = 0, weight = 1;
	int victim = -1, c;

	for (c = 0; c < MODEL_CLIENTS; c++) {
		u64 pages = model_pages(model, c, false);

		if (!pages || pages * weight < most * model->weight[c] ||
		    (victim >= 0 && pages * weight == most * model->weight[c]))
			continue;
		victim = c;
		most = pages;
		weight = model->weight[c];
	}
	return victim;
}

/* What the engine evicts when it is asked for @n pages. Returns how many. */
static unsigned long model_evict(struct model *model, unsigned long n)
{
	unsigned long done = 0, batch;
	int victim;

	while (done < n && (victim = model_victim(model)) >= 0) {
		for (batch = 0; done < n && batch < MODEL_BATCH; batch++) {
			struct model_page *page = model_oldest(model, victim);

			if (!page)
				break;
			page->identity = 0;
			done++;
		}
	}
	return done;
}

static int model_put(struct model *model, int c, bool persistent,
		     struct model_page *page, u64 identity)
{
	bool full = persistent &&
		model_pages(model, c, true) >= model->limit[c];
	bool needs = !model_is_filled(identity);
	bool in_place = page->identity && !page->filled &&
		!(page->identity & 1) && (model->frozen[c] || full ||
		(needs && model_used(model) >= model->capacity));
	unsigned int left = MODEL_MOST, evicted;
	int error = 0;

	if (!page->identity && model->frozen[c])
		return -EROFS;
	if (!page->identity && full)
		return -ENOMEM;
	if (!in_place && needs) {
		while (model_used(model) >= model->capacity) {
			evicted = model_evict(model, left < MODEL_BATCH ?
					      left : MODEL_BATCH);
			left -= evicted;
			error = evicted ? 0 : -ENOMEM;
			if (error)
				break;
		}
	}
	/* Its older page may just have been evicted. */
	if (!error && !page->identity && model->frozen[c])
		return -EROFS;
	if (error && page->identity)
		error = -ENOSPC;
	page->identity = error ? 0 : identity;
	page->filled = !in_place && !needs;
	page->stamp = ++model->stamp;
	return error;
}

static void model_op_put(struct model *model, int c, int p,
			 struct model_page *page,
			 const struct tmem_handle *handle)
{
	bool persistent = model_is_persistent(&model->space[model->of[c][p]]);
	struct tmem_test *test = model->test;
	struct tmem_test_page source;
	unsigned int chance = tmem_test_random(test) % 64;
	bool bad = chance < 2;
	int got, want;

	tmem_test_identify(&source, ++model->identity);
	if (chance == 1)
		source.word[7] = TMEM_TEST_UNREADABLE;
	got = tmem_put(model->client[c], handle, chance ? &source : NULL);
	if (!bad) {
		want = model_put(model, c, persistent, page,
				 model->identity);
		TMEM_EXPECT(test, got == want);
		return;
	}
	/* A client that may not add is told that first. */
	TMEM_EXPECT(test, got == -EFAULT || (got == -EROFS && !page->identity) ||
		    (got == -ENOMEM && !page->identity));
	page->identity = 0;
}

static void model_op_get(struct model *model, int c, int p,
			 struct model_page *page,
			 const struct tmem_handle *handle)
{
	struct tmem_test *test = model->test;
	bool bad = tmem_test_random(test) % 32 == 0;
	static const unsigned int flags[] = { TMEM_GET_EXCLUSIVE, TMEM_GET_KEEP,
					      TMEM_GET_REMOVE, 0, 0, 0 };
	unsigned int flag = flags[tmem_test_random(test) % 6];
	bool stays = flag == TMEM_GET_KEEP ||
		(!flag && model->space[model->of[c][p]].flags &
		 (TMEM_FLAG_PERSISTENT | TMEM_FLAG_SHARED));
	struct tmem_test_page target = {};
	int got;

	got = tmem_get(model->client[c], handle, bad ? NULL : &target, flag);
	if (!page->identity) {
		TMEM_EXPECT(test, got == -ENOENT);
		TMEM_EXPECT(test, tmem_test_is(&target, 0));
		return;
	}
	TMEM_EXPECT(test, got == (bad ? -EFAULT : 0));
	if (!bad)
		TMEM_EXPECT(test, tmem_test_is(&target, page->identity));
	if (stays)
		page->stamp = ++model->stamp;
	else if (!bad || flag == TMEM_GET_REMOVE)
		page->identity = 0;
}

static void model_op_flush(struct model *model, int c, int p, int o,
			   struct model_page *page,
			   const struct tmem_handle *handle)
{
	struct tmem_test *test = model->test;
	unsigned int what = tmem_test_random(test) % 16, i;
	u64 last = model_index[tmem_test_random(test) % MODEL_INDEXES];
	int flushed = 0, got;

	if (what > 3) {
		TMEM_EXPECT(test, tmem_flush_page(model->client[c], handle) ==
			    (page->identity ? 0 : -ENOENT));
		page->identity = 0;
		return;
	}
	for (i = 0; i < MODEL_INDEXES; i++) {
		page = &model->space[model->of[c][p]].page[o][i];
		if (what && (model_index[i] < handle->index ||
			     model_index[i] > last))
			continue;
		flushed += !!page->identity;
		page->identity = 0;
	}
	if (!what) {
		while ((got = tmem_flush_object(model->client[c], handle->pool,
						handle->oid)) == -EAGAIN)
			;
		TMEM_EXPECT(test, !got);
		return;
	}
	got = tmem_flush_range(model->client[c], handle, last);
	TMEM_EXPECT(test, got == flushed || got == -EAGAIN);
	while (got == -EAGAIN)
		got = tmem_flush_range(model->client[c], handle, last);
}

static bool model_is_member(const struct model_space *space, int c)
{
	unsigned int i;

	for (i = 0; i < space->nr; i++)
		if (space->member[i] == c)
			return true;
	return false;
}

static void model_new_pool(struct model *model, int c, int p)
{
	static const u32 flags[] = { TMEM_TEST_EPHEMERAL, TMEM_TEST_PERSISTENT };
	unsigned int kind = tmem_test_random(model->test) % 5;
	int s = c * MODEL_POOLS + p;
	struct model_space *space;
	u64 uuid[2] = {};

	if (kind < MODEL_UUIDS &&
	    !model_is_member(&model->space[MODEL_SHARED + kind], c)) {
		/* They differ in the second half only. */
		uuid[1] = kind;
		s = MODEL_SHARED + kind;
	}
	space = &model->space[s];
	space->flags = s < MODEL_SHARED ? flags[kind % 2] : TMEM_TEST_SHARED;
	space->member[space->nr++] = c;
	model->of[c][p] = s;
	model->pool[c][p] = tmem_new_pool(model->client[c], uuid, space->flags);
	TMEM_EXPECT(model->test, model->pool[c][p] >= 0);
}

/* With @stay what is in a pool that others have too stays, unless @c was charged. */
static void model_leave(struct model *model, int c, int p, bool stay)
{
	struct model_space *space = &model->space[model->of[c][p]];
	unsigned int i, left = 0;

	for (i = 0; i < MODEL_PER_SPACE; i++)
		if (!stay || space->member[0] == c)
			(&space->page[0][0])[i].identity = 0;
	for (i = 0; i < space->nr; i++)
		if (space->member[i] != c)
			space->member[left++] = space->member[i];
	space->nr = left;
}

/* The client goes by itself, or does not, or loses what it shares. */
static void model_end_pool(struct model *model, int c, int p)
{
	unsigned int how = tmem_test_random(model->test) % 3;
	struct tmem_client *client = model->client[c];
	int id = model->pool[c][p], s = model->of[c][p], got;
	struct tmem_handle handle = { .pool = id };
	u64 uuid[2] = { 0, s - MODEL_SHARED };

	do {
		if (s >= MODEL_SHARED && how == 2)
			got = tmem_unshare(client, uuid);
		else if (how)
			got = tmem_take_pool(client, id);
		else
			got = tmem_destroy_pool(client, id);
		TMEM_EXPECT(model->test, tmem_flush_page(client, &handle) ==
			    -ENODEV);
	} while (got == -EAGAIN);
	TMEM_EXPECT(model->test, !got);
	if (s >= MODEL_SHARED && how == 2)
		TMEM_EXPECT(model->test, !tmem_destroy_pool(client, id));
	model_leave(model, c, p, !how);
}

static void model_set_limits(struct model *model, int c)
{
	struct tmem_limits limits = {
		.metadata_bytes = TMEM_UNLIMITED,
		.objects = TMEM_UNLIMITED,
	};

	model->limit[c] = tmem_test_random(model->test) % 60;
	model->weight[c] = tmem_test_random(model->test) % 4;
	limits.persistent_pages = model->limit[c];
	limits.weight = model->weight[c];
	TMEM_EXPECT(model->test,
		    !tmem_client_set_limits(model->client[c], &limits));
}

static void model_new_client(struct model *model, int c)
{
	int p;

	model->client[c] = tmem_test_client(model->test, 1);
	model->frozen[c] = false;
	model_set_limits(model, c);
	for (p = 0; p < MODEL_POOLS; p++)
		model_new_pool(model, c, p);
}

static void model_op_rare(struct model *model, int c, int p)
{
	struct tmem_test *test = model->test;
	unsigned long n = tmem_test_random(test) % 40;

	switch (tmem_test_random(test) % 6) {
	case 0:
		model_end_pool(model, c, p);
		model_new_pool(model, c, p);
		break;
	case 1:
		model->frozen[c] = !model->frozen[c];
		tmem_client_freeze(model->client[c], model->frozen[c]);
		break;
	case 2:
		model_set_limits(model, c);
		break;
	case 3:
		model->capacity = tmem_test_random(test) % 150;
		tmh_set(&test->store.capacity, model->capacity);
		break;
	case 4:
		TMEM_EXPECT(test, tmem_evict(test->engine, n) ==
			    model_evict(model, n));
		break;
	case 5:
		/* Dies, and another is in its place. */
		tmem_test_destroy(test, model->client[c]);
		for (p = 0; p < MODEL_POOLS; p++)
			model_leave(model, c, p, false);
		model_new_client(model, c);
		break;
	}
}

static void model_op(struct model *model)
{
	struct tmem_test *test = model->test;
	int c = tmem_test_random(test) % MODEL_CLIENTS;
	int p = tmem_test_random(test) % MODEL_POOLS;
	int o = tmem_test_random(test) % MODEL_OIDS;
	int i = tmem_test_random(test) % MODEL_INDEXES;
	struct model_page *page = &model->space[model->of[c][p]].page[o][i];
	struct tmem_handle handle = {
		.pool = model->pool[c][p],
		.oid = { model_oid[o][0], model_oid[o][1], model_oid[o][2] },
		.index = model_index[i],
	};
	unsigned int what = tmem_test_random(test) % 100;

	if (what < 50)
		model_op_put(model, c, p, page, &handle);
	else if (what < 85)
		model_op_get(model, c, p, page, &handle);
	else if (what < 98)
		model_op_flush(model, c, p, o, page, &handle);
	else
		model_op_rare(model, c, p);
}

static void model_compare(struct model *model)
{
	struct tmem_usage usage;
	struct tmem_stats stats;
	int c;

	for (c = 0; c < MODEL_CLIENTS; c++) {
		tmem_client_usage(model->client[c], &usage);
		tmem_client_stats(model->client[c], &stats);
		TMEM_EXPECT(model->test, usage.persistent_pages ==
			    model_pages(model, c, true));
		TMEM_EXPECT(model->test, usage.ephemeral_pages ==
			    model_pages(model, c, false));
	}
	TMEM_EXPECT(model->test, tmh_read(&model->test->store.used) ==
		    model_used(model));
}

/**
 * tmem_test_model - operate on an engine and on the model
 * @test: The test; stops at the first difference.
 */
void tmem_test_model(struct tmem_test *test)
{
	struct model *model = tmh_alloc(sizeof(*model));
	unsigned int n;
	int c;

	if (!TMEM_EXPECT(test, model) ||
	    !TMEM_EXPECT(test, tmem_test_begin(test, 2, 0)))
		return;
	model->test = test;
	model->capacity = 100;
	tmh_set(&test->store.capacity, model->capacity);
	for (c = 0; c < MODEL_CLIENTS; c++)
		model_new_client(model, c);
	for (n = 0; n < MODEL_OPS && !tmem_test_is_over(test); n++) {
		model_op(model);
		if (n % 16 == 0)
			model_compare(model);
	}
	for (c = 0; c < MODEL_CLIENTS; c++)
		tmem_test_destroy(test, model->client[c]);
	tmem_test_end(test);
	tmh_free(model, sizeof(*model));
}

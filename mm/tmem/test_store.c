// SPDX-License-Identifier: GPL-2.0-only
/*
 * What tests of the tmem engine use: a store of small pages, with all three kinds of
 * payload that there are: one that can be overwritten in place, one that cannot, and
 * one that needs no memory.
 */
#include "test.h"

/* Identities that are multiples of this are kept as a number. */
#define TMEM_TEST_FILLED	7

struct tmem_test_payload {
	struct tmem_test_page page;
	unsigned int order;
};

static bool tmem_test_is_filled(unsigned long payload)
{
	return payload & 1;
}

/* Not at once, so that others can do something in between. */
static int tmem_test_copy(struct tmem_test_page *to,
			  const struct tmem_test_page *from)
{
	unsigned int i;

	for (i = 0; i < 8; i++) {
		if (i == 4 && from->word[7] == TMEM_TEST_UNREADABLE)
			return -EFAULT;
		to->word[i] = from->word[i];
		if (i == 3)
			tmh_relax();
	}
	return 0;
}

static void tmem_test_check(struct tmem_test_store *store, unsigned long payload,
			    unsigned int order)
{
	if (!tmem_test_is_filled(payload) &&
	    ((struct tmem_test_payload *)payload)->order != order)
		tmh_add_return(&store->wrong, 1);
}

static int tmem_test_store_page(void *host, const void *source,
				unsigned int order, unsigned long *payload)
{
	const struct tmem_test_page *page = source;
	struct tmem_test_store *store = host;
	struct tmem_test_payload *kept;

	tmh_set(&store->order, order);
	if (!page)
		return -EFAULT;
	if (tmh_add_return(&store->stores, 1) == tmh_read(&store->fail))
		return -E2BIG;
	if (page->word[7] == TMEM_TEST_UNREADABLE)
		return -EFAULT;
	if (page->word[0] % TMEM_TEST_FILLED == 0 &&
	    page->word[0] < (unsigned long)-1 / 2 && tmem_test_whole(page)) {
		*payload = page->word[0] << 1 | 1;
		return 0;
	}
	if (tmh_add_return(&store->used, 1) > tmh_read(&store->capacity)) {
		tmh_add_return(&store->used, -1ul);
		return -ENOMEM;
	}
	kept = tmh_alloc(sizeof(*kept));
	if (!kept) {
		tmh_add_return(&store->used, -1ul);
		return -ENOMEM;
	}
	tmem_test_copy(&kept->page, page);
	kept->order = order;
	*payload = (unsigned long)kept;
	return 0;
}

static int tmem_test_overwrite(void *host, const void *source,
			       unsigned int order, unsigned long payload)
{
	struct tmem_test_payload *kept = (struct tmem_test_payload *)payload;
	const struct tmem_test_page *page = source;
	struct tmem_test_store *store = host;

	tmem_test_check(store, payload, order);
	if (tmem_test_is_filled(payload))
		return -EOPNOTSUPP;
	if (!store->plain && kept->page.word[0] & 1)
		return -EOPNOTSUPP;
	if (!page)
		return -EFAULT;
	return tmem_test_copy(&kept->page, page);
}

static int tmem_test_load(void *host, void *target, unsigned int order,
			  unsigned long payload)
{
	struct tmem_test_page *page = target;

	tmem_test_check(host, payload, order);
	if (!page)
		return -EFAULT;
	if (tmem_test_is_filled(payload))
		tmem_test_identify(page, payload >> 1);
	else
		tmem_test_copy(page,
			       &((struct tmem_test_payload *)payload)->page);
	return 0;
}

static void tmem_test_release(void *host, unsigned int order,
			      unsigned long payload)
{
	struct tmem_test_payload *kept = (struct tmem_test_payload *)payload;
	struct tmem_test_store *store = host;

	tmem_test_check(store, payload, order);
	if (tmem_test_is_filled(payload))
		return;
	tmh_free(kept, sizeof(*kept));
	tmh_add_return(&store->used, -1ul);
}

static bool tmem_test_charge_bytes(void *owner, size_t bytes)
{
	struct tmem_test_store *store = owner;

	if (tmh_add_return(&store->charged, bytes) <= tmh_read(&store->quota))
		return true;
	tmh_add_return(&store->charged, -bytes);
	return false;
}

static void tmem_test_uncharge(void *owner, size_t bytes)
{
	struct tmem_test_store *store = owner;

	tmh_add_return(&store->charged, -bytes);
}

static bool tmem_test_may_share(void *owner, const u64 uuid[2])
{
	struct tmem_test_store *store = owner;

	return !store->alone;
}

static const struct tmem_payload_ops tmem_test_ops = {
	.store = tmem_test_store_page,
	.overwrite = tmem_test_overwrite,
	.load = tmem_test_load,
	.release = tmem_test_release,
	.charge = tmem_test_charge_bytes,
	.uncharge = tmem_test_uncharge,
	.may_share = tmem_test_may_share,
};

static u64 tmem_test_byte(struct tmem_test *test)
{
	if (!test->left)
		return 0;
	test->left--;
	return *test->input++;
}

/**
 * tmem_test_random - the next random number
 * @test: The test; its seed goes on. xorshift64* of S. Vigna (2016).
 *
 * Return: 64 bits; a byte if a fuzzer chooses.
 */
u64 tmem_test_random(struct tmem_test *test)
{
	if (test->input)
		return tmem_test_byte(test);
	test->seed ^= test->seed >> 12;
	test->seed ^= test->seed << 25;
	test->seed ^= test->seed >> 27;
	return test->seed * 0x2545f4914f6cdd1dull;
}

/**
 * tmem_test_identify - fill a page
 * @page: The page.
 * @identity: What is in it.
 */
void tmem_test_identify(struct tmem_test_page *page, u64 identity)
{
	unsigned int i;

	for (i = 0; i < 8; i++)
		page->word[i] = identity;
}

/**
 * tmem_test_whole - is this one page?
 * @page: The page.
 *
 * Return: false if it was made of several.
 */
bool tmem_test_whole(const struct tmem_test_page *page)
{
	return tmem_test_is(page, page->word[0]);
}

/**
 * tmem_test_is - is this the page?
 * @page: The page.
 * @identity: What has to be in it.
 *
 * Return: true if it is.
 */
bool tmem_test_is(const struct tmem_test_page *page, u64 identity)
{
	unsigned int i;

	for (i = 0; i < 8; i++)
		if (page->word[i] != identity)
			return false;
	return true;
}

/**
 * tmem_test_begin - make an engine
 * @test: The test.
 * @bucket_bits: Of the engine.
 * @stripe_bits: Of the engine.
 *
 * Return: true if there was memory.
 */
bool tmem_test_begin(struct tmem_test *test, unsigned int bucket_bits,
		     unsigned int stripe_bits)
{
	struct tmem_config config = {
		.ops = &tmem_test_ops,
		.host = &test->store,
		.seed = { tmem_test_random(test), tmem_test_random(test) },
		.orders = 0x3,
		.bucket_bits = bucket_bits,
		.stripe_bits = stripe_bits,
		.max_clients = 4,
		.max_pools = 4,
		.trusted = tmem_test_random(test) & 1,
	};

	test->store = (struct tmem_test_store){};
	tmh_set(&test->store.capacity, TMEM_UNLIMITED);
	tmh_set(&test->store.quota, TMEM_UNLIMITED);
	return !tmem_engine_create(&config, &test->engine);
}

/**
 * tmem_test_end - destroy it; nothing may be left
 * @test: The test.
 */
void tmem_test_end(struct tmem_test *test)
{
	TMEM_EXPECT(test, tmem_evictable(test->engine, ~0ul) == 0);
	TMEM_EXPECT(test, tmh_read(&test->store.used) == 0);
	TMEM_EXPECT(test, tmh_read(&test->store.charged) == 0);
	TMEM_EXPECT(test, tmh_read(&test->store.wrong) == 0);
	tmem_engine_destroy(test->engine);
}

/**
 * tmem_test_client - make a client without limits
 * @test: The test.
 * @weight: Of the client.
 *
 * Return: the client, or NULL.
 */
struct tmem_client *tmem_test_client(struct tmem_test *test, u32 weight)
{
	struct tmem_limits limits = {
		.persistent_pages = TMEM_UNLIMITED,
		.metadata_bytes = TMEM_UNLIMITED,
		.objects = TMEM_UNLIMITED,
		.weight = weight,
	};
	struct tmem_client *client = NULL;

	TMEM_EXPECT(test, !tmem_client_create(test->engine, &limits,
					      &test->store, &client));
	return client;
}

/**
 * tmem_test_destroy - destroy a client; it may keep nothing
 * @test: The test.
 * @client: The client.
 */
void tmem_test_destroy(struct tmem_test *test, struct tmem_client *client)
{
	struct tmem_usage usage;

	while (tmem_client_destroy(client))
		;
	tmem_client_usage(client, &usage);
	TMEM_EXPECT(test, usage.persistent_pages == 0);
	TMEM_EXPECT(test, usage.ephemeral_pages == 0);
	TMEM_EXPECT(test, usage.metadata_bytes == 0);
	TMEM_EXPECT(test, usage.objects == 0);
	TMEM_EXPECT(test, usage.pools == 0);
}

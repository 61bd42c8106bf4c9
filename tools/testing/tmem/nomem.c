// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the tmem engine does without: a scenario, once for each allocation in it,
 * which fails: nothing is wrong or lost then, and with ephemeral pages at hand hardly
 * anything is refused. And locks that are held when pages are to be evicted.
 */
#include <stdio.h>
#include <stdlib.h>
#include "test.h"
#include "host.h"
#include "say.h"

#define PAGES	40

static const u64 no_uuid[2];

static struct tmem_handle handle_of(int pool, unsigned int i)
{
	/* Objects of one page, of a few, and far apart */
	return (struct tmem_handle){
		.pool = pool, .oid = { i % 5 },
		.index = i % 5 == 4 ? 0 : (u64)i << i % 5 * 10,
	};
}

static int put(struct tmem_client *client, int pool, unsigned int i, u64 identity)
{
	struct tmem_handle handle = handle_of(pool, i);
	struct tmem_test_page page;

	tmem_test_identify(&page, identity);
	return tmem_put(client, &handle, &page);
}

/* Puts, puts again, and gets: what was taken is there, what was not is not. */
static void use_pool(struct tmem_test *test, struct tmem_client *client,
		     int pool, bool persistent)
{
	struct tmem_test_page page;
	unsigned int i, round;
	bool held[PAGES];

	for (round = 0; round < 2; round++)
		for (i = 0; i < PAGES; i++)
			held[i] = !put(client, pool, i, i * 14 + 15 + round);
	for (i = 0; i < PAGES; i++) {
		struct tmem_handle handle = handle_of(pool, i);
		int got;

		/* Some stay, to be evicted. */
		if (!persistent && i % 2)
			continue;
		got = tmem_get(client, &handle, &page, 0);
		/* Objects of one page have been put several times. */
		if (i % 5 == 4 && i < PAGES - 1)
			continue;
		if (persistent)
			TMEM_EXPECT(test, got == (held[i] ? 0 : -ENOENT));
		if (!got)
			TMEM_EXPECT(test, held[i] &&
				    tmem_test_is(&page, i * 14 + 16));
	}
}

static unsigned long scenario(struct tmem_test *test)
{
	struct tmem_limits limits = { TMEM_UNLIMITED, TMEM_UNLIMITED,
				      TMEM_UNLIMITED, 1 };
	struct tmem_client *client;
	unsigned long refused = 0;
	struct tmem_stats stats;
	int pool, kind;

	if (!tmem_test_begin(test, 3, 1))
		return 0;
	if (!tmem_client_create(test->engine, &limits, &test->store, &client)) {
		for (kind = 0; kind < 2; kind++) {
			pool = tmem_new_pool(client, no_uuid, kind ?
					     TMEM_TEST_PERSISTENT :
					     TMEM_TEST_EPHEMERAL);
			if (pool < 0)
				continue;
			use_pool(test, client, pool, kind);
		}
		tmem_client_stats(client, &stats);
		refused = stats.refused;
		tmem_test_destroy(test, client);
	}
	tmem_test_end(test);
	return refused;
}

/* 8 stripes have pages. Who finds some locks held takes pages from others. */
static void evict_past_locks(struct tmem_test *test)
{
	struct tmem_limits limits = { TMEM_UNLIMITED, TMEM_UNLIMITED,
				      TMEM_UNLIMITED, 1 };
	struct tmem_client *client;
	unsigned int i, locked;
	int pool;

	if (!TMEM_EXPECT(test, tmem_test_begin(test, 3, 3)))
		return;
	if (!TMEM_EXPECT(test, !tmem_client_create(test->engine, &limits,
						   &test->store, &client)))
		return;
	pool = tmem_new_pool(client, no_uuid, TMEM_TEST_EPHEMERAL);
	for (i = 0; i < 100; i++) {
		struct tmem_handle handle = { .pool = pool, .oid = { i } };
		struct tmem_test_page page;

		tmem_test_identify(&page, i + 15);
		TMEM_EXPECT(test, !tmem_put(client, &handle, &page));
	}
	for (locked = 1; locked < 8; locked++) {
		host_busy_locks = locked;
		TMEM_EXPECT(test, tmem_evict(test->engine, 1) == 1);
		TMEM_EXPECT(test, !host_busy_locks);
	}
	host_busy_locks = -1ul;
	TMEM_EXPECT(test, tmem_evict(test->engine, 1) == 0);
	host_busy_locks = 0;
	tmem_test_destroy(test, client);
	tmem_test_end(test);
}

int main(void)
{
	struct tmem_test test = { .seed = 1, .say = say };
	unsigned long k = 0, refused = 0, failures;

	printf("TAP version 13\n1..3\n");
	do {
		host_fail_at(++k);
		refused += scenario(&test);
		TMEM_EXPECT(&test, host_bytes() == 0);
	} while (host_has_failed());
	host_fail_at(0);
	printf("%sok 1 each of %lu allocations fails\n",
	       test.failures ? "not " : "", k - 1);
	/* Only while there is not a single page that could be evicted */
	printf("%sok 2 puts that were refused: %lu\n",
	       refused <= 8 ? "" : "not ", refused);
	failures = test.failures;
	evict_past_locks(&test);
	printf("%sok 3 pages are evicted although locks are held\n",
	       test.failures > failures ? "not " : "");
	return test.failures || refused > 8;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Threads on one tmem engine: what they see must be what they could have seen had
 * they come one after the other.
 *
 * usage: race [-s SEED] [-n ROUNDS]
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "test.h"
#include "host.h"
#include "say.h"

#define THREADS		3
#define OPS		4
#define HANDLES		2
#define EVENTS		(THREADS * OPS)

enum what { PUT, GET, TAKE, KEEP, FLUSH, FLUSH_OBJECT };

/**
 * struct event - what a thread did to a handle, and saw
 * @what: What it did.
 * @begin: When it began.
 * @end: When it was over.
 * @identity: What was put, or got; 0 if the put failed or the get missed.
 * @found: FLUSH: there was a page.
 */
struct event {
	enum what what;
	u64	begin;
	u64	end;
	u64	identity;
	bool	found;
};

/**
 * struct history - all that happened to a handle
 * @event: The events, of all threads.
 * @n: How many.
 * @destructive: Gets remove pages.
 * @ephemeral: Pages may go at any time.
 * @seen: For sets of events: which pages were there after them, a bit for each
 *	event that put one.
 */
struct history {
	struct event event[EVENTS];
	unsigned int n;
	bool	destructive;
	bool	ephemeral;
	unsigned int seen[1 << EVENTS];
};

/* After the events of @done the page of event @there is there; EVENTS: none. */
static bool explained(struct history *history, unsigned int done,
		      unsigned int there);

/* Does another take the page while it is flushed? Both may find it then. */
static bool is_taken(const struct history *history, const struct event *flush)
{
	unsigned int i;

	for (i = 0; i < history->n; i++) {
		const struct event *event = &history->event[i];

		if ((event->what == TAKE ||
		     (event->what == GET && history->destructive)) &&
		    event->identity && event->begin < flush->end &&
		    flush->begin < event->end)
			return true;
	}
	return false;
}

/* Could @event be next, and what is there then? */
static bool follows(struct history *history, const struct event *event,
		    unsigned int there, unsigned int *then)
{
	u64 identity = there < EVENTS ? history->event[there].identity : 0;

	*then = there;
	switch (event->what) {
	case PUT:
		*then = event->identity ?
			(unsigned int)(event - history->event) : EVENTS;
		return true;
	case GET:
	case TAKE:
	case KEEP:
		if (!event->identity) {
			*then = EVENTS;
			return !identity || history->ephemeral;
		}
		if (event->what == TAKE ||
		    (event->what == GET && history->destructive))
			*then = EVENTS;
		return identity == event->identity;
	case FLUSH:
		*then = EVENTS;
		return event->found ? identity || is_taken(history, event) :
			!identity || history->ephemeral;
	case FLUSH_OBJECT:
		*then = EVENTS;
		return true;
	}
	return false;
}

static bool explained(struct history *history, unsigned int done,
		      unsigned int there)
{
	unsigned int i, then;
	u64 first = ~0ull;

	if (done == (1u << history->n) - 1)
		return true;
	if (history->seen[done] & 1u << there)
		return false;
	history->seen[done] |= 1u << there;
	for (i = 0; i < history->n; i++)
		if (!(done & 1u << i) && history->event[i].end < first)
			first = history->event[i].end;
	for (i = 0; i < history->n; i++)
		if (!(done & 1u << i) && history->event[i].begin < first &&
		    follows(history, &history->event[i], there, &then) &&
		    explained(history, done | 1u << i, then))
			return true;
	return false;
}

/**
 * struct race - what the threads share
 * @test: The test.
 * @client: The client.
 * @other: Or NULL: who has the same pool.
 * @pool: Id of its pool.
 * @clock: Orders what threads do.
 * @identity: The last one.
 * @generation: Of the pool.
 * @putting: Held for reading by who puts a page that bears @generation, for writing
 *	by who changes it, which comes before the next pool.
 * @stop: It is over.
 * @start: All begin at the same time.
 * @lock: Guards @history and @test.
 * @history: What happened, for each handle.
 */
struct race {
	struct tmem_test *test;
	struct tmem_client *client;
	struct tmem_client *other;
	unsigned int pool;
	u64	clock;
	u64	identity;
	u64	generation;
	pthread_rwlock_t putting;
	bool	stop;
	pthread_barrier_t start;
	pthread_mutex_t lock;
	struct history history[HANDLES];
};

struct racer {
	struct race *race;
	struct tmem_test random;
	pthread_t thread;
};

static u64 now(struct race *race)
{
	return __atomic_add_fetch(&race->clock, 1, __ATOMIC_SEQ_CST);
}

static void record(struct race *race, unsigned int handle, struct event *event)
{
	struct history *history = &race->history[handle];

	pthread_mutex_lock(&race->lock);
	history->event[history->n++] = *event;
	pthread_mutex_unlock(&race->lock);
}

static void do_put(struct race *race, const struct tmem_handle *handle,
		   struct event *event, bool bad)
{
	struct tmem_test_page page;

	event->identity = __atomic_add_fetch(&race->identity, 1,
					     __ATOMIC_RELAXED);
	tmem_test_identify(&page, event->identity);
	if (bad)
		page.word[7] = TMEM_TEST_UNREADABLE;
	if (tmem_put(race->client, handle, &page))
		event->identity = 0;
}

static void do_get(struct race *race, const struct tmem_handle *handle,
		   struct event *event, bool bad)
{
	unsigned int flags = event->what == TAKE ? TMEM_GET_EXCLUSIVE :
		event->what == KEEP ? TMEM_GET_KEEP : 0;
	struct tmem_test_page page = {};
	int error;

	/* What cannot be copied would be lost. */
	if (event->what == TAKE && !bad && event->begin % 2)
		flags = TMEM_GET_REMOVE;
	error = tmem_get(race->client, handle, bad ? NULL : &page, flags);
	event->identity = error ? 0 : page.word[0];
	if (error ? error != -ENOENT && !bad : !tmem_test_whole(&page))
		event->identity = ~0ull;
	/* It saw a page, and nobody knows which: it did not happen. */
	if (error == -EFAULT)
		event->end = ~0ull;
}

static void one_op(struct racer *racer)
{
	struct race *race = racer->race;
	unsigned int h = tmem_test_random(&racer->random) % HANDLES;
	bool bad = tmem_test_random(&racer->random) % 16 == 0;
	struct tmem_handle handle = { .pool = race->pool, .index = h };
	struct event event = { .what = tmem_test_random(&racer->random) % 5 };
	unsigned int rare = tmem_test_random(&racer->random) % 16;

	if (!rare && race->history[0].ephemeral)
		tmem_evict(race->test->engine, 1);
	if (rare == 1)
		event.what = FLUSH_OBJECT;
	event.begin = now(race);
	switch (event.what) {
	case PUT:
		do_put(race, &handle, &event, bad);
		break;
	case GET:
	case TAKE:
	case KEEP:
		do_get(race, &handle, &event, bad);
		break;
	case FLUSH:
		event.found = !tmem_flush_page(race->client, &handle);
		break;
	case FLUSH_OBJECT:
		while (tmem_flush_object(race->client, handle.pool, handle.oid))
			;
		break;
	}
	if (event.end)
		return;
	event.end = now(race);
	record(race, h, &event);
	if (event.what == FLUSH_OBJECT)
		record(race, 1 - h, &event);
}

static void *race_ops(void *argument)
{
	struct racer *racer = argument;
	unsigned int i;

	pthread_barrier_wait(&racer->race->start);
	for (i = 0; i < OPS; i++)
		one_op(racer);
	return NULL;
}

static void run_threads(struct race *race, struct tmem_test *test,
			unsigned int n, void *(*run)(void *))
{
	struct racer racer[THREADS];
	unsigned int i;

	for (i = 0; i < n; i++) {
		racer[i] = (struct racer){
			.race = race,
			.random.seed = tmem_test_random(test) | 1,
		};
		if (pthread_create(&racer[i].thread, NULL, run, &racer[i]))
			abort();
	}
	for (i = 0; i < n; i++)
		pthread_join(racer[i].thread, NULL);
}

static bool race_begin(struct race *race, struct tmem_test *test,
		       unsigned int stripe_bits)
{
	pthread_rwlockattr_t writers_first;

	memset(race, 0, sizeof(*race));
	race->test = test;
	pthread_mutex_init(&race->lock, NULL);
	pthread_rwlockattr_init(&writers_first);
	pthread_rwlockattr_setkind_np(&writers_first,
				      PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&race->putting, &writers_first);
	if (!TMEM_EXPECT(test, tmem_test_begin(test, stripe_bits, stripe_bits)))
		return false;
	race->client = tmem_test_client(test, 1);
	return race->client;
}

static void race_end(struct race *race)
{
	tmem_test_destroy(race->test, race->client);
	tmem_test_end(race->test);
}

static void show(const struct history *history)
{
	static const char *const names[] = { "put", "get", "take", "keep",
					     "flush", "flush object" };
	unsigned int i;

	for (i = 0; i < history->n; i++)
		printf("# %llu-%llu %s %llu%s\n",
		       (unsigned long long)history->event[i].begin,
		       (unsigned long long)history->event[i].end,
		       names[history->event[i].what],
		       (unsigned long long)history->event[i].identity,
		       history->event[i].found ? " found" : "");
}

static void test_one_after_the_other(struct tmem_test *test)
{
	static const u32 kinds[] = { TMEM_TEST_EPHEMERAL, TMEM_TEST_PERSISTENT,
				     TMEM_TEST_SHARED };
	static const u64 uuid[2];
	u32 flags = kinds[tmem_test_random(test) % 3];
	struct race *race = calloc(1, sizeof(*race));
	unsigned int h;

	if (!race || !race_begin(race, test, 2))
		return;
	race->pool = tmem_new_pool(race->client, uuid, flags);
	tmh_set(&test->store.capacity, 1 + tmem_test_random(test) % 3);
	test->store.plain = tmem_test_random(test) % 2;
	pthread_barrier_init(&race->start, NULL, THREADS);
	for (h = 0; h < HANDLES; h++) {
		race->history[h].destructive = flags == TMEM_TEST_EPHEMERAL;
		race->history[h].ephemeral = flags != TMEM_TEST_PERSISTENT;
	}
	run_threads(race, test, THREADS, race_ops);
	for (h = 0; h < HANDLES; h++)
		if (!TMEM_EXPECT(test, explained(&race->history[h], 0, EVENTS)))
			show(&race->history[h]);
	race_end(race);
	free(race);
}

static void put_generation(struct race *race, const struct tmem_handle *handle)
{
	struct tmem_test_page page;

	pthread_rwlock_rdlock(&race->putting);
	tmem_test_identify(&page, race->generation * 14 + 1);
	tmem_put(race->client, handle, &page);
	pthread_rwlock_unlock(&race->putting);
}

/* Pages of a pool that is destroyed and made again by another thread */
static void *use_pools(void *argument)
{
	struct racer *racer = argument;
	struct race *race = racer->race;
	struct tmem_test_page page;
	struct tmem_handle handle = {};
	u64 before;
	int error;

	while (!__atomic_load_n(&race->stop, __ATOMIC_RELAXED)) {
		handle.index = tmem_test_random(&racer->random) % 200;
		handle.oid[0] = handle.index % 3;
		before = __atomic_load_n(&race->generation, __ATOMIC_SEQ_CST);
		switch (tmem_test_random(&racer->random) % 4) {
		case 0:
		case 1:
			put_generation(race, &handle);
			break;
		case 2:
			tmem_flush_page(race->client, &handle);
			break;
		case 3:
			error = tmem_get(race->client, &handle, &page, 0);
			if (error || (tmem_test_whole(&page) &&
				      page.word[0] / 14 >= before))
				break;
			pthread_mutex_lock(&race->lock);
			TMEM_EXPECT(race->test, !"a page of an older pool");
			pthread_mutex_unlock(&race->lock);
			break;
		}
	}
	return NULL;
}

static void *make_pools(void *argument)
{
	static const u64 uuid[2];
	struct racer *racer = argument;
	struct race *race = racer->race;
	unsigned int i;

	for (i = 0; i < 100; i++) {
		bool good = !tmem_new_pool(race->client, uuid, i % 2 ?
					   TMEM_TEST_EPHEMERAL :
					   TMEM_TEST_PERSISTENT);

		usleep(200);
		tmem_evict(race->test->engine, 10);
		while (tmem_destroy_pool(race->client, 0) == -EAGAIN)
			;
		pthread_rwlock_wrlock(&race->putting);
		__atomic_add_fetch(&race->generation, 1, __ATOMIC_SEQ_CST);
		pthread_rwlock_unlock(&race->putting);
		pthread_mutex_lock(&race->lock);
		TMEM_EXPECT(race->test, good);
		pthread_mutex_unlock(&race->lock);
	}
	__atomic_store_n(&race->stop, true, __ATOMIC_RELAXED);
	return NULL;
}

static void *pools(void *argument)
{
	struct racer *racer = argument;
	u64 order = __atomic_add_fetch(&racer->race->identity, 1,
				       __ATOMIC_RELAXED);

	return order == 1 ? make_pools(argument) : use_pools(argument);
}

static void test_pools(struct tmem_test *test)
{
	struct race *race = calloc(1, sizeof(*race));

	if (!race || !race_begin(race, test, 2))
		return;
	run_threads(race, test, THREADS, pools);
	race_end(race);
	free(race);
}

/* One member uses a pool that another thread leaves and joins for it. */
static void *use_member(void *argument)
{
	struct racer *racer = argument;
	struct race *race = racer->race;
	struct tmem_handle handle = {};
	struct tmem_test_page page;

	while (!__atomic_load_n(&race->stop, __ATOMIC_RELAXED)) {
		handle.index = tmem_test_random(&racer->random) % 400;
		handle.oid[0] = handle.index % 3;
		tmem_test_identify(&page, handle.index * 14 + 1);
		switch (tmem_test_random(&racer->random) % 4) {
		case 0:
			tmem_put(race->client, &handle, &page);
			break;
		case 1:
			tmem_flush_page(race->client, &handle);
			break;
		default:
			if (tmem_get(race->client, &handle, &page, 0) ||
			    tmem_test_is(&page, handle.index * 14 + 1))
				break;
			pthread_mutex_lock(&race->lock);
			TMEM_EXPECT(race->test, !"the page that was put");
			pthread_mutex_unlock(&race->lock);
		}
	}
	return NULL;
}

static void *make_member(void *argument)
{
	static const u64 uuid[2];
	struct racer *racer = argument;
	struct race *race = racer->race;
	unsigned int i;

	for (i = 0; i < 300; i++) {
		/* Now and then it is the one that is charged. */
		struct tmem_client *who = i % 8 ? race->client : race->other;
		struct tmem_usage usage;
		int got;

		do
			got = tmem_destroy_pool(who, 0);
		while (got == -EAGAIN);
		tmem_client_usage(who, &usage);
		if (!got)
			got = tmem_new_pool(who, uuid, TMEM_TEST_SHARED);
		pthread_mutex_lock(&race->lock);
		TMEM_EXPECT(race->test, !got);
		TMEM_EXPECT(race->test, !usage.ephemeral_pages);
		pthread_mutex_unlock(&race->lock);
		usleep(50);
	}
	__atomic_store_n(&race->stop, true, __ATOMIC_RELAXED);
	return NULL;
}

static void *members(void *argument)
{
	struct racer *racer = argument;
	u64 order = __atomic_add_fetch(&racer->race->identity, 1,
				       __ATOMIC_RELAXED);

	return order == 1 ? make_member(argument) : use_member(argument);
}

static void test_members(struct tmem_test *test)
{
	struct race *race = calloc(1, sizeof(*race));
	static const u64 uuid[2];

	if (!race || !race_begin(race, test, 2))
		return;
	race->other = tmem_test_client(test, 1);
	TMEM_EXPECT(test, !tmem_new_pool(race->other, uuid, TMEM_TEST_SHARED));
	TMEM_EXPECT(test, !tmem_new_pool(race->client, uuid, TMEM_TEST_SHARED));
	run_threads(race, test, THREADS, members);
	tmem_test_destroy(test, race->other);
	race_end(race);
	free(race);
}

/* Nothing is added after a client was frozen, and never more than its quota. */
static void *fill(void *argument)
{
	struct racer *racer = argument;
	struct race *race = racer->race;
	struct tmem_handle handle = {};
	struct tmem_test_page page;
	struct tmem_usage usage;

	tmem_test_identify(&page, 2);
	while (!__atomic_load_n(&race->stop, __ATOMIC_RELAXED)) {
		handle.index = tmem_test_random(&racer->random) % 200;
		if (tmem_test_random(&racer->random) % 2)
			tmem_put(race->client, &handle, &page);
		else
			tmem_flush_page(race->client, &handle);
		tmem_client_usage(race->client, &usage);
		/* Those who are about to be refused are counted for a moment. */
		if (usage.persistent_pages <= 50 + THREADS)
			continue;
		pthread_mutex_lock(&race->lock);
		TMEM_EXPECT(race->test, !"more than the quota");
		pthread_mutex_unlock(&race->lock);
	}
	return NULL;
}

static void *freeze(void *argument)
{
	struct racer *racer = argument;
	struct race *race = racer->race;
	unsigned long before, after;
	struct tmem_usage usage;
	unsigned int i;

	for (i = 0; i < 100; i++) {
		usleep(200);
		tmem_client_freeze(race->client, true);
		tmem_client_usage(race->client, &usage);
		before = usage.persistent_pages;
		usleep(200);
		tmem_client_usage(race->client, &usage);
		after = usage.persistent_pages;
		tmem_client_freeze(race->client, false);
		pthread_mutex_lock(&race->lock);
		TMEM_EXPECT(race->test, after <= before);
		pthread_mutex_unlock(&race->lock);
	}
	__atomic_store_n(&race->stop, true, __ATOMIC_RELAXED);
	return NULL;
}

static void *fill_or_freeze(void *argument)
{
	struct racer *racer = argument;
	u64 order = __atomic_add_fetch(&racer->race->identity, 1,
				       __ATOMIC_RELAXED);

	return order == 1 ? freeze(argument) : fill(argument);
}

static void test_frozen(struct tmem_test *test)
{
	struct tmem_limits limits = { 50, TMEM_UNLIMITED, TMEM_UNLIMITED, 1 };
	static const u64 uuid[2];
	struct race *race = calloc(1, sizeof(*race));

	if (!race || !race_begin(race, test, 2))
		return;
	TMEM_EXPECT(test, !tmem_client_set_limits(race->client, &limits));
	TMEM_EXPECT(test, !tmem_new_pool(race->client, uuid,
					 TMEM_TEST_PERSISTENT));
	run_threads(race, test, THREADS, fill_or_freeze);
	race_end(race);
	free(race);
}

static bool run(const char *name, void (*run_test)(struct tmem_test *test),
		u64 seed, unsigned long rounds, unsigned int number)
{
	struct tmem_test test = { .say = say };
	unsigned long round;

	for (round = 0; round < rounds && !test.failures; round++) {
		test.seed = seed + round;
		host_yield_every = round % 3;
		host_yields_unlocked = round % 2;
		run_test(&test);
		TMEM_EXPECT(&test, !host_bytes());
	}
	if (test.failures)
		printf("# %s: seed %llu\n", name,
		       (unsigned long long)(seed + round - 1));
	printf("%sok %u %s\n", test.failures ? "not " : "", number, name);
	return !test.failures;
}

int main(int argc, char **argv)
{
	unsigned long rounds = 2000;
	bool good = true;
	u64 seed = 1;
	int option;

	while ((option = getopt(argc, argv, "s:n:")) != -1) {
		if (option == 's')
			seed = strtoull(optarg, NULL, 0);
		else if (option == 'n')
			rounds = strtoul(optarg, NULL, 0);
		else
			return 2;
	}
	if (!seed) {
		fprintf(stderr, "-s: a number above 0\n");
		return 2;
	}
	printf("TAP version 13\n1..4\n");
	good &= run("one after the other", test_one_after_the_other, seed,
		    rounds, 1);
	good &= run("pools come and go", test_pools, seed, 1 + rounds / 500, 2);
	good &= run("frozen while it is filled", test_frozen, seed,
		    1 + rounds / 500, 3);
	good &= run("a member comes and goes", test_members, seed,
		    1 + rounds / 500, 4);
	return good ? 0 : 1;
}

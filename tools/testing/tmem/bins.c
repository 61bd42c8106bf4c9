// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of zcache's bins: what is in them is right, is dropped in order of age, and
 * leaves whole page frames free; in one thread and in several, with memory that comes
 * to an end.
 *
 * usage: bins [-s SEED] [-n ROUNDS]
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "host.h"
#include "../../../mm/zcache/bin.h"

#define NAMES		4096u
#define SHARDS		2
#define THREADS		3
#define CHUNK		64u

/**
 * struct entry - what the index of a store would have of an item
 * @mutex: Guards all.
 * @item: The item, or 0.
 * @seed: Its content.
 * @bytes: Its size.
 * @added: When it was added.
 * @pinned: Somebody reads it: it cannot be dropped.
 */
struct entry {
	pthread_mutex_t mutex;
	unsigned long item;
	u32	seed;
	u32	bytes;
	unsigned long added;
	bool	pinned;
};

static struct entry entries[NAMES];
static struct zcache_bins *bins;
static struct tmh_ulong bin_clock = { 1 };
static struct tmh_ulong frames, room, sequence, held, dropped, wrong, failures;
/* Of those that were dropped since it was 0, the one that was added last */
static struct tmh_ulong youngest;

#define EXPECT(condition) do {						\
	if (!(condition) && tmh_add_return(&failures, 1) <= 5)		\
		printf("# %s:%d: %s\n", __FILE__, __LINE__, #condition); \
} while (0)

static u32 random_of(u64 *seed, u32 below)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed % below;
}

static u8 content(u32 seed, u32 at)
{
	return (seed + at * 2654435761u) >> 24;
}

static void *get_frame(void *owner)
{
	EXPECT(owner == &bins);
	if (tmh_add_return(&frames, 1) > tmh_read(&room)) {
		tmh_add_return(&frames, -1ul);
		return NULL;
	}
	return aligned_alloc(PAGE_SIZE, PAGE_SIZE);
}

static void put_frame(void *owner, void *frame)
{
	EXPECT(owner == &bins);
	memset(frame, 0xa5, PAGE_SIZE);
	free(frame);
	tmh_add_return(&frames, -1ul);
}

/* The entry is locked. */
static void forget(struct entry *entry)
{
	unsigned long item = entry->item;

	entry->item = 0;
	if (!item)
		return;
	tmh_add_return(&held, -1ul);
	zcache_bin_free(item);
}

static void drop(void *owner, const struct zcache_name *name)
{
	struct entry *entry = &entries[name->index];

	EXPECT(owner == &bins && name->object == ~name->index && name->pool == 5);
	pthread_mutex_lock(&entry->mutex);
	if (!entry->pinned && entry->item) {
		if (entry->added > tmh_read(&youngest))
			tmh_set(&youngest, entry->added);
		forget(entry);
		tmh_add_return(&dropped, 1);
	}
	pthread_mutex_unlock(&entry->mutex);
}

static const struct zcache_bin_ops ops = {
	.get_frame = get_frame,
	.put_frame = put_frame,
	.drop = drop,
};

static void begin(unsigned int shards, unsigned long nr_frames)
{
	unsigned int i;

	tmh_set(&room, nr_frames);
	tmh_set(&failures, 0);
	tmh_set(&wrong, 0);
	tmh_set(&dropped, 0);
	for (i = 0; i < NAMES; i++)
		entries[i].pinned = false;
	bins = zcache_bins_create(&ops, &bins, shards, &bin_clock);
}

/* Returns true if all was right. */
static bool end(void)
{
	unsigned int i;

	for (i = 0; i < NAMES; i++)
		forget(&entries[i]);
	EXPECT(!tmh_read(&held));
	EXPECT(!zcache_bins_frames(bins) && !zcache_bins_oldest(bins));
	zcache_bins_destroy(bins);
	EXPECT(!tmh_read(&frames));
	EXPECT(!host_bytes());
	EXPECT(!tmh_read(&wrong));
	return !tmh_read(&failures);
}

/* The entry is not locked: as in a store, an item is made before it has its place. */
static bool put(unsigned int shard, u32 index, u32 bytes, u32 seed, bool grow)
{
	struct zcache_name name = {
		.object = ~(u64)index, .index = index, .pool = 5, .bytes = bytes,
	};
	struct entry *entry = &entries[index];
	u8 data[PAGE_SIZE];
	unsigned long item;
	u32 at;

	for (at = 0; at < bytes; at++)
		data[at] = content(seed, at);
	item = zcache_bin_put(bins, shard, &name, data, grow);
	pthread_mutex_lock(&entry->mutex);
	forget(entry);
	entry->item = item;
	entry->seed = seed;
	entry->bytes = bytes;
	entry->added = tmh_add_return(&sequence, 1);
	if (item)
		tmh_add_return(&held, 1);
	pthread_mutex_unlock(&entry->mutex);
	return item;
}

/* Returns true if it is there. */
static bool verify(u32 index)
{
	struct entry *entry = &entries[index];
	const struct zcache_name *name;
	u8 buffer[PAGE_SIZE];
	const u8 *data;
	u32 at = 0;
	bool there;

	pthread_mutex_lock(&entry->mutex);
	there = entry->item;
	if (there) {
		data = zcache_bin_get(entry->item, buffer, &name);
		EXPECT(zcache_bin_owner(entry->item) == &bins);
		while (at < entry->bytes && data[at] == content(entry->seed, at))
			at++;
		if (name->bytes != entry->bytes || name->index != index ||
		    at < entry->bytes)
			tmh_add_return(&wrong, 1);
	}
	pthread_mutex_unlock(&entry->mutex);
	return there;
}

static void forget_one(u32 index)
{
	pthread_mutex_lock(&entries[index].mutex);
	if (!entries[index].pinned)
		forget(&entries[index]);
	pthread_mutex_unlock(&entries[index].mutex);
}

static u32 some_bytes(u64 *seed)
{
	switch (random_of(seed, 4)) {
	case 0:
		return 1 + random_of(seed, 200);
	case 1:
		return ZCACHE_ITEM_BYTES - random_of(seed, 100);
	default:
		return 1 + random_of(seed, ZCACHE_ITEM_BYTES);
	}
}

static void do_something(u64 *seed, unsigned int shard, bool alone)
{
	u32 index = random_of(seed, NAMES);
	unsigned long before, freed;

	switch (random_of(seed, 64)) {
	case 0:
		before = tmh_read(&frames);
		freed = zcache_bins_evict(bins, random_of(seed, 8));
		EXPECT(!alone || tmh_read(&frames) == before - freed);
		break;
	case 1 ... 12:
		forget_one(index);
		break;
	case 13 ... 30:
		verify(index);
		break;
	case 31 ... 34:
		put(shard, index, some_bytes(seed), *seed, false);
		break;
	default:
		if (!put(shard, index, some_bytes(seed), *seed, true))
			zcache_bins_evict(bins, 2);
	}
	EXPECT(!alone || tmh_read(&frames) == zcache_bins_frames(bins));
}

/* Everything in any order; some items are being read all the time. */
static bool test_random(u64 seed)
{
	unsigned int i;

	begin(SHARDS, 100 + random_of(&seed, 500));
	for (i = 0; i < 20000; i++) {
		if (i == 5000)
			for (u32 pin = 0; pin < 20; pin++)
				entries[pin].pinned = true;
		if (i == 10000)
			host_fail_at(1 + random_of(&seed, 20));
		do_something(&seed, i, true);
	}
	for (i = 0; i < NAMES; i++)
		verify(i);
	EXPECT(tmh_read(&held) > 100);
	return end();
}

/* What was added first goes first, in whichever shard, but for what is in its bin. */
static bool test_order(u64 seed)
{
	const u32 bytes = 1000 + random_of(&seed, 1500);
	unsigned int left;
	u32 i, n = 0;

	begin(SHARDS, 400);
	while (n < NAMES && put(n / 16, n, bytes, n, true))
		n++;
	EXPECT(n >= 400 * PAGE_SIZE / 3000 && n < NAMES);
	do {
		unsigned long oldest = zcache_bins_oldest(bins);

		tmh_set(&youngest, 0);
		EXPECT(zcache_bins_evict(bins, 20) == 20);
		EXPECT(oldest && (zcache_bins_oldest(bins) > oldest ||
				  !zcache_bins_frames(bins)));
		for (left = 0, i = 0; i < n; i++) {
			left += verify(i);
			EXPECT(!verify(i) ||
			       entries[i].added + 32 > tmh_read(&youngest));
		}
		EXPECT(tmh_read(&dropped) == n - left);
	} while (left > n / 10 && !tmh_read(&failures));
	return end();
}

/* Size of an item that takes so many chunks */
static u32 chunks(u32 n)
{
	return n * CHUNK - sizeof(struct zcache_name);
}

/* What is put into an old bin is not old for that, whatever shard has the oldest. */
static bool test_young_again(u64 seed)
{
	u32 i;

	begin(SHARDS, 10);
	for (i = 0; i < 20; i++)
		EXPECT(put(i / 12, i, chunks(32), seed, true));
	/* The oldest bins of both shards are not the oldest any more. */
	forget_one(2);
	EXPECT(put(0, 2, chunks(32), seed, false));
	EXPECT(zcache_bins_evict(bins, 4) == 4);
	for (i = 0; i < 20; i++)
		EXPECT(verify(i) == (i < 4 || i >= 12));
	EXPECT(zcache_bins_evict(bins, 2) == 2);
	for (i = 0; i < 20; i++)
		EXPECT(verify(i) == (i < 4 || i >= 16));
	return end();
}

/* An item goes where it leaves the least room over, among bins and in one. */
static bool test_best_fit(u64 seed)
{
	/* Holes of 48 and 16 chunks, or of 16 and 48; and in another bin of 32 */
	static const u8 holes[2][6] = { { 0, 1, 2, 4, 8, 9 }, { 0, 2, 3, 4, 8, 9 } };
	const u8 *hole = holes[seed % 2];
	u32 i;

	begin(1, 4);
	for (i = 0; i < 16; i++)
		EXPECT(put(0, i, chunks(16), seed, true));
	for (i = 0; i < 6; i++)
		forget_one(hole[i]);
	EXPECT(put(0, 8, chunks(32), seed, false));
	EXPECT(put(0, 4, chunks(16), seed, false));
	EXPECT(put(0, 0, chunks(48), seed, false));
	EXPECT(!put(0, 9, 1, seed, true));
	return end();
}

/* Items that were removed at random leave room that is used again. */
static bool test_density(u64 seed)
{
	unsigned long bytes = 0, steps, all;
	u32 i, n;

	begin(1, 600);
	for (steps = 0; steps < 20000; steps++) {
		i = random_of(&seed, NAMES);
		n = 600 + random_of(&seed, 2400);
		while (!put(0, i, n, seed, true))
			zcache_bins_evict(bins, 2);
		if (steps % 2)
			forget_one(random_of(&seed, NAMES));
	}
	for (i = 0; i < NAMES; i++)
		if (verify(i))
			bytes += entries[i].bytes;
	all = zcache_bins_frames(bins) * PAGE_SIZE;
	printf("# %lu of %lu bytes are content (%lu %%)\n", bytes, all,
	       bytes * 100 / all);
	EXPECT(bytes * 100 / all >= 85);
	return end();
}

/* An item of each size, at each place in a bin */
static bool test_sizes(u64 seed)
{
	u32 bytes, place, i;

	begin(1, 1000);
	for (place = 0; place < 64; place++) {
		if (place)
			put(0, 0, place * CHUNK - sizeof(struct zcache_name) >
			    ZCACHE_ITEM_BYTES ? ZCACHE_ITEM_BYTES :
			    place * CHUNK - sizeof(struct zcache_name), 1, true);
		for (bytes = 1; bytes <= ZCACHE_ITEM_BYTES; bytes += 61) {
			EXPECT(put(0, 1, bytes, seed + bytes, true));
			EXPECT(verify(1));
			forget_one(1);
		}
		bytes = ZCACHE_ITEM_BYTES;
		EXPECT(put(0, 1, bytes, seed, true) && verify(1));
		for (i = 0; i < 2; i++)
			forget_one(i);
	}
	return end();
}

struct worker {
	pthread_t thread;
	u64	seed;
	unsigned int shard;
};

static void *work(void *argument)
{
	struct worker *worker = argument;
	unsigned int i;

	for (i = 0; i < 5000; i++)
		do_something(&worker->seed, worker->shard, false);
	return NULL;
}

static bool test_threads(u64 seed)
{
	struct worker workers[THREADS];
	unsigned int i;

	begin(SHARDS, 300);
	host_yields_unlocked = true;
	for (i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){ .seed = seed * 31 + i + 1,
					      .shard = i };
		pthread_create(&workers[i].thread, NULL, work, &workers[i]);
	}
	for (i = 0; i < THREADS; i++)
		pthread_join(workers[i].thread, NULL);
	host_yields_unlocked = false;
	for (i = 0; i < NAMES; i++)
		verify(i);
	EXPECT(tmh_read(&dropped) > 100);
	return end();
}

static const struct {
	const char *name;
	bool (*run)(u64 seed);
} tests[] = {
	{ "anything in any order", test_random },
	{ "oldest first", test_order },
	{ "young again", test_young_again },
	{ "best fit", test_best_fit },
	{ "holes are filled", test_density },
	{ "each size at each place", test_sizes },
	{ "threads", test_threads },
	{ NULL, NULL }
};

int main(int argc, char **argv)
{
	unsigned long rounds = 1, round, seed = 1, i, n = 0, failed = 0;
	int option;

	while ((option = getopt(argc, argv, "s:n:")) != -1) {
		if (option == 's')
			seed = strtoul(optarg, NULL, 0);
		else if (option == 'n')
			rounds = strtoul(optarg, NULL, 0);
		else
			return 2;
	}
	for (i = 0; i < NAMES; i++)
		pthread_mutex_init(&entries[i].mutex, NULL);
	while (tests[n].name)
		n++;
	printf("TAP version 13\n1..%lu\n", n);
	for (i = 0; i < n; i++) {
		bool good = true;

		for (round = 0; round < rounds && good; round++)
			good = tests[i].run(seed + round);
		if (!good)
			printf("# seed %lu\n", seed + round - 1);
		printf("%sok %lu %s\n", good ? "" : "not ", i + 1, tests[i].name);
		failed += !good;
	}
	return failed ? 1 : 0;
}

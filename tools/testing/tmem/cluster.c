// SPDX-License-Identifier: GPL-2.0-only
/*
 * A cluster filesystem on one disk, with a node in each thread, and a shared pool of
 * the tmem engine in front: no node ever reads what the disk has not, while nodes come,
 * go, crash and lose the right to share.
 *
 * usage: cluster [-s SEED] [-n ROUNDS]
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "test.h"
#include "host.h"
#include "say.h"

#define NODES	3
#define BLOCKS	40
#define OPS	150

static const u64 uuid[2] = { 3, 4 };

/**
 * struct block - of the disk
 * @lock: The cluster's, held for reading by who reads, for writing by who writes.
 * @generation: What is there.
 * @cached: Nodes that may have it in the pool, a bit for each: they flush it before
 *	another one writes. Without a bit no node has to.
 */
struct block {
	pthread_rwlock_t lock;
	u64	generation;
	unsigned long cached;
};

struct cluster;

/**
 * struct node - a client of the engine
 * @cluster: Where it is.
 * @thread: What it does.
 * @random: Its random numbers.
 * @number: Of its bit.
 * @mount: Held by who makes @client or @pool another one, and by whoever else than the
 *	node itself uses them.
 * @client: It.
 * @pool: Id of the pool, or negative.
 */
struct node {
	struct cluster *cluster;
	pthread_t thread;
	struct tmem_test random;
	unsigned int number;
	pthread_mutex_t mount;
	struct tmem_client *client;
	int	pool;
};

struct cluster {
	struct tmem_test *test;
	pthread_mutex_t lock;
	struct block block[BLOCKS];
	struct node node[NODES];
	unsigned long hits;
};

static void expect(struct cluster *cluster, bool good, const char *what)
{
	if (good)
		return;
	pthread_mutex_lock(&cluster->lock);
	tmem_expect(cluster->test, false, what, __FILE__, __LINE__);
	pthread_mutex_unlock(&cluster->lock);
}

static struct tmem_handle handle_of(const struct node *node, unsigned int b)
{
	struct tmem_handle handle = {
		.pool = node->pool, .oid = { b % 7 }, .index = b,
	};

	return handle;
}

/* Numbers that are multiples of 7 need no memory. */
static u64 identity_of(unsigned int b, u64 generation)
{
	return generation * BLOCKS + b + 1;
}

static void flush(const struct node *node, unsigned int b)
{
	struct tmem_handle handle = handle_of(node, b);

	tmem_flush_page(node->client, &handle);
}

static void cache(struct node *node, unsigned int b)
{
	struct block *block = &node->cluster->block[b];
	struct tmem_handle handle = handle_of(node, b);
	struct tmem_test_page page;

	__atomic_or_fetch(&block->cached, 1ul << node->number, __ATOMIC_SEQ_CST);
	tmem_test_identify(&page, identity_of(b, block->generation));
	tmem_put(node->client, &handle, &page);
}

/* From the pool, or from the disk and then into the pool */
static void read_block(struct node *node, unsigned int b)
{
	struct cluster *cluster = node->cluster;
	struct block *block = &cluster->block[b];
	struct tmem_handle handle = handle_of(node, b);
	struct tmem_test_page page;

	pthread_rwlock_rdlock(&block->lock);
	__atomic_or_fetch(&block->cached, 1ul << node->number, __ATOMIC_SEQ_CST);
	if (!tmem_get(node->client, &handle, &page, 0)) {
		expect(cluster, tmem_test_is(&page,
					     identity_of(b, block->generation)),
		       "what the disk has");
		__atomic_add_fetch(&cluster->hits, 1, __ATOMIC_RELAXED);
	} else {
		cache(node, b);
	}
	pthread_rwlock_unlock(&block->lock);
}

/* The others give their locks up for it: each flushes, through its own pool. */
static void lock_block(struct node *node, unsigned int b)
{
	struct cluster *cluster = node->cluster;
	struct block *block = &cluster->block[b];
	unsigned int i;

	pthread_rwlock_wrlock(&block->lock);
	for (i = 0; i < NODES; i++) {
		struct node *other = &cluster->node[i];

		if (other == node || !(block->cached & 1ul << i))
			continue;
		pthread_mutex_lock(&other->mount);
		flush(other, b);
		pthread_mutex_unlock(&other->mount);
	}
	block->cached &= 1ul << node->number;
}

/* What was put meanwhile, or before, is wrong until it flushes that. */
static void write_block(struct node *node, unsigned int b)
{
	struct block *block = &node->cluster->block[b];

	lock_block(node, b);
	cache(node, b);
	block->generation++;
	flush(node, b);
	block->cached = 0;
	pthread_rwlock_unlock(&block->lock);
}

static void join(struct node *node)
{
	do
		node->pool = tmem_new_pool(node->client, uuid, TMEM_TEST_SHARED);
	while (node->pool == -EAGAIN);
	expect(node->cluster, node->pool >= 0, "a pool");
}

/* It gives all locks up, and flushes for that. */
static void unmount(struct node *node)
{
	unsigned int b;

	for (b = 0; b < BLOCKS; b++) {
		struct block *block = &node->cluster->block[b];

		pthread_rwlock_rdlock(&block->lock);
		if (__atomic_fetch_and(&block->cached, ~(1ul << node->number),
				       __ATOMIC_SEQ_CST) & 1ul << node->number)
			flush(node, b);
		pthread_rwlock_unlock(&block->lock);
	}
}

static void leave(struct node *node)
{
	unmount(node);
	pthread_mutex_lock(&node->mount);
	while (tmem_destroy_pool(node->client, node->pool) == -EAGAIN)
		;
	join(node);
	pthread_mutex_unlock(&node->mount);
}

/* It goes after it has written. Others get its locks when they know. */
static void crash(struct node *node, unsigned int b, bool again)
{
	struct block *block = &node->cluster->block[b];
	int got, old = node->pool;

	lock_block(node, b);
	cache(node, b);
	block->generation++;
	pthread_mutex_lock(&node->mount);
	if (again) {
		/* It has booted, and the host has not seen it. */
		join(node);
		got = tmem_destroy_pool(node->client, old);
		expect(node->cluster, !got, "an id that was kept");
	} else {
		got = tmem_client_kill(node->client);
	}
	pthread_rwlock_unlock(&block->lock);
	while (got == -EAGAIN)
		got = tmem_client_kill(node->client);
	if (!again) {
		expect(node->cluster, !tmem_client_destroy(node->client), "dead");
		node->client = tmem_test_client(node->cluster->test, 1);
		join(node);
	}
	pthread_mutex_unlock(&node->mount);
}

/* Another one loses the right to share, and gets it again. */
static void withdraw(struct node *other)
{
	pthread_mutex_lock(&other->mount);
	while (tmem_unshare(other->client, uuid) == -EAGAIN)
		;
	pthread_mutex_unlock(&other->mount);
}

/* A node that has lost its pool notices, and has none for a while. */
static void mount(struct node *node)
{
	struct tmem_handle handle = handle_of(node, 0);

	if (tmem_flush_page(node->client, &handle) != -ENODEV)
		return;
	pthread_mutex_lock(&node->mount);
	tmem_destroy_pool(node->client, node->pool);
	join(node);
	pthread_mutex_unlock(&node->mount);
}

static void *live(void *argument)
{
	struct node *node = argument;
	struct cluster *cluster = node->cluster;
	unsigned int i;

	for (i = 0; i < OPS; i++) {
		unsigned int b = tmem_test_random(&node->random) % BLOCKS;
		unsigned int what = tmem_test_random(&node->random) % 64;

		if (what == 0)
			leave(node);
		else if (what == 1)
			crash(node, b, false);
		else if (what == 2)
			crash(node, b, tmem_test_random(&node->random) % 4 == 0);
		else if (what == 3)
			withdraw(&cluster->node[b % NODES]);
		else if (what == 4)
			tmem_evict(cluster->test->engine, 2);
		else if (what < 8)
			mount(node);
		else if (what < 20)
			write_block(node, b);
		else
			read_block(node, b);
	}
	return NULL;
}

static void run_cluster(struct cluster *cluster, struct tmem_test *test)
{
	unsigned int i;

	for (i = 0; i < BLOCKS; i++)
		pthread_rwlock_init(&cluster->block[i].lock, NULL);
	for (i = 0; i < NODES; i++) {
		struct node *node = &cluster->node[i];

		node->cluster = cluster;
		node->number = i;
		node->random.seed = tmem_test_random(test) | 1;
		pthread_mutex_init(&node->mount, NULL);
		node->client = tmem_test_client(test, 1);
		join(node);
	}
	for (i = 0; i < NODES; i++)
		if (pthread_create(&cluster->node[i].thread, NULL, live,
				   &cluster->node[i]))
			abort();
	for (i = 0; i < NODES; i++)
		pthread_join(cluster->node[i].thread, NULL);
	for (i = 0; i < NODES; i++)
		tmem_test_destroy(test, cluster->node[i].client);
}

static unsigned long run(struct tmem_test *test)
{
	struct cluster *cluster = calloc(1, sizeof(*cluster));
	unsigned long hits;

	if (!cluster || !TMEM_EXPECT(test, tmem_test_begin(test, 3, 2)))
		return 0;
	cluster->test = test;
	pthread_mutex_init(&cluster->lock, NULL);
	run_cluster(cluster, test);
	tmem_test_end(test);
	hits = cluster->hits;
	free(cluster);
	return hits;
}

int main(int argc, char **argv)
{
	unsigned long rounds = 500, round, hits = 0;
	struct tmem_test test = { .say = say };
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
	printf("TAP version 13\n1..2\n");
	for (round = 0; round < rounds && !test.failures; round++) {
		test.seed = seed + round;
		host_yield_every = round % 3;
		host_yields_unlocked = round % 2;
		hits += run(&test);
		TMEM_EXPECT(&test, !host_bytes());
	}
	if (test.failures)
		printf("# seed %llu\n", (unsigned long long)(seed + round - 1));
	printf("%sok 1 what nodes read is what the disk has\n",
	       test.failures ? "not " : "");
	/* Otherwise nothing was compared. */
	printf("%sok 2 some of it was in the pool: %lu\n",
	       hits > rounds ? "" : "not ", hits);
	return test.failures || hits <= rounds;
}

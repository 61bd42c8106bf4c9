// SPDX-License-Identifier: GPL-2.0-only
/*
 * How fast the tmem engine puts, gets and flushes pages, alone and with a second
 * worker: in the same pool, as another client, or in a process of its own, which shows
 * what the machine has to give.
 *
 * usage: bench [-s STORE] [-p PAGE_BITS] [-r ROUNDS] [-w one|pool|clients|processes]
 *              [-B BUCKET_BITS] [-S STRIPE_BITS] [-edfx]
 *
 * STORE is engine, xarray or hash. -e: ephemeral pages; -f: in objects as small as
 * files; -x: in an order that looks random; -d: nothing is copied.
 *
 * Prints for put, get and flush the operations of all workers and the nanoseconds
 * from the start of the first to the end of the last, as a sum over rounds.
 * scripts/bench-engine runs it.
 */
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "bench.h"

enum phase { PUT, GET, FLUSH, PHASES };

static const char *const phase_names[] = { "put", "get", "flush" };
static unsigned long (*const phases[])(void *client, unsigned int worker,
				       u64 *page) = {
	bench_put, bench_get, bench_flush
};

/**
 * struct stamps - when a worker was at work, in nanoseconds
 * @begin: It began a phase of a round.
 * @end: It had done its share.
 */
struct stamps {
	u64	begin[PHASES];
	u64	end[PHASES];
};

/**
 * struct stage - what workers share, be they threads or processes
 * @waiting: Those who have come to the start of the next phase.
 * @phase: How many phases there were.
 * @stamps: Of each worker for each round.
 */
struct stage {
	unsigned int waiting;
	unsigned int phase;
	struct stamps stamps[];
};

/**
 * struct worker - one of those who work
 * @number: Which.
 * @client: What it works on.
 * @page: What it puts and gets.
 * @high: Keeps memory, see work().
 * @thread: Its thread.
 */
struct worker {
	unsigned int number;
	void	*client;
	u64	*page;
	void	*high;
	pthread_t thread;
};

static struct stage *stage;

struct bench_options bench = {
	.store = &bench_engine,
	.payload = &bench_frames,
	.page_bits = 12,
	.rounds = 1,
	.workers = 1,
	.clients = 1,
	.processes = 1,
	.bucket_bits = 18,
	.stripe_bits = 8,
};

void bench_die(const char *what)
{
	fprintf(stderr, "bench: %s\n", what);
	exit(1);
}

static u64 now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000ull + time.tv_nsec;
}

/* All begin at the same time, so nobody sleeps; but each may lack a processor. */
static void wait_for_others(void)
{
	unsigned int phase = __atomic_load_n(&stage->phase, __ATOMIC_RELAXED);
	unsigned int tries = 0;

	if (__atomic_add_fetch(&stage->waiting, 1, __ATOMIC_ACQ_REL) ==
	    bench.workers) {
		stage->waiting = 0;
		__atomic_store_n(&stage->phase, phase + 1, __ATOMIC_RELEASE);
		return;
	}
	while (__atomic_load_n(&stage->phase, __ATOMIC_ACQUIRE) == phase) {
		if (++tries % 4096)
			tmh_relax();
		else
			sched_yield();
	}
}

static void run_phase(struct worker *worker, unsigned int round, enum phase phase)
{
	struct stamps *stamps = &stage->stamps[round * BENCH_WORKERS +
					       worker->number];

	wait_for_others();
	stamps->begin[phase] = now();
	if (phases[phase](worker->client, worker->number, worker->page))
		bench_die("a page is lost, refused or wrong");
	stamps->end[phase] = now();
}

/* Each on a processor of its own, if there are as many. */
static void pin(unsigned int number)
{
	cpu_set_t allowed, one;
	unsigned int cpu;

	if (sched_getaffinity(0, sizeof(allowed), &allowed))
		return;
	number %= CPU_COUNT(&allowed);
	for (cpu = 0; !CPU_ISSET(cpu, &allowed) || number--; cpu++)
		;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	sched_setaffinity(0, sizeof(one), &one);
}

static void *work(void *argument)
{
	struct worker *worker = argument;
	unsigned int round;

	pin(worker->number);
	bench_frames_begin();
	worker->page = aligned_alloc(BENCH_PAGE_SIZE, BENCH_PAGE_SIZE);
	if (!worker->page)
		bench_die("no memory");
	memset(worker->page, 0x5a, BENCH_PAGE_SIZE);
	for (round = 0; round <= bench.rounds; round++) {
		run_phase(worker, round, PUT);
		/*
		 * Something at the end of what malloc() has got by now: it does
		 * not give it back then, and no later round has page faults.
		 */
		if (!round)
			worker->high = malloc(BENCH_PAGE_SIZE);
		run_phase(worker, round, GET);
		/* They are gone; let there be some to flush. */
		if (bench.ephemeral && phases[PUT](worker->client, worker->number,
						   worker->page))
			bench_die("a page is refused");
		run_phase(worker, round, FLUSH);
	}
	return NULL;
}

/* All or one of the workers. Threads even if there is one: malloc() is faster alone. */
static void run_workers(unsigned int first, unsigned int nr)
{
	struct worker workers[BENCH_WORKERS] = {};
	unsigned int i;

	bench.store->begin();
	for (i = 0; i < nr; i++) {
		workers[i].number = first + i;
		workers[i].client = i < bench.clients ? bench.store->open() :
			workers[0].client;
	}
	for (i = 0; i < nr; i++)
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
			bench_die("no thread");
	for (i = 0; i < nr; i++) {
		pthread_join(workers[i].thread, NULL);
		free(workers[i].high);
		free(workers[i].page);
	}
}

static void run_processes(void)
{
	pid_t children[BENCH_WORKERS];
	unsigned int i, left;
	int status;

	for (i = 0; i < bench.workers; i++) {
		children[i] = fork();
		if (children[i] < 0)
			bench_die("no process");
		if (!children[i]) {
			run_workers(i, 1);
			exit(0);
		}
	}
	for (left = bench.workers; left; left--) {
		if (wait(&status) < 0 || !status)
			continue;
		/* The others would wait for it. */
		for (i = 0; i < bench.workers; i++)
			kill(children[i], SIGKILL);
		exit(1);
	}
}

static void print_phase(enum phase phase)
{
	u64 begin, end, sum = 0;
	unsigned int round, i;

	for (round = 1; round <= bench.rounds; round++) {
		const struct stamps *stamps =
			&stage->stamps[round * BENCH_WORKERS];

		begin = stamps[0].begin[phase];
		end = stamps[0].end[phase];
		for (i = 1; i < bench.workers; i++) {
			if (begin > stamps[i].begin[phase])
				begin = stamps[i].begin[phase];
			if (end < stamps[i].end[phase])
				end = stamps[i].end[phase];
		}
		sum += end - begin;
	}
	printf("%s %llu %llu\n", phase_names[phase],
	       (unsigned long long)bench_pages() * bench.rounds * bench.workers,
	       (unsigned long long)sum);
}

static void refuse_options(void)
{
	bench_die("these options make no sense; bench.c says which there are");
}

static const struct bench_store *find_store(const char *name)
{
	static const struct bench_store *const stores[] = {
		&bench_engine, &bench_xarray, &bench_hash
	};
	unsigned int i;

	for (i = 0; i < 3; i++)
		if (!strcmp(stores[i]->name, name))
			return stores[i];
	refuse_options();
	return NULL;
}

static void set_workers(const char *how)
{
	bench.workers = strcmp(how, "one") ? BENCH_WORKERS : 1;
	if (!strcmp(how, "clients"))
		bench.clients = BENCH_WORKERS;
	else if (!strcmp(how, "processes"))
		bench.processes = BENCH_WORKERS;
	else if (strcmp(how, "one") && strcmp(how, "pool"))
		refuse_options();
}

static void parse(int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "s:p:r:w:B:S:edfx")) != -1) {
		if (option == 's')
			bench.store = find_store(optarg);
		else if (option == 'p')
			bench.page_bits = atoi(optarg);
		else if (option == 'r')
			bench.rounds = atoi(optarg);
		else if (option == 'w')
			set_workers(optarg);
		else if (option == 'B')
			bench.bucket_bits = atoi(optarg);
		else if (option == 'S')
			bench.stripe_bits = atoi(optarg);
		else if (option == 'e')
			bench.ephemeral = true;
		else if (option == 'd')
			bench.payload = &bench_dummy;
		else if (option == 'f')
			bench.small = true;
		else if (option == 'x')
			bench.random = true;
		else
			refuse_options();
	}
	if (optind != argc || bench.page_bits < 1 || bench.page_bits > 28)
		refuse_options();
}

int main(int argc, char **argv)
{
	enum phase phase;

	parse(argc, argv);
	mallopt(M_MMAP_THRESHOLD, 32 << 20);
	mallopt(M_TRIM_THRESHOLD, 1 << 30);
	stage = mmap(NULL, sizeof(*stage) + (bench.rounds + 1) * BENCH_WORKERS *
		     sizeof(struct stamps), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (stage == MAP_FAILED)
		bench_die("no memory");
	bench_load_begin();
	if (bench.processes > 1)
		run_processes();
	else
		run_workers(0, bench.workers);
	for (phase = PUT; phase < PHASES; phase++)
		print_phase(phase);
	return 0;
}

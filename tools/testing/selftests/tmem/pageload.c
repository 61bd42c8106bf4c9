// SPDX-License-Identifier: GPL-2.0
/*
 * pageload - memory whose pages say who they are
 *
 * Every page carries the seed and the number of its owner, its index and its
 * generation, and is filled to the end with words that follow from these. A page
 * that comes back wrong from swap is therefore not merely wrong but named:
 *
 *	stale	an older generation of this page
 *	foreign	a whole page that belongs elsewhere, or to the future
 *	torn	not one whole page: a mixture, or rubbish
 *	zero	all zero although it had been filled
 *
 * Operations are carried out in the order given; "-" reads more of them from
 * standard input and confirms each with a line "done".
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "pattern.h"

#define HUGE_BYTES	(2UL << 20)
#define MAX_REPORTS	8
#define MAX_THREADS	16

/* Generations that are none: the page was lost to SIGBUS, or is unmapped. */
#define GEN_LOST	(~0U)
#define GEN_UNMAPPED	(~0U - 1)
#define GEN_LAST	(~0U - 2)

struct tally {
	unsigned long seen[NR_VERDICTS];
	unsigned long written;
	unsigned long sigbus;
};

/* One thread's share of the memory and what it found. */
struct worker {
	pthread_t thread;
	size_t first;
	size_t nr;
	__u64 rnd;
	struct tally tally;
};

static struct {
	size_t pages;
	__u32 owner;
	unsigned int threads;
	bool huge;
	bool shared;
	bool twins;
	bool expect_sigbus;
	bool loop_pageout;
	bool loop_drop;
	bool make_it_fail;
	const char *file;
	const char *cgroup;
} opt = {
	.pages = 16 << 8,
	.owner = 1,
	.threads = 1,
};

static struct pattern pattern = { .seed = 1 };

static unsigned char *mem;
static struct ident *slots;
static __u64 rnd_state;
static struct tally total;
static unsigned int nr_reports;
static bool has_holes;

static time_t loop_end;
static bool loop_told;	/* to end, by SIGUSR1 */
static __thread sigjmp_buf sigbus_env;

static void die(const char *what)
{
	fprintf(stderr, "pageload: %s: %s\n", what, strerror(errno));
	exit(2);
}

/*
 * Single pages
 */

static __u64 *page(size_t i)
{
	return (__u64 *)(mem + i * PAGE_BYTES);
}

static void report(enum verdict v, size_t i)
{
	const struct ident *id = &slots[i];
	const __u64 *w = page(i);
	unsigned int n;

	if (__atomic_fetch_add(&nr_reports, 1, __ATOMIC_RELAXED) >= MAX_REPORTS)
		return;
	flockfile(stdout);
	printf("# page %zu is %s: expected owner %u generation %u%s, found",
	       i, verdict_name[v], id->owner, id->gen,
	       is_blank(&pattern, id) ? " (blank)" : "");
	for (n = 0; n < HEADER_WORDS; n++)
		printf(" %016llx", w[n]);
	printf(" ... %016llx\n", w[PAGE_WORDS - 1]);
	funlockfile(stdout);
}

static bool is_there(size_t i)
{
	return slots[i].gen <= GEN_LAST;
}

static void on_sigbus(int sig)
{
	(void)sig;
	siglongjmp(sigbus_env, 1);
}

/* A page that raised SIGBUS is not touched any more. */
static void lose_page(size_t i, struct tally *t)
{
	slots[i].gen = GEN_LOST;
	t->sigbus++;
}

static void write_page(size_t i, struct tally *t)
{
	struct ident *id = &slots[i];

	if (!is_there(i))
		return;
	if (sigsetjmp(sigbus_env, 0)) {
		lose_page(i, t);
		return;
	}
	id->gen++;
	id->owner = opt.owner;
	if (is_blank(&pattern, id))
		memset(page(i), 0, PAGE_BYTES);
	else
		fill_words(&pattern, id, page(i), 0);
	t->written++;
}

static void verify_page(size_t i, struct tally *t)
{
	enum verdict v;

	if (!is_there(i))
		return;
	if (sigsetjmp(sigbus_env, 0)) {
		lose_page(i, t);
		return;
	}
	if (is_right(&pattern, &slots[i], page(i))) {
		t->seen[OK]++;
		return;
	}
	v = judge(&pattern, &slots[i], page(i));
	t->seen[v]++;
	report(v, i);
}

static void advise(size_t i, size_t nr, int advice, const char *what)
{
	if (!madvise(page(i), nr * PAGE_BYTES, advice))
		return;
	/* A range with holes is advised nevertheless. */
	if (errno != ENOMEM || !has_holes)
		die(what);
}

static void drop_page(size_t i, struct tally *t)
{
	(void)t;
	if (!is_there(i))
		return;
	advise(i, 1, opt.shared ? MADV_REMOVE : MADV_DONTNEED, "drop");
	slots[i].gen = 0;
}

static void unmap_page(size_t i, struct tally *t)
{
	(void)t;
	if (!is_there(i))
		return;
	if (munmap(page(i), PAGE_BYTES))
		die("munmap");
	slots[i].gen = GEN_UNMAPPED;
	has_holes = true;
}

/*
 * Operations on all of the memory
 */

static void add_tally(struct tally *sum, const struct tally *t)
{
	int v;

	for (v = 0; v < NR_VERDICTS; v++)
		sum->seen[v] += t->seen[v];
	sum->written += t->written;
	sum->sigbus += t->sigbus;
}

static void print_tally(const char *what, const struct tally *t)
{
	size_t i, nr_lost = 0;
	int v;

	for (i = 0; i < opt.pages; i++)
		nr_lost += slots[i].gen == GEN_LOST;
	printf("%s: written=%lu", what, t->written);
	for (v = 0; v < NR_VERDICTS; v++)
		printf(" %s=%lu", verdict_name[v], t->seen[v]);
	printf(" sigbus=%lu lost=%zu\n", t->sigbus, nr_lost);
	fflush(stdout);
	add_tally(&total, t);
}

static unsigned long wrong(const struct tally *t)
{
	return t->seen[STALE] + t->seen[FOREIGN] + t->seen[TORN] +
	       t->seen[ZERO];
}

static unsigned long number(const char *arg, unsigned long otherwise)
{
	unsigned long n;
	char *end;

	if (!arg)
		return otherwise;
	n = strtoul(arg, &end, 0);
	if (end == arg || *end) {
		errno = EINVAL;
		die(arg);
	}
	return n;
}

static void touch_some(const char *what,
		       void (*touch)(size_t i, struct tally *t),
		       const char *percent)
{
	unsigned long share = number(percent, 100);
	struct tally t = {};
	size_t i;

	for (i = 0; i < opt.pages; i++)
		if (chance(&rnd_state, share))
			touch(i, &t);
	print_tally(what, &t);
}

static void do_stop(const char *arg)
{
	(void)arg;
	fflush(stdout);
	raise(SIGSTOP);
}

/* Make one page wrong on purpose: proof that it would be seen. */
static void do_corrupt(const char *arg)
{
	struct ident old, other;
	size_t i;

	for (i = 0; i < opt.pages; i++) {
		old = slots[i];
		old.gen--;
		if (is_there(i) && slots[i].gen > 1 &&
		    !is_blank(&pattern, &slots[i]) && !is_blank(&pattern, &old))
			break;
	}
	errno = EINVAL;
	if (!arg || i == opt.pages)
		die("corrupt: needs a kind, and a page of generation 2");

	other = slots[i];
	other.index++;
	if (!strcmp(arg, "stale"))
		fill_words(&pattern, &old, page(i), 0);
	else if (!strcmp(arg, "torn"))
		fill_words(&pattern, &old, page(i), PAGE_WORDS - 8);
	else if (!strcmp(arg, "foreign"))
		fill_words(&pattern, &other, page(i), 0);
	else if (!strcmp(arg, "zero"))
		memset(page(i), 0, PAGE_BYTES);
	else
		die(arg);
}

/*
 * Threads that rewrite and verify random runs of their pages
 */

static void run_step(struct worker *w)
{
	size_t nr = 1 + rnd(&w->rnd) % 64;
	size_t i = w->first + rnd(&w->rnd) % w->nr;
	size_t end = i + nr < w->first + w->nr ? i + nr : w->first + w->nr;
	unsigned int what = rnd(&w->rnd) % 16;

	if (opt.loop_pageout && what == 0) {
		advise(i, end - i, MADV_PAGEOUT, "pageout");
		return;
	}
	if (opt.loop_drop && what == 1) {
		drop_page(i, NULL);
		return;
	}
	for (; i < end; i++) {
		if (what < 8)
			write_page(i, &w->tally);
		else
			verify_page(i, &w->tally);
	}
}

static void *worker_main(void *data)
{
	struct worker *w = data;

	while (!__atomic_load_n(&loop_told, __ATOMIC_RELAXED) &&
	       time(NULL) < loop_end)
		run_step(w);
	return NULL;
}

static void on_usr1(int sig)
{
	(void)sig;
	__atomic_store_n(&loop_told, true, __ATOMIC_RELAXED);
}

static void do_loop(const char *arg)
{
	struct worker w[MAX_THREADS] = {};
	size_t share = opt.pages / opt.threads;
	struct tally t = {};
	unsigned int k;

	loop_end = time(NULL) + number(arg, 3600);
	for (k = 0; k < opt.threads; k++) {
		w[k].first = k * share;
		w[k].nr = share;
		w[k].rnd = rnd(&rnd_state);
		while (pthread_create(&w[k].thread, NULL, worker_main, &w[k])) {
			if (!opt.make_it_fail)
				die("pthread_create");
		}
	}
	for (k = 0; k < opt.threads; k++) {
		pthread_join(w[k].thread, NULL);
		add_tally(&t, &w[k].tally);
	}
	loop_told = false;
	print_tally("loop", &t);
}

static void do_lock(const char *arg)
{
	(void)arg;
	if (mlock(mem, opt.pages * PAGE_BYTES))
		die("mlock");
}

/*
 * Children that share all pages copy-on-write, each rewriting some of its own.
 * Memory that is shared for good they only read.
 */

static void child_main(unsigned int k)
{
	int round;

	opt.owner = opt.owner * 100 + k + 1;
	rnd_state ^= opt.owner;
	memset(&total, 0, sizeof(total));
	for (round = 0; round < 2; round++) {
		touch_some("verify", verify_page, NULL);
		if (!opt.shared)
			touch_some("age", write_page, "30");
	}
	touch_some("verify", verify_page, NULL);
	exit(wrong(&total) ? 1 : 0);
}

static void do_fork(const char *arg)
{
	unsigned long nr = number(arg, 2), k;
	int status;
	pid_t pid;

	fflush(stdout);
	for (k = 0; k < nr; k++) {
		pid = fork();
		if (pid < 0)
			die("fork");
		if (!pid)
			child_main(k);
	}
	if (!opt.shared)
		touch_some("age", write_page, "30");
	touch_some("verify", verify_page, NULL);
	for (k = 0; k < nr; k++) {
		if (wait(&status) < 0)
			die("wait");
		if (WIFEXITED(status) && !WEXITSTATUS(status))
			continue;
		printf("# a child ended with status %#x\n", status);
		total.seen[FOREIGN]++;
	}
}

static const struct {
	const char *name;
	const char *help;
	void (*run)(const char *arg);
	void (*touch)(size_t i, struct tally *t);
	int advice;
} ops[] = {
	{ "fill", "write every page", .touch = write_page },
	{ "age", "=PERCENT  write pages anew with their next generation",
	  .touch = write_page },
	{ "verify", "=PERCENT  read and judge pages", .touch = verify_page },
	{ "drop", "=PERCENT  forget single pages (MADV_DONTNEED, MADV_REMOVE)",
	  .touch = drop_page },
	{ "unmap", "=PERCENT  munmap single pages", .touch = unmap_page },
	{ "pageout", "MADV_PAGEOUT", .advice = MADV_PAGEOUT },
	{ "merge", "MADV_MERGEABLE", .advice = MADV_MERGEABLE },
	{ "lock", "mlock()", .run = do_lock },
	{ "fork", "=N  share the pages with N children, copy-on-write",
	  .run = do_fork },
	{ "loop", "=SECONDS or until SIGUSR1: rewrite and verify random runs",
	  .run = do_loop },
	{ "stop", "wait for SIGCONT", .run = do_stop },
	{ "corrupt", "=KIND  make one page stale, foreign, torn or zero",
	  .run = do_corrupt },
	{}
};

static void run_op(char *word)
{
	char *arg = strchr(word, '=');
	unsigned int k;

	if (arg)
		*arg++ = '\0';
	for (k = 0; ops[k].name; k++) {
		if (strcmp(word, ops[k].name))
			continue;
		if (ops[k].run)
			ops[k].run(arg);
		else if (ops[k].touch)
			touch_some(word, ops[k].touch, arg);
		else
			advise(0, opt.pages, ops[k].advice, word);
		return;
	}
	fprintf(stderr, "pageload: unknown operation: %s\n", word);
	exit(2);
}

static void run_stdin(void)
{
	char word[64];

	while (scanf("%63s", word) == 1) {
		run_op(word);
		printf("done\n");
		fflush(stdout);
	}
}

/*
 * Command line
 */

static void show_help(void)
{
	unsigned int k;

	fputs("usage: pageload [option]... operation...\n"
	      "  -m MB       memory (16)          -k KB       the same in kB\n"
	      "  -o OWNER    number of the owner  -s SEED     random seed (1)\n"
	      "  -t THREADS  threads of loop      -z PERCENT  zero-filled pages\n"
	      "  -H          MADV_HUGEPAGE        -S          shared memory\n"
	      "  -f FILE     shared file          -c          compressible\n"
	      "  -T          each page twice      -g CGROUP   its directory\n"
	      "  -p  -d      loop does pageout, drop too\n"
	      "  -F          let its allocations fail, as set up in debugfs\n"
	      "  -B          count SIGBUS, go on\n"
	      "operations:\n", stderr);
	for (k = 0; ops[k].name; k++)
		fprintf(stderr, "  %-10s%s\n", ops[k].name, ops[k].help);
	fputs("  -         read operations from standard input\n", stderr);
	exit(2);
}

static void parse(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "+m:k:o:s:t:z:HSf:g:cTpdFB")) != -1) {
		switch (c) {
		case 'm':
			opt.pages = number(optarg, 0) << 8;
			break;
		case 'k':
			opt.pages = number(optarg, 0) >> 2;
			break;
		case 'o':
			opt.owner = number(optarg, 0);
			break;
		case 's':
			pattern.seed = number(optarg, 0);
			break;
		case 't':
			opt.threads = number(optarg, 0);
			break;
		case 'z':
			pattern.zero_percent = number(optarg, 0);
			break;
		case 'H':
			opt.huge = true;
			break;
		case 'S':
			opt.shared = true;
			break;
		case 'f':
			opt.file = optarg;
			opt.shared = true;
			break;
		case 'g':
			opt.cgroup = optarg;
			break;
		case 'c':
			pattern.compressible = true;
			break;
		case 'T':
			opt.twins = true;
			break;
		case 'p':
			opt.loop_pageout = true;
			break;
		case 'd':
			opt.loop_drop = true;
			break;
		case 'F':
			opt.make_it_fail = true;
			break;
		case 'B':
			opt.expect_sigbus = true;
			break;
		default:
			show_help();
		}
	}
	if (optind == argc || opt.threads < 1 || opt.threads > MAX_THREADS ||
	    opt.pages < 2 * opt.threads)
		show_help();
}

static void *map(size_t bytes, int fd, bool shared)
{
	int flags = (shared ? MAP_SHARED : MAP_PRIVATE) |
		    (fd < 0 ? MAP_ANONYMOUS : 0);
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, fd, 0);

	if (p == MAP_FAILED)
		die("mmap");
	return p;
}

static void write_file(const char *directory, const char *name,
		       const char *text)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	fd = open(path, O_WRONLY);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		die(path);
	close(fd);
}

static void set_up(void)
{
	size_t i, bytes = opt.pages * PAGE_BYTES;
	int fd = -1;

	if (opt.file) {
		fd = open(opt.file, O_RDWR | O_CREAT | O_TRUNC, 0600);
		if (fd < 0 || ftruncate(fd, bytes))
			die(opt.file);
	}
	if (opt.cgroup)
		write_file(opt.cgroup, "cgroup.procs", "0");
	slots = map(opt.pages * sizeof(*slots), -1, opt.shared);
	for (i = 0; i < opt.pages; i++)
		slots[i].index = opt.twins ? i % (opt.pages / 2) : i;
	if (opt.huge) {
		mem = map(bytes + HUGE_BYTES, fd, opt.shared);
		mem += -(unsigned long)mem % HUGE_BYTES;
		advise(0, opt.pages, MADV_HUGEPAGE, "MADV_HUGEPAGE");
	} else {
		mem = map(bytes, fd, opt.shared);
	}
	if (opt.expect_sigbus) {
		struct sigaction sa = {
			.sa_handler = on_sigbus,
			.sa_flags = SA_NODEFER,
		};

		sigaction(SIGBUS, &sa, NULL);
	}
	signal(SIGUSR1, on_usr1);
	rnd_state = pattern.seed;
	printf("# pageload: pages=%zu owner=%u seed=%llu\n", opt.pages,
	       opt.owner, pattern.seed);
	fflush(stdout);
	if (opt.make_it_fail)
		write_file("/proc/self", "make-it-fail", "1");
}

int main(int argc, char **argv)
{
	parse(argc, argv);
	set_up();
	for (; optind < argc; optind++) {
		if (!strcmp(argv[optind], "-"))
			run_stdin();
		else
			run_op(argv[optind]);
	}
	return wrong(&total) ? 1 : 0;
}

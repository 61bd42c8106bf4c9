// SPDX-License-Identifier: GPL-2.0
/*
 * fileload - processes that exercise one file and know what has to be in it
 *
 * Each process writes its own stripe of the file, all of them read everywhere,
 * in all the ways there are. Every block of 512 bytes says which one it is; what
 * it has to be is known from a model that the processes share (filemodel.c). A
 * read that began after a write was done must find what was written, and nothing
 * else:
 *
 *	stale		an older content of this block
 *	foreign		a block of another file
 *	torn		not one whole block
 *	zero		all zero although it had been written
 *	misplaced	another block of this file
 *
 * The first wrong block ends the run, with all that is known about it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fileload.h"

#define BLOCKS_PER_KB	(1024 / BLOCK_BYTES)
#define MIN_STRIPE	128UL		/* kB, as is readahead */
#define MAX_STRIPE	1048576UL	/* kB */
#define MIN_LENGTH	4UL		/* kB, direct I/O fits in */
#define MAX_LENGTH	16384UL

struct options opt = { .ops = 1000, .processes = 2, .max = 256 };
struct shared *shared;
struct process me;
size_t page_bytes;
size_t direct_blocks;
size_t fs_blocks;

const struct op ops[] = {
	{ "read", do_read, 20, OP_READS },
	{ "mmapread", do_mmapread, 10, OP_READS },
	{ "directread", do_directread, 6, OP_READS },
	{ "aioread", do_aioread, 4, OP_READS },
	{ "splice", do_splice, 5, OP_READS },
	{ "write", do_write, 16, 0 },
	{ "mmapwrite", do_mmapwrite, 10, 0 },
	{ "directwrite", do_directwrite, 8, 0 },
	{ "aiowrite", do_aiowrite, 5, 0 },
	{ "truncate", do_truncate, 1, OP_ALONE },
	{ "extend", do_extend, 4, OP_ALONE },
	{ "cut", do_cut, 1, OP_ALONE },
	{ "punch", do_punch, 3, 0 },
	{ "zero", do_zero, 3, 0 },
	{ "collapse", do_collapse, 1, OP_ALONE },
	{ "insert", do_insert, 1, OP_ALONE },
	{ "allocate", do_allocate, 2, 0 },
	{ "clone", do_clone, 3, 0 },
	{ "dedupe", do_dedupe, 2, 0 },
	{ "copyrange", do_copyrange, 3, 0 },
	{ "dontneed", do_dontneed, 6, OP_READS },
	{ "fsync", do_fsync, 2, 0 },
	{ "sync_file_range", do_sync_file_range, 3, 0 },
	{ "reclaim", do_reclaim, 3, OP_READS },
	{ "dropcaches", do_dropcaches, 1, OP_READS },
	{ "reopen", do_reopen, 1, OP_READS },
};

#define NR_OPS	ARRAY_SIZE(ops)
const size_t nr_ops = NR_OPS;

static bool chosen[NR_OPS];
static time_t begin;

/* The end of a process that has found something wrong */
noreturn void give_up(void)
{
	__atomic_store_n(&shared->stop, FAILED, __ATOMIC_SEQ_CST);
	if (me.nr == opt.processes)
		print_summary(true);
	fflush(stdout);
	_exit(1);
}

/*
 * Operations
 */

bool usable(const struct op *op)
{
	size_t i = op - ops;

	if ((opt.read_only || shared->broken) && !(op->flags & OP_READS))
		return false;
	return chosen[i] && !shared->refused[i];
}

const struct op *find_op(const char *name)
{
	size_t i;

	for (i = 0; i < NR_OPS; i++)
		if (!strcmp(ops[i].name, name))
			return &ops[i];
	return NULL;
}

static const struct op *choose(void)
{
	unsigned long sum = 0, n;
	size_t i;

	for (i = 0; i < NR_OPS; i++)
		if (usable(&ops[i]))
			sum += ops[i].weight;
	if (!sum)
		return NULL;
	n = rnd() % sum;
	for (i = 0; !usable(&ops[i]) || n >= ops[i].weight; i++)
		if (usable(&ops[i]))
			n -= ops[i].weight;
	return &ops[i];
}

static void refuse(const struct op *op)
{
	if (!__atomic_exchange_n(&shared->refused[op - ops], true,
				 __ATOMIC_SEQ_CST))
		printf("# unsupported: %s\n", op->name);
}

/* Also for operations within others, which are told apart in reports. */
void run_op(const struct op *op)
{
	const struct op *outer = me.op;
	size_t i = op - ops;

	me.op = op;
	switch (op->run()) {
	case DONE:
		me.tally->done[i]++;
		__atomic_store_n(&shared->worked[i], true, __ATOMIC_RELAXED);
		break;
	case SKIPPED:
		me.tally->skipped++;
		break;
	case REFUSED:
		refuse(op);
		break;
	}
	me.op = outer;
}

static bool told_to_stop(void)
{
	return __atomic_load_n(&shared->stop, __ATOMIC_SEQ_CST) != GO_ON;
}

/* Who holds the lock may have died: then all are told to stop. */
static bool lock(bool alone)
{
	struct timespec t;
	int error;

	do {
		if (told_to_stop())
			return false;
		clock_gettime(CLOCK_REALTIME, &t);
		t.tv_sec++;
		error = alone ?
			pthread_rwlock_timedwrlock(&shared->lock, &t) :
			pthread_rwlock_timedrdlock(&shared->lock, &t);
	} while (error == ETIMEDOUT || error == EAGAIN);
	if (!error)
		return true;
	errno = error;
	fail("rwlock");
}

static void unlock(void)
{
	pthread_rwlock_unlock(&shared->lock);
}

/*
 * One process
 */

static time_t seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

static bool is_over(void)
{
	return (opt.ops && me.ops >= opt.ops) ||
	       (opt.seconds && seconds() - begin >= (time_t)opt.seconds);
}

static bool is_half_over(void)
{
	if (!opt.ops && !opt.seconds)
		return me.ops >= 1000;
	return (opt.ops && me.ops >= opt.ops / 2) ||
	       (opt.seconds &&
		seconds() - begin >= (time_t)(opt.seconds + 1) / 2);
}

/*
 * Write an older content and keep it from the model. From then on nobody writes,
 * which could make it right again.
 */
static void break_block(void)
{
	struct model *m = &shared->model;
	size_t first = me.nr * m->stripe, block, i;
	unsigned char buf[BLOCK_BYTES];
	__u64 stamp = 0;

	if (!lock(true))
		return;
	for (i = rnd() % m->stripe; i < m->stripe && !stamp; i++) {
		block = first + i;
		if (block < m->size)
			stamp = model_older(m, block);
	}
	if (stamp) {
		fill_block(buf, stamp);
		write_all(me.fd, buf, BLOCK_BYTES, block * BLOCK_BYTES);
		shared->broken = true;
		printf("# block %zu is stale on purpose\n", block);
	}
	unlock();
}

static bool step(void)
{
	const struct op *op;

	if (!me.nr && opt.break_it && !shared->broken && is_half_over())
		break_block();
	op = choose();
	if (!op || !lock(op->flags & OP_ALONE))
		return false;
	if (usable(op))
		run_op(op);
	unlock();
	me.ops++;
	return true;
}

static noreturn void run_process(unsigned int nr)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	set_up_process(nr);
	while (!is_over() && !told_to_stop() && step())
		;
	fflush(stdout);
	_exit(0);
}

/*
 * All processes
 */

static void on_signal(int sig)
{
	enum stop go_on = GO_ON;

	(void)sig;
	__atomic_compare_exchange_n(&shared->stop, &go_on, ASKED_TO_STOP, false,
				    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/* Only the parent gets them: no system call of a test is interrupted. */
static void mask_signals(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(how, &set, NULL);
}

static void start_processes(pid_t *pid)
{
	unsigned int k;

	fflush(stdout);
	mask_signals(SIG_BLOCK);
	signal(SIGTERM, on_signal);
	signal(SIGINT, on_signal);
	for (k = 0; k < opt.processes; k++) {
		pid[k] = fork();
		if (pid[k] < 0)
			die("fork");
		if (!pid[k])
			run_process(k);
	}
	mask_signals(SIG_UNBLOCK);
}

static void wait_for_processes(const pid_t *pid)
{
	unsigned int left = opt.processes, k;
	int status;
	pid_t who;

	while (left) {
		who = wait(&status);
		if (who < 0 && errno == EINTR)
			continue;
		if (who < 0)
			die("wait");
		left--;
		if (WIFEXITED(status) && !WEXITSTATUS(status))
			continue;
		shared->stop = FAILED;
		for (k = 0; pid[k] != who; k++)
			;
		if (!WIFSIGNALED(status))
			continue;
		printf("# process %u died from signal %d, %s, in the last of:\n",
		       k, WTERMSIG(status), strsignal(WTERMSIG(status)));
		print_trace(k, LAST_OPS);
	}
}

static void verify(void)
{
	set_up_process(opt.processes);
	verify_all(me.fd);
	if (!opt.read_only && fsync(me.fd))
		fail("fsync");
	if (me.direct >= 0)
		verify_all(me.direct);
}

static int run(void)
{
	pid_t pid[MAX_PROCESSES];

	begin = seconds();
	start_processes(pid);
	wait_for_processes(pid);
	if (shared->stop == FAILED)
		give_up();
	if (shared->stop == ASKED_TO_STOP)
		printf("# stopped by a signal\n");
	verify();
	if (opt.break_it) {
		printf("# -B has not been found, or found nothing to break\n");
		give_up();
	}
	if (opt.model && !opt.read_only && !model_save(&shared->model, opt.model))
		die(opt.model);
	print_summary(false);
	return 0;
}

/*
 * Setting up
 */

static void *share(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		die("memory");
	return p;
}

/* Writers first: somebody is always reading. */
static void make_lock(pthread_rwlock_t *lock)
{
	pthread_rwlockattr_t attr;

	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_rwlockattr_setkind_np(&attr,
				      PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(lock, &attr);
}

static __u64 some_number(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * 1000003ULL + t.tv_nsec * 31ULL + getpid();
}

/* The page with the end of the file is looked at to its end. */
static void set_up_model(size_t stripe)
{
	struct model *m = &shared->model;

	if (opt.read_only) {
		errno = EINVAL;
		if (!model_load_head(m, opt.model))
			die(opt.model);
	} else {
		m->stripe = stripe;
		m->max = stripe * opt.processes;
		m->size = m->max;
		m->id = 1 + some_number() % ((1 << ID_BITS) - 1);
	}
	m->block = share((m->max + MAX_PAGE / BLOCK_BYTES) *
			 sizeof(*m->block));
	if (opt.read_only && !model_load_stamps(m, opt.model))
		die(opt.model);
}

/* Without data there would be nothing that direct I/O could be refused for. */
static void probe_direct(int fd)
{
	void *buf = aligned(2 * MAX_DIRECT);
	size_t bytes;
	int direct;

	if (!opt.read_only &&
	    (pwrite(fd, buf, 2 * MAX_DIRECT, 0) < 0 || fsync(fd)))
		die(opt.file);
	direct = open(opt.file, O_RDONLY | O_DIRECT);
	if (direct < 0)
		return;
	for (bytes = BLOCK_BYTES; bytes <= MAX_DIRECT; bytes *= 8) {
		if (pread(direct, buf, bytes, bytes) < 0)
			continue;
		direct_blocks = bytes / BLOCK_BYTES;
		break;
	}
	close(direct);
	free(buf);
}

static void set_up_file(void)
{
	int fd = open(opt.file, opt.read_only ? O_RDONLY : O_RDWR | O_CREAT,
		      0600);
	struct statfs fs;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) || fstatfs(fd, &fs))
		die(opt.file);
	errno = EINVAL;
	if (!S_ISREG(st.st_mode))
		die(opt.file);
	if (!opt.read_only && ftruncate(fd, 0))
		die(opt.file);
	probe_direct(fd);
	if (!opt.read_only && (ftruncate(fd, 0) ||
			       ftruncate(fd, shared->model.size * BLOCK_BYTES)))
		die(opt.file);
	close(fd);
	fs_blocks = fs.f_bsize / BLOCK_BYTES;
	if (!fs_blocks)
		fs_blocks = 1;
}

static void set_up(size_t stripe)
{
	me.nr = opt.processes;
	page_bytes = sysconf(_SC_PAGESIZE);
	setvbuf(stdout, NULL, _IOLBF, 4096);
	if (!opt.seed)
		opt.seed = some_number() >> 8;
	shared = share(sizeof(*shared));
	make_lock(&shared->lock);
	set_up_model(stripe);
	set_up_file();
	printf("# fileload: seed=%llu processes=%u stripe=%zukB file=%#llx direct=%zu block=%zu\n",
	       opt.seed, opt.processes, shared->model.stripe / BLOCKS_PER_KB,
	       shared->model.id, direct_blocks * BLOCK_BYTES,
	       fs_blocks * BLOCK_BYTES);
}

/*
 * Command line
 */

static noreturn void refuse_to_run(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("fileload: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(2);
}

static unsigned long number(int option, unsigned long min, unsigned long max)
{
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(optarg, &end, 0);
	if (errno || end == optarg || *end || *optarg == '-' || n < min ||
	    n > max)
		refuse_to_run("-%c %s: must be from %lu to %lu", option,
			      optarg, min, max);
	return n;
}

static void choose_ops(char *list, bool yes)
{
	const struct op *op;
	char *name;

	if (yes)
		memset(chosen, 0, sizeof(chosen));
	for (name = strtok(list, ","); name; name = strtok(NULL, ",")) {
		op = find_op(name);
		if (!op)
			refuse_to_run("%s: no such operation, see -l", name);
		chosen[op - ops] = yes;
	}
}

static void list_ops(void)
{
	size_t i;

	for (i = 0; i < NR_OPS; i++)
		puts(ops[i].name);
	exit(0);
}

static void show_help(void)
{
	puts("usage: fileload [option]... FILE\n"
	     "  -s SEED       random seed, 0: any (0)\n"
	     "  -n OPS        operations of each process, 0: endless (1000)\n"
	     "  -t SECONDS    time, 0: endless (0); without -n there is no OPS\n"
	     "  -p PROCESSES  (2)\n"
	     "  -z KB         stripe of each process, a power of two (1024)\n"
	     "  -c KB         the longest operation (128)\n"
	     "  -o LIST       only these operations, separated by commas\n"
	     "  -x LIST       all but these\n"
	     "  -l            list the names of operations\n"
	     "  -r PATH       memory.reclaim of a cgroup, for \"reclaim\"\n"
	     "  -D            allow \"dropcaches\"\n"
	     "  -K MODELFILE  save what the file must be, or load it for -R\n"
	     "  -R            read only\n"
	     "  -B            make a block stale on purpose: it must be found\n"
	     "  -v            print each operation");
	exit(0);
}

static void check_options(size_t stripe)
{
	size_t i;

	if (stripe & (stripe - 1))
		refuse_to_run("-z: not a power of two");
	if (opt.max > stripe)
		refuse_to_run("-c: longer than a stripe, see -z");
	if (opt.read_only && !opt.model)
		refuse_to_run("-R: needs -K");
	if (opt.read_only && opt.break_it)
		refuse_to_run("-B: cannot be used with -R");
	chosen[find_op("reclaim") - ops] &= !!opt.reclaim;
	chosen[find_op("dropcaches") - ops] &= opt.drop_caches;
	for (i = 0; i < NR_OPS; i++)
		if (chosen[i] && (!opt.read_only || ops[i].flags & OP_READS))
			return;
	refuse_to_run("no operation is left by -o, -x, -r, -D and -R");
}

/* The length of a stripe */
static size_t parse(int argc, char **argv)
{
	size_t stripe = 1024 * BLOCKS_PER_KB;
	bool has_ops = false;
	int c;

	memset(chosen, 1, sizeof(chosen));
	while ((c = getopt(argc, argv, "s:n:t:p:z:c:o:x:lr:DK:RBvh")) != -1) {
		switch (c) {
		case 's':
			opt.seed = number(c, 0, -1UL);
			break;
		case 'n':
			opt.ops = number(c, 0, -1UL);
			has_ops = true;
			break;
		case 't':
			opt.seconds = number(c, 0, 1UL << 31);
			if (!has_ops)
				opt.ops = 0;
			break;
		case 'p':
			opt.processes = number(c, 1, MAX_PROCESSES);
			break;
		case 'z':
			stripe = number(c, MIN_STRIPE, MAX_STRIPE) *
				 BLOCKS_PER_KB;
			break;
		case 'c':
			opt.max = round_down(number(c, MIN_LENGTH, MAX_LENGTH),
					     MIN_LENGTH) * BLOCKS_PER_KB;
			break;
		case 'o':
		case 'x':
			choose_ops(optarg, c == 'o');
			break;
		case 'l':
			list_ops();
			break;
		case 'r':
			opt.reclaim = optarg;
			break;
		case 'D':
			opt.drop_caches = true;
			break;
		case 'K':
			opt.model = optarg;
			break;
		case 'R':
			opt.read_only = true;
			break;
		case 'B':
			opt.break_it = true;
			break;
		case 'v':
			opt.verbose = true;
			break;
		case 'h':
			show_help();
			break;
		default:
			exit(2);
		}
	}
	if (optind != argc - 1)
		refuse_to_run("needs one FILE");
	opt.file = argv[optind];
	check_options(stripe);
	return stripe;
}

int main(int argc, char **argv)
{
	set_up(parse(argc, argv));
	return run();
}

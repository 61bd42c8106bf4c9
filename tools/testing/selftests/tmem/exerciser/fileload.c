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

struct options opt = { .ops = 1000, .processes = 2, .max = 256 };
struct shared *shared;
struct process me;
size_t page_bytes;
size_t direct_blocks;
size_t fs_blocks;

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
	op = choose_op();
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
	if (!opt.read_only && fsync(me.fd) && !collided())
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

int main(int argc, char **argv)
{
	set_up(parse_args(argc, argv));
	return run();
}

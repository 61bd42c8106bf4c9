// SPDX-License-Identifier: GPL-2.0
/*
 * One process of fileload: its random numbers, its open file, the ranges that it
 * picks, and the trace of what it does.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fileload.h"

#define LAST_OPS_OF_OTHERS	3

static __u64 mix(__u64 x)
{
	x ^= x >> 33;
	x *= 0xff51afd7ed558ccdULL;
	x ^= x >> 33;
	x *= 0xc4ceb9fe1a85ec53ULL;
	return x ^ (x >> 33);
}

__u64 rnd(void)
{
	me.rnd += 0x9e3779b97f4a7c15ULL;
	return mix(me.rnd);
}

bool one_in(unsigned int n)
{
	return rnd() % n == 0;
}

/* For what makes a run impossible, before there is anything to be tested */
void die(const char *what)
{
	fprintf(stderr, "fileload: %s: %s\n", what, strerror(errno));
	exit(2);
}

/* An operation that should have worked did not. */
noreturn void fail(const char *what)
{
	printf("# [%u] FAILED: %s: %s: %s\n", me.nr,
	       me.op ? me.op->name : "verification", what, strerror(errno));
	print_steps();
	give_up();
}

/*
 * After a call that syncs: was it no error of the disk? A direct write that meets a
 * page which another process just makes dirty through a mapping cannot remove it,
 * and the kernel reports that as EIO, once, to who syncs next ("Page cache
 * invalidation failure on direct I/O" in its log). The page in the page cache is an
 * old one then, and goes; what is wrong with the content nevertheless is found
 * elsewhere.
 */
bool collided(void)
{
	if (errno != EIO)
		return false;
	me.tally->collisions++;
	posix_fadvise(me.fd, 0, 0, POSIX_FADV_DONTNEED);
	return true;
}

/*
 * The filesystem cannot do it, so it seems: what has worked before must go on
 * working.
 */
enum outcome refused(const char *call)
{
	switch (errno) {
	case EOPNOTSUPP:
	case EINVAL:
	case ENOTTY:
	case ENODEV:
		if (!shared->worked[me.op - ops])
			return REFUSED;
	}
	fail(call);
}

/*
 * Trace
 */

static void print_step(unsigned int nr, const struct step *step)
{
	printf("# [%u] #%lu %s %zu+%zu\n", nr, step->op, step->what,
	       step->range.first * BLOCK_BYTES, step->range.nr * BLOCK_BYTES);
}

void trace(const char *what, struct range range)
{
	struct step *step = &me.trace->step[me.trace->nr++ % MAX_STEPS];

	*step = (struct step){ me.ops, what, range };
	if (opt.verbose)
		print_step(me.nr, step);
}

/* The last operations of any process, as far as it has noted them */
void print_trace(unsigned int nr, unsigned long nr_ops)
{
	const struct trace *trace = &shared->trace[nr];
	unsigned long end = trace->nr, last, i;
	const struct step *step;

	if (!end)
		return;
	last = trace->step[(end - 1) % MAX_STEPS].op;
	for (i = end > MAX_STEPS ? end - MAX_STEPS : 0; i < end; i++) {
		step = &trace->step[i % MAX_STEPS];
		if (step->what && step->op + nr_ops > last)
			print_step(nr, step);
	}
}

void print_steps(void)
{
	unsigned int k;

	printf("# [%u] last operations, as #number what offset+bytes:\n",
	       me.nr);
	print_trace(me.nr, LAST_OPS);
	printf("# [%u] what the others were doing:\n", me.nr);
	for (k = 0; k < opt.processes; k++)
		if (k != me.nr)
			print_trace(k, LAST_OPS_OF_OTHERS);
}

/*
 * Ranges
 */

static size_t some_length(size_t align)
{
	size_t nr = 1 + rnd() % (one_in(2) ? min(opt.max, 16) : opt.max);

	return min(round_up(nr, align), opt.max);
}

/* A range that begins at a multiple of @align; it may be cut off at @end. */
bool pick(size_t first, size_t end, size_t align, struct range *range)
{
	first = round_up(first, align);
	if (first >= end)
		return false;
	range->first = first + rnd() % ((end - first - 1) / align + 1) * align;
	range->nr = min(some_length(align), end - range->first);
	return true;
}

/* For readers; often just what has been written. */
bool pick_any(size_t align, struct range *range)
{
	size_t size = shared->model.size;

	if (me.last.nr && one_in(4)) {
		*range = me.last;
		range->first = round_down(range->first, align);
		if (range->first + range->nr <= size)
			return true;
	}
	return pick(0, size, align, range);
}

/* For writers: all of it aligned */
bool pick_own(size_t align, struct range *range)
{
	size_t first = me.nr * shared->model.stripe;
	size_t end = min(first + shared->model.stripe, shared->model.size);

	if (!pick(first, round_down(end, align), align, range))
		return false;
	me.last = *range;
	return true;
}

/*
 * Setting up
 */

void *aligned(size_t bytes)
{
	void *p;

	errno = posix_memalign(&p, MAX_PAGE, bytes);
	if (errno)
		fail("memory");
	memset(p, 0, bytes);
	return p;
}

void open_file(void)
{
	int how = (opt.read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC;

	me.fd = open(opt.file, how);
	if (me.fd < 0)
		fail(opt.file);
	me.direct = -1;
	if (!direct_blocks)
		return;
	me.direct = open(opt.file, how | O_DIRECT);
	if (me.direct < 0)
		fail(opt.file);
}

void close_file(void)
{
	if (close(me.fd))
		fail("close");
	if (me.direct >= 0 && close(me.direct))
		fail("close");
}

void set_up_process(unsigned int nr)
{
	me.nr = nr;
	me.rnd = mix(opt.seed + nr * 0x632be59bd9b4e019ULL);
	me.tally = &shared->tally[nr];
	me.trace = &shared->trace[nr];
	me.buf = aligned(opt.max * BLOCK_BYTES + MAX_PAGE);
	prepare_look(&me.look);
	if (pipe(me.pipe))
		fail("pipe");
	open_file();
	if (opt.read_only)
		check_size();
}

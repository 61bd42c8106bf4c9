// SPDX-License-Identifier: GPL-2.0
/*
 * The operations of fileload that read, all the ways there are, and what is to
 * be told about wrong data.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fileload.h"

#define PIPE_BYTES	65536UL
#define NR_TRIES	1000

/*
 * Reports
 */

struct finding {
	size_t block;
	enum verdict verdict;
	char expected[2 * TEXT_BYTES + 8];
	const unsigned char *data;
};

static bool again_buffered(size_t block, unsigned char *data)
{
	return pread(me.fd, data, BLOCK_BYTES, block * BLOCK_BYTES) ==
	       BLOCK_BYTES;
}

static bool again_direct(size_t block, unsigned char *data)
{
	size_t first = direct_blocks ? round_down(block, direct_blocks) : 0;
	size_t skip = (block - first) * BLOCK_BYTES;
	unsigned char *buf;
	ssize_t got;

	errno = EOPNOTSUPP;
	if (me.direct < 0)
		return false;
	buf = aligned(MAX_DIRECT);
	got = pread(me.direct, buf, direct_blocks * BLOCK_BYTES,
		    first * BLOCK_BYTES);
	memcpy(data, buf + skip, BLOCK_BYTES);
	return got >= (ssize_t)(skip + BLOCK_BYTES);
}

static bool again_mapped(size_t block, unsigned char *data)
{
	struct range range = { block, 1 };
	unsigned char *at;
	void *map;

	if (round_down(block * BLOCK_BYTES, page_bytes) >=
	    shared->model.size * BLOCK_BYTES)
		return false;
	map = map_range(range, PROT_READ, &at);
	if (!map)
		return false;
	memcpy(data, at, BLOCK_BYTES);
	unmap_range(map, range);
	return true;
}

static void say_again(const char *how, size_t block,
		      bool (*again)(size_t block, unsigned char *data))
{
	__u64 data[BLOCK_WORDS];
	char text[TEXT_BYTES], why[TEXT_BYTES];

	errno = 0;
	if (!again(block, (unsigned char *)data)) {
		printf("# [%u] read again, %s: nothing, %s\n", me.nr, how,
		       errno ? strerror(errno) : "end of file");
		return;
	}
	describe_block(text, data);
	model_explain(&shared->model, block, data, why);
	printf("# [%u] read again, %s: %s%s\n", me.nr, how, text, why);
}

/*
 * The others are stopped first. Direct comes last: it writes back what is dirty.
 */
static noreturn void report(const struct finding *f)
{
	const struct model *m = &shared->model;
	char text[TEXT_BYTES], why[TEXT_BYTES];

	__atomic_store_n(&shared->stop, FAILED, __ATOMIC_SEQ_CST);
	printf("# [%u] WRONG: %s of process %u: block %zu at offset %zu, of process %zu, is %s\n",
	       me.nr, me.op ? me.op->name : "verification", me.nr, f->block,
	       f->block * BLOCK_BYTES, f->block / m->stripe,
	       verdict_name[f->verdict]);
	printf("# [%u] expected: %s\n", me.nr, f->expected);
	describe_block(text, f->data);
	model_explain(m, f->block, f->data, why);
	printf("# [%u] found: %s%s\n", me.nr, text, why);
	say_again("buffered", f->block, again_buffered);
	say_again("mapped", f->block, again_mapped);
	say_again("direct", f->block, again_direct);
	printf("# [%u] size of the file: %zu\n", me.nr, m->size * BLOCK_BYTES);
	print_steps();
	give_up();
}

static void describe_allowed(char *text, const struct allowed *allowed)
{
	char old[TEXT_BYTES], new[TEXT_BYTES];

	describe_stamp(old, allowed->old);
	describe_stamp(new, allowed->new);
	sprintf(text, "%s%s%s", old, allowed->old != allowed->new ? " or " : "",
		allowed->old != allowed->new ? new : "");
}

/*
 * Judging
 */

void prepare_look(struct look *look)
{
	look->seen = calloc(opt.max + MAX_PAGE / BLOCK_BYTES,
			    sizeof(*look->seen));
	if (!look->seen)
		fail("memory");
}

void look_before(struct look *look, struct range range)
{
	size_t i;

	look->range = range;
	look->zeroes = false;
	for (i = 0; i < range.nr; i++)
		model_look(&shared->model, range.first + i, &look->seen[i]);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* One block, number @i of the range; true: it is wrong */
static bool check_block(const struct look *look, size_t i,
			const unsigned char *data, struct finding *found)
{
	const struct model *m = &shared->model;
	size_t block = look->range.first + i;
	bool foreign = block / m->stripe != me.nr && !opt.read_only;
	struct allowed allowed;
	enum verdict verdict;

	verdict = model_judge(m, block, &look->seen[i], data,
			      look->zeroes && foreign, &allowed);
	me.tally->seen[verdict]++;
	if (verdict < STALE)
		return false;
	found->block = block;
	found->verdict = verdict;
	found->data = data;
	describe_allowed(found->expected, &allowed);
	return true;
}

void check(const struct look *look, const unsigned char *data)
{
	struct finding first, found;
	size_t i, wrong = 0;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	for (i = 0; i < look->range.nr; i++, data += BLOCK_BYTES)
		if (check_block(look, i, data, &found) && !wrong++)
			first = found;
	/* After a collision that nobody has been told of yet it may be old. */
	if (!wrong || (fsync(me.fd) && collided()))
		return;
	printf("# [%u] %zu wrong blocks from %zu to %zu, of %zu read from %zu on\n",
	       me.nr, wrong, first.block, found.block, look->range.nr,
	       look->range.first);
	report(&first);
}

/* A block that the end of the file went through: zero from @bytes on */
void check_cut(const unsigned char *data, size_t block, size_t bytes,
	       __u64 stamp)
{
	unsigned char right[BLOCK_BYTES];
	struct finding found = {
		.block = block, .data = data, .verdict = TORN
	};
	char text[TEXT_BYTES];

	fill_block(right, stamp);
	memset(right + bytes, 0, BLOCK_BYTES - bytes);
	if (!memcmp(data, right, BLOCK_BYTES)) {
		me.tally->seen[RIGHT]++;
		return;
	}
	me.tally->seen[TORN]++;
	describe_stamp(text, stamp);
	sprintf(found.expected, "%s, zero from byte %zu on", text, bytes);
	report(&found);
}

void check_size(void)
{
	struct stat st;

	if (fstat(me.fd, &st))
		fail("fstat");
	if ((size_t)st.st_size == shared->model.size * BLOCK_BYTES)
		return;
	printf("# [%u] size is %lld, should be %zu\n", me.nr,
	       (long long)st.st_size, shared->model.size * BLOCK_BYTES);
	errno = ERANGE;
	fail("wrong size");
}

/*
 * Operations
 */

/*
 * Also for verification. Pieces that begin and end at odd bytes make one range
 * of two system calls or more; it is judged as a whole.
 */
static void read_all(int fd, unsigned char *buf, size_t bytes, off_t at,
		     bool in_pieces)
{
	size_t want;
	ssize_t got;

	for (; bytes; bytes -= got, buf += got, at += got) {
		want = in_pieces ? 1 + rnd() % bytes : bytes;
		got = pread(fd, buf, want, at);
		if (got > 0)
			continue;
		if (!got)
			errno = ENODATA;
		fail("pread");
	}
}

enum outcome do_read(void)
{
	struct range range;

	if (!pick_any(1, &range))
		return SKIPPED;
	trace("read", range);
	look_before(&me.look, range);
	read_all(me.fd, me.buf, range.nr * BLOCK_BYTES,
		 range.first * BLOCK_BYTES, one_in(4));
	check(&me.look, me.buf);
	return DONE;
}

/*
 * A direct read that meets blocks which another process just makes dirty through
 * a mapping gets EIO if they are not allocated yet ("Direct I/O collision with
 * buffered writes" in the kernel's log): it cannot wait for what is not written
 * back. It is tried again; the error of a disk stays.
 */
ssize_t pread_direct(void *buf, size_t bytes, off_t at)
{
	int tries = NR_TRIES;
	ssize_t got;

	for (;;) {
		got = pread(me.direct, buf, bytes, at);
		if (got >= 0 || errno != EIO || !tries--)
			return got;
		me.tally->collisions++;
	}
}

/* Of whole alignments, but the last one may be cut short by the end of file. */
static void read_direct(struct range range)
{
	size_t bytes = range.nr * BLOCK_BYTES;
	size_t align = direct_blocks * BLOCK_BYTES;
	ssize_t got = pread_direct(me.buf, round_up(bytes, align),
				   range.first * BLOCK_BYTES);

	if (got >= (ssize_t)bytes)
		return;
	if (got >= 0)
		errno = ENODATA;
	fail("direct pread");
}

enum outcome do_directread(void)
{
	struct range range;

	if (me.direct < 0)
		return REFUSED;
	if (!pick_any(direct_blocks, &range))
		return SKIPPED;
	trace("directread", range);
	look_before(&me.look, range);
	read_direct(range);
	check(&me.look, me.buf);
	return DONE;
}

/* The pages that hold the range; @at is where it begins, NULL an error. */
void *map_range(struct range range, int prot, unsigned char **at)
{
	size_t first = range.first * BLOCK_BYTES;
	size_t begin = round_down(first, page_bytes);
	void *map = mmap(NULL, first + range.nr * BLOCK_BYTES - begin, prot,
			 MAP_SHARED, me.fd, begin);

	if (map == MAP_FAILED)
		return NULL;
	*at = (unsigned char *)map + first - begin;
	return map;
}

void unmap_range(void *map, struct range range)
{
	size_t first = range.first * BLOCK_BYTES;
	size_t begin = round_down(first, page_bytes);

	if (munmap(map, first + range.nr * BLOCK_BYTES - begin))
		fail("munmap");
}

/*
 * At the end of the file, the rest of the page is looked at, too.
 *
 * When a part of a page is punched, xfs drops the whole page from the page cache;
 * if the page is a part of a folio the kernel zeroes it first, and whoever has mapped
 * it just before sees that, for a moment. So zeroes in the stripe of another process
 * prove nothing here either, unless they stay.
 */
enum outcome do_mmapread(void)
{
	size_t size = shared->model.size;
	unsigned long inconclusive;
	struct range range;
	unsigned char *at;
	void *map;

	if (!pick_any(1, &range))
		return SKIPPED;
	if (range.first + range.nr == shared->model.size)
		range.nr = round_up(shared->model.size,
				    page_bytes / BLOCK_BYTES) - range.first;
	trace("mmapread", range);
	map = map_range(range, PROT_READ, &at);
	if (!map)
		return refused("mmap");
	if (one_in(4))
		madvise(map, at - (unsigned char *)map +
			range.nr * BLOCK_BYTES, MADV_RANDOM);
	look_before(&me.look, range);
	me.look.zeroes = true;
	memcpy(me.buf, at, range.nr * BLOCK_BYTES);
	inconclusive = me.tally->seen[INCONCLUSIVE];
	check(&me.look, me.buf);
	unmap_range(map, range);
	if (me.tally->seen[INCONCLUSIVE] > inconclusive && range.first < size) {
		range.nr = min(range.nr, size - range.first);
		look_before(&me.look, range);
		read_all(me.fd, me.buf, range.nr * BLOCK_BYTES,
			 range.first * BLOCK_BYTES, false);
		check(&me.look, me.buf);
	}
	return DONE;
}

static void read_pipe(unsigned char *buf, size_t bytes)
{
	ssize_t got;

	for (; bytes; bytes -= got, buf += got) {
		got = read(me.pipe[0], buf, bytes);
		if (got <= 0)
			fail("read from pipe");
	}
}

/*
 * Pages wait in the pipe and may leave the page cache meanwhile: what is read is
 * the file at any time since splice() began. Or something else: when others
 * punch, clone or dedupe, the kernel drops the pages concerned from the page
 * cache, whole pages even for a few bytes of them, and zeroes them if they are
 * but part of a folio. They are read anew by everybody, but the pipe still has
 * the folio. So zeroes in the stripe of another process prove nothing here.
 */
enum outcome do_splice(void)
{
	size_t done = 0, bytes;
	struct range range;
	ssize_t got;
	loff_t at;

	if (!pick_any(1, &range))
		return SKIPPED;
	trace("splice", range);
	bytes = range.nr * BLOCK_BYTES;
	at = range.first * BLOCK_BYTES;
	look_before(&me.look, range);
	me.look.zeroes = true;
	for (; done < bytes; done += got) {
		got = splice(me.fd, &at, me.pipe[1], NULL,
			     min(bytes - done, PIPE_BYTES), 0);
		if (got < 0 && !done)
			return refused("splice");
		if (got <= 0)
			fail("splice");
		if (one_in(4))
			posix_fadvise(me.fd, at - got, got,
				      POSIX_FADV_DONTNEED);
		read_pipe(me.buf + done, got);
	}
	check(&me.look, me.buf);
	return DONE;
}

void verify_all(int fd)
{
	size_t size = shared->model.size;
	struct range range = { 0, 0 };

	check_size();
	for (; range.first < size; range.first += range.nr) {
		range.nr = min(round_down(opt.max, 8), size - range.first);
		look_before(&me.look, range);
		if (fd == me.direct)
			read_direct(range);
		else
			read_all(fd, me.buf, range.nr * BLOCK_BYTES,
				 range.first * BLOCK_BYTES, false);
		check(&me.look, me.buf);
	}
}

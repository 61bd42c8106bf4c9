// SPDX-License-Identifier: GPL-2.0
/*
 * The operations of fileload that write and leave the size alone. A process does
 * them in its own stripe only, so that there is one writer for each block.
 *
 * Nor do two processes write to one folio. Direct I/O by one of them while the
 * other dirties the same folio has no defined result: the page cache cannot be
 * invalidated and is written back over what direct I/O has written. Folios are
 * as long as a write or as readahead at most, and aligned to their length; hence
 * a stripe is a power of two and not shorter than these (main() sees to it that
 * it is not shorter than an operation, read_ahead_kb is up to the user).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fileload.h"

#define NR_TRIES	8

/* New content for each block, which from now on is being written */
void compose(struct range range, unsigned char *buf)
{
	__u64 stamp;
	size_t i;

	for (i = 0; i < range.nr; i++, buf += BLOCK_BYTES) {
		stamp = make_stamp(shared->model.id, me.nr, ++me.counter);
		fill_block(buf, stamp);
		model_begin(&shared->model, range.first + i, stamp);
	}
}

void end_write(struct range range)
{
	size_t i;

	for (i = 0; i < range.nr; i++)
		model_end(&shared->model, range.first + i);
}

static enum outcome undo_write(struct range range, const char *call)
{
	size_t i;

	for (i = 0; i < range.nr; i++)
		model_undo(&shared->model, range.first + i);
	return refused(call);
}

static void write_piece(int fd, const unsigned char *buf, size_t bytes,
			off_t at)
{
	ssize_t put;

	for (; bytes; bytes -= put, buf += put, at += put) {
		put = pwrite(fd, buf, bytes, at);
		if (put <= 0)
			fail("pwrite");
	}
}

/* In pieces that begin and end at odd bytes, now and then */
void write_all(int fd, const unsigned char *buf, size_t bytes, off_t at)
{
	bool in_pieces = one_in(4);
	size_t piece;

	for (; bytes; bytes -= piece, buf += piece, at += piece) {
		piece = in_pieces ? 1 + rnd() % bytes : bytes;
		write_piece(fd, buf, piece, at);
	}
}

enum outcome do_write(void)
{
	struct range range;

	if (!pick_own(1, &range))
		return SKIPPED;
	trace("write", range);
	compose(range, me.buf);
	write_all(me.fd, me.buf, range.nr * BLOCK_BYTES,
		  range.first * BLOCK_BYTES);
	end_write(range);
	return DONE;
}

enum outcome do_mmapwrite(void)
{
	struct range range;
	unsigned char *at;
	void *map;

	if (!pick_own(1, &range))
		return SKIPPED;
	trace("mmapwrite", range);
	map = map_range(range, PROT_READ | PROT_WRITE, &at);
	if (!map)
		return refused("mmap");
	compose(range, me.buf);
	memcpy(at, me.buf, range.nr * BLOCK_BYTES);
	end_write(range);
	if (one_in(4) &&
	    msync(map, at - (unsigned char *)map + range.nr * BLOCK_BYTES,
		  one_in(2) ? MS_SYNC : MS_ASYNC) && !collided())
		fail("msync");
	unmap_range(map, range);
	return DONE;
}

/* What has been composed; the kernel may give up direct I/O half way. */
bool write_direct(const unsigned char *buf, struct range range)
{
	size_t bytes = range.nr * BLOCK_BYTES;
	off_t at = range.first * BLOCK_BYTES;
	ssize_t put = pwrite(me.direct, buf, bytes, at);

	if (put < 0)
		return false;
	write_piece(me.fd, buf + put, bytes - put, at + put);
	return true;
}

enum outcome do_directwrite(void)
{
	struct range range;

	if (me.direct < 0)
		return REFUSED;
	if (!pick_own(direct_blocks, &range))
		return SKIPPED;
	trace("directwrite", range);
	compose(range, me.buf);
	if (!write_direct(me.buf, range))
		return undo_write(range, "direct pwrite");
	end_write(range);
	return DONE;
}

/*
 * Allocation
 */

static int allocate(int mode, struct range range)
{
	return fallocate(me.fd, mode, range.first * BLOCK_BYTES,
			 range.nr * BLOCK_BYTES);
}

static enum outcome zero_range(const char *what, int mode)
{
	struct range range;
	size_t i;

	if (!pick_own(1, &range))
		return SKIPPED;
	trace(what, range);
	for (i = 0; i < range.nr; i++)
		model_begin(&shared->model, range.first + i, 0);
	if (allocate(mode, range))
		return undo_write(range, what);
	end_write(range);
	return DONE;
}

enum outcome do_punch(void)
{
	return zero_range("punch", FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE);
}

enum outcome do_zero(void)
{
	return zero_range("zero", FALLOC_FL_ZERO_RANGE |
			  (one_in(2) ? FALLOC_FL_KEEP_SIZE : 0));
}

enum outcome do_allocate(void)
{
	struct range range;

	if (!pick_own(1, &range))
		return SKIPPED;
	trace("allocate", range);
	if (allocate(one_in(2) ? FALLOC_FL_KEEP_SIZE : 0, range))
		return refused("fallocate");
	return DONE;
}

/*
 * From one range to another
 */

/* Two ranges of the same length that do not overlap */
static bool pick_two(size_t align, struct range *from, struct range *to)
{
	int tries;

	for (tries = 0; tries < NR_TRIES; tries++) {
		if (!pick_own(align, from) || !pick_own(align, to))
			return false;
		from->nr = min(from->nr, to->nr);
		to->nr = from->nr;
		if (from->first + from->nr <= to->first ||
		    to->first + to->nr <= from->first)
			return true;
	}
	return false;
}

static void begin_copy(struct range from, struct range to)
{
	struct model *m = &shared->model;
	size_t i;

	for (i = 0; i < to.nr; i++)
		model_begin(m, to.first + i, model_stamp(m, from.first + i));
}

enum outcome do_clone(void)
{
	struct file_clone_range clone = { .src_fd = me.fd };
	struct range from, to;

	if (!pick_two(fs_blocks, &from, &to))
		return SKIPPED;
	trace("clone from", from);
	trace("clone to", to);
	clone.src_offset = from.first * BLOCK_BYTES;
	clone.src_length = from.nr * BLOCK_BYTES;
	clone.dest_offset = to.first * BLOCK_BYTES;
	begin_copy(from, to);
	if (ioctl(me.fd, FICLONERANGE, &clone))
		return undo_write(to, "FICLONERANGE");
	end_write(to);
	return DONE;
}

static enum outcome copy_range(struct range from, struct range to)
{
	loff_t in = from.first * BLOCK_BYTES, out = to.first * BLOCK_BYTES;
	size_t left = from.nr * BLOCK_BYTES;
	ssize_t done;

	begin_copy(from, to);
	for (; left; left -= done) {
		done = copy_file_range(me.fd, &in, me.fd, &out, left, 0);
		if (done > 0)
			continue;
		if (done < 0 && left == from.nr * BLOCK_BYTES)
			return undo_write(to, "copy_file_range");
		fail("copy_file_range");
	}
	end_write(to);
	return DONE;
}

enum outcome do_copyrange(void)
{
	struct range from, to;

	if (!pick_two(one_in(2) ? fs_blocks : 1, &from, &to))
		return SKIPPED;
	trace("copyrange from", from);
	trace("copyrange to", to);
	return copy_range(from, to);
}

/* The kernel compares: equal ranges that it finds different are wrong data. */
static enum outcome dedupe(struct range from, struct range to)
{
	struct file_dedupe_range *arg = aligned(sizeof(*arg) +
						sizeof(arg->info[0]));
	int error, status;

	arg->src_offset = from.first * BLOCK_BYTES;
	arg->src_length = from.nr * BLOCK_BYTES;
	arg->dest_count = 1;
	arg->info[0].dest_fd = me.fd;
	arg->info[0].dest_offset = to.first * BLOCK_BYTES;
	error = ioctl(me.fd, FIDEDUPERANGE, arg) ? errno : 0;
	status = arg->info[0].status;
	free(arg);

	errno = error ? error : -status;
	if (error || status < 0)
		return refused("FIDEDUPERANGE");
	errno = EILSEQ;
	if (status == FILE_DEDUPE_RANGE_DIFFERS)
		fail("FIDEDUPERANGE finds equal ranges different");
	return DONE;
}

enum outcome do_dedupe(void)
{
	struct range from, to;
	size_t i;

	if (!pick_two(fs_blocks, &from, &to))
		return SKIPPED;
	trace("dedupe from", from);
	trace("dedupe to", to);
	begin_copy(from, to);
	for (i = 0; i < from.nr; i++)
		fill_block(me.buf + i * BLOCK_BYTES,
			   model_stamp(&shared->model, from.first + i));
	write_all(me.fd, me.buf, from.nr * BLOCK_BYTES,
		  to.first * BLOCK_BYTES);
	end_write(to);
	return dedupe(from, to);
}

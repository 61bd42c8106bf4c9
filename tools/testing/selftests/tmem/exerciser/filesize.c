// SPDX-License-Identifier: GPL-2.0
/*
 * The operations of fileload that change the size of the file or move data in
 * it. Whoever does them is alone in the file, and no block belongs to others
 * now: a read that met them could end early, find a mapping without a page, or
 * see a block where another one was, and its result would prove nothing.
 *
 * The size is a multiple of a block whenever others see the file; "cut" has
 * others in between.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fileload.h"

static void resize(size_t bytes)
{
	if (ftruncate(me.fd, bytes))
		fail("ftruncate");
}

/* The file ends at block @size; those that are new, or lost, are zero. */
static void set_size(size_t size)
{
	struct model *m = &shared->model;

	if (size < m->size)
		model_zero(m, size, m->size);
	m->size = size;
	check_size();
}

/* Half of it at most, if it is not all */
enum outcome do_truncate(void)
{
	struct model *m = &shared->model;
	size_t lost = one_in(8) ? m->size : 1 + rnd() % (m->size / 2 + 1);

	if (!m->size)
		return SKIPPED;
	trace("truncate", (struct range){ m->size - lost, lost });
	resize((m->size - lost) * BLOCK_BYTES);
	set_size(m->size - lost);
	return DONE;
}

/*
 * Longer files
 */

static void rewrite(struct range range)
{
	compose(range, me.buf);
	write_all(me.fd, me.buf, range.nr * BLOCK_BYTES,
		  range.first * BLOCK_BYTES);
	end_write(range);
}

/* Between the old end of the file and what is written there may be a hole. */
static void extend_by_write(struct range all)
{
	struct range range = { .first = all.first };

	range.nr = min(1 + rnd() % all.nr, opt.max);
	if (one_in(2))
		range.first += all.nr - range.nr;
	trace("extend by write", range);
	rewrite(range);
	set_size(range.first + range.nr);
}

static void extend_by_direct(struct range all)
{
	struct range range = { .nr = round_down(all.nr, direct_blocks) };

	range.nr = min(range.nr, opt.max);
	range.first = round_up(all.first, direct_blocks);
	trace("extend by direct write", range);
	compose(range, me.buf);
	if (!write_direct(me.buf, range))
		fail("direct pwrite");
	end_write(range);
	set_size(range.first + range.nr);
}

static void extend_by_truncate(struct range all)
{
	trace("extend by truncate", all);
	resize((all.first + all.nr) * BLOCK_BYTES);
	set_size(all.first + all.nr);
}

static void extend_by_allocate(struct range all)
{
	trace("extend by allocate", all);
	if (!fallocate(me.fd, 0, all.first * BLOCK_BYTES,
		       all.nr * BLOCK_BYTES))
		set_size(all.first + all.nr);
	else if (errno == EOPNOTSUPP)
		extend_by_truncate(all);
	else
		fail("fallocate");
}

enum outcome do_extend(void)
{
	struct model *m = &shared->model;
	struct range all = { m->size, m->max - m->size };
	unsigned int how = rnd() % 8;

	if (!all.nr)
		return SKIPPED;
	if (one_in(2))
		all.nr = 1 + rnd() % all.nr;
	if (how < 3) {
		extend_by_write(all);
	} else if (how < 5 && me.direct >= 0 && all.nr >= 2 * direct_blocks) {
		all.nr -= direct_blocks;
		extend_by_direct(all);
	} else if (how < 6) {
		extend_by_allocate(all);
	} else {
		extend_by_truncate(all);
	}
	return DONE;
}

/*
 * An end of file amid a block
 */

/* The block, and the rest of its page, through a mapping */
static void look_mapped(size_t block, size_t bytes, __u64 stamp)
{
	size_t page_blocks = page_bytes / BLOCK_BYTES;
	struct range range = { block, page_blocks - block % page_blocks };
	unsigned char *at;
	void *map = map_range(range, PROT_READ, &at);
	size_t i;

	if (!map)
		return;
	memcpy(me.buf, at, range.nr * BLOCK_BYTES);
	check_cut(me.buf, block, bytes, stamp);
	for (i = 1; i < range.nr; i++)
		check_cut(me.buf + i * BLOCK_BYTES, block + i, 0, 0);
	unmap_range(map, range);
}

static void look_by_read(size_t block, size_t bytes, __u64 stamp)
{
	if (pread(me.fd, me.buf, BLOCK_BYTES, block * BLOCK_BYTES) !=
	    BLOCK_BYTES)
		fail("pread");
	check_cut(me.buf, block, bytes, stamp);
}

/* Let the page with the end of the file be as it is, on disk, or there only. */
static void settle(void)
{
	unsigned int how = rnd() % 3;

	if (how > 0 && fsync(me.fd) && !collided())
		fail("fsync");
	if (how > 1)
		posix_fadvise(me.fd, 0, 0, POSIX_FADV_DONTNEED);
}

/* What has been cut off must not come back with the old size. */
enum outcome do_cut(void)
{
	struct model *m = &shared->model;
	size_t bytes = 1 + rnd() % (BLOCK_BYTES - 1);
	struct range range = { .nr = 1 };
	__u64 stamp;

	if (!m->size)
		return SKIPPED;
	range.first = rnd() % m->size;
	trace("cut", range);
	stamp = model_stamp(m, range.first);
	resize(range.first * BLOCK_BYTES + bytes);
	settle();
	if (one_in(2))
		look_mapped(range.first, bytes, stamp);
	resize(m->size * BLOCK_BYTES);
	settle();
	if (one_in(2))
		look_mapped(range.first, bytes, stamp);
	else
		look_by_read(range.first, bytes, stamp);
	model_zero(m, range.first, m->size);
	rewrite(range);
	check_size();
	return DONE;
}

/*
 * Data on the move
 */

enum outcome do_collapse(void)
{
	struct model *m = &shared->model;
	struct range range;
	size_t end;

	if (!m->size ||
	    !pick(0, round_down(m->size - 1, fs_blocks), fs_blocks, &range))
		return SKIPPED;
	trace("collapse", range);
	if (fallocate(me.fd, FALLOC_FL_COLLAPSE_RANGE,
		      range.first * BLOCK_BYTES, range.nr * BLOCK_BYTES))
		return refused("FALLOC_FL_COLLAPSE_RANGE");
	end = range.first + range.nr;
	model_move(m, range.first, end, m->size - end);
	set_size(m->size - range.nr);
	return DONE;
}

enum outcome do_insert(void)
{
	struct model *m = &shared->model;
	struct range range;
	size_t room = round_down(m->max - m->size, fs_blocks);

	if (!room || !pick(0, m->size, fs_blocks, &range))
		return SKIPPED;
	range.nr = min(round_up(range.nr, fs_blocks), room);
	trace("insert", range);
	if (fallocate(me.fd, FALLOC_FL_INSERT_RANGE,
		      range.first * BLOCK_BYTES, range.nr * BLOCK_BYTES))
		return refused("FALLOC_FL_INSERT_RANGE");
	model_move(m, range.first + range.nr, range.first,
		   m->size - range.first);
	model_zero(m, range.first, range.first + range.nr);
	set_size(m->size + range.nr);
	return DONE;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * The operations of fileload with several direct I/Os in flight while the
 * process goes on reading, what is being written as well. They end with all I/O
 * done, so that nothing else of this process can meet it.
 */
#include <errno.h>
#include <linux/aio_abi.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fileload.h"

#define NR_SLOTS	4

struct slot {
	struct iocb iocb;
	struct range range;
	struct look look;
	unsigned char *buf;
};

static struct slot slots[NR_SLOTS];
static aio_context_t context;

static bool set_up(void)
{
	unsigned int i;

	if (context)
		return true;
	if (syscall(SYS_io_setup, NR_SLOTS, &context))
		return false;
	for (i = 0; i < NR_SLOTS; i++) {
		slots[i].buf = aligned(opt.max * BLOCK_BYTES + MAX_DIRECT);
		prepare_look(&slots[i].look);
	}
	return true;
}

static bool overlaps(const struct range *range, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (range->first < slots[i].range.first + slots[i].range.nr &&
		    slots[i].range.first < range->first + range->nr)
			return true;
	return false;
}

/* The ranges of one operation; those to be written must not overlap. */
static unsigned int pick_slots(bool write)
{
	unsigned int tries = 2 + rnd() % (NR_SLOTS - 1), nr = 0;
	struct range *range;

	while (tries--) {
		range = &slots[nr].range;
		if (write ? !pick_own(direct_blocks, range) :
			    !pick_any(direct_blocks, range))
			break;
		if (!write || !overlaps(range, nr))
			nr++;
	}
	return nr;
}

static void start(struct slot *slot, bool write)
{
	size_t bytes = slot->range.nr * BLOCK_BYTES;
	struct iocb *iocb = &slot->iocb;

	trace(write ? "aiowrite" : "aioread", slot->range);
	if (write)
		compose(slot->range, slot->buf);
	else
		look_before(&slot->look, slot->range);
	memset(iocb, 0, sizeof(*iocb));
	iocb->aio_data = (unsigned long)slot;
	iocb->aio_lio_opcode = write ? IOCB_CMD_PWRITE : IOCB_CMD_PREAD;
	iocb->aio_fildes = me.direct;
	iocb->aio_buf = (unsigned long)slot->buf;
	iocb->aio_nbytes = round_up(bytes, direct_blocks * BLOCK_BYTES);
	iocb->aio_offset = slot->range.first * BLOCK_BYTES;
	if (syscall(SYS_io_submit, context, 1, &iocb) != 1)
		fail("io_submit");
}

static void finish(struct slot *slot, bool write, __s64 result)
{
	__s64 bytes = slot->range.nr * BLOCK_BYTES;

	if (!write && result == -EIO) {
		result = pread_direct(slot->buf, slot->iocb.aio_nbytes,
				      slot->iocb.aio_offset);
		if (result < 0)
			fail("direct pread");
	}
	if (result < bytes) {
		errno = result < 0 ? -result : ENODATA;
		fail("asynchronous direct I/O");
	}
	if (write)
		end_write(slot->range);
	else
		check(&slot->look, slot->buf);
}

static void reap(bool write, long min, unsigned int *left)
{
	struct io_event event[NR_SLOTS];
	long i, nr;

	nr = syscall(SYS_io_getevents, context, min, NR_SLOTS, event, NULL);
	if (nr < 0 && errno != EINTR)
		fail("io_getevents");
	for (i = 0; i < nr; i++, (*left)--)
		finish((struct slot *)(unsigned long)event[i].data, write,
		       event[i].res);
}

/* Whatever else reads may be left out, but not plain reading. */
static void read_meanwhile(void)
{
	static const char * const name[] = { "read", "mmapread", "splice" };
	unsigned int nr = 1 + rnd() % 4;
	const struct op *op;

	while (nr--) {
		op = find_op(name[rnd() % 3]);
		run_op(usable(op) ? op : find_op("read"));
	}
}

static enum outcome fly(bool write)
{
	unsigned int nr, i, left;

	if (me.direct < 0 || !set_up())
		return REFUSED;
	nr = pick_slots(write);
	if (!nr)
		return SKIPPED;
	for (i = 0; i < nr; i++)
		start(&slots[i], write);
	left = nr;
	read_meanwhile();
	/* What happens to be done already is done for the others, too. */
	reap(write, 0, &left);
	if (one_in(2))
		read_meanwhile();
	while (left)
		reap(write, 1, &left);
	return DONE;
}

enum outcome do_aioread(void)
{
	return fly(false);
}

enum outcome do_aiowrite(void)
{
	return fly(true);
}

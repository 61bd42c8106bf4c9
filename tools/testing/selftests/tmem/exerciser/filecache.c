// SPDX-License-Identifier: GPL-2.0
/*
 * The operations of fileload that move pages out of the page cache or to the
 * disk and leave the content of the file as it is.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fileload.h"

/* Only clean pages can be dropped: every second time they are written first. */
enum outcome do_dontneed(void)
{
	bool all = one_in(8);
	struct range range;
	off_t at, bytes;

	if (!pick_any(1, &range))
		return SKIPPED;
	if (all)
		range = (struct range){ 0, shared->model.size };
	trace("dontneed", range);
	at = range.first * BLOCK_BYTES;
	bytes = range.nr * BLOCK_BYTES;
	if (one_in(2) && !opt.read_only &&
	    sync_file_range(me.fd, at, bytes, SYNC_FILE_RANGE_WAIT_BEFORE |
			    SYNC_FILE_RANGE_WRITE |
			    SYNC_FILE_RANGE_WAIT_AFTER) && !collided())
		return refused("sync_file_range");
	errno = posix_fadvise(me.fd, at, bytes, POSIX_FADV_DONTNEED);
	return errno ? refused("posix_fadvise") : DONE;
}

enum outcome do_fsync(void)
{
	trace("fsync", (struct range){ 0, shared->model.size });
	if ((one_in(2) ? fsync(me.fd) : fdatasync(me.fd)) && !collided())
		return refused("fsync");
	return DONE;
}

enum outcome do_sync_file_range(void)
{
	unsigned int flags = SYNC_FILE_RANGE_WRITE;
	struct range range;

	if (!pick_any(1, &range))
		return SKIPPED;
	trace("sync_file_range", range);
	if (one_in(2))
		flags |= SYNC_FILE_RANGE_WAIT_AFTER;
	if (sync_file_range(me.fd, range.first * BLOCK_BYTES,
			    range.nr * BLOCK_BYTES, flags) && !collided())
		return refused("sync_file_range");
	return DONE;
}

/* Into a file of the kernel; 0 or an error */
static int tell(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), error = 0;

	if (fd < 0)
		return errno;
	if (write(fd, text, strlen(text)) < 0)
		error = errno;
	close(fd);
	return error;
}

enum outcome do_reclaim(void)
{
	static const char * const amount[] = { "256K", "1M", "4M", "16M" };
	unsigned int i = rnd() % ARRAY_SIZE(amount);

	trace("reclaim", (struct range){ 0, 512UL << 2 * i });
	errno = tell(opt.reclaim, amount[i]);
	/* There was less to be reclaimed than that. */
	if (!errno || errno == EAGAIN || errno == EBUSY || errno == EINTR)
		return DONE;
	return refused(opt.reclaim);
}

enum outcome do_dropcaches(void)
{
	trace("dropcaches", (struct range){ 0, 0 });
	errno = tell("/proc/sys/vm/drop_caches", "1");
	if (errno)
		fail("drop_caches");
	return DONE;
}

enum outcome do_reopen(void)
{
	trace("reopen", (struct range){ 0, shared->model.size });
	close_file();
	open_file();
	check_size();
	return DONE;
}

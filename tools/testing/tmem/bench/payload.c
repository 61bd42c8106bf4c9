// SPDX-License-Identifier: GPL-2.0-only
/*
 * How the benchmark keeps content: in frames, or not at all. Frames are set aside
 * before anything is measured, for each thread its own: what is measured is the
 * engine and not an allocator of frames.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "bench.h"

/* Those that are free; the last is used next. */
static __thread unsigned long *frames;
static __thread u64 nr_frames;

/**
 * bench_frames_begin - set frames aside for all pages of this thread
 */
void bench_frames_begin(void)
{
	u64 nr = bench_pages();
	char *memory;

	if (bench.payload != &bench_frames)
		return;
	memory = aligned_alloc(2 << 20, (nr * BENCH_PAGE_SIZE + (2 << 20) - 1) &
			       ~((2ull << 20) - 1));
	frames = malloc(nr * sizeof(*frames));
	if (!memory || !frames)
		bench_die("no memory for frames");
	/* As large as what a kernel maps its memory with */
	madvise(memory, nr * BENCH_PAGE_SIZE, MADV_HUGEPAGE);
	memset(memory, 0, nr * BENCH_PAGE_SIZE);
	while (nr_frames < nr) {
		frames[nr_frames++] = (unsigned long)memory;
		memory += BENCH_PAGE_SIZE;
	}
}

static int frames_store(void *host, const void *source, unsigned int order,
			unsigned long *payload)
{
	if (!nr_frames)
		return -ENOMEM;
	*payload = frames[--nr_frames];
	memcpy((void *)*payload, source, BENCH_PAGE_SIZE);
	return 0;
}

static int frames_overwrite(void *host, const void *source, unsigned int order,
			    unsigned long payload)
{
	memcpy((void *)payload, source, BENCH_PAGE_SIZE);
	return 0;
}

static int frames_load(void *host, void *target, unsigned int order,
		       unsigned long payload)
{
	memcpy(target, (void *)payload, BENCH_PAGE_SIZE);
	return 0;
}

static void frames_release(void *host, unsigned int order, unsigned long payload)
{
	frames[nr_frames++] = payload;
}

const struct tmem_payload_ops bench_frames = {
	.store = frames_store,
	.overwrite = frames_overwrite,
	.load = frames_load,
	.release = frames_release,
};

static int dummy_store(void *host, const void *source, unsigned int order,
		       unsigned long *payload)
{
	*payload = (unsigned long)source;
	return 0;
}

static int dummy_overwrite(void *host, const void *source, unsigned int order,
			   unsigned long payload)
{
	return 0;
}

static int dummy_load(void *host, void *target, unsigned int order,
		      unsigned long payload)
{
	return 0;
}

static void dummy_release(void *host, unsigned int order, unsigned long payload)
{
}

const struct tmem_payload_ops bench_dummy = {
	.store = dummy_store,
	.overwrite = dummy_overwrite,
	.load = dummy_load,
	.release = dummy_release,
};

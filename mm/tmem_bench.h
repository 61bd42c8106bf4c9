/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the benchmark share. */
#ifndef _MM_TMEM_BENCH_H
#define _MM_TMEM_BENCH_H

#include <linux/mm_types.h>
#include <linux/timex.h>
#include <linux/types.h>

enum bench_codec {
	BENCH_NONE,
	BENCH_LZ4,
	BENCH_ZSTD,
	NR_BENCH_CODECS
};

/* What is measured of a page; the results have these names, in lower case. */
enum bench_part {
	BENCH_STORE,		/* all of a store */
	BENCH_STORE_CODEC,	/* of it, the codec */
	BENCH_STORE_COPY,	/* of it, the copy that has to be */
	BENCH_STORE_REST,	/* what is left */
	BENCH_LOAD,		/* the same of a load */
	BENCH_LOAD_CODEC,
	BENCH_LOAD_COPY,
	BENCH_LOAD_REST,
	BENCH_DROP,		/* forgetting a page that was stored */
	BENCH_REFUSED,		/* a store that was refused */
	BENCH_READ,		/* swap_read_folio() of a page that was stored */
	BENCH_TOUCH,		/* the first touch of new memory */
	BENCH_SWAPOUT,		/* to page memory out: the mean, not the median */
	BENCH_SWAPIN,		/* to touch it again */
	NR_BENCH_PARTS
};

/**
 * struct bench_path - a way of pages out of memory and back
 * @name: What it is called.
 * @store: Takes a folio, locked and in the swap cache, and leaves it so. Returns
 *	false if it was refused.
 * @load: Fills it again. Returns false if that failed.
 * @drop: Forgets its content.
 * @most: A page that the codec makes larger is kept as it is, or refused. 0: one for
 *	which zsmalloc has no class but that of whole pages.
 * @room: Bytes that the codec may write: it may stop there.
 * @size_known: zstd is told how large pages are.
 * @same_filled: A page that is one word all over has no payload.
 */
struct bench_path {
	const char	*name;
	bool		(*store)(struct folio *folio, void *spare);
	bool		(*load)(struct folio *folio, void *spare);
	void		(*drop)(struct folio *folio);
	unsigned int	most;
	unsigned int	room;
	bool		size_known;
	bool		same_filled;
};

extern const char *const bench_codec_names[NR_BENCH_CODECS + 1];

/**
 * bench_now - read the clock
 *
 * With "-icount shift=0" of QEMU it tells how many instructions there were.
 *
 * Context: Any.
 * Return: the time.
 */
static inline u64 bench_now(void)
{
	u64 now;

	barrier();
	now = get_cycles();
	barrier();
	return now;
}

/* tmem_bench.c */
extern u64 bench_cost;

/**
 * bench_since - how long it is since another look at the clock
 * @start: What it said.
 *
 * Context: Any.
 * Return: the time, without what the looks took.
 */
static inline s64 bench_since(u64 start)
{
	return bench_now() - start - bench_cost;
}

/* tmem_bench_codec.c */
int bench_codec_init(void);
void bench_codec_exit(void);
void bench_codec_alone(const struct bench_path *path, enum bench_codec codec,
		       const void *page, s64 *took);

/* tmem_bench_path.c */
const struct bench_path *bench_path_find(const char *name);

#endif /* _MM_TMEM_BENCH_H */

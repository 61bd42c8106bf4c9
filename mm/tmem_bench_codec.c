// SPDX-License-Identifier: GPL-2.0-only
/*
 * The benchmark: what codec and copy take alone.
 *
 * The same library function is called as each path calls in the end, with the same
 * page, room and parameters. zswap gets to it by the crypto API, zram by its
 * backends, zcache directly: what is on the way there is not the codec's.
 *
 * One copy of the payload has to be made when a page is stored; when it is loaded,
 * one if it was not compressed, or else none. More of them are not the copy's.
 */
#include <linux/lz4.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <linux/zsmalloc.h>
#include <linux/zstd.h>

#include "tmem_bench.h"

/* What zcache, zram and the crypto API take when nothing else is asked for */
#define BENCH_ZSTD_LEVEL	3

const char *const bench_codec_names[NR_BENCH_CODECS + 1] = {
	[BENCH_NONE] = "none",
	[BENCH_LZ4] = "lz4",
	[BENCH_ZSTD] = "zstd",
};

/* Where the codec writes, and the payload goes */
static void *bench_buffer, *bench_payload, *bench_page;
static void *bench_lz4;
/* The second is for those who know how large pages are. */
static zstd_parameters bench_zstd[2];
static void *bench_zstd_memory[2], *bench_unzstd_memory;
static zstd_cctx *bench_zstd_context[2];
static zstd_dctx *bench_unzstd_context;

static int bench_zstd_init(void)
{
	size_t bytes = zstd_dctx_workspace_bound();
	zstd_compression_parameters params;
	unsigned int i;

	bench_unzstd_memory = vzalloc(bytes);
	if (!bench_unzstd_memory)
		return -ENOMEM;
	bench_unzstd_context = zstd_init_dctx(bench_unzstd_memory, bytes);
	for (i = 0; i < 2; i++) {
		bench_zstd[i] = zstd_get_params(BENCH_ZSTD_LEVEL,
						i * PAGE_SIZE);
		params = zstd_get_cparams(BENCH_ZSTD_LEVEL, i * PAGE_SIZE, 0);
		bytes = zstd_cctx_workspace_bound(&params);
		bench_zstd_memory[i] = vzalloc(bytes);
		if (!bench_zstd_memory[i])
			return -ENOMEM;
		bench_zstd_context[i] = zstd_init_cctx(bench_zstd_memory[i],
						       bytes);
	}
	return 0;
}

/**
 * bench_codec_init - have memory for the codecs
 *
 * Context: May sleep. bench_codec_exit() follows even if it fails.
 * Return: 0 or -ENOMEM.
 */
int bench_codec_init(void)
{
	bench_buffer = vzalloc(2 * PAGE_SIZE);
	bench_payload = vzalloc(PAGE_SIZE);
	bench_page = vzalloc(PAGE_SIZE);
	bench_lz4 = vzalloc(LZ4_MEM_COMPRESS);
	if (!bench_buffer || !bench_payload || !bench_page || !bench_lz4)
		return -ENOMEM;
	return bench_zstd_init();
}

/**
 * bench_codec_exit - free it
 *
 * Context: May sleep.
 */
void bench_codec_exit(void)
{
	void **all[] = {
		&bench_buffer, &bench_payload, &bench_page, &bench_lz4,
		&bench_zstd_memory[0], &bench_zstd_memory[1],
		&bench_unzstd_memory,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(all); i++) {
		vfree(*all[i]);
		*all[i] = NULL;
	}
}

/* Return: bytes in the buffer, or 0 if they are more than there is room for. */
static unsigned int bench_compress(const struct bench_path *path,
				   enum bench_codec codec, const void *page)
{
	size_t bytes;

	if (codec == BENCH_LZ4)
		return LZ4_compress_default(page, bench_buffer, PAGE_SIZE,
					    path->room, bench_lz4);
	bytes = zstd_compress_cctx(bench_zstd_context[path->size_known],
				   bench_buffer, path->room, page, PAGE_SIZE,
				   &bench_zstd[path->size_known]);
	return zstd_is_error(bytes) ? 0 : bytes;
}

static void bench_decompress(enum bench_codec codec, unsigned int bytes)
{
	if (codec == BENCH_LZ4)
		LZ4_decompress_safe(bench_buffer, bench_page, bytes, PAGE_SIZE);
	else
		zstd_decompress_dctx(bench_unzstd_context, bench_page,
				     PAGE_SIZE, bench_buffer, bytes);
}

static bool bench_same_filled(const void *page)
{
	return !memcmp(page, page + sizeof(long), PAGE_SIZE - sizeof(long));
}

/**
 * bench_codec_alone - measure codec and copy for a page
 * @path: The path.
 * @codec: The codec.
 * @page: The page.
 * @took: The parts BENCH_STORE_CODEC, BENCH_STORE_COPY, BENCH_LOAD_CODEC and
 *	BENCH_LOAD_COPY are set.
 *
 * Context: Process, one at a time.
 */
void bench_codec_alone(const struct bench_path *path, enum bench_codec codec,
		       const void *page, s64 *took)
{
	unsigned int bytes = 0;
	u64 start;

	took[BENCH_STORE_CODEC] = 0;
	took[BENCH_STORE_COPY] = 0;
	took[BENCH_LOAD_CODEC] = 0;
	took[BENCH_LOAD_COPY] = 0;
	if (path->same_filled && bench_same_filled(page))
		return;

	if (codec != BENCH_NONE) {
		start = bench_now();
		bytes = bench_compress(path, codec, page);
		took[BENCH_STORE_CODEC] = bench_since(start);
	}
	if (bytes > (path->most ?: zs_huge_class_size(NULL) - 1))
		bytes = 0;
	start = bench_now();
	memcpy(bench_payload, bench_buffer, bytes ?: PAGE_SIZE);
	took[BENCH_STORE_COPY] = bench_since(start);

	start = bench_now();
	if (bytes) {
		bench_decompress(codec, bytes);
		took[BENCH_LOAD_CODEC] = bench_since(start);
	} else {
		copy_page(bench_page, bench_payload);
		took[BENCH_LOAD_COPY] = bench_since(start);
	}
}

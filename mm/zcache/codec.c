// SPDX-License-Identifier: GPL-2.0-only
/*
 * Codecs, by library call, and a stream for each CPU.
 *
 * The crypto API has these codecs too; but its requests take scatterlists, and
 * copy each page once more.
 */
#define pr_fmt(fmt) "zcache: " fmt

#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/errno.h>
#include <linux/lz4.h>
#include <linux/lzo.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "codec.h"

const char *const zcache_codec_names[NR_ZCACHE_CODECS + 1] = {
	[ZCACHE_NONE] = "none",
	[ZCACHE_LZ4] = "lz4",
	[ZCACHE_LZO_RLE] = "lzo-rle",
	[ZCACHE_ZSTD] = "zstd",
};

/* As zswap and zram have it, where nothing else was asked for */
#define ZCACHE_ZSTD_LEVEL	ZSTD_CLEVEL_DEFAULT

static DEFINE_PER_CPU(struct zcache_stream, zcache_streams);

/* Codecs that each stream has to have; guarded by cpu_hotplug_lock */
static DECLARE_BITMAP(zcache_codecs, NR_ZCACHE_CODECS);
static enum cpuhp_state zcache_cpuhp;

/* Set once, before the codec is in use */
static zstd_parameters zcache_zstd;

/* One piece of memory for both directions, the second behind the first */
static size_t zstd_compress_bytes(void)
{
	zstd_compression_parameters params =
		zstd_get_cparams(ZCACHE_ZSTD_LEVEL, PAGE_SIZE, /*dict_size=*/0);

	return ALIGN(zstd_cctx_workspace_bound(&params), sizeof(u64));
}

static size_t workspace_bytes(enum zcache_codec codec)
{
	switch (codec) {
	case ZCACHE_LZ4:
		return LZ4_MEM_COMPRESS;
	case ZCACHE_LZO_RLE:
		return LZO1X_MEM_COMPRESS;
	case ZCACHE_ZSTD:
		return zstd_compress_bytes() + zstd_dctx_workspace_bound();
	default:
		return 0;
	}
}

static void stream_prepare_zstd(struct zcache_stream *stream)
{
	void *workspace = stream->workspace[ZCACHE_ZSTD];
	size_t bytes = zstd_compress_bytes();

	stream->cctx = zstd_init_cctx(workspace, bytes);
	stream->dctx = zstd_init_dctx(workspace + bytes,
				      zstd_dctx_workspace_bound());
}

static int stream_provide(struct zcache_stream *stream, int node)
{
	unsigned int codec;

	if (!stream->buffer)
		stream->buffer = kmalloc_node(ZCACHE_BUFFER_BYTES, GFP_KERNEL,
					      node);
	if (!stream->buffer)
		return -ENOMEM;
	for_each_set_bit(codec, zcache_codecs, NR_ZCACHE_CODECS) {
		size_t bytes = workspace_bytes(codec);

		if (!bytes || stream->workspace[codec])
			continue;
		stream->workspace[codec] = kvmalloc_node(bytes, GFP_KERNEL,
							 node);
		if (!stream->workspace[codec])
			return -ENOMEM;
		if (codec == ZCACHE_ZSTD)
			stream_prepare_zstd(stream);
	}
	return 0;
}

static int zcache_cpu_prepare(unsigned int cpu)
{
	return stream_provide(per_cpu_ptr(&zcache_streams, cpu),
			      cpu_to_node(cpu));
}

/**
 * zcache_codec_use - provide what a codec needs
 * @codec: The codec.
 *
 * It is kept: pages of it stay when another is chosen.
 *
 * Context: May sleep.
 * Return: 0 or -ENOMEM.
 */
int zcache_codec_use(enum zcache_codec codec)
{
	unsigned int cpu;
	int err = 0;

	cpus_read_lock();
	if (codec == ZCACHE_ZSTD && !test_bit(codec, zcache_codecs))
		zcache_zstd = zstd_get_params(ZCACHE_ZSTD_LEVEL, PAGE_SIZE);
	__set_bit(codec, zcache_codecs);
	for_each_online_cpu(cpu) {
		err = zcache_cpu_prepare(cpu);
		if (err)
			break;
	}
	cpus_read_unlock();
	return err;
}

/**
 * zcache_codec_init - be ready for zcache_codec_use()
 *
 * Context: May sleep.
 * Return: 0 or a negative error code.
 */
int zcache_codec_init(void)
{
	unsigned int cpu;
	int state;

	for_each_possible_cpu(cpu)
		mutex_init(&per_cpu(zcache_streams, cpu).lock);
	state = cpuhp_setup_state(CPUHP_BP_PREPARE_DYN, "mm/zcache:prepare",
				  zcache_cpu_prepare, NULL);
	if (state < 0)
		return state;
	zcache_cpuhp = state;
	return 0;
}

/**
 * zcache_codec_exit - free all streams
 *
 * Also those of CPUs that have gone: who had one when his CPU went used it to the
 * end.
 *
 * Context: May sleep. Nobody has a stream.
 */
void zcache_codec_exit(void)
{
	unsigned int cpu, codec;

	cpuhp_remove_state_nocalls(zcache_cpuhp);
	for_each_possible_cpu(cpu) {
		struct zcache_stream *stream = per_cpu_ptr(&zcache_streams, cpu);

		kfree(stream->buffer);
		stream->buffer = NULL;
		for (codec = 0; codec < NR_ZCACHE_CODECS; codec++) {
			kvfree(stream->workspace[codec]);
			stream->workspace[codec] = NULL;
		}
	}
	bitmap_zero(zcache_codecs, NR_ZCACHE_CODECS);
}

/**
 * zcache_stream_get - have a stream to oneself
 *
 * Context: May sleep. Must be followed by zcache_stream_put().
 * Return: the stream, of the CPU on which this was called.
 */
struct zcache_stream *zcache_stream_get(void)
{
	struct zcache_stream *stream = raw_cpu_ptr(&zcache_streams);

	mutex_lock(&stream->lock);
	return stream;
}

/**
 * zcache_stream_put - let others have it
 * @stream: The stream.
 *
 * Context: Process.
 */
void zcache_stream_put(struct zcache_stream *stream)
{
	mutex_unlock(&stream->lock);
}

static int compress_lzo(struct zcache_stream *stream, const void *page)
{
	size_t bytes = ZCACHE_BUFFER_BYTES;

	return lzorle1x_1_compress(page, PAGE_SIZE, stream->buffer, &bytes,
				   stream->workspace[ZCACHE_LZO_RLE]) ==
		LZO_E_OK ? bytes : 0;
}

/* Given less room, it would look at each step whether there is some left. */
static int compress_zstd(struct zcache_stream *stream, const void *page)
{
	size_t bytes = zstd_compress_cctx(stream->cctx, stream->buffer,
					  ZCACHE_BUFFER_BYTES, page, PAGE_SIZE,
					  &zcache_zstd);

	return zstd_is_error(bytes) ? 0 : bytes;
}

/**
 * zcache_compress - compress a page
 * @stream: The caller's.
 * @codec: Not ZCACHE_NONE.
 * @page: The page, of PAGE_SIZE bytes.
 * @most: More bytes are not wanted. lz4 stops as soon as it knows.
 *
 * Context: Process. May take a while, and may be preempted.
 * Return: bytes in the stream's buffer, or -E2BIG.
 */
int zcache_compress(struct zcache_stream *stream, enum zcache_codec codec,
		    const void *page, unsigned int most)
{
	int bytes = 0;

	switch (codec) {
	case ZCACHE_LZ4:
		bytes = LZ4_compress_default(page, stream->buffer, PAGE_SIZE,
					     most,
					     stream->workspace[ZCACHE_LZ4]);
		break;
	case ZCACHE_LZO_RLE:
		bytes = compress_lzo(stream, page);
		break;
	case ZCACHE_ZSTD:
		bytes = compress_zstd(stream, page);
		break;
	default:
		break;
	}
	return bytes > 0 && bytes <= most ? bytes : -E2BIG;
}

static bool decompress_lzo(const void *data, unsigned int bytes, void *page)
{
	size_t got = PAGE_SIZE;

	return lzo1x_decompress_safe(data, bytes, page, &got) == LZO_E_OK &&
	       got == PAGE_SIZE;
}

static bool decompress_zstd(struct zcache_stream *stream, const void *data,
			    unsigned int bytes, void *page)
{
	return zstd_decompress_dctx(stream->dctx, page, PAGE_SIZE, data,
				    bytes) == PAGE_SIZE;
}

/**
 * zcache_decompress_needs_stream - does a codec need memory to decompress?
 * @codec: The codec.
 *
 * Context: Any.
 * Return: true if zcache_decompress() needs a stream for it.
 */
bool zcache_decompress_needs_stream(enum zcache_codec codec)
{
	return codec == ZCACHE_ZSTD;
}

/**
 * zcache_decompress - make a page of what zcache_compress() has made of it
 * @stream: The caller's; NULL if zcache_decompress_needs_stream() is false.
 * @codec: As then; or ZCACHE_NONE for a page that was not compressed.
 * @data: What was compressed.
 * @bytes: Its size.
 * @page: Where to, of PAGE_SIZE bytes.
 *
 * Context: Any if no stream is needed.
 * Return: 0, or -EIO if @data is nothing that the codec has made of a page.
 */
int zcache_decompress(struct zcache_stream *stream, enum zcache_codec codec,
		      const void *data, unsigned int bytes, void *page)
{
	bool good = false;

	switch (codec) {
	case ZCACHE_NONE:
		good = bytes == PAGE_SIZE;
		if (good)
			copy_page(page, (void *)data);
		break;
	case ZCACHE_LZ4:
		good = LZ4_decompress_safe(data, page, bytes, PAGE_SIZE) ==
			PAGE_SIZE;
		break;
	case ZCACHE_LZO_RLE:
		good = decompress_lzo(data, bytes, page);
		break;
	case ZCACHE_ZSTD:
		good = decompress_zstd(stream, data, bytes, page);
		break;
	default:
		break;
	}
	return good ? 0 : -EIO;
}

/**
 * zcache_same_filled - is a page the same word all over?
 * @page: The page.
 * @word: Set to the word.
 *
 * Context: Any.
 * Return: true if it is.
 */
bool zcache_same_filled(const void *page, unsigned long *word)
{
	const unsigned long *words = page;
	unsigned int i, last = PAGE_SIZE / sizeof(*words) - 1;

	/* Many a page begins with zeros, few of them end with them. */
	if (words[0] != words[last])
		return false;
	for (i = 1; i < last; i++)
		if (words[i] != words[0])
			return false;
	*word = words[0];
	return true;
}

/**
 * zcache_fill - make a page that is the same word all over
 * @page: The page.
 * @word: The word.
 *
 * Context: Any.
 */
void zcache_fill(void *page, unsigned long word)
{
	memset_l(page, word, PAGE_SIZE / sizeof(word));
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How zcache makes pages smaller.
 */
#ifndef _ZCACHE_CODEC_H
#define _ZCACHE_CODEC_H

#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/zstd.h>

/* Noted with each page, which can be read when another codec is in use. */
enum zcache_codec {
	ZCACHE_NONE,
	ZCACHE_LZ4,
	ZCACHE_LZO_RLE,
	ZCACHE_ZSTD,
	NR_ZCACHE_CODECS
};

/* For sysfs_match_string(); the last is NULL. */
extern const char *const zcache_codec_names[NR_ZCACHE_CODECS + 1];

/**
 * struct zcache_stream - what compresses a page at a time
 * @lock: Held by who uses it.
 * @buffer: Of ZCACHE_BUFFER_BYTES.
 * @workspace: Memory of each codec, or NULL if it is not in use.
 * @cctx: In that of zstd, for compression. It takes long to prepare, and can be used
 *	again.
 * @dctx: The same for decompression.
 */
struct zcache_stream {
	struct mutex	lock;	/* a leaf */
	void		*buffer;
	void		*workspace[NR_ZCACHE_CODECS];
	zstd_cctx	*cctx;
	zstd_dctx	*dctx;
};

/* Codecs write a little beyond a page before they find that it is too large. */
#define ZCACHE_BUFFER_BYTES	(2 * PAGE_SIZE)

int zcache_codec_init(void);
void zcache_codec_exit(void);
int zcache_codec_use(enum zcache_codec codec);

struct zcache_stream *zcache_stream_get(void);
void zcache_stream_put(struct zcache_stream *stream);

int zcache_compress(struct zcache_stream *stream, enum zcache_codec codec,
		    const void *page, unsigned int most);
int zcache_decompress(struct zcache_stream *stream, enum zcache_codec codec,
		      const void *data, unsigned int bytes, void *page);
bool zcache_decompress_needs_stream(enum zcache_codec codec);
bool zcache_same_filled(const void *page, unsigned long *word);
void zcache_fill(void *page, unsigned long word);

#endif /* _ZCACHE_CODEC_H */

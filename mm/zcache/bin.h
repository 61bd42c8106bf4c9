/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory for compressed pages that may be dropped.
 *
 * They stand in bins of two page frames each. When memory is wanted, all that is in
 * the bin to which nothing was added for the longest time goes, and both frames are
 * free: an allocator that packs what is of one size, as zsmalloc does, would have
 * to drop pages in many frames before one of them is.
 */
#ifndef _ZCACHE_BIN_H
#define _ZCACHE_BIN_H

#include "tmem_host.h"

#define ZCACHE_BIN_FRAMES	2u

/* The largest item, in bytes: of what needs more, little would be saved. */
#define ZCACHE_ITEM_BYTES	(PAGE_SIZE / 64 * 48 - sizeof(struct zcache_name))

struct zcache_bins;

/**
 * struct zcache_name - what an item is, for who drops it
 * @object: The file.
 * @index: The page in it.
 * @bytes: Size of the item.
 * @pool: The filesystem.
 * @codec: Whatever who reads it has to know.
 */
struct zcache_name {
	u64	object;
	u64	index;
	u32	bytes;
	u16	pool;
	u16	codec;
};

/**
 * struct zcache_bin_ops - what bins want of their owner
 * @get_frame: Returns the address of a page frame, or NULL.
 * @put_frame: Takes it back. Called where zcache_bin_free() is.
 * @drop: The item is not wanted any more: forget it, which ends in
 *	zcache_bin_free(). There may be none of this name, or another, and somebody
 *	may be reading it: then it stays a while.
 */
struct zcache_bin_ops {
	void	*(*get_frame)(void *owner);
	void	(*put_frame)(void *owner, void *frame);
	void	(*drop)(void *owner, const struct zcache_name *name);
};

struct zcache_bins *zcache_bins_create(const struct zcache_bin_ops *ops,
				       void *owner, unsigned int nr_shards,
				       struct tmh_ulong *clock);
void zcache_bins_destroy(struct zcache_bins *bins);
unsigned long zcache_bins_oldest(const struct zcache_bins *bins);
unsigned long zcache_bins_frames(const struct zcache_bins *bins);
unsigned long zcache_bins_evict(struct zcache_bins *bins, unsigned long frames);

unsigned long zcache_bin_put(struct zcache_bins *bins, unsigned int shard,
			     const struct zcache_name *name, const void *data,
			     bool grow);
const void *zcache_bin_get(unsigned long item, void *buffer,
			   const struct zcache_name **name);
u32 zcache_bin_bytes(unsigned long item);
void *zcache_bin_owner(unsigned long item);
void zcache_bin_free(unsigned long item);

#endif /* _ZCACHE_BIN_H */

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory for compressed pages that may be dropped: bins of two page frames.
 *
 * A bin is divided into chunks. An item takes as many in a row as it needs, over the
 * border of the frames too: with a single frame a third page would often not fit
 * in. What is free is in holes, and a new item goes to a bin whose largest hole is the
 * smallest that it fits in. A bin is as old as the last item that was added.
 *
 * Bins are divided among shards, each with a lock, which is a leaf. Who adds an item
 * chooses the shard; who frees one finds it in the bin.
 */
#include "bin.h"
#include "../tmem/list.h"

#define BIN_CHUNKS	128u
#define BIN_CHUNK	(PAGE_SIZE * ZCACHE_BIN_FRAMES / BIN_CHUNKS)
#define BIN_FRAME_CHUNKS	(BIN_CHUNKS / ZCACHE_BIN_FRAMES)
/* The largest hole that is told apart from larger ones: an item fits in. */
#define BIN_HOLES	48u

/**
 * struct zcache_bin - a bin
 * @lru: In the shard's list, the youngest first; not while it is @leaving.
 * @hole: In the shard's list of bins with such a hole, if there is one; not while
 *	it is @leaving.
 * @frame: Its frames.
 * @used: For each chunk a bit: it belongs to an item.
 * @first: The same: an item begins here.
 * @shard: Its shard.
 * @stamp: The time at which the last item was added.
 * @items: How many there are.
 * @largest: Chunks of the largest hole, BIN_HOLES if it is larger.
 * @leaving: Its items are being dropped.
 *
 * Its address has room for the number of a chunk: together they are an item.
 */
struct zcache_bin {
	struct tmem_list lru;
	struct tmem_list hole;
	void		*frame[ZCACHE_BIN_FRAMES];
	u64		used[2];
	u64		first[2];
	struct zcache_shard *shard;
	unsigned long	stamp;
	u8		items;
	u8		largest;
	bool		leaving;
} __aligned(BIN_CHUNKS);

/**
 * struct zcache_shard - a part of the bins
 * @lock: Guards all of it, and its bins.
 * @bins: Of which it is a part.
 * @lru: Its bins, the youngest first.
 * @holes: Those whose largest hole is of so many chunks.
 * @some: For each list in @holes a bit: it is not empty.
 * @oldest: The oldest bin's stamp, or 0; read without the lock.
 */
struct zcache_shard {
	struct tmh_lock	lock;
	struct zcache_bins *bins;
	struct tmem_list lru;
	struct tmem_list holes[BIN_HOLES + 1];
	u64		some;
	struct tmh_ulong	oldest;
} __aligned(TMH_CACHE_LINE);

/**
 * struct zcache_bins - all bins of a store
 * @ops: What its owner can do.
 * @owner: For @ops.
 * @nr_shards: How many there are.
 * @nr_bins: The same, those that are leaving included.
 * @clock: The time, which goes on with each new bin.
 * @shards: The bins.
 */
struct zcache_bins {
	const struct zcache_bin_ops *ops;
	void		*owner;
	unsigned int	nr_shards;
	struct tmh_ulong	nr_bins;
	struct tmh_ulong	*clock;
	struct zcache_shard shards[];
};

/* The next chunk from @from on whose bit is @set, or BIN_CHUNKS. */
static unsigned int bin_next(const u64 map[2], unsigned int from, bool set)
{
	for (; from < BIN_CHUNKS; from = (from | 63) + 1) {
		u64 word = (set ? map[from / 64] : ~map[from / 64]) >> from % 64;

		if (word)
			return from + __builtin_ctzll(word);
	}
	return BIN_CHUNKS;
}

static void bin_mark(u64 map[2], unsigned int from, unsigned int n, bool set)
{
	while (n) {
		unsigned int room = 64 - from % 64, some = n < room ? n : room;
		u64 bits = ~0ull >> (64 - some) << from % 64;

		if (set)
			map[from / 64] |= bits;
		else
			map[from / 64] &= ~bits;
		from += some;
		n -= some;
	}
}

/*
 * The smallest hole of at least @n chunks, or BIN_CHUNKS; in @largest the size of the
 * largest hole.
 */
static unsigned int bin_find(const struct zcache_bin *bin, unsigned int n,
			     unsigned int *largest)
{
	unsigned int at, end, best = BIN_CHUNKS, size = BIN_CHUNKS + 1;

	*largest = 0;
	for (at = bin_next(bin->used, 0, false); at < BIN_CHUNKS;
	     at = bin_next(bin->used, end, false)) {
		end = bin_next(bin->used, at, true);
		if (end - at > *largest)
			*largest = end - at;
		if (end - at < n || end - at >= size)
			continue;
		size = end - at;
		best = at;
	}
	return best;
}

static void *bin_address(const struct zcache_bin *bin, unsigned int chunk)
{
	return (char *)bin->frame[chunk / BIN_FRAME_CHUNKS] +
	       chunk % BIN_FRAME_CHUNKS * BIN_CHUNK;
}

static unsigned int item_chunks(u32 bytes)
{
	return (sizeof(struct zcache_name) + bytes + BIN_CHUNK - 1) / BIN_CHUNK;
}

static struct zcache_bin *item_bin(unsigned long item, unsigned int *chunk)
{
	*chunk = item % BIN_CHUNKS;
	return (struct zcache_bin *)(item - *chunk);
}

/* How many bytes of an item are in the frame in which it begins */
static u32 item_before_border(unsigned int chunk, u32 bytes)
{
	u32 room = (BIN_FRAME_CHUNKS - chunk % BIN_FRAME_CHUNKS) * BIN_CHUNK -
		   sizeof(struct zcache_name);

	return bytes < room ? bytes : room;
}

static void shard_tell_oldest(struct zcache_shard *shard)
{
	struct zcache_bin *bin = tmem_list_entry(shard->lru.prev,
						 struct zcache_bin, lru);

	tmh_set(&shard->oldest, tmem_list_empty(&shard->lru) ? 0 : bin->stamp);
}

static void shard_unhole(struct zcache_shard *shard, struct zcache_bin *bin)
{
	if (!bin->largest)
		return;
	tmem_list_del(&bin->hole);
	if (tmem_list_empty(&shard->holes[bin->largest]))
		shard->some &= ~(1ull << bin->largest);
	bin->largest = 0;
}

/* The bin's holes are others now. */
static void shard_rehole(struct zcache_shard *shard, struct zcache_bin *bin)
{
	unsigned int largest;

	shard_unhole(shard, bin);
	bin_find(bin, BIN_CHUNKS, &largest);
	if (!largest)
		return;
	bin->largest = largest < BIN_HOLES ? largest : BIN_HOLES;
	tmem_list_add(&shard->holes[bin->largest], &bin->hole);
	shard->some |= 1ull << bin->largest;
}

static void shard_add(struct zcache_shard *shard, struct zcache_bin *bin)
{
	tmem_list_add(&shard->lru, &bin->lru);
	shard_rehole(shard, bin);
	shard_tell_oldest(shard);
}

static void shard_remove(struct zcache_shard *shard, struct zcache_bin *bin)
{
	tmem_list_del(&bin->lru);
	shard_unhole(shard, bin);
	shard_tell_oldest(shard);
}

/* Returns an item of a bin that has room for it, or 0. Who evicts sees it at once. */
static unsigned long shard_take(struct zcache_bins *bins,
				struct zcache_shard *shard,
				const struct zcache_name *name)
{
	unsigned int n = item_chunks(name->bytes), chunk, largest;
	u64 some = shard->some >> n << n;
	struct zcache_bin *bin;

	if (!some)
		return 0;
	bin = tmem_list_entry(shard->holes[__builtin_ctzll(some)].next,
			      struct zcache_bin, hole);
	chunk = bin_find(bin, n, &largest);
	bin_mark(bin->used, chunk, n, true);
	bin_mark(bin->first, chunk, 1, true);
	bin->items++;
	bin->stamp = tmh_read(bins->clock);
	*(struct zcache_name *)bin_address(bin, chunk) = *name;
	tmem_list_move(&shard->lru, &bin->lru);
	shard_rehole(shard, bin);
	shard_tell_oldest(shard);
	return (unsigned long)bin + chunk;
}

static void bin_destroy(struct zcache_bins *bins, struct zcache_bin *bin)
{
	unsigned int i;

	for (i = 0; i < ZCACHE_BIN_FRAMES; i++)
		if (bin->frame[i])
			bins->ops->put_frame(bins->owner, bin->frame[i]);
	tmh_free(bin, sizeof(*bin));
	tmh_add_return(&bins->nr_bins, -1ul);
}

static struct zcache_bin *bin_create(struct zcache_bins *bins,
				     struct zcache_shard *shard)
{
	struct zcache_bin *bin = tmh_alloc(sizeof(*bin));
	unsigned int i;

	if (!bin)
		return NULL;
	tmh_add_return(&bins->nr_bins, 1);
	bin->shard = shard;
	for (i = 0; i < ZCACHE_BIN_FRAMES; i++) {
		bin->frame[i] = bins->ops->get_frame(bins->owner);
		if (bin->frame[i])
			continue;
		bin_destroy(bins, bin);
		return NULL;
	}
	bin->stamp = tmh_add_return(bins->clock, 1);
	return bin;
}

/**
 * zcache_bin_put - add an item
 * @bins: Where.
 * @shard: Who adds it; any number, such as that of the CPU.
 * @name: What it is. Its bytes are ZCACHE_ITEM_BYTES at most.
 * @data: The item.
 * @grow: There may be another bin if it does not fit in those that are there.
 *
 * Context: Any in which the host can allocate.
 * Return: the item, or 0 if there is no room.
 */
unsigned long zcache_bin_put(struct zcache_bins *bins, unsigned int shard,
			     const struct zcache_name *name, const void *data,
			     bool grow)
{
	struct zcache_shard *mine = &bins->shards[shard % bins->nr_shards];
	unsigned long item, flags = tmh_lock(&mine->lock);
	struct zcache_bin *bin;
	unsigned int chunk;
	u32 before;

	item = shard_take(bins, mine, name);
	tmh_unlock(&mine->lock, flags);
	if (!item && grow) {
		bin = bin_create(bins, mine);
		if (!bin)
			return 0;
		flags = tmh_lock(&mine->lock);
		shard_add(mine, bin);
		item = shard_take(bins, mine, name);
		tmh_unlock(&mine->lock, flags);
	}
	if (!item)
		return 0;
	bin = item_bin(item, &chunk);
	before = item_before_border(chunk, name->bytes);
	memcpy((char *)bin_address(bin, chunk) + sizeof(*name), data, before);
	if (before < name->bytes)
		memcpy(bin->frame[1], (const char *)data + before,
		       name->bytes - before);
	return item;
}

/**
 * zcache_bin_get - look at an item
 * @item: The item, which nobody frees meanwhile.
 * @buffer: Of ZCACHE_ITEM_BYTES.
 * @name: Set to what it was added as.
 *
 * Context: Any.
 * Return: where it is: in its bin, or in @buffer if it is in two frames.
 */
const void *zcache_bin_get(unsigned long item, void *buffer,
			   const struct zcache_name **name)
{
	struct zcache_bin *bin;
	unsigned int chunk;
	const char *data;
	u32 before;

	bin = item_bin(item, &chunk);
	*name = bin_address(bin, chunk);
	data = (const char *)(*name + 1);
	before = item_before_border(chunk, (*name)->bytes);
	if (before == (*name)->bytes)
		return data;
	memcpy(buffer, data, before);
	memcpy((char *)buffer + before, bin->frame[1], (*name)->bytes - before);
	return buffer;
}

/**
 * zcache_bin_bytes - how large is an item?
 * @item: The item, which nobody frees meanwhile.
 *
 * Context: Any.
 * Return: its size in bytes.
 */
u32 zcache_bin_bytes(unsigned long item)
{
	unsigned int chunk;
	struct zcache_bin *bin = item_bin(item, &chunk);

	return ((const struct zcache_name *)bin_address(bin, chunk))->bytes;
}

/**
 * zcache_bin_owner - whose is an item?
 * @item: The item, which nobody frees meanwhile.
 *
 * Context: Any.
 * Return: the owner of the bins that it is in.
 */
void *zcache_bin_owner(unsigned long item)
{
	unsigned int chunk;

	return item_bin(item, &chunk)->shard->bins->owner;
}

/**
 * zcache_bin_free - remove an item
 * @item: The item.
 *
 * Context: Any in which the host can free.
 */
void zcache_bin_free(unsigned long item)
{
	struct zcache_shard *shard;
	struct zcache_bin *bin;
	unsigned long flags;
	unsigned int chunk;
	bool empty;

	bin = item_bin(item, &chunk);
	shard = bin->shard;
	flags = tmh_lock(&shard->lock);
	bin_mark(bin->used, chunk, item_chunks(((struct zcache_name *)
				bin_address(bin, chunk))->bytes), false);
	bin_mark(bin->first, chunk, 1, false);
	empty = !--bin->items && !bin->leaving;
	if (empty)
		shard_remove(shard, bin);
	else if (!bin->leaving)
		shard_rehole(shard, bin);
	tmh_unlock(&shard->lock, flags);
	if (empty)
		bin_destroy(shard->bins, bin);
}

/* The shard with the oldest bin, or NULL. A look, which may be too late. */
static const struct zcache_shard *oldest_shard(const struct zcache_bins *bins)
{
	const struct zcache_shard *shard = NULL;
	unsigned long oldest = 0, stamp;
	unsigned int i;

	for (i = 0; i < bins->nr_shards; i++) {
		stamp = tmh_read(&bins->shards[i].oldest);
		if (!stamp || (shard && stamp >= oldest))
			continue;
		oldest = stamp;
		shard = &bins->shards[i];
	}
	return shard;
}

/* Drops the next item from chunk @from on. Returns the chunk, or BIN_CHUNKS. */
static unsigned int bin_drop_next(struct zcache_bins *bins,
				  struct zcache_bin *bin, unsigned int from)
{
	struct zcache_name name;
	unsigned long flags;
	unsigned int chunk;

	flags = tmh_lock(&bin->shard->lock);
	chunk = bin_next(bin->first, from, true);
	if (chunk < BIN_CHUNKS)
		name = *(struct zcache_name *)bin_address(bin, chunk);
	tmh_unlock(&bin->shard->lock, flags);
	if (chunk < BIN_CHUNKS)
		bins->ops->drop(bins->owner, &name);
	return chunk;
}

/* Returns true if it is free now. What could not be dropped makes it young again. */
static bool bin_evict(struct zcache_bins *bins, struct zcache_bin *bin)
{
	struct zcache_shard *shard = bin->shard;
	unsigned int chunk = 0;
	unsigned long flags;

	do {
		chunk = bin_drop_next(bins, bin, chunk) + 1;
	} while (chunk < BIN_CHUNKS);

	flags = tmh_lock(&shard->lock);
	if (bin->items) {
		bin->leaving = false;
		bin->stamp = tmh_read(bins->clock);
		shard_add(shard, bin);
		tmh_unlock(&shard->lock, flags);
		return false;
	}
	tmh_unlock(&shard->lock, flags);
	bin_destroy(bins, bin);
	return true;
}

/* The oldest bin of the shard, which is leaving now, or NULL. */
static struct zcache_bin *shard_choose(struct zcache_shard *shard)
{
	unsigned long flags = tmh_lock(&shard->lock);
	struct zcache_bin *bin = NULL;

	if (!tmem_list_empty(&shard->lru)) {
		bin = tmem_list_entry(shard->lru.prev, struct zcache_bin, lru);
		shard_remove(shard, bin);
		bin->leaving = true;
	}
	tmh_unlock(&shard->lock, flags);
	return bin;
}

/**
 * zcache_bins_evict - drop what was added first, until page frames are free
 * @bins: Where.
 * @frames: How many page frames.
 *
 * Context: Any in which the host can free, and in which items can be dropped.
 * Return: how many are free, which may be more; fewer if there are no more, or if too
 * much of it is being read.
 */
unsigned long zcache_bins_evict(struct zcache_bins *bins, unsigned long frames)
{
	unsigned long tries = tmh_read(&bins->nr_bins), done = 0;
	const struct zcache_shard *shard;
	struct zcache_bin *bin;

	for (; done < frames && tries; tries--) {
		shard = oldest_shard(bins);
		bin = shard ? shard_choose(&bins->shards[shard - bins->shards]) :
			NULL;
		if (bin && bin_evict(bins, bin))
			done += ZCACHE_BIN_FRAMES;
	}
	return done;
}

/**
 * zcache_bins_oldest - when was an item added to the bin that would go first?
 * @bins: The bins.
 *
 * Context: Any. A look, which may be too late.
 * Return: the time, by the clock that was given to zcache_bins_create(); 0 if there is
 * no bin.
 */
unsigned long zcache_bins_oldest(const struct zcache_bins *bins)
{
	const struct zcache_shard *shard = oldest_shard(bins);

	return shard ? tmh_read(&shard->oldest) : 0;
}

/**
 * zcache_bins_frames - how much memory there is in bins
 * @bins: The bins.
 *
 * Context: Any.
 * Return: in page frames.
 */
unsigned long zcache_bins_frames(const struct zcache_bins *bins)
{
	return tmh_read(&bins->nr_bins) * ZCACHE_BIN_FRAMES;
}

static size_t bins_size(unsigned int nr_shards)
{
	return sizeof(struct zcache_bins) +
	       nr_shards * sizeof(struct zcache_shard);
}

/**
 * zcache_bins_create - make an empty store
 * @ops: What its owner can do.
 * @owner: Given to @ops.
 * @nr_shards: Number of locks.
 * @clock: Of all bins whose age is to be compared. Is not 0.
 *
 * Context: Any in which the host can allocate.
 * Return: it, or NULL if there is no memory.
 */
struct zcache_bins *zcache_bins_create(const struct zcache_bin_ops *ops,
				       void *owner, unsigned int nr_shards,
				       struct tmh_ulong *clock)
{
	struct zcache_bins *bins = tmh_alloc(bins_size(nr_shards));
	struct zcache_shard *shard;
	unsigned int i;

	if (!bins)
		return NULL;
	bins->ops = ops;
	bins->owner = owner;
	bins->nr_shards = nr_shards;
	bins->clock = clock;
	for (shard = bins->shards; shard < bins->shards + nr_shards; shard++) {
		tmh_lock_init(&shard->lock);
		shard->bins = bins;
		tmem_list_init(&shard->lru);
		for (i = 0; i <= BIN_HOLES; i++)
			tmem_list_init(&shard->holes[i]);
	}
	return bins;
}

/**
 * zcache_bins_destroy - free an empty store
 * @bins: It. All items have been freed.
 *
 * Context: Any in which the host can free.
 */
void zcache_bins_destroy(struct zcache_bins *bins)
{
	tmh_free(bins, bins_size(bins->nr_shards));
}

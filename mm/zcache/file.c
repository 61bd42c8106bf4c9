// SPDX-License-Identifier: GPL-2.0-only
/*
 * The half of zcache behind cleancache: clean pages of files, compressed, in bins.
 *
 * The engine has the index; what it keeps of a page is an item of a bin, or the
 * word that the page is filled with. Bins are dropped whole, so that page frames are
 * the kernel's again at once.
 */
#define pr_fmt(fmt) "zcache: " fmt

#include <linux/cleancache.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/smp.h>

#include "../tmem/linux/folio.h"
#include "file.h"
#include "zcache.h"

/* Mounted filesystems that can be served */
#define CLEAN_MAX_POOLS	256

/* Nothing larger is an item of a bin. */
#define CLEAN_MOST	min_t(unsigned int, ZCACHE_MOST, ZCACHE_ITEM_BYTES)

/**
 * struct clean_source - a page on its way into the store
 * @page: The page.
 * @group: Where it goes.
 * @name: Its name. Bytes and codec are not known yet.
 */
struct clean_source {
	struct page	*page;
	struct clean_group *group;
	struct zcache_name name;
};

static struct tmem_engine *clean_engine;
static struct tmem_client *clean_client;

static void clean_drop(void *owner, const struct zcache_name *name)
{
	struct tmem_handle handle = {
		.pool = name->pool, .oid = { name->object },
		.index = name->index,
	};

	if (!tmem_flush_page(clean_client, &handle))
		zcache_add(&zcache_file, ZCACHE_EVICTED, 1);
}

static const struct zcache_bin_ops clean_bin_ops = {
	.get_frame = clean_get_frame,
	.put_frame = clean_put_frame,
	.drop = clean_drop,
};

/*
 * A page that is the same word all over is kept as that word, if a payload can be
 * told from an item, which is an address of the kernel: its highest bit is not set.
 * For that the word's two highest bits must be alike; and a payload is not 0.
 */
static unsigned long clean_filled(unsigned long word)
{
	if ((long)(word << 1) >> 1 != (long)word)
		return 0;
	return (word ^ 1) & LONG_MAX;
}

static bool clean_is_filled(unsigned long payload)
{
	return (long)payload > 0;
}

static unsigned long clean_word(unsigned long payload)
{
	return (long)((payload ^ 1) << 1) >> 1;
}

/* Putting */

/* Page frames by which the limits would be exceeded if there was another bin */
static unsigned long clean_excess(void)
{
	unsigned long frames = clean_frames() + ZCACHE_BIN_FRAMES, excess = 0;
	unsigned long limit = zcache_limit(&zcache_file.limit);
	unsigned long total = zcache_limit(&zcache_total);

	if (frames > limit)
		excess = frames - limit;
	frames += zcache_anon.frames();
	return frames > total ? max(excess, frames - total) : excess;
}

static bool clean_memcg_may_keep(const struct clean_group *group)
{
	struct mem_cgroup *memcg = zcache_memcg_get(group->objcg);
	bool may = zcache_memcg_may_keep(memcg);

	mem_cgroup_put(memcg);
	return may;
}

/* May the group have another bin? Others go for it, those of its cgroup if it is full. */
static bool clean_may_grow(struct clean_group *group)
{
	unsigned long excess = clean_excess();

	if (excess)
		clean_evict(excess);
	if (!clean_memcg_may_keep(group))
		return zcache_bins_evict(group->bins, ZCACHE_BIN_FRAMES);
	return !excess || !clean_excess();
}

/* Return: the item, or 0 if there is no memory. */
static unsigned long clean_keep(struct clean_group *group,
				const struct zcache_name *name, const void *data)
{
	unsigned int cpu = raw_smp_processor_id();
	unsigned long item;

	item = zcache_bin_put(group->bins, cpu, name, data, /*grow=*/false);
	if (item || !clean_may_grow(group))
		return item;
	return zcache_bin_put(group->bins, cpu, name, data, /*grow=*/true);
}

/* Return: 0; -E2BIG if it does not become smaller; -EDQUOT at a limit; -ENOMEM. */
static int clean_compress(const struct clean_source *source, const void *page,
			  unsigned long *payload)
{
	struct zcache_name name = source->name;
	struct zcache_stream *stream;
	int bytes;

	name.codec = READ_ONCE(zcache_file.codec);
	stream = zcache_stream_get();
	bytes = zcache_compress(stream, name.codec, page, CLEAN_MOST);
	if (bytes > 0) {
		name.bytes = bytes;
		*payload = clean_keep(source->group, &name, stream->buffer);
	}
	zcache_stream_put(stream);
	if (bytes < 0)
		return bytes;
	if (!*payload)
		return clean_excess() ? -EDQUOT : -ENOMEM;
	zcache_add(&zcache_file, ZCACHE_BYTES, bytes);
	zcache_memcg_account(source->group->objcg, /*file=*/true, 0, 1);
	return 0;
}

static void clean_count_refused(int err)
{
	enum zcache_count why = ZCACHE_REJECT_MEMORY;

	if (err == -E2BIG)
		why = ZCACHE_REJECT_SIZE;
	else if (err == -EDQUOT)
		why = ZCACHE_REJECT_LIMIT;
	zcache_add(&zcache_file, why, 1);
}

/* Not -ENOMEM: what the engine would evict leaves no page frame free. */
static int clean_store(void *host, const void *source, unsigned int order,
		       unsigned long *payload)
{
	const struct clean_source *file = source;
	void *page = kmap_local_page(file->page);
	unsigned long word;
	int err = 0;

	*payload = zcache_same_filled(page, &word) ? clean_filled(word) : 0;
	if (*payload)
		zcache_add(&zcache_file, ZCACHE_SAME_FILLED, 1);
	else
		err = clean_compress(file, page, payload);
	kunmap_local(page);
	if (err) {
		clean_count_refused(err);
		return -ENOSPC;
	}
	zcache_add(&zcache_file, ZCACHE_PAGES, 1);
	zcache_add(&zcache_file, ZCACHE_STORES, 1);
	return 0;
}

static int clean_overwrite(void *host, const void *source, unsigned int order,
			   unsigned long payload)
{
	return -EOPNOTSUPP;
}

static int clean_load(void *host, void *target, unsigned int order,
		      unsigned long payload)
{
	const struct zcache_name *name;
	struct zcache_stream *stream;
	const void *data;
	void *page;
	int err = 0;

	page = kmap_local_page(target);
	if (clean_is_filled(payload)) {
		zcache_fill(page, clean_word(payload));
	} else {
		stream = zcache_stream_get();
		data = zcache_bin_get(payload, stream->buffer, &name);
		err = zcache_decompress(stream, name->codec, data, name->bytes,
					page);
		zcache_stream_put(stream);
	}
	kunmap_local(page);
	zcache_add(&zcache_file, ZCACHE_LOADS, !err);
	return err;
}

static void clean_release(void *host, unsigned int order, unsigned long payload)
{
	struct clean_group *group;

	zcache_add(&zcache_file, ZCACHE_PAGES, -1);
	if (clean_is_filled(payload)) {
		zcache_add(&zcache_file, ZCACHE_SAME_FILLED, -1);
		return;
	}
	group = zcache_bin_owner(payload);
	zcache_add(&zcache_file, ZCACHE_BYTES, -(long)zcache_bin_bytes(payload));
	zcache_memcg_account(group->objcg, /*file=*/true, 0, -1);
	zcache_bin_free(payload);
}

static const struct tmem_payload_ops clean_payload_ops = {
	.store = clean_store,
	.overwrite = clean_overwrite,
	.load = clean_load,
	.release = clean_release,
};

static void clean_drop_frames(unsigned long frames)
{
	clean_evict(frames);
}

static void clean_shrink(void)
{
	unsigned long frames = clean_frames();
	unsigned long limit = min(zcache_limit(&zcache_file.limit),
				  zcache_limit(&zcache_total));

	if (frames > limit)
		clean_evict(frames - limit);
}

struct zcache_half zcache_file = {
	.counts = &zcache_file_counts,
	.frames = clean_frames,
	.shrink = clean_shrink,
	.drop = clean_drop_frames,
};

/* The half of cleancache's */

static int clean_init_fs(size_t page_size)
{
	if (page_size != PAGE_SIZE)
		return -EINVAL;
	return tmem_folio_new_pool(clean_client, /*flags=*/0);
}

static void clean_put_to(struct clean_group *group, struct tmem_handle *handle,
			 struct folio *folio, unsigned int nr,
			 unsigned long *held)
{
	struct clean_source source = {
		.group = group,
		.name = { .object = handle->oid[0], .pool = handle->pool },
	};
	unsigned int i;

	for (i = 0; i < nr; i++, handle->index++) {
		source.page = folio_page(folio, i);
		source.name.index = handle->index;
		if (!tmem_put(clean_client, handle, &source))
			__set_bit(i, held);
		cond_resched();
	}
}

static void clean_put(int pool, u64 object, pgoff_t index, struct folio *folio,
		      unsigned int nr, unsigned long *held)
{
	struct tmem_handle handle = {
		.pool = pool, .oid = { object }, .index = index,
	};
	struct obj_cgroup *objcg = zcache_memcg_of(folio);
	struct clean_group *group = clean_group_get(objcg);

	if (group) {
		clean_put_to(group, &handle, folio, nr, held);
		clean_group_put(group);
	} else {
		tmem_file_invalidate(clean_client, pool, object, index, nr);
		zcache_add(&zcache_file, ZCACHE_REJECT_MEMORY, nr);
	}
	obj_cgroup_put(objcg);
}

static int clean_get(int pool, u64 object, pgoff_t index, struct folio *folio,
		     unsigned int nr)
{
	return tmem_file_get(clean_client, pool, object, index, folio, nr,
			     /*exclusive=*/true);
}

static void clean_invalidate(int pool, u64 object, pgoff_t index,
			     unsigned int nr)
{
	tmem_file_invalidate(clean_client, pool, object, index, nr);
}

static void clean_invalidate_inode(int pool, u64 object)
{
	tmem_file_invalidate_inode(clean_client, pool, object);
}

static void clean_invalidate_fs(int pool)
{
	tmem_folio_destroy_pool(clean_client, pool);
}

static const struct cleancache_ops clean_ops = {
	.name = "zcache",
	.flags = CLEANCACHE_EXCLUSIVE,
	.max_index = ULONG_MAX,
	.init_fs = clean_init_fs,
	.put = clean_put,
	.get = clean_get,
	.invalidate = clean_invalidate,
	.invalidate_inode = clean_invalidate_inode,
	.invalidate_fs = clean_invalidate_fs,
};

/**
 * zcache_file_init - make an empty store for clean pages of files
 *
 * Context: May sleep.
 * Return: 0 or -ENOMEM.
 */
int zcache_file_init(void)
{
	int err = clean_groups_init(&clean_bin_ops);

	if (err)
		return err;
	err = tmem_folio_engine_create(&clean_payload_ops, CLEAN_MAX_POOLS,
				       &clean_engine, &clean_client);
	if (err) {
		clean_groups_stop();
		clean_groups_exit();
	}
	return err;
}

/**
 * zcache_file_start - serve filesystems
 *
 * Context: May sleep.
 * Return: 0; -EBUSY if there is another backend.
 */
int zcache_file_start(void)
{
	return cleancache_register_ops(&clean_ops);
}

/**
 * zcache_file_stop - drop all pages, and serve no filesystems any more
 *
 * Context: May sleep.
 */
void zcache_file_stop(void)
{
	cleancache_unregister_ops(&clean_ops);
}

/**
 * zcache_file_exit - free the store, which serves nobody
 *
 * Context: May sleep.
 */
void zcache_file_exit(void)
{
	/* What drops pages needs the engine. */
	clean_groups_stop();
	tmem_folio_engine_destroy(clean_engine, clean_client);
	clean_groups_exit();
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * A benchmark of what takes pages of swap: zcache, zswap, zram and others, with the
 * same pages.
 *
 * In /sys/kernel/debug/tmem_bench: pages are written to "corpus"; "run" is told what
 * to do with them, and says then how it went. One of
 *
 *	pages PATH CODEC	for a way of tmem_bench_path.c, which takes the pages
 *				compressed by CODEC if it was told so elsewhere
 *	read PATH CODEC		the same, and swap_read_folio() brings them back
 *	memory PATH CODEC	as anonymous memory of who writes to "run": paged
 *				out, to where swap_writepage() brings it, and touched
 *
 * Slots are of the swap area of the highest priority; folios are in the swap cache,
 * locked, dirty and charged to the control group of the caller, as reclaim has them.
 * All pages are stored before the first is loaded. What comes back is compared.
 * All of that is done some times, and of each page the least counts, but for the first.
 *
 * The clock is that of get_cycles(). It counts instructions, exactly, in a QEMU with
 * "-icount shift=0,sleep=off"; elsewhere it is nearly useless. Of each store and load,
 * what the codec and the copy take alone (tmem_bench_codec.c) is subtracted; the rest
 * is what is compared.
 */
#define pr_fmt(fmt) "tmem_bench: " fmt

#include <linux/debugfs.h>
#include <linux/frontswap.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/mutex.h>
#include <linux/pagemap.h>
#include <linux/pagewalk.h>
#include <linux/sched/mm.h>
#include <linux/seq_buf.h>
#include <linux/sort.h>
#include <linux/string.h>
#include <linux/swap.h>
#include <linux/swapops.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "internal.h"
#include "swap.h"
#include "tmem_bench.h"

#define BENCH_PAGES	4096u
#define BENCH_RESULT	4096
/* Rounds that count, after one that does not */
#define BENCH_ROUNDS	3

static const char *const bench_part_names[NR_BENCH_PARTS] = {
	[BENCH_STORE] = "store",
	[BENCH_STORE_CODEC] = "store_codec",
	[BENCH_STORE_COPY] = "store_copy",
	[BENCH_STORE_REST] = "store_rest",
	[BENCH_LOAD] = "load",
	[BENCH_LOAD_CODEC] = "load_codec",
	[BENCH_LOAD_COPY] = "load_copy",
	[BENCH_LOAD_REST] = "load_rest",
	[BENCH_DROP] = "drop",
	[BENCH_REFUSED] = "refused",
	[BENCH_READ] = "read",
	[BENCH_TOUCH] = "touch",
	[BENCH_SWAPOUT] = "swapout",
	[BENCH_SWAPIN] = "swapin",
};

/* Not measured; or not of this page */
#define BENCH_NOT	S64_MAX

/**
 * struct bench_page - a page on its way
 * @folio: The page, or NULL.
 * @spare: Room for another page.
 * @held: The path has it.
 * @took: What its parts took.
 */
struct bench_page {
	struct folio	*folio;
	void		*spare;
	bool		held;
	s64		took[NR_BENCH_PARTS];
};

/* Guards everything here; the outermost. */
static DEFINE_MUTEX(bench_lock);
static void *bench_corpus;
static unsigned int bench_nr;
static struct bench_page *bench_pages;
static long bench_frames;
static char *bench_result;
static size_t bench_result_bytes;

static void *bench_content(unsigned int i)
{
	return bench_corpus + i * PAGE_SIZE;
}

/* What two looks at the clock take */
u64 bench_cost;

static void bench_look_twice(void)
{
	u64 start, took, least = U64_MAX;
	unsigned int i;

	for (i = 0; i < 16; i++) {
		start = bench_now();
		took = bench_now() - start;
		least = min(least, took);
	}
	bench_cost = least;
}

/* Folios in the swap cache */

static int bench_get_folio(struct bench_page *page, const void *content)
{
	struct folio *folio = folio_alloc(GFP_KERNEL, 0);

	if (!folio)
		return -ENOMEM;
	if (mem_cgroup_charge(folio, current->mm, GFP_KERNEL)) {
		folio_put(folio);
		return -ENOMEM;
	}
	page->spare = (void *)__get_free_page(GFP_KERNEL);
	copy_page(folio_address(folio), (void *)content);
	__folio_set_swapbacked(folio);
	folio_mark_uptodate(folio);
	folio_lock(folio);
	if (!page->spare || !add_to_swap(folio)) {
		folio_unlock(folio);
		folio_put(folio);
		return -ENOSPC;
	}
	page->folio = folio;
	return 0;
}

static void bench_put_folio(struct bench_page *page)
{
	struct folio *folio = page->folio;

	if (folio) {
		folio_clear_dirty(folio);
		delete_from_swap_cache(folio);
		folio_unlock(folio);
		folio_put(folio);
	}
	free_page((unsigned long)page->spare);
}

/* Of all rounds the least counts: there was no interrupt then. */
static void bench_note(struct bench_page *page, enum bench_part part, s64 took)
{
	page->took[part] = min(page->took[part], took);
}

static void bench_note_nothing(void)
{
	unsigned int i, part;

	for (i = 0; i < bench_nr; i++)
		for (part = 0; part < NR_BENCH_PARTS; part++)
			bench_pages[i].took[part] = BENCH_NOT;
}

/* Page frames that zsmalloc has, of whoever */
static long bench_zs_frames(void)
{
	struct zone *zone;
	long frames = 0;

	for_each_populated_zone(zone)
		frames += zone_page_state_snapshot(zone, NR_ZSPAGES);
	return frames;
}

/* One round of a path */

static void bench_store(const struct bench_path *path, struct bench_page *page)
{
	unsigned int flags = memalloc_noreclaim_save();
	u64 start = bench_now();
	s64 took;

	page->held = path->store(page->folio, page->spare);
	took = bench_since(start);
	memalloc_noreclaim_restore(flags);
	bench_note(page, page->held ? BENCH_STORE : BENCH_REFUSED, took);
}

static void bench_forget_content(struct bench_page *page)
{
	memset(folio_address(page->folio), 0x5a, PAGE_SIZE);
	folio_clear_uptodate(page->folio);
}

static int bench_check(const struct bench_path *path, unsigned int i)
{
	struct folio *folio = bench_pages[i].folio;

	if (!folio_test_uptodate(folio) ||
	    memcmp(folio_address(folio), bench_content(i), PAGE_SIZE)) {
		pr_err("%s: page %u came back wrong\n", path->name, i);
		return -EIO;
	}
	return 0;
}

/* By the path's own function, or as a fault does */
static int bench_load(const struct bench_path *path, unsigned int i, bool fault)
{
	struct bench_page *page = &bench_pages[i];
	u64 start;

	if (!page->held)
		return 0;
	bench_forget_content(page);
	start = bench_now();
	if (fault) {
		swap_read_folio(page->folio, NULL);
		folio_lock(page->folio);
	} else if (!path->load(page->folio, page->spare)) {
		return -EIO;
	}
	bench_note(page, fault ? BENCH_READ : BENCH_LOAD, bench_since(start));
	return bench_check(path, i);
}

static void bench_drop(const struct bench_path *path, struct bench_page *page)
{
	u64 start = bench_now();
	s64 took;

	path->drop(page->folio);
	took = bench_since(start);
	if (page->held)
		bench_note(page, BENCH_DROP, took);
}

static int bench_round(const struct bench_path *path, bool fault)
{
	long frames = bench_zs_frames();
	unsigned int i;
	int err;

	for (i = 0; i < bench_nr; i++)
		bench_store(path, &bench_pages[i]);
	bench_frames = bench_zs_frames() - frames;
	for (i = 0; i < bench_nr; i++) {
		err = bench_load(path, i, fault);
		if (err)
			return err;
	}
	/* A load may have left the content where it was. */
	for (i = 0; i < bench_nr; i++)
		path->drop(bench_pages[i].folio);
	for (i = 0; i < bench_nr; i++)
		bench_pages[i].held = path->store(bench_pages[i].folio,
						  bench_pages[i].spare);
	for (i = 0; i < bench_nr; i++)
		bench_drop(path, &bench_pages[i]);
	return 0;
}

/* Return: a - b - c of what a page took, if it took a. */
static s64 bench_rest(const s64 *took, enum bench_part a, enum bench_part b,
		      enum bench_part c)
{
	return took[a] == BENCH_NOT ? BENCH_NOT : took[a] - took[b] - took[c];
}

static void bench_alone(const struct bench_path *path, enum bench_codec codec,
			unsigned int i)
{
	static const enum bench_part parts[] = {
		BENCH_STORE_CODEC, BENCH_STORE_COPY, BENCH_LOAD_CODEC,
		BENCH_LOAD_COPY,
	};
	s64 took[NR_BENCH_PARTS];
	unsigned int round, part;

	for (round = 0; round < BENCH_ROUNDS; round++) {
		bench_codec_alone(path, codec, bench_content(i), took);
		for (part = 0; part < ARRAY_SIZE(parts); part++)
			bench_note(&bench_pages[i], parts[part],
				   took[parts[part]]);
	}
}

static int bench_rounds(const struct bench_path *path, enum bench_codec codec,
			bool read)
{
	unsigned int i, round;
	int err;

	for (i = 0; i < bench_nr; i++) {
		err = bench_get_folio(&bench_pages[i], bench_content(i));
		if (err)
			return err;
	}
	for (round = 0; round <= BENCH_ROUNDS; round++) {
		if (round == 1)
			bench_note_nothing();
		err = bench_round(path, read);
		if (err)
			return err;
	}
	for (i = 0; i < bench_nr; i++) {
		s64 *took = bench_pages[i].took;

		bench_alone(path, codec, i);
		took[BENCH_STORE_REST] = bench_rest(took, BENCH_STORE,
						    BENCH_STORE_CODEC,
						    BENCH_STORE_COPY);
		took[BENCH_LOAD_REST] = bench_rest(took, BENCH_LOAD,
						   BENCH_LOAD_CODEC,
						   BENCH_LOAD_COPY);
	}
	return 0;
}

/* Memory of the caller */

static int bench_touch(char __user *memory, unsigned int i, bool swapped)
{
	char __user *page = memory + i * PAGE_SIZE;
	u64 start = bench_now();
	char __maybe_unused byte;
	int err;

	err = swapped ? get_user(byte, page) : put_user(0, page);
	bench_note(&bench_pages[i], swapped ? BENCH_SWAPIN : BENCH_TOUCH,
		   bench_since(start));
	if (err)
		return -EFAULT;
	if (!swapped)
		return copy_to_user(page, bench_content(i), PAGE_SIZE) ?
			-EFAULT : 0;
	if (copy_from_user(bench_pages[i].spare, page, PAGE_SIZE))
		return -EFAULT;
	return memcmp(bench_pages[i].spare, bench_content(i), PAGE_SIZE) ?
		-EIO : 0;
}

static s64 bench_swapped(void)
{
	return percpu_counter_sum(&current->mm->rss_stat[MM_SWAPENTS]);
}

/*
 * What was written to a device that completes later is in the swap cache still, as
 * its pages were when reclaim saw them last. That it frees them the next time is part
 * of no path.
 */
static int bench_collect(pte_t *pte, unsigned long address, unsigned long next,
			 struct mm_walk *walk)
{
	struct list_head *folios = walk->private;
	pte_t swapped = ptep_get(pte);
	struct folio *folio;
	swp_entry_t entry;

	if (!is_swap_pte(swapped))
		return 0;
	entry = pte_to_swp_entry(swapped);
	folio = filemap_get_folio(swap_address_space(entry),
				  swap_cache_index(entry));
	if (IS_ERR(folio))
		return 0;
	if (folio_isolate_lru(folio))
		list_add(&folio->lru, folios);
	folio_put(folio);
	return 0;
}

static void bench_empty_swap_cache(unsigned long memory)
{
	static const struct mm_walk_ops ops = {
		.pte_entry = bench_collect,
		.walk_lock = PGWALK_RDLOCK,
	};
	LIST_HEAD(folios);

	lru_add_drain_all();
	mmap_read_lock(current->mm);
	walk_page_range(current->mm, memory, memory + bench_nr * PAGE_SIZE,
			&ops, &folios);
	mmap_read_unlock(current->mm);
	reclaim_pages(&folios);
}

static int bench_swap(unsigned long memory)
{
	s64 swapped = bench_swapped();
	unsigned int i;
	u64 start;
	int err;

	for (i = 0; i < bench_nr; i++) {
		err = bench_touch((char __user *)memory, i, false);
		if (err)
			return err;
	}
	start = bench_now();
	err = do_madvise(current->mm, memory, bench_nr * PAGE_SIZE,
			 MADV_PAGEOUT);
	bench_note(&bench_pages[0], BENCH_SWAPOUT,
		   div_s64(bench_since(start), bench_nr));
	swapped = bench_swapped() - swapped;
	if (err || swapped != bench_nr) {
		pr_err("%lld of %u pages went out: %d\n", swapped, bench_nr, err);
		return err ?: -EBUSY;
	}
	bench_empty_swap_cache(memory);
	for (i = 0; i < bench_nr; i++) {
		err = bench_touch((char __user *)memory, i, true);
		if (err)
			return err;
		bench_pages[i].held = true;
	}
	return 0;
}

static int bench_memory(void)
{
	unsigned long memory;
	unsigned int i, round;
	int err = 0;

	for (i = 0; i < bench_nr; i++) {
		bench_pages[i].spare = (void *)__get_free_page(GFP_KERNEL);
		if (!bench_pages[i].spare)
			return -ENOMEM;
	}
	for (round = 0; round <= BENCH_ROUNDS && !err; round++) {
		if (round == 1)
			bench_note_nothing();
		memory = vm_mmap(NULL, 0, bench_nr * PAGE_SIZE,
				 PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, 0);
		if (IS_ERR_VALUE(memory))
			return memory;
		err = bench_swap(memory);
		vm_munmap(memory, bench_nr * PAGE_SIZE);
	}
	return err;
}

/* Results */

static int bench_compare(const void *a, const void *b)
{
	s64 x = *(const s64 *)a, y = *(const s64 *)b;

	return x < y ? -1 : x > y;
}

/* One line: how many pages, median, 10th and 90th percentile */
static void bench_say(struct seq_buf *out, const char *what,
		      enum bench_part part, s64 *sorted)
{
	unsigned int i, n = 0;

	for (i = 0; i < bench_nr; i++)
		if (bench_pages[i].took[part] != BENCH_NOT)
			sorted[n++] = bench_pages[i].took[part];
	if (!n)
		return;
	sort(sorted, n, sizeof(*sorted), bench_compare, NULL);
	seq_buf_printf(out, "%s %s %u %lld %lld %lld\n", what,
		       bench_part_names[part], n, sorted[n / 2], sorted[n / 10],
		       sorted[n - 1 - n / 10]);
}

static int bench_say_all(const char *what)
{
	s64 *sorted = kvcalloc(bench_nr, sizeof(*sorted), GFP_KERNEL);
	struct seq_buf out;
	unsigned int part;

	if (!sorted)
		return -ENOMEM;
	seq_buf_init(&out, bench_result, BENCH_RESULT);
	for (part = 0; part < NR_BENCH_PARTS; part++)
		bench_say(&out, what, part, sorted);
	seq_buf_printf(&out, "%s frames %u %ld 0 0\n", what, bench_nr,
		       bench_frames);
	bench_result_bytes = seq_buf_used(&out);
	kvfree(sorted);
	return 0;
}

static int bench_do(const char *what, const struct bench_path *path,
		    enum bench_codec codec)
{
	if (!strcmp(what, "pages"))
		return bench_rounds(path, codec, /*read=*/false);
	if (!strcmp(what, "read"))
		return bench_rounds(path, codec, /*read=*/true);
	if (!strcmp(what, "memory"))
		return bench_memory();
	return -EINVAL;
}

static int bench_run(const char *what, const char *path_name,
		     const char *codec_name)
{
	const struct bench_path *path = bench_path_find(path_name);
	int codec = sysfs_match_string(bench_codec_names, codec_name);
	char said[64];
	unsigned int i;
	int err;

	if (!path || codec < 0)
		return -EINVAL;
	if (!bench_nr)
		return -ENODATA;
	bench_pages = kvcalloc(bench_nr, sizeof(*bench_pages), GFP_KERNEL);
	if (!bench_pages)
		return -ENOMEM;
	bench_note_nothing();
	bench_look_twice();
	err = bench_codec_init();
	if (!err)
		err = bench_do(what, path, codec);
	scnprintf(said, sizeof(said), "%s %s %s", what, path_name, codec_name);
	if (!err)
		err = bench_say_all(said);
	for (i = 0; i < bench_nr; i++)
		bench_put_folio(&bench_pages[i]);
	kvfree(bench_pages);
	bench_codec_exit();
	return err;
}

/* Files */

static int corpus_open(struct inode *inode, struct file *file)
{
	if (file->f_flags & O_TRUNC) {
		mutex_lock(&bench_lock);
		bench_nr = 0;
		mutex_unlock(&bench_lock);
	}
	return 0;
}

static ssize_t corpus_write(struct file *file, const char __user *from,
			    size_t len, loff_t *pos)
{
	size_t room = BENCH_PAGES * PAGE_SIZE;
	ssize_t ret = -EINVAL;

	mutex_lock(&bench_lock);
	if (*pos + len <= room) {
		ret = simple_write_to_buffer(bench_corpus, room, pos, from, len);
		bench_nr = *pos / PAGE_SIZE;
	}
	mutex_unlock(&bench_lock);
	return ret;
}

static const struct file_operations corpus_fops = {
	.owner = THIS_MODULE,
	.open = corpus_open,
	.write = corpus_write,
	.llseek = noop_llseek,
};

static ssize_t run_read(struct file *file, char __user *to, size_t len,
			loff_t *pos)
{
	ssize_t ret;

	mutex_lock(&bench_lock);
	ret = simple_read_from_buffer(to, len, pos, bench_result,
				      bench_result_bytes);
	mutex_unlock(&bench_lock);
	return ret;
}

static ssize_t run_write(struct file *file, const char __user *from, size_t len,
			 loff_t *pos)
{
	char said[64], what[16], path[16], codec[16];
	int err = -EINVAL;

	if (len >= sizeof(said))
		return -EINVAL;
	if (copy_from_user(said, from, len))
		return -EFAULT;
	said[len] = 0;
	mutex_lock(&bench_lock);
	bench_result_bytes = 0;
	if (sscanf(said, "%15s %15s %15s", what, path, codec) == 3)
		err = bench_run(what, path, codec);
	mutex_unlock(&bench_lock);
	return err ?: len;
}

static const struct file_operations run_fops = {
	.owner = THIS_MODULE,
	.read = run_read,
	.write = run_write,
	.llseek = noop_llseek,
};

static int __init bench_init(void)
{
	struct dentry *dir;

	bench_corpus = vzalloc(BENCH_PAGES * PAGE_SIZE);
	bench_result = kzalloc(BENCH_RESULT, GFP_KERNEL);
	if (!bench_corpus || !bench_result) {
		vfree(bench_corpus);
		kfree(bench_result);
		return -ENOMEM;
	}
	dir = debugfs_create_dir("tmem_bench", NULL);
	debugfs_create_file("corpus", 0200, dir, NULL, &corpus_fops);
	debugfs_create_file("run", 0600, dir, NULL, &run_fops);
	return 0;
}
late_initcall(bench_init);

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which pages of a file the store may hold: a bit for each, in chunks.
 *
 * Without its bit no page is asked for. So a page that was never put costs no
 * call of the backend, and a bit that is cleared is enough to make sure that a
 * page is never seen again, whatever the backend does.
 *
 * A bit is set before the backend gets the page and cleared before it is told to
 * forget it. Whoever has a page's folio locked in the page cache, and only he,
 * sets its bit; anybody clears it.
 *
 * In a shared pool there may be any page of a file, so that a bit says only that a
 * page was put here. It is as good for the put itself, and for the shrinker.
 *
 * Chunks go before their file does, least recently used first, when memory is
 * short. The shrinker has a chunk by the list_lru's lock and takes that of the
 * object by trylock, against the order that cleancache_control.c states.
 */
#include <linux/bitmap.h>
#include <linux/init.h>
#include <linux/list_lru.h>
#include <linux/pagemap.h>
#include <linux/shrinker.h>
#include <linux/slab.h>

#include "cleancache.h"

/**
 * struct cleancache_chunk - some pages of a file
 * @node: In the object's tree, by @first.
 * @lru: For the shrinker.
 * @object: Whose pages; valid while @node is in the tree.
 * @first: Index of the first page, a multiple of CLEANCACHE_CHUNK_PAGES.
 * @referenced: Used since the shrinker looked last.
 * @held: Pages that the store may hold.
 * @seen: Pages that left the page cache before, see cleancache_seen().
 */
struct cleancache_chunk {
	struct rb_node		node;
	struct list_head	lru;
	struct cleancache_object *object;
	pgoff_t			first;
	bool			referenced;
	DECLARE_BITMAP(held, CLEANCACHE_CHUNK_PAGES);
	DECLARE_BITMAP(seen, CLEANCACHE_CHUNK_PAGES);
};

static struct kmem_cache *chunk_cachep;
static atomic_long_t nr_chunks;
static struct list_lru chunk_lru;

/* Return: The chunk of a page, or the next one, or NULL. */
static struct cleancache_chunk *chunk_next(struct cleancache_object *object,
					   pgoff_t index)
{
	struct cleancache_chunk *chunk, *best = NULL;
	struct rb_node *node = object->chunks.rb_node;

	lockdep_assert_held(&object->lock);
	while (node) {
		chunk = rb_entry(node, struct cleancache_chunk, node);
		if (chunk->first + CLEANCACHE_CHUNK_PAGES <= index) {
			node = node->rb_right;
		} else {
			best = chunk;
			node = node->rb_left;
		}
	}
	return best;
}

static struct cleancache_chunk *chunk_find(struct cleancache_object *object,
					   pgoff_t index)
{
	struct cleancache_chunk *chunk = chunk_next(object, index);

	return chunk && chunk->first <= index ? chunk : NULL;
}

static bool chunk_less(struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct cleancache_chunk, node)->first <
	       rb_entry(b, struct cleancache_chunk, node)->first;
}

/*
 * See to it that there is a chunk for a page. The shrinker may take it away
 * again, as soon as the lock is not held.
 */
static void chunk_make(struct cleancache_object *object, pgoff_t index)
{
	struct cleancache_chunk *chunk, *new;

	spin_lock(&object->lock);
	chunk = chunk_find(object, index);
	spin_unlock(&object->lock);
	if (chunk)
		return;
	new = kmem_cache_zalloc(chunk_cachep, CLEANCACHE_GFP);
	if (!new)
		return;
	new->object = object;
	new->first = round_down(index, CLEANCACHE_CHUNK_PAGES);
	new->referenced = true;
	INIT_LIST_HEAD(&new->lru);
	spin_lock(&object->lock);
	if (!object->dead && !chunk_find(object, index)) {
		rb_add(&new->node, &object->chunks, chunk_less);
		list_lru_add_obj(&chunk_lru, &new->lru);
		atomic_long_inc(&nr_chunks);
		new = NULL;
	}
	spin_unlock(&object->lock);
	if (new)
		kmem_cache_free(chunk_cachep, new);
}

/*
 * The first chunk with pages in @first ... @last, and where in it they begin and end.
 * Return: The chunk, or NULL.
 */
static struct cleancache_chunk *chunk_in(struct cleancache_object *object,
					 pgoff_t first, pgoff_t last,
					 unsigned long *begin,
					 unsigned long *end)
{
	struct cleancache_chunk *chunk = chunk_next(object, first);

	if (!chunk || chunk->first > last)
		return NULL;
	*begin = max(first, chunk->first) - chunk->first;
	*end = min(last - chunk->first, CLEANCACHE_CHUNK_PAGES - 1) + 1;
	return chunk;
}

/*
 * Clear bits of a chunk's pages in @first ... @last. Return: false if there is no
 * chunk; else *@first is where to go on, and the lock was held for one chunk only.
 */
static bool chunk_unsee(struct cleancache_object *object, pgoff_t *first,
			pgoff_t last)
{
	struct cleancache_chunk *chunk;
	unsigned long begin, end;

	spin_lock(&object->lock);
	chunk = chunk_in(object, *first, last, &begin, &end);
	if (chunk) {
		bitmap_clear(chunk->seen, begin, end - begin);
		*first = chunk->first + CLEANCACHE_CHUNK_PAGES;
	}
	spin_unlock(&object->lock);
	return chunk;
}

/* Detach a chunk that has left the LRU list; its pages are not held any more. */
static void chunk_unlink(struct cleancache_chunk *chunk)
{
	struct cleancache_object *object = chunk->object;

	lockdep_assert_held(&object->lock);
	rb_erase(&chunk->node, &object->chunks);
	atomic_long_sub(bitmap_weight(chunk->held, CLEANCACHE_CHUNK_PAGES),
			&object->mount->nr_pages);
}

static void chunk_free(struct cleancache_chunk *chunk)
{
	atomic_long_dec(&nr_chunks);
	kmem_cache_free(chunk_cachep, chunk);
}

/* Clear the bits of some pages of a chunk. Return: How many were set. */
static unsigned int chunk_clear(struct cleancache_chunk *chunk, pgoff_t index,
				unsigned int nr)
{
	unsigned int i, cleared = 0;

	lockdep_assert_held(&chunk->object->lock);
	for (i = index - chunk->first; nr--; i++)
		cleared += __test_and_clear_bit(i, chunk->held);
	atomic_long_sub(cleared, &chunk->object->mount->nr_pages);
	return cleared;
}

/**
 * cleancache_claim - note that the store may hold pages, before it gets them
 * @object: The file.
 * @index: Index of a folio's first page.
 * @nr: Number of pages, at most those of the folio.
 *
 * Must be followed by cleancache_settle().
 *
 * Context: Process; the folio is locked in the page cache. Does not sleep.
 * Return: false if there is no memory, or the object is dead.
 */
bool cleancache_claim(struct cleancache_object *object, pgoff_t index,
		      unsigned int nr)
{
	struct cleancache_chunk *chunk;
	unsigned int i, set = 0;

	chunk_make(object, index);
	spin_lock(&object->lock);
	chunk = chunk_find(object, index);
	if (chunk) {
		for (i = index - chunk->first; nr--; i++)
			set += !__test_and_set_bit(i, chunk->held);
		atomic_long_add(set, &object->mount->nr_pages);
		chunk->referenced = true;
	}
	spin_unlock(&object->lock);
	return chunk;
}

/**
 * cleancache_settle - note what the store holds after a put
 * @object: The file.
 * @index: Index of the folio's first page.
 * @nr: Number of pages that cleancache_claim() was called for.
 * @held: Bit i is set if the backend holds page i.
 *
 * A page whose bit was cleared while the backend had it may be in the store
 * nevertheless, forgotten; it goes.
 *
 * Context: Process, inside cleancache_srcu. Does not sleep.
 */
void cleancache_settle(struct cleancache_object *object, pgoff_t index,
		       unsigned int nr, const unsigned long *held)
{
	struct cleancache_chunk *chunk;
	bool forgotten;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		spin_lock(&object->lock);
		chunk = chunk_find(object, index + i);
		forgotten = !chunk ||
			    !test_bit(index + i - chunk->first, chunk->held);
		if (!forgotten && !test_bit(i, held))
			chunk_clear(chunk, index + i, 1);
		spin_unlock(&object->lock);
		if (forgotten && test_bit(i, held))
			cleancache_tell(object, index + i, 1);
	}
}

/**
 * cleancache_held - how many of a folio's pages may the store hold?
 * @object: The file.
 * @index: Index of the folio's first page.
 * @nr: Number of pages.
 *
 * Context: Process. Does not sleep.
 * Return: The number of pages; in a shared pool all, until the object is dead.
 */
unsigned int cleancache_held(struct cleancache_object *object, pgoff_t index,
			     unsigned int nr)
{
	struct cleancache_chunk *chunk;
	unsigned int i, held = 0;

	spin_lock(&object->lock);
	chunk = chunk_find(object, index);
	if (chunk)
		chunk->referenced = true;
	if (object->shared) {
		held = object->dead ? 0 : nr;
	} else if (chunk) {
		for (i = index - chunk->first; nr--; i++)
			held += test_bit(i, chunk->held);
	}
	spin_unlock(&object->lock);
	return held;
}

/**
 * cleancache_release - forget pages that the backend has removed, or shall
 * @object: The file.
 * @index: Index of a folio's first page.
 * @nr: Number of pages.
 *
 * Context: Process. Does not sleep.
 * Return: How many of them it may have held until now.
 */
unsigned int cleancache_release(struct cleancache_object *object, pgoff_t index,
				unsigned int nr)
{
	struct cleancache_chunk *chunk;
	unsigned int held = 0;

	spin_lock(&object->lock);
	chunk = chunk_find(object, index);
	if (chunk)
		held = chunk_clear(chunk, index, nr);
	spin_unlock(&object->lock);
	return held;
}

/**
 * cleancache_seen - did a folio's pages leave the page cache before?
 * @object: The file.
 * @index: Index of the folio's first page.
 * @nr: Number of pages.
 *
 * Remembers that they do now.
 *
 * Context: Process. Does not sleep.
 * Return: true if all of them did since their content is what it is.
 */
bool cleancache_seen(struct cleancache_object *object, pgoff_t index,
		     unsigned int nr)
{
	struct cleancache_chunk *chunk;
	bool seen = false;
	unsigned int i;

	chunk_make(object, index);
	spin_lock(&object->lock);
	chunk = chunk_find(object, index);
	if (chunk) {
		seen = true;
		for (i = index - chunk->first; nr--; i++)
			seen &= __test_and_set_bit(i, chunk->seen);
	}
	spin_unlock(&object->lock);
	return seen;
}

/**
 * cleancache_unsee - the content of pages has changed
 * @object: The file.
 * @first: Index of the first page.
 * @last: Index of the last page.
 *
 * Context: Process. May sleep if the pages are not those of one folio.
 */
void cleancache_unsee(struct cleancache_object *object, pgoff_t first,
		      pgoff_t last)
{
	while (chunk_unsee(object, &first, last) && first <= last)
		cond_resched();
}

/*
 * Clear the bits of the first run of pages in the first chunk of @first ... @last.
 * Return: false if there is no chunk; else *@first is where the run begins and *@nr
 * its length, or 0 and where to go on.
 */
static bool chunk_clear_run(struct cleancache_object *object, pgoff_t *first,
			    pgoff_t last, unsigned int *nr)
{
	struct cleancache_chunk *chunk;
	unsigned long begin, end, bit;

	*nr = 0;
	spin_lock(&object->lock);
	chunk = chunk_in(object, *first, last, &begin, &end);
	bit = chunk ? find_next_bit(chunk->held, end, begin) : 0;
	if (chunk && bit < end) {
		*first = chunk->first + bit;
		*nr = find_next_zero_bit(chunk->held, end, bit) - bit;
		chunk_clear(chunk, *first, *nr);
	} else if (chunk) {
		*first = chunk->first + CLEANCACHE_CHUNK_PAGES;
	}
	spin_unlock(&object->lock);
	return chunk;
}

/**
 * cleancache_forget - remove a range of pages from the store
 * @object: The file.
 * @first: Index of the first page.
 * @last: Index of the last page.
 *
 * Context: Process, inside cleancache_srcu. May sleep if the pages are not those
 * of one folio.
 */
void cleancache_forget(struct cleancache_object *object, pgoff_t first,
		       pgoff_t last)
{
	pgoff_t begin = first;
	unsigned int nr;

	while (first <= last && chunk_clear_run(object, &first, last, &nr)) {
		if (nr && !object->shared)
			cleancache_tell(object, first, nr);
		first += nr;
		if (first <= last && last - first >= CLEANCACHE_CHUNK_PAGES)
			cond_resched();
	}
	if (!object->shared)
		return;
	/* Others may have put any of them. */
	if (last - begin < CLEANCACHE_CHUNK_PAGES)
		cleancache_tell(object, begin, last - begin + 1);
	else
		cleancache_tell_all(object);
}

static struct cleancache_chunk *chunk_take_first(struct cleancache_object *object)
{
	struct cleancache_chunk *chunk;

	spin_lock(&object->lock);
	chunk = rb_entry_safe(rb_first(&object->chunks),
			      struct cleancache_chunk, node);
	if (chunk) {
		list_lru_del_obj(&chunk_lru, &chunk->lru);
		chunk_unlink(chunk);
	}
	spin_unlock(&object->lock);
	return chunk;
}

/**
 * cleancache_pages_drop - clear all bits of a file
 * @object: The file, dead: nobody sets one any more. The backend is not told.
 *
 * Context: Process. Does not sleep.
 */
void cleancache_pages_drop(struct cleancache_object *object)
{
	struct cleancache_chunk *chunk;

	while ((chunk = chunk_take_first(object)))
		chunk_free(chunk);
}

/* Shrinker */

static enum lru_status chunk_isolate(struct list_head *item,
				     struct list_lru_one *list,
				     spinlock_t *lock, void *dispose)
{
	struct cleancache_chunk *chunk =
		container_of(item, struct cleancache_chunk, lru);
	struct cleancache_object *object = chunk->object;

	/* A chunk leaves the LRU list before its object goes. */
	if (!spin_trylock(&object->lock))
		return LRU_SKIP;
	if (chunk->referenced) {
		chunk->referenced = false;
		spin_unlock(&object->lock);
		return LRU_ROTATE;
	}
	list_lru_isolate_move(list, item, dispose);
	chunk_unlink(chunk);
	refcount_inc(&object->ref);
	spin_unlock(&object->lock);
	return LRU_REMOVED;
}

static void chunk_dispose(struct cleancache_chunk *chunk)
{
	struct cleancache_object *object = chunk->object;
	unsigned int begin, end;

	for_each_set_bitrange(begin, end, chunk->held, CLEANCACHE_CHUNK_PAGES)
		cleancache_tell(object, chunk->first + begin, end - begin);
	chunk_free(chunk);
	cleancache_object_put(object);
}

static unsigned long chunk_count(struct shrinker *shrinker,
				 struct shrink_control *sc)
{
	return list_lru_shrink_count(&chunk_lru, sc);
}

static unsigned long chunk_scan(struct shrinker *shrinker,
				struct shrink_control *sc)
{
	struct cleancache_chunk *chunk, *next;
	unsigned long freed;
	LIST_HEAD(dispose);
	int idx;

	idx = srcu_read_lock(&cleancache_srcu);
	freed = list_lru_shrink_walk(&chunk_lru, sc, chunk_isolate, &dispose);
	list_for_each_entry_safe(chunk, next, &dispose, lru)
		chunk_dispose(chunk);
	srcu_read_unlock(&cleancache_srcu, idx);
	return freed;
}

/**
 * cleancache_pages_bytes - memory that remembers which pages there may be
 *
 * Context: Any.
 * Return: Bytes in chunks.
 */
size_t cleancache_pages_bytes(void)
{
	return atomic_long_read(&nr_chunks) * kmem_cache_size(chunk_cachep);
}

/**
 * cleancache_pages_init - get ready, once
 *
 * Return: 0, or -ENOMEM.
 */
int __init cleancache_pages_init(void)
{
	struct shrinker *shrinker;
	int ret;

	chunk_cachep = KMEM_CACHE(cleancache_chunk, SLAB_PANIC |
				  SLAB_RECLAIM_ACCOUNT);
	ret = list_lru_init(&chunk_lru);
	if (ret)
		return ret;
	shrinker = shrinker_alloc(SHRINKER_NUMA_AWARE, "mm-cleancache");
	if (!shrinker) {
		list_lru_destroy(&chunk_lru);
		return -ENOMEM;
	}
	shrinker->count_objects = chunk_count;
	shrinker->scan_objects = chunk_scan;
	shrinker_register(shrinker);
	return 0;
}

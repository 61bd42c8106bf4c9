// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the store may hold: an object for each file of which a page was put, and
 * in it a bit for each page, in chunks.
 *
 * Without its bit no page is asked for. So a page that was never put costs no
 * call of the backend, and a bit that is cleared is enough to make sure that a
 * page is never seen again, whatever the backend does.
 *
 * A bit is set before the backend gets the page and cleared before it is told to
 * forget it. Whoever has a page's folio locked in the page cache, and only he,
 * sets its bit; anybody clears it.
 *
 * Objects live as long as their inode is in memory. Chunks go earlier, least
 * recently used first, when memory is short.
 *
 * Lock order:
 *	cleancache_object.lock
 *	  list_lru (the shrinker takes them the other way round, by trylock)
 *	cleancache_mount.lock
 */
#include <linux/bitmap.h>
#include <linux/init.h>
#include <linux/list_lru.h>
#include <linux/pagemap.h>
#include <linux/rhashtable.h>
#include <linux/shrinker.h>
#include <linux/slab.h>

#include "cleancache.h"

/*
 * Called in reclaim, which must not wait for memory, nor use up what is kept for
 * those who free some.
 */
#define CLEANCACHE_GFP \
	(GFP_NOWAIT | __GFP_NOMEMALLOC | __GFP_NORETRY | __GFP_NOWARN)

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

static const struct rhashtable_params object_params = {
	.key_len = sizeof_field(struct cleancache_object, mapping),
	.key_offset = offsetof(struct cleancache_object, mapping),
	.head_offset = offsetof(struct cleancache_object, hash),
	.automatic_shrinking = true,
};

/* There was memory at boot for what follows. */
bool cleancache_ready __ro_after_init;

static struct rhashtable object_table;
static struct kmem_cache *object_cachep, *chunk_cachep;
static atomic_long_t nr_objects, nr_chunks;
static struct list_lru chunk_lru;
static atomic64_t last_id;

/* Objects */

/**
 * cleancache_object_find - find the object of a file
 * @mapping: The file.
 *
 * Context: Any.
 * Return: The object, to be given to cleancache_object_put(), or NULL.
 */
struct cleancache_object *cleancache_object_find(struct address_space *mapping)
{
	struct cleancache_object *object;

	rcu_read_lock();
	object = rhashtable_lookup(&object_table, &mapping, object_params);
	if (object && !refcount_inc_not_zero(&object->ref))
		object = NULL;
	rcu_read_unlock();
	return object;
}

/**
 * cleancache_object_put - let go of an object
 * @object: The object.
 *
 * Context: Any.
 */
void cleancache_object_put(struct cleancache_object *object)
{
	struct cleancache_mount *mount = object->mount;

	if (!refcount_dec_and_test(&object->ref))
		return;
	cleancache_sums_destroy(object);
	atomic_long_dec(&nr_objects);
	kfree_rcu(object, rcu);
	kobject_put(&mount->kobj);
}

static struct cleancache_object *object_alloc(struct address_space *mapping,
					      struct cleancache_mount *mount)
{
	struct cleancache_object *object;

	object = kmem_cache_zalloc(object_cachep, CLEANCACHE_GFP);
	if (!object)
		return NULL;
	object->mapping = mapping;
	object->mount = mount;
	object->id = atomic64_inc_return(&last_id);
	object->pool = mount->pool;
	refcount_set(&object->ref, 2);
	spin_lock_init(&object->lock);
	object->chunks = RB_ROOT;
	cleancache_sums_init(object);
	return object;
}

/**
 * cleancache_object_make - find the object of a file, or make it
 * @mapping: The file.
 * @mount: Its filesystem, which is served.
 *
 * Context: Process, inside cleancache_srcu; a folio of the file is locked in the
 * page cache. Does not sleep.
 * Return: As cleancache_object_find(); NULL if there is no memory.
 */
struct cleancache_object *cleancache_object_make(struct address_space *mapping,
						 struct cleancache_mount *mount)
{
	struct cleancache_object *object, *other;

	object = cleancache_object_find(mapping);
	if (object)
		return object;
	object = object_alloc(mapping, mount);
	if (!object)
		return NULL;

	/* Before the folio leaves the page cache, see cleancache_may_hold(). */
	set_bit(AS_CLEANCACHE, &mapping->flags);
	rcu_read_lock();
	other = rhashtable_lookup_get_insert_fast(&object_table, &object->hash,
						  object_params);
	if (IS_ERR(other) ||
	    (other && !refcount_inc_not_zero(&other->ref)))
		other = ERR_PTR(-ENOMEM);
	rcu_read_unlock();
	if (other) {
		cleancache_sums_destroy(object);
		kmem_cache_free(object_cachep, object);
		return IS_ERR(other) ? NULL : other;
	}

	kobject_get(&mount->kobj);
	atomic_long_inc(&nr_objects);
	atomic_long_inc(&mount->nr_objects);
	spin_lock(&mount->lock);
	list_add(&object->node, &mount->objects);
	spin_unlock(&mount->lock);
	return object;
}

/* Chunks */

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
 * Return: The number of pages.
 */
unsigned int cleancache_held(struct cleancache_object *object, pgoff_t index,
			     unsigned int nr)
{
	struct cleancache_chunk *chunk;
	unsigned int i, held = 0;

	spin_lock(&object->lock);
	chunk = chunk_find(object, index);
	if (chunk) {
		for (i = index - chunk->first; nr--; i++)
			held += test_bit(i, chunk->held);
		chunk->referenced = true;
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
 * Context: Process. Does not sleep.
 */
void cleancache_unsee(struct cleancache_object *object, pgoff_t first,
		      pgoff_t last)
{
	struct cleancache_chunk *chunk;
	unsigned long begin, end;

	spin_lock(&object->lock);
	while ((chunk = chunk_next(object, first)) && chunk->first <= last) {
		begin = max(first, chunk->first) - chunk->first;
		end = min(last - chunk->first, CLEANCACHE_CHUNK_PAGES - 1) + 1;
		bitmap_clear(chunk->seen, begin, end - begin);
		first = chunk->first + CLEANCACHE_CHUNK_PAGES;
	}
	spin_unlock(&object->lock);
}

/*
 * Clear the bits of the next run of pages in @first ... @last.
 * Return: Length of the run, which begins at *@first then; 0 if there is none.
 */
static unsigned int object_clear_run(struct cleancache_object *object,
				     pgoff_t *first, pgoff_t last)
{
	struct cleancache_chunk *chunk;
	unsigned long begin, end, bit;
	unsigned int nr = 0;

	spin_lock(&object->lock);
	while ((chunk = chunk_next(object, *first)) && chunk->first <= last) {
		begin = max(*first, chunk->first) - chunk->first;
		end = min(last - chunk->first, CLEANCACHE_CHUNK_PAGES - 1) + 1;
		bit = find_next_bit(chunk->held, end, begin);
		if (bit < end) {
			*first = chunk->first + bit;
			nr = find_next_zero_bit(chunk->held, end, bit) - bit;
			chunk_clear(chunk, *first, nr);
			break;
		}
		*first = chunk->first + CLEANCACHE_CHUNK_PAGES;
	}
	spin_unlock(&object->lock);
	return nr;
}

/**
 * cleancache_forget - remove a range of pages from the store
 * @object: The file.
 * @first: Index of the first page.
 * @last: Index of the last page.
 *
 * Context: Process, inside cleancache_srcu. Does not sleep.
 */
void cleancache_forget(struct cleancache_object *object, pgoff_t first,
		       pgoff_t last)
{
	unsigned int nr;

	while (first <= last &&
	       (nr = object_clear_run(object, &first, last))) {
		cleancache_tell(object, first, nr);
		first += nr;
	}
}

static struct cleancache_chunk *object_take_chunk(struct cleancache_object *object)
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
 * cleancache_object_kill - forget a file
 * @object: The file. Cannot be found afterwards.
 * @tell: Tell the backend; false if it forgets the whole pool.
 *
 * Context: Process, inside cleancache_srcu if @tell. Does not sleep.
 */
void cleancache_object_kill(struct cleancache_object *object, bool tell)
{
	struct cleancache_mount *mount = object->mount;
	struct cleancache_chunk *chunk;
	bool dead;

	spin_lock(&object->lock);
	dead = object->dead;
	object->dead = true;
	spin_unlock(&object->lock);

	/*
	 * Whoever comes second does this too: when he frees the inode, another
	 * may get its address, and its object must be the only one there.
	 */
	rhashtable_remove_fast(&object_table, &object->hash, object_params);
	if (dead)
		return;

	while ((chunk = object_take_chunk(object)))
		chunk_free(chunk);
	if (tell)
		cleancache_tell_all(object);
	spin_lock(&mount->lock);
	list_del_init(&object->node);
	spin_unlock(&mount->lock);
	atomic_long_dec(&mount->nr_objects);
	cleancache_object_put(object);
}

/**
 * cleancache_mount_kill_objects - forget all files of a mount
 * @mount: The mount, for which no put is running. The backend is not told.
 *
 * Context: May sleep.
 */
void cleancache_mount_kill_objects(struct cleancache_mount *mount)
{
	struct cleancache_object *object;

	for (;;) {
		spin_lock(&mount->lock);
		object = list_first_entry_or_null(&mount->objects,
						  struct cleancache_object,
						  node);
		if (object)
			refcount_inc(&object->ref);
		spin_unlock(&mount->lock);
		if (!object)
			break;
		cleancache_object_kill(object, /*tell=*/false);
		cleancache_object_put(object);
		cond_resched();
	}
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
 * cleancache_metadata_bytes - memory that remembers what the store may hold
 *
 * Context: Any.
 * Return: Bytes in objects and chunks.
 */
size_t cleancache_metadata_bytes(void)
{
	return atomic_long_read(&nr_objects) * kmem_cache_size(object_cachep) +
	       atomic_long_read(&nr_chunks) * kmem_cache_size(chunk_cachep);
}

static int __init cleancache_object_init(void)
{
	struct shrinker *shrinker;
	int ret;

	object_cachep = KMEM_CACHE(cleancache_object, SLAB_PANIC |
				   SLAB_RECLAIM_ACCOUNT);
	chunk_cachep = KMEM_CACHE(cleancache_chunk, SLAB_PANIC |
				  SLAB_RECLAIM_ACCOUNT);
	ret = rhashtable_init(&object_table, &object_params);
	if (ret)
		return ret;
	ret = list_lru_init(&chunk_lru);
	if (ret)
		goto destroy_table;
	ret = -ENOMEM;
	shrinker = shrinker_alloc(SHRINKER_NUMA_AWARE, "mm-cleancache");
	if (!shrinker)
		goto destroy_lru;
	shrinker->count_objects = chunk_count;
	shrinker->scan_objects = chunk_scan;
	shrinker_register(shrinker);
	cleancache_ready = true;
	return 0;

destroy_lru:
	list_lru_destroy(&chunk_lru);
destroy_table:
	rhashtable_destroy(&object_table);
	return ret;
}
core_initcall(cleancache_object_init);

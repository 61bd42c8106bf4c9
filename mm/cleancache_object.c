// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files of which the store may hold pages: an object for each, found by its
 * mapping. cleancache_pages.c knows which pages.
 *
 * Objects live as long as their inode is in memory.
 */
#include <linux/init.h>
#include <linux/pagemap.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>

#include "cleancache.h"

static const struct rhashtable_params object_params = {
	.key_len = sizeof_field(struct cleancache_object, mapping),
	.key_offset = offsetof(struct cleancache_object, mapping),
	.head_offset = offsetof(struct cleancache_object, hash),
	.automatic_shrinking = true,
};

/* There was memory at boot for what follows. */
bool cleancache_ready __ro_after_init;

static struct rhashtable object_table;
static struct kmem_cache *object_cachep;
static atomic_long_t nr_objects;
static atomic64_t last_id;

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

/**
 * cleancache_shared_id - what all who share a pool know a file by
 * @inode: The file.
 * @id: Set to it.
 *
 * Return: false if there is none, since the inode's number has more than 32 bits.
 */
bool cleancache_shared_id(const struct inode *inode, u64 *id)
{
	*id = (u64)inode->i_generation << 32 | (u32)inode->i_ino;
	return inode->i_ino <= U32_MAX;
}

static struct cleancache_object *object_alloc(struct address_space *mapping,
					      struct cleancache_mount *mount)
{
	struct cleancache_object *object;

	object = kmem_cache_zalloc(object_cachep, CLEANCACHE_GFP);
	if (!object)
		return NULL;
	object->shared = test_bit(CLEANCACHE_MOUNT_SHARED, &mount->state);
	if (!object->shared) {
		object->id = atomic64_inc_return(&last_id);
	} else if (!cleancache_shared_id(mapping->host, &object->id)) {
		kmem_cache_free(object_cachep, object);
		return NULL;
	}
	object->mapping = mapping;
	object->mount = mount;
	object->pool = mount->pool;
	refcount_set(&object->ref, 2);
	spin_lock_init(&object->lock);
	object->chunks = RB_ROOT;
	cleancache_sums_init(object);
	kobject_get(&mount->kobj);
	atomic_long_inc(&nr_objects);
	atomic_long_inc(&mount->nr_objects);
	spin_lock(&mount->lock);
	list_add(&object->node, &mount->objects);
	spin_unlock(&mount->lock);
	return object;
}

/* The mount has it no longer. */
static void object_unlist(struct cleancache_object *object)
{
	struct cleancache_mount *mount = object->mount;

	spin_lock(&mount->lock);
	list_del(&object->node);
	spin_unlock(&mount->lock);
	atomic_long_dec(&mount->nr_objects);
	cleancache_object_put(object);
}

/**
 * cleancache_object_make - find the object of a file, or make it
 * @mapping: The file.
 * @mount: Its filesystem, which is served.
 *
 * Context: Process, inside cleancache_srcu; a folio of the file is locked in the
 * page cache. Does not sleep.
 * Return: As cleancache_object_find(); NULL if there is no memory, or no id.
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

	/*
	 * Before the folio leaves the page cache, see cleancache_may_hold().
	 * Whoever finds the object may kill it at once, so it is complete.
	 */
	set_bit(AS_CLEANCACHE, &mapping->flags);
	rcu_read_lock();
	other = rhashtable_lookup_get_insert_fast(&object_table, &object->hash,
						  object_params);
	if (IS_ERR(other) ||
	    (other && !refcount_inc_not_zero(&other->ref)))
		other = ERR_PTR(-ENOMEM);
	rcu_read_unlock();
	if (other) {
		object_unlist(object);
		cleancache_object_put(object);
		return IS_ERR(other) ? NULL : other;
	}
	return object;
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

	cleancache_pages_drop(object);
	if (tell)
		cleancache_tell_all(object);
	object_unlist(object);
}

/**
 * cleancache_mount_kill_objects - forget all files of a mount
 * @mount: The mount, for which no put is running. The backend is not told, unless the
 *	pool is shared and stays.
 *
 * Context: May sleep.
 */
void cleancache_mount_kill_objects(struct cleancache_mount *mount)
{
	struct cleancache_object *object;
	int idx;

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
		idx = srcu_read_lock(&cleancache_srcu);
		cleancache_object_kill(object, /*tell=*/object->shared);
		srcu_read_unlock(&cleancache_srcu, idx);
		cleancache_object_put(object);
		cond_resched();
	}
}

/**
 * cleancache_metadata_bytes - memory that remembers what the store may hold
 *
 * Context: Any.
 * Return: Bytes in objects and in what is known of their pages.
 */
size_t cleancache_metadata_bytes(void)
{
	return atomic_long_read(&nr_objects) * kmem_cache_size(object_cachep) +
	       cleancache_pages_bytes();
}

static int __init cleancache_object_init(void)
{
	int ret;

	object_cachep = KMEM_CACHE(cleancache_object, SLAB_PANIC |
				   SLAB_RECLAIM_ACCOUNT);
	ret = rhashtable_init(&object_table, &object_params);
	if (ret)
		return ret;
	ret = cleancache_pages_init();
	if (ret)
		rhashtable_destroy(&object_table);
	cleancache_ready = !ret;
	return ret;
}
core_initcall(cleancache_object_init);

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pages of an object: a radix tree that is as high as the largest index
 * needs, and no tree at all for the only page of an object.
 *
 * A node at level n covers indexes that are the same above their lowest n digits
 * of TMEM_NODE_BITS; leaves are at level 1. All functions are called under the lock
 * of the object's stripe.
 */
#include "internal.h"

/* What the indexes below a node at @level have in common */
static inline u64 tmem_prefix(u64 index, unsigned int level)
{
	return level >= TMEM_MAX_HEIGHT ? 0 : index >> level * TMEM_NODE_BITS;
}

static inline unsigned int tmem_offset(u64 index, unsigned int level)
{
	return tmem_prefix(index, level - 1) & (TMEM_NODE_SLOTS - 1);
}

static unsigned int tmem_height(u64 index)
{
	unsigned int height = 1;

	while (tmem_prefix(index, height))
		height++;
	return height;
}

static inline struct tmem_node *tmem_child(struct tmem_node *node,
					   unsigned int offset)
{
	return (struct tmem_node *)node->slot[offset];
}

/**
 * tmem_tree_find - look a page up
 * @object: The object.
 * @index: Of the page.
 * @leaf: Set to the node it is in or would be in, or to NULL if there is none.
 *
 * Return: its slot, which is not 0, or NULL.
 */
unsigned long *tmem_tree_find(struct tmem_object *object, u64 index,
			      struct tmem_node **leaf)
{
	unsigned int shift = object->height * TMEM_NODE_BITS;
	struct tmem_node *node = object->root;
	unsigned long *slot;

	*leaf = NULL;
	if (!shift)
		return object->single && object->index == index ?
			&object->single : NULL;
	if (tmem_prefix(index, object->height))
		return NULL;
	while (shift -= TMEM_NODE_BITS) {
		node = tmem_child(node, index >> shift & (TMEM_NODE_SLOTS - 1));
		if (!node)
			return NULL;
	}
	*leaf = node;
	slot = &node->slot[tmem_offset(index, 1)];
	return *slot ? slot : NULL;
}

/*
 * The first page at or behind @index. Returns 0, or the level at which there is
 * nothing any more in the node that @index belongs to.
 */
static unsigned int tmem_node_next(struct tmem_object *object, u64 *index)
{
	struct tmem_node *node = object->root;
	unsigned int level, offset;

	for (level = object->height; level; level--) {
		unsigned int shift = (level - 1) * TMEM_NODE_BITS;

		for (offset = tmem_offset(*index, level);
		     offset < TMEM_NODE_SLOTS && !node->slot[offset]; offset++)
			;
		if (offset == TMEM_NODE_SLOTS)
			return level;
		if (offset != tmem_offset(*index, level))
			*index = (tmem_prefix(*index, level) << TMEM_NODE_BITS |
				  offset) << shift;
		node = tmem_child(node, offset);
	}
	return 0;
}

/**
 * tmem_tree_next - find a page
 * @object: The object.
 * @index: Where to begin; set to the index of the page.
 *
 * Return: true if there is one at or behind @index.
 */
bool tmem_tree_next(struct tmem_object *object, u64 *index)
{
	u64 next = *index;
	unsigned int level;

	if (!object->height) {
		if (!object->single || object->index < next)
			return false;
		*index = object->index;
		return true;
	}
	if (tmem_prefix(next, object->height))
		return false;
	while ((level = tmem_node_next(object, &next))) {
		next = tmem_prefix(next, level) + 1;
		if (level == object->height ||
		    tmem_prefix(next, object->height - level))
			return false;
		next <<= level * TMEM_NODE_BITS;
	}
	*index = next;
	return true;
}

/**
 * tmem_tree_needs - how many nodes an insertion needs
 * @object: The object.
 * @index: Of the page, which is not there.
 *
 * Return: their number.
 */
unsigned int tmem_tree_needs(struct tmem_object *object, u64 index)
{
	unsigned int height = tmem_height(index), level, needs;
	struct tmem_node *node = object->root;

	if (!object->pages)
		return 0;
	if (!object->height) {
		if (height < tmem_height(object->index))
			height = tmem_height(object->index);
		needs = height;
		for (level = 1; level < height; level++)
			needs += tmem_prefix(index, level) !=
				tmem_prefix(object->index, level);
		return needs;
	}
	/* On top, and then a branch that is new except for the top. */
	if (height > object->height)
		return height - object->height + height - 1;
	for (level = object->height; level > 1; level--) {
		node = tmem_child(node, tmem_offset(index, level));
		if (!node)
			return level - 1;
	}
	return 0;
}

static struct tmem_node *tmem_node_new(struct tmem_object *object,
				       struct tmem_reserve *reserve)
{
	struct tmem_node *node = reserve->nodes;

	reserve->nodes = tmem_child(node, 0);
	reserve->nr_nodes--;
	node->slot[0] = 0;
	node->object = object;
	return node;
}

static void tmem_node_link(struct tmem_node *parent, unsigned int offset,
			   struct tmem_node *node)
{
	parent->slot[offset] = (unsigned long)node;
	parent->count++;
	node->parent = parent;
	node->offset = offset;
}

static void tmem_tree_grow(struct tmem_object *object, unsigned int height,
			   struct tmem_reserve *reserve)
{
	while (object->height < height) {
		struct tmem_node *node = tmem_node_new(object, reserve);

		tmem_node_link(node, 0, object->root);
		object->root = node;
		object->height++;
	}
}

/* The leaf for @index, in a tree that is high enough. */
static struct tmem_node *tmem_tree_leaf(struct tmem_object *object, u64 index,
					struct tmem_reserve *reserve)
{
	struct tmem_node *node = object->root, *child;
	unsigned int level;

	for (level = object->height; level > 1; level--) {
		unsigned int offset = tmem_offset(index, level);

		child = tmem_child(node, offset);
		if (!child) {
			child = tmem_node_new(object, reserve);
			tmem_node_link(node, offset, child);
		}
		node = child;
	}
	return node;
}

/* The only page goes to a tree. */
static void tmem_tree_plant(struct tmem_object *object, unsigned int height,
			    struct tmem_reserve *reserve)
{
	unsigned int offset = tmem_offset(object->index, 1);
	unsigned long page = object->single;
	struct tmem_node *leaf;

	if (height < tmem_height(object->index))
		height = tmem_height(object->index);
	object->root = tmem_node_new(object, reserve);
	object->height = height;
	leaf = tmem_tree_leaf(object, object->index, reserve);
	leaf->slot[offset] = page;
	leaf->count++;
	if (!tmem_is_persistent(object->pool)) {
		((struct tmem_page *)page)->leaf = leaf;
		((struct tmem_page *)page)->offset = offset;
	}
}

/**
 * tmem_tree_insert - make room for a page
 * @object: The object.
 * @index: Of the page, which is not there.
 * @leaf: What tmem_tree_find() said; set to the node it is in, or to NULL if there
 *	is no tree.
 * @reserve: Has as many nodes as tmem_tree_needs(), if @leaf was NULL.
 *
 * Return: its slot; the caller puts the page there.
 */
unsigned long *tmem_tree_insert(struct tmem_object *object, u64 index,
				struct tmem_node **leaf,
				struct tmem_reserve *reserve)
{
	unsigned int height;

	if (!object->pages++) {
		object->index = index;
		return &object->single;
	}
	if (!*leaf) {
		height = tmem_height(index);
		if (!object->height)
			tmem_tree_plant(object, height, reserve);
		else if (object->height < height)
			tmem_tree_grow(object, height, reserve);
		*leaf = tmem_tree_leaf(object, index, reserve);
	}
	(*leaf)->count++;
	return &(*leaf)->slot[tmem_offset(index, 1)];
}

/**
 * tmem_tree_remove - empty a slot
 * @object: The object.
 * @slot: The slot.
 * @leaf: The node it is in, or NULL if there is no tree.
 * @trash: For nodes that are empty then.
 */
void tmem_tree_remove(struct tmem_object *object, unsigned long *slot,
		      struct tmem_node *leaf, struct tmem_trash *trash)
{
	*slot = 0;
	object->pages--;
	while (leaf && !--leaf->count) {
		struct tmem_node *parent = leaf->parent;

		if (parent) {
			parent->slot[leaf->offset] = 0;
		} else {
			object->root = NULL;
			object->height = 0;
		}
		leaf->slot[0] = (unsigned long)trash->nodes;
		trash->nodes = leaf;
		leaf = parent;
	}
}

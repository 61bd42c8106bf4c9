/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of zcache's half behind frontswap share: anon.c stores pages and
 * loads them, anon_room.c sees to it that there is room.
 */
#ifndef _MM_ZCACHE_ANON_H
#define _MM_ZCACHE_ANON_H

#include <linux/list.h>
#include <linux/list_lru.h>
#include <linux/llist.h>
#include <linux/memcontrol.h>
#include <linux/swap.h>
#include <linux/zsmalloc.h>

/**
 * struct anon_page - a page in the store
 * @lru: In the list of its cgroup and node; not if it is the same word all over,
 *	since nothing is gained when such a page goes.
 * @dead: In the list of those to be freed, and still in @lru.
 * @handle: zsmalloc's, if @bytes is not 0.
 * @word: What the page is filled with, if it is.
 * @slot: Where it belongs.
 * @objcg: Who is charged, or NULL.
 * @stored: When it was, in jiffies, or looked at last.
 * @bytes: Size of the payload.
 * @node: Of the list.
 * @codec: What made it.
 * @referenced: Read since it was last looked at: it may stay once more.
 */
struct anon_page {
	struct list_head lru;
	struct llist_node dead;
	union {
		unsigned long handle;
		unsigned long word;
	};
	swp_entry_t	slot;
	struct obj_cgroup *objcg;
	u32		stored;
	u32		bytes;
	u16		node;
	u8		codec;
	bool		referenced;
};

extern struct zs_pool *anon_zs;
extern struct list_lru anon_lru;

void anon_lru_add(struct anon_page *anon);
void anon_lru_del(struct anon_page *anon);

bool anon_has_room(struct mem_cgroup *memcg);
int anon_room_init(void);
void anon_room_stop(void);
void anon_room_exit(void);

#endif /* _MM_ZCACHE_ANON_H */

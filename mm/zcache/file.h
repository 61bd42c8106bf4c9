/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of zcache's half behind cleancache share: file.c puts pages and
 * gets them, file_group.c has the memory for them.
 */
#ifndef _MM_ZCACHE_FILE_H
#define _MM_ZCACHE_FILE_H

#include <linux/list.h>
#include <linux/memcontrol.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>

#include "bin.h"

/**
 * struct clean_group - the bins of a memory cgroup
 * @bins: Its bins.
 * @objcg: The cgroup, or its parent when it is gone; NULL for the root.
 * @users: Who is about to add something, and one more while it can be found.
 * @hash: In the table by which it is found.
 * @all: In the list of all groups.
 * @lru: In the list of the groups of its cgroup.
 * @rcu: For its end.
 */
struct clean_group {
	struct zcache_bins *bins;
	struct obj_cgroup *objcg;
	refcount_t	users;
	struct hlist_node hash;
	struct list_head all;
	struct list_head lru;
	struct rcu_head	rcu;
};

struct clean_group *clean_group_get(struct obj_cgroup *objcg);
void clean_group_put(struct clean_group *group);

unsigned long clean_frames(void);
unsigned long clean_evict(unsigned long frames);

int clean_groups_init(const struct zcache_bin_ops *ops);
void clean_groups_stop(void);
void clean_groups_exit(void);

/* For struct zcache_bin_ops */
void *clean_get_frame(void *owner);
void clean_put_frame(void *owner, void *frame);

#endif /* _MM_ZCACHE_FILE_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What pool.c and shared.c have of each other: how clients get and lose pools.
 */
#ifndef _TMEM_POOL_H
#define _TMEM_POOL_H

#include "internal.h"

/**
 * enum tmem_end - how a client and its pool part
 * @TMEM_END_LEAVE: The client wants it.
 * @TMEM_END_TAKE: Others do, and it may not know.
 * @TMEM_END_KEEP_ID: The same, and nothing else gets the id until it knows.
 */
enum tmem_end { TMEM_END_LEAVE, TMEM_END_TAKE, TMEM_END_KEEP_ID };

/* pool.c */
size_t tmem_pool_size(const struct tmem_engine *engine);
unsigned long tmem_take_key(struct tmem_engine *engine);
int tmem_pool_publish(struct tmem_client *client, struct tmem_pool *pool);
int tmem_pool_clear_all(struct tmem_engine *engine, struct tmem_pool *pool);
void tmem_pool_sum(struct tmem_engine *engine, struct tmem_pool *pool,
		   struct tmem_stats *sum);
int tmem_pool_end(struct tmem_client *client, u32 id, enum tmem_end how);

/* shared.c */
int tmem_shared_join(struct tmem_client *client, struct tmem_pool *pool);
int tmem_shared_leave(struct tmem_pool_slot *slot, struct tmem_pool *pool,
		      enum tmem_end how);
void tmem_shared_put(struct tmem_engine *engine, struct tmem_pool *pool);

#endif /* _TMEM_POOL_H */

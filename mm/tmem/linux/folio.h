/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Folios in pools of the tmem engine: what a backend of frontswap or cleancache
 * whose pages the engine keeps has to do for each operation. The pages that go to
 * its struct tmem_payload_ops are of struct page.
 */
#ifndef _TMEM_FOLIO_H
#define _TMEM_FOLIO_H

#include <linux/mm_types.h>
#include "../engine.h"

int tmem_folio_engine_create(const struct tmem_payload_ops *ops, u32 max_pools,
			     struct tmem_engine **engine,
			     struct tmem_client **client);
void tmem_folio_engine_destroy(struct tmem_engine *engine,
			       struct tmem_client *client);
int tmem_folio_new_pool(struct tmem_client *client, u32 flags);
void tmem_folio_destroy_pool(struct tmem_client *client, u32 pool);

/* For frontswap: a pool is a swap area */
int tmem_swap_store(struct tmem_client *client, u32 pool, pgoff_t offset,
		    struct folio *folio);
int tmem_swap_load(struct tmem_client *client, u32 pool, pgoff_t offset,
		   struct folio *folio, bool exclusive);
unsigned int tmem_swap_invalidate(struct tmem_client *client, u32 pool,
				  pgoff_t offset, unsigned int nr);

/* For cleancache: a pool is a filesystem, an object is a file */
unsigned int tmem_file_put(struct tmem_client *client, u32 pool, u64 object,
			   pgoff_t index, struct folio *folio, unsigned int nr,
			   unsigned long *held);
int tmem_file_get(struct tmem_client *client, u32 pool, u64 object,
		  pgoff_t index, struct folio *folio, unsigned int nr,
		  bool exclusive);
unsigned int tmem_file_invalidate(struct tmem_client *client, u32 pool,
				  u64 object, pgoff_t index, unsigned int nr);
void tmem_file_invalidate_inode(struct tmem_client *client, u32 pool,
				u64 object);

#endif /* _TMEM_FOLIO_H */

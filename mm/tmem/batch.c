// SPDX-License-Identifier: GPL-2.0-only
/*
 * Batches: what hosts offer together.
 */
#include "internal.h"

/**
 * tmem_put_batch - put several pages
 * @client: Who puts them.
 * @io: The pages; each gets its status.
 * @n: How many.
 *
 * Context: As tmem_put().
 */
void tmem_put_batch(struct tmem_client *client, struct tmem_io *io,
		    unsigned int n)
{
	for (; n; n--, io++)
		io->status = tmem_put(client, &io->handle, io->page);
}

/**
 * tmem_get_batch - get several pages
 * @client: Who wants them.
 * @io: The pages; each gets its status.
 * @n: How many.
 * @flags: As for tmem_get().
 *
 * Context: As tmem_get().
 */
void tmem_get_batch(struct tmem_client *client, struct tmem_io *io,
		    unsigned int n, unsigned int flags)
{
	for (; n; n--, io++)
		io->status = tmem_get(client, &io->handle, io->page, flags);
}

/**
 * tmem_flush_batch - flush several pages
 * @client: Whose they are.
 * @io: The pages; each gets its status.
 * @n: How many.
 *
 * Context: As tmem_flush_page().
 */
void tmem_flush_batch(struct tmem_client *client, struct tmem_io *io,
		      unsigned int n)
{
	for (; n; n--, io++)
		io->status = tmem_flush_page(client, &io->handle);
}

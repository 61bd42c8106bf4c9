// SPDX-License-Identifier: GPL-2.0-only
/*
 * How many pages a client has. If each put and flush wrote to the client's count,
 * processors would do little but pass it on to each other. So each stripe counts some
 * pages ahead, as long as it has any: the client's counts are never too small, and
 * limits are kept. They may be too large by 30 pages for each stripe.
 *
 * Where that would matter, with few stripes or a small limit, nothing is counted
 * ahead.
 */
#include "internal.h"

/* Pages that a stripe counts ahead at once */
#define TMEM_AHEAD		16
/* With fewer stripes, log2, processors meet at their locks anyway. */
#define TMEM_AHEAD_BITS		4
/* A limit is not small if it is so many pages for each stripe. */
#define TMEM_AHEAD_LIMIT	1024

static unsigned int tmem_ahead(const struct tmem_client *client, bool persistent)
{
	unsigned int bits = client->engine->config.stripe_bits;

	if (bits < TMEM_AHEAD_BITS)
		return 1;
	if (persistent && tmh_read(&client->persistent_limit) >> bits <
	    TMEM_AHEAD_LIMIT)
		return 1;
	return TMEM_AHEAD;
}

static struct tmh_ulong *tmem_counter(struct tmem_client *client,
				      bool persistent)
{
	return persistent ? &client->persistent : &client->ephemeral;
}

/**
 * tmem_count_full - has a client reached its limit?
 * @client: The client.
 * @stripe: Where it wants to add a persistent page.
 *
 * Context: The stripe's lock is held.
 * Return: true if it has.
 */
bool tmem_count_full(struct tmem_client *client, u32 stripe)
{
	return !client->stripes[stripe].ahead[true] &&
		tmh_read(&client->persistent) >=
		tmh_read(&client->persistent_limit);
}

/**
 * tmem_count_more - count one page, and others ahead
 * @client: Whose it will be.
 * @stripe: Where nothing is counted ahead.
 * @persistent: Its kind.
 *
 * Context: The stripe's lock is held.
 * Return: true; false if it is persistent and would be above the client's limit.
 */
bool tmem_count_more(struct tmem_client *client, u32 stripe, bool persistent)
{
	struct tmem_client_stripe *part = &client->stripes[stripe];
	unsigned int n = tmem_ahead(client, persistent);

	if (!persistent) {
		tmh_add_return(&client->ephemeral, n);
	} else if (!tmem_charge(&client->persistent,
				&client->persistent_limit, n)) {
		if (n == 1 || !tmem_charge(&client->persistent,
					   &client->persistent_limit, 1))
			return false;
		n = 1;
	}
	part->ahead[persistent] = n - 1;
	return true;
}

static void tmem_count_return(struct tmem_client *client, u32 stripe,
			      bool persistent, unsigned int n)
{
	client->stripes[stripe].ahead[persistent] -= n;
	tmh_add_return(tmem_counter(client, persistent), -(unsigned long)n);
}

/**
 * tmem_count_sub - a page was removed
 * @client: Whose it was.
 * @stripe: Where.
 * @persistent: Its kind.
 *
 * Context: The stripe's lock is held.
 */
void tmem_count_sub(struct tmem_client *client, u32 stripe, bool persistent)
{
	struct tmem_client_stripe *part = &client->stripes[stripe];
	unsigned int n = tmem_ahead(client, persistent);

	part->ahead[persistent]++;
	tmem_count_held(part, persistent, -1);
	if (!tmh_read(&part->held[persistent]) || n == 1)
		n = part->ahead[persistent];
	else if (part->ahead[persistent] <= 2 * (n - 1))
		return;
	tmem_count_return(client, stripe, persistent, n);
}

/**
 * tmem_count_settle - nothing is counted ahead for a moment
 * @client: The client, whose limit has changed.
 *
 * Context: No lock of the engine.
 */
void tmem_count_settle(struct tmem_client *client)
{
	struct tmem_engine *engine = client->engine;
	u32 i;

	for (i = 0; i < tmem_nr_stripes(engine); i++) {
		unsigned long flags = tmh_lock(&engine->stripes[i].lock);

		tmem_count_return(client, i, true,
				  client->stripes[i].ahead[true]);
		tmh_unlock(&engine->stripes[i].lock, flags);
	}
}

/**
 * tmem_count_pages - count the pages of a client
 * @client: The client.
 * @persistent: Of which kind.
 *
 * None of those counted ahead. Pages may come and go meanwhile.
 *
 * Context: Any.
 * Return: how many there are.
 */
unsigned long tmem_count_pages(struct tmem_client *client, bool persistent)
{
	unsigned long sum = 0;
	u32 i;

	for (i = 0; i < tmem_nr_stripes(client->engine); i++)
		sum += tmh_read(&client->stripes[i].held[persistent]);
	return sum;
}

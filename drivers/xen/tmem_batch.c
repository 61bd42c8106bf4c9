// SPDX-License-Identifier: GPL-2.0-only
/*
 * Several page operations in one hypercall: a batch where the hypervisor has that,
 * a multicall for PV guests, and otherwise one call each.
 *
 * Each CPU has memory for one batch. It is used by tasks only, one at a time, so
 * interrupts stay on: xen_tmem_flush_pages() flushes what comes from there.
 */
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/percpu.h>

#include <asm/xen/hypercall.h>
#include <xen/page.h>

#include "tmem.h"

/* Not answered; no answer of the hypervisor */
#define TMEM_NO_STATUS	0x7fffffff

static struct tmem_batch __percpu *tmem_batches;

/**
 * xen_tmem_batch_init - get memory for batches
 *
 * Context: May sleep.
 * Return: 0 or -ENOMEM.
 */
int xen_tmem_batch_init(void)
{
	int cpu;

	tmem_batches = alloc_percpu(struct tmem_batch);
	if (!tmem_batches)
		return -ENOMEM;
	for_each_possible_cpu(cpu)
		local_lock_init(&per_cpu_ptr(tmem_batches, cpu)->lock);
	return 0;
}

/**
 * xen_tmem_batch_exit - free the memory for batches
 *
 * Context: May sleep.
 */
void xen_tmem_batch_exit(void)
{
	free_percpu(tmem_batches);
	tmem_batches = NULL;
}

/**
 * xen_tmem_batch_get - begin a batch
 *
 * Context: Process. Must be followed by xen_tmem_batch_put() without sleeping.
 * Return: The batch, empty.
 */
struct tmem_batch *xen_tmem_batch_get(void)
{
	struct tmem_batch *batch;

	local_lock(&tmem_batches->lock);
	batch = this_cpu_ptr(tmem_batches);
	batch->nr = 0;
	return batch;
}

/**
 * xen_tmem_batch_put - end a batch
 *
 * Context: Process.
 */
void xen_tmem_batch_put(void)
{
	local_unlock(&tmem_batches->lock);
}

/**
 * xen_tmem_batch_add - add an operation
 * @batch: Has less than TMEM_BATCH_ENTRIES.
 * @cmd: TMEM_PUT_PAGE or TMEM_GET_PAGE, the same for all of them.
 * @pool: The hypervisor's id of the pool.
 * @oid: The object.
 * @index: The page's place there.
 * @page: The page.
 *
 * Context: Process.
 */
void xen_tmem_batch_add(struct tmem_batch *batch, unsigned int cmd, int pool,
			const struct tmem_oid *oid, u32 index,
			struct page *page)
{
	struct tmem_batch_entry *entry = &batch->entry[batch->nr++];

	entry->cmd = cmd;
	entry->status = TMEM_NO_STATUS;
	entry->pool_id = pool;
	entry->index = index;
	memcpy(entry->oid, oid->id, sizeof(entry->oid));
	entry->gmfn = pfn_to_gfn(page_to_pfn(page));
}

static void tmem_count_call(struct tmem_batch *batch)
{
	tmem_count(TMEM_HYPERCALLS, 1);
	tmem_count(batch->entry[0].cmd == TMEM_PUT_PAGE ? TMEM_PUT_CALLS :
							  TMEM_GET_CALLS, 1);
	if (batch->nr > 1) {
		tmem_count(TMEM_BATCHES, 1);
		tmem_count(TMEM_BATCHED, batch->nr);
	}
}

/* What was done before a batch failed as a whole is not known. */
static void tmem_run_batch(struct tmem_batch *batch)
{
	struct tmem_op *op = &batch->op[0];
	unsigned int i;

	*op = (struct tmem_op) {
		.cmd = TMEM_BATCH,
		.pool_id = TMEM_NO_POOL,
		.u.batch.nr = batch->nr,
		.u.batch.entries = (unsigned long)batch->entry,
	};
	tmem_count_call(batch);
	if (!xen_tmem_hypercall(op))
		return;
	for (i = 0; i < batch->nr; i++)
		batch->entry[i].status = TMEM_NO_STATUS;
}

static void tmem_fill_op(struct tmem_op *op, const struct tmem_batch_entry *entry)
{
	*op = (struct tmem_op) {
		.cmd = entry->cmd,
		.pool_id = entry->pool_id,
		.u.gen.index = entry->index,
		.u.gen.gmfn = entry->gmfn,
	};
	memcpy(op->u.gen.oid, entry->oid, sizeof(op->u.gen.oid));
}

static void tmem_run_multicall(struct tmem_batch *batch)
{
	unsigned int i;
	int err;

	for (i = 0; i < batch->nr; i++) {
		tmem_fill_op(&batch->op[i], &batch->entry[i]);
		batch->call[i] = (struct multicall_entry) {
			.op = __HYPERVISOR_tmem_op,
			.result = TMEM_NO_STATUS,
			.args[0] = (unsigned long)&batch->op[i],
		};
	}
	tmem_count_call(batch);
	err = xen_tmem_multicall(batch->call, batch->nr);
	for (i = 0; !err && i < batch->nr; i++)
		batch->entry[i].status = batch->call[i].result;
}

static void tmem_run_singles(struct tmem_batch *batch)
{
	unsigned int i, nr = batch->nr;

	batch->nr = 1;
	for (i = 0; i < nr; i++) {
		tmem_fill_op(&batch->op[0], &batch->entry[i]);
		tmem_count_call(batch);
		batch->entry[i].status = xen_tmem_hypercall(&batch->op[0]);
	}
	batch->nr = nr;
}

/**
 * xen_tmem_batch_run - do the operations of a batch
 * @batch: The batch, not empty. Afterwards the status of each is 0 or a negative
 *	error code, see xen_tmem_errno(); -EIO if it is not known what was done.
 *
 * Context: Process, between xen_tmem_batch_get() and xen_tmem_batch_put().
 * Return: The first error, or 0 if all were done.
 */
int xen_tmem_batch_run(struct tmem_batch *batch)
{
	struct tmem_batch_entry *entry;
	int err = 0;

	if (batch->nr > 1 && (xen_tmem_features & TMEM_FEATURE_BATCH))
		tmem_run_batch(batch);
	else if (batch->nr > 1 && xen_tmem_multicalls)
		tmem_run_multicall(batch);
	else
		tmem_run_singles(batch);

	for (entry = batch->entry; entry < batch->entry + batch->nr; entry++) {
		entry->status = xen_tmem_errno(entry->cmd, entry->status);
		err = err ?: entry->status;
	}
	return err;
}

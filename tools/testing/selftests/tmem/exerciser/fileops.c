// SPDX-License-Identifier: GPL-2.0
/* Which operations there are, which of them may be done, and doing one. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "fileload.h"

const struct op ops[] = {
	{ "read", do_read, 20, OP_READS },
	{ "mmapread", do_mmapread, 10, OP_READS },
	{ "directread", do_directread, 6, OP_READS },
	{ "aioread", do_aioread, 4, OP_READS },
	{ "splice", do_splice, 5, OP_READS },
	{ "write", do_write, 16, 0 },
	{ "mmapwrite", do_mmapwrite, 10, 0 },
	{ "directwrite", do_directwrite, 8, 0 },
	{ "aiowrite", do_aiowrite, 5, 0 },
	{ "truncate", do_truncate, 1, OP_ALONE },
	{ "extend", do_extend, 4, OP_ALONE },
	{ "cut", do_cut, 1, OP_ALONE },
	{ "punch", do_punch, 3, 0 },
	{ "zero", do_zero, 3, 0 },
	{ "collapse", do_collapse, 1, OP_ALONE },
	{ "insert", do_insert, 1, OP_ALONE },
	{ "allocate", do_allocate, 2, 0 },
	{ "clone", do_clone, 3, 0 },
	{ "dedupe", do_dedupe, 2, 0 },
	{ "copyrange", do_copyrange, 3, 0 },
	{ "dontneed", do_dontneed, 6, OP_READS },
	{ "fsync", do_fsync, 2, 0 },
	{ "sync_file_range", do_sync_file_range, 3, 0 },
	{ "reclaim", do_reclaim, 3, OP_READS },
	{ "dropcaches", do_dropcaches, 1, OP_READS },
	{ "reopen", do_reopen, 1, OP_READS },
};

const size_t nr_ops = ARRAY_SIZE(ops);
bool chosen[MAX_OPS];

static_assert(ARRAY_SIZE(ops) <= MAX_OPS, "MAX_OPS");

bool usable(const struct op *op)
{
	size_t i = op - ops;

	if ((opt.read_only || shared->broken) && !(op->flags & OP_READS))
		return false;
	return chosen[i] && !shared->refused[i];
}

const struct op *find_op(const char *name)
{
	size_t i;

	for (i = 0; i < nr_ops; i++)
		if (!strcmp(ops[i].name, name))
			return &ops[i];
	return NULL;
}

const struct op *choose_op(void)
{
	unsigned long sum = 0, n;
	size_t i;

	for (i = 0; i < nr_ops; i++)
		if (usable(&ops[i]))
			sum += ops[i].weight;
	if (!sum)
		return NULL;
	n = rnd() % sum;
	for (i = 0; !usable(&ops[i]) || n >= ops[i].weight; i++)
		if (usable(&ops[i]))
			n -= ops[i].weight;
	return &ops[i];
}

static void refuse(const struct op *op)
{
	if (!__atomic_exchange_n(&shared->refused[op - ops], true,
				 __ATOMIC_SEQ_CST))
		printf("# unsupported: %s\n", op->name);
}

/* Also for operations within others, which are told apart in reports. */
void run_op(const struct op *op)
{
	const struct op *outer = me.op;
	size_t i = op - ops;

	me.op = op;
	switch (op->run()) {
	case DONE:
		me.tally->done[i]++;
		__atomic_store_n(&shared->worked[i], true, __ATOMIC_RELAXED);
		break;
	case SKIPPED:
		me.tally->skipped++;
		break;
	case REFUSED:
		refuse(op);
		break;
	}
	me.op = outer;
}

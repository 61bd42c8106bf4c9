// SPDX-License-Identifier: GPL-2.0
/* What all processes have done and found, in the last line of the output */
#include <stdio.h>

#include "fileload.h"

static void print_ops(bool failed, const struct tally *sum)
{
	bool first = true;
	size_t i;

	printf("# fileload: %s seed=%llu done:", failed ? "FAILED" : "passed",
	       opt.seed);
	for (i = 0; i < nr_ops; i++)
		if (sum->done[i])
			printf(" %s=%lu", ops[i].name, sum->done[i]);
	printf(" skipped=%lu collisions=%lu unsupported:", sum->skipped,
	       sum->collisions);
	for (i = 0; i < nr_ops; i++) {
		if (!shared->refused[i])
			continue;
		printf("%s%s", first ? " " : ",", ops[i].name);
		first = false;
	}
	printf("%s", first ? " none" : "");
}

void print_summary(bool failed)
{
	unsigned long checked = 0, wrong = 0;
	struct tally sum = {};
	size_t i, k;

	for (k = 0; k <= opt.processes; k++) {
		for (i = 0; i < nr_ops; i++)
			sum.done[i] += shared->tally[k].done[i];
		for (i = 0; i < NR_VERDICTS; i++)
			sum.seen[i] += shared->tally[k].seen[i];
		sum.skipped += shared->tally[k].skipped;
		sum.collisions += shared->tally[k].collisions;
	}
	for (i = 0; i < NR_VERDICTS; i++) {
		if (i != INCONCLUSIVE)
			checked += sum.seen[i];
		if (i >= STALE)
			wrong += sum.seen[i];
	}
	print_ops(failed, &sum);
	printf(" blocks: checked=%lu overlapped=%lu wrong=%lu inconclusive=%lu\n",
	       checked, sum.seen[OVERLAPPED], wrong, sum.seen[INCONCLUSIVE]);
}

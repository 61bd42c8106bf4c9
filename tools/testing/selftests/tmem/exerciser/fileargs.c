// SPDX-License-Identifier: GPL-2.0
/* The command line of fileload */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fileload.h"

#define MIN_STRIPE	128UL		/* kB, as is readahead */
#define MAX_STRIPE	1048576UL	/* kB */
#define MIN_LENGTH	4UL		/* kB, direct I/O fits in */
#define MAX_LENGTH	16384UL

static noreturn void refuse_to_run(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("fileload: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(2);
}

static unsigned long number(int option, unsigned long min, unsigned long max)
{
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(optarg, &end, 0);
	if (errno || end == optarg || *end || *optarg == '-' || n < min ||
	    n > max)
		refuse_to_run("-%c %s: must be from %lu to %lu", option,
			      optarg, min, max);
	return n;
}

static void choose_ops(char *list, bool yes)
{
	const struct op *op;
	char *name;

	if (yes)
		memset(chosen, 0, sizeof(chosen));
	for (name = strtok(list, ","); name; name = strtok(NULL, ",")) {
		op = find_op(name);
		if (!op)
			refuse_to_run("%s: no such operation, see -l", name);
		chosen[op - ops] = yes;
	}
}

static void list_ops(void)
{
	size_t i;

	for (i = 0; i < nr_ops; i++)
		puts(ops[i].name);
	exit(0);
}

static void show_help(void)
{
	puts("usage: fileload [option]... FILE\n"
	     "  -s SEED       random seed, 0: any (0)\n"
	     "  -n OPS        operations of each process, 0: endless (1000)\n"
	     "  -t SECONDS    time, 0: endless (0); without -n there is no OPS\n"
	     "  -p PROCESSES  (2)\n"
	     "  -z KB         stripe of each process, a power of two (1024)\n"
	     "  -c KB         the longest operation (128)\n"
	     "  -o LIST       only these operations, separated by commas\n"
	     "  -x LIST       all but these\n"
	     "  -l            list the names of operations\n"
	     "  -r PATH       memory.reclaim of a cgroup, for \"reclaim\"\n"
	     "  -D            allow \"dropcaches\"\n"
	     "  -K MODELFILE  save what the file must be, or load it for -R\n"
	     "  -R            read only\n"
	     "  -B            make a block stale on purpose: it must be found\n"
	     "  -v            print each operation");
	exit(0);
}

static void check_options(size_t stripe)
{
	size_t i;

	if (stripe & (stripe - 1))
		refuse_to_run("-z: not a power of two");
	if (opt.max > stripe)
		refuse_to_run("-c: longer than a stripe, see -z");
	if (opt.read_only && !opt.model)
		refuse_to_run("-R: needs -K");
	if (opt.read_only && opt.break_it)
		refuse_to_run("-B: cannot be used with -R");
	chosen[find_op("reclaim") - ops] &= !!opt.reclaim;
	chosen[find_op("dropcaches") - ops] &= opt.drop_caches;
	for (i = 0; i < nr_ops; i++)
		if (chosen[i] && (!opt.read_only || ops[i].flags & OP_READS))
			return;
	refuse_to_run("no operation is left by -o, -x, -r, -D and -R");
}

/* The length of a stripe */
size_t parse_args(int argc, char **argv)
{
	size_t stripe = 1024 * BLOCKS_PER_KB;
	bool has_ops = false;
	int c;

	memset(chosen, 1, sizeof(chosen));
	while ((c = getopt(argc, argv, "s:n:t:p:z:c:o:x:lr:DK:RBvh")) != -1) {
		switch (c) {
		case 's':
			opt.seed = number(c, 0, -1UL);
			break;
		case 'n':
			opt.ops = number(c, 0, -1UL);
			has_ops = true;
			break;
		case 't':
			opt.seconds = number(c, 0, 1UL << 31);
			if (!has_ops)
				opt.ops = 0;
			break;
		case 'p':
			opt.processes = number(c, 1, MAX_PROCESSES);
			break;
		case 'z':
			stripe = number(c, MIN_STRIPE, MAX_STRIPE) *
				 BLOCKS_PER_KB;
			break;
		case 'c':
			opt.max = round_down(number(c, MIN_LENGTH, MAX_LENGTH),
					     MIN_LENGTH) * BLOCKS_PER_KB;
			break;
		case 'o':
		case 'x':
			choose_ops(optarg, c == 'o');
			break;
		case 'l':
			list_ops();
			break;
		case 'r':
			opt.reclaim = optarg;
			break;
		case 'D':
			opt.drop_caches = true;
			break;
		case 'K':
			opt.model = optarg;
			break;
		case 'R':
			opt.read_only = true;
			break;
		case 'B':
			opt.break_it = true;
			break;
		case 'v':
			opt.verbose = true;
			break;
		case 'h':
			show_help();
			break;
		default:
			exit(2);
		}
	}
	if (optind != argc - 1)
		refuse_to_run("needs one FILE");
	opt.file = argv[optind];
	check_options(stripe);
	return stripe;
}

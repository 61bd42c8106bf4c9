// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs the tests of the tmem engine in a program and prints TAP.
 *
 * usage: unit [-s SEED] [-n ROUNDS] [NAME]...
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "test.h"
#include "host.h"
#include "say.h"

static bool is_wanted(const char *name, char **names)
{
	if (!*names)
		return true;
	while (*names && strcmp(*names, name))
		names++;
	return *names;
}

static bool run(const struct tmem_test_case *tested, u64 seed)
{
	struct tmem_test test = { .seed = seed, .say = say };
	unsigned long bytes = host_bytes();

	tested->run(&test);
	TMEM_EXPECT(&test, host_bytes() == bytes);
	if (test.failures)
		printf("# %s: seed %llu\n", tested->name,
		       (unsigned long long)seed);
	return !test.failures;
}

int main(int argc, char **argv)
{
	unsigned long rounds = 1, round;
	const struct tmem_test_case *tested;
	unsigned int number = 0, failed = 0;
	u64 seed = 1;
	int option;

	while ((option = getopt(argc, argv, "s:n:")) != -1) {
		if (option == 's')
			seed = strtoull(optarg, NULL, 0);
		else if (option == 'n')
			rounds = strtoul(optarg, NULL, 0);
		else
			return 2;
	}
	if (!seed) {
		fprintf(stderr, "-s: a number above 0\n");
		return 2;
	}
	printf("TAP version 13\n");
	for (tested = tmem_test_cases; tested->name; tested++) {
		bool good = true;

		if (!is_wanted(tested->name, argv + optind))
			continue;
		for (round = 0; round < rounds && good; round++) {
			host_yield_every = round % 3;
			good = run(tested, seed + round);
		}
		printf("%sok %u %s\n", good ? "" : "not ", ++number,
		       tested->name);
		failed += !good;
	}
	printf("1..%u\n", number);
	return failed ? 1 : 0;
}

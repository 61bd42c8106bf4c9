// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations on a tmem engine that libFuzzer chooses, compared with the model.
 */
#include <stdio.h>
#include <stdlib.h>
#include "test.h"
#include "host.h"

static void say(struct tmem_test *test, const char *what, const char *file,
		int line)
{
	printf("%s:%d: %s\n", file, line, what);
}

/* libFuzzer has another name for it, given by who compiles this. */
int fuzz_one_input(const uint8_t *input, size_t size);

int fuzz_one_input(const uint8_t *input, size_t size)
{
	struct tmem_test test = {
		.seed = 1, .input = input, .left = size, .say = say,
	};

	if (!size)
		return 0;
	host_yield_every = 2;
	tmem_test_model(&test);
	if (test.failures || host_bytes())
		abort();
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs the tests of the tmem engine in the kernel.
 */
#include <kunit/test.h>
#include "../test.h"

static void tmem_kunit_say(struct tmem_test *test, const char *what,
			   const char *file, int line)
{
	struct kunit *kunit = test->host;

	if (test->failures <= 5)
		KUNIT_FAIL(kunit, "%s:%d: %s", file, line, what);
}

static const void *tmem_kunit_next(const void *previous, char *name)
{
	const struct tmem_test_case *tested = previous;

	tested = tested ? tested + 1 : tmem_test_cases;
	if (!tested->name)
		return NULL;
	strscpy(name, tested->name, KUNIT_PARAM_DESC_SIZE);
	return tested;
}

static void tmem_kunit_engine(struct kunit *kunit)
{
	const struct tmem_test_case *tested = kunit->param_value;
	struct tmem_test *test = kunit_kzalloc(kunit, sizeof(*test), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(kunit, test);
	test->seed = 1;
	test->say = tmem_kunit_say;
	test->host = kunit;
	tested->run(test);
}

static struct kunit_case tmem_kunit_cases[] = {
	KUNIT_CASE_PARAM(tmem_kunit_engine, tmem_kunit_next),
	{}
};

static struct kunit_suite tmem_kunit_suite = {
	.name = "tmem_engine",
	.test_cases = tmem_kunit_cases,
};

kunit_test_suite(tmem_kunit_suite);

MODULE_DESCRIPTION("Unit tests of the tmem engine");
MODULE_LICENSE("GPL");

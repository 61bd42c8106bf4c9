// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs the tests of the tmem engine in the kernel.
 */
#include <kunit/test.h>
#include <linux/bits.h>
#include <linux/siphash.h>
#include <linux/string.h>
#include "../internal.h"
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

/* hsiphash() is SipHash-1-3 too, where words have 64 bits. */
static void tmem_kunit_hash(struct kunit *kunit)
{
	const u64 seed[2] = { 0x0123456789abcdef, 0xfedcba9876543210 };
	const hsiphash_key_t hkey = { { (ulong)seed[0], (ulong)seed[1] } };
	const u64 oid[3] = { 0x1111222233334444, 0x5555666677778888, 1 };
	const u64 key = 0x123456789abcde;
	unsigned int words;

	if (BITS_PER_LONG < 64)
		kunit_skip(kunit, "hsiphash() is another function here");
	for (words = 1; words <= 3; words++) {
		u64 name[3] = {};
		__le64 message[4];
		unsigned int i;

		for (i = 0; i < words; i++) {
			name[i] = oid[i];
			message[i] = cpu_to_le64(oid[i]);
		}
		message[words] = cpu_to_le64(key);
		KUNIT_EXPECT_EQ(kunit, (u32)tmem_hash(seed, key, name),
				hsiphash(message, 8 * words + 7, &hkey));
	}
}

static struct kunit_case tmem_kunit_cases[] = {
	KUNIT_CASE(tmem_kunit_hash),
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

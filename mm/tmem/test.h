/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of the tmem engine: what its hosts run in the same way, in a program and
 * as a KUnit suite.
 */
#ifndef _TMEM_TEST_H
#define _TMEM_TEST_H

#include "engine.h"

/**
 * struct tmem_test_store - memory for tests, of a size that can be chosen
 * @capacity: Payloads that there may be.
 * @used: Payloads that there are.
 * @stores: How often the engine wanted one.
 * @fail: Fail when @stores reaches this, with -E2BIG; 0 never.
 * @order: Of the page that was stored last.
 * @wrong: How often a payload was said to be of another size than it is.
 * @charged: Bytes that its owner is charged for.
 * @quota: How many that may be.
 * @plain: All payloads can be overwritten in place.
 * @alone: Nobody may share pools.
 */
struct tmem_test_store {
	struct tmh_ulong	capacity;
	struct tmh_ulong	used;
	struct tmh_ulong	stores;
	struct tmh_ulong	fail;
	struct tmh_ulong	order;
	struct tmh_ulong	wrong;
	struct tmh_ulong	charged;
	struct tmh_ulong	quota;
	bool		plain;
	bool		alone;
};

/**
 * struct tmem_test_page - a page, much smaller than others
 * @word: Its identity, in each word, so that a torn page is seen. An odd one is
 *	kept in a way that cannot be overwritten in place. With TMEM_TEST_UNREADABLE
 *	in the last, only the first half of the page can be read.
 */
struct tmem_test_page {
	u64	word[8];
};

#define TMEM_TEST_UNREADABLE	(~0ull)

/**
 * struct tmem_test - a run of a test
 * @seed: For what is random; never 0.
 * @input: Or, instead of random numbers, bytes that a fuzzer has chosen.
 * @left: How many of them there are.
 * @say: Tells people that something was wrong.
 * @host: Of @say.
 * @failures: How often.
 * @engine: What tmem_test_begin() has made.
 * @store: Its memory.
 */
struct tmem_test {
	u64		seed;
	const u8	*input;
	size_t		left;
	void		(*say)(struct tmem_test *test, const char *what,
			       const char *file, int line);
	void		*host;
	unsigned int	failures;
	struct tmem_engine *engine;
	struct tmem_test_store store;
};

struct tmem_test_case {
	const char	*name;
	void		(*run)(struct tmem_test *test);
};

extern const struct tmem_test_case tmem_test_cases[];

#define TMEM_EXPECT(test, condition) \
	tmem_expect(test, condition, #condition, __FILE__, __LINE__)

static inline bool tmem_expect(struct tmem_test *test, bool true_is_good,
			       const char *what, const char *file, int line)
{
	if (!true_is_good) {
		test->failures++;
		test->say(test, what, file, line);
	}
	return true_is_good;
}

static inline bool tmem_test_is_over(const struct tmem_test *test)
{
	return test->failures || (test->input && !test->left);
}

u64 tmem_test_random(struct tmem_test *test);
void tmem_test_identify(struct tmem_test_page *page, u64 identity);
bool tmem_test_is(const struct tmem_test_page *page, u64 identity);
bool tmem_test_whole(const struct tmem_test_page *page);
bool tmem_test_begin(struct tmem_test *test, unsigned int bucket_bits,
		     unsigned int stripe_bits);
void tmem_test_end(struct tmem_test *test);
struct tmem_client *tmem_test_client(struct tmem_test *test, u32 weight);
void tmem_test_destroy(struct tmem_test *test, struct tmem_client *client);
void tmem_test_model(struct tmem_test *test);

#define TMEM_TEST_EPHEMERAL	(TMEM_VERSION << TMEM_FLAG_VERSION_SHIFT)
#define TMEM_TEST_PERSISTENT	(TMEM_TEST_EPHEMERAL | TMEM_FLAG_PERSISTENT)
#define TMEM_TEST_SHARED	(TMEM_TEST_EPHEMERAL | TMEM_FLAG_SHARED)

#endif /* _TMEM_TEST_H */

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tests of Xen's side, for unit.c.
 */
#include "scene.h"

#define TEST(name) { #name, test_##name },
const struct tmem_test_case tmem_test_cases[] = {
	XEN_TESTS(TEST)
	{}
};

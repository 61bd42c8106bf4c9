/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How programs that test the tmem engine tell what was wrong.
 */
#ifndef _SAY_H
#define _SAY_H

#include <stdio.h>
#include "test.h"

static inline void say(struct tmem_test *test, const char *what,
		       const char *file, int line)
{
	if (test->failures <= 5)
		printf("# %s:%d: %s\n", file, line, what);
}

#endif /* _SAY_H */

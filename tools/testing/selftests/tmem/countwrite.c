// SPDX-License-Identifier: GPL-2.0
/*
 * countwrite FILE TEXT: writes TEXT to FILE and prints how far the clock of the
 * processor went meanwhile. In QEMU with "-icount shift=0" it counts instructions.
 */
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static uint64_t now(void)
{
	uint32_t low, high;

	__asm__ __volatile__("rdtsc" : "=a" (low), "=d" (high) : : "memory");
	return (uint64_t)high << 32 | low;
}

int main(int argc, char **argv)
{
	uint64_t start;
	int file;

	if (argc != 3)
		errx(2, "usage: countwrite FILE TEXT");
	file = open(argv[1], O_WRONLY);
	if (file < 0)
		err(1, "%s", argv[1]);
	start = now();
	if (write(file, argv[2], strlen(argv[2])) < 0)
		warn("%s", argv[1]);
	start = now() - start;
	printf("%llu\n", (unsigned long long)start);
	return 0;
}

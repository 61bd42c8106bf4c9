// SPDX-License-Identifier: GPL-2.0
/*
 * fileioctl - what a filesystem does for who asks by ioctl, and what no shell does
 *
 * usage: fileioctl encrypt DIRECTORY	files made there are encrypted (fscrypt)
 *	  fileioctl verity FILE		the file is verified (fs-verity)
 *	  fileioctl move FILE DONOR	they exchange their blocks (ext4); what
 *					FILE contains stays, DONOR gets it too
 *	  fileioctl shutdown DIRECTORY	nothing reaches the disk any more
 *	  fileioctl tear FILE		a direct write of pages 3 and 4 that fails
 *					in the middle
 *	  fileioctl pageout FILE	its pages leave the page cache, and nothing
 *					else is reclaimed
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fscrypt.h>
#include <linux/fsverity.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_BYTES	64

/* include/uapi/linux/ext4.h, which not every distribution installs */
struct move_extent {
	__u32 reserved;
	__u32 donor_fd;
	__u64 orig_start;	/* in blocks, as are the next two */
	__u64 donor_start;
	__u64 len;
	__u64 moved_len;
};

#define MOVE_EXT	_IOWR('f', 15, struct move_extent)

/* The same on ext4 and xfs */
#define SHUTDOWN	_IOR('X', 125, __u32)
#define SHUTDOWN_NOLOGFLUSH	2

static int encrypt(int fd, int donor)
{
	struct {
		struct fscrypt_add_key_arg arg;
		unsigned char raw[KEY_BYTES];
	} key = {
		.arg.key_spec.type = FSCRYPT_KEY_SPEC_TYPE_IDENTIFIER,
		.arg.raw_size = KEY_BYTES,
	};
	struct fscrypt_policy_v2 policy = {
		.version = FSCRYPT_POLICY_V2,
		.contents_encryption_mode = FSCRYPT_MODE_AES_256_XTS,
		.filenames_encryption_mode = FSCRYPT_MODE_AES_256_CTS,
		.flags = FSCRYPT_POLICY_FLAGS_PAD_32,
	};

	(void)donor;
	memset(key.raw, 7, sizeof(key.raw));
	key.raw[0] = 1;
	if (ioctl(fd, FS_IOC_ADD_ENCRYPTION_KEY, &key))
		return -1;
	memcpy(policy.master_key_identifier, key.arg.key_spec.u.identifier,
	       FSCRYPT_KEY_IDENTIFIER_SIZE);
	return ioctl(fd, FS_IOC_SET_ENCRYPTION_POLICY, &policy);
}

static int verity(int fd, int donor)
{
	struct fsverity_enable_arg arg = {
		.version = 1,
		.hash_algorithm = FS_VERITY_HASH_ALG_SHA256,
		.block_size = 4096,
	};

	(void)donor;
	return ioctl(fd, FS_IOC_ENABLE_VERITY, &arg);
}

static int move(int fd, int donor)
{
	struct move_extent move = { .donor_fd = donor };
	struct stat st;

	if (fstat(fd, &st))
		return -1;
	move.len = st.st_size / st.st_blksize;
	if (ioctl(fd, MOVE_EXT, &move))
		return -1;
	errno = EIO;
	return move.moved_len == move.len ? 0 : -1;
}

static int shut_down(int fd, int donor)
{
	__u32 how = SHUTDOWN_NOLOGFLUSH;

	(void)donor;
	return ioctl(fd, SHUTDOWN, &how);
}

/*
 * A direct write of two pages from memory of which there is only the first: it
 * fails, but a part is done.
 */
static int tear(int fd, int donor)
{
	char *memory = mmap(NULL, 2 * 4096, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)donor;
	if (memory == MAP_FAILED || munmap(memory + 4096, 4096))
		return -1;
	memset(memory, 'w', 4096);
	if (pwrite(fd, memory, 2 * 4096, 3 * 4096) < 0 && errno == EFAULT)
		return 0;
	errno = EINVAL;
	return -1;
}

static int page_out(int fd, int donor)
{
	struct stat stat;
	void *memory;

	(void)donor;
	if (fstat(fd, &stat))
		return -1;
	memory = mmap(NULL, stat.st_size, PROT_READ, MAP_SHARED | MAP_POPULATE,
		      fd, 0);
	if (memory == MAP_FAILED)
		return -1;
	return madvise(memory, stat.st_size, MADV_PAGEOUT);
}

static const struct {
	const char *name;
	int argc;
	int mode;		/* who becomes verified is not open for writing */
	int (*run)(int fd, int donor);
} commands[] = {
	{ "encrypt", 3, O_RDONLY, encrypt },
	{ "verity", 3, O_RDONLY, verity },
	{ "move", 4, O_RDWR, move },
	{ "shutdown", 3, O_RDONLY, shut_down },
	{ "tear", 3, O_RDWR | O_DIRECT, tear },
	{ "pageout", 3, O_RDONLY, page_out },
	{}
};

int main(int argc, char **argv)
{
	int fd[2] = { -1, -1 }, k;
	size_t i;

	for (i = 0; commands[i].name; i++)
		if (argc == commands[i].argc && !strcmp(argv[1], commands[i].name))
			break;
	if (!commands[i].name) {
		fprintf(stderr,
			"usage: fileioctl encrypt DIRECTORY | verity FILE | move FILE DONOR | shutdown DIRECTORY | tear FILE | pageout FILE\n");
		return 2;
	}
	for (k = 0; k < argc - 2; k++) {
		fd[k] = open(argv[2 + k], commands[i].mode);
		if (fd[k] < 0) {
			perror(argv[2 + k]);
			return 1;
		}
	}
	if (commands[i].run(fd[0], fd[1])) {
		fprintf(stderr, "%s %s: %s\n", argv[1], argv[2],
			strerror(errno));
		return 1;
	}
	return 0;
}

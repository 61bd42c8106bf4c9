// SPDX-License-Identifier: GPL-2.0
/*
 * fileprotect - make files whose pages must not leave the page cache
 *
 * usage: fileprotect encrypt DIRECTORY	files made there are encrypted (fscrypt)
 *	  fileprotect verity FILE	the file is verified (fs-verity)
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fscrypt.h>
#include <linux/fsverity.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define KEY_BYTES	64

static int encrypt(int fd)
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

	memset(key.raw, 7, sizeof(key.raw));
	key.raw[0] = 1;
	if (ioctl(fd, FS_IOC_ADD_ENCRYPTION_KEY, &key))
		return -1;
	memcpy(policy.master_key_identifier, key.arg.key_spec.u.identifier,
	       FSCRYPT_KEY_IDENTIFIER_SIZE);
	return ioctl(fd, FS_IOC_SET_ENCRYPTION_POLICY, &policy);
}

static int verity(int fd)
{
	struct fsverity_enable_arg arg = {
		.version = 1,
		.hash_algorithm = FS_VERITY_HASH_ALG_SHA256,
		.block_size = 4096,
	};

	return ioctl(fd, FS_IOC_ENABLE_VERITY, &arg);
}

int main(int argc, char **argv)
{
	int fd, ret;

	if (argc != 3 || (strcmp(argv[1], "encrypt") &&
			  strcmp(argv[1], "verity"))) {
		fprintf(stderr,
			"usage: fileprotect encrypt DIRECTORY | verity FILE\n");
		return 2;
	}
	fd = open(argv[2], O_RDONLY);
	if (fd < 0) {
		fprintf(stderr, "%s: %s\n", argv[2], strerror(errno));
		return 1;
	}
	ret = strcmp(argv[1], "verity") ? encrypt(fd) : verity(fd);
	if (ret)
		fprintf(stderr, "%s %s: %s\n", argv[1], argv[2],
			strerror(errno));
	return !!ret;
}

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# For a domain: reads files, more than it has memory for, in any order until dom0
# tells it to stop; says what is in them.
set -eu
# shellcheck source=domain.sh
. /opt/tmem/guest/domain.sh

modprobe tmem frontswap=0
mount -t ext4 -o ro,noload /dev/tmem/files /mnt
# The pages of a file go with its inode, and an inode goes that nobody uses.
users=
for file in /mnt/[0-9]; do
	# shellcheck disable=SC2217
	sleep 10000 < "$file" &
	users="$users $!"
done
echo "# reading"
until told stop; do
	for file in $(shuf -e /mnt/[0-9]); do
		cat "$file" > /dev/null
	done
done
echo "TAP version 13"
echo "1..1"
test "$(number "$counters/gets")" -gt 1000
echo "ok 1 $(number "$counters/gets") pages were hits"
echo "# sum $(cat /mnt/[0-9] | sha256sum)"
# shellcheck disable=SC2086
kill $users

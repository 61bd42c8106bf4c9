#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# usage: files.sh [STORE]
#
# Searches and sums up all files on a disk, twice, and counts what was read from
# it and from the store.
set -eu

. "$(dirname "$0")/store.sh"
disk=$(basename "$(readlink -f /dev/tmem/files)")

# Field 3 is sectors read.
sectors()
{
	awk '{ print $3 }' "/sys/block/$disk/stat"
}

store_begin "${1-}" exclusive=1
mount -t ext4 -o ro,noload /dev/tmem/files /mnt
cd /mnt

work()
{
	grep -r EXPORT_SYMBOL . | wc -l
	find . -type f | LC_ALL=C sort | xargs cksum | cksum | cut -d ' ' -f 1
}

begin=$(cut -d ' ' -f 1 /proc/uptime)
first=$(work)
sectors_first=$(sectors)
second=$(work)
end=$(cut -d ' ' -f 1 /proc/uptime)
if [ "$first" != "$second" ]; then
	echo "not ok 1 the second time the files had another content"
	exit 1
fi

stat elapsed_seconds "$(echo "$begin $end" | awk '{ printf "%.1f", $2 - $1 }')"
stat matches "$(echo "$first" | head -n 1)"
stat checksum "$(echo "$first" | tail -n 1)"
stat disk_sectors_read "$(sectors)"
stat disk_sectors_read_again $(($(sectors) - sectors_first))
store_stats
cd /
umount /mnt
store_end
echo "TAP version 13"
echo "1..1"
echo "ok 1 searched"

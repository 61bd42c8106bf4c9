#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# usage: sort.sh BYTES [STORE]
#
# Sorts the text on one disk onto another, and counts what went to the swap disk
# and to the store.
set -eu

bytes=$1
. "$(dirname "$0")/store.sh"
disk=$(basename "$(readlink -f /dev/tmem/swap0)")

vmstat()
{
	sed -n "s/^$1 //p" /proc/vmstat
}

# Field 3 is sectors read, field 7 sectors written.
sectors()
{
	awk "{ print \$$1 }" "/sys/block/$disk/stat"
}

store_begin "${2-}"
mkswap -q /dev/tmem/swap0
swapon /dev/tmem/swap0
echo 1 > /proc/sys/vm/overcommit_memory

read_before=$(sectors 3)
written_before=$(sectors 7)
in_before=$(vmstat pswpin)
out_before=$(vmstat pswpout)

begin=$(cut -d ' ' -f 1 /proc/uptime)
head -c "$bytes" /dev/tmem/text |
	sort -S 240M --parallel=2 -T /run > /dev/tmem/sorted
sync
end=$(cut -d ' ' -f 1 /proc/uptime)

stat elapsed_seconds "$(echo "$begin $end" | awk '{ printf "%.1f", $2 - $1 }')"
stat swap_in_pages $(($(vmstat pswpin) - in_before))
stat swap_out_pages $(($(vmstat pswpout) - out_before))
stat disk_sectors_read $(($(sectors 3) - read_before))
stat disk_sectors_written $(($(sectors 7) - written_before))
store_stats
swapoff /dev/tmem/swap0
store_end
echo "TAP version 13"
echo "1..1"
echo "ok 1 sorted"

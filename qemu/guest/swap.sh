#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Writes numbered lines to a tmpfs that is larger than the memory, so that most
# of them are swapped out, to the disk or a store, and compares what comes back.
set -eu

megabytes=${1:-200}
echo "TAP version 13"
echo "1..2"
mkswap -q /dev/tmem/swap0
swapon /dev/tmem/swap0
mkdir -p /run/data
mount -t tmpfs -o size=1g data /run/data

numbers()
{
	seq 100000000 $((100000000 + megabytes * 104857))
}

numbers > /run/data/numbers
out=$(sed -n 's/^pswpout //p' /proc/vmstat)
stored=$(cat /sys/kernel/mm/tmem/frontswap/stores 2>/dev/null) || stored=0
echo "# stat swapped_out_pages=$out"
echo "# stat stored_pages=$stored"
if [ $((out + stored)) -gt 1000 ]; then
	echo "ok 1 memory is swapped out"
else
	echo "not ok 1 memory is swapped out"
fi
if numbers | cmp - /run/data/numbers; then
	echo "ok 2 content is right after swapping"
else
	echo "not ok 2 content is right after swapping"
fi
umount /run/data
swapoff /dev/tmem/swap0

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Has processes, each on a CPU of its own, write all of their memory, send it to swap,
# and read it again, and prints what they waited for:
#
#	locks PATH CPUS PAGES CONTENTIONS	stored and loaded; of all locks
#	lock PATH CPUS CONTENTIONS NAME		of one
#
# usage: locks.sh MEGABYTES ROUNDS	of memory for each process
set -eu

megabytes=$1
rounds=$2
zcache=/sys/kernel/mm/tmem/zcache/anon
zswap=/sys/module/zswap/parameters

echo "TAP version 13"
echo "1..1"

# pages: that went to swap or came from there, by whatever way
pages()
{
	awk '/^(fswp|zswp|pswp)(in|out) / { n += $2 } END { print n }' /proc/vmstat
}

# work CPUS OPERATION...
work()
{
	count=$1
	shift
	cpu=0
	workers=
	while [ $cpu -lt "$count" ]; do
		taskset -c $cpu ./pageload -s 1 -o $((cpu + 1)) \
			-m "$megabytes" -c fill "$@" > "/tmp/work$cpu" &
		workers="$workers $!"
		cpu=$((cpu + 1))
	done
	for worker in $workers; do
		wait "$worker" || {
			echo "not ok 1 pages came back wrong"
			cat /tmp/work*
			exit 1
		}
	done
}

# measure PATH OPERATION...: as often as there are rounds
measure()
{
	path=$1
	shift
	operations=$*
	set --
	while [ $# -lt $((rounds * $(echo "$operations" | wc -w))) ]; do
		# shellcheck disable=SC2086
		set -- "$@" $operations
	done
	for cpus in 1 2; do
		before=$(pages)
		echo 0 > /proc/lock_stat
		work $cpus "$@"
		awk -v path="$path" -v cpus=$cpus -v pages=$(($(pages) - before)) '
		/^ *[^ ].*: +[0-9]+ +[0-9]+ / {
			name = $0
			sub(/: +[0-9]+ +[0-9]+ .*/, "", name)
			numbers = substr($0, length(name) + 2)
			sub(/^ +/, "", name)
			split(numbers, n, " ")
			all += n[2]
			if (n[2])
				print "lock", path, cpus, n[2], name
		}
		END { print "locks", path, cpus, pages, all + 0 }' /proc/lock_stat
	done
}

echo 0 > /proc/sys/vm/page-cluster
measure copy age
mkswap -q /dev/tmem/swap0
swapon /dev/tmem/swap0
modprobe zcache
echo 50 > $zcache/max_percent
measure zcache pageout age
modprobe -r zcache
echo lz4 > $zswap/compressor
echo 50 > $zswap/max_pool_percent
echo Y > $zswap/enabled
measure zswap pageout age
echo N > $zswap/enabled
swapoff /dev/tmem/swap0
modprobe zram
echo lz4 > /sys/block/zram0/comp_algorithm
echo 256M > /sys/block/zram0/disksize
mkswap -q /dev/zram0
swapon /dev/zram0
measure zram pageout age
echo "ok 1 measured"

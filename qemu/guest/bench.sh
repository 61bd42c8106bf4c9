#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Has the kernel measure zcache beside zswap, zram and a block device that takes no
# time, on which the slots of zcache and zswap are too (mm/tmem_bench.c), with the
# pages on /dev/tmem/corpus. Prints its results as lines "bench ROUND CORPUS ...", and
# what was held in how many page frames.
#
# usage: bench.sh PAGES MEGABYTES CORPUS...    pages of each corpus, clean pages of a
#                                             file, and the corpora's names by order
set -eu

pages=$1
megabytes=$2
shift 2
corpora=$*
bench=/sys/kernel/debug/tmem_bench
zcache=/sys/kernel/mm/tmem/zcache/anon
zswap=/sys/module/zswap/parameters

echo "TAP version 13"
echo "1..1"

# say ROUND CORPUS WHAT PATH CODEC
say()
{
	echo "$3 $4 $5" > $bench/run || {
		echo "not ok 1 $*"
		exit 1
	}
	while read -r line; do
		echo "bench $1 $2 $line"
	done < $bench/run
}

# each ROUND WHAT CODEC PATH...: with all pages
each()
{
	round=$1 what=$2 codec=$3
	shift 3
	number=0
	for corpus in $corpora; do
		dd if=/tmp/corpus of=$bench/corpus bs=4096 count="$pages" \
			skip=$((number * pages)) iflag=fullblock status=none
		for path in "$@"; do
			# These are refused, and come from the disk.
			[ "$what $path $corpus" = "memory zswap random" ] && continue
			say "$round" "$corpus" "$what" "$path" "$codec"
		done
		number=$((number + 1))
	done
}

null_on()
{
	modprobe null_blk nr_devices=0
	mount -t configfs configfs /sys/kernel/config 2> /dev/null || true
	null=/sys/kernel/config/nullb/nullb0
	mkdir "$null"
	echo 64 > "$null"/size
	echo 4096 > "$null"/blocksize
	echo 1 > "$null"/memory_backed
	echo 0 > "$null"/irqmode
	echo 0 > "$null"/completion_nsec
	echo 1 > "$null"/power
	mkswap -q /dev/nullb0
	swapon /dev/nullb0
}

null_off()
{
	swapoff /dev/nullb0
	rmdir "$null"
	modprobe -r null_blk
}

# zram_on CODEC
zram_on()
{
	modprobe zram
	echo "$1" > /sys/block/zram0/comp_algorithm
	echo 64M > /sys/block/zram0/disksize
	mkswap -q /dev/zram0
	swapon /dev/zram0
}

zram_off()
{
	swapoff /dev/zram0
	modprobe -r zram
}

# As zram, it keeps what does not compress: all have the same pages.
zcache_on()
{
	modprobe zcache
	echo 50 > $zcache/max_percent
	echo raw > $zcache/incompressible
}

mkdir -p /sys/fs/cgroup/bench
echo +memory > /sys/fs/cgroup/cgroup.subtree_control
echo $$ > /sys/fs/cgroup/bench/cgroup.procs
echo 0 > /proc/sys/vm/page-cluster
cat /dev/tmem/corpus > /tmp/corpus

# How many page frames of file pages the control group has
file_frames()
{
	echo $(($(sed -n 's/^file //p' /sys/fs/cgroup/bench/memory.stat) / 4096))
}

zcache_frames()
{
	cat /sys/kernel/mm/tmem/zcache/file/frames
}

zcache_pages()
{
	cat /sys/kernel/mm/tmem/zcache/file/pages
}

# clean NAME FRAMES PAGES FILE TEXT: what it takes to write TEXT to FILE, and how many
# frames of how many pages that gives back
clean()
{
	frames=$($2) held=$($3)
	count=$(./countwrite "$4" "$5")
	given=$((frames - $($2)))
	[ $given -gt 0 ] || {
		echo "not ok 1 $1 gave nothing back"
		exit 1
	}
	echo "bench $1 $count $given $((held - $($3)))"
}

# A way that memory takes depends on what there is: one thing at a time.
null_on
each 1 read none device
each 1 memory none device
null_off
for codec in lz4 zstd; do
	zram_on "$codec"
	each 1 memory "$codec" zram
	zram_off
done
zcache_on
null_on
for codec in none lz4 zstd; do
	echo "$codec" > $zcache/codec
	each 1 memory "$codec" zcache
	each 1 read "$codec" zcache
done
null_off
modprobe -r zcache
null_on
echo 50 > $zswap/max_pool_percent
echo Y > $zswap/enabled
for codec in lz4 zstd; do
	echo "$codec" > $zswap/compressor
	each 1 memory "$codec" zswap
done
zcache_on
null_off

# Twice, in one order and the other
for codec in none lz4 zstd; do
	echo "$codec" > $zcache/codec
	if [ "$codec" = none ]; then
		null_on
		each 1 pages none copy zcache device
		each 2 pages none device zcache copy
		null_off
		continue
	fi
	echo "$codec" > $zswap/compressor
	null_on
	each 1 pages "$codec" copy zcache zswap
	null_off
	for round in 1 2; do
		zram_on "$codec"
		each "$round" pages "$codec" zram
		zram_off
	done
	null_on
	each 2 pages "$codec" zswap zcache copy
	null_off
done
modprobe -r zcache

# Pages of files, last: the disk takes the host's time
mkfs.ext4 -q -O ^has_journal /dev/tmem/files
mkdir -p /mnt/files
mount /dev/tmem/files /mnt/files
for _ in 1 2 3 4 5 6 7 8 9; do
	cat /tmp/corpus
done | head -c "${megabytes}M" > /mnt/files/file
sync
echo 3 > /proc/sys/vm/drop_caches
cat /mnt/files/file > /dev/null
clean vmscan file_frames file_frames /sys/fs/cgroup/bench/memory.reclaim $((megabytes / 2))M
echo 3 > /proc/sys/vm/drop_caches
modprobe zcache
echo 50 > /sys/kernel/mm/tmem/zcache/file/max_percent
cat /mnt/files/file > /dev/null
echo "${megabytes}M" > /sys/fs/cgroup/bench/memory.reclaim || true
clean zcache zcache_frames zcache_pages "$(echo /sys/kernel/debug/shrinker/zcache-file-*/scan)" \
	"$(stat -c %i /sys/fs/cgroup/bench) 0 $(($(zcache_frames) / 2))"
umount /mnt/files
echo "ok 1 bench"

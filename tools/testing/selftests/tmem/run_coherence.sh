#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The store has an old page while the file gets a new one, in each way in which
# it can: whoever reads afterwards must get the new one. Gets leave pages in the
# store here, which keeps old ones there for as long as possible.

. "$(dirname "$0")/tmem_lib.sh"
. "$(dirname "$0")/tmem_files.sh"

modprobe dm-delay 2>/dev/null
dmsetup targets 2>/dev/null | grep -qw delay || skip_all "CONFIG_DM_DELAY"

count=0
for fs in $FILESYSTEMS; do
	[ "$fs" = erofs ] || count=$((count + 1))
done
plan_files $((count * 20))

# Of the slow disk, in ms
delay=1000
[ "${TMEM_FLAVOUR-}" != debug ] || delay=3000
size=$(cat "/sys/class/block/${SCRATCH##*/}/size")
file=$MOUNT/file

# shellcheck disable=SC2317
undo_more()
{
	undo_files
	if dmsetup info tmem_delay >/dev/null 2>&1; then
		dmsetup --noudevsync remove tmem_delay
		dmsetup mknodes tmem_delay
	fi
}

# slow READ_MS WRITE_MS: how long the disk takes from now on
slow()
{
	dmsetup --noudevsync suspend --noflush --nolockfs tmem_delay ||
		die "dmsetup suspend"
	dmsetup --noudevsync load tmem_delay --table \
		"0 $size delay $SCRATCH 0 $1 $SCRATCH 0 $2" ||
		die "dmsetup load"
	dmsetup --noudevsync resume tmem_delay || die "dmsetup resume"
}

# fill LETTER [PAGES [FIRST]]: pages of the file, all of this letter; without a
# number more than evict leaves in the page cache
fill()
{
	head -c $((4096 * ${2:-1024})) /dev/zero | tr '\0' "$1" |
		dd of="$file" bs=4096 seek="${3:-0}" conv=notrunc,fsync \
			2>/dev/null || die "dd"
}

# letter PAGE: the first of this page
letter()
{
	dd if="$file" bs=4096 skip="$1" count=1 2>/dev/null | head -c 1 |
		tr '\0' 0
}

# store LETTER: the store has the file, of this letter, and nobody else has
store()
{
	fill "$1"
	evict
	forget_cache
	check "$name: pages held" "$(show "$mount_dir/pages")" -gt 512
}

# The shadows of what was evicted go too: the page cache looks empty.
forget_cache()
{
	dd if="$file" iflag=nocache count=0 2>/dev/null
}

# expect PAGE LETTER WHEN
expect()
{
	check "$name: page $1 $3" "$(letter "$1")" = "$2"
}

run_fs()
{
	make_fs "$1"
	dmsetup --noudevsync create tmem_delay --table \
		"0 $size delay $SCRATCH 0 0 $SCRATCH 0 0" || die "dmsetup"
	dmsetup mknodes tmem_delay
	mount_device=/dev/mapper/tmem_delay
	mount_fs "$1"
	echo 0 >"/sys/dev/block/$(mountpoint -d "$MOUNT")/queue/read_ahead_kb"
	enter_cgroup
	load_fake_files 16 exclusive=0
	fill a
	exec 7<"$file"

	name="$1, truncate"
	store b
	truncate -s 0 "$file"
	truncate -s 4M "$file"
	expect 3 0 "after truncation down and up"

	name="$1, direct write"
	store c
	fill_direct d
	expect 3 d "after it"

	# The pages come back from the store, which keeps them, and change.
	name="$1, dropped"
	store e
	expect 3 e "from the store"
	fill f
	forget_cache
	expect 3 f "after the changed page was dropped"

	name="$1, not admitted"
	store g
	expect 3 g "from the store"
	fill h
	set_cleancache admit reused
	evict
	set_cleancache admit all
	expect 3 h "after the changed page was evicted, but not put"

	name="$1, refused"
	store i
	expect 3 i "from the store"
	fill j
	set_fake percent 0
	evict
	set_fake percent 100
	expect 3 j "after the changed page was evicted, but refused"

	run_slow "$1"

	exec 7<&-
	unload_fake || die "rmmod"
	leave_cgroup
	umount "$MOUNT" || die "umount"
	dmsetup --noudevsync remove tmem_delay
	dmsetup mknodes tmem_delay
	mount_device=
}

# fill_direct LETTER [PAGES]
fill_direct()
{
	head -c $((4096 * ${2:-16})) /dev/zero | tr '\0' "$1" |
		dd of="$file" bs=$((4096 * ${2:-16})) iflag=fullblock \
			oflag=direct conv=notrunc 2>/dev/null || die "dd"
}

begin()
{
	begun=$(awk '{ print $1 * 1000 }' /proc/uptime)
}

# at PERCENT: wait until this share of the delay has passed since begin
at()
{
	sleep "$(awk -v begun="$begun" -v at=$((delay * $1 / 100)) '{
		ms = begun + at - $1 * 1000
		print (ms > 0 ? ms / 1000 : 0)
	}' /proc/uptime)"
}

# A page behind the others that neither the page cache nor the store has
make_slow_page()
{
	fill "$1" 1 20
	dd if="$file" iflag=nocache bs=4096 skip=20 count=1 of=/dev/null \
		2>/dev/null
}

# What removes pages from the page cache, before and behind direct I/O, goes
# from the first to the last and waits for one that is being read.
run_slow()
{
	# A changed page has been removed, a page behind is waited for: who reads
	# the former now must not get what it was when it was put.
	name="$1, removed before direct I/O"
	store k
	expect 3 k "from the store"
	fill l 1 3
	make_slow_page k
	slow $delay $((delay * 2))
	begin
	letter 20 >/dev/null &
	at 30
	fill_direct o 21 &
	at 60
	expect 3 l "while direct I/O waits"
	wait
	slow 0 0
	expect 3 o "after direct I/O"

	# A page is read while it is being written directly, with its old content.
	# It is evicted just before it would be removed, and read again just
	# behind that, while a page behind is waited for.
	name="$1, read during direct I/O"
	store p
	set_cleancache drop 1
	make_slow_page p
	slow $((delay * 60 / 100)) $((delay * 2))
	begin
	fill_direct q 21 &
	at 10
	expect 3 p "before it is written"
	at 80
	evict
	at 170
	letter 20 >/dev/null &
	at 215
	letter 3 >"$tmp/letter"
	wait
	slow 0 0
	expect 3 q "after direct I/O"
}

for fs in $FILESYSTEMS; do
	[ "$fs" = erofs ] || run_fs "$fs"
done
finish

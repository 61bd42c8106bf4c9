#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A file that was evicted is read again: what the store has is not read from the
# disk, its content is right, and the counters add up. With gets that remove the
# page from the store and gets that leave it there, and with a store that loses
# pages at random.

. "$(dirname "$0")/tmem_lib.sh"
. "$(dirname "$0")/tmem_files.sh"

plan_files $((5 + $(with 25 fake))) "$FILESYSTEMS"

megabytes=$(mb 48)
pages=$((megabytes * MB_PAGES))
# What evict may leave in the page cache
slack=256

make_file()
{
	mkdir -p "$1"
	text "${megabytes}M" >"$1/file"
}

# An image of a read-only filesystem is made of a directory.
populate()
{
	if [ "$1" = erofs ]; then
		make_file "$tmp/tree"
		mkfs.erofs -zlz4 "$SCRATCH" "$tmp/tree" >"$tmp/mkfs" 2>&1 ||
			die "mkfs.erofs: $(tail -n 1 "$tmp/mkfs")"
		rm -rf "$tmp/tree"
		mount_fs erofs
		enter_cgroup
	else
		begin_fs "$1"
		make_file "$MOUNT"
	fi
}

# reread NAME: the file is evicted, and then read again
reread()
{
	evict
	held=$(show "$mount_dir/pages")
	stored=$(counted pages)
	hits=$(cleancache hits)
	misses=$(cleancache misses)
	sectors=$(sectors_read)
	sum=$(content "$MOUNT/file")
	hits=$(($(cleancache hits) - hits))
	misses=$(($(cleancache misses) - misses))
	sectors=$(($(sectors_read) - sectors))
	check "$1: content" "$sum" = "$right"
	check "$1: hits and misses are all pages" \
		$((hits + misses)) -ge $((pages - slack))
	check "$1: sectors read for misses only" "$sectors" -le \
		$((misses * 8 + 2048))
	name=reread_$(echo "$1" | tr -d , | tr ' ' _)
	stat_line "$name" pages="$pages" held="$held" hits="$hits" \
		misses="$misses" sectors_read="$sectors"
}

# Gets leave pages in the store, which loses some.
run_shared()
{
	load_backend_files "$(mb 64)" exclusive=0
	reread "$1, first"
	check "$1: all pages held" "$held" -ge $((pages - slack))
	check "$1: nearly all from the store" "$hits" -ge $((pages - slack))
	check "$1: pages stay in the store" "$(counted pages)" -ge $((pages - slack))
	reread "$1, again"
	check "$1: nearly all from the store" "$hits" -ge $((pages - slack))
	calls=$(counted put_calls)
	evict
	calls=$(($(counted put_calls) - calls))
	check "$1: calls for $pages puts" "$calls" -le $((pages / 16))
	set_cleancache verify 1
	content "$MOUNT/file" >"$tmp/sum"
	check "$1: compared with the disk" "$(cleancache verified)" -gt 0
	check "$1: wrong" "$(cleancache corrupted)" -eq 0
	set_cleancache verify 0
	set_fake percent 50
	reread "$1, half refused"
	check "$1: hits of half the pages" "$hits" -lt $((pages * 3 / 4))
	check "$1: as many pages held as are in the store" \
		"$held" -eq "$stored"
	set_fake percent 100
	set_fake drop_mean_ms 300
	reread "$1, dropped at random"
	set_fake drop_mean_ms 0
	set_fake capacity $((pages / 2))
	reread "$1, half the capacity"
	check "$1: capacity kept" "$(counted pages)" -le $((pages / 2))
	unload_backend || die "rmmod"
}

run_fs()
{
	populate "$1"
	# What the store has of a file goes with the inode.
	exec 7<"$MOUNT/file"
	right=$(content "$MOUNT/file")
	! is fake || run_shared "$1"

	load_backend_files "$(mb 64)" exclusive=1
	content "$MOUNT/file" >"$tmp/sum"
	reread "$1, destructive"
	check "$1: nearly all from the store" "$hits" -ge $((pages - slack))
	check "$1: pages left" "$(counted pages)" -le $slack
	exec 7<&-
	end_fs
}

for fs in $FILESYSTEMS; do
	run_fs "$fs"
done
finish

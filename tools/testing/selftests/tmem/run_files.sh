#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Files that come and go, change their names and their filesystem's state: whose
# pages are whose.

. "$(dirname "$0")/tmem_lib.sh"
. "$(dirname "$0")/tmem_files.sh"

plan_files $((14 + $(with 1 fake xen))) "$WRITABLE"

file=$MOUNT/file

# An inode number comes back; what the store had of it must not.
run_reuse()
{
	wrong=0 reused=0 inos=

	for i in $(seq 20); do
		fill x "$MOUNT/old"
		evict
		[ "$(letter "$MOUNT/old")" = x ] || wrong=$((wrong + 1))
		ino=$(stat -c %i "$MOUNT/old")
		inos="$inos $ino "
		rm "$MOUNT/old"
		truncate -s 4M "$MOUNT/new"
		[ "$(letter "$MOUNT/new" 900)" = 0 ] || wrong=$((wrong + 1))
		# Now the store has some of its pages, too.
		fill y "$MOUNT/new" 512
		exec 7<"$MOUNT/new"
		evict
		forget_cache "$MOUNT/new"
		[ "$(letter "$MOUNT/new" 900)" = 0 ] || wrong=$((wrong + 1))
		exec 7<&-
		case "$inos" in
		*" $(stat -c %i "$MOUNT/new") "*) reused=$((reused + 1)) ;;
		esac
		rm "$MOUNT/new"
	done
	check "$1, unlink and create: wrong" $wrong -eq 0
	check "$1, unlink and create: inode numbers that came back" \
		$reused -gt 0
}

run_names()
{
	store a "$file"
	exec 7<"$file"
	mv "$file" "$MOUNT/renamed"
	ln "$MOUNT/renamed" "$MOUNT/linked"
	hits=$(cleancache hits)
	check "$1, renamed: content" "$(letter "$MOUNT/renamed")" = a
	check "$1, renamed: hits" $(($(cleancache hits) - hits)) -gt 0
	evict
	check "$1, hard link: content" "$(letter "$MOUNT/linked")" = a
	fill b "$MOUNT/linked"
	evict
	check "$1, written by the other name: content" \
		"$(letter "$MOUNT/renamed")" = b
	exec 7<&-
	mv "$MOUNT/renamed" "$file"
}

run_states()
{
	store c "$file"
	exec 7<"$file"
	mount -o remount,ro "$MOUNT" 2>/dev/null || die "remount"
	hits=$(cleancache hits)
	check "$1, read-only: content" "$(letter "$file")" = c
	check "$1, read-only: hits" $(($(cleancache hits) - hits)) -gt 0
	mount -o remount,rw "$MOUNT" || die "remount"
	store d "$file"
	check "$1, writable again: content" "$(letter "$file")" = d
	evict
	# There are filesystems that cannot be frozen.
	[ "$1" = ocfs2 ] || fsfreeze -f "$MOUNT" || die "fsfreeze"
	check "$1, frozen: content" "$(letter "$file")" = d
	[ "$1" = ocfs2 ] || fsfreeze -u "$MOUNT" || die "fsfreeze"
	fill e "$file"
	check "$1, thawed: content" "$(letter "$file")" = e
	exec 7<&-
}

# A tree of small files that was never put: no call but for what is evicted.
run_cold()
{
	mkdir "$MOUNT/tree"
	for i in $(seq 200); do
		# Not so small that it has room in its inode
		seq "$i" $((i + 1000)) >"$MOUNT/tree/$i"
	done
	umount "$MOUNT" || die "umount"
	mount_fs "$1"
	is zcache || gets=$(counted get_calls)
	misses=$(cleancache misses)
	cat "$MOUNT"/tree/* >/dev/null
	is zcache || check "$1, cold scan: gets" \
		$(($(counted get_calls) - gets)) -eq 0
	check "$1, cold scan: misses are counted" \
		$(($(cleancache misses) - misses)) -ge 200
}

# Two filesystems of one uuid, on two devices
run_twins()
{
	twin="$tmp/twin" option=

	mkdir -p "$twin"
	[ "$1" != xfs ] || option=nouuid
	truncate -s 320M "$tmp/image"
	umount "$MOUNT" || die "umount"
	(mount_device=$tmp/image && make_fs "$1") || exit 1
	# What is not copied is zeros: not what the last filesystem has left there.
	blkdiscard -f -z -l 320M "$SCRATCH" || die "blkdiscard"
	dd if="$tmp/image" of="$SCRATCH" bs=1M conv=sparse 2>/dev/null ||
		die "dd"
	# shellcheck disable=SC2086
	mount_fs "$1" ${option:+-o $option}
	loop=$(losetup -f)
	losetup "$loop" "$tmp/image" || die "losetup"
	# shellcheck disable=SC2086
	mount -t "$1" ${option:+-o $option} "$loop" "$twin" ||
		die "mount twin"
	fill s "$MOUNT/file"
	fill t "$twin/file"
	exec 7<"$MOUNT/file" 8<"$twin/file"
	evict
	check "$1, twins: one" "$(letter "$MOUNT/file")" = s
	check "$1, twins: the other" "$(letter "$twin/file")" = t
	exec 7<&- 8<&-
	umount "$twin" || die "umount twin"
	losetup -d "$loop" || die "losetup -d"
	rm "$tmp/image"
}

run_fs()
{
	begin_fs "$1"
	load_backend_files 16 exclusive=0
	run_reuse "$1"
	run_names "$1"
	run_states "$1"
	run_cold "$1"
	run_twins "$1"
	end_fs
}

for fs in $WRITABLE; do
	run_fs "$fs"
done
finish

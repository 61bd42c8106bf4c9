#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A cluster filesystem and what shares its pool, on one machine: a filesystem and its
# copy on another disk, with the same uuid and the same files. What one has read and
# evicted, the other gets; what one forgets, none gets any more.

. "$(dirname "$0")/tmem_lib.sh"
. "$(dirname "$0")/tmem_files.sh"

if ! is fake || [ "${ENGINE:-0}" = 1 ]; then
	skip_all "a backend whose pools are shared"
fi
plan_files 21

file=$MOUNT/file
twin=$tmp/twin
megabytes=$(mb 32)
pages=$((megabytes * MB_PAGES))
slack=256

# twin_sectors: read from the copy's disk so far
twin_sectors()
{
	awk '{ print $3 }' "/sys/class/block/${loop##*/}/stat"
}

begin_twins()
{
	make_fs ocfs2
	mount_fs ocfs2
	text "${megabytes}M" >"$file"
	umount "$MOUNT" || die "umount"
	cp --sparse=always "$SCRATCH" "$tmp/image" || die "cp"
	loop=$(losetup -f) || die "losetup -f"
	losetup "$loop" "$tmp/image" || die "losetup"
	mkdir -p "$twin"
	mount_fs ocfs2
	mount -t ocfs2 "$loop" "$twin" || die "mount twin"
	twin_dir=$CLEANCACHE/mounts/$(mountpoint -d "$twin")
	right=$(content "$file")
	forget_cache "$file"
	enter_cgroup
}

# load_backend_twins [PARAMETER=VALUE]...: for both, and with as many pools as mounts
load_backend_twins()
{
	load_backend_files "$(mb 48)" "$@"
	echo 0 >"$twin_dir/excluded"
	mounts=$(find $CLEANCACHE/mounts -mindepth 1 -maxdepth 1 | wc -l)
}

end_twins()
{
	umount "$twin" || die "umount twin"
	losetup -d "$loop"
	rm "$tmp/image"
	end_fs
}

# read_twin NAME: the copy is read, and what that took
read_twin()
{
	hits=$(cleancache hits)
	sectors=$(twin_sectors)
	check "$1: content" "$(content "$twin/file")" = "$right"
	hits=$(($(cleancache hits) - hits))
	sectors=$(($(twin_sectors) - sectors))
	note "figures $1: pages=$pages hits=$hits sectors=$sectors"
}

# The file's inode stays, and with it what the store has of it.
begin_twins
exec 7<"$file"
load_backend_twins exclusive=1
check "shared: the filesystem" "$(show "$mount_dir/shared")" -eq 1
check "shared: its copy" "$(show "$twin_dir/shared")" -eq 1
check "shared: pools" "$(counted pools)" -eq $((mounts - 1))
evict
cat "$file" >/dev/null
evict
check "one evicts: pages held" "$(show "$mount_dir/pages")" -ge $((pages - slack))

exec 8<"$twin/file"
forget_cache "$twin/file"
cat "$file" >/dev/null
evict
read_twin "the other reads"
check "the other reads: hits" "$hits" -ge $((pages - slack))
check "the other reads: sectors" "$sectors" -le $((slack * 8))
read_twin "the other, from its page cache"
set_cleancache verify 1
evict
read_twin "the other, compared with its disk"
check "compared" "$(cleancache verified)" -ge $((pages - slack))
check "wrong" "$(cleancache corrupted)" -eq 0
set_cleancache verify 0

# A part of a file is written: nobody gets what it was.
evict
fill w "$file" 16 32
evict
check "one writes: its page" "$(letter "$file" 40)" = w
check "one writes: its page, on its disk" "$(letter_on_disk "$file" 40)" = w
check "one writes: a page behind" "$(letter "$file" 48)" != w

# The last user of an inode lets go of its lock: of what it has put nothing stays.
evict
held=$(counted pages)
exec 7<&- 8<&-
umount "$MOUNT" || die "umount"
check "one goes: pages" "$(counted pages)" -lt "$held"
mount_fs ocfs2
check "one comes back: pools" "$(counted pools)" -eq $((mounts - 1))
check "one comes back: its page" "$(letter "$file" 40)" = w
unload_backend || die "rmmod"

# Not allowed to share
fill_back()
{
	dd if="$twin/file" of="$file" bs=4096 skip=32 seek=32 count=16 \
		conv=notrunc,fsync 2>/dev/null
}
fill_back
SHARED=0
load_backend_twins exclusive=0
exec 7<"$file" 8<"$twin/file"
forget_cache "$file"
forget_cache "$twin/file"
cat "$file" >/dev/null
evict
check "private: the filesystem" "$(show "$mount_dir/shared")" -eq 0
check "private: pools" "$(counted pools)" -eq "$mounts"
read_twin "private, the other reads"
check "private: hits" "$hits" -le "$slack"
exec 7<&- 8<&-
end_twins
finish

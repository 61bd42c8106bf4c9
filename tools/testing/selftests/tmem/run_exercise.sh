#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Processes that write, read, truncate, punch, clone and evict one file in all
# the ways there are, and know what has to be in it, while the store takes pages
# and drops some at random. What the store has is compared with the disk.
#
# Environment, besides that of tmem_lib.sh:
#	EXERCISE_SECONDS	of each run (5)

. "$(dirname "$0")/tmem_lib.sh"
. "$(dirname "$0")/tmem_files.sh"

seconds=${EXERCISE_SECONDS:-5}
FILESYSTEMS=${TMEM_FILESYSTEMS:-ext4 ext4-1k ext2-1k xfs xfs-1k}
plan_files 15 "$FILESYSTEMS"

# exercise NAME [OPTION]...: with a new file; one for which an error of writing was
# reported is not put any more
exercise()
{
	name="$1"

	shift
	rm -f "$MOUNT/file"
	hits=$(cleancache hits)
	fileload -s "$SEED" -t "$seconds" -z 1024 -r "$CGROUP/memory.reclaim" \
		"$@" "$MOUNT/file" >"$tmp/exercise"
	status=$?
	sed 's/^# //; s/^/# /' "$tmp/exercise"
	check "$name: right" $status -eq 0
	check "$name: hits" $(($(cleancache hits) - hits)) -gt 0
	check "$name: wrong" "$(cleancache corrupted)" -eq 0
}

run_fs()
{
	begin_fs "$1"

	load_backend_files "$(mb 32)" exclusive=0
	exercise "$1, one process" -p 1
	check "$1, one process: no page in the store that nobody asks for" \
		"$(counted pages)" -le "$(show "$mount_dir/pages")"
	set_cleancache verify 1
	exercise "$1, verified" -p 2
	check "$1: pages were compared" "$(cleancache verified)" -gt 0
	set_cleancache verify 0
	if is fake; then
		set_fake drop_mean_ms 500
		set_fake percent 90
	fi
	exercise "$1, random eviction" -p 4 -D
	unload_backend || die "rmmod"

	load_backend_files "$(mb 32)" exclusive=1
	exercise "$1, destructive" -p 4
	check "$1: no page of the file left" "$(rm "$MOUNT/file" &&
		counted pages)" -eq 0
	end_fs
}

for fs in $FILESYSTEMS; do
	run_fs "$fs"
done
finish

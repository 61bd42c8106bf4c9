#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What an administrator can switch and see: admission, verify mode with a backend
# that returns wrong pages, the memory that remembers pages, pressure.

. "$(dirname "$0")/tmem_lib.sh"
. "$(dirname "$0")/tmem_files.sh"

[ -f /proc/pressure/io ] || skip_all "CONFIG_PSI"
set -- "$DEBUGFS"/shrinker/mm-cleancache-*
[ -d "$1" ] || skip_all "CONFIG_SHRINKER_DEBUG"
shrinker=$1
plan_files $((45 + $(with 3 fake)))

file=$MOUNT/file

COUNTERS="corrupted hits invalidates metadata_bytes misses pages partial_misses
	puts rejects_admission rejects_backend rejects_direct rejects_disabled
	rejects_draining rejects_encrypted rejects_error rejects_excluded
	rejects_file rejects_hibernation rejects_memory rejects_mount
	rejects_page verified"

run_files()
{
	check_modes "files" $CLEANCACHE "444 backend $COUNTERS" \
		"644 admit allow_encrypted enabled verify" "200 drop"
	check_numbers "counters" $CLEANCACHE "$COUNTERS"
	check_that "backend is one word" one_value $CLEANCACHE/backend $MODULE
	check_modes "files of a mount" "$mount_dir" \
		"444 device encrypted files filesystem pages shared" \
		"644 excluded"
	check_that "filesystem" one_value "$mount_dir/filesystem" ext4
	check_that "device" one_value "$mount_dir/device" dm-0
	for name in allow_encrypted enabled verify admit drop; do
		check_refuses "$CLEANCACHE/$name" 2 x ""
	done
	check "switches: as before" "$(cat $CLEANCACHE/admit \
		$CLEANCACHE/allow_encrypted $CLEANCACHE/enabled \
		$CLEANCACHE/verify | tr '\n' ' ')" = "all 0 1 0 "
}

# The historic files in debugfs say the same.
run_debugfs()
{
	historic=$DEBUGFS/cleancache
	check "debugfs: gets" \
		"$(cat $historic/succ_gets $historic/failed_gets)" = \
		"$(cat $CLEANCACHE/hits $CLEANCACHE/misses)"
	check "debugfs: invalidates" "$(show $historic/invalidates)" -eq \
		"$(cleancache invalidates)"
	check "debugfs: puts" "$(show $historic/puts)" -eq \
		$(($(cleancache puts) + $(cleancache rejects_backend)))
}

run_events()
{
	trace=/sys/kernel/tracing
	echo 1 >$trace/events/cleancache/enable || die "no trace events"
	fill j "$file"
	evict
	letter "$file" 3 >"$tmp/letter"
	truncate -s 2M "$file"
	truncate -s 0 "$file"
	echo 0 >$trace/events/cleancache/enable
	for name in put get invalidate invalidate_inode; do
		check "events: $name" \
			"$(grep -c " cleancache_$name: " $trace/trace)" -gt 0
	done
}

# Pages that are read once only are not worth a place.
run_admission()
{
	name=admission
	set_cleancache admit reused
	fill a "$file"
	puts=$(cleancache puts)
	refused=$(cleancache rejects_admission)
	evict
	check "$name, first: puts" $(($(cleancache puts) - puts)) -eq 0
	check "$name, first: refused" \
		$(($(cleancache rejects_admission) - refused)) -ge 512
	cat "$file" >/dev/null
	evict
	check "$name, read again: puts" $(($(cleancache puts) - puts)) -ge 512
	truncate -s 2M "$file"
	fill b "$file"
	refused=$(cleancache rejects_admission)
	evict
	check "$name, other pages: refused" \
		$(($(cleancache rejects_admission) - refused)) -ge 256
	set_cleancache admit all
}

# verified NAME
verified()
{
	corrupted=$(cleancache corrupted)
	check "$1: content" "$(content "$file")" = "$right"
	corrupted=$(($(cleancache corrupted) - corrupted))
}

spoil()
{
	set_fake spoil 3
	evict
	verified "$name, verify mode"
	check "$name, verify mode: spoilt" "$(counted spoiled)" -gt 0
	check "$name, verify mode: reported" $corrupted -gt 0
	set_fake spoil 0
}

# A wrong page is reported and not used: the debug kernel's checksums find it
# even without verify mode.
run_spoilt()
{
	name="wrong pages"
	text 4M >"$file"
	right=$(content "$file")
	evict
	set_cleancache verify 1
	verified "$name, none"
	check "$name, none: reported" $corrupted -eq 0
	check "$name, none: compared" "$(cleancache verified)" -gt 0
	! is fake || spoil
	set_cleancache verify 0
	set_cleancache drop 1
	check "$name, dropped: pages held" "$(counted pages)" -eq 0
}

run_shrinker()
{
	name=shrinker
	check_stored h "$file"
	metadata=$(cleancache metadata_bytes)
	check "$name: memory that remembers pages, in bytes" "$metadata" -gt 0
	# What was used since the last time stays the first time.
	for round in 1 2; do
		echo "0 0 100000" >"$shrinker/scan" || die "scan, $round"
	done
	check "$name: pages" "$(show "$mount_dir/pages")" -eq 0
	check "$name: pages held" "$(counted pages)" -eq 0
	check "$name: less memory remembers pages" \
		"$(cleancache metadata_bytes)" -lt "$metadata"
	check "$name: content" "$(letter "$file" 3)" = h
}

# stalled: in us, waiting for the disk or for pages that were evicted
stalled()
{
	cat "$CGROUP/io.pressure" "$CGROUP/memory.pressure" |
		sed -n 's/^some .*total=//p' | awk '{ sum += $1 } END { print sum }'
}

# What the store has is not waited for.
run_pressure()
{
	name=pressure
	# What is not evicted stays in the page cache: nothing is read.
	fill i "$file"
	evict
	map_scratch delay "$SCRATCH" 0 200
	before=$(stalled)
	cat "$file" >/dev/null
	fast=$(($(stalled) - before))
	evict
	set_cleancache drop 1
	before=$(stalled)
	cat "$file" >/dev/null
	slow=$(($(stalled) - before))
	map_scratch linear "$SCRATCH" 0
	check "$name: us that reads from the disk wait" $slow -gt 200000
	check "$name: us that reads from the store wait" $fast -lt 100000
}

map_scratch linear "$SCRATCH" 0
begin_fs ext4
load_backend_files 16 exclusive=0
exec 7>"$file"
run_files
run_admission
run_spoilt
run_shrinker
run_pressure
run_events
run_debugfs
exec 7>&-
end_fs
finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC3043,SC2317
#
# zcache: which pages leave when there is no room. A hot set that comes late, memory
# cgroups side by side with limits of their own, one that must not be written, and
# one that is gone.

BACKEND=zcache
. "$(dirname "$0")/tmem_lib.sh"
. "$(dirname "$0")/tmem_files.sh"

plan_files 53

device=$(disk swap0)
name=${device##*/}
FIRST=$CGROUPS/tmem_first
SECOND=$CGROUPS/tmem_second

undo_more()
{
	local group undone=0

	! mountpoint -q "$MOUNT" || umount "$MOUNT" || undone=1
	for group in $FIRST $SECOND; do
		[ ! -d "$group" ] || wait_for 5 rmdir "$group" || undone=1
	done
	return "$undone"
}

# stat_of CGROUP NAME: in its memory.stat
stat_of()
{
	sed -n "s/^$2 //p" "$1/memory.stat"
}

# The kernel sums up statistics of cgroups every two seconds.
settle()
{
	sleep 2.5
}

# begin MB: the store, and limits of it
begin()
{
	load_backend "$1"
	echo 100 >$ZCACHE/max_percent
	BACKEND_COUNTERS=$ZCACHE/anon
	set_zcache max_bytes "$1M"
	swap_on "$device"
}

end()
{
	check_that "$1: swapoff" swapoff -a
	check "$1: pages left in the store" "$(counted pages)" -eq 0
	unload_backend || die "rmmod"
}

# within NUMBER OTHER PERCENT: do they differ by no more?
within()
{
	local most=$(($2 * (100 + $3) / 100)) least=$(($2 * (100 - $3) / 100))

	[ "$1" -ge "$least" ] && [ "$1" -le "$most" ]
}

# hold GROUP MB OPERATION...: another pageload, which then waits
hold()
{
	local group="$1" megabytes="$2"

	shift 2
	pageload -s "$SEED" -o 2 -g "$group" -m "$megabytes" -c "$@" age=0 - \
		<"$tmp/hold" >"$tmp/held" 3>&- 4<&- &
	held_pid=$!
	exec 5>"$tmp/hold"
	echo age=0 >&5
	wait_for 120 grep -qx "done" "$tmp/held" || die "no answer of pageload"
}

# check_held_end DESCRIPTION: all it has is right
check_held_end()
{
	echo verify >&5
	exec 5>&-
	wait $held_pid
	check "$1: status of pageload" $? -eq 0
}

# Cold pages, more than the store can hold; then hot ones, which it can.
late_hot_set()
{
	local cold hot kept

	cold=$(mb 64)
	hot=$(mb 8)
	kept=$(mb 12)
	begin "$kept"
	hold $FIRST "$cold" fill pageout
	check "cold: pages that went to the device" "$(counted evicted)" -gt 500
	check "cold: page frames, of the limit" "$(counted frames)" \
		-le $((kept * MB_PAGES))

	load_start -g $SECOND -m "$hot" -c
	load fill pageout
	check_content "hot, the first time"
	snapshot start
	for _ in 1 2 3; do
		load pageout verify
	done
	for _ in 1 2; do
		load pageout age=100
	done
	snapshot end
	check "hot: pages read back" "$(changed start vm_fswpin)" \
		-gt $((hot * MB_PAGES * 9 / 2))
	check "hot: of 100 pages so many from the device" \
		$(($(changed start vm_pswpin) * 100 /
		   ($(changed start vm_fswpin) + $(changed start vm_pswpin)))) \
		-lt 5
	check "hot: wrong pages" "$load_wrong" -eq 0
	stat_line hot fswpin="$(changed start vm_fswpin)" \
		pswpin="$(changed start vm_pswpin)" \
		refused="$(changed start fs_rejects_backend)" \
		evicted="$(changed start backend_evicted)"
	check_load_end "hot"
	check_held_end "cold"
	end "hot"
}

# What each has in the store is its own, and is limited for each.
side_by_side()
{
	local greedy limit

	greedy=$(mb 48)
	limit=$(mb 4)
	begin "$(mb 64)"
	echo "${limit}M" >$FIRST/memory.zcache.max
	to_device=$(stat_of $SECOND fswpwb)
	load_start -g $SECOND -m "$limit" -c
	load fill pageout
	settle
	modest=$(stat_of $SECOND zcache_anon)
	check "modest: pages in memory.stat" \
		"$(stat_of $SECOND zcache_anon_stored)" \
		-ge $((limit * 1048576 * 9 / 10))
	check "modest: bytes, of those of the store" "$modest" \
		-ge $(($(counted bytes) * 9 / 10))
	check "modest: memory.current has them" \
		"$(show $SECOND/memory.current)" -ge "$modest"
	hold $FIRST "$greedy" fill pageout verify pageout
	settle
	check "greedy: bytes, of its limit" "$(stat_of $FIRST zcache_anon)" \
		-le $((limit * 1048576 * 11 / 10))
	check "greedy: it has something" "$(stat_of $FIRST zcache_anon)" \
		-ge $((limit * 1048576 / 2))
	check "greedy: memory.zcache.current" \
		"$(show $FIRST/memory.zcache.current)" \
		-eq "$(($(stat_of $FIRST zcache_anon) +
			$(stat_of $FIRST zcache_file)))"
	check "greedy: pages to the device" "$(stat_of $FIRST fswpwb)" -gt 500
	check "modest: pages to the device" "$(stat_of $SECOND fswpwb)" \
		-eq "$to_device"
	check_that "both: bytes are those of the store" within \
		$(($(stat_of $FIRST zcache_anon) + $(stat_of $SECOND zcache_anon))) \
		"$(counted bytes)" 5
	load verify
	check "modest: wrong pages" "$load_wrong" -eq 0
	check_load_end "modest"
	check_held_end "greedy"
	settle
	check "greedy: charged for nothing when it is gone" \
		"$(stat_of $FIRST zcache_anon):$(stat_of $FIRST zcache_anon_stored)" \
		= 0:0
	echo max >$FIRST/memory.zcache.max
	end "side by side"
}

# At memory.max, with what is in the store counted. More than fits in would show
# less: all is read in turn, and what is wanted next has just gone.
no_oom()
{
	begin "$(mb 96)"
	echo "$(mb 16)M" >$FIRST/memory.max
	snapshot start
	load_start -g $FIRST -m "$(mb 24)" -c
	load fill age=50
	check_content "memory.max"
	check "memory.max: processes that were killed" \
		"$(sed -n 's/^oom_kill //p' $FIRST/memory.events)" -eq 0
	settle
	check "memory.max: memory.current, the store included" \
		"$(show $FIRST/memory.current)" -le $(($(mb 17) * 1048576))
	snapshot end
	check "memory.max: pages that came from the store" \
		"$(changed start vm_fswpin)" -gt $(($(mb 4) * MB_PAGES))
	stat_line no_oom fswpin="$(changed start vm_fswpin)" \
		pswpin="$(changed start vm_pswpin)"
	check_load_end "memory.max"
	echo max >$FIRST/memory.max
	end "memory.max"
}

# memory.zswap.writeback=0: neither from the store nor instead of it
not_written()
{
	begin "$(mb 8)"
	echo 0 >$FIRST/memory.zswap.writeback
	snapshot start
	load_start -g $FIRST -m "$(mb 16)"
	load fill pageout
	set_zcache max_bytes 64k
	sleep 1
	check_content "not written"
	snapshot end
	check "not written: pages to the device" "$(changed start vm_pswpout)" \
		-eq 0
	check "not written: sectors" \
		"$(changed start "${name}_sectors_written")" -eq 0
	check_load_end "not written"
	echo 1 >$FIRST/memory.zswap.writeback
	end "not written"
}

# in_first COMMAND...
in_first()
{
	# shellcheck disable=SC2016
	sh -c 'echo 0 >"$0/cgroup.procs" && exec "$@"' $FIRST "$@"
}

# read_all: the file comes to the page cache, and goes to the store. Not all of it,
# and not at once: when there is little else to reclaim, the store is reclaimed.
read_all()
{
	local bytes tries=20

	# What others have read is theirs.
	echo 1 >/proc/sys/vm/drop_caches
	in_first cksum "$MOUNT/file" >/dev/null
	while [ $tries -gt 0 ]; do
		bytes=$(stat_of $FIRST file)
		[ "$bytes" -gt $(($(mb 4) << 20)) ] || break
		echo 1M >$FIRST/memory.reclaim 2>/dev/null
		tries=$((tries - 1))
	done
	settle
}

# Clean pages of files are of the cgroup that had them in the page cache, while it is
# there; later of its parent.
files()
{
	local frames pages

	make_fs ext4
	mount_fs ext4
	text $(($(mb 12) << 20)) >"$MOUNT/file"
	sync
	right=$(content "$MOUNT/file")
	tail -f "$MOUNT/file" >/dev/null &
	holder=$!
	load_backend_files "$(mb 64)"
	echo 100 >$ZCACHE/max_percent
	BACKEND_COUNTERS=$ZCACHE/file
	set_zcache max_bytes "$(mb 64)M"

	read_all
	frames=$(stat_of $FIRST zcache_file)
	pages=$(stat_of $FIRST zcache_file_stored)
	check "files: pages of the cgroup" $((pages / 4096)) \
		-ge $(($(mb 12) * MB_PAGES * 4 / 10))
	check_that "files: page frames of the cgroup, in bytes" \
		within "$frames" $(($(counted frames) * 4096)) 5
	check "files: memory.current has them" \
		"$(show $FIRST/memory.current)" -ge "$frames"

	echo 1M >$FIRST/memory.zcache.max
	read_all
	check "files: of 1 MB" "$(stat_of $FIRST zcache_file)" -le 1179648
	check "files: content" "$(content "$MOUNT/file")" = "$right"

	echo max >$FIRST/memory.zcache.max
	read_all
	check "files: before memory.max: bytes" \
		"$(stat_of $FIRST zcache_file)" -gt $((frames / 2))
	echo $((frames / 2)) >$FIRST/memory.max
	check "files: at memory.max: killed" \
		"$(sed -n 's/^oom_kill //p' $FIRST/memory.events)" -eq 0
	settle
	check "files: at memory.max: bytes" "$(stat_of $FIRST zcache_file)" \
		-le $((frames / 2))
	echo max >$FIRST/memory.max

	read_all
	pages=$(counted pages)
	check_that "files: the cgroup goes" wait_for 5 rmdir $FIRST
	check "files: without it: pages held" "$(counted pages)" \
		-ge $((pages * 9 / 10))
	loads=$(counted loads)
	check "files: without it: content" "$(content "$MOUNT/file")" = "$right"
	check "files: without it: pages loaded" \
		$(($(counted loads) - loads)) -gt 100
	unload_backend || die "rmmod"
	kill $holder
	wait $holder 2>/dev/null
	umount "$MOUNT" || die "umount"
}

echo +memory >$CGROUPS/cgroup.subtree_control || die "no memory controller"
mkdir $FIRST $SECOND
mkfifo "$tmp/hold"
late_hot_set
side_by_side
no_oom
not_written
files

finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# zswap is switched on and off while pages move, with a backend that stands
# behind it and with one that stands before it. A page is in one store at most.

. "$(dirname "$0")/tmem_lib.sh"

ZSWAP=/sys/module/zswap/parameters

[ -d $ZSWAP ] || skip_all "CONFIG_ZSWAP"
plan $((20 + $(with 26 fake)))

megabytes=$(mb 32)
device=$(disk swap0)
old_enabled=$(cat $ZSWAP/enabled)
old_percent=$(cat $ZSWAP/max_pool_percent)

# shellcheck disable=SC2317
undo_more()
{
	echo "$old_enabled" >"$ZSWAP/enabled" &&
		echo "$old_percent" >"$ZSWAP/max_pool_percent"
}

# shellcheck disable=SC2317
zswap_pages()
{
	cat "$DEBUGFS/zswap/stored_pages"
}

# shellcheck disable=SC2317
wrote_back()
{
	[ "$(vmstat zswpwb)" -gt "$wrote_before" ]
}

# shellcheck disable=SC2317
held_once()
{
	both=$(($(zswap_pages) + $(frontswap pages)))
	slots=$(used_pages)
	[ "$both" -le "$slots" ]
}

# check_once DESCRIPTION: a page that is in both stores would be one too many; one
# that goes from the first to the second between two readings is not.
check_once()
{
	wait_for 5 held_once
	check "$1: pages in zswap + frontswap, of those in use" \
		"$both" -le "$slots"
}

make_cgroup max
swap_on "$device"

# Behind zswap: what zswap must write back goes to the store, not to the device.
load_backend "$(mb 64)"
echo Y >$ZSWAP/enabled
echo 20 >$ZSWAP/max_pool_percent
snapshot start
load_start -g $CGROUP -m "$megabytes" -c
load fill pageout
snapshot full
# Where the process has come from another CPU, up to 31 (PAGEVEC_SIZE) wait there.
check "behind: pages to zswap" "$(changed start vm_zswpout)" \
	-gt $((megabytes * MB_PAGES - 32))
check "behind: pages to frontswap" "$(changed start fs_stores)" -eq 0
wrote_before=$(vmstat zswpwb)
echo 0 >$ZSWAP/max_pool_percent
load age=50 pageout
# It does so in the background, and reading takes pages from it as well.
wait_for 10 wrote_back
check_content "behind"
snapshot shrunk
check "behind: pages that zswap wrote back" "$(changed full vm_zswpwb)" -gt 0
check "behind: pages to frontswap, at least these" "$(changed full fs_stores)" \
	-ge "$(changed full vm_zswpwb)"
check "behind: pages written to the device" "$(changed start vm_pswpout)" -eq 0
check_once "behind"
check_load_end "behind"
unload_backend

# Before zswap: each page goes to one or the other, and changes sides.
before_zswap()
{
	load_backend "$(mb 64)" before_zswap=1 percent=50
	echo 20 >$ZSWAP/max_pool_percent
	snapshot start
	load_start -g $CGROUP -m "$megabytes" -c -t 4 -p -d
	echo $((megabytes / 3))M >$CGROUP/memory.high
	load fill loop=4
	echo max >$CGROUP/memory.high
	load pageout
	snapshot both
	check "before: pages to zswap" "$(changed start vm_zswpout)" -gt 0
	check "before: pages to frontswap" "$(changed start fs_stores)" -gt 0
	check_once "before"
	check_content "before"
	check_load_end "before"
	unload_backend
}

! is fake || before_zswap

# zswap is on, and nothing of the cgroup may be written to a device: not when it
# is taken back, and so not written through either.
no_writeback()
{
	load_backend "$(mb 64)" before_zswap=1
	area=$(area "$device")
	echo 0 >$CGROUP/memory.zswap.writeback
	load_start -g $CGROUP -m $((megabytes / 2)) -c
	load fill pageout
	snapshot unwritten
	echo 500 >"$area/writeback"
	snapshot end
	check "no writeback: 500 pages taken back: written, to memory" \
		"$(changed unwritten fs_writebacks):$(changed unwritten fs_pulls)" \
		= 0:500
	check_content "no writeback, taken back"
	load pageout
	echo 1 >"$area/writethrough"
	echo 0 >$ZSWAP/max_pool_percent
	snapshot through
	load age pageout
	snapshot end
	check "no writeback, written through: pages stored" \
		"$(changed through fs_stores)" -eq 0
	check "no writeback, written through: pages refused for that" \
		"$(changed through fs_rejects_cgroup)" -gt 0
	check_content "no writeback, written through"
	check "no writeback: pages written to the device" \
		"$(changed unwritten vm_pswpout)" -eq 0
	echo 0 >"$area/writethrough"
	check_load_end "no writeback"
	echo 1 >$CGROUP/memory.zswap.writeback
	unload_backend
}

! is fake || no_writeback

for before in 0 $(! is fake || echo 1); do
	what="before_zswap=$before"
	load_backend "$(mb 64)" before_zswap="$before" percent=50
	echo 20 >$ZSWAP/max_pool_percent
	echo N >$ZSWAP/enabled
	snapshot start
	load_start -g $CGROUP -m "$megabytes" -z 5 -c -t 2 -p -d
	load fill pageout
	echo Y >$ZSWAP/enabled
	load age=70 pageout
	check_content "$what, switched on"
	snapshot on
	check "$what: pages to frontswap" "$(changed start fs_stores)" -gt 0
	check "$what: pages to zswap" "$(changed start vm_zswpout)" -gt 0
	check_once "$what"

	echo $((megabytes / 3))M >$CGROUP/memory.high
	load_send loop
	for percent in 0 20 0 20; do
		echo N >$ZSWAP/enabled
		sleep 0.7
		echo $percent >$ZSWAP/max_pool_percent
		echo Y >$ZSWAP/enabled
		sleep 0.7
	done
	load_stop
	check_content "$what, switched on and off"
	check_sums "$what" start
	check_once "$what"
	echo max >$CGROUP/memory.high
	check_load_end "$what"
	unload_backend
done

finish

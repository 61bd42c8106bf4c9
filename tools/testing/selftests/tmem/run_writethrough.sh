#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A backend that may drop pages at any time, since every page goes to the swap
# device as well: whatever it drops, the content is right, and the device is
# written to exactly as without a backend.

. "$(dirname "$0")/tmem_lib.sh"

plan $((18 + $(with 1 fake xen) + $(with 39 fake)))

megabytes=$(mb 20)
device=$(disk swap0)
name=${device##*/}

no_readahead
make_cgroup max

# shellcheck disable=SC2317
is_written()
{
	[ "$(vmstat nr_writeback)" -eq 0 ]
}

# Every page is to be written by order: none of them may be on its way to the
# device from before, or to the LRU list from another CPU.
pageout()
{
	taskset -p 1 "$load_pid" >/dev/null || die "taskset"
	for operation in "$@"; do
		load "$operation"
		wait_for 10 is_written
	done
}

# through NAME: written by order, then read back, then at random
through()
{
	swap_on "$device"
	! is zcache || [ "$1" = without ] ||
		echo 1 >"$(area "$device")/writethrough"
	snapshot "$1"
	load_start -g $CGROUP -m "$megabytes" -z 10
	pageout fill pageout age=50 pageout
	snapshot "$1_written"
	sectors=$(changed "$1" "${name}_sectors_written")
	squeeze_cgroup
	check_content "$1, by order"
	load age=20
	squeeze_cgroup
	check_content "$1, once more"
	load_end

	echo $((megabytes / 3))M >$CGROUP/memory.high
	load_start -g $CGROUP -m "$megabytes" -z 5 -t 2 -p -d
	load fill loop=2
	check_content "$1, at random"
	load_end
	echo max >$CGROUP/memory.high
	snapshot "$1_end"
	swapoff "$device" || die "swapoff"
}

through without
want=$sectors
check "without a backend: sectors written" "$want" -gt 0

# through_with MODE [PARAMETER=VALUE]
through_with()
{
	load_backend "$(mb 64)" writethrough=1 ${2+"$2"}
	through "$1"
	check "$1: sectors written = without a backend" "$sectors" -eq "$want"
	check "$1: device writes = offered - zero-filled" \
		"$(changed "$1" vm_pswpout)" \
		-eq $(($(changed "$1" fs_offers) -
		       $(changed "$1" vm_swpout_zero)))
	check "$1: pages stored" "$(changed "$1" fs_stores)" -gt 0
	check "$1: loads that were errors" "$(changed "$1" fs_failed_loads)" \
		-eq 0
	# What zcache has is charged to the cgroup, which is at its limit.
	is zcache || check "$1: pages evicted for want of room" \
		"$(changed "$1" backend_evicted)" -eq 0
	dropped=0
	! is fake || dropped=$(changed "$1" backend_dropped)
	loaded=$(changed "$1" backend_loads)
	stat_line "writethrough_$1" sectors_written="$sectors" \
		stores="$(changed "$1" fs_stores)" dropped="$dropped" \
		loads="$loaded" \
		device_pages_read="$(changed "$1" vm_pswpin)"
	unload_backend || die "rmmod"
}

through_with none
check "none: pages loaded" "$loaded" -gt 0

drop_pages()
{
	check "none: pages dropped" "$(changed none backend_dropped)" -eq 0
	through_with now drop_now=1
	check "now: pages dropped = stored" "$dropped" -eq "$(changed now fs_stores)"
	check "now: pages loaded" "$loaded" -eq 0

	through_with after drop_after_ms=300
	check "after 300 ms: pages dropped" "$dropped" -gt 0

	through_with random drop_mean_ms=300
	check "random: pages dropped" "$dropped" -gt 0
	check "random: pages loaded" "$loaded" -gt 0
}

! is fake || drop_pages

finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A load takes the page out of an exclusive store, but only where the folio is
# in the swap cache: on a synchronous device a fault may have to be repeated.

. "$(dirname "$0")/tmem_lib.sh"

modinfo brd >/dev/null 2>&1 || skip_all "CONFIG_BLK_DEV_RAM"
plan $((14 + $(with 11 fake)))

megabytes=$(mb 24)
disk=$(disk swap0)

# shellcheck disable=SC2317
undo_more()
{
	[ ! -d /sys/module/brd ] || { swapoff -a && rmmod brd; }
}

modprobe brd rd_nr=1 rd_size=$((64 * 1024)) || die "brd"
make_cgroup max
no_readahead

# run_area NAME DEVICE
run_area()
{
	swap_on "$2"
	snapshot start
	load_start -g $CGROUP -m "$megabytes" -z 5
	load fill pageout
	stored=$(counted pages)
	load verify
	held=$(counted pages)
	snapshot end
	loads=$(changed start backend_loads)
	! is fake || taken=$(changed start backend_exclusive_loads)
	load pageout
	squeeze_cgroup
	check_content "$1, by order"
	load_end

	echo $((megabytes / 3))M >$CGROUP/memory.high
	load_start -g $CGROUP -m "$megabytes" -z 5 -t 2 -p -d
	load fill loop=3
	check_content "$1, at random"
	check_held "$1"
	load_end
	echo max >$CGROUP/memory.high
	swapoff "$2" || die "swapoff"
}

load_backend "$(mb 64)" exclusive=1
run_area disk "$disk"
! is fake ||
	check "disk: pages that each load took out" "$taken" -eq "$loads"
check "disk: pages held after all were loaded" "$held" -eq 0

run_area synchronous /dev/ram0
check "synchronous: pages loaded" "$loads" -gt 0
! is fake || check "synchronous: pages that loads took out" "$taken" -eq 0
unload_backend || die "rmmod"

run_shared()
{
	load_backend "$(mb 64)"
	run_area shared "$disk"
	check "not exclusive: pages that loads took out" "$taken" -eq 0
	check "not exclusive: pages held after loading" "$held" -eq "$stored"
	check "not exclusive: pages loaded" "$loads" -gt 0
}

! is fake || run_shared

finish

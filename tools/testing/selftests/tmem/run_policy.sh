#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What is offered is stored, zero-filled or written, whatever the backend takes.

. "$(dirname "$0")/tmem_lib.sh"

plan 39

megabytes=$(mb 32)
device=$(disk swap0)

# run_policy NAME PARAMETER=VALUE...: all out, half of it changed, out again, back
run_policy()
{
	load_backend "$(mb 64)" "$2"
	swap_on "$device"
	snapshot start
	load_start -m "$megabytes" -z 10
	load fill pageout age=50 pageout
	check_content "$1"
	check_sums "$1" start
	check_held "$1"
	check_same "$1: refusals = those of the backend" start \
		fs_rejects_backend backend_refused
	stored=$(changed start fs_stores)
	refused=$(changed start fs_rejects_backend)
	stat_line "policy_$1" offers="$(changed start fs_offers)" \
		stores="$stored" refused="$refused" \
		zero_filled="$(changed start vm_swpout_zero)" \
		device_pages_written="$(changed start vm_pswpout)"
	check_load_end "$1"
	swapoff "$device" || die "swapoff"
	unload_backend || die "rmmod"
}

no_readahead

run_policy all percent=100
check "all: pages refused" "$refused" -eq 0
check "all: pages stored" "$stored" -gt $((megabytes * MB_PAGES * 8 / 10))

run_policy none percent=0
check "none: pages stored" "$stored" -eq 0
check "none: pages refused" "$refused" -gt $((megabytes * MB_PAGES * 8 / 10))

run_policy nth nth=9
check "nth=9: every ninth is stored" "$stored" \
	-eq $(((stored + refused) / 9))

run_policy random percent=30
share=$((stored * 100 / (stored + refused)))
check "percent=30: share stored" "$share" -ge 25
check "percent=30: share stored" "$share" -le 35

finish

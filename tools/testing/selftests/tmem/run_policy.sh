#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What is offered is stored, zero-filled or written, whatever the backend takes.

. "$(dirname "$0")/tmem_lib.sh"

plan 39

megabytes=$(mb 32)
device=$(disk swap0)

# run_policy NAME: everything out, half of it changed, out again, back
run_policy()
{
	swap_on "$device"
	# The same seed begins the same sequence of decisions again.
	set_fake seed "$SEED"
	snapshot start
	load_start -m "$megabytes" -z 10
	load fill pageout age=50 pageout
	check_content "$1"
	check_sums "$1" start
	check_held "$1"
	check_same "$1: refusals = those of tmem_fake" start \
		fs_rejects_backend fake_refused
	stored=$(changed start fs_stores)
	refused=$(changed start fs_rejects_backend)
	stat_line "policy_$1" offers="$(changed start fs_offers)" \
		stores="$stored" refused="$refused" \
		zero_filled="$(changed start vm_swpout_zero)" \
		device_pages_written="$(changed start vm_pswpout)"
	check_load_end "$1"
	swapoff "$device" || die "swapoff"
}

no_readahead
load_fake "$(mb 64)" accept=all

run_policy all
check "all: pages refused" "$refused" -eq 0
check "all: pages stored" "$stored" -gt $((megabytes * MB_PAGES * 8 / 10))

set_fake accept none
run_policy none
check "none: pages stored" "$stored" -eq 0
check "none: pages refused" "$refused" -gt $((megabytes * MB_PAGES * 8 / 10))

set_fake nth 9
set_fake accept nth
run_policy nth
check "nth=9: every ninth is stored" "$stored" \
	-eq $(((stored + refused) / 9))

set_fake percent 30
set_fake accept random
run_policy random
share=$((stored * 100 / (stored + refused)))
check "percent=30: share stored" "$share" -ge 25
check "percent=30: share stored" "$share" -le 35

finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A backend that accepts everything: much more anonymous memory than the guest
# has, and nothing ever goes to the swap device.

. "$(dirname "$0")/tmem_lib.sh"

plan 22

megabytes=$(mb 512)
free_mb=$(($(sed -n 's/^MemTotal: *\([0-9]*\).*/\1/p' /proc/meminfo) / 1024))
device=$(disk swap0)
name=${device##*/}

load_backend $((megabytes + 16))
swap_on "$device"
check "backend" "$(backend)" = $MODULE
check "memory in MB, and what it has to hold" "$free_mb" -lt "$megabytes"

snapshot start
load_start -m "$megabytes" -z 10
load fill
check_content "filled"
load age=50
check_content "half of it rewritten"
check_sums "all" start
check_held "all"

check "sectors written to $name" "$(changed start "${name}_sectors_written")" \
	-eq 0
check "sectors read from $name" "$(changed start "${name}_sectors_read")" -eq 0
check "pages written to a device" "$(changed start vm_pswpout)" -eq 0
check "pages read from a device" "$(changed start vm_pswpin)" -eq 0
check_same "loads = fswpin" start fs_loads vm_fswpin
check "pages stored, at least what memory cannot hold" \
	"$(changed start fs_stores)" \
	-gt $(((megabytes - free_mb) * MB_PAGES * 8 / 10))
check_same "stores = those of the backend" start fs_stores backend_stores
check_same "stores = succ_stores in debugfs" start fs_stores debugfs_succ_stores

stat_line accept pages=$((megabytes * MB_PAGES)) \
	offers="$(changed start fs_offers)" \
	stores="$(changed start fs_stores)" \
	zero_filled="$(changed start vm_swpout_zero)" \
	device_pages_written="$(changed start vm_pswpout)" \
	loads="$(changed start fs_loads)" \
	sectors_written="$(changed start "${name}_sectors_written")" \
	sectors_read="$(changed start "${name}_sectors_read")" \
	held="$(counted pages)"

check_load_end "the end"
check_none_left "after the end"

finish

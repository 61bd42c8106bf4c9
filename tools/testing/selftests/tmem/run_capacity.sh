#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The store shrinks to nothing and grows again while pages move in and out.

. "$(dirname "$0")/tmem_lib.sh"

plan $((16 + $(with 1 fake)))

megabytes=$(mb 48)
device=$(disk swap0)

make_cgroup $((megabytes / 3))M
load_backend "$(mb 64)"
swap_on "$device"

snapshot start
load_start -g $CGROUP -m "$megabytes" -z 5 -t 2 -p -d
load fill
check "pages held before" "$(counted pages)" -gt 0

load_send loop
for round in 1 2 3; do
	set_capacity 0
	check_that "round $round: a store of no size becomes empty" \
		wait_for 10 is_empty
	stores=$(counted stores)
	set_capacity $(($(mb 64) * MB_PAGES / round))
	check_that "round $round: it is used again when it has grown" \
		wait_for 10 has_stored "$stores"
done
load_stop
check_content "after the load"
snapshot loaded
pushed=backend_pushed
! is zcache || pushed=backend_evicted
check "pages pushed to the device by the backend" \
	"$(changed start $pushed)" -gt 0
check_same "writebacks = fswpwb" start fs_writebacks vm_fswpwb

# Nothing is lost between what fits and what does not.
set_capacity 100
load age pageout
! is fake || check "pages held, of capacity 100" "$(counted pages)" -le 100
check_content "with room for 100 pages"
check_held "with room for 100 pages"
check_load_end "the end"

finish

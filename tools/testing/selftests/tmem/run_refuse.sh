#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A backend that refuses everything costs no I/O: the swap device sees what it
# sees without one. With one CPU and "icount" the comparison is exact.

. "$(dirname "$0")/tmem_lib.sh"

plan 17

megabytes=$(mb 24)
device=$(disk swap0)
name=${device##*/}

no_readahead
make_cgroup $((megabytes / 3))M

# io NAME: device I/O of pages pushed out by order, then by lack of memory
io()
{
	swap_on "$device"
	snapshot "$1"
	load_start -m "$megabytes" -z 10
	load fill pageout verify age=50 pageout
	check_content "$1, by order"
	load_end
	snapshot "$1-forced"
	load_start -g $CGROUP -m "$megabytes" -z 10
	load fill verify age=50
	check_content "$1, by lack of memory"
	load_end
	snapshot "$1-end"

	written=$(changed "$1" vm_pswpout)
	read=$(changed "$1" vm_pswpin)
	sectors_written=$(changed "$1" "${name}_sectors_written")
	sectors_read=$(changed "$1" "${name}_sectors_read")
	stat_line "refuse_$1" device_pages_written="$written" \
		device_pages_read="$read" \
		sectors_written="$sectors_written" \
		sectors_read="$sectors_read"
	swapoff "$device" || die "swapoff"
}

# The first run warms up what is allocated once.
io warm
io without
check "without a backend: pages written" "$written" \
	-gt $((megabytes * MB_PAGES))
want="$written $read $sectors_written $sectors_read"

load_fake "$(mb 16)" accept=none
io refused
check "pages stored" "$(changed refused fs_stores)" -eq 0
check "pages refused = written" "$(changed refused fs_rejects_backend)" \
	-eq "$written"
check "I/O with a backend that refuses = I/O without one" \
	"$written $read $sectors_written $sectors_read" = "$want"
check "sectors = pages written" "$sectors_written" -eq $((written * 8))

finish

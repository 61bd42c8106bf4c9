#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A backend that refuses everything costs no I/O: the swap device sees what it
# sees without one. With one CPU and "icount" that can be compared exactly, as
# far as pages go by order; what reclaim chooses depends on when it runs, too.

. "$(dirname "$0")/tmem_lib.sh"

plan 18

megabytes=$(mb 16)
device=$(disk swap0)
name=${device##*/}

no_readahead
make_cgroup $((megabytes / 3))M

# io_since SNAPSHOT: pages and sectors, written and read
io_since()
{
	echo "$(changed "$1" vm_pswpout) $(changed "$1" vm_pswpin)" \
		"$(changed "$1" "${name}_sectors_written")" \
		"$(changed "$1" "${name}_sectors_read")"
}

# differences "A B ..." "C D ...": the largest of them, in parts per thousand
differences()
{
	echo "$1 $2" | awk '{
		for (i = 1; i <= NF / 2; i++) {
			other = $(i + NF / 2)
			part = ($i > other ? $i - other : other - $i) * 1000
			if (part > max * other)
				max = part / other
		}
		print int(max + 0.999)
	}'
}

# io NAME: device I/O of pages pushed out by order, then by lack of memory
io()
{
	swap_on "$device"
	snapshot "$1"
	load_start -m "$megabytes" -z 10
	load fill pageout verify age=50 pageout
	check_content "$1, by order"
	load_end
	snapshot "$1_ordered"
	ordered=$(io_since "$1")
	load_start -g $CGROUP -m "$megabytes" -z 10
	load fill verify age=50
	check_content "$1, by lack of memory"
	load_end
	snapshot "$1_end"
	forced=$(io_since "$1_ordered")

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
want_ordered=$ordered
want_forced=$forced

load_backend "$(mb 16)" percent=0
io refused
check "pages stored" "$(changed refused fs_stores)" -eq 0
check "pages refused = written" "$(changed refused fs_rejects_backend)" \
	-eq "$written"
check "I/O by order, with a backend that refuses and without one" \
	"$ordered" = "$want_ordered"
check "I/O by lack of memory, $forced and $want_forced, parts per thousand" \
	"$(differences "$forced" "$want_forced")" -le 5
check "sectors = pages written" "$sectors_written" -eq $((written * 8))

finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The backend leaves and comes back, and swap areas leave and come back, while
# pages move in and out of the store.

. "$(dirname "$0")/tmem_lib.sh"

plan $((31 + $(with 1 fake)))

megabytes=$(mb 48)
first=$(disk swap0)
second=$(disk swap1)

make_cgroup $((megabytes / 3))M

# The area comes before the backend.
swap_on "$first" -p 5
load_start -g $CGROUP -m "$megabytes" -z 5 -t 2 -p -d
load fill
check "without a backend: pages on the device" "$(vmstat pswpout)" -gt 0

load_send loop
for round in 1 2 3; do
	load_backend "$(mb 64)"
	check_that "round $round: an area that is on already is served" \
		wait_for 5 has_stored 0
	check_that "round $round: the backend leaves during the load" \
		unload_backend
	check "round $round: pages held then" "$(frontswap pages)" -eq 0
	check "round $round: backend then" "$(backend)" = none
done
load_stop
check_content "after backends came and went"
check "pages lost" "$(frontswap poisoned_pages)" -eq 0

# Swapoff moves pages from one area's store to the other's.
load_backend "$(mb 64)"
load pageout
load_send loop
swap_on "$second" -p 9
for round in 1 2; do
	check_that "round $round: swapoff of the first area during the load" \
		swapoff "$first"
	swapon -p 7 "$first" || die "swapon"
	check_that "round $round: swapoff of the second area during the load" \
		swapoff "$second"
	swapon -p 9 "$second" || die "swapon"
done
load_stop
check_content "after areas came and went"
check_held "after areas came and went"
check_that "swapoff of the second area" swapoff "$second"

# A store that is full, and memory to take it all.
echo max >$CGROUP/memory.high
set_capacity $((megabytes * MB_PAGES / 2))
load age pageout
snapshot full
! is fake || check "a full store refuses" "$(counted refused)" -gt 0
check "pages held, of those it has room for" "$(counted pages)" \
	-gt $((megabytes * MB_PAGES / 4))
check_that "swapoff with a full store" swapoff "$first"
check "pages held after swapoff" "$(counted pages):$(frontswap pages)" = 0:0
check_content "after swapoff"
check_load_end "the end"

finish

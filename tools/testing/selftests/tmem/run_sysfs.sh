#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The files in sysfs: which there are, one value in each, and what they refuse.

. "$(dirname "$0")/tmem_lib.sh"

COUNTERS="offers stores loads failed_loads invalidates writebacks pulls
	rejects_backend rejects_disabled rejects_draining rejects_hibernation
	rejects_excluded rejects_encrypted rejects_area rejects_memory
	rejects_cgroup pages poisoned_pages"

plan 26

device=$(disk swap0)

load_backend "$(mb 16)"
swap_on "$device"
area=$(area "$device")

check_modes "files" $FRONTSWAP "444 backend $COUNTERS" \
	"644 enabled allow_encrypted"
check_numbers "counters" $FRONTSWAP "$COUNTERS"
check_that "backend is one word" one_value $FRONTSWAP/backend $MODULE
check_that "enabled" one_value $FRONTSWAP/enabled 1
check_that "allow_encrypted" one_value $FRONTSWAP/allow_encrypted 0

check_modes "files of an area" "$area" \
	"444 encrypted pages path poisoned_pages slots" \
	"644 excluded writethrough" "200 pull writeback"
check_that "path" one_value "$area/path" "$device"
check_numbers "files of an area" "$area" \
	"pages poisoned_pages slots encrypted excluded writethrough"
check "slots, at most the pages of the device" \
	"$(cat "$area/slots")" \
	-le $(($(cat "/sys/block/${device##*/}/size") / 8))

for file in $FRONTSWAP/enabled $FRONTSWAP/allow_encrypted \
	    "$area/excluded" "$area/writethrough"; do
	old=$(cat "$file")
	check_refuses "$file" 2 x ""
	[ "$(cat "$file")" = "$old" ] || die "$file has changed"
done
for file in "$area/writeback" "$area/pull"; do
	check_refuses "$file" -1
done

# Who reads the files of an area keeps nothing of it. The backend leaves at the
# same time, so that swapoff has to wait for it.
while :; do
	read -r path <"$area/path" && echo "$path"
done >"$tmp/paths" 2>/dev/null &
for round in 1 2 3 4; do
	unload_backend &
	leaving=$!
	swapoff "$device" || die "swapoff"
	wait $leaving || die "rmmod"
	load_backend "$(mb 16)"
	swapon "$device" || die "swapon"
done
check "paths read during $round times swapoff" \
	"$(sort -u "$tmp/paths")" = "$device"

swapoff "$device"
check "areas after swapoff" "$(ls $FRONTSWAP/areas)" = ""
unload_backend
check "backend after it has left" "$(backend)" = none

finish

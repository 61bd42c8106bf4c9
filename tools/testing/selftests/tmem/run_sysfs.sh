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

load_fake "$(mb 16)"
swap_on "$device"
area=$(area "$device")

want=$(for name in $COUNTERS backend; do
	echo "$name:444"
done; echo enabled:644; echo allow_encrypted:644)
want=$(echo "$want" | sort | tr '\n' ' ')
check "files" "$(modes $FRONTSWAP)" = "$want"
wrong=
for name in $COUNTERS; do
	one_value "$FRONTSWAP/$name" || wrong="$wrong $name"
done
check "counters that are not one number" "$wrong" = ""
check_that "backend is one word" one_value $FRONTSWAP/backend tmem_fake
check_that "enabled" one_value $FRONTSWAP/enabled 1
check_that "allow_encrypted" one_value $FRONTSWAP/allow_encrypted 0

want="encrypted:444 excluded:644 pages:444 path:444 poisoned_pages:444"
want="$want pull:200 slots:444 writeback:200 writethrough:644 "
check "files of an area" "$(modes "$area")" = "$want"
check_that "path" one_value "$area/path" "$device"
wrong=
for name in pages poisoned_pages slots encrypted excluded writethrough; do
	one_value "$area/$name" || wrong="$wrong $name"
done
check "files of an area that are not one number" "$wrong" = ""
check "slots, at most the pages of the device" \
	"$(cat "$area/slots")" \
	-le $(($(cat "/sys/block/${device##*/}/size") / 8))

for file in $FRONTSWAP/enabled $FRONTSWAP/allow_encrypted \
	    "$area/excluded" "$area/writethrough"; do
	old=$(cat "$file")
	for value in 2 x ""; do
		check_that "${file##*/} refuses \"$value\" with EINVAL" \
			refuses "$file" "$value"
	done
	[ "$(cat "$file")" = "$old" ] || die "$file has changed"
done
for file in "$area/writeback" "$area/pull"; do
	check_that "${file##*/} refuses \"-1\" with EINVAL" \
		refuses "$file" -1
done

# Who reads the files of an area keeps nothing of it. The backend leaves at the
# same time, so that swapoff has to wait for it.
while :; do
	read -r path <"$area/path" && echo "$path"
done >"$tmp/paths" 2>/dev/null &
for round in 1 2 3 4; do
	unload_fake &
	leaving=$!
	swapoff "$device" || die "swapoff"
	wait $leaving || die "rmmod"
	load_fake "$(mb 16)"
	swapon "$device" || die "swapon"
done
check "paths read during $round times swapoff" \
	"$(sort -u "$tmp/paths")" = "$device"

swapoff "$device"
check "areas after swapoff" "$(ls $FRONTSWAP/areas)" = ""
unload_fake
check "backend after it has left" "$(backend)" = none

finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Two partitions of the same priority and a swap file of a lower one.

. "$(dirname "$0")/tmem_lib.sh"

plan 24

megabytes=$(mb 48)
whole=$(disk swap0)
name=${whole##*/}
sectors=$((megabytes * 2048 / 3))
mount=$tmp/mount
file=$mount/swapfile

# shellcheck disable=SC2317
undo_more()
{
	swapoff -a
	umount "$mount" && delpart "$whole" 1 && delpart "$whole" 2
}

addpart "$whole" 1 2048 $sectors || die "addpart"
addpart "$whole" 2 $((4096 + sectors)) $sectors || die "addpart"
mkdir "$mount"
mke2fs -q -F -t ext4 "$(disk scratch)" || die "mke2fs"
mount "$(disk scratch)" "$mount" || die "mount"
dd if=/dev/zero of="$file" bs=1M count="$megabytes" 2>/dev/null
chmod 600 "$file"
sync

# What zcache has is charged to the cgroup.
make_cgroup $((megabytes / 4 + $(with $((megabytes / 2)) zcache)))M
load_backend "$(mb 96)"
swap_on "${whole}1" -p 10
swap_on "${whole}2" -p 10
swap_on "$file" -p 1

for part in "${whole}1" "${whole}2"; do
	check "slots of $part, as pages" "$(cat "$(area "$part")/slots")" \
		-eq $((sectors / 8))
done
# Blocks of a file that are no whole page are not used.
check "slots of $file, at most its pages" "$(cat "$(area "$file")/slots")" \
	-le $((megabytes * MB_PAGES))

snapshot start
load_start -g $CGROUP -m "$megabytes" -z 5 -t 2 -p -d
load fill pageout
for part in "${whole}1" "${whole}2" "$file"; do
	directory=$(area "$part")
	check "pages of $part held" "$(cat "$directory/pages")" -gt 0
done
check_content "three areas"
check_held "three areas"
check "sectors written to $name" "$(changed start "${name}_sectors_written")" \
	-eq 0

# Each in another mode
echo 1 >"$(area "${whole}1")/excluded"
echo 1 >"$(area "$file")/writethrough"
check "pages of the first held" "$(cat "$(area "${whole}1")/pages")" -eq 0
load age loop=3
check_content "three modes"
check "pages of the first held" "$(cat "$(area "${whole}1")/pages")" -eq 0
check_held "three modes"

# One after the other leaves.
echo max >$CGROUP/memory.high
load_send loop
check_that "the second leaves" swapoff "${whole}2"
check_that "the file leaves" swapoff "$file"
check_that "the first leaves" swapoff "${whole}1"
load_stop
check_content "no area"
check "pages held" "$(counted pages)" -eq 0
check_load_end "the end"

finish

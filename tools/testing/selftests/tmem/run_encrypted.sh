#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Who encrypts a swap device does not expect its pages outside of the guest: a
# backend there gets none of them unless the administrator allows it.

. "$(dirname "$0")/tmem_lib.sh"

modprobe dm-crypt 2>/dev/null
dmsetup targets 2>/dev/null | grep -qw crypt || skip_all "CONFIG_DM_CRYPT"
plan $((5 + $(with 19 fake)))

megabytes=$(mb 16)
device=$(disk swap0)
key=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
size=$(cat "/sys/block/${device##*/}/size")

unmap()
{
	if dmsetup info "$1" >/dev/null 2>&1; then
		dmsetup --noudevsync remove "$1" && dmsetup mknodes "$1"
	fi
}

# shellcheck disable=SC2317
undo_more()
{
	swapoff -a
	echo 0 >"$FRONTSWAP/allow_encrypted"
	unmap tmem_linear && unmap tmem_crypt
}

map()
{
	dmsetup --noudevsync create "$1" --table "$2" || die "dmsetup $1"
	dmsetup mknodes "$1"
}

no_readahead

# run_area NAME DEVICE ENCRYPTED STORED: what should become of the pages
run_area()
{
	swap_on "$2"
	path=$(readlink -f "$2")
	for area in "$FRONTSWAP"/areas/*; do
		:
	done
	check "$1, area of $path: encrypted" "$(cat "$area/encrypted")" -eq "$3"
	snapshot start
	load_start -m "$megabytes"
	load fill pageout
	check_content "$1"
	snapshot end
	if [ "$4" -eq 1 ]; then
		check "$1: pages stored" "$(changed start fs_stores)" -gt 0
		check "$1: refused as encrypted" \
			"$(changed start fs_rejects_encrypted)" -eq 0
	else
		check "$1: pages stored" "$(changed start fs_stores)" -eq 0
		check "$1: refused as encrypted" \
			"$(changed start fs_rejects_encrypted)" -gt 0
	fi
}

leave()
{
	load_end
	swapoff "$1" || die "swapoff $1"
}

map_crypt()
{
	map tmem_crypt "0 $size crypt aes-xts-plain64 $key 0 $device 0"
}

run_outside()
{
	load_backend "$(mb 64)" outside=1
	run_area "plain disk" "$device" 0 1
	leave "$device"

	map_crypt
	run_area "crypt" /dev/mapper/tmem_crypt 1 0
	set_frontswap allow_encrypted 1
	load age pageout
	check "allowed: pages held" "$(counted pages)" -gt 0
	set_frontswap allow_encrypted 0
	check "not allowed any more: pages held" "$(counted pages)" -eq 0
	check_content "not allowed any more"
	leave /dev/mapper/tmem_crypt

	# Whoever lies on top holds the device below, which cannot be swapped to.
	map tmem_linear "0 $size linear /dev/mapper/tmem_crypt 0"
	run_area "linear over crypt" /dev/mapper/tmem_linear 1 0
	leave /dev/mapper/tmem_linear
	unmap tmem_linear
	unload_backend || die "rmmod"
}

if is fake; then
	run_outside
else
	map_crypt
fi

load_backend "$(mb 64)" outside=0
run_area "crypt, backend inside" /dev/mapper/tmem_crypt 1 1
leave /dev/mapper/tmem_crypt

finish

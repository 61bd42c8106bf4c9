#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# For a domain: goes on when dom0 wants to save it and that cannot be, first because
# its swap device answers nobody, so that no page comes back from the hypervisor, then
# because a process does not freeze. Afterwards dom0 can save it. Dom0 says how many
# saves have ended.
set -eu
# shellcheck source=domain.sh
. /opt/tmem/guest/domain.sh

# When a task has waited for a minute, the kernel reports it.
seconds=45

# NAME SECTORS: a device in front of the first ones of the swap disk
mapped()
{
	dmsetup --noudevsync create "$1" --table "0 $2 linear /dev/tmem/swap0 0"
	dmsetup mknodes "$1"
}

hold()
{
	dmsetup --noudevsync suspend --noflush --nolockfs "$1"
}

release()
{
	dmsetup --noudevsync resume "$1"
}

uptime()
{
	read -r now rest < /proc/uptime
	echo "${now%.*}"
}

# REGEX NAME: waits until the kernel has said that; how long is the stat NAME_after
kernel_says()
{
	since=$(uptime)
	until dmesg | grep -q "$1"; do
		if [ $(($(uptime) - since)) -ge $seconds ]; then
			echo "# $seconds s, and the kernel has not said: $1"
			return 1
		fi
		sleep 1
	done
	echo "# stat ${2}_after=$(($(uptime) - since))"
}

goes_on()
{
	stores=$(number "$frontswap/stores")
	numbers 9000000
	test "$right" = "$(sums)"
	test "$(number "$frontswap/stores")" -gt $((stores + 1000))
	test "$(number "$counters/suspends")" -eq 0
	test "$(number "$counters/pools")" -eq "$pools"
}

mapped swap "$(blockdev --getsz /dev/tmem/swap0)"
mapped stuck 8
tmem_begin 80 /dev/mapper/swap
numbers 9000000
right=$(sums)
pools=$(number "$counters/pools")
echo "TAP version 13"
echo "1..8"
test "$(number "$frontswap/pages")" -gt 2000
# Who needs a page that the device has would wait while it is held.
on_device=$(sed -n 's/^pswpout //p' /proc/vmstat)
echo "# stat on_device=$on_device"
test "$on_device" -eq 0
echo "ok 1 pages are in the hypervisor, and none on the device"

hold swap
echo "# swap is held"
kernel_says "no suspend: pages of swap are left" veto
pages=$(number "$frontswap/pages")
release swap
echo "# stat left=$pages"
test "$pages" -gt 1000
kernel_says "suspend refused" refusal
test "$(dmesg | grep -c "Freezing user space")" -eq 0
echo "ok 2 no suspend while no page can be taken back"
test "$right" = "$(sums)"
echo "ok 3 swapped memory and files are the same"
goes_on
echo "ok 4 pages are stored again, where they were"
await 1

hold stuck
dd if=/dev/mapper/stuck of=/dev/null iflag=direct bs=4k count=1 2>/dev/null &
echo "# a process is held"
kernel_says "freeze processes failed" failure
release stuck
wait $!
echo "ok 5 no suspend while a process does not freeze"
goes_on
echo "ok 6 pages are stored again, where they were"
await 2

echo "# nothing is held"
await 3
test "$(dmesg | grep -c "Freezing user space processes completed")" -eq 1
goes_on
echo "ok 7 it goes on after a save, too"
test "$(number "$counters/failed_loads")" -eq 0
echo "ok 8 none was lost"

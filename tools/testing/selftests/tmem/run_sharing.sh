#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Pages that several processes share, copy-on-write, as shared memory, in tmpfs
# or merged by KSM, and the limits of memory cgroups.

. "$(dirname "$0")/tmem_lib.sh"

KSM=/sys/kernel/mm/ksm

plan $((30 + $(with 1 fake xen)))

megabytes=$(mb 32)
device=$(disk swap0)
name=${device##*/}

event()
{
	sed -n "s/^$1 //p" $CGROUP/memory.stat
}

# in_memory SIZE
in_memory()
{
	make_cgroup "$1"
	stored=$(event fswpout)
}

# check_stored DESCRIPTION: pages of the cgroup went to the store
check_stored()
{
	check "$1: pages stored for the cgroup" \
		$(($(event fswpout) - stored)) -gt 0
}

load_backend "$(mb 128)"
swap_on "$device"
snapshot start

in_memory $((megabytes / 2))M
load_start -g $CGROUP -m "$megabytes" -z 5
load fill fork=3
check_content "copy-on-write"
check_stored "copy-on-write"
check_load_end "copy-on-write"

in_memory $((megabytes / 2))M
load_start -g $CGROUP -m "$megabytes" -S -t 2 -p -d
load fill loop=2 fork=2
check_content "shared memory"
check_stored "shared memory"
check_load_end "shared memory"

in_memory $((megabytes / 2))M
load_start -g $CGROUP -m "$megabytes" -f "/dev/shm/tmem.$$" -t 2 -p -d
load fill loop=2 fork=2
check_content "tmpfs"
check_stored "tmpfs"
check_load_end "tmpfs"
rm "/dev/shm/tmem.$$"

# A limit to swap counts what is in the store.
rmdir $CGROUP || die "rmdir $CGROUP"
in_memory $((megabytes * 3 / 4))M
echo $((megabytes / 4))M >$CGROUP/memory.swap.max
load_start -g $CGROUP -k $((megabytes * 960)) -t 2
load fill loop=2
check_content "a limit to swap"
check_stored "a limit to swap"
check "a limit to swap: bytes of swap" "$(cat $CGROUP/memory.swap.peak)" \
	-le $((megabytes << 18))
check "a limit to swap: counts stored pages" \
	"$(cat $CGROUP/memory.swap.current)" \
	-ge $(($(frontswap pages) * 4096))
check_load_end "a limit to swap"
echo max >$CGROUP/memory.swap.max

# A cgroup goes, its pages in the store stay.
in_memory max
# shellcheck disable=SC2016
sh -c 'echo 0 >"$0/cgroup.procs" && seq 100000000 999999999 | head -c "$1" >"$2"' \
	$CGROUP $((megabytes << 19)) "/dev/shm/tmem.$$"
sum=$(cksum <"/dev/shm/tmem.$$")
squeeze_cgroup
check_stored "a cgroup that goes"
check_that "a cgroup that goes" rmdir $CGROUP
check "a cgroup that goes: content" "$(cksum <"/dev/shm/tmem.$$")" = "$sum"
rm "/dev/shm/tmem.$$"

# Pages that are the same twice
if [ -d $KSM ]; then
	in_memory max
	load_start -g $CGROUP -m $((megabytes / 2)) -T
	load fill merge
	echo 100000 >$KSM/pages_to_scan
	echo 10 >$KSM/sleep_millisecs
	echo 1 >$KSM/run
	# shellcheck disable=SC2317
	merged()
	{
		[ "$(cat "$KSM/pages_sharing")" -gt $((megabytes * MB_PAGES / 8)) ]
	}
	check_that "KSM: pages are merged" wait_for 20 merged
	squeeze_cgroup
	check_content "KSM"
	load age=30
	squeeze_cgroup
	check_content "KSM, some rewritten"
	check_stored "KSM"
	echo 2 >$KSM/run
	echo 0 >$KSM/run
	check_load_end "KSM"
else
	skip 7 CONFIG_KSM
fi

snapshot end
# What zcache has of a cgroup is charged to it, and written when it is at its limit.
is zcache || check "all: sectors written to $name" \
	"$(changed start "${name}_sectors_written")" -eq 0
check_held "all"

finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The administrator takes pages back, excludes an area, and switches the front
# end off, with the memory at rest and while pages move in and out.

. "$(dirname "$0")/tmem_lib.sh"

plan 47

megabytes=$(mb 32)
[ "$megabytes" -ge 8 ] || megabytes=8
device=$(disk swap0)
name=${device##*/}

no_readahead
make_cgroup max
load_backend "$(mb 64)"
swap_on "$device"
area=$(area "$device")

cgroup_writebacks()
{
	sed -n 's/^fswpwb //p' $CGROUP/memory.stat
}

# shellcheck disable=SC2317 # wait_for calls it
cgroup_wrote()
{
	[ "$(cgroup_writebacks)" -eq "$1" ]
}

load_start -g $CGROUP -m "$megabytes" -t 2 -p
load fill pageout
held=$(counted pages)
check "pages held" "$held" -gt $((megabytes * MB_PAGES * 8 / 10))

# At rest every page can be accounted for.
snapshot start
echo 500 >"$area/writeback"
snapshot end
check "500 pages to the device: held" "$(counted pages)" -eq $((held - 500))
check "500 pages to the device: writebacks" "$(changed start fs_writebacks)" \
	-eq 500
check "500 pages to the device: fswpwb" "$(changed start vm_fswpwb)" -eq 500
check "500 pages to the device: sectors written" \
	"$(changed start "${name}_sectors_written")" -eq 4000
# The kernel sums up statistics of cgroups every two seconds.
wait_for 10 cgroup_wrote 500
check "500 pages to the device: of the cgroup" "$(cgroup_writebacks)" -eq 500

snapshot start
echo 300 >"$area/pull"
snapshot end
check "300 pages to memory: held" "$(counted pages)" -eq $((held - 800))
check "300 pages to memory: pulls" "$(changed start fs_pulls)" -eq 300
check "300 pages to memory: sectors written" \
	"$(changed start "${name}_sectors_written")" -eq 0
check_content "taken back"

load pageout
check "swapped out again: pages held" "$(counted pages)" -gt 0
echo 1 >"$area/excluded"
check "excluded: pages held" "$(counted pages):$(frontswap pages)" = 0:0
snapshot start
load age pageout
snapshot end
check "excluded: pages stored" "$(changed start fs_stores)" -eq 0
check "excluded: pages refused for that" \
	"$(changed start fs_rejects_excluded)" -gt 0
check_content "excluded"
check_sums "excluded" start
echo 0 >"$area/excluded"

load age pageout
check "included again: pages held" "$(counted pages)" -gt 0
set_frontswap enabled 0
check "switched off: pages held" "$(counted pages):$(frontswap pages)" = 0:0
snapshot start
load age pageout
snapshot end
check "switched off: pages stored" "$(changed start fs_stores)" -eq 0
check "switched off: pages refused for that" \
	"$(changed start fs_rejects_disabled)" -gt 0
check_content "switched off"
check_sums "switched off" start
set_frontswap enabled 1

load age pageout
check "switched on again: pages held" "$(counted pages)" -gt 0
echo 1 >"$area/writethrough"
check "written through: pages held before" "$(counted pages)" -eq 0
snapshot start
load age pageout
snapshot end
check "written through: pages stored" "$(changed start fs_stores)" -gt 0
check "written through: all of them written too" \
	"$(changed start vm_pswpout)" -ge "$(changed start fs_stores)"
check_content "written through"
echo 0 >"$area/writethrough"
check "not any more: pages held" "$(counted pages)" -eq 0
check_content "not any more"

# And all of it while pages move.
echo $((megabytes / 3))M >$CGROUP/memory.high
snapshot start
load_send loop
for round in 1 2 3; do
	echo 1000 >"$area/writeback" || die "writeback"
	echo 1000 >"$area/pull" || die "pull"
	echo 1 >"$area/excluded" || die "excluded"
	excluded_pages=$(cat "$area/pages")
	echo 0 >"$area/excluded" || die "excluded"
	echo 1 >"$area/writethrough" || die "writethrough"
	echo 0 >"$area/writethrough" || die "writethrough"
	set_frontswap enabled 0
	disabled_pages=$(frontswap pages)
	set_frontswap enabled 1
	sleep 1
	check "round $round, under load: pages held, excluded and switched off" \
		"$excluded_pages:$disabled_pages" = 0:0
done
# Of a slow store, pages change while they wait to be taken back.
! is fake || set_fake delay_us 500
set_frontswap enabled 0
check "slow, under load: pages held, switched off" "$(frontswap pages)" -eq 0
! is fake || set_fake delay_us 0
set_frontswap enabled 1
load_stop
check_content "under load"
snapshot end
check "under load: pages stored nevertheless" "$(changed start fs_stores)" -gt 0
check "loads that failed" "$(changed start fs_failed_loads)" -eq 0
check_held "the end"
check_load_end "the end"

finish

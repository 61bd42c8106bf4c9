#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Large folios are stored whole, and loaded whole where the kernel does so: as
# anonymous memory on a synchronous device, from 16 kB to 1 MB, while zswap has
# never been on. So this must run before a test that switches zswap on.

. "$(dirname "$0")/tmem_lib.sh"

TRACING=/sys/kernel/tracing
THP=/sys/kernel/mm/transparent_hugepage
sizes="16 32 64 128 256 512 1024 2048"

modinfo brd >/dev/null 2>&1 || skip_all "CONFIG_BLK_DEV_RAM"
plan $((73 + $(with 10 fake) + $(with 14 xen)))

megabytes=$(mb 16)
[ "$megabytes" -ge 8 ] || megabytes=8
disk=$(disk swap0)

grep . $THP/hugepages-*/enabled >"$tmp/thp"
old_rotational=$(cat "/sys/block/${disk##*/}/queue/rotational")

# shellcheck disable=SC2317
undo_more()
{
	echo 0 >"$TRACING/events/frontswap/enable"
	echo >"$TRACING/trace"
	set_rotational "$disk" "$old_rotational"
	sed 's/\(.*\):.*\[\(.*\)\].*/\1 \2/' "$tmp/thp" |
		while read -r file value; do
			echo "$value" >"$file"
		done
	[ ! -d /sys/module/brd ] || { swapoff -a && rmmod brd; }
}

only_size()
{
	for other in $sizes; do
		echo never >"$THP/hugepages-${other}kB/enabled"
	done
	echo madvise >"$THP/hugepages-${1}kB/enabled"
}

trace_start()
{
	echo >$TRACING/trace
	echo 1 >$TRACING/events/frontswap/frontswap_store/enable
	echo 1 >$TRACING/events/frontswap/frontswap_load/enable
}

# traced store|load NR: how often that succeeded for NR pages at once
traced()
{
	grep -c "frontswap_$1: .* nr=$2 .* ret=0\$" $TRACING/trace
}

allocated()
{
	cat "$THP/hugepages-${1}kB/stats/anon_fault_alloc"
}

# whole SIZE: store and load memory made of folios of SIZE kB
whole()
{
	nr=$(($1 / 4))
	only_size "$1"
	trace_start
	before=$(allocated "$1")
	load_start -m "$megabytes" -H
	load fill
	! is xen || puts=$(counted put_calls)
	load pageout
	! is xen || puts=$(($(counted put_calls) - puts))
	! is xen || gets=$(counted get_calls)
	folios=$(($(allocated "$1") - before))
	check_content "$where, $1 kB"
	check "$where, $1 kB: folios allocated" $folios \
		-gt $((megabytes * MB_PAGES / nr / 2))
	check "$where, $1 kB: stored whole" "$(traced store $nr)" -eq $folios
	loaded=$(traced load $nr)
	! is xen || gets=$(($(counted get_calls) - gets))
	load_end
	! is xen || [ $nr -lt 16 ] || check_calls "$where, $1 kB: stored" "$puts"
}

# check_calls WHAT CALLS: at most one hypercall for 16 pages of the folios; some
# pages of others may have been among them.
check_calls()
{
	note "stat large_${1##* }_calls_$nr=$2"
	check "$1 by hypercalls" "$2" -le $((folios * nr / 16 + 16))
}

modprobe brd rd_nr=1 rd_size=$((64 * 1024)) || die "brd"
echo 8192 >$TRACING/buffer_size_kb
load_backend $((megabytes * 4))

where=synchronous
swap_on /dev/ram0
for size in 16 32 64 128 256 512 1024; do
	whole $size
	check "$where, $size kB: loaded whole" "$loaded" -eq "$folios"
	! is xen || [ $nr -lt 16 ] ||
		check_calls "$where, $size kB: loaded" "$gets"
done
whole 2048
check "$where, 2048 kB: loaded whole" "$loaded" -eq 0

# fits SIZE
# shellcheck disable=SC2317
fits()
{
	[ "$(counted pages)" -le "$1" ]
}

# The backend has pushed out some pages of many folios, which must not be in the
# swap cache any more: then nobody would read them in one piece anyway.
mixed()
{
	load_start -g $CGROUP -m "$megabytes" -H
	load fill pageout
	held=$(counted pages)
	set_fake capacity $((held * 7 / 8))
	check_that "mixed: pages are pushed out" \
		wait_for 10 fits $((held * 7 / 8))
	squeeze_cgroup
	set_fake capacity "$(counted frames)"
	trace_start
	load verify=1 drop=1
	check_content "mixed"
	check "mixed: loaded whole" "$(traced load 16)" -gt 0
	check "mixed: loaded by pages" "$(traced load 1)" -gt $((held / 100))
	load_end
}

only_size 64
make_cgroup max
area=$(area /dev/ram0)
! is fake || mixed

# The backend pushes pages out from under folios that are being read, and the
# cgroup is short of memory, so that they leave the swap cache as well. What was
# read in pieces is no large folio any more, so each round begins with new ones.
snapshot start
load_start -g $CGROUP -m "$megabytes" -H
echo $((megabytes / 2))M >$CGROUP/memory.high
while echo 100 >"$area/writeback"; do
	:
done &
for _ in 1 2 3 4 5 6 7 8 9 10; do
	load drop=100 fill pageout verify
done
kill $!
echo max >$CGROUP/memory.high
check_content "shrink against swap-in"
snapshot end
check "shrink against swap-in: pages taken back" \
	"$(changed start fs_writebacks)" -gt 0
check "shrink against swap-in: loads that failed" \
	"$(changed start fs_failed_loads)" -eq 0
load_end
swapoff /dev/ram0

where=disk
set_rotational "$disk" 0
no_readahead
swap_on "$disk"
for size in 32 128 512 2048; do
	whole $size
	check "$where, $size kB: loaded whole" "$loaded" -eq 0
done

# left SNAPSHOT: pages that have left the store since. Those that were loaded have,
# too, except for the fake hypervisor's; zcache does not count what it is told to
# forget.
left()
{
	invalidates=backend_invalidates
	loads=0
	! is zcache || invalidates=fs_invalidates
	is fake || loads=$(changed "$1" backend_loads)
	echo $(($(changed "$1" $invalidates) + loads))
}

# Single pages of a folio that was stored whole
only_size 64
load_start -m "$megabytes" -H
load fill pageout
held=$(counted pages)
trace_start
snapshot start
load verify=10 drop=10
snapshot end
check "single pages: loaded" "$(traced load 1)" -gt 0
check "single pages: invalidated, no more held" "$(counted pages)" \
	-eq $((held - $(left start)))
check "single pages: invalidated" "$(changed start fs_invalidates)" -gt 0
check_content "single pages"
check_held "single pages"
# Loading may have taken them out.
load pageout
snapshot start
load unmap=20
snapshot end
check "single pages: unmapped, invalidated" "$(left start)" -gt 0
load verify
check "single pages: unmapped, the others are right, wrong pages" \
	"$load_wrong" -eq 0
load_end

# All pages of a folio or none, whatever the policy
at_random()
{
	set_fake percent 40
	snapshot start
	load_start -m "$megabytes" -H
	load fill pageout age=5 pageout
	check_content "accepted at random"
	check_sums "accepted at random" start
	check "accepted at random: refused whole" \
		"$(grep -c 'frontswap_store: .* nr=16 reject=[1-9]' \
		   $TRACING/trace)" -gt 0
	load_end
}

! is fake || at_random

finish

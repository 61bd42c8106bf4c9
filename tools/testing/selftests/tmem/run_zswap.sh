#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# zswap is switched on and off while pages move, with a backend that stands
# behind it and with one that stands before it. A page is in one store at most.

. "$(dirname "$0")/tmem_lib.sh"

ZSWAP=/sys/module/zswap/parameters

[ -d $ZSWAP ] || skip_all "CONFIG_ZSWAP"
plan 22

megabytes=$(mb 32)
device=$(disk swap0)
old_enabled=$(cat $ZSWAP/enabled)
old_percent=$(cat $ZSWAP/max_pool_percent)

# shellcheck disable=SC2317
undo_more()
{
	echo "$old_enabled" >"$ZSWAP/enabled" &&
		echo "$old_percent" >"$ZSWAP/max_pool_percent"
}

zswap_pages()
{
	cat $DEBUGFS/zswap/stored_pages
}

make_cgroup max
swap_on "$device"

for before in 0 1; do
	what="before_zswap=$before"
	load_fake "$(mb 64)" before_zswap=$before percent=50
	echo N >$ZSWAP/enabled
	snapshot start
	load_start -g $CGROUP -m "$megabytes" -z 5 -c -t 2 -p -d
	load fill pageout
	echo Y >$ZSWAP/enabled
	load age=70 pageout
	check_content "$what, switched on"
	snapshot on
	check "$what: pages to frontswap" "$(changed start fs_stores)" -gt 0
	check "$what: pages to zswap" "$(changed start vm_zswpout)" -gt 0
	check "$what: pages in zswap + frontswap, of those in use" \
		$(($(zswap_pages) + $(frontswap pages))) -le "$(used_pages)"

	echo $((megabytes / 3))M >$CGROUP/memory.high
	load_send loop
	for percent in 1 20 1 20; do
		echo N >$ZSWAP/enabled
		sleep 0.7
		echo $percent >$ZSWAP/max_pool_percent
		echo Y >$ZSWAP/enabled
		sleep 0.7
	done
	load_stop
	check_content "$what, switched on and off"
	check_sums "$what" start
	check "$what: pages in zswap + frontswap, of those in use" \
		$(($(zswap_pages) + $(frontswap pages))) -le "$(used_pages)"
	echo max >$CGROUP/memory.high
	check_load_end "$what"
	unload_fake
done

finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Allocations fail, in the faults of a program and in reclaim on its behalf.
# Needs failslab and fail_page_alloc, set up before with task-filter and some
# probability: the program marks itself.

. "$(dirname "$0")/tmem_lib.sh"

for fault in failslab fail_page_alloc; do
	[ -d $DEBUGFS/$fault ] || skip_all "$fault"
done
plan 10

megabytes=$(mb 96)
device=$(disk swap0)
for fault in failslab fail_page_alloc; do
	note "$fault probability=$(cat $DEBUGFS/$fault/probability)" \
		"times=$(cat $DEBUGFS/$fault/times)"
done

# What is marked must notice.
broken=0
for try in 1 2 3 4 5 6 7 8 9 10; do
	(echo 1 >/proc/self/make-it-fail && exec cat /proc/version) \
		>/dev/null 2>&1 || broken=$((broken + 1))
done
check "programs that fail, of $try" $broken -gt 0

make_cgroup $((megabytes / 3))M
load_backend $((megabytes * 2)) percent=70
swap_on "$device"
area=$(area "$device")

snapshot start
for seed in $SEED $((SEED + 1)); do
	# shellcheck disable=SC2086
	pageload ${LOAD_OPTIONS-} -F -s "$seed" -g $CGROUP -m "$megabytes" -z 5 -t 2 \
		fill loop=5 verify >"$tmp/out" 2>&1 &
	program=$!
	# Taking pages back fails as well, for whoever orders it.
	(echo 1 >/proc/self/make-it-fail
	 while kill -0 $program 2>/dev/null; do
		echo 200 >"$area/writeback"
		echo 200 >"$area/pull"
	 done) 2>/dev/null
	wait $program
	check "seed $seed: status of pageload" $? -eq 0
	sed 's/^[^#]/# &/' "$tmp/out"
done
snapshot end
check "pages stored" "$(changed start fs_stores)" -gt 0
check "loads that failed" "$(changed start fs_failed_loads)" -eq 0
note "refused for lack of memory: $(changed start fs_rejects_memory)"
check_sums "all" start
wait_for 5 is_empty
check_held "the end"
check "pages left behind" "$(counted pages)" -eq 0

finish

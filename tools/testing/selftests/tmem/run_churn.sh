#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2317 # functions are called by name
#
# While processes work on a file: backends come and go, the store's size changes,
# the administrator switches, excludes and drops, and the filesystem is unmounted
# as soon as it can be. No page is wrong, and nothing is left.

. "$(dirname "$0")/tmem_lib.sh"
. "$(dirname "$0")/tmem_files.sh"

seconds=${EXERCISE_SECONDS:-5}
checks=$((12 + $(with 1 fake xen)))
# Where the scenario has set this up
failing=$(cat $DEBUGFS/failslab/probability 2>/dev/null || echo 0)
[ "$failing" -eq 0 ] || checks=$((checks + 2))
plan_files $checks "$WRITABLE"

# exercise: in the background, until exercise_end
exercise()
{
	fileload -s "$SEED" -t 0 -p 2 -z 1024 -r "$CGROUP/memory.reclaim" \
		"$MOUNT/file" >"$tmp/exercise" 2>&1 &
	exercise_pid=$!
}

exercise_end()
{
	kill -TERM $exercise_pid
	wait $exercise_pid
	check "$1: right" $? -eq 0
	sed 's/^# //; s/^/# /' "$tmp/exercise" | tail -n 1
}

# until_over FUNCTION: again and again, as long as a run takes
until_over()
{
	end=$(($(date +%s) + seconds))
	rounds=0
	while [ $rounds -lt 4 ] || [ "$(date +%s)" -lt $end ]; do
		"$1"
		rounds=$((rounds + 1))
	done
	kill -0 $exercise_pid 2>/dev/null || note "the exercise has ended"
}

backends()
{
	load_backend_files "$(mb 16)" exclusive=$((rounds % 2))
	sleep 0.3
	unload_backend || die "rmmod"
}

capacities()
{
	set_capacity $((rounds % 5 * 500))
	sleep 0.2
}

# Whoever reclaims finds no memory to remember what was put.
shortages()
{
	set_cleancache drop 1
	(echo 1 >/proc/self/make-it-fail
	 echo 2M >"$CGROUP/memory.reclaim") 2>/dev/null
}

# Takes turns with what an administrator may do.
decisions()
{
	case $((rounds % 4)) in
	0) set_cleancache enabled 0; set_cleancache enabled 1 ;;
	1) echo 1 >"$mount_dir/excluded"; echo 0 >"$mount_dir/excluded" ;;
	2) set_cleancache drop 1 ;;
	3) set_cleancache verify 1; sleep 0.3; set_cleancache verify 0 ;;
	esac
	sleep 0.2
}

run_fs()
{
	begin_fs "$1"

	exercise
	until_over backends
	check "$1: backends that came and went" $rounds -ge 4
	exercise_end "$1, backends"

	load_backend_files "$(mb 16)" exclusive=0
	hits=$(cleancache hits)
	exercise
	until_over capacities
	set_capacity 20000
	exercise_end "$1, capacity"
	check "$1, capacity: hits" $(($(cleancache hits) - hits)) -gt 0
	if [ "$failing" -gt 0 ]; then
		refused=$(cleancache rejects_memory)
		exercise
		until_over shortages
		while [ "$(cleancache rejects_memory)" -eq "$refused" ] &&
		      [ $rounds -lt 200 ]; do
			shortages
			rounds=$((rounds + 1))
		done
		exercise_end "$1, no memory"
		check "$1, no memory: pages refused" \
			$(($(cleancache rejects_memory) - refused)) -gt 0
	fi
	hits=$(cleancache hits)
	exercise
	until_over decisions
	exercise_end "$1, decisions"
	check "$1, decisions: hits" $(($(cleancache hits) - hits)) -gt 0
	check "$1: wrong" "$(cleancache corrupted)" -eq 0

	echo 1 >"$mount_dir/excluded"
	check "$1, excluded: pages" "$(show "$mount_dir/pages")" -eq 0
	check "$1, excluded: pages held" "$(counted pages)" -eq 0
	puts=$(cleancache puts)
	content "$MOUNT/file" >"$tmp/sum"
	evict
	check "$1, excluded: puts" $(($(cleancache puts) - puts)) -eq 0
	echo 0 >"$mount_dir/excluded"

	# Unmounted while it is being read and evicted
	right=$(content "$MOUNT/file")
	is zcache || pools=$(counted pools)
	(while cat "$MOUNT/file"; do :; done >/dev/null 2>&1) &
	while ! umount "$MOUNT" 2>/dev/null; do
		evict
	done
	kill $! 2>/dev/null
	wait
	is zcache || check "$1, unmounted: pools that went" \
		$((pools - $(counted pools))) -eq 1
	check "$1, unmounted: pages held" "$(counted pages)" -eq 0
	mount_fs "$1"
	check "$1, mounted again: content" \
		"$(content "$MOUNT/file")" = "$right"
	end_fs
}

for fs in $WRITABLE; do
	run_fs "$fs"
done
finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC3043
#
# zcache: codecs and limits that change, memory that becomes short, and a module that
# comes and goes, while pages move in and out.
#
# Environment, besides that of tmem_lib.sh:
#	SOAK_SECONDS	of everything at once (10)

BACKEND=zcache
. "$(dirname "$0")/tmem_lib.sh"
. "$(dirname "$0")/tmem_files.sh"
. "$(dirname "$0")/tmem_zcache.sh"

plan_files 63

device=$(disk swap0)
megabytes=$(mb 32)

# shellcheck disable=SC2317
undo_more()
{
	! mountpoint -q "$MOUNT" || umount "$MOUNT"
}

# begin_load: anonymous memory that compresses, some that does not, a file that
# changes, and one that does not
begin_load()
{
	make_cgroup $((megabytes * 2 / 3))M
	load_start -g "$CGROUP" -m "$megabytes" -z 5 -t 2 -p -d
	load fill
	load_send loop
	pageload -s "$SEED" -o 2 -g "$CGROUP" -m $((megabytes / 4)) -p \
		fill loop verify >"$tmp/random" &
	random=$!
	in_cgroup fileload -s "$SEED" -t 0 -p 2 -z 1024 \
		-r "$CGROUP/memory.reclaim" "$MOUNT/file" >"$tmp/files" 2>&1 &
	files=$!
	wait_for 60 grep -q seed= "$tmp/files" || die "fileload does not begin"
	# shellcheck disable=SC2016
	in_cgroup sh -c 'while [ "$(cksum <"$0")" = "$1" ]; do :; done
			 echo wrong >"$2"' "$MOUNT/text" "$text" "$tmp/wrong" &
	reader=$!
}

# end_load NAME
end_load()
{
	kill -USR1 $random
	kill -TERM $files
	wait $random
	check "$1: pages that do not compress: status of pageload" $? -eq 0
	kill $reader
	check_that "$1: a file that is read all the time is right" \
		test ! -e "$tmp/wrong"
	wait $files
	check "$1: files: status of fileload" $? -eq 0
	load_stop
	check_content "$1"
	check_load_end "$1"
	check "$1: pages lost" "$(frontswap poisoned_pages)" -eq 0
	check "$1: pages of files that were wrong" \
		"$(cleancache corrupted)" -eq 0
}

# loaded HALF BEFORE: pages that came from the store since
loaded()
{
	echo $(($(show "$ZCACHE/$1/loads") - $2))
}

run_codecs()
{
	local anon file codec rounds=0

	begin_load
	anon=$(show $ZCACHE/anon/loads)
	file=$(show $ZCACHE/file/loads)
	until { [ $rounds -ge 2 ] && [ "$(loaded anon "$anon")" -gt 1000 ] &&
		[ "$(loaded file "$file")" -gt 100 ]; } || [ $rounds -ge 40 ]
	do
		rounds=$((rounds + 1))
		for codec in $codecs; do
			for half in anon file; do
				echo "$codec" >$ZCACHE/$half/codec ||
					die "$codec"
			done
			sleep 0.5
		done
	done
	check "codecs change: pages of swap loaded" \
		"$(loaded anon "$anon")" -gt 1000
	check "codecs change: pages of files loaded" \
		"$(loaded file "$file")" -gt 100
	end_load "codecs change"
}

run_limits()
{
	local limit

	begin_load
	for limit in max_bytes:0 max_percent:30 max_bytes:1M max_percent:0 \
		     max_bytes:4M max_bytes:3000000 max_percent:1 max_bytes:40M; do
		for half in anon file; do
			half $half
			set_zcache "${limit%:*}" "${limit#*:}"
		done
		sleep 0.5
	done
	end_load "limits change"
}

# shellcheck disable=SC2317
kept()
{
	[ "$(counted frames)" -le "$1" ]
}

# shellcheck disable=SC2317
has_frames()
{
	[ "$(counted frames)" -gt "$1" ]
}

# check_limit anon|file: half of what it has is enough. On each CPU at once, zsmalloc
# takes up to eight page frames, and what has pages of files takes two.
check_limit()
{
	local limit frames most=0 slack=$((2 * $(nproc)))

	[ "$1" = file ] || slack=$((8 * $(nproc)))

	half "$1"
	set_zcache codec lz4
	set_zcache max_percent 30
	wait_for 30 has_frames 60
	limit=$(($(counted frames) / 2 | 1))
	check "$half: page frames, before" $limit -gt 20
	set_zcache max_bytes $((limit * 4096))
	check_that "$half: no more than the limit soon" wait_for 5 kept $limit
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		sleep 0.2
		frames=$(counted frames)
		[ "$frames" -le "$most" ] || most=$frames
	done
	check "$half: page frames, of the limit under load" "$most" \
		-le $((limit + slack))
}

run_lower_limit()
{
	begin_load
	check_limit file
	check "file: pages dropped" "$(counted evicted)" -gt 0
	snapshot start
	check_limit anon
	snapshot end
	check "anon: pages written to the device" \
		"$(changed start vm_fswpwb)" -gt 0
	check "anon: pages evicted" "$(counted evicted)" -ge 1
	end_load "lower limits"
}

run_unload()
{
	begin_load
	for round in 1 2 3; do
		check_that "round $round: zcache leaves under load" \
			unload_backend
		check "round $round: pages held then" \
			"$(frontswap pages):$(cleancache pages)" = 0:0
		load_zcache
		half anon
		set_zcache codec "$(echo "$codecs" | cut -d' ' -f $round)"
		check_that "round $round: it is used again" \
			wait_for 5 has_stored 0
	done
	end_load "zcache comes and goes"
}

# pick WORD...: one of them, by chance
pick()
{
	seed=$(((seed * 1103515245 + 12345) % 2147483648))
	shift $((seed / 65536 % $#))
	picked=$1
}

# disturb: by what an administrator may do
disturb()
{
	pick anon file
	half "$picked"
	pick codec max_bytes max_percent total policy group reclaim caches unload
	case $picked in
	codec)
		# shellcheck disable=SC2086
		pick $codecs
		set_zcache codec "$picked" ;;
	max_bytes)
		pick 0 1M 3000000 8M 64M
		set_zcache max_bytes "$picked" ;;
	max_percent)
		pick 0 1 10 50
		set_zcache max_percent "$picked" ;;
	total)
		pick 1 5 100
		echo "$picked" >$ZCACHE/max_percent || die "max_percent" ;;
	policy)
		pick raw disk
		echo "$picked" >$ZCACHE/anon/incompressible || die "policy" ;;
	group)
		pick 0 2M max
		echo "$picked" >"$CGROUP/memory.zcache.max" || die "zcache.max" ;;
	reclaim)
		echo 8M 2>/dev/null >"$CGROUP/memory.reclaim" || : ;;
	caches)
		echo 3 >/proc/sys/vm/drop_caches ;;
	unload)
		unload_backend || die "rmmod"
		load_zcache ;;
	esac
}

run_soak()
{
	local end rounds=0 kills

	begin_load
	kills=$(vmstat oom_kill)
	seed=$SEED
	end=$(($(date +%s) + ${SOAK_SECONDS:-10}))
	while [ $rounds -lt 5 ] || [ "$(date +%s)" -lt $end ]; do
		disturb
		rounds=$((rounds + 1))
		sleep 0.2
	done
	echo max >"$CGROUP/memory.zcache.max"
	set_limits
	note "$rounds changes"
	check "all at once: processes killed for lack of memory" \
		$(($(vmstat oom_kill) - kills)) -eq 0
	end_load "all at once"
}

set_up
make_cgroup max
text "$(mb 16)M" >"$MOUNT/text"
text=$(content "$MOUNT/text")
# For whoever reads it in the cgroup, who is charged then
sync
forget_cache "$MOUNT/text"
run_codecs
run_limits
set_limits
run_lower_limit
set_limits
run_unload
run_soak
tear_down
finish

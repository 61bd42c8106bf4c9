#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC3043
#
# zcache: each codec with each kind of page, in both halves; codecs and limits that
# change, and a module that comes and goes, while pages move in and out.

BACKEND=zcache
. "$(dirname "$0")/tmem_lib.sh"
. "$(dirname "$0")/tmem_files.sh"

codecs="lz4 lzo-rle zstd none"
kinds="text binary zero same random"
plan_files 228

device=$(disk swap0)
shm=/dev/shm/tmem.$$
kb=$((1024 * SCALE / 100 / 12 * 12))
kind_pages=$((kb / 4))
# Of the load
megabytes=$(mb 32)
holders=

# shellcheck disable=SC2317
undo_more()
{
	rm -rf "$shm"
	! mountpoint -q "$MOUNT" || umount "$MOUNT"
}

# set_limits: enough for all there is
set_limits()
{
	echo 100 >$ZCACHE/max_percent
	echo "$(mb 96)M" >$ZCACHE/anon/max_bytes || die "max_bytes"
	echo "$(mb 64)M" >$ZCACHE/file/max_bytes || die "max_bytes"
}

load_zcache()
{
	load_backend "$(mb 96)"
	set_limits
}

# half anon|file: what counted and set_zcache mean from now on
half()
{
	half=$1
	BACKEND_COUNTERS=$ZCACHE/$1
}

# in_cgroup COMMAND...: in the background or at the end of a pipe
in_cgroup()
{
	# shellcheck disable=SC2016
	exec sh -c 'echo 0 >"$0/cgroup.procs" && exec "$@"' "$CGROUP" "$@"
}

#
# Kinds of pages
#

# kind NAME: so many kB of it. What is the same all over is kept as a word, in the
# half for files only if the word's highest bits are alike, as x's are not.
kind()
{
	local byte

	case $1 in
	text)
		while cat "$here"/*.sh; do :; done 2>/dev/null ;;
	binary)
		cat /usr/bin/* 2>/dev/null ;;
	zero)
		cat /dev/zero 2>/dev/null ;;
	same)
		for byte in 7 '\377' x; do
			head -c $((kb / 3))k /dev/zero | tr '\0' "$byte"
		done ;;
	random)
		cat /dev/urandom 2>/dev/null ;;
	esac | head -c ${kb}k
}

# wanted CODEC KIND: how many of 100 pages of it each counter of the half shows
wanted()
{
	case $half-$1-$2 in
	anon-*-zero)	# the kernel does not offer them
		echo stores -lt 10 ;;
	file-*-zero | anon-*-same)
		echo same_filled -ge 95 bytes -lt 5 ;;
	file-*-same)
		echo same_filled -ge 60 bytes -lt 5 ;;
	anon-none-* | anon-*-random)
		echo raw -ge 95 ;;
	file-none-* | file-*-random)	# not worth it
		echo rejects_size -ge 95 stores -lt 5 ;;
	*-text)
		echo stores -ge 95 bytes -lt 65 ;;
	anon-*-binary)
		echo stores -ge 90 bytes -lt 90 ;;
	file-*-binary)
		echo stores -ge 50 bytes -lt 75 ;;
	esac
}

# put_kind CODEC KIND FILE
put_kind()
{
	local codec="$1" kind="$2" file="$3" share

	# The store gets what is free, and waits for nothing.
	echo 1 >/proc/sys/vm/drop_caches
	kind "$kind" | in_cgroup tee "$file" >/dev/null || die "$file"
	content "$file" >"$tmp/$half.$codec.$kind"
	# Or the inode may be reclaimed, and what the store has of it forgotten.
	tail -f "$file" >/dev/null &
	holders="$holders $!"
	snapshot before
	sync
	fileioctl pageout "$file" || die "pageout"
	snapshot after
	# shellcheck disable=SC2046
	set -- $(wanted "$codec" "$kind")
	while [ $# -gt 0 ]; do
		share=$(($(changed before "backend_$1") * 100 / kind_pages))
		[ "$1" != bytes ] || share=$((share / 4096))
		check "$half, $codec, $kind: $1 of 100 pages" $share "$2" "$3"
		shift 3
	done
}

# run_kinds anon|file DIRECTORY: all are read when other codecs have come.
run_kinds()
{
	local codec kind right

	half "$1"
	[ "$1" = file ] || set_zcache incompressible raw
	for codec in $codecs; do
		set_zcache codec "$codec"
		for kind in $kinds; do
			put_kind "$codec" "$kind" "$2/$codec.$kind"
		done
	done
	note "$half: $(counted pages) pages in $(counted frames) frames"
	set_zcache codec lz4
	loads=$(counted loads)
	for codec in $codecs; do
		for kind in $kinds; do
			right=$(cat "$tmp/$half.$codec.$kind")
			check "$half, $codec, $kind: content" \
				"$(content "$2/$codec.$kind")" = "$right"
		done
	done
	check "$half: pages loaded" $(($(counted loads) - loads)) \
		-ge $((kind_pages * 9))
	# shellcheck disable=SC2086
	kill $holders && wait $holders 2>/dev/null
	holders=
	rm -r "$2/"*.*
}

#
# Settings
#

# shellcheck disable=SC2317
settings()
{
	local half

	for half in anon file; do
		cat "$ZCACHE/$half/codec" "$ZCACHE/$half/max_bytes"
	done
	cat "$ZCACHE/anon/incompressible" "$ZCACHE/max_bytes"
}

# changes_nothing FILE VALUE: it is an error
# shellcheck disable=SC2317
changes_nothing()
{
	settings >"$tmp/before"
	! echo "$2" 2>/dev/null >"$1" && settings | cmp - "$tmp/before"
}

# check_wrong NAME VALUE...
check_wrong()
{
	local name="$1" value

	shift
	for value in "$@"; do
		check_that "$half: $name is not \"$value\"" \
			changes_nothing "$BACKEND_COUNTERS/$name" "$value"
	done
}

run_settings()
{
	local name total

	half "$1"
	name=$(ls "$BACKEND_COUNTERS")
	# shellcheck disable=SC2086
	check_numbers "$half: files" "$BACKEND_COUNTERS" \
		"$(echo $name | sed 's/\bcodec\b//;s/incompressible//')"
	check_wrong codec "" lz lz4x "lz4 zstd" LZ4 0
	[ "$1" = file ] || check_wrong incompressible "" 1 RAW both
	check_wrong max_bytes "" x -1 1X 1MM "1 2" 1000G 16E 20000000000000000000
	check_wrong max_percent "" x -1 101 10% 4294967296
	for codec in $codecs; do
		set_zcache codec "$codec"
		check_that "$half: codec is $codec" \
			grep -qF "[$codec]" "$BACKEND_COUNTERS/codec"
	done
	set_zcache max_bytes 12M
	check "$half: 12M, in bytes" "$(counted max_bytes)" -eq 12582912
	set_zcache max_percent 25
	total=$(($(counted max_bytes) * 4 / 1024))
	check "$half: memory in kB, of which 25 % may be used" $total \
		-ge "$(awk '/^MemTotal/ { print int($2 * 9 / 10) }' /proc/meminfo)"
	check "$half: 25 %" "$(counted max_percent)" -ge 24
}

#
# Under load
#

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

run_codecs()
{
	local anon file codec

	begin_load
	anon=$(show $ZCACHE/anon/loads)
	file=$(show $ZCACHE/file/loads)
	for round in 1 2; do
		for codec in $codecs; do
			for half in anon file; do
				echo "$codec" >$ZCACHE/$half/codec ||
					die "$codec"
			done
			sleep 0.5
		done
	done
	check "codecs change: pages of swap loaded" \
		$(($(show $ZCACHE/anon/loads) - anon)) -gt 1000
	check "codecs change: pages of files loaded" \
		$(($(show $ZCACHE/file/loads) - file)) -gt 100
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

# check_limit anon|file: half of what it has is enough. zsmalloc takes up to eight
# page frames at once, on each CPU.
check_limit()
{
	local limit frames most=0 slack=0

	[ "$1" = file ] || slack=$((8 * $(nproc)))

	half "$1"
	set_zcache codec lz4
	set_zcache max_percent 30
	sleep 3
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

make_fs ext4
mount_fs ext4
exclude_others
load_zcache
swap_on "$device"

run_settings anon
run_settings file
set_limits
mkdir "$shm"
make_cgroup max
run_kinds anon "$shm"
run_kinds file "$MOUNT"
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
half anon
check_held "the end"
umount "$MOUNT" || die "umount"
finish

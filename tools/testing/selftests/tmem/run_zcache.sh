#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC3043
#
# zcache: what it can be told, and each codec with each kind of page, in both halves.

BACKEND=zcache
. "$(dirname "$0")/tmem_lib.sh"
. "$(dirname "$0")/tmem_files.sh"
. "$(dirname "$0")/tmem_zcache.sh"

kinds="text binary zero same random"
plan_files 176

device=$(disk swap0)
shm=/dev/shm/tmem.$$
kb=$((1024 * SCALE / 100 / 12 * 12))
kind_pages=$((kb / 4))
holders=

# shellcheck disable=SC2317
undo_more()
{
	rm -rf "$shm"
	! mountpoint -q "$MOUNT" || umount "$MOUNT"
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

set_up
run_settings anon
run_settings file
set_limits
mkdir "$shm"
make_cgroup max
run_kinds anon "$shm"
run_kinds file "$MOUNT"
tear_down
finish

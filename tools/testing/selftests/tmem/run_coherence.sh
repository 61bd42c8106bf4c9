#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The store has an old page while the file gets a new one, in each way in which
# it can: whoever reads afterwards must get the new one. Gets leave pages in the
# store here, which keeps old ones there for as long as possible.

. "$(dirname "$0")/tmem_lib.sh"
. "$(dirname "$0")/tmem_files.sh"

modprobe dm-delay 2>/dev/null
dmsetup targets 2>/dev/null | grep -qw delay || skip_all "CONFIG_DM_DELAY"

count=0
for fs in $WRITABLE; do
	case "$fs" in
	ext4 | xfs) count=$((count + 27 + $(with 3 fake))) ;;
	ext2) count=$((count + 21 + $(with 3 fake))) ;;
	ocfs2) count=$((count + 17 + $(with 3 fake))) ;;
	esac
done
plan_files $count

# Of the slow disk, in ms
delay=1000
[ "${TMEM_FLAVOUR-}" != debug ] || delay=3000
file=$MOUNT/file
# Of who reads a page that is evicted then, and nothing else
reader=$CGROUPS/tmem_reader

# slow READ_MS WRITE_MS: how long the disk takes from now on
slow()
{
	map_scratch delay "$SCRATCH" 0 "$1" "$SCRATCH" 0 "$2"
}

# expect PAGE LETTER WHEN
expect()
{
	check "$name: page $1 $3" "$(letter "$file" "$1")" = "$2"
}

run_fs()
{
	slow 0 0
	begin_fs "$1"
	echo 0 >"/sys/dev/block/$(mountpoint -d "$MOUNT")/queue/read_ahead_kb"
	load_backend_files 16 exclusive=0
	fill a "$file"
	exec 7<"$file"

	name="$1, truncate"
	check_stored b "$file"
	truncate -s 0 "$file"
	truncate -s 4M "$file"
	expect 3 0 "after truncation down and up"

	name="$1, direct write"
	check_stored c "$file"
	fill_direct d
	expect 3 d "after it"

	# The pages come back from the store, which keeps them, and change.
	name="$1, dropped"
	check_stored e "$file"
	expect 3 e "from the store"
	fill f "$file"
	forget_cache "$file"
	expect 3 f "after the changed page was dropped"

	name="$1, not admitted"
	check_stored g "$file"
	expect 3 g "from the store"
	fill h "$file"
	set_cleancache admit reused
	evict
	set_cleancache admit all
	expect 3 h "after the changed page was evicted, but not put"

	! is fake || run_refused "$1"

	case "$1" in
	ext4) run_moved "$1" fileioctl move ;;
	xfs) run_moved "$1" swap_extents ;;
	esac
	# There direct writes go through the page cache while there is a store.
	if [ "$1" = ocfs2 ]; then
		run_ranges "$1"
	else
		run_slow "$1"
	fi

	exec 7<&-
	end_fs
}

# shellcheck disable=SC2317 # run_moved calls it
swap_extents()
{
	xfs_io -c "swapext $2" "$1"
}

run_refused()
{
	name="$1, refused"
	check_stored i "$file"
	expect 3 i "from the store"
	fill j "$file"
	set_fake percent 0
	evict
	set_fake percent 100
	expect 3 j "after the changed page was evicted, but refused"
}

# run_moved FS COMMAND...: two files exchange blocks, one of them its content
run_moved()
{
	donor=$MOUNT/donor
	name="$1, moved"
	shift
	exec 8>"$donor"
	check_stored r "$donor"
	fill s "$file"
	check_that "$name: blocks" "$@" "$file" "$donor"
	expect 3 "$(letter_on_disk "$file" 3)" "is the file's, in the file"
	check "$name: page 3 is the donor's, in the donor" \
		"$(letter "$donor" 3)" = "$(letter_on_disk "$donor" 3)"
	check "$name: the donor has another content" \
		"$(letter "$donor" 3)" != r
	# What the page cache has of the donor must not be put.
	fill t "$donor"
	content "$donor" >"$tmp/sum"
	fill u "$file"
	"$@" "$file" "$donor" || die "$1"
	evict
	check "$name: page 3 is the donor's, in the donor that was cached" \
		"$(letter "$donor" 3)" = "$(letter_on_disk "$donor" 3)"
	exec 8>&-
	rm "$donor"
}

# For a filesystem on which run_exercise.sh does not run
run_ranges()
{
	name="$1, punched"
	check_stored k "$file"
	fallocate -p -o $((2 * 4096)) -l $((4 * 4096)) "$file" ||
		die "fallocate"
	expect 3 0 "in the hole"
	expect 6 k "behind it"

	name="$1, cloned"
	fill m "$MOUNT/source"
	check_stored l "$file"
	xfs_io -c "reflink $MOUNT/source 0 0 4m" "$file" >/dev/null ||
		die "reflink"
	expect 3 m "is the source's"
	evict
	fill n "$file" 1 3
	evict
	expect 3 n "after it was written"
	check "$name: page 3 of the source" "$(letter "$MOUNT/source" 3)" = m
	rm "$MOUNT/source"
}

# fill_direct LETTER [PAGES]
fill_direct()
{
	head -c $((4096 * ${2:-16})) /dev/zero | tr '\0' "$1" |
		dd of="$file" bs=$((4096 * ${2:-16})) iflag=fullblock \
			oflag=direct conv=notrunc 2>/dev/null || die "dd"
}

begin()
{
	begun=$(awk '{ print $1 * 1000 }' /proc/uptime)
}

# at PERCENT: wait until this share of the delay has passed since begin
at()
{
	sleep "$(awk -v begun="$begun" -v at=$((delay * $1 / 100)) '{
		ms = begun + at - $1 * 1000
		print (ms > 0 ? ms / 1000 : 0)
	}' /proc/uptime)"
}

# A page behind the others that neither the page cache nor the store has
make_slow_page()
{
	fill "$1" "$file" 1 20
	dd if="$file" iflag=nocache bs=4096 skip=20 count=1 of=/dev/null \
		2>/dev/null
}

# What removes pages from the page cache, before and behind direct I/O, goes
# from the first to the last and waits for one that is being read.
run_slow()
{
	# A changed page has been removed, a page behind is waited for: who reads
	# the former now must not get what it was when it was put.
	name="$1, removed before direct I/O"
	check_stored k "$file"
	expect 3 k "from the store"
	fill l "$file" 1 3
	make_slow_page k
	slow $delay $((delay * 2))
	begin
	letter "$file" 20 >/dev/null &
	at 30
	fill_direct o 21 &
	at 60
	expect 3 l "while direct I/O waits"
	wait
	slow 0 0
	expect 3 o "after direct I/O"

	# A page is read while it is being written directly, with its old content.
	# It is evicted just before it would be removed, and read again just
	# behind that, while a page behind is waited for.
	name="$1, read during direct I/O"
	mkdir -p "$reader"
	check_stored p "$file"
	set_cleancache drop 1
	make_slow_page p
	slow $((delay * 60 / 100)) $((delay * 2))
	begin
	fill_direct q 21 &
	at 10
	check "$name: page 3 before it is written" "$(echo 0 \
		>"$reader/cgroup.procs" && letter "$file" 3)" = p
	refused=$(cleancache rejects_direct)
	at 80
	echo 4096 >"$reader/memory.reclaim"
	check "$name: pages not put" \
		$(($(cleancache rejects_direct) - refused)) -gt 0
	at 190
	letter "$file" 20 >/dev/null &
	at 232
	letter "$file" 3 >"$tmp/letter"
	wait
	slow 0 0
	rmdir "$reader"
	expect 3 q "after direct I/O"

	# A page that is read while direct I/O writes it, which fails afterwards
	name="$1, direct I/O that fails"
	fill v "$file"
	dd if="$file" iflag=nocache bs=4096 count=16 of=/dev/null 2>/dev/null
	slow 0 $delay
	begin
	fileioctl tear "$file" &
	at 50
	check "$name: page 3 before it is written" "$(letter "$file" 3)" = v
	wait $!
	check "$name: it fails in the middle" $? -eq 0
	slow 0 0
	evict
	expect 3 "$(letter_on_disk "$file" 3)" "after it"
}

for fs in $WRITABLE; do
	run_fs "$fs"
done
finish

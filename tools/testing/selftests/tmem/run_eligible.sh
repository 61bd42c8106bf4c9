#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Files and filesystems whose pages must not be put, or not any more: encrypted,
# verified, swapped to, on an encrypted disk, beyond what the backend can number,
# after a write that failed, on a filesystem that was shut down.

. "$(dirname "$0")/tmem_lib.sh"
. "$(dirname "$0")/tmem_files.sh"

for target in crypt flakey; do
	modprobe dm-$target 2>/dev/null
	dmsetup targets 2>/dev/null | grep -qw $target ||
		skip_all "CONFIG_DM_$target"
done
count=$((18 + $(with 11 fake)))
for fs in $WRITABLE; do
	case "$fs" in
	ext4 | xfs) count=$((count + 16)) ;;
	ext2 | ocfs2) count=$((count + 9)) ;;
	esac
done
plan_files $count

file=$MOUNT/file
key=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f

# count_evicted NAME COUNTER: what eviction adds to it and to puts
count_evicted()
{
	puts=$(cleancache puts)
	counted=$(cleancache "$2")
	evict
	puts=$(($(cleancache puts) - puts))
	counted=$(($(cleancache "$2") - counted))
	note "$1: puts=$puts $2=$counted"
}

# refused NAME COUNTER: nothing is put, and this counter says why
refused()
{
	count_evicted "$@"
	check "$1: puts" $puts -eq 0
	check "$1: $2" $counted -ge 512
}

# Pages of these are in clear, or verified, in the page cache only.
run_protected()
{
	begin_fs ext4 -O encrypt,verity
	load_backend_files 16 exclusive=0
	mkdir "$MOUNT/secret"
	check_that "a directory is encrypted" \
		fileioctl encrypt "$MOUNT/secret"
	fill u "$MOUNT/secret/file"
	refused "encrypted" rejects_file

	# What was put before is not seen any more.
	name=verity
	exec 7>"$MOUNT/verity"
	check_stored v "$MOUNT/verity"
	exec 7<"$MOUNT/verity"
	check_that "a file is verified" fileioctl verity "$MOUNT/verity"
	cat "$MOUNT/verity" >/dev/null
	hits=$(cleancache hits)
	refused "verity" rejects_file
	letter "$MOUNT/verity" >"$tmp/letter"
	check "verity: hits" $(($(cleancache hits) - hits)) -eq 0
	exec 7<&-
	end_fs
}

# The disk changes below a file that is swapped to.
run_swap_file()
{
	begin_fs ext4
	load_backend_files 32 exclusive=0
	name="swap file"
	exec 7>"$file"
	fill w "$file" $((24 * MB_PAGES)) || die "$file"
	chmod 600 "$file"
	mkswap "$file" >/dev/null || die "mkswap"
	check_stored w "$file"
	mkswap "$file" >/dev/null || die "mkswap"
	swapon "$file" || die "swapon"
	check "$name: pages held" "$(show "$mount_dir/pages")" -eq 0
	load_start -m 16
	load fill pageout
	cat "$file" >/dev/null
	refused "$name" rejects_file
	check_content "$name"
	load pageout
	load_end
	swapoff "$file" || die "swapoff"
	# The page cache is not kept up to date while the file is swapped to.
	forget_cache "$file"
	check "$name: what is read is what is on the disk" \
		"$(content "$file")" = "$(dd if="$file" bs=1M iflag=direct \
					  2>/dev/null | cksum)"
	exec 7>&-
	end_fs
}

# A backend outside gets nothing of an encrypted disk, unless it may.
run_outside()
{
	load_backend_files 16 exclusive=0 outside=1
	refused "encrypted disk" rejects_encrypted
	set_cleancache allow_encrypted 1
	cat "$file" >/dev/null
	count_evicted "allowed" rejects_encrypted
	check "allowed: puts" $puts -ge 512
	set_cleancache allow_encrypted 0
	check "not allowed any more: pages held" "$(counted pages)" -eq 0
	check "not allowed any more: content" "$(letter "$file")" = a
	unload_backend || die "rmmod"
}

run_encrypted()
{
	map_scratch crypt aes-xts-plain64 $key 0 "$SCRATCH" 0
	begin_fs ext4
	check "encrypted disk: known" "$(show "$mount_dir/encrypted")" -eq 1
	exec 7>"$file"
	fill a "$file"
	! is fake || run_outside

	load_backend_files 16 exclusive=0 outside=0
	cat "$file" >/dev/null
	count_evicted "backend inside" rejects_encrypted
	check "backend inside: puts" $puts -ge 512
	exec 7>&-
	end_fs
	unmap_scratch
}

# A backend that cannot number all pages of a file
run_max_index()
{
	begin_fs ext4
	load_backend_files 16 exclusive=0 max_index=255
	exec 7>"$file"
	fill a "$file" 512
	fill b "$file" 1024 512
	count_evicted "indexes up to 255" rejects_page
	check "indexes up to 255: puts" $puts -le 256
	check "indexes up to 255: pages held" "$(counted pages)" -gt 0
	check "indexes up to 255: refused" $counted -ge 512
	hits=$(cleancache hits)
	check "indexes up to 255: content below" "$(letter "$file" 3)" = a
	check "indexes up to 255: hits" $(($(cleancache hits) - hits)) -gt 0
	check "indexes up to 255: content above" "$(letter "$file" 900)" = b
	exec 7>&-
	end_fs
}

# first_block FILE: sector of its first page on the disk
first_block()
{
	filefrag -b512 -e -v "$1" 2>/dev/null |
		awk '$1 == "0:" { print $4 + 0; exit }'
}

# Eight pages of the file cannot be written, all else can.
fail_writes()
{
	sector=$(first_block "$file")
	[ "${sector:-0}" -gt 0 ] || die "filefrag $file"
	map_table "0 $sector linear $SCRATCH 0
$sector 64 flakey $SCRATCH $sector 0 1 1 error_writes
$((sector + 64)) $((SCRATCH_SECTORS - sector - 64)) linear $SCRATCH $((sector + 64))"
}

# Then the page cache has, clean, what the disk has not. That goes when it is
# evicted: the store must not keep it.
run_write_error()
{
	name="$1, failed write"
	map_scratch linear "$SCRATCH" 0
	begin_fs "$1"
	load_backend_files 16 exclusive=0
	exec 7>"$file"
	check_stored c "$file"
	check "$name: from the store" "$(letter "$file" 3)" = c
	fail_writes
	check "$name: fails" "$(fill d "$file" && echo written)" = ""
	refused "$name" rejects_error
	forget_cache "$file"
	check "$name: page on the disk" "$(letter_on_disk "$file" 3)" = c
	check "$name: page read" "$(letter "$file" 3)" = c
	map_scratch linear "$SCRATCH" 0
	check_that "$name: the disk works again" fill e "$file"
	evict
	check "$name: page read then" "$(letter "$file" 3)" = e
	exec 7>&-
	end_fs
	unmap_scratch
}

run_shutdown()
{
	name="$1, shut down"
	begin_fs "$1"
	load_backend_files 16 exclusive=0
	exec 7>"$file"
	check_stored f "$file"
	fill g "$MOUNT/other" 16
	check_that "$name" fileioctl shutdown "$MOUNT"
	hits=$(cleancache hits)
	check "$name: content" "$(letter "$file")" = ""
	check "$name: hits" $(($(cleancache hits) - hits)) -eq 0
	exec 7>&-
	check_that "$name: unmounted" umount "$MOUNT"
	check "$name: pages held" "$(counted pages)" -eq 0
	mount_fs "$1"
	check "$name: content when mounted again" "$(letter "$file")" = f
	end_fs
}

# Of a filesystem on several devices nobody knows whether they are encrypted.
run_extra_device()
{
	name="two devices"
	mkdir "$tmp/tree"
	head -c 2M /dev/urandom >"$tmp/tree/file"
	mkfs.erofs --chunksize=4096 --blobdev="$tmp/blob" "$SCRATCH" \
		"$tmp/tree" >"$tmp/mkfs" 2>&1 ||
		die "mkfs.erofs: $(tail -n 1 "$tmp/mkfs")"
	loop=$(losetup -f) || die "losetup -f"
	losetup "$loop" "$tmp/blob" || die "losetup"
	mount -t erofs -o device="$loop" "$SCRATCH" "$MOUNT" ||
		die "mount erofs"
	check_that "$name: not served" \
		test ! -d "$CLEANCACHE/mounts/$(mountpoint -d "$MOUNT")"
	umount "$MOUNT"
	losetup -d "$loop"
	rm -r "$tmp/tree" "$tmp/blob"
}

run_protected
run_swap_file
run_extra_device
run_encrypted
! is fake || run_max_index
for fs in $WRITABLE; do
	run_write_error "$fs"
	case "$fs" in
	ext4 | xfs) run_shutdown "$fs" ;;
	esac
done
finish

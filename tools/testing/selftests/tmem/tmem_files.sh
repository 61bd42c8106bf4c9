# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC3043
#
# What the run_*.sh that test cleancache share, on top of tmem_lib.sh. They need
# a disk /dev/tmem/scratch, mkfs of each filesystem, and cgroup v2.
#
# Environment, besides that of tmem_lib.sh:
#	TMEM_FILESYSTEMS
#		on which to run, of ext4 ext2 xfs erofs (all these) and ocfs2

CLEANCACHE=/sys/kernel/mm/tmem/cleancache
MOUNT=$tmp/mnt
FILESYSTEMS=${TMEM_FILESYSTEMS:-ext4 ext2 xfs erofs}
# Those of them on which files change
WRITABLE=$(echo "$FILESYSTEMS" | tr ' ' '\n' | grep -vx erofs)
SCRATCH=$(readlink -f /dev/tmem/scratch)
SCRATCH_SECTORS=$(cat "/sys/class/block/${SCRATCH##*/}/size" 2>/dev/null)

mkdir -p "$MOUNT"

# plan_files N [FILESYSTEMS]: as plan, for what cleancache needs; N results on each
plan_files()
{
	local count="$1"

	[ $# -eq 1 ] || count=$(($1 * $(echo "$2" | wc -w)))
	[ -d $CLEANCACHE ] || skip_all "CONFIG_CLEANCACHE"
	disk_needed=scratch
	plan "$count"
}

# Mounts of the guest's own system stay out of it.
exclude_others()
{
	local mount

	for mount in "$CLEANCACHE"/mounts/*; do
		[ "$mount" = "${mount_dir-}" ] || [ ! -d "$mount" ] ||
			echo 1 >"$mount/excluded" ||
			die "cannot exclude $mount"
	done
}

# load_backend_files MB [PARAMETER=VALUE]...: the backend, for files only
load_backend_files()
{
	exclude_others
	front_end=$CLEANCACHE
	load_backend "$@"
}

cleancache()
{
	show "$CLEANCACHE/$1"
}

set_cleancache()
{
	echo "$2" >"$CLEANCACHE/$1" || die "cleancache refuses $1=$2"
}

# make_fs TYPE[-1k] [OPTION]...: on the scratch disk, with blocks of a page or, as
# told, of 1 kB
make_fs()
{
	local type="${1%-1k}" force=-F block=4096

	[ "$type" = "$1" ] || block=1024
	shift
	case "$type" in
	xfs) force="-f -q -b size=$block" ;;
	ext?) force="-F -q -b $block" ;;
	ocfs2) force="-F -q -b $block -C 4096 -N 1 -M local -J size=4M" ;;
	esac
	# shellcheck disable=SC2086
	echo y | mkfs."$type" $force "$@" "${mount_device:-$SCRATCH}" \
		>"$tmp/mkfs" 2>&1 || die "mkfs.$type: $(tail -n 1 "$tmp/mkfs")"
}

# mount_fs TYPE[-1k] [OPTION]...
mount_fs()
{
	local type="${1%-1k}"

	shift
	mount -t "$type" "$@" "${mount_device:-$SCRATCH}" "$MOUNT" ||
		die "mount $type"
	mount_dir=$CLEANCACHE/mounts/$(mountpoint -d "$MOUNT")
	[ -d "$mount_dir" ] || die "no directory $mount_dir"
}

# map_scratch TARGET [ARGUMENT]...: from now on filesystems are made and mounted
# on a device in front of the scratch disk; as in a table of dmsetup, without
# start and length. "map_scratch linear $SCRATCH 0" is the disk itself.
map_scratch()
{
	map_table "0 $SCRATCH_SECTORS $*"
}

# map_table TABLE: the same, with the lines of a whole table
map_table()
{
	if [ -z "${mount_device-}" ]; then
		printf '%s\n' "$1" | dmsetup --noudevsync create tmem_scratch ||
			die "dmsetup create"
		dmsetup mknodes tmem_scratch
		mount_device=/dev/mapper/tmem_scratch
		return
	fi
	dmsetup --noudevsync suspend --noflush --nolockfs tmem_scratch ||
		die "dmsetup suspend"
	printf '%s\n' "$1" | dmsetup --noudevsync load tmem_scratch ||
		die "dmsetup load"
	dmsetup --noudevsync resume tmem_scratch || die "dmsetup resume"
}

unmap_scratch()
{
	mount_device=
	! dmsetup info tmem_scratch >/dev/null 2>&1 ||
		dmsetup --noudevsync remove tmem_scratch || return 1
	dmsetup mknodes tmem_scratch
}

# text BYTES: no two pages are alike, and all of them can be compressed
text()
{
	seq 100000000 999999999 2>/dev/null | head -c "$1"
}

# fill LETTER FILE [PAGES [FIRST]]: pages of the file, all beginning with this
# letter, on the disk; without a number more than evict leaves in the page cache
fill()
{
	yes "$1, a test page." 2>/dev/null | head -c $((4096 * ${3:-1024})) |
		dd of="$2" bs=4096 seek="${4:-0}" conv=notrunc,fsync \
			2>/dev/null
}

# letter FILE [PAGE]: the first of this page; nothing if it cannot be read
letter()
{
	dd if="$1" bs=4096 skip="${2:-0}" count=1 2>/dev/null | head -c 1 |
		tr '\0' 0
}

# letter_on_disk FILE [PAGE]
letter_on_disk()
{
	dd if="$1" bs=4096 skip="${2:-0}" count=1 iflag=direct 2>/dev/null |
		head -c 1 | tr '\0' 0
}

# store LETTER FILE: the store has the file, and nobody else; not even shadows
# of its pages are left, the page cache looks empty.
store()
{
	fill "$1" "$2" || die "cannot write $2"
	evict
	forget_cache "$2"
}

# check_stored LETTER FILE: the same, and it is there
check_stored()
{
	store "$@"
	check "$name: pages held" "$(show "$mount_dir/pages")" -gt 512
}

# forget_cache FILE: its pages, and shadows, leave the page cache
forget_cache()
{
	dd if="$1" iflag=nocache count=0 2>/dev/null
}

# enter_cgroup: what this shell and its children read is charged to CGROUP, so
# that it can be reclaimed without touching anything else.
enter_cgroup()
{
	echo +memory >$CGROUPS/cgroup.subtree_control || die "cgroup"
	mkdir -p "$CGROUP"
	echo $$ >"$CGROUP/cgroup.procs" || die "cgroup"
}

leave_cgroup()
{
	echo $$ >"$CGROUPS/cgroup.procs"
}

# undo_more: what undo() of tmem_lib.sh leaves to us
undo_more()
{
	! mountpoint -q "$MOUNT" || umount "$MOUNT"
	unmap_scratch
}

# begin_fs TYPE[-1k] [OPTION of mkfs]...: a new filesystem, and in the cgroup
begin_fs()
{
	make_fs "$@"
	mount_fs "$1"
	enter_cgroup
}

end_fs()
{
	unload_backend || die "rmmod"
	leave_cgroup
	umount "$MOUNT" || die "umount"
	unmap_scratch
}

# reclaim_files KEEP: what is clean of the page cache of CGROUP, but for KEEP bytes
reclaim_files()
{
	local tries=10 bytes

	while [ $tries -gt 0 ]; do
		bytes=$(sed -n 's/^file //p' "$CGROUP/memory.stat")
		[ "$bytes" -gt "$1" ] || return 0
		echo "$((bytes - $1 / 2))" >"$CGROUP/memory.reclaim" \
			2>/dev/null
		tries=$((tries - 1))
	done
	return 1
}

# evict: reclaim the page cache of CGROUP but for 1 MB, the programs that run
# there. Not more, or inodes are reclaimed too, and what the store has of them is
# forgotten, unless they are open. What zcache has is charged to the cgroup: it would
# be reclaimed too, so pages leave one file after the other.
evict()
{
	sync
	if is zcache; then
		find "$MOUNT" -xdev -type f -exec fileioctl pageout {} \;
		return
	fi
	reclaim_files 1048576 || note "files cannot be reclaimed"
}

# sectors_read: from the scratch disk so far
sectors_read()
{
	local reads merges sectors rest

	# shellcheck disable=SC2034
	read -r reads merges sectors rest \
		<"/sys/class/block/${SCRATCH##*/}/stat"
	echo "$sectors"
}

# content FILE: a sum of it
content()
{
	cksum <"$1"
}

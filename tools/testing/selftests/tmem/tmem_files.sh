# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC3043
#
# What the run_*.sh that test cleancache share, on top of tmem_lib.sh. They need
# a disk /dev/tmem/scratch, mkfs of each filesystem, and cgroup v2.
#
# Environment, besides that of tmem_lib.sh:
#	TMEM_FILESYSTEMS
#		on which to run, of ext4 ext2 xfs erofs (all)

CLEANCACHE=/sys/kernel/mm/tmem/cleancache
MOUNT=$tmp/mnt
FILESYSTEMS=${TMEM_FILESYSTEMS:-ext4 ext2 xfs erofs}
SCRATCH=$(readlink -f /dev/tmem/scratch)

mkdir -p "$MOUNT"

# plan_files N: as plan, for what cleancache needs
plan_files()
{
	[ -d $CLEANCACHE ] || skip_all "CONFIG_CLEANCACHE"
	disk_needed=scratch
	plan "$1"
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

# load_fake_files MB [PARAMETER=VALUE]...: the backend, for files only
load_fake_files()
{
	exclude_others
	front_end=$CLEANCACHE
	load_fake "$@" frontswap=0 cleancache=1
}

cleancache()
{
	show "$CLEANCACHE/$1"
}

set_cleancache()
{
	echo "$2" >"$CLEANCACHE/$1" || die "cleancache refuses $1=$2"
}

# make_fs TYPE [OPTION]...: on the scratch disk
make_fs()
{
	local type="$1" force=-F

	shift
	case "$type" in
	xfs) force="-f -q" ;;
	ext?) force="-F -q" ;;
	esac
	# shellcheck disable=SC2086
	mkfs."$type" $force "$@" "$SCRATCH" >"$tmp/mkfs" 2>&1 ||
		die "mkfs.$type: $(tail -n 1 "$tmp/mkfs")"
}

# mount_fs TYPE [OPTION]...
mount_fs()
{
	local type="$1"

	shift
	mount -t "$type" "$@" "${mount_device:-$SCRATCH}" "$MOUNT" ||
		die "mount $type"
	mount_dir=$CLEANCACHE/mounts/$(mountpoint -d "$MOUNT")
	[ -d "$mount_dir" ] || die "no directory $mount_dir"
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

# undo_files: for undo_more
undo_files()
{
	! mountpoint -q "$MOUNT" || umount "$MOUNT"
}

# evict: reclaim the page cache of CGROUP but for 1 MB, the programs that run
# there. Not more, or inodes are reclaimed too, and what the store has of them is
# forgotten, unless they are open.
evict()
{
	local tries=10 bytes keep=1048576

	sync
	while [ $tries -gt 0 ]; do
		bytes=$(sed -n 's/^file //p' "$CGROUP/memory.stat")
		[ "$bytes" -gt $keep ] || return 0
		echo "$((bytes - keep / 2))" >"$CGROUP/memory.reclaim" \
			2>/dev/null
		tries=$((tries - 1))
	done
	note "$bytes bytes of files cannot be reclaimed"
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

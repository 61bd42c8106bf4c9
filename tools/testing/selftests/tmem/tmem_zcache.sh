# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC3043
#
# What the run_zcache*.sh share, besides tmem_lib.sh and tmem_files.sh. They need a swap
# disk and a disk for a filesystem.

# shellcheck disable=SC2034
codecs="lz4 lzo-rle zstd none"

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

# set_up: a filesystem, a swap area, and zcache with room for all there is
set_up()
{
	make_fs ext4
	mount_fs ext4
	exclude_others
	load_zcache
	swap_on "$device"
}

tear_down()
{
	half anon
	check_held "the end"
	umount "$MOUNT" || die "umount"
}

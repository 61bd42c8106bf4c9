#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Hibernation with a store that is not part of the image: it is emptied before,
# closed until the machine is back, and open again afterwards, for swapped out
# pages and for those of files. zcache's pages of swap are in the image, and stay.
# The swap disk must be named by resume= on the command line. Run by itself.

. "$(dirname "$0")/tmem_lib.sh"
. "$(dirname "$0")/tmem_files.sh"

VERDICT=/dev/virtio-ports/tmem.verdict

[ -w /sys/power/disk ] || skip_all "CONFIG_HIBERNATION"
plan_files $((23 + $(with 2 fake)))

# shellcheck disable=SC2317
hibernate()
{
	echo disk >/sys/power/state
}

megabytes=$(mb 96)
device=$(disk swap0)

no_readahead
make_cgroup max
make_fs ext4
mount_fs ext4
exclude_others
load_backend "$(mb 192)" cleancache=1

# There is nothing to write the image to yet, so this fails, and memory is enough
# not to be shrunk for it: what is gone afterwards was dropped on purpose.
store_file()
{
	exec 7<"$MOUNT/file"
	sync
	forget_cache "$MOUNT/file"
	enter_cgroup
	content "$MOUNT/file" >"$tmp/sum"
	evict
	leave_cgroup
	check "$1: pages of files held" "$(show "$mount_dir/pages")" -gt 1000
}

text 8M >"$MOUNT/file"
right=$(content "$MOUNT/file")
store_file "first"
echo 1000000000 >/sys/power/image_size
check_that "hibernate without a swap area: fails" eval "! hibernate"
check "failed: pages of files held" "$(cleancache pages)" -eq 0
store_file "failed"
check "failed: content of the file" "$(content "$MOUNT/file")" = "$right"
exec 7<&-

swap_on "$device"
load_start -g $CGROUP -m "$megabytes" -z 5
load fill
# Half in the store, half in memory that has to be swapped for the image
load age=50
echo $((megabytes / 2))M >$CGROUP/memory.high
echo max >$CGROUP/memory.high
check "before: pages held" "$(counted pages)" -gt 0
store_file "before"

# Who comes before the front ends refuses: they are not asked, and keep what they have.
if modprobe pm-notifier-error-inject priority=1 2>/dev/null; then
	echo -12 >$DEBUGFS/notifier-error-inject/pm/actions/PM_HIBERNATION_PREPARE/error
	check_that "hibernate when refused: fails" eval "! hibernate"
	rmmod pm-notifier-error-inject
	check "refused: pages held" "$(counted pages)" -gt 0
else
	skip 2 "CONFIG_PM_NOTIFIER_ERROR_INJECT"
fi

echo 0 >/sys/power/image_size
echo shutdown >/sys/power/disk
sync
snapshot start
if [ -w $VERDICT ]; then
	echo hibernated >$VERDICT
fi
check_that "hibernate and resume" hibernate
snapshot end

if is zcache; then
	check "pages held afterwards" "$(frontswap pages)" -gt 0
else
	check "pages refused meanwhile" \
		"$(changed start fs_rejects_hibernation)" -gt 0
	check "pages stored meanwhile" "$(changed start fs_stores)" -eq 0
	check "pages held afterwards" \
		"$(counted pages):$(frontswap pages)" = 0:0
fi
check "pages of files held afterwards" "$(cleancache pages)" -eq 0
enter_cgroup
check "after resume: content of the file" \
	"$(content "$MOUNT/file")" = "$right"
leave_cgroup
check_content "after resume"
load age=50 pageout
check "the store is in use again: pages held" "$(counted pages)" -gt 0
check_content "in use again"
enter_cgroup
evict
check "in use again: pages of files" "$(show "$mount_dir/pages")" -gt 1000
check "in use again: content of the file" \
	"$(content "$MOUNT/file")" = "$right"
exec 7<&-
leave_cgroup
umount "$MOUNT" || die "umount"
check_held "in use again"
check_load_end "the end"

finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A fault loads the page that it needs and nobody else's, whichever readahead
# the swap device would have; a slot that it frees leaves the store at once, not
# when enough of them have been freed.

. "$(dirname "$0")/tmem_lib.sh"

plan 30

megabytes=8
disk=$(disk swap0)
old_rotational=$(cat "/sys/block/${disk##*/}/queue/rotational")
old_page_cluster=$(cat /proc/sys/vm/page-cluster)

# shellcheck disable=SC2317
undo_more()
{
	set_rotational "$disk" "$old_rotational"
}

# read_all DESCRIPTION: how many pages were read that nobody had asked for?
read_all()
{
	before=$(vmstat swap_ra)
	check_content "$1"
	ahead=$(($(vmstat swap_ra) - before))
}

make_cgroup max
echo 3 >/proc/sys/vm/page-cluster

# By slots for what turns, by addresses for what does not
for rotational in 1 0; do
	what="rotational=$rotational"
	set_rotational "$disk" $rotational
	swap_on "$disk"
	load_start -g $CGROUP -m $megabytes
	load fill pageout
	squeeze_cgroup
	read_all "$what, from the device"
	check "$what, from the device: pages read ahead" $ahead -gt 0

	load_backend $((2 * megabytes))
	load age pageout
	check "$what: pages held" "$(counted pages)" -ge "$load_pages"
	read_all "$what, from the store"
	# Some page of pageload's own may be zero-filled, so not in the store.
	check "$what, from the store: pages read ahead" $ahead \
		-lt $((load_pages / 100))

	# Fewer than a CPU collects before it gives slots back
	load pageout
	held=$(counted pages)
	load age=1
	check "$what: pages rewritten" "$load_written" -gt 0
	check "$what: pages that left the store then, of these" \
		$((held - $(counted pages))) -gt $((load_written * 8 / 10))
	check_content "$what"

	# The device's neighbours are read ahead, the store's are not.
	unload_backend
	load_backend $((2 * megabytes)) percent=50
	load pageout
	squeeze_cgroup
	held=$(counted pages)
	check "$what, in both places: pages in the store" "$held" -gt 0
	read_all "$what, from both places"
	check "$what, from both places: pages read ahead, of the device's" \
		"$ahead" -le $((load_pages - held))
	load_end
	swapoff "$disk" || die "swapoff"
	unload_backend
done

finish

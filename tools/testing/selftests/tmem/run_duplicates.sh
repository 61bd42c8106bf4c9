#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Pages that are swapped out, come back, change and go to the same slot again
# meet their older copy in the store. Whether it is replaced or the new one is
# refused, the older one never comes back.

. "$(dirname "$0")/tmem_lib.sh"

plan 27

megabytes=$(mb 24)
device=$(disk swap0)

no_readahead
make_cgroup $((megabytes / 2))M
load_backend "$(mb 48)"
swap_on "$device"

# again REFUSE: by order first, then in a loop of two threads
again()
{
	set_fake refuse_duplicates "$1"
	snapshot start
	load_start -m "$megabytes" -z 10
	load fill pageout verify age pageout
	check_content "refuse_duplicates=$1, all pages twice"
	load verify age=50 pageout
	check_content "refuse_duplicates=$1, half of them again"
	# What became a zero-filled page must not be in the store any more.
	load pageout
	set_frontswap enabled 0
	check_content "refuse_duplicates=$1, taken back"
	set_frontswap enabled 1
	check_sums "refuse_duplicates=$1" start
	check "refuse_duplicates=$1: pages met their older copy" \
		"$(changed start backend_duplicates)" \
		-gt $((megabytes * MB_PAGES / 2))
	load_end

	load_start -g $CGROUP -m "$megabytes" -z 10 -t 2 -p -d
	load fill loop=3
	check_content "refuse_duplicates=$1, at random"
	load_end
	snapshot end
}

again 0
check "replaced: pages refused" "$(changed start backend_refused)" -eq 0

again 1
check "refused: pages refused" "$(changed start backend_refused)" \
	-eq "$(changed start backend_duplicates)"
check "refused: they went to the device, besides those taken back" \
	$(($(changed start vm_pswpout) - $(changed start fs_writebacks))) \
	-ge "$(changed start backend_duplicates)"
check_held "the end"

finish

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A page that the backend does not give back is an I/O error for whoever wants
# it, for nobody else, and never what happens to be on the swap device.

. "$(dirname "$0")/tmem_lib.sh"

plan 30

TRACING=/sys/kernel/tracing

megabytes=$(mb 16)
device=$(disk swap0)
name=${device##*/}

# shellcheck disable=SC2317
is_stopped()
{
	grep -q '^State:.T' "/proc/$1/status"
}

no_readahead
load_backend "$(mb 64)"
swap_on "$device"

# One process dies, another one does not notice.
load_start -m "$megabytes" -o 1
load fill
pageload -m "$megabytes" -o 2 fill pageout stop verify >"$tmp/out" &
victim=$!
check_that "a process has swapped out" wait_for 20 is_stopped $victim
snapshot start
set_fake fail_loads 1
kill -CONT $victim
wait $victim
check "status of a process that cannot have its page" $? -eq $((128 + 7))
check_content "others go on"
set_fake fail_loads 0
load pageout
check_content "others go on, and swap"
snapshot end
failed_loads=$(changed start fs_failed_loads)
check "failed loads" "$failed_loads" -gt 0
check "failed loads, as the backend counts them" \
	"$(changed start backend_failed_loads)" -eq "$failed_loads"
check_load_end "others"

# Every seventh load fails; the process knows how to live with that.
load_start -m "$megabytes" -o 3 -B
load fill pageout
snapshot start
set_fake fail_loads 7
load verify
set_fake fail_loads 0
snapshot end
check "every seventh: wrong pages" "$load_wrong" -eq 0
check "every seventh: SIGBUS = failed loads" "$load_sigbus" \
	-eq "$(changed start fs_failed_loads)"
check "every seventh: SIGBUS" "$load_sigbus" -gt $((load_pages / 10))
check "every seventh: the others are right" $((load_ok + load_sigbus)) \
	-eq "$load_pages"
load_end

# The backend leaves and cannot give back a single page.
load_start -m "$megabytes" -o 4 -B
load fill pageout
held=$(counted pages)
check "pages held before the backend leaves" "$held" \
	-gt $((megabytes * MB_PAGES / 2))
snapshot start
set_fake fail_loads 1
check_that "it leaves" unload_backend
check "pages lost" "$(frontswap poisoned_pages)" -eq "$held"
check "pages held" "$(frontswap pages)" -eq 0
echo 8192 >$TRACING/buffer_size_kb
echo >$TRACING/trace
echo 1 >$TRACING/events/frontswap/frontswap_load/enable
load verify
echo 0 >$TRACING/events/frontswap/frontswap_load/enable
check "SIGBUS for each of them" "$load_sigbus" -eq "$held"
check "traced each of them" \
	"$(grep -c 'frontswap_load: .* ret=-5$' $TRACING/trace)" -eq "$held"
check "wrong pages" "$load_wrong" -eq 0
check "the others are right" "$load_ok" -eq $((load_pages - held))
snapshot end
check "sectors read from $name" "$(changed start "${name}_sectors_read")" -eq 0
load_end
check "pages lost, when nobody has them any more" \
	"$(frontswap poisoned_pages)" -eq 0

# Swapoff takes everything back, also where some of it is lost.
load_backend "$(mb 64)"
load_start -m "$megabytes" -o 5 -B
load fill pageout
snapshot start
set_fake fail_loads 97
check_that "swapoff of what is lost in part" swapoff "$device"
set_fake fail_loads 0
snapshot end
check "swapoff: failed loads" "$(changed start fs_failed_loads)" -gt 0
load verify
check "swapoff: SIGBUS for each of them" "$load_sigbus" \
	-eq "$(changed start fs_failed_loads)"
check "swapoff: wrong pages" "$load_wrong" -eq 0
check "swapoff: the others are right" $((load_ok + load_sigbus)) \
	-eq "$load_pages"
load_end

# The slots are as good as new.
swap_on "$device"
load_start -m "$megabytes"
load fill pageout
check_content "after that"
load_end

finish

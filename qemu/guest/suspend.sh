#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# For a domain: uses pages of swap and of files while dom0 saves or moves it, until
# dom0 says "moved", or "stayed" where the domain is to go on as if nothing had been.
set -eu
# shellcheck source=domain.sh
. /opt/tmem/guest/domain.sh

tmem_begin 72
# 45 MB: they have to be taken back in 15 s, under an emulator too.
numbers 6000000
right=$(sums)
pools=$(number "$counters/pools")
echo "TAP version 13"
echo "1..5"
test "$(number "$counters/pages")" -gt 2000
echo "ok 1 pages are in the hypervisor"
echo "# ready"
rounds=0
until told moved || told stayed; do
	test "$right" = "$(sums)"
	rounds=$((rounds + 1))
done
echo "# stat rounds=$rounds"
test "$right" = "$(sums)"
echo "ok 2 swapped memory and files are the same"
suspends=$(dmesg | grep -c "Freezing user space processes$" || true)
echo "# stat suspends=$suspends"
if told moved; then
	test "$(number "$counters/suspends")" -eq "$suspends"
else
	test "$suspends" -gt 0
	test "$(number "$counters/suspends")" -eq 0
	test "$(number "$counters/pools")" -eq "$pools"
fi
echo "ok 3 the driver knows whether it has moved"
echo "# stat kb=$(number /sys/devices/system/xen_memory/xen_memory0/info/current_kb)"
/opt/tmem/guest/xen-balloon.sh 72
stores=$(number "$frontswap/stores")
numbers 6000000
test "$right" = "$(sums)"
echo "# stat stored_after=$(($(number "$frontswap/stores") - stores))"
test "$(number "$frontswap/stores")" -gt $((stores + 1000))
echo "ok 4 pages are stored again"
test "$(number "$counters/failed_loads")" -eq 0
echo "ok 5 none was lost"

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# For a domain: swaps to the hypervisor, says what that took, and does so again each
# time that dom0 tells it to.
set -eu
# shellcheck source=domain.sh
. /opt/tmem/guest/domain.sh

tmem_begin 72
for round in 1 2 3; do
	numbers 9000000
	echo "# round $round, pages $(number "$counters/pages"), refused $(number "$counters/refused")"
	await $round
done
echo "TAP version 13"
echo "1..1"
test "$(number "$counters/failed_loads")" -eq 0
test "$(seq 1 9000000 | sha256sum)" = "$(sha256sum < /run/data/numbers)"
echo "ok 1 no page was lost"

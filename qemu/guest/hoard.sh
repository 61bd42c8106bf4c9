#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# For a domain: swaps more to the hypervisor than that takes, locks the memory that
# this leaves, and goes on as dom0 says, which wants its memory back.
set -eu
# shellcheck source=domain.sh
. /opt/tmem/guest/domain.sh

# OPERATION...: of pageload, whose pages are those that are swapped out
load()
{
	for operation; do
		echo "$operation" >&3
		operations=$((operations + 1))
		until [ "$(grep -c '^done$' /run/said)" -eq $operations ]; do
			sleep 0.2
		done
	done
}

# Says what is where.
says()
{
	echo "# $1: pages $(number $frontswap/pages), stored $(number "$counters/stores"), refused $(number "$counters/refused"), pulled $(number $frontswap/pulls), written $(number $frontswap/writebacks)"
}

# Disks take 30 MB of it.
tmem_begin 104
mkfifo /run/operations
./pageload -m 64 -o 1 - < /run/operations > /run/said &
exec 3> /run/operations
operations=0
load fill pageout
./pageload -m 24 -o 2 fill lock stop verify > /run/locked &
locker=$!
until [ "$(sed -n 's/^VmLck:[^0-9]*\([0-9]*\).*/\1/p' /proc/$locker/status)" -gt 20000 ]; do
	sleep 0.2
done
sed -n 's/^VmLck:/# locked/p' /proc/$locker/status
says full
await frozen
load age=20
says frozen
await shrunk
load verify
says verified
await more
load age=100 pageout
says "full once more"
await home
load verify
kill -CONT $locker
wait $locker
exec 3>&-
cat /run/said /run/locked
says "all is right"
sleep 1000

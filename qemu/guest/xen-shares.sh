#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# For dom0: domains that read more files than the host has memory for compete for it.
# How much each of them has in the end, and how soon, with weights that change.
# shellcheck disable=SC2317 # functions are called by check
set -eu
# shellcheck source=xen.sh
. /opt/tmem/guest/xen.sh
# shellcheck source=xl.sh
. /opt/tmem/guest/xl.sh

# [NAME WEIGHT]...: prints how many in 1000 pages each has and should have, and how
# many; the status is 0 if all are within a tenth of that.
shares()
{
	xl tmem-list --json > /run/json
	python3 - "$@" <<-'END'
	import json, sys
	names, weights = sys.argv[1::2], list(map(int, sys.argv[2::2]))
	has = {d["name"]: d.get("ephemeral_pages", 0) for d in json.load(open("/run/json"))}
	pages = [has[name] for name in names]
	right = True
	for name, weight, held in zip(names, weights, pages):
	    share = 1000 * held / max(sum(pages), 1)
	    fair = 1000 * weight / sum(weights)
	    right &= abs(share - fair) <= max(fair / 10, 10)
	    print(f"{name}={share:.0f}/{fair:.0f} {name}_pages={held}", end=" ")
	print("" if right else "not now")
	sys.exit(not right)
	END
}

# What happens when they compete is seen for a while, from when they have it.
fair()
{
	begin=$(cut -d . -f 1 /proc/uptime)
	until shares "$@"; do
		test $(($(cut -d . -f 1 /proc/uptime) - begin)) -lt 150
		sleep 1
	done
	echo "# stat seconds_until_fair=$(($(cut -d . -f 1 /proc/uptime) - begin))" \
		> /run/seconds
	for _ in 1 2 3 4 5 6 7 8; do
		sleep 2
		shares "$@" || true
	done > /run/shares
	cat /run/shares
	# One look may fall on a moment in which one of them gets a file's pages.
	test "$(grep -c "not now" /run/shares)" -le 1
}

# DESCRIPTION [NAME WEIGHT]...
check_fair()
{
	description=$1
	shift
	check "$description" fair "$@"
	cat /run/seconds
	sed 's/^/# /' /run/shares
}

reader()
{
	name=$1
	shift
	domain_create "$name" pv 96 /opt/tmem/guest/reader.sh told \
		disk=files:/dev/tmem/scratch:r "$@"
}

xen_start
xen_own
plan 7
mkfs.ext4 -q /dev/tmem/scratch
mkdir /run/files
mount /dev/tmem/scratch /run/files
for i in 1 2 3 4 5 6 7 8; do
	seq $((i * 10000000)) $((i * 10000000 + 3000000)) > /run/files/$i
done
sum=$(cat /run/files/[0-9] | sha256sum)
umount /run/files

reader one tmem_weight=1
reader two tmem_weight=3
domain_says one "^# reading"
domain_says two "^# reading"
check_fair "they have 1 and 3 parts" one 1 two 3
xl tmem-set -w 9 one
check_fair "and then 3 and 1" one 9 two 3
reader three tmem_weight=12
domain_says three "^# reading"
check_fair "a late one has its half" one 9 two 3 three 12
xl tmem-set -w 0 three
check_fair "and nothing, if it is to have nothing" one 9 two 3 three 0
for name in one two three; do
	domain_tell $name stop
done
for name in one two three; do
	status=0
	domain_result $name > /run/result || status=$?
	sed "s/^/# $name: /" /run/result
	check "$name read what was written" \
		test "$status $(sed -n 's/^# sum //p' /run/result)" = "0 $sum"
done
exit $failed

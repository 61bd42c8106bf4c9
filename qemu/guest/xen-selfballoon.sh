#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# For dom0: two domains that need memory in turn, on a host that has not enough for
# both at once. What they write to their swap disks, with self-ballooning and with fixed
# shares; then what the toolstack says while a domain balloons itself.
# shellcheck disable=SC2317 # functions are called by check
set -eu
# shellcheck source=xen.sh
. /opt/tmem/guest/xen.sh
# shellcheck source=xl.sh
. /opt/tmem/guest/xl.sh

most=160 fixed=115

# MODE ONE TWO: two domains, and one that takes what is more than fixed shares
begin()
{
	mode=$1 one=$2 two=$3
	{
		echo "export MODE=$mode FIXED_MB=$fixed"
		cat /opt/tmem/guest/phases.sh
	} > /run/phases
	domain_create "$one" pv $most /run/phases told disk=swap0:/dev/tmem/swap0
	domain_says "$one" '^# ready'
	domain_create "$two" pv $most /run/phases told disk=swap0:/dev/tmem/swap1
	domain_says "$two" '^# ready'
	echo "# $mode: free $(xen_free) MB"
	domain_create "ballast_$mode" pv "$ballast" /run/ballast told
	domain_says "ballast_$mode" '^# ready'
	echo "# $mode: free $(xen_free) MB"
}

# One and then the other
turns()
{
	for name in $one $two; do
		domain_tell "$name" 1
		domain_says "$name" "^# phase 1 ended"
	done
}

# FIELD: the sum over both
sum()
{
	for name in $one $two; do
		domain_printed "$name" log
	done | sed -n "s/^# phase 1 ended: .* $1 \([0-9]*\).*/\1/p" |
		awk '{ sum += $1 } END { print sum }'
}

# DESCRIPTION NAME...: they end, and say that all is well. Not in a child: who waits
# for a domain has to be who made it.
check_end()
{
	description=$1 ended=0
	shift
	for name; do
		domain_tell "$name" end
		domain_result "$name" > /run/result || ended=$?
		sed "s/^/# $name: /" /run/result
	done
	check "$description" test "$ended" -eq 0
}

report()
{
	for name in $one $two; do
		domain_printed "$name" log | grep "^# phase . ended" | sed "s/^# /# $name: /"
	done
	echo "# stat sectors_read_$mode=$(sum read)"
	echo "# stat sectors_written_$mode=$(sum written)"
}

less_is_written()
{
	echo "written: $self_written with self-ballooning, $(sum written) with fixed shares"
	test "$self_written" -lt $(($(sum written) / 2))
}

# They grow beyond their share.
grow()
{
	for name in $one $two; do
		grown_to=$(domain_printed "$name" log |
			sed -n 's/^# phase 1 ended: .* to \([0-9]*\) MB.*/\1/p')
		test "$grown_to" -gt $((fixed + 15))
	done
}

# The toolstack's target is the most, from the moment it is set.
follows_target()
{
	domain_tell "$one" 2
	domain_has_more
	xl mem-set "$one" 110
	domain_says "$one" "^# now 1[01][0-9] of 110"
	xl mem-set "$one" "$most"
	domain_has_more
}

grown()
{
	domain_printed "$one" log | grep -c "^# now 1[3-6][0-9] of $most"
}

# Until it says once more that it has grown
domain_has_more()
{
	said=$(grown)
	for _ in $(seq 120); do
		sleep 1
		[ "$(grown)" -le "$said" ] || return 0
	done
	return 1
}

goes_on()
{
	domain_has_more
	domain_tell "$one" enough
	domain_says "$one" "^# phase 2 ended"
}

xen_start
xen_own
plan 9
cat > /run/ballast <<'END'
. /opt/tmem/guest/domain.sh
echo "# ready"
await end
echo "TAP version 13"
echo "1..1"
echo "ok 1 it was there"
END
# The rest is for two shares, and for what Xen needs for each domain.
ballast=$(($(xen_free) - 2 * fixed - 16))
echo "# stat ballast_mb=$ballast"
begin self one two
check "with self-ballooning each needs much in turn" turns
report
self_written=$(sum written)
check "they have grown" grow
check "the toolstack's target is the most" follows_target
check_end "the ballast goes" ballast_self
domain_save one /dev/tmem/saved
domain_restore one /dev/tmem/saved
check "saved and restored, it goes on" goes_on
check_end "all pages are right, and self-ballooning ends with the driver" one two
begin fixed three four
check "with fixed shares each needs much in turn" turns
report
check_end "all pages are right" three four ballast_fixed
check "less is written with self-ballooning" less_is_written
exit $failed

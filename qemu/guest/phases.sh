#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# For a domain: needs memory each time that dom0 says so, and hardly any in between.
# MODE is "self", with tmem and self-ballooning, or "fixed", with as much memory as
# FIXED_MB and a swap disk.
set -eu
# shellcheck source=domain.sh
. /opt/tmem/guest/domain.sh

balloon=/sys/devices/system/xen_memory/xen_memory0

has()
{
	echo $(($(number $balloon/info/current_kb) / 1024))
}

# What was read from the swap disk, and written to it
sectors()
{
	disk=$(readlink -f /dev/tmem/swap0)
	awk '{ print $3, $7 }' "/sys/block/${disk##*/}/stat"
}

# Until pageload has ended, or dom0 says that it is enough
watch()
{
	most=0
	while kill -0 "$loader" 2>/dev/null; do
		now=$(has)
		[ "$now" -le "$most" ] || most=$now
		echo "# now $now of $(($(number $balloon/target_kb) / 1024))"
		! told enough || kill -USR1 "$loader" 2>/dev/null || true
		sleep 1
	done
	wait "$loader"
}

# NAME OPERATION...
phase()
{
	name=$1 before=$(has)
	shift
	sectors > /run/before
	./pageload -m 68 -o 7 "$@" > /run/result &
	loader=$!
	watch
	sectors > /run/after
	sed "s/^/# $name: /" /run/result
	echo "# $name ended: from $before to $most MB, $(paste /run/before /run/after |
		awk '{ print "sectors read", $3 - $1, "written", $4 - $2 }')"
}

mkswap /dev/tmem/swap0 >/dev/null
swapon /dev/tmem/swap0
if [ "$MODE" = self ]; then
	modprobe tmem
	test "$(number $balloon/selfballoon/selfballooning)" -eq 0
	echo 1 > $balloon/selfballoon/selfballoon_interval
	echo 2 > $balloon/selfballoon/selfballoon_downhysteresis
	echo 1 > $balloon/selfballoon/selfballooning
	for setting in selfballooning=2 selfballooning=x selfballoon_interval=0 \
			selfballoon_uphysteresis=0; do
		if sh -c "echo ${setting#*=} > $balloon/selfballoon/${setting%=*}" \
				2>/dev/null; then
			echo "# accepted: $setting"
			exit 1
		fi
	done
	until [ "$(has)" -le 90 ]; do sleep 1; done
else
	/opt/tmem/guest/xen-balloon.sh "$FIXED_MB"
fi
echo "# ready, has $(has) MB"
await 1
phase "phase 1" fill age=25 verify=50
until told 2 || told end; do sleep 0.5; done
! told 2 || phase "phase 2" fill loop verify
await end
if [ "$MODE" = self ]; then
	echo "# tmem: stores $(number "$counters/stores") loads $(number "$counters/loads") refused $(number "$counters/refused") left $(number $frontswap/pages)"
	until [ "$(has)" -le 90 ]; do sleep 1; done
	echo "# idle, has $(has) MB"
	rmmod tmem
	until [ "$(has)" -ge 120 ]; do sleep 1; done
	echo "# without the driver, has $(has) MB"
fi
echo "TAP version 13"
echo "1..1"
test "$(dmesg | grep -c "Out of memory")" -eq 0
echo "ok 1 no page was lost, nobody was killed"

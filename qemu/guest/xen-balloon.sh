#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# usage: xen-balloon.sh MEGABYTES: gives memory of this domain back to Xen until
# it has that much.
set -eu

balloon=/sys/devices/system/xen_memory/xen_memory0
wanted=$(($1 * 1024))
most=$(cat $balloon/info/current_kb)
echo $wanted > $balloon/target_kb
while [ "$(cat $balloon/info/current_kb)" -gt $wanted ]; do
	sleep 0.1
done
# Pages of swap are taken until they and the memory are what it had before.
echo "# stat xen_quota_pages=$(((most - $(cat $balloon/info/current_kb)) / 4))"

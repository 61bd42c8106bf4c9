#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# xl's script for a network interface of a domain: a link of two, dom0 10.0.0.254 and
# the domain 10.0.0.N, where its MAC address ends with N. dom0 routes between them.
set -eu
PATH=/usr/lib/xen-4.17/bin:/usr/sbin:/usr/bin:/sbin:/bin

[ "$1" = online ] || exit 0
node=$((0x$(xenstore-read "$XENBUS_PATH/mac" | sed 's/.*://')))
# shellcheck disable=SC2154 # xl sets it
ip link set "$vif" up
ip addr add 10.0.0.254/32 dev "$vif"
ip route add "10.0.0.$node/32" dev "$vif"
echo 1 > /proc/sys/net/ipv4/ip_forward
xenstore-write "$XENBUS_PATH/hotplug-status" connected

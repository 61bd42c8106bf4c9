#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# xl's script for a disk of a domain: tells the backend which device it is. The
# distribution's does more, and each takes seconds under emulation.
set -eu
PATH=/usr/lib/xen-4.17/bin:/usr/sbin:/usr/bin

[ "$1" = add ] || exit 0
device=$(xenstore-read "$XENBUS_PATH/params")
xenstore-write "$XENBUS_PATH/physical-device" \
	"$(stat -L -c %t:%T "$device")" \
	"$XENBUS_PATH/physical-device-path" "$device" \
	"$XENBUS_PATH/hotplug-status" connected

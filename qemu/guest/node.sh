#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# For a domain: a node that has the ocfs2 volume /dev/tmem/shared, and does what dom0
# tells it; see "node" in cluster.sh. Its file is kept open, since what the store has
# of it goes with the inode.
set -eu
# shellcheck source=domain.sh
. /opt/tmem/guest/domain.sh

file=/mnt/file
cleancache=/sys/kernel/mm/tmem/cleancache
cgroup=/sys/fs/cgroup/node
answer=

# The network and the cluster: NUMBER of this node, and how many there are
do_join()
{
	modprobe xen-netfront
	until ip link set eth0 up 2>/dev/null; do sleep 0.2; done
	ip addr add "10.0.0.$1/32" dev eth0
	ip route add 10.0.0.254 dev eth0
	ip route add default via 10.0.0.254 dev eth0
	mount -t configfs configfs /sys/kernel/config 2>/dev/null || true
	modprobe ocfs2_stack_o2cb
	modprobe ocfs2
	echo o2cb > /sys/fs/ocfs2/cluster_stack
	cluster=/sys/kernel/config/cluster/tmem
	mkdir "$cluster"
	# Everything takes longer here: after two minutes without a heartbeat a node is
	# dead, and who has waited for it goes on.
	echo 120000 > "$cluster/idle_timeout_ms"
	echo 61 > "$cluster/heartbeat/dead_threshold"
	echo 300 > /proc/sys/kernel/hung_task_timeout_secs
	for node in $(seq "$2"); do
		mkdir "$cluster/node/node$node"
		echo 7777 > "$cluster/node/node$node/ipv4_port"
		echo "10.0.0.$node" > "$cluster/node/node$node/ipv4_address"
		echo "$node" > "$cluster/node/node$node/num"
	done
	echo 1 > "$cluster/node/node$1/local"
}

# [OPTION]...
do_mount()
{
	mount -t ocfs2 "$@" /dev/tmem/shared /mnt
	[ -e "$file" ] || : > "$file"
	exec 7< "$file"
	answer="shared=$(number "$cleancache/mounts/$(mountpoint -d /mnt)/shared")"
}

do_umount()
{
	exec 7<&-
	umount /mnt
}

sectors()
{
	disk=$(readlink -f /dev/tmem/shared)
	awk '{ print $3 }' "/sys/class/block/${disk##*/}/stat"
}

# As far as it is not in the page cache
do_read()
{
	hits=$(number $cleancache/hits)
	sectors=$(sectors)
	sum=$(cksum < "$file" | tr ' ' -)
	answer="sum=$sum hits=$(($(number $cleancache/hits) - hits))"
	answer="$answer sectors=$(($(sectors) - sectors))"
}

# All of the page cache that this shell has used
do_evict()
{
	puts=$(number $cleancache/puts)
	tries=20
	while [ $tries -gt 0 ]; do
		bytes=$(sed -n 's/^file //p' $cgroup/memory.stat)
		[ "$bytes" -gt 1048576 ] || break
		echo "$((bytes - 524288))" > $cgroup/memory.reclaim 2>/dev/null ||
			true
		tries=$((tries - 1))
	done
	answer="puts=$(($(number $cleancache/puts) - puts)) left=$bytes"
}

# PAGES: no two are alike
do_fill()
{
	seq 100000000 199999999 2>/dev/null | head -c $((4096 * $1)) > "$file"
	sync
}

# LETTER PAGE PAGES
do_write()
{
	yes "$1, a test page." 2>/dev/null | head -c $((4096 * $3)) |
		dd of="$file" bs=4096 seek="$2" conv=notrunc 2>/dev/null
}

do_sync()
{
	sync
}

# PAGE: how it begins
do_letter()
{
	answer=$(dd if="$file" bs=4096 skip="$1" count=1 2>/dev/null | head -c 1)
}

# Until it is told to end
obey()
{
	last=
	until [ "$last" = end ]; do
		# What is behind it was told before.
		order=$(dd if=/dev/tmem/signal iflag=direct count=1 2>/dev/null |
			tr '\0' '\n' | head -n 1)
		if [ "$order" = "$last" ] || [ -z "$order" ]; then
			sleep 0.3
			continue
		fi
		last=$order
		[ "$order" != end ] || break
		answer=
		# shellcheck disable=SC2086 # words of the order
		do_${order#*:}
		echo "# done ${order%%:*} $answer"
	done
}

modprobe tmem frontswap=0
for mount in "$cleancache"/mounts/*; do
	echo 1 > "$mount/excluded"
done
echo +memory > /sys/fs/cgroup/cgroup.subtree_control
mkdir $cgroup
echo $$ > $cgroup/cgroup.procs
echo "# ready"
obey
! mountpoint -q /mnt || do_umount
echo "TAP version 13"
echo "1..1"
echo "ok 1 as told"

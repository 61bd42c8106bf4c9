# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# For scripts that run in dom0 and have nodes of a cluster in domains (node.sh); read
# it after xen.sh.
#
#	cluster_disk [OPTION of mkfs]...
#				a volume on /dev/tmem/scratch; sets $uuid
#	node_create NAME [KEY=VALUE]...
#	node NAME ORDER		has it do that, and prints what it answers
#	node_end NAME
#	answered NAME WORD ORDER	the value of WORD=VALUE in that

cluster_disk()
{
	echo y | mkfs.ocfs2 -F -q -b 4096 -C 4096 -N 2 -J size=4M "$@" \
		/dev/tmem/scratch > /run/mkfs 2>&1
	# shellcheck disable=SC2034 # who reads this uses it
	uuid=$(blkid -p -s UUID -o value /dev/tmem/scratch)
}

node_create()
{
	name=$1
	shift
	domain_create "$name" pv 112 /opt/tmem/guest/node.sh told \
		disk=shared:/dev/tmem/scratch "$@"
	domain_says "$name" "^# ready"
}

# Each order has a number, since it may be the same as the last.
orders=/run/orders
echo 0 > $orders

node()
{
	node_name=$1
	shift
	order=$(($(cat $orders) + 1))
	echo $order > $orders
	domain_tell "$node_name" "$order:$*"
	domain_says "$node_name" "^# done $order " || return 1
	domain_printed "$node_name" log | sed -n "s/^# done $order //p"
}

answered()
{
	word=$2 name=$1
	shift 2
	node "$name" "$@" | tr ' ' '\n' | sed -n "s/^$word=//p"
}

node_end()
{
	domain_tell "$1" end
	domain_result "$1" > /run/result
}

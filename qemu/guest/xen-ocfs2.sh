#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# For dom0: a cluster of two domains that have the same ocfs2 volume, and share a pool.
# What one has read and evicted the other gets; what one writes the other reads, also
# when that one is dead.
# shellcheck disable=SC2317 # functions are called by check
set -eu
# shellcheck source=xen.sh
. /opt/tmem/guest/xen.sh
# shellcheck source=xl.sh
. /opt/tmem/guest/xl.sh
# shellcheck source=cluster.sh
. /opt/tmem/guest/cluster.sh

pages=6144
slack=300

# NAME LEAST: it reads all of the file, and so many pages are hits
reads()
{
	node "$1" read > /run/answer
	cat /run/answer
	test "$(sed -n 's/.*hits=\([0-9]*\).*/\1/p' /run/answer)" -ge "$2"
}

# Both have the same
agree()
{
	one=$(answered one sum read)
	two=$(answered two sum read)
	test "$one" = "$two"
	test -n "$one"
}

other()
{
	test "$1" = one && echo two || echo one
}

# Whoever has written, the other reads that, from wherever: what he had in the page
# cache, in the store, or put there meanwhile.
takes_turns()
{
	for turn in a b c d e f g h; do
		writer=$(other "${writer-two}")
		reader=$(other "$writer")
		page=$((turn_page += 7))
		node "$reader" letter "$page" > /dev/null
		case $turn in
		[bdfh]) node "$reader" evict ;;
		esac
		node "$writer" write "$turn" "$page" 8
		test "$(node "$reader" letter "$page")" = "$turn"
		test "$(node "$writer" letter "$page")" = "$turn"
		case $turn in
		[cdgh]) node "$writer" evict ;;
		esac
		test "$(node "$reader" letter $((page + 7)))" = "$turn"
	done
}

# Between two writes the pages go through the store, where they stay.
writes_twice()
{
	for writer in one two; do
		reader=$(other "$writer")
		node "$writer" write x 400 8
		node "$writer" sync
		node "$writer" read
		node "$writer" evict
		reads "$writer" $((pages - slack))
		node "$writer" write y 400 8
		test "$(node "$reader" letter 400)" = y
	done
}

# It waits until the heartbeat says that the other is dead. The pool is empty then.
recovers()
{
	test "$(node one letter 200)" = k
	node one read | tee /run/answer
	grep -q ' hits=0 ' /run/answer
}

joins()
{
	node one join 1 2 && node two join 2 2
}

# With times of reading the first reader after a writer would have to write too.
mounts()
{
	test "$(answered one shared mount -o noatime)" = 1
	test "$(answered two shared mount -o noatime)" = 1
}

xen_start
xen_own
plan 14
modprobe xen-netback
cluster_disk -L tmem
# The first node fills it.
free=$(xen_free)
id=0
for name in one two; do
	id=$((id + 1))
	# The heartbeat writes to the disk that is mounted.
	node_create "$name" append=bdev_allow_write_mounted=1 \
		vif="['mac=00:16:3e:00:00:0$id,script=/opt/tmem/guest/xen-vif.sh']"
	xl tmem-shared-auth -u "$uuid" -A 1 "$name"
done
check "nodes of a cluster" joins
check "both mount the volume" mounts
node one fill $pages > /dev/null
# It is forgotten when who has written lets the other read.
node two letter 0 > /dev/null
check "one reads" reads one 0
check "and evicts" node one evict
check "the other gets what one has evicted" reads two $((pages - slack))
check "it is the same" agree
turn_page=0
check "who reads gets what the other has written" takes_turns
check "who writes again what is in the store makes that old" writes_twice
check "it is the same still" agree
check "pages that are not written are hits again" eval "
	node one read && node two read && node one evict && node two evict &&
	reads two \$((pages - slack))"
# It dies with locks, a journal, and pages in the pool.
node two write k 200 16
node two sync
node two evict
domain_destroy two
check "one recovers what a dead node has left" recovers
check "and has hits again" eval "
	node one evict && reads one \$((pages - slack))"
# Whose child it is waits for it.
ended=0
node_end one || ended=1
check "it did what it was told" test $ended = 0
check "nothing is left of them" xen_has_all_back "$free"
exit $failed

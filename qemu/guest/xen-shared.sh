#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# For dom0: domains that have the same ocfs2 volume share what they have read of it, if
# they may. Here without a cluster: nobody has it mounted while another one writes.
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

# NAME SUM LEAST MOST: it reads the file, and so many pages are hits
reads()
{
	node "$1" read > /run/answer
	cat /run/answer
	hits=$(sed -n 's/.*hits=\([0-9]*\).*/\1/p' /run/answer)
	grep -q "sum=$2 " /run/answer
	test "$hits" -ge "$3"
	test "$hits" -le "$4"
}

reads_from_store()
{
	reads "$1" "$2" $((pages - slack)) $((pages * 2))
	test "$(sed -n 's/.*sectors=//p' /run/answer)" -le $((slack * 8))
}

# NAME: what it has in the page cache is in the store then; some may be there already
evicts()
{
	node "$1" evict | tee /run/answer
	test "$(sed -n 's/.*puts=\([0-9]*\).*/\1/p' /run/answer)" -ge \
		$((pages / 2))
}

authorise()
{
	xl tmem-shared-auth -u "$uuid" -A "$2" "$1"
}

mounts()
{
	name=$1
	shift
	test "$(answered "$name" shared mount "$@")" = 1
}

is_one_pool()
{
	for name in one two; do
		tmem_value "$name" "sum(pool['type'] == 'shared' for pool in pools)"
	done | tee /run/pools
	test "$(tr -d '\n' < /run/pools)" = 11
}

xen_start
xen_own
plan 16
cluster_disk -M local
mount -t ocfs2 /dev/tmem/scratch /mnt
seq 100000000 199999999 2>/dev/null | head -c $((pages * 4096)) > /mnt/file
sum=$(cksum < /mnt/file | tr ' ' -)
umount /mnt
free=$(xen_free)

for name in one two three; do
	node_create $name
done
check "two are authorised" eval "authorise one 1 && authorise two 1"
check "they mount the volume" eval \
	"mounts one -o ro && mounts two -o ro && mounts three -o ro"
check "the two have one pool" is_one_pool
check "one reads it from the disk" reads one "$sum" 0 0
check "and evicts it" evicts one
check "the other gets what one has evicted" reads_from_store two "$sum"
check "who is not authorised gets nothing" reads three "$sum" 0 0
check "and what that one evicts nobody gets" eval "
	evicts three
	node two evict && node one umount && node two umount
	mounts one -o ro
	reads one '$sum' 0 0"
node one umount
node three umount

mounts one
node one write w 40 16
node one sync
check "one has written" test "$(node one letter 40)" = w
node one evict > /dev/null
sum=$(answered one sum read)
node one umount
mounts two -o ro
check "the other reads what was written" reads two "$sum" 0 0

mounts one -o ro
check "the other has evicted, one gets it" eval "
	evicts two && reads_from_store one '$sum'"
check "who loses the authorisation leaves nothing" eval "
	node one evict && authorise two 0 && reads one '$sum' 0 0"
check "the pool goes on" eval "evicts one && reads_from_store one '$sum'"
authorise three 1
mounts three -o ro
node three read > /dev/null
node one evict > /dev/null
domain_destroy three
check "nor does who is destroyed" reads one "$sum" 0 0
# Whose children they are waits for them.
ended=0
for name in one two; do
	node_end "$name" || ended=1
done
check "they did what they were told" test $ended = 0
check "nothing is left of them" xen_has_all_back "$free"
exit $failed

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# For dom0: each command of xl for tmem, and what it does to dom0's own pages of files
# and to pages of swap of a domain.
# shellcheck disable=SC2317 # functions are called by check
set -eu
# shellcheck source=xen.sh
. /opt/tmem/guest/xen.sh
# shellcheck source=xl.sh
. /opt/tmem/guest/xl.sh

debugfs=/sys/kernel/debug/tmem_xen

# NAME...: dom0's counters
counted()
{
	for name; do
		cat "$debugfs/$name"
	done
}

# All files once; what dom0 has no memory for goes to the hypervisor, and what is
# there comes from it.
read_files()
{
	cat /run/files/? | sha256sum
}

# So that programs that look at it do not change it
quiet()
{
	sync
	echo 1 > /proc/sys/vm/drop_caches
	xl tmem-list --json 0 | python3 -c "import json, sys; json.load(sys.stdin)"
	xl tmem-list -l 0 > /dev/null
	xl tmem-list --prometheus > /dev/null
}

# What both sides say is the same, if nothing happened meanwhile.
same_counters()
{
	quiet
	for _ in 1 2 3 4 5; do
		counted pages pools puts refused gets get_misses > /run/before
		tmem_value 0 "$(pool_sum "['pages']")" "len(pools)" \
			"domain['stats']['puts']" "domain['stats']['refused']" \
			"domain['stats']['hits']" "domain['stats']['misses']" > /run/xen-says
		counted pages pools puts refused gets get_misses > /run/after
		if cmp -s /run/before /run/after; then
			paste /run/xen-says /run/after
			cmp /run/xen-says /run/after
			return
		fi
	done
	echo "always something happens"
	return 1
}

# DOMAIN [EXPRESSION VALUE]...
is()
{
	of=$1
	shift
	while [ $# -gt 0 ]; do
		said=$(tmem_value "$of" "$1")
		echo "$1: $said, not $2?"
		test "$said" = "$2"
		shift 2
	done
}

# What is put besides, replaces a page.
new_puts()
{
	tmem_value 0 "domain['stats']['puts'] - domain['stats']['overwrites']"
}

freeze_works()
{
	xl tmem-freeze "$1"
	is 0 "domain['frozen']" True
	puts=$(new_puts)
	hits=$(counted gets)
	refused=$(counted refused)
	read_files > /run/sum
	is 0 "domain['frozen']" True
	echo "new puts $puts, $(new_puts)"
	test "$(new_puts)" -eq "$puts"
	echo "hits $hits, $(counted gets); refused $refused, $(counted refused)"
	test "$(counted gets)" -gt $((hits + 100))
	test "$(counted refused)" -gt $((refused + 1000))
	test "$(cat /run/sum)" = "$sum"
}

thaw_works()
{
	xl tmem-thaw "$1"
	is 0 "domain.get('frozen')" None
	puts=$(new_puts)
	read_files > /run/sum
	echo "new puts $puts, $(new_puts)"
	test "$(new_puts)" -gt $((puts + 1000))
	test "$(cat /run/sum)" = "$sum"
}

freeable_is_right()
{
	quiet
	freeable=$(xl tmem-freeable)
	held=$(($(counted pages) / 256))
	echo "freeable $freeable, held $held"
	test "$freeable" -ge $((held - 1))
	test "$freeable" -le $((held + held / 8 + 2))
}

list_says()
{
	quiet
	xl tmem-list -l 0 > /run/list
	cat /run/list
	grep -Eq "^Domain-0 +0 persistent +- +1 +- +0\.0 +[0-9]+\.[0-9] +[0-9]+$" /run/list
	grep -q "^    pool 0, ephemeral, [0-9a-f-]*: pages [0-9]" /run/list
	grep -q "^    puts [1-9]" /run/list
	test "$(xl tmem-list | wc -l)" -eq $(($(xl list | wc -l)))
	xl tmem-list > /run/short
	test "$(grep -c pool /run/short)" -eq 0
	xl tmem-list -a > /run/all
	cmp /run/short /run/all
}

prometheus_is_right()
{
	quiet
	until
		pages=$(counted pages)
		xl tmem-list --prometheus > /run/prometheus
		test "$(counted pages)" -eq "$pages"
	do
		echo "$pages pages, then others"
	done
	prometheus_check < /run/prometheus
	value=$(sed -n 's/^xen_tmem_domain_ephemeral_bytes{domain="Domain-0",domid="0"} //p' \
		/run/prometheus)
	echo "$value bytes, $pages pages"
	test "$value" -eq $((pages * 4096))
	grep -q '^xen_tmem_pool_puts_total{.*,pool="0",type="ephemeral"} [1-9]' /run/prometheus
	grep -q '^xen_tmem_domain_quota_bytes{domain="Domain-0",.*} +Inf$' /run/prometheus
	test "$(grep -c '^xen_tmem_domain_frozen{' /run/prometheus)" -eq \
		$(($(xl list | wc -l) - 1))
}

# A name that has to be written in another way in the text
prometheus_escapes()
{
	xl rename one 'o"n\e'
	xl tmem-list --prometheus > /run/prometheus
	xl rename 'o"n\e' one
	prometheus_check < /run/prometheus
	grep -qF 'domain="o\"n\\e",domid="1"' /run/prometheus
}

set_works()
{
	is 0 "domain['params']" "{'mode': 'persistent', 'weight': 1}"
	xl tmem-set -w 5 0
	is 0 "domain['params']" "{'mode': 'persistent', 'weight': 5}"
	xl tmem-set 0 --quota=10 -m enabled
	is 0 "domain['params']" \
		"{'mode': 'enabled', 'weight': 5, 'quota_memkb': 10240}"
	xl tmem-set -p none 0 -m persistent --weight 1
	is 0 "domain['params']" "{'mode': 'persistent', 'weight': 1}"
}

# The module may stay without anything to do, for its unit tests.
disable_works()
{
	xl tmem-set -m disabled 0
	is 0 "domain['params']['mode']" disabled
	modprobe tmem frontswap=0 || true
	is 0 "len(pools)" 0
	dmesg | grep -q "this Xen has no tmem for us"
	rmmod tmem || true
	xl tmem-set -m enabled 0
	modprobe tmem frontswap=0
	is 0 "len(pools) > 0" True
}

# AT-MOST-MB: what the domain holds after a round is as much as it may
quota_holds()
{
	pages=$(tmem_value one "domain['persistent_pages']")
	echo "pages $pages"
	test "$pages" -le $(($1 * 256))
	test "$pages" -gt $(($1 * 256 - 256))
	is one "sum(p['pages'] for p in pools if p['type'] == 'persistent') == \
		domain['persistent_pages'] < domain['charged_pages']" True
}

tell()
{
	domain_tell one "$1"
	domain_says one "^# round $(($1 + 1)), "
}

no_quota()
{
	xl tmem-set -p none one
	tell 2
	pages=$(tmem_value one "domain['persistent_pages']")
	echo "pages $pages"
	test "$pages" -gt 5120
}

uuid=12345678-9abc-def0-1234-56789abcdef0

# With each of 63 others, and then no more
shared_auth_works()
{
	is 0 "domain['params'].get('shared')" None
	xl tmem-shared-auth -u "$uuid" -A 1 0
	xl tmem-shared-auth 0 --auth=1 --uuid="$uuid"
	is 0 "domain['params']['shared']" "['$uuid']"
	xl tmem-list -l 0 | grep -q "^    may share $uuid\$"
	for i in $(seq 10 73); do
		xl tmem-shared-auth -A 1 0 -u "000000$i-0000-0000-0000-000000000000"
		# The last one takes the place of the first.
		[ "$i" != 72 ] || xl tmem-shared-auth -A 0 0 -u "$uuid"
	done
	is 0 "len(domain['params']['shared'])" 64 \
		"'$uuid' in domain['params']['shared']" False \
		"'00000073-0000-0000-0000-000000000000' in domain['params']['shared']" True
}

shared_auth_ends()
{
	for i in $(seq 10 73); do
		xl tmem-shared-auth -A 0 0 -u "000000$i-0000-0000-0000-000000000000"
	done
	xl tmem-shared-auth -A 0 0 -u "$uuid"
	is 0 "domain['params'].get('shared')" None
}

theirs_works()
{
	test "$("$theirs" domid one)" -eq 1
	"$theirs" list -l one | grep -q '"name": "one"'
	same info -n
	same cpupool-list
}

xen_start
theirs=$(command -v xl)
xen_own
plan 47

modprobe tmem frontswap=0
mkfs.ext4 -q /dev/tmem/scratch
mkdir /run/files
mount /dev/tmem/scratch /run/files
for i in 1 2 3 4 5 6 7 8; do
	seq $((i * 10000000)) $((i * 10000000 + 3000000)) > /run/files/$i
done
sync
# The pages of a file go with its inode, and an inode goes that nobody uses.
users=
for i in 1 2 3 4 5 6 7 8; do
	# shellcheck disable=SC2217
	sleep 10000 < /run/files/$i &
	users="$users $!"
done
sum=$(read_files)
read_files > /dev/null
check "dom0 and Xen count the same" same_counters
check "tmem-list" list_says
check "tmem-freeable" freeable_is_right
check "tmem-list --prometheus" prometheus_is_right
check "frozen, it gets pages, and puts none" freeze_works 0
check "the same has happened on both sides" same_counters
check "thawed, it puts them again" thaw_works 0
check "all are frozen" freeze_works -a
check "all are thawed" thaw_works -a
check "tmem-set, with options anywhere" set_works

# usage errors
refuses()
{
	status=$1 regex=$2
	shift 2
	check_fails "refused: xl $*" "$status" "$regex" xl "$@"
}
refuses 2 "nothing to set" tmem-set 0
refuses 2 "name a domain" tmem-set -w 1
refuses 2 "one domain at a time" tmem-set -w 1 0 1
refuses 2 "not supported" tmem-set -c 1 0
refuses 1 "a number from 0 to 65535" tmem-set -w 65536 0
refuses 1 "a number from 0 to 65535" tmem-set -w 1x 0
refuses 1 "quota in MB" tmem-set -p -1 0
refuses 1 "enabled or persistent" tmem-set -m unknown 0
refuses 1 "no such domain" tmem-set -w 1 4711
refuses 1 "invalid domain identifier" tmem-set -w 1 nobody
refuses 2 "say -a for all" tmem-freeze
refuses 2 "say -a for all" tmem-freeze -a 0
refuses 1 "no such domain" tmem-freeze 4711
refuses 2 "say -a for all" tmem-thaw
refuses 1 "no such domain" tmem-thaw 4711
refuses 2 "say -a for all" tmem-list -a 0
refuses 2 "not both" tmem-list --json --prometheus
refuses 1 "no such domain" tmem-list --json 4711
refuses 1 "no such domain" tmem-list 4711
refuses 2 "not of a domain" tmem-freeable 0
refuses 2 "-u and -A are needed" tmem-shared-auth -A 1 0
refuses 1 "from 0 to 1" tmem-shared-auth -u 0-0 -A 2 0
refuses 1 "is no UUID" tmem-shared-auth -u 0-0 -A 1 0
refuses 1 "does not accept the value" tmem-shared-auth -A 1 0 \
	-u 00000000-0000-0000-0000-000000000000
refuses 1 "no such domain" tmem-shared-auth -A 1 4711 -u "$uuid"
check "tmem-shared-auth" shared_auth_works
refuses 1 "as many as there can be" tmem-shared-auth -A 1 0 -u "$uuid"
check "what may be shared is withdrawn" shared_auth_ends
printf '%s\n' 'name = "none"' 'type = "pv"' 'kernel = "/opt/tmem/boot/bzImage"' \
	'memory = 32' 'tmem_shared = [ "0-0" ]' > /run/bad.cfg
refuses 1 "it is a list of UUIDs" create -n /run/bad.cfg

# shellcheck disable=SC2086
kill $users
# shellcheck disable=SC2086
wait $users || true
umount /run/files
rmmod tmem
check "who is disabled has no pool" disable_works
rmmod tmem

domain_create one pv 128 /opt/tmem/guest/control.sh told disk=swap0:/dev/tmem/swap0 \
	'tmem="persistent"' tmem_weight=7 tmem_quota=8 \
	"tmem_shared=[\"$uuid\",\"00000000-0000-0000-0000-000000000001\"]"
domain_says one "^# round 1, "
check "a domain has what its configuration says" is one "domain['params']" \
	"{'mode': 'persistent', 'weight': 7, 'quota_memkb': 8192, 'shared': \
['$uuid', '00000000-0000-0000-0000-000000000001']}" "domain['name']" one
check "it has no more than its quota" quota_holds 8
xl tmem-set -p 20 one
tell 1
check "nor than another" quota_holds 20
check "without, it has more" no_quota
check "any name can be in the text of Prometheus" prometheus_escapes
check "the distribution's xl works, too" theirs_works
domain_tell one 3
status=0
domain_result one > /run/result || status=$?
sed "s/^/# one: /" /run/result
check "no page of it was lost" test $status -eq 0
exit $failed

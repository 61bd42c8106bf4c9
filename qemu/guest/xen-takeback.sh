#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# For dom0: a guest has a full persistent pool and has locked the memory that this
# left it. The host wants the memory back: each means, what it does and how long that
# takes.
# shellcheck disable=SC2317 # functions are called by check
set -eu
# shellcheck source=xen.sh
. /opt/tmem/guest/xen.sh
# shellcheck source=xl.sh
. /opt/tmem/guest/xl.sh

now()
{
	date +%s%3N
}

# NAME COMMAND...: how long it takes
timed()
{
	timed=$1
	shift
	begin=$(now)
	"$@"
	echo "# stat $timed=$(($(now) - begin))" >> /run/times
}

holds()
{
	tmem_value one "domain['persistent_pages']"
}

stats()
{
	tmem_value one "domain['stats']['$1']"
}

# Until it holds no more than so many MB
holds_at_most()
{
	for _ in $(seq 600); do
		[ "$(holds)" -gt $(($1 * 256)) ] || return 0
		sleep 0.2
	done
	return 1
}

# WORD WHAT: tells it the word, and waits for it to say what is then
tell()
{
	domain_tell one "$1"
	domain_says one "^# $2:"
	said=$(domain_printed one log | grep "^# $2:")
	echo "$said"
}

# NAME: one of the numbers that it said
number_of()
{
	echo "$said" | sed -n "s/.* $1 \([0-9]*\).*/\1/p"
}

full()
{
	pages=$(holds)
	echo "holds $pages pages"
	test "$pages" -gt 12000
}

frozen_takes_nothing()
{
	timed ms_freeze xl tmem-freeze one
	before=$(stats puts)
	refused=$(stats refused)
	tell frozen frozen
	echo "puts $before, $(stats puts) refused $refused, $(stats refused)"
	test "$(stats puts)" -eq "$before"
	test "$(stats refused)" -gt $((refused + 1000))
}

# The driver of the guest finds it in xenstore, and its memory is full.
shrinks()
{
	timed ms_quota xl tmem-set -p 16 one
	timed ms_shrink holds_at_most 16
	test "$(xenstore-read "/local/domain/$(xl domid one)/memory/tmem-quota")" -eq 16384
	sleep 2
	test "$(holds)" -gt 3800
	tell shrunk verified
	test "$(number_of written)" -gt 5000
}

fills_again()
{
	xl tmem-set -p none one
	test -z "$(xenstore-read "/local/domain/$(xl domid one)/memory/tmem-quota" \
		2>/dev/null)"
	tell more "full once more"
	full
}

# Nothing but what it has already can be refused to a guest that does not listen.
ignores()
{
	xl pause one
	xl tmem-set -p 0 one
	before=$(holds)
	sleep 5
	test "$(holds)" -eq "$before"
}

creates_two()
{
	domain_create two pv 120 /run/hello
}

# What xl says, until it ends, because it could not, or the domain did
cannot_create_two()
{
	failed=0
	creates_two || return 1
	wait "$(cat "$domains/two/pid")" || failed=$?
	cat "$domains/two/xl"
	return "$failed"
}

two_runs()
{
	creates_two
	domain_says two '^ok 1'
}

listens()
{
	xl unpause one
	timed ms_shrink_to_nothing holds_at_most 0
	timed ms_create_and_boot two_runs
	domain_result two
}

is_right()
{
	tell home "all is right"
	domain_printed one log | grep '^[a-z]*: written='
	test "$(domain_printed one log |
		grep -c '^verify: .* ok=.* stale=0 foreign=0 torn=0 zero=0 ')" -ge 3
}

# What it has in its pool has gone with it.
destroyed()
{
	domain_destroy one
	xen_has_free "$free"
}

xen_start
xen_own
mkdir -p /run/etc/upper /run/etc/work
mount -t overlay -o lowerdir=/etc,upperdir=/run/etc/upper,workdir=/run/etc/work etc /etc
mkdir -p /etc/xen
touch /etc/xen/xl.conf
plan 8
cat > /run/hello <<'END'
echo "TAP version 13"
echo "1..1"
echo "ok 1 a domain runs"
END
free=$(xen_free)
domain_create one pv 156 /opt/tmem/guest/hoard.sh told disk=swap0:/dev/tmem/swap0
domain_says one '^# full:'
domain_printed one log | grep '^# locked\|^# full:'
echo "# stat free_mb=$(xen_free)"
check "the guest has a full pool" full
check "frozen, nothing is added" frozen_takes_nothing
xl tmem-thaw one
check "asked for, it takes pages back until few are left" shrinks
check "thawed and asked for nothing, it is full again" fills_again
check "a guest that does not listen keeps what it has" ignores
check_fails "and there is no memory for a domain" 3 "Cannot allocate memory" cannot_create_two
sed 's/^/# /' /run/said
rm -r "$domains/two"
check "it listens, and there is memory for the domain" listens
check "all pages of the guest are right" is_right
timed ms_destroy destroyed
cat /run/times
exit $failed

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# For dom0 on a Xen without tmem: xl of the series says so, and is else what the
# distribution's is.
# shellcheck disable=SC2317 # functions are called by check
set -eu
# shellcheck source=xen.sh
. /opt/tmem/guest/xen.sh
# shellcheck source=xl.sh
. /opt/tmem/guest/xl.sh

xen_start
theirs=$(command -v xl)
xen_own

# KEY=VALUE...
hello()
{
	domain_create hello pv 64 /run/hello "$@"
	domain_result hello || return 1
}

cat > /run/hello <<'END'
echo "TAP version 13"
echo "1..1"
echo "ok 1 a domain runs"
END
plan 15
check "xl is another one" test "$theirs" != "$(command -v xl)"
for verb in "info -n" "domid Domain-0" cpupool-list; do
	# shellcheck disable=SC2086
	check "$verb is the same" same $verb
done
for verb in list "list 0" "list --json" "list --prometheus" "freeze -a" "thaw 0" \
		"set -w 2 0" freeable; do
	# shellcheck disable=SC2086
	check_fails "no tmem-$verb" 1 "booted without tmem=1" xl tmem-$verb
done
check "a domain that wants none is created" hello
rm -r /run/xen/domains/hello
check_fails "one that wants some is not" 1 "booted without tmem=1" \
	hello 'tmem="enabled"'
check "the distribution's xl goes on" "$theirs" list
exit $failed

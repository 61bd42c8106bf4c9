# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# For scripts that run in dom0 and test xl of the series; read it with ".".
#
#	plan RESULTS
#	check DESCRIPTION COMMAND...
#				each command of a function has to succeed, as with
#				"sh -e"; it is a child of its own
#	check_fails DESCRIPTION STATUS REGEX COMMAND...
#				it ends with that status, and says that
#	tmem_value DOMAIN EXPRESSION...
#				of what "xl tmem-list --json" says of it, in Python
#	pool_sum FIELD		such an expression
#	same ARGUMENT...	do the distribution's xl ($theirs) and this one say
#				the same?
#	prometheus_check	of standard input: is it what Prometheus reads?

number=0
failed=0

plan()
{
	echo "TAP version 13"
	echo "1..$1"
}

result()
{
	number=$((number + 1))
	echo "$1 $number - $2"
	[ "$1" = ok ] || failed=1
}

check()
{
	description=$1 status=0
	shift
	# In "if" and the like the shell does not mind who fails in a function.
	(set -e; "$@") > /run/said 2>&1 &
	wait $! || status=$?
	if [ $status -eq 0 ]; then
		result ok "$description"
	else
		sed 's/^/# /' /run/said
		result "not ok" "$description: $*"
	fi
}

check_fails()
{
	description=$1 wanted=$2 regex=$3 status=0
	shift 3
	(set -e; "$@") > /run/said 2>&1 &
	wait $! || status=$?
	if [ $status -eq "$wanted" ] && grep -q -e "$regex" /run/said; then
		result ok "$description"
	else
		sed 's/^/# /' /run/said
		result "not ok" "$description: status $status: $*"
	fi
}

# xfsprogs brings Python.
tmem_value()
{
	domain=$1
	shift
	xl tmem-list --json "$domain" > /run/json
	for expression; do
		python3 -c "
import json
domain, = json.load(open('/run/json'))
pools = domain.get('pools', [])
print($expression)"
	done
}

same()
{
	"$theirs" "$@" > /run/theirs
	xl "$@" > /run/ours
	diff /run/theirs /run/ours
}

pool_sum()
{
	echo "sum(pool$1 for pool in pools)"
}

prometheus_check()
{
	python3 -c '
import re, sys
text = sys.stdin.read()
label = r"[a-z_]\w*=\"(?:[^\"\\\n]|\\[\\\"n])*\""
sample = re.compile(r"([a-z_:][\w:]*)\{%s(?:,%s)*\} (?:\d+|\+Inf)$" % (label, label))
seen, name, lines = set(), None, text.split("\n")
assert lines.pop() == "", "no newline at the end"
while lines:
    line = lines.pop(0)
    if line.startswith("# HELP "):
        name, text = re.match(r"# HELP (\w+) (\S.*)$", line).groups()
        assert name not in seen, line
        seen.add(name)
        kind = re.match("# TYPE %s (counter|gauge)$" % name, lines.pop(0))[1]
        assert (kind == "counter") == name.endswith("_total"), name
        samples = set()
    else:
        assert sample.match(line)[1] == name, line
        assert line.rpartition(" ")[0] not in samples, line
        samples.add(line.rpartition(" ")[0])
print(len(seen), "metrics")
assert len(seen) > 10'
}

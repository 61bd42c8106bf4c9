# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC3043,SC2034,SC2154
#
# Programs that use memory: a memory cgroup, and a pageload that is told what to
# do. Part of tmem_lib.sh.

# make_cgroup LIMIT: a limit to its memory, not to its swap. Reclaim goes by the
# statistics of the cgroup. Where swap has no I/O to wait for, whatever it is, it
# can be faster than these: it finds nothing and, because of memory.max, calls
# the OOM killer. So this is memory.high, and reading brings them up to date.
make_cgroup()
{
	echo +memory >"$CGROUPS/cgroup.subtree_control" ||
		die "no memory controller"
	[ -d "$CGROUP" ] || mkdir "$CGROUP"
	echo "$1" >"$CGROUP/memory.high"
	[ -z "${stat_reader-}" ] || kill "$stat_reader" 2>/dev/null
	while cat "$CGROUP/memory.stat" && sleep 0.2; do
		:
	done >/dev/null 2>&1 &
	stat_reader=$!
}

# Swap out nearly everything, and let go of what has been written.
squeeze_cgroup()
{
	echo 1M >"$CGROUP/memory.high"
	echo max >"$CGROUP/memory.high"
}

# One pageload that takes orders: load_start OPTION..., then load OPERATION...
# does and waits, or load_send loop and, after what should disturb it, load_stop.
load_start()
{
	rm -f "$tmp/orders" "$tmp/answers"
	mkfifo "$tmp/orders" "$tmp/answers"
	# shellcheck disable=SC2086
	pageload ${LOAD_OPTIONS-} -s "$SEED" "$@" - <"$tmp/orders" >"$tmp/answers" &
	load_pid=$!
	exec 3>"$tmp/orders" 4<"$tmp/answers"
	load_due=0
	load_ok=0
	load_written=0
	load_wrong=0
	load_sigbus=0
	load_pages=0
	load_running=1
}

load_send()
{
	local operation

	for operation in "$@"; do
		echo "$operation" >&3 || return 1
		load_due=$((load_due + 1))
	done
}

load_answer()
{
	local word value

	case $1 in
	done)
		load_due=$((load_due - 1))
		return ;;
	"# pageload: pages="*)
		load_pages=${1#*pages=}
		load_pages=${load_pages%% *}
		return ;;
	"#"*)
		echo "$1"
		return ;;
	esac
	note "pageload $1"
	for word in $1; do
		value=${word#*=}
		case $word in
		ok=*)
			load_ok=$value ;;
		written=*)
			load_written=$value ;;
		stale=*|foreign=*|torn=*|zero=*)
			load_wrong=$((load_wrong + value)) ;;
		sigbus=*)
			load_sigbus=$((load_sigbus + value)) ;;
		esac
	done
}

load_wait()
{
	local answer

	while [ "$load_due" -gt 0 ]; do
		if ! read -r answer <&4; then
			note "pageload ended before it was done"
			load_wrong=$((load_wrong + 1))
			load_due=0
			return 1
		fi
		load_answer "$answer"
	done
}

load_stop()
{
	kill -USR1 "$load_pid"
	load_wait
}

load()
{
	load_send "$@" && load_wait
}

# check_content DESCRIPTION: all verified so far, by the load that is running
check_content()
{
	load verify
	check "$1: content is right, wrong pages" "$load_wrong" -eq 0
	check "$1: pages verified, of all mapped" "$load_ok" -eq "$load_pages"
}

# load_end: its status; 135 is SIGBUS
load_end()
{
	local answer

	load_running=
	exec 3>&-
	while read -r answer <&4; do
		load_answer "$answer"
	done
	exec 4<&-
	wait "$load_pid"
}

# check_load_end DESCRIPTION
check_load_end()
{
	load_end
	check "$1: status of pageload" $? -eq 0
}

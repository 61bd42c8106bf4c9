# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC3043
#
# What the run_*.sh share. They need a kernel with CONFIG_FRONTSWAP, the module of
# a backend, root, and disks to swap to: /dev/tmem/swap0, /dev/tmem/swap1.
#
# Environment:
#	TMEM_REGION_START TMEM_REGION_MB
#		memory kept from the kernel at boot, for the store; without it
#		the module allocates its pages
#	TMEM_FLAVOUR	"debug" makes everything smaller, unless
#	SCALE		says how large it is, in percent
#	SEED		of all random decisions (1)
#	BACKEND		fake: the module tmem_fake (default); xen: the module tmem,
#			on a Xen that keeps pages; or zcache: compressed memory of
#			this kernel. What only others can is left out.
#	ENGINE		1: the tmem engine keeps the pages of tmem_fake
#	SHARED		0: nobody shares a pool of tmem_fake (1)
#	TMEM_SCENARIO	set by the boot rig, where nothing may be skipped

FRONTSWAP=/sys/kernel/mm/tmem/frontswap
ZCACHE=/sys/kernel/mm/tmem/zcache
DEBUGFS=/sys/kernel/debug
FAKE_PARAMETERS=/sys/module/tmem_fake/parameters
CGROUPS=/sys/fs/cgroup
CGROUP=$CGROUPS/tmem_test
MB_PAGES=256

KSFT_SKIP=4

here=$(dirname "$0")
PATH=$PATH:/usr/sbin:/sbin:$here
export PATH
[ "${TMEM_FLAVOUR-}" = debug ] && default_scale=25
SCALE=${SCALE:-${default_scale:-100}}
SEED=${SEED:-1}
BACKEND=${BACKEND:-fake}
case "$BACKEND" in
xen)
	MODULE=tmem
	BACKEND_COUNTERS=$DEBUGFS/tmem_xen ;;
zcache)
	MODULE=zcache
	BACKEND_COUNTERS=$ZCACHE/anon
	# The store is no larger than the memory that is to be swapped out.
	LOAD_OPTIONS=-c ;;
*)
	MODULE=tmem_fake
	BACKEND_COUNTERS=$DEBUGFS/tmem_fake ;;
esac
tmp=$(mktemp -d)
. "$here/tmem_load.sh"

#
# TAP
#

number=0
planned=0
failed=0

note()
{
	echo "# $*"
}

result()
{
	number=$((number + 1))
	echo "$1 $number - $2"
	[ "$1" = ok ] || failed=$((failed + 1))
}

# check DESCRIPTION TEST...: the arguments of test(1) are shown as they are.
check()
{
	local description="$1"

	shift
	if test "$@"; then
		result ok "$description: $*"
	else
		result "not ok" "$description: $*"
	fi
}

# check_that DESCRIPTION COMMAND...
check_that()
{
	local description="$1"

	shift
	if "$@" >"$tmp/said" 2>&1; then
		result ok "$description"
	else
		result "not ok" "$description: $(head -n 3 "$tmp/said" |
						 tr '\n' ' ')"
	fi
}

# skip N REASON: results that this kernel cannot have
skip()
{
	local skipped="$1"

	[ -z "${TMEM_SCENARIO-}" ] || die "this kernel lacks: $2"
	while [ "$skipped" -gt 0 ]; do
		result ok "# SKIP $2"
		skipped=$((skipped - 1))
	done
}

die()
{
	echo "Bail out! $*"
	exit 1
}

# Before the plan: what the test cannot do without
skip_all()
{
	echo "TAP version 13"
	[ -z "${TMEM_SCENARIO-}" ] || die "this machine lacks: $*"
	echo "1..0 # SKIP $*"
	exit $KSFT_SKIP
}

# A test that ends before it is finished
stop()
{
	local status=$?

	trap - EXIT
	undo >/dev/null 2>&1
	rm -rf "$tmp"
	exit "$status"
}

# plan N: prints the plan, whose last result is that everything was undone.
plan()
{
	planned=$(($1 + 1))
	trap stop EXIT
	trap 'exit 1' HUP INT TERM
	trap '' PIPE
	[ "$(id -u)" -eq 0 ] || skip_all "root"
	[ -d $FRONTSWAP ] || skip_all "CONFIG_FRONTSWAP"
	modinfo $MODULE >/dev/null 2>&1 || skip_all "module $MODULE"
	[ -e "/dev/tmem/${disk_needed-swap0}" ] ||
		skip_all "disk /dev/tmem/${disk_needed-swap0}"
	echo "TAP version 13"
	echo "1..$planned"
	note "seed=$SEED scale=$SCALE"
}

finish()
{
	check_that "everything is undone" undo
	[ $number -eq $planned ] || note "planned $planned, results $number"
	trap - EXIT
	rm -rf "$tmp"
	[ $failed -eq 0 ] && [ $number -eq $planned ]
	exit
}

# stat_line TEST NAME=VALUE...: figures for whoever compares runs
stat_line()
{
	local test_name="$1" figure

	shift
	note "figures $test_name: $*"
	for figure in "$@"; do
		note "stat ${test_name}_$figure"
	done
}

#
# Size, time, arithmetic
#

# mb N: as many megabytes, scaled
mb()
{
	echo $(($1 * SCALE / 100))
}

# wait_for SECONDS COMMAND...: until it succeeds
wait_for()
{
	local tries=$(($1 * 5 * 100 / SCALE))

	shift
	until "$@"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.2
	done
}

#
# The backend and the front end
#

# is BACKEND...: is it one of these? What a real one does not, tmem_fake can.
is()
{
	case " $* " in
	*" $BACKEND "*) return 0 ;;
	esac
	return 1
}

# with N BACKEND...: N, or 0 with others: results that only these give
with()
{
	local count="$1"

	shift
	is "$@" && echo "$count" || echo 0
}

# fake_parameters MB [PARAMETER=VALUE]...: with its store of so much memory
fake_parameters()
{
	local store_mb="$1"

	shift
	if [ -n "${TMEM_REGION_START-}" ]; then
		[ "$store_mb" -le "$TMEM_REGION_MB" ] ||
			store_mb=$TMEM_REGION_MB
		set -- region_start="$TMEM_REGION_START" \
			region_mb="$store_mb" "$@"
	else
		set -- pages=$((store_mb * MB_PAGES)) "$@"
	fi
	echo seed="$SEED" engine="${ENGINE:-0}" shared="${SHARED:-1}" "$@"
}

# load_backend MB [PARAMETER=VALUE]...: for swap pages; another one than tmem_fake
# knows no parameters, and the hypervisor says how much it takes. zcache is always
# there for both, each its half, with its own limit.
load_backend()
{
	local parameters="frontswap=1 cleancache=0"

	[ "${front_end-$FRONTSWAP}" = $FRONTSWAP ] ||
		parameters="frontswap=0 cleancache=1"
	case $BACKEND in
	fake)
		parameters="$parameters $(fake_parameters "$@")" ;;
	zcache)
		parameters=
		[ "${front_end-$FRONTSWAP}" = $FRONTSWAP ] ||
			BACKEND_COUNTERS=$ZCACHE/file ;;
	esac
	# shellcheck disable=SC2086
	modprobe $MODULE $parameters || die "cannot load $MODULE $parameters"
	[ "$(backend)" = $MODULE ] || die "$MODULE did not register"
	! is zcache || limit_zcache "$1"
	counters=$(ls $BACKEND_COUNTERS)
}

# limit_zcache MB: all other limits are out of the way
limit_zcache()
{
	echo 100 >$ZCACHE/max_percent
	echo raw >$ZCACHE/anon/incompressible
	echo "${1}M" 2>/dev/null >"$BACKEND_COUNTERS/max_bytes" ||
		set_zcache max_percent 100
}

unload_backend()
{
	rmmod $MODULE
}

is_loaded()
{
	[ -d /sys/module/$MODULE ]
}

# show FILE: its one line. As cat, which takes long to start in a debug kernel.
show()
{
	local line

	read -r line <"$1" && echo "$line"
}

backend()
{
	show "${front_end-$FRONTSWAP}/backend"
}

# counted NAME: by the backend
counted()
{
	show "$BACKEND_COUNTERS/$1"
}

set_fake()
{
	is fake || die "only tmem_fake has $1"
	echo "$2" >"$FAKE_PARAMETERS/$1" || die "tmem_fake refuses $1=$2"
}

# set_zcache NAME VALUE: of the half that is meant
set_zcache()
{
	echo "$2" >"$BACKEND_COUNTERS/$1" || die "zcache refuses $1=$2"
}

# set_capacity PAGES: of the store. A page of pageload takes three eighths of a
# page frame of zcache, or a little less.
set_capacity()
{
	case $BACKEND in
	fake) set_fake capacity "$1" ;;
	zcache) set_zcache max_bytes $(($1 * 4096 * 3 / 8)) ;;
	esac
}

frontswap()
{
	show "$FRONTSWAP/$1"
}

set_frontswap()
{
	echo "$2" >"$FRONTSWAP/$1" || die "frontswap refuses $1=$2"
}

# For wait_for

is_empty()
{
	[ "$(counted pages)" -eq 0 ]
}

has_stored()
{
	[ "$(counted stores)" -gt "$1" ]
}

vmstat()
{
	sed -n "s/^$1 //p" /proc/vmstat
}

#
# Files in sysfs
#

# one_value FILE [PATTERN]
one_value()
{
	[ "$(wc -l <"$1")" -eq 1 ] && grep -qx "${2-[0-9][0-9]*}" "$1"
}

# check_modes WHAT DIRECTORY "MODE FILE..."...: it has these files and no others
check_modes()
{
	local what="$1" directory="$2" modes name want

	shift 2
	want=$(for modes in "$@"; do
		for name in ${modes#* }; do
			echo "$name:${modes%% *}"
		done
	done | sort | tr '\n' ' ')
	check "$what" "$(find "$directory" -maxdepth 1 -type f \
		-printf '%f:%m\n' | sort | tr '\n' ' ')" = "$want"
}

# check_numbers WHAT DIRECTORY FILES: each is one number
check_numbers()
{
	local name wrong=

	for name in $3; do
		one_value "$2/$name" || wrong="$wrong $name"
	done
	check "$1 that are not one number" "$wrong" = ""
}

# refuses FILE VALUE: /bin/echo tells which error it was
refuses()
{
	if /bin/echo "$2" 2>"$tmp/error" >"$1"; then
		return 1
	fi
	grep -q "Invalid argument" "$tmp/error"
}

# check_refuses FILE VALUE...
check_refuses()
{
	local file="$1" value

	shift
	for value in "$@"; do
		check_that "${file##*/} refuses \"$value\" with EINVAL" \
			refuses "$file" "$value"
	done
}

#
# Swap areas
#

# disk NAME: the block device behind a name of the rig
disk()
{
	[ -e "/dev/tmem/$1" ] || die "there is no disk /dev/tmem/$1"
	readlink -f "/dev/tmem/$1"
}

# swap_on DEVICE [OPTION]...
swap_on()
{
	local swap="$1"

	shift
	mkswap "$swap" >/dev/null || die "mkswap $swap"
	swapon "$@" "$swap" || die "swapon $* $swap"
}

# area DEVICE: its directory in sysfs
area()
{
	local directory

	for directory in "$FRONTSWAP"/areas/*; do
		[ -d "$directory" ] || continue
		if [ "$(show "$directory/path")" = "$1" ]; then
			echo "$directory"
			return
		fi
	done
	die "no area for $1"
}

# set_rotational DEVICE 0|1: large folios are only swapped to what does not turn
set_rotational()
{
	echo "$2" >"/sys/block/${1##*/}/queue/rotational"
}

# no_readahead: a fault reads one page, so that loads can be counted
no_readahead()
{
	old_page_cluster=$(cat /proc/sys/vm/page-cluster)
	echo 0 >/proc/sys/vm/page-cluster
}

#
# Counters: snapshot NAME reads them all, changed NAME COUNTER tells by how much
# one has grown between snapshot NAME and the last one. Without many processes,
# which take long in a debug kernel and may themselves swap.
#

snapshot()
{
	local counter files=

	if is_loaded; then
		files=$BACKEND_COUNTERS
	else
		for counter in ${counters-}; do
			unset "$1_backend_$counter"
		done
	fi
	# In sysfs [!a]* leaves out a directory.
	awk -v name="$1" '
		{ n = split(FILENAME, path, "/") }
		path[n] == "vmstat" {
			if ($1 ~ /swp/)
				print name "_vm_" $1 "=" $2
			next
		}
		path[n] == "stat" {
			print name "_" path[n - 1] "_sectors_read=" $3
			print name "_" path[n - 1] "_sectors_written=" $7
			next
		}
		/^[0-9]+$/ {
			kind = path[n - 1] ~ /^(tmem_|anon$|file$)/ ? \
				"backend" : "fs"
			if (kind == "fs" && path[4] == "debug")
				kind = "debugfs"
			print name "_" kind "_" path[n] "=" $1
		}' /proc/vmstat $FRONTSWAP/[!a]* $DEBUGFS/frontswap/* \
		${files:+"$files"/*} /sys/block/*/stat >"$tmp/snapshot"
	# shellcheck source=/dev/null
	. "$tmp/snapshot"
	last=$1
}

# grow SNAPSHOT COUNTER: as changed, in $grown
grow()
{
	grown=
	eval "grown=\$((\${${last}_$2?} - \${$1_$2?}))"
}

changed()
{
	grow "$1" "$2"
	echo "$grown"
}

grew_alike()
{
	snapshot now
	[ "$(changed "$1" "$2")" -eq "$(changed "$1" "$3")" ]
}

# check_same DESCRIPTION SNAPSHOT COUNTER COUNTER: they have grown alike. To read
# them may swap a page, which is then counted in one and not yet in the other.
check_same()
{
	wait_for 5 grew_alike "$2" "$3" "$4"
	check "$1" "$(changed "$2" "$3")" -eq "$(changed "$2" "$4")"
}

# What is offered, or taken out of a store on its way to the device, must turn
# up somewhere. Pages that are written through turn up twice, so not for those.
all_accounted()
{
	local counter

	snapshot now
	missing=0
	for counter in fs_offers fs_writebacks vm_zswpwb; do
		grow "$1" $counter
		missing=$((missing + grown))
	done
	for counter in vm_zswpout fs_stores vm_swpout_zero vm_pswpout; do
		grow "$1" $counter
		missing=$((missing - grown))
	done
	[ $missing -eq 0 ]
}

# note_refusals SNAPSHOT: how many pages for which reason
note_refusals()
{
	local reason refusals=

	for reason in backend disabled draining hibernation excluded encrypted \
		      area memory cgroup; do
		grow "$1" fs_rejects_$reason
		[ "$grown" -eq 0 ] || refusals="$refusals $reason=$grown"
	done
	note "refused:${refusals:- none}"
}

# check_sums DESCRIPTION SNAPSHOT: kswapd may be at work for another moment.
check_sums()
{
	local sums

	wait_for 5 all_accounted "$2"
	sums="offered $(changed "$2" fs_offers)"
	sums="$sums + taken back $(changed "$2" fs_writebacks)"
	sums="$sums = stored $(changed "$2" fs_stores)"
	sums="$sums + zero $(changed "$2" vm_swpout_zero)"
	sums="$sums + written $(changed "$2" vm_pswpout)"
	check "$1, $sums" "$missing" -eq 0
	note_refusals "$2"
	check_same "$1, stores = fswpout" "$2" fs_stores vm_fswpout
}

areas_pages()
{
	local directory sum=0

	for directory in "$FRONTSWAP"/areas/*; do
		[ -d "$directory" ] &&
			sum=$((sum + $(show "$directory/pages")))
	done
	echo $sum
}

# What is compressed needs less.
bytes_agree()
{
	if is zcache; then
		[ "$held_bytes" -le $((held_pages * 4096)) ]
	else
		[ "$held_bytes" -eq $((held_pages * 4096)) ]
	fi
}

held_agree()
{
	held_pages=$(counted pages)
	held_bytes=$(counted bytes)
	front_pages=$(frontswap pages)
	area_pages=$(areas_pages)
	[ "$held_pages" -eq "$front_pages" ] &&
		[ "$held_pages" -eq "$area_pages" ] && bytes_agree &&
		[ "$held_pages" -eq "$(counted pages)" ]
}

# Slots of all areas that are in use, whether their page is stored or written
used_pages()
{
	awk 'NR > 1 { kb += $4 } END { print kb / 4 }' /proc/swaps
}

none_left()
{
	held_pages=$(counted pages)
	slots=$(used_pages)
	[ "$held_pages" -le "$slots" ]
}

# check_none_left DESCRIPTION: after the end of pageload other processes have
# the pages that are held, and the slot of every page is in use.
check_none_left()
{
	wait_for 5 none_left
	check "$1: pages held, of swap in use" "$held_pages" -le "$slots"
	check_that "$1: swapoff" swapoff -a
	check "$1: pages held after swapoff" \
		"$(counted pages):$(frontswap pages)" = 0:0
}

# check_held DESCRIPTION: front end and backend count the same pages. What agreed
# is compared: another reading may itself swap a page.
check_held()
{
	wait_for 5 held_agree
	bytes_agree || held_pages="$held_pages, $held_bytes bytes"
	check "$1: pages held, $MODULE = areas" "$held_pages" = "$area_pages"
	check "$1: pages held, $MODULE = frontswap" "$held_pages" \
		= "$front_pages"
}

#
# Leave the machine as it was
#

undo()
{
	local undone=0

	if [ -n "${load_running-}" ]; then
		kill "$load_pid"
		exec 3>&- 4<&-
		load_running=
	fi
	# Not in a command substitution, where there are no jobs
	jobs -p >"$tmp/jobs"
	# shellcheck disable=SC2046
	kill $(cat "$tmp/jobs") 2>/dev/null
	wait
	echo $$ >$CGROUPS/cgroup.procs
	if [ -f $CGROUP/cgroup.kill ]; then
		echo max >$CGROUP/memory.high
		wait_for 5 rmdir $CGROUP || undone=1
	fi
	if command -v undo_more >/dev/null; then
		undo_more || undone=1
	fi
	if grep -q / /proc/swaps; then
		swapoff -a || undone=1
	fi
	if is_loaded; then
		rmmod $MODULE || undone=1
	fi
	[ "$(backend)" = none ] || undone=1
	[ "$(frontswap pages)" -eq 0 ] || undone=1
	if [ -n "${old_page_cluster-}" ]; then
		echo "$old_page_cluster" >/proc/sys/vm/page-cluster
	fi
	return $undone
}

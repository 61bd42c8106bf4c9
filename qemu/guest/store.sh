# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# For the jobs of "make run": the store that they have, none, "zcache", "fake" (the
# fake hypervisor in the same kernel) or "xen"; read it with ".".
#
#	store_begin STORE [PARAMETER...]	parameters are those of tmem_fake
#	store_stats		what went in and out, and what it held at most
#	store_end

tmem=/sys/kernel/mm/tmem
fullest=/run/fullest

stat()
{
	echo "# stat $1=$2"
}

store_begin()
{
	store=$1
	shift
	parts="frontswap cleancache"
	case $store in
	zcache)
		module=zcache
		parts="$parts zcache/anon zcache/file"
		set --
		;;
	fake)
		module=tmem_fake
		set -- scribble=0 region_start="$TMEM_REGION_START" \
			region_mb="$TMEM_REGION_MB" "$@"
		;;
	xen)	module=tmem; set -- ;;
	*)	return 0 ;;
	esac
	if ! modprobe "$module" "$@"; then
		echo "not ok 1 no tmem: this kernel has no $module"
		exit 1
	fi
	mkdir $fullest
	for part in $parts; do
		echo 0 > "$fullest/${part##*/}"
	done
	store_watch &
	watcher=$!
}

# usage: store_counters SUFFIX DIRECTORY...; all numbers there
store_counters()
{
	suffix=$1
	shift
	for directory; do
		grep -Hsx -d skip '[0-9]*' "$tmem/$directory"/* || true
	done | sed "s,$tmem/,# stat ,; s,/,_,g; s/:/$suffix=/"
}

# What it holds is gone at the end of a job: look at it on the way.
store_watch()
{
	while sleep 0.2; do
		for part in $parts; do
			most=$fullest/${part##*/}
			read -r now < "$tmem/$part/pages"
			read -r before < "$most"
			[ "$now" -gt "$before" ] || continue
			echo "$now" > "$most"
			store_counters _most "$part" > "$most.new"
			mv "$most.new" "$most.counters"
		done
	done
}

store_stats()
{
	[ "$store" ] || return 0
	kill "$watcher"
	cat $fullest/*.counters 2> /dev/null || true
	# shellcheck disable=SC2086
	store_counters "" $parts
	[ "$store" = xen ] || return 0
	for name in hypercalls put_calls get_calls stores puts refused loads \
			gets get_misses; do
		stat "xen_$name" "$(cat "/sys/kernel/debug/tmem_xen/$name")"
	done
}

store_end()
{
	[ -z "$store" ] || rmmod "$module"
}

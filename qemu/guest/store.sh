# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# For the jobs of "make run": the store that they have, none, "fake" (the fake
# hypervisor in the same kernel) or "xen"; read it with ".".
#
#	store_begin STORE [PARAMETER...]	parameters are those of tmem_fake
#	store_count NAME	a counter of the backend
#	store_stats		what only a hypervisor has
#	store_end

stat()
{
	echo "# stat $1=$2"
}

store_begin()
{
	store=$1
	shift
	case $store in
	fake)
		module=tmem_fake store_debugfs=/sys/kernel/debug/tmem_fake
		set -- scribble=0 region_start="$TMEM_REGION_START" \
			region_mb="$TMEM_REGION_MB" "$@"
		;;
	xen)
		module=tmem store_debugfs=/sys/kernel/debug/tmem_xen
		set --
		;;
	*)	return 0 ;;
	esac
	if ! modprobe "$module" "$@"; then
		echo "not ok 1 no tmem: this kernel has no $module"
		exit 1
	fi
}

store_count()
{
	cat "$store_debugfs/$1"
}

store_stats()
{
	[ "$store" = xen ] || return 0
	for name in hypercalls put_calls get_calls stores puts refused loads \
			gets get_misses; do
		stat "xen_$name" "$(store_count $name)"
	done
}

store_end()
{
	[ -z "$store" ] || rmmod "$module"
}

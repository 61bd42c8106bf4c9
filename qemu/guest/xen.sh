# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# For scripts that run in dom0 and make domains; read it with ".".
#
#	xen_start			with the distribution's tools
#	xen_own				then those of the series are the first in PATH
#	domain_create NAME pv|pvh MEGABYTES SCRIPT [told] [KEY=VALUE...]
#	domain_says NAME REGEX		waits until it has printed such a line
#	domain_result NAME		waits for its end, prints its output; the
#					status: 0, 4 (skip), 1 (failure), or 5 if
#					it ended without a verdict
#	domain_tell NAME WORD		what is told there (domain.sh)
#	domain_destroy NAME
#	domain_save NAME FILE
#	domain_restore NAME FILE
#	domain_checkpoint NAME FILE	saves it, and it goes on
#	domain_migrate NAME		live, to this host
#	xen_free			prints how many MB are free
#	xen_has_free FREE		waits until so many are
#	xen_has_all_back FREE		the same, and nothing is left of domains
#
# Domains have the kernel, init and root file system of all guests of the rig. Their
# script is on a small disk, their output and verdict go to others. Their consoles
# are part of dom0's, where the rig looks for warnings.
#
# KEY=VALUE is a line of xl.cfg(5), but append=ARGUMENTS is for its kernel, and
# disk=NAME:DEVICE gives it a disk, disk=NAME:DEVICE:r one that it cannot write.
# "told" is for one that dom0 tells something; it has a disk for that.

domains=/run/xen/domains
xen_logs=/var/log/xen/console

# The tools are on a disk; they expect to be in /usr, and to write to /var.
xen_start()
{
	modprobe overlay
	mkdir -p /run/xen/tools /run/xenstored $domains
	mount -t ext4 -o ro /dev/tmem/xentools /run/xen/tools
	mount -t overlay -o lowerdir=/usr:/run/xen/tools/usr xentools /usr
	mount --bind /opt/tmem/modules /usr/lib/modules
	mount -t tmpfs -o size=16m var /var
	mkdir -p /var/lib/xen /var/lib/xenstored $xen_logs
	ln -s /run /run/lock /var
	mkdir -p /dev/pts
	mount -t devpts devpts /dev/pts
	mount -t xenfs xenfs /proc/xen
	PATH=/usr/lib/xen-4.17/bin:$PATH
	# what a daemon keeps open would keep the script's output open
	xenstored >/dev/null 2>&1
	xen-init-dom0 >/dev/null
	xenconsoled --log=guest --log-dir=$xen_logs >/dev/null 2>&1
}

# They are in /opt/xen-tmem, beside /opt/tmem.
xen_own()
{
	mkdir -p /run/opt/tmem /run/opt/xen-tmem
	mount --bind /opt/tmem /run/opt/tmem
	mount -t ext4 -o ro /dev/tmem/owntools /run/opt/xen-tmem
	mount --rbind /run/opt /opt
	PATH=/opt/xen-tmem/sbin:$PATH
}

# NAME FILE: a disk of what is in the file, grown to a size if it is smaller
domain_disk()
{
	truncate -s ">$2" "$1"
	losetup --find --show "$1"
}

# NAME DEVICE r|w
domain_add_disk()
{
	disks="$disks'format=raw,vdev=xvd$letter,access=$3,script=/opt/tmem/guest/xen-block.sh,target=$2',"
	arguments="$arguments xvd$letter=$1"
	letter=$(echo "$letter" | tr a-y b-z)
}

domain_create()
{
	name=$1 type=$2 megabytes=$3
	directory=$domains/$name
	mkdir "$directory"
	{
		echo "export TMEM_SCENARIO='$TMEM_SCENARIO'"
		echo "export TMEM_FLAVOUR='$TMEM_FLAVOUR'"
		cat "$4"
	} > "$directory/scenario"
	shift 4
	letter=a disks='' arguments='' more=''
	domain_add_disk root /dev/tmem/root r
	domain_add_disk payload /dev/tmem/payload r
	domain_add_disk scenario "$(domain_disk "$directory/scenario" 64K)" r
	domain_add_disk log "$(domain_disk "$directory/log" 4M)" w
	domain_add_disk verdict "$(domain_disk "$directory/verdict" 4K)" w
	for word in "$@"; do
		value=${word#*=}
		case $word in
		append=*) arguments="$arguments $value" ;;
		told) domain_add_disk signal "$(domain_disk "$directory/signal" 4K)" r ;;
		disk=*:r) value=${value%:r}
			domain_add_disk "${value%%:*}" "${value#*:}" r ;;
		disk=*) domain_add_disk "${value%%:*}" "${value#*:}" w ;;
		*) more="$more
${word%%=*} = $value" ;;
		esac
	done
	cat > "$directory/config" <<-END
	name = "$name"
	type = "$type"
	memory = $megabytes
	maxmem = $megabytes
	kernel = "/opt/tmem/boot/bzImage"
	ramdisk = "/opt/tmem/boot/initramfs"
	cmdline = "console=hvc0 $TMEM_DOMAIN_APPEND$arguments"
	disk = [ $disks ]
	on_poweroff = "destroy"
	on_reboot = "destroy"
	on_crash = "destroy"
	$more
	END
	tail -n +1 -F "$xen_logs/guest-$name.log" 2>/dev/null |
		sed -u "s/^/$name| /" > /dev/console &
	domain_follow "$name" create -F "$directory/config"
}

# NAME XL-COMMAND...: xl then stays until the domain is gone
domain_follow()
{
	name=$1
	shift
	xl "$@" >> "$domains/$name/xl" 2>&1 < /dev/null &
	echo $! > "$domains/$name/pid"
	until xl domid "$name" >/dev/null 2>&1; do
		if ! kill -0 "$(cat "$domains/$name/pid")" 2>/dev/null; then
			sed 's/^/# xl: /' "$domains/$name/xl"
			return 1
		fi
		sleep 0.5
	done
}

domain_printed()
{
	tr -d '\0' < "$domains/$1/$2"
}

domain_says()
{
	until domain_printed "$1" log | grep -q "$2"; do
		if ! kill -0 "$(cat "$domains/$1/pid")" 2>/dev/null; then
			echo "# domain $1 ended and has not said $2"
			return 1
		fi
		sleep 0.5
	done
}

domain_result()
{
	wait "$(cat "$domains/$1/pid")" || true
	domain_printed "$1" log
	verdict=$(domain_printed "$1" verdict)
	case $verdict in
	success) return 0 ;;
	skip) return 4 ;;
	failure*)
		echo "# domain $1: $verdict"
		return 1
		;;
	esac
	echo "# domain $1: ended without a verdict"
	sed 's/^/# xl: /' "$domains/$1/xl"
	return 5
}

domain_tell()
{
	printf '%s\0' "$2" | dd of="$domains/$1/signal" conv=notrunc status=none
}

domain_destroy()
{
	xl destroy "$1"
	wait "$(cat "$domains/$1/pid")" || true
}

domain_save()
{
	xl save "$1" "$2"
	wait "$(cat "$domains/$1/pid")" || true
}

domain_restore()
{
	domain_follow "$1" restore -F "$2"
}

# Nothing sees its end any more, not even that it seems to have one in between.
domain_unwatch()
{
	kill "$(cat "$domains/$1/pid")" 2>/dev/null || true
}

domain_watch()
{
	while xl list "$1"; do
		xl list "$1" | grep -q ' [-r][-b][-p]s' && xl destroy "$1"
		sleep 2
	done >/dev/null 2>&1 &
	echo $! > "$domains/$1/pid"
}

# The status is that of saving; it goes on in any case.
domain_checkpoint()
{
	domain_unwatch "$1"
	status=0
	xl save -c "$1" "$2" >> "$domains/$1/xl" 2>&1 || status=$?
	domain_watch "$1"
	return $status
}

# What is behind -s '' receives it, and is told nothing but what comes.
domain_migrate()
{
	domain_unwatch "$1"
	xl migrate -s '' "$1" "xl migrate-receive -e 2>>$domains/$1/xl" \
		>> "$domains/$1/xl" 2>&1 || return 1
	domain_watch "$1"
}

xen_free()
{
	xl info free_memory 2>/dev/null
}

# Xen frees a domain's memory some time after its end.
xen_has_free()
{
	tries=50
	until [ "$(xen_free)" -ge "$1" ]; do
		sleep 0.3
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
	done
}

xen_has_all_back()
{
	xen_has_free "$1" || return 1
	xl debug-keys y 2>/dev/null
	xl dmesg 2>/dev/null | grep "Transcendent memory, " | tail -n 1 |
		grep -q ", 0 freeable pages:"
}

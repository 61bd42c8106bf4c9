# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# For scripts that run in dom0 and make domains; read it with ".".
#
#	xen_start
#	domain_create NAME pv|pvh MEGABYTES SCRIPT [KEY=VALUE...]
#	domain_says NAME REGEX		waits until it has printed such a line
#	domain_result NAME		waits for its end, prints its output; the
#					status: 0, 4 (skip), 1 (failure), or 5 if
#					it ended without a verdict
#	domain_destroy NAME
#	domain_save NAME FILE
#	domain_restore NAME FILE
#
# Domains have the kernel, init and root file system of all guests of the rig. Their
# script is on a small disk, their output and verdict go to others. Their consoles
# are part of dom0's, where the rig looks for warnings.
#
# KEY=VALUE is a line of xl.cfg(5), but append=ARGUMENTS is for its kernel, and
# disk=NAME:DEVICE gives it a disk, disk=NAME:DEVICE:r one that it cannot write.

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

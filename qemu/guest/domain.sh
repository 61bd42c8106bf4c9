# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# For scripts that run in a domain that dom0 has made; read it with ".".
#
#	number FILE		prints what is in it
#	told WORD		has dom0 said it? (domain_tell in xen.sh)
#	await WORD		waits until it has
#	tmem_begin MEGABYTES [DEVICE]
#				gives memory back until the domain has that much, and
#				swaps to /dev/tmem/swap0, or what is in front of it,
#				and to the hypervisor
#	numbers LAST		writes 1 to LAST to /run/data, which are swapped out
#	sums			of these, and of files

frontswap=/sys/kernel/mm/tmem/frontswap
# shellcheck disable=SC2034
counters=/sys/kernel/debug/tmem_xen

number()
{
	read -r value < "$1"
	echo "$value"
}

told()
{
	# Behind the word is what is left of a longer one.
	test "$(dd if=/dev/tmem/signal iflag=direct count=1 2>/dev/null |
		tr '\0' '\n' | head -n 1)" = "$1"
}

await()
{
	until told "$1"; do sleep 0.5; done
}

tmem_begin()
{
	/opt/tmem/guest/xen-balloon.sh "$1"
	modprobe tmem
	mkswap "${2:-/dev/tmem/swap0}" >/dev/null
	swapon "${2:-/dev/tmem/swap0}"
	mkdir /run/data
	mount -t tmpfs -o size=96m data /run/data
}

numbers()
{
	seq 1 "$1" > /run/data/numbers
	test "$(number $frontswap/pages)" -gt 1000
}

sums()
{
	sha256sum < /run/data/numbers
	cat /usr/bin/* | sha256sum
}

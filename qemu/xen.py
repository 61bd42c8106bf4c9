# SPDX-License-Identifier: GPL-2.0
"""Xen between QEMU and a guest's kernel, which is then dom0's.

Xen needs no virtualization of the host's: a PV dom0 needs nothing, and QEMU
emulates SVM with nested paging for PVH domains, and an IOMMU for a PVH dom0. With
all that QEMU offers (-cpu max), Xen starts but the kernel of a PV dom0 does not.
"""

import os
import re
import shlex

import emulator
import rig

KINDS = ("pv", "pvh")
HYPERVISOR = {"debug": "xen-debug"}     # of a flavour of the kernel, else "xen"
CPU = "qemu64,+npt,+ssse3,+sse4.1"
SLOWER = 4      # than a bare guest: a PV kernel's page tables are Xen's to change
OWN = 64        # MB for the hypervisor itself
DOM0_MB = 128   # of a dom0 that only makes a domain
# MB of dom0's that its devices reach: what is contiguous for a PV kernel is not
# so in the machine, and goes through this memory then.
SWIOTLB = 16
COMMAND_LINE = ("console=com1 com1=115200,8n1 loglvl=all guest_loglvl=all "
                "no-real-mode")
# Gives tmem to all domains, as NAME+xen does.
TMEM = "tmem=1,dom0=1,domu=1,persistent=1"
# "(XEN) [2026-11-22 10:00:00] Xen WARN at ..."; others may say what they like.
BAD = (r"\(XEN\) (?:\[[^]]*\] )?(?P<xen>"
       r"Assertion '.*|Xen (?:BUG|WARN|SCHED_WARN) at .*|Panic on CPU .*|"
       r"FATAL (?:TRAP|PAGE FAULT).*|\*+ DOUBLE FAULT.*|BUG at .*|UBSAN: .*|"
       r"Watchdog timer .*|Hardware Dom\d+ (?:crashed|halted|shutdown: watchdog).*|"
       r"domain_crash.*|Domain \d+ (?:\(vcpu#\d+\)|reported) crashed.*)")


def hypervisor(name):
    path = os.path.join(rig.build_dir(name), "xen")
    if not os.path.exists(path):
        raise rig.Stop(f"no hypervisor in {path}; run: qemu/build {name}")
    return path


def shares_cpu(machine):
    """Do all virtual CPUs share one of the machine's?

    With two, QEMU 10 ended itself under a PV domain, or the domain stood still;
    emulator.py tells what PVH meets.
    """
    return nested(machine) or machine.domains


def nested(machine):
    """Are there PVH domains?"""
    return machine.xen == "pvh" or \
        re.search(r"^domain_create \S+ pvh\b", machine.script, re.M)


def unsupported(machine):
    """Why this host cannot run it, or None."""
    if machine.xen and nested(machine) and not emulator.nested():
        return "this QEMU runs no PVH domains, one before 9.1 does"
    return None


def module(path, *arguments):
    """One of -initrd, where a comma ends a module."""
    return " ".join([path, *arguments]).replace(",", ",,")


def in_domain(machine, kind):
    """Makes a guest the dom0 of a domain, pv or pvh, that runs its script."""
    total = machine.memory + machine.reserve
    script = machine.script
    if machine.reserve:     # it has room for the store below its maximum
        script = f"/opt/tmem/guest/xen-balloon.sh {machine.memory}\n{script}"
    options = [f"vcpus={machine.smp}", f"append={machine.append}",
               *(f"disk={serial}:/dev/tmem/{serial}{':r' * (serial in machine.readonly)}"
                 for serial in machine.disks)]
    machine.script = "\n".join((
        ". /opt/tmem/guest/xen.sh", "xen_start",
        "cat > /run/script <<'END-OF-SCRIPT'", script + "END-OF-SCRIPT",
        f"domain_create guest {kind} {total} /run/script " +
        " ".join(shlex.quote(option) for option in options),
        "domain_result guest", ""))
    machine.xen = "pv"
    machine.memory, machine.reserve = DOM0_MB, 0
    machine.domains = total


def virtio(machine):
    """What QEMU's virtio devices need to be told."""
    return ",disable-legacy=on,iommu_platform=on" if machine.xen == "pvh" else ""


def qemu(machine, kernel_arguments):
    """The part of QEMU's command line that says what is booted in which CPU."""
    memory = machine.memory + SWIOTLB
    most = memory + machine.reserve
    arguments = [COMMAND_LINE, f"dom0_mem={memory}M,max:{most}M",
                 f"dom0_max_vcpus={machine.smp}"]
    cpu = CPU
    devices = []
    if machine.xen == "pvh":
        cpu += ",+x2apic"
        devices = ["-device", "amd-iommu"]
        arguments.append("dom0=pvh")
    return ["-accel", f"tcg,thread={machine.threads}", "-cpu", cpu, *devices,
            "-m", str(most + machine.domains + OWN),
            "-kernel", hypervisor(machine.hypervisor),
            "-append", " ".join([*arguments, machine.xenappend]),
            "-initrd", ",".join([
                module(machine.kernel, kernel_arguments,
                       f"swiotlb={SWIOTLB * 512}"),
                module(machine.initramfs())])]

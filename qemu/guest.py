# SPDX-License-Identifier: GPL-2.0
"""One guest: its QEMU command, and what its console and its ports say."""

import os
import re
import signal
import subprocess
import time

import emulator
import rig
import xen
import xentools

# The kernel's own reports; what a test prints has no time stamp before it.
BAD = re.compile(xen.BAD + r"|"
    r"\[ *\d+\.\d{6}\](?:\[ *[TC]\d+\])? (?:\S+: )?("
    r"WARNING:|BUG:|KASAN:|UBSAN:|ODEBUG:|Oops|Kernel panic|"
    r"general protection fault|double fault|INFO: task |"
    r"INFO: (?:trying to register|lockdep|possible)|"
    r"rcu: INFO: .*detected|DEBUG_LOCKS_WARN_ON|"
    r"kmemleak: .*(?:new suspected|disabled|out of memory)|"
    r"refcount_t: |list_\w+ corruption|Bad page |Bad swap |"
    r"\w+: Bad swap |get_swap_device: Bad|VFS: Busy inodes|"
    r"Out of memory|.* invoked oom-killer).*")

# The kernel's own low memory stays below the region that a store may use, and
# the firmware's tables and the initramfs stay above it.
ABOVE_REGION = 16
LARGEST = 3072
REPORT_SECONDS = 10     # for the rest of a report after its first line
PROBE_SECONDS = 10

# With one host thread per CPU, QEMU lets a guest run into a breakpoint that its
# kernel had put there for a moment to patch its text (static keys, traces) and
# that is gone: often before 8.1 (emulator.py), and it is still possible
# (https://gitlab.com/qemu-project/qemu/-/work_items/4669). The report shows it: in
# the first line of code, which is the kernel's, the byte before the instruction
# pointer is no breakpoint (cc). Only then the guest is booted again, with CPUs
# that take turns, where that cannot be.
STALE_BREAKPOINT = re.compile(r"Oops: int3:(?:(?!\bCode: )[^\0])*"
                              r"\bCode: (?:[0-9a-f]{2} )*(?!cc)[0-9a-f]{2} <")

# QEMU 7.2, which PVH domains need, now and then executes nothing any more: its CPU's
# thread is busy, and never in code of the guest. Such a guest is booted once more.
LATE = "timeout after"

# With one host thread per CPU, one of them may use QEMU's map of the machine's memory
# while a device that another one sets up changes it, and QEMU ends itself.
ASSERTED = re.compile(r"QEMU ended with status -6: .*: iotlb_to_section: Assertion ")

COMMAND_LINE = ("panic=-1 panic_on_warn=1 oops=panic "
                "kunit.enable=0 watchdog_thresh=30 "
                "rcupdate.rcu_cpu_stall_timeout=60")


def cpio(files):
    """A newc archive of {name: (mode, bytes)} for the initramfs."""
    archive = bytearray()
    entries = [(name, *value) for name, value in files.items()]
    for number, (name, mode, data) in enumerate(
            entries + [("TRAILER!!!", 0, b"")]):
        fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0,
                  len(name) + 1, 0)
        archive += b"070701" + b"".join(b"%08X" % field for field in fields)
        archive += name.encode() + b"\0"
        archive += bytes(-len(archive) % 4)
        archive += data
        archive += bytes(-len(archive) % 4)
    return bytes(archive)


def artifacts(flavour):
    """Kernel, init and payload of a flavour."""
    directory = rig.build_dir(flavour)
    names = ("arch/x86/boot/bzImage", "rig/init", "rig/payload.ext4")
    paths = [os.path.join(directory, name) for name in names]
    for path in paths:
        if not os.path.exists(path):
            raise rig.Stop(f"no {flavour} kernel in {directory}; "
                           f"run: qemu/build {flavour}")
    return paths


def root_image():
    """The distribution image; qemu/image checks or builds it."""
    path = os.path.join(rig.QEMU_DIR, "image")
    made = subprocess.run([path], stdout=subprocess.PIPE, text=True,
                          check=False)
    if made.returncode:
        raise rig.Stop("no root file system for the guest")
    *lines, result = made.stdout.splitlines()
    for line in lines:
        rig.say(line)
    return result


class Guest:
    """What is booted, and after run(): how it went."""

    def __init__(self, name, flavour="plain"):
        self.name = name
        self.flavour = flavour
        self.kernel, self.init, self.payload = artifacts(flavour)
        self.image = None
        self.xen = ""           # pv, pvh: what dom0 is
        self.hypervisor = "xen"
        self.tools = ""         # for dom0, beside the distribution's
        self.xenappend = ""
        self.domains = 0        # MB for those that dom0 makes
        self.memory = 192
        self.reserve = 0
        self.smp = 2
        self.timeout = 120
        self.append = ""
        self.icount = None
        self.seed = None        # nothing depends on the host's time or dice
        self.cpu = "max,la57=off"
        self.threads = "multi"
        self.boots = 1
        self.taint = "0"
        self.allow = []
        self.script = ""
        self.disks = {}         # serial: path
        self.blank = {}         # serial: MB, of those that begin empty
        self.readonly = set()   # serials
        self.report = lambda text: rig.Progress.show(f"{name}: {text}")

        logs = os.path.join(rig.OUT, "logs")
        self.directory = os.path.join(rig.OUT, "tmp", f"{name}.{os.getpid()}")
        os.makedirs(logs, exist_ok=True)
        os.makedirs(self.directory, exist_ok=True)
        self.console = os.path.join(logs, name + ".log")
        self.tap = os.path.join(logs, name + ".tap")
        self.verdict = os.path.join(self.directory, "verdict")
        self.bad = None
        self.seconds = 0

    def blank_disk(self, serial, megabytes):
        path = os.path.join(self.directory, serial)
        self.disks[serial] = path
        self.blank[serial] = megabytes
        return path

    def region(self):
        """(first byte, MB) of the memory that the kernel leaves alone."""
        return (self.memory - ABOVE_REGION) << 20, self.reserve

    def cleanup(self):
        for entry in os.scandir(self.directory):
            os.unlink(entry.path)
        os.rmdir(self.directory)

    def initramfs(self):
        start, megabytes = self.region()
        environment = {"TMEM_SCENARIO": self.name,
                       "TMEM_FLAVOUR": self.flavour}
        if megabytes and not self.xen:
            environment |= {"TMEM_REGION_START": hex(start),
                            "TMEM_REGION_MB": str(megabytes)}
        if self.domains:
            environment["TMEM_DOMAIN_APPEND"] = \
                f"{COMMAND_LINE} tmem_taint={self.taint}"
        script = "".join(f"export {name}='{value}'\n"
                         for name, value in environment.items()) + self.script
        path = os.path.join(self.directory, "initramfs")
        with open(self.init, "rb") as init, open(path, "wb") as file:
            file.write(cpio({"init": (0o100755, init.read()),
                             "scenario": (0o100644, script.encode())}))
        return path

    def command_line(self):
        console = "earlyprintk=xen console=hvc0" if self.xen else "console=ttyS0"
        parts = [console, COMMAND_LINE, f"tmem_taint={self.taint}"]
        start, megabytes = self.region()
        if megabytes and not self.xen:
            parts.append(f"memmap={megabytes}M${start:#x}")
        for number, serial in enumerate(self.disks):
            self.append = self.append.replace(
                "{" + serial + "}", "/dev/vd" + chr(ord("a") + number))
        return " ".join(parts + [self.append])

    def bare(self, accel):
        """QEMU's arguments: the kernel alone in the machine."""
        total = self.memory + self.reserve
        if total > LARGEST or (self.reserve and self.memory < 64):
            raise rig.Stop(f"{self.name}: memory must be 64 MB or more beside "
                           f"a reserve, and {LARGEST} MB at most with it")
        if accel == "kvm":
            machine = ["-accel", "kvm", "-cpu", "host"]
        else:
            machine = ["-accel", f"tcg,thread={self.threads}", "-cpu", self.cpu]
        if self.icount is not None:
            machine += ["-icount", f"shift={self.icount},sleep=off"]
        if self.seed is not None:
            machine += ["-seed", str(self.seed), "-rtc",
                        "base=2020-02-02,clock=vm"]
        if os.path.exists("/usr/share/qemu/qboot.rom"):
            machine += ["-bios", "qboot.rom"]
        return [*machine, "-m", str(total), "-kernel", self.kernel, "-initrd",
                self.initramfs(), "-append", self.command_line()]

    def qemu(self, accel):
        virtio = xen.virtio(self) if self.xen else ""
        nested = self.xen and xen.nested(self)
        command = [
            *(emulator.nested() if nested else emulator.command()), "-nodefaults", "-nographic", "-no-reboot",
            "-no-user-config", "-machine", "q35",
            "-smp", "1" if self.xen and xen.shares_cpu(self) else str(self.smp),
            *(xen.qemu(self, self.command_line()) if self.xen
              else self.bare(accel)),
            "-chardev", f"file,id=console,append=on,path={self.console}",
            "-serial", "chardev:console", "-device",
            "virtio-serial-pci" + virtio,
        ]
        for port, path in (("log", self.tap), ("verdict", self.verdict)):
            command += ["-chardev", f"file,id={port},append=on,path={path}",
                        "-device",
                        f"virtserialport,chardev={port},name=tmem.{port}"]
        disks = [(serial, path, "on" if serial in self.readonly else "off")
                 for serial, path in self.disks.items()]
        if self.image:
            disks += [("root", self.image, "on"),
                      ("payload", self.payload, "on")]
        if self.domains:
            disks += [("xentools", xentools.image(), "on")]
        if self.tools:
            disks += [("owntools", xentools.own(), "on")]
        for serial, path, readonly in disks:
            command += ["-drive", f"if=none,id={serial},file={path},format=raw,"
                        f"cache=unsafe,readonly={readonly}", "-device",
                        f"virtio-blk-pci,drive={serial},serial={serial}{virtio}"]
        return command

    def first_bad(self, text):
        for match in BAD.finditer(text):
            line = (match["xen"] or match[0].split("] ", 1)[1]).strip()
            if not any(re.search(pattern, line) for pattern in self.allow):
                return line
        return None

    def watch(self, process, deadline):
        """Follows console and log; kills the guest when its time is over."""
        started = time.monotonic()
        stop = deadline
        console = tap = ""
        with open(self.console, encoding="utf-8", errors="replace") as lines, \
                open(self.tap, encoding="utf-8", errors="replace") as results:
            while True:
                ended = process.poll() is not None
                console += lines.read()
                tap = (tap + results.read())[-1000:]
                if not self.bad:
                    complete, _, rest = console.rpartition("\n")
                    self.bad = self.first_bad(console if ended else complete)
                    console = rest
                    if self.bad:
                        stop = min(stop, time.monotonic() + REPORT_SECONDS)
                if ended:
                    return False
                if time.monotonic() > stop:
                    process.kill()
                    return not self.bad
                last = tap.strip().rpartition("\n")[2]
                self.report(f"{rig.seconds_since(started)} s  {last}")
                time.sleep(0.1)

    def boot_once(self, accel, deadline):
        """One life of QEMU; what ended it early, or None."""
        errors = os.path.join(self.directory, "stderr")
        with open(errors, "w", encoding="utf-8") as stderr, subprocess.Popen(
                self.qemu(accel), stdin=subprocess.DEVNULL,
                stdout=stderr, stderr=stderr) as process:
            try:
                late = self.watch(process, deadline)
            finally:
                if process.poll() is None:
                    process.kill()
        if late:
            return f"{LATE} {self.timeout} s"
        if process.returncode not in (0, -signal.SIGKILL):
            said = rig.read(errors).strip().splitlines()[-1:]
            return f"QEMU ended with status {process.returncode}: " \
                   f"{said[0] if said else 'it said nothing'}"
        return None

    def run(self, accel):
        """Boots; the reason why the guest did not succeed, or None."""
        reason = xen.unsupported(self)
        if reason:
            rig.say(f"{self.name}: {reason}")
            return "skip"
        if self.icount is not None:
            self.threads = "single"
        reason = self.run_once(accel)
        again = self.emulator_failed(accel, reason)
        if again:
            rig.say(f"{self.name}: {reason}: {again}")
            reason = self.run_once(accel)
            if reason:
                reason += f" (the second time, thread={self.threads})"
        return reason

    def emulator_failed(self, accel, reason):
        """How to go on where it was not the guest that failed, or None."""
        if accel == "tcg" and self.bad and \
                STALE_BREAKPOINT.search(rig.read(self.console)):
            self.threads = "single"
            return "not there any more, the emulator ran stale code; " \
                   "again with CPUs that take turns"
        if self.bad or not reason:
            return None
        if ASSERTED.match(reason):
            self.threads = "single"
            return "the emulator failed; again with CPUs that take turns"
        if self.xen and xen.nested(self) and reason.startswith(LATE):
            return "the emulator may have stopped; again"
        return None

    def run_once(self, accel):
        self.bad = None
        for path in (self.console, self.tap, self.verdict):
            open(path, "w", encoding="utf-8").close()
        for serial, megabytes in self.blank.items():
            rig.sparse(self.disks[serial], megabytes)
        started = time.monotonic()
        boots = 0
        reason = None
        while boots < self.boots and not reason:
            reason = self.boot_once(accel, started + self.timeout)
            boots += 1
            said = rig.read(self.verdict).split("\n")
            if not (reason or self.bad) and boots < self.boots and \
                    said != ["hibernated", ""]:
                reason = "guest did not hibernate: " + " ".join(said).strip()
        self.seconds = rig.seconds_since(started)
        rig.Progress.clear()
        expected = ["hibernated"] * (self.boots - 1) + ["success", ""]
        if self.bad:
            return self.bad
        if reason or said == expected:
            return reason
        last = said[-2] if len(said) > 1 else ""
        if last.startswith(("failure", "skip")):
            return last
        return "guest ended without a verdict"


def choose_accel(kernel_flavour):
    """KVM only if this kernel has booted under it since the host started."""
    forced = os.environ.get("TMEM_ACCEL")
    if forced:
        return forced
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "tcg"
    boot = rig.read("/proc/sys/kernel/random/boot_id").strip()
    kernel = os.stat(artifacts(kernel_flavour)[0])
    identity = f"{boot} {kernel.st_mtime_ns}"
    cache = os.path.join(rig.CACHE, "kvm-probe")
    known = rig.read(cache).strip()
    # A host that cannot run one kernel cannot run the next one either.
    if known == f"{boot} no":
        return "tcg"
    if known == f"{identity} yes":
        return "kvm"
    guest = Guest("kvm-probe", kernel_flavour)
    guest.timeout = PROBE_SECONDS
    guest.append = "tmem_probe=1"
    guest.report = lambda text: rig.Progress.show(f"does KVM work? {text}")
    reason = guest.run("kvm")
    guest.cleanup()
    rig.write_if_changed(cache, f"{boot} no" if reason else f"{identity} yes")
    rig.say(f"KVM: {'not used, ' + reason if reason else 'works'}")
    return "tcg" if reason else "kvm"

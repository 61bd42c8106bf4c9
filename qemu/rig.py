# SPDX-License-Identifier: GPL-2.0
"""What the programs of the boot rig share: places, messages, files."""

import contextlib
import fcntl
import hashlib
import os
import shutil
import signal
import sys
import time

QEMU_DIR = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(QEMU_DIR)
OUT = os.environ.get("TMEM_OUT") or os.path.join(ROOT, "out")
CACHE = os.environ.get("TMEM_CACHE") or os.path.join(
    os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "tmem")
BASE = os.environ.get("TMEM_BASE") or "6.12"
LINUX = os.path.join(CACHE, "linux-" + BASE)
XEN = os.path.join(CACHE, "xen-4.17")

# TMEM_TREE names another kernel tree than the composed one; TMEM_PRISTINE=1
# says that it does not carry the overlay.
TREE = os.environ.get("TMEM_TREE") or os.path.join(LINUX, "tree")
PRISTINE = os.environ.get("TMEM_PRISTINE") == "1"
FLAVOURS = ("plain", "debug", "lockdep", "nopreempt", "kcsan", "bench",
            "lockstat")
# The last is for Arm, where there is no tmem: it is built, not booted.
HYPERVISORS = ("xen", "xen-debug", "xen-stock", "xen-historic", "xen-arm64")
TOOLS = "xen-tools"

PACKAGES = {
    "aarch64-linux-gnu-as": "binutils-aarch64-linux-gnu",
    "bc": "bc", "bison": "bison", "debootstrap": "debootstrap",
    "depmod": "kmod", "flex": "flex", "gcc": "gcc", "iasl": "acpica-tools",
    "make": "make", "mke2fs": "e2fsprogs",
    "qemu-system-x86_64": "qemu-system-x86", "xz": "xz-utils",
}


class Stop(Exception):
    """A message for the user; the program ends with status 1 (or .status)."""

    def __init__(self, message, status=1):
        super().__init__(message)
        self.status = status


def main(function):
    """Runs a program's main function; every foreseen end is one line."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.exit(function())
    except Stop as stop:
        Progress.clear()
        print(f"{os.path.basename(sys.argv[0])}: {stop}", file=sys.stderr)
        sys.exit(stop.status)
    except KeyboardInterrupt:
        Progress.clear()
        print("interrupted; run it again to go on", file=sys.stderr)
        sys.exit(130)
    except OSError as error:
        Progress.clear()
        print(f"{os.path.basename(sys.argv[0])}: {error}", file=sys.stderr)
        sys.exit(1)


def say(line):
    Progress.clear()
    print(line, flush=True)


class Progress:
    """One line that is rewritten for a person, nothing for a log file."""

    tty = sys.stdout.isatty() and "CI" not in os.environ
    shown = False

    @classmethod
    def show(cls, text):
        if cls.tty:
            width = shutil.get_terminal_size().columns - 1
            print("\r\033[K" + text[:width], end="", flush=True)
            cls.shown = True

    @classmethod
    def clear(cls):
        if cls.shown:
            print("\r\033[K", end="", flush=True)
            cls.shown = False


def need(*programs):
    """Names every missing program and the packages that bring them."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    os.environ["PATH"] = path
    missing = [name for name in programs if not shutil.which(name)]
    if missing:
        packages = sorted({PACKAGES.get(name, name) for name in missing})
        raise Stop(f"{', '.join(missing)} not found; "
                   f"run: apt-get install {' '.join(packages)}")


def need_space(directory, megabytes):
    os.makedirs(directory, exist_ok=True)
    free = shutil.disk_usage(directory).free >> 20
    if free < megabytes:
        raise Stop(f"{directory}: {free} MB free, {megabytes} MB needed; "
                   "make room or point TMEM_CACHE and TMEM_OUT elsewhere")


def build_dir(flavour):
    """Where a kernel flavour, a hypervisor or its tools are built."""
    if flavour in (*HYPERVISORS, TOOLS):
        return os.path.join(XEN, "build-" + flavour)
    if flavour not in FLAVOURS:
        raise Stop(f"no flavour {flavour}; there are: "
                   f"{' '.join((*FLAVOURS, *HYPERVISORS, TOOLS))}")
    return os.path.join(LINUX, ("pristine-" if PRISTINE else "build-") + flavour)


def read(path, default=""):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except FileNotFoundError:
        return default


def write_if_changed(path, text):
    """True if the file had to be written; its time stays otherwise."""
    if os.path.exists(path) and read(path) == text:
        return False
    with replacing(path) as temporary, open(temporary, "w",
                                            encoding="utf-8") as file:
        file.write(text)
    return True


@contextlib.contextmanager
def replacing(path):
    """A temporary name that becomes path only when the block succeeds."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        if os.path.exists(temporary):
            os.unlink(temporary)


@contextlib.contextmanager
def locked(path):
    """One process at a time; the second one waits and says so."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for another process that holds {path}")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def sparse(path, megabytes):
    with open(path, "wb") as file:
        file.truncate(megabytes << 20)


def seconds_since(start):
    return int(time.monotonic() - start + 0.5)

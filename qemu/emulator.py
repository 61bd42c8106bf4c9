# SPDX-License-Identifier: GPL-2.0
"""The QEMU that guests run in.

QEMU before 8.1 lets one CPU translate code that another one is changing (mended
by its commit deba78709ae8, "accel/tcg: Always lock pages before translation").
A guest with two busy CPUs then soon runs into a breakpoint that its kernel had put
there for a moment, to patch its text, and that is gone. If the system's QEMU is as
old as that, the one in the backports of its release is taken, from the mirror that
apt uses here. It is unpacked into the cache and not installed: what it is linked
with comes with the system's own.

Xen's PVH domains are guests in a guest. QEMU since 9.1 takes the read of any control
register there for one of CR0 (in its target/i386/tcg/decode-new.c.inc, decode_op()
tests the intercept, which is 0 then, and not whether there is one), so that a kernel
gets another CR2 than its page fault had. They need an older one, and one CPU: where
others stop it, which is often with two, an interrupt that has just been injected is
injected again (helper_vmrun() leaves its number in exception_index). With one CPU
there are no stale breakpoints either.
"""

import functools
import os
import pathlib
import re
import shutil
import sys
import time

import rig

sys.path.insert(0, os.path.join(rig.ROOT, "scripts"))
# pylint: disable=wrong-import-position
import fetchbase
import kernelbase

NAME = "qemu-system-x86_64"
GOOD = (8, 1)
NOT_NESTED = (9, 1)
PACKAGES = ("qemu-system-x86", "qemu-system-data")
PLACE = pathlib.Path(rig.CACHE, "qemu")


def version(program):
    """(major, minor) of a QEMU."""
    said = kernelbase.run([program, "--version"]).stdout.decode()
    found = re.search(r"version (\d+)\.(\d+)", said)
    if not found:
        raise kernelbase.Failure(f"{program} does not tell its version")
    return tuple(int(number) for number in found.groups())


def unpack_newer():
    """Gets the backports' packages and unpacks them into the cache."""
    work = PLACE / "new"
    shutil.rmtree(work, ignore_errors=True)
    (work / "debs").mkdir(parents=True)
    options = fetchbase.private_apt(
        PLACE / "apt", "deb", lambda codename, *_: [codename + "-backports"],
        "asking the mirror for a newer QEMU")
    kernelbase.slowly("downloading a newer QEMU", [
        "apt-get", *options, "-o", "Dir::State::Status=/dev/null", "-qq",
        "download", *PACKAGES],
        cwd=work / "debs", env=dict(os.environ, LC_ALL="C"))
    for deb in (work / "debs").iterdir():
        kernelbase.run(["dpkg-deb", "-x", deb, work / "root"])
    if version(work / "root/usr/bin" / NAME) < GOOD:
        raise kernelbase.Failure("the backports' is as old")
    shutil.rmtree(PLACE / "root", ignore_errors=True)
    os.rename(work / "root", PLACE / "root")
    shutil.rmtree(work)


def newer():
    """The program in the cache, or None; a mirror is asked once in an hour."""
    program = PLACE / "root/usr/bin" / NAME
    refused = PLACE / "refused"
    with rig.locked(PLACE / "lock"):
        if program.exists():
            return program
        if refused.exists() and time.time() - refused.stat().st_mtime < 3600:
            return None
        try:
            unpack_newer()
            return program
        except kernelbase.Failure as failure:
            rig.say(f"taking the system's QEMU, there is no newer one: {failure}")
            refused.touch()
            return None


@functools.cache
def command():
    """The beginning of QEMU's command line."""
    rig.need(NAME)
    try:
        program = None if version(NAME) >= GOOD else newer()
    except kernelbase.Failure as failure:
        raise rig.Stop(str(failure)) from None
    return [str(program), "-L", str(PLACE / "root/usr/share/qemu")] if program \
        else [NAME]


def nested():
    """The same for guests in a guest, or None: this system has none that serves."""
    rig.need(NAME)
    try:
        return [NAME] if version(NAME) < NOT_NESTED else None
    except kernelbase.Failure as failure:
        raise rig.Stop(str(failure)) from None

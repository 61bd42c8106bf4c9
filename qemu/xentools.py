# SPDX-License-Identifier: GPL-2.0
"""xl and its daemons for a dom0, as a small read-only disk; and another xl.

They have to be of the hypervisor's version, so they are those of the suite in
bases/xen-4.17.conf, whatever the release of this host and of the root image. From
the mirror that apt uses here, unpacked into the cache, and not installed.
"""

import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

import rig

sys.path.insert(0, os.path.join(rig.ROOT, "scripts"))
# pylint: disable=wrong-import-position
import fetchbase
import kernelbase

# What xl, xenstored, xenconsoled, xen-init-dom0 and libxl-save-helper are linked
# with, what Debian's scripts for block devices need; nothing for QEMU or HVM.
PACKAGES = (
    "xen-utils-4.17", "xen-utils-common", "xenstore-utils", "libxenmisc4.17",
    "libxencall1", "libxendevicemodel1", "libxenevtchn1",
    "libxenforeignmemory1", "libxengnttab1", "libxenhypfs1", "libxenstore4",
    "libxentoolcore1", "libxentoollog1", "libyajl2", "libnl-3-200",
    "libnl-route-3-200", "libuuid1", "libfdt1", "liblzo2-2", "libzstd1",
    "liblzma5", "libbz2-1.0", "zlib1g", "libncurses6", "libtinfo6",
    "libutempter0")
# Most of xen-utils-4.17 is for full virtualization.
STRIP = ("usr/share", "usr/lib/debug", "usr/lib/xen-4.17/boot",
         "usr/lib/python3")
PLACE = pathlib.Path(rig.XEN, "tools")
IMAGE = PLACE / "tools.ext4"


def unpack(suite, root):
    debs = PLACE / "debs"
    shutil.rmtree(debs, ignore_errors=True)
    debs.mkdir(parents=True)
    options = fetchbase.private_apt(
        PLACE / "apt", "deb",
        lambda _codename, _suites, security:
            [suite + ("-security" if security else "")],
        f"asking the mirror for the Xen tools of {suite}")
    kernelbase.slowly("downloading Xen's tools", [
        "apt-get", *options, "-o", "Dir::State::Status=/dev/null", "-qq",
        "download", *PACKAGES],
        cwd=debs, env=dict(os.environ, LC_ALL="C"))
    for deb in sorted(debs.iterdir()):
        kernelbase.run(["dpkg-deb", "-x", deb, root])
    for name in STRIP:
        shutil.rmtree(root / name, ignore_errors=True)


def build(suite):
    root = PLACE / "root"
    shutil.rmtree(root, ignore_errors=True)
    unpack(suite, root)
    if not (root / "usr/lib/xen-4.17/bin/xl").exists():
        raise kernelbase.Failure(f"{suite}'s packages hold no xl")
    size = int(kernelbase.run(["du", "-sm", root]).stdout.split()[0])
    with rig.replacing(str(IMAGE)) as image:
        rig.sparse(image, size * 5 // 4 + 4)
        kernelbase.run(["mke2fs", "-q", "-t", "ext4", "-O", "^has_journal",
                        "-m", "0", "-E", "root_owner=0:0", "-d", root, image],
                       env=dict(os.environ, E2FSPROGS_FAKE_TIME="1"))


def image():
    """The path of the disk, which is made if needed."""
    conf = os.path.join(rig.ROOT, "bases/xen-4.17.conf")
    try:
        suite = kernelbase.read_conf(pathlib.Path(conf), "suite")["suite"]
        recipe = hashlib.sha256(repr((suite, PACKAGES, STRIP)).encode())
        stamp = str(IMAGE) + ".stamp"
        with rig.locked(str(PLACE / "lock")):
            if rig.read(stamp).strip() != recipe.hexdigest() or \
                    not IMAGE.exists():
                build(suite)
                rig.write_if_changed(stamp, recipe.hexdigest() + "\n")
    except kernelbase.Failure as failure:
        raise rig.Stop(f"no tools for Xen's guests: {failure}") from None
    return str(IMAGE)


def own():
    """The path of a disk with what the series makes of xl."""
    path = os.path.join(rig.build_dir(rig.TOOLS), "tools.ext4")
    if not os.path.exists(path):
        raise rig.Stop(f"no tools in {path}; run: qemu/build {rig.TOOLS}")
    return path

#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Tests of xenbase.py with a tiny Xen and an apt that serves a directory."""
import contextlib
import io
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest
from unittest import mock

from overlaycase import command, fetchbase, kernelbase, write
import xenbase

CONF = """name = 4.17
package = xen
version = 4.17.5+1-1
suite = bookworm
sha256 = %s
tree = 0000000000000000000000000000000000000000
minimum = 4.17.3
date = 2026-11-14T00:00:00+00:00
"""
XEN = {
    "xen/Makefile": "export XEN_VERSION       = 4\nexport XEN_SUBVERSION    = 17\n"
                    "export XEN_EXTRAVERSION ?= .%s$(XEN_VENDORVERSION)\nbuild := -f Rules.mk obj\ndefconfig tools_fixdep:\n\t@echo $@ >> made\n",
    "xen/Rules.mk": "common/xmalloc_tlsf.o:\n\techo 'cmd_$@ := gcc -MMD -MF d -O2 -c c -o o' > "
                    "common/.xmalloc_tlsf.o.cmd\n.DEFAULT:\n\t@echo $@ >> made\n",
    "xen/common/Makefile": "obj-y := xmalloc.o\n",
}
FAKE_CACHE = """#!/bin/sh
for version in $(cat "$FAKE/listed"); do
    echo "  xen | $version | somewhere"
done
"""
FAKE_GET = """#!/bin/sh
echo "$@" >> "$FAKE/log"
case "$*" in *update*) exit ;; esac
for last; do :; done
upstream=${last#*=}
cp "$FAKE/mirror/xen_${upstream%-*}.orig.tar.xz" . && exit
echo "E: 404 not found" >&2
exit 100
"""


class Xen(unittest.TestCase):
    def setUp(self):
        self.tmp = pathlib.Path(tempfile.mkdtemp(prefix="xen-test-"))
        self.addCleanup(shutil.rmtree, self.tmp)
        self.fake, self.cache = self.tmp / "fake", self.tmp / "cache"
        write(self.fake, {
            "bin/apt-cache": FAKE_CACHE, "bin/apt-get": FAKE_GET,
            "bin/gcc": "#!/bin/sh\necho gcc 12\n", "bin/clang": "#!/bin/sh\necho clang 14\n",
            "log": "", "listed": "4.17.5+1-1\n", "mirror/x": "",
            "etc/os-release": 'VERSION_CODENAME="bookworm"\n',
            "etc/apt/sources.list": "deb http://a.example/x bookworm main\n"
                                    "deb http://a.example/x-security bookworm-security main\n"})
        for program in (self.fake / "bin").iterdir():
            program.chmod(0o755)
        for patch in (mock.patch.object(fetchbase, "ETC", self.fake / "etc"),
                      mock.patch.dict(os.environ, {
                          "PATH": "%s/bin:%s" % (self.fake, os.environ["PATH"]),
                          "FAKE": str(self.fake), "TMEM_CACHE": str(self.cache),
                          "MAKEFLAGS": "n", "MAKELEVEL": "1"})):
            patch.start()
            self.addCleanup(patch.stop)
        write(self.tmp, {"bases/xen-4.17.conf": CONF % fetchbase.sha256(self.serve("4.17.5+1"))})

    def serve(self, upstream):
        """Put a version on the mirror."""
        point = upstream.split(".")[2].split("+")[0]
        write(self.tmp / "source", {**XEN, "xen/Makefile": XEN["xen/Makefile"].replace("%s", point)})
        tarball = self.fake / ("mirror/xen_%s.orig.tar.xz" % upstream)
        subprocess.run(["tar", "-caf", str(tarball), "source"], cwd=self.tmp, check=True)
        return tarball

    def compiler(self, compiler="gcc"):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            tree, command = xenbase.Xen(self.tmp).command(compiler)
        self.assertEqual(tree, self.cache / "xen-4.17" / compiler / "xen")
        self.assertEqual(command, ["gcc", "-O2"])
        return out.getvalue()

    def bad(self, *words):
        with self.assertRaises(kernelbase.Failure) as caught, \
                contextlib.redirect_stdout(io.StringIO()):
            xenbase.Xen(self.tmp).command("gcc")
        for word in words:
            self.assertIn(word, str(caught.exception))

    def made(self, compiler="gcc"):
        return (self.cache / "xen-4.17" / compiler / "xen/made").read_text().split()

    def test_pinned(self):
        self.assertIn("downloading the source of xen 4.17.5+1-1", self.compiler())
        self.assertEqual(self.made()[:2], ["defconfig", "tools_fixdep"])
        self.assertIn("arch/x86/include/asm/asm-offsets.h", self.made())
        shutil.rmtree(self.fake / "mirror")             # nothing is fetched or made again
        made = self.made()
        self.assertEqual(self.compiler(), "")
        self.assertEqual(self.made(), made)
        self.assertIn("configuring Xen 4.17 for clang", self.compiler("clang"))
        self.assertEqual((self.fake / "log").read_text().count("download"), 1)

    def test_stale(self):
        self.compiler()
        write(self.fake, {"bin/gcc": "#!/bin/sh\necho gcc 13\n"})
        self.assertIn("configuring", self.compiler())
        self.serve("4.17.9+1")
        conf = self.tmp / "bases/xen-4.17.conf"
        conf.write_text(CONF.replace(".5+1", ".9+1") % fetchbase.sha256(
            self.fake / "mirror/xen_4.17.9+1.orig.tar.xz"))
        write(self.fake, {"listed": "4.17.9+1-1"})
        self.assertIn("downloading the source of xen 4.17.9+1-1", self.compiler())

    def test_pinned_is_gone(self):
        (self.fake / "mirror/xen_4.17.5+1.orig.tar.xz").unlink()
        write(self.fake, {"listed": "4.17.5+1-1 4.17.11+1-1 4.17.9+1-1 4.20.0-1\n"})
        self.serve("4.17.9+1")
        out = self.compiler()
        self.assertIn("the mirror has no xen 4.17.5+1-1: taking 4.17.9+1-1", out)
        self.assertEqual(self.compiler(), "")
        self.assertNotIn("source of xen 4.17.9", self.compiler("clang"))
        write(self.fake, {"bin/gcc": "#!/bin/sh\necho gcc 13\n", "listed": ""})
        self.compiler()

    def test_nothing_there(self):
        write(self.fake, {"listed": "4.20.0-1"})
        words = "see that apt reaches its mirror, or put xen_4.17.5+1.orig.tar.xz into"
        self.bad("no configured mirror offers the source of xen 4.17: ", words)
        self.assertEqual(
            (self.cache / "xen-4.17/apt/parts/tmem.sources").read_text(),
            "Types: deb-src\nURIs: http://a.example/x\nSuites: bookworm\nComponents: main\n\n"
            "Types: deb-src\nURIs: http://a.example/x-security\nSuites: bookworm-security\n"
            "Components: main\n")
        write(self.fake, {"listed": "4.17.6+1-1"})
        self.bad("404", words)
        with mock.patch.object(shutil, "which", return_value=None):
            self.bad("there is no apt-get here", words)
        (self.cache / "dl").mkdir(exist_ok=True)
        shutil.copy(self.fake / "mirror/xen_4.17.5+1.orig.tar.xz", self.cache / "dl")
        self.assertNotIn("downloading", self.compiler())

    def test_wrong_checksum(self):
        write(self.tmp, {"bases/xen-4.17.conf": CONF % ("0" * 64)})
        self.bad("does not have the sha256 of bases/xen-4.17.conf: remove the file")

    def test_build_fails(self):
        with mock.patch.dict(XEN, {"xen/Makefile": "defconfig:\n\techo no flex >&2; exit 1\n"}):
            write(self.tmp, {"bases/xen-4.17.conf": CONF % fetchbase.sha256(
                self.serve("4.17.5+1"))})
        self.bad("make: no flex")
        self.assertFalse((self.cache / "xen-4.17/gcc/stamp").exists())

    def overlay(self, *argv, **env):
        status, out, err = command(self.tmp, *argv, "--base", "xen-4.17", **env)
        self.assertEqual((status, err), (0, ""))
        return out

    def test_overlay(self):
        write(self.tmp, {
            "series/xen/010-one.msg": "Subject: tmem: one\n\n---\nxen/xen/common/Makefile.patch\n"
                                      "xen/xen/common/new.c\nmm/put.c -> xen/common/tmem/put.c\n",
            "series/linux/010-none.msg": "of no interest",
            "xen/xen/common/new.c": "int new;\n", "mm/put.c": "int put;\n",
            "xen/xen/common/Makefile.patch":
                "--- a/xen/common/Makefile\n+++ b/xen/common/Makefile\n@@ -1 +1,2 @@\n"
                " obj-y := xmalloc.o\n+obj-y += new.o\n"})
        tree = self.cache / "xen-4.17/tree"
        self.assertIn("importing Xen 4.17.5 into git", self.overlay("fetch"))
        self.overlay("compose")
        self.assertEqual((tree / "xen/common/tmem/put.c").read_text(), "int put;\n")
        self.assertEqual((tree / "xen/common/Makefile").read_text(),
                         "obj-y := xmalloc.o\nobj-y += new.o\n")
        self.overlay("check")
        for name in ("xen/common/tmem/put.c", "xen/common/new.c"):
            write(tree, {name: "int changed;\n"})
        self.assertIn("absorbed mm/put.c\nabsorbed xen/xen/common/new.c\n", self.overlay("absorb"))
        self.assertEqual((self.tmp / "mm/put.c").read_text(), "int changed;\n")
        self.overlay("export")
        self.assertIn("tmem/put.c", (self.tmp / "out/series/xen-4.17/0001-tmem-one.patch").read_text())
        write(self.tmp / "source", {"xen/Makefile": XEN["xen/Makefile"].replace("%s", "2")})
        status, _, err = command(self.tmp, "fetch", "--base", "xen-4.17",
                                 XEN_SRC=str(self.tmp / "source"))
        self.assertEqual(status, 1)
        self.assertIn("is Xen 4.17.2, which does not serve: 4.17.3 or a later 4.17.y", err)


if __name__ == "__main__":
    unittest.main()

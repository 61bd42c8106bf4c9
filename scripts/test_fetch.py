#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Tests of fetch: directories, tarballs, packages; no network is used."""
import os
import shutil
import subprocess
import unittest
from unittest import mock

from overlaycase import Case, command, fetchbase, setUpModule, write

__all__ = ["setUpModule"]       # called by unittest


class FetchCase(Case):
    def setUp(self):
        super().setUp()
        self.cache = self.tmp / "cache 2"
        self.tree = self.cache / "linux-6.12/tree"

    def overlay(self, *argv, **env):
        return command(self.root, *argv, **{"TMEM_CACHE": str(self.cache), **env})

    def tarball(self, suffix=".tar.gz"):
        name = self.tmp / ("linux" + suffix)
        subprocess.run(["tar", "-caf", str(name), "source"], cwd=self.tmp, check=True)
        return str(name)


class Fetch(FetchCase):
    def test_sources_give_the_same_tree(self):
        trees = set()
        os.utime(self.source / "mm/a.c", (1000, 1000))
        for name in (str(self.source), self.tarball(), self.tarball(".tar.xz"), self.tarball(".tar")):
            shutil.rmtree(self.cache, ignore_errors=True)
            self.good("fetch", KERNEL_SRC=name)
            trees.add(self.git("rev-parse", "base^{tree}"))
            self.assertIn("Linux 6.12.117", self.git("log", "-1", "--format=%s", "base"))
            self.assertEqual(self.git("status", "--porcelain"), "")
            self.assertEqual(sorted(os.listdir(self.cache / "linux-6.12")), ["overlay.lock", "tree"])
            self.assertGreater((self.tree / "mm/a.c").stat().st_mtime, 1000)    # make builds it
        self.assertEqual(len(trees), 1)

    def test_git_work_tree(self):
        self.git("init", "-q", tree=self.source)
        self.git("add", "-A", tree=self.source)
        self.git("commit", "-qm", "x", tree=self.source)
        write(self.source, {"mm/built.o": "x"})
        self.good("fetch", KERNEL_SRC=str(self.source))
        self.assertFalse((self.tree / "mm/built.o").exists())
        self.assertTrue((self.tree / "mm/a.c").exists())
        write(self.source, {"mm/a.c": "int edited;\n"})
        self.bad(["KERNEL_SRC=", "the work tree is dirty"], "fetch", KERNEL_SRC=str(self.source))

    def test_not_repeated_and_replaced(self):
        self.good("fetch", KERNEL_SRC=str(self.source))
        inode = self.tree.stat().st_ino
        self.assertNotIn("importing", self.good("fetch", KERNEL_SRC=str(self.source)))
        self.assertEqual(self.tree.stat().st_ino, inode)
        self.edit("Makefile", "117", "118", self.source)
        self.assertIn("importing Linux 6.12.118", self.good("fetch", KERNEL_SRC=str(self.source)))
        self.good("compose")
        write(self.tree, {"mm/new.c": "int mine;\n"})
        self.bad("uncommitted edits (mm/new.c)", "fetch", KERNEL_SRC=self.tarball())
        self.assertEqual((self.tree / "mm/new.c").read_text(), "int mine;\n")

    def test_interrupted(self):
        def interrupted(*args):
            raise KeyboardInterrupt
        with mock.patch.object(fetchbase, "import_base", interrupted):
            self.bad("interrupted; run the same command again", "fetch", KERNEL_SRC=str(self.source))
        self.assertFalse(self.tree.exists())
        self.good("fetch", KERNEL_SRC=str(self.source))
        self.assertEqual(sorted(os.listdir(self.cache / "linux-6.12")), ["overlay.lock", "tree"])

    def test_bad_sources(self):
        def fetch(words, **env):
            self.bad(words, "fetch", KERNEL_SRC=str(self.source), **env)
        self.bad("KERNEL_SRC=/none: no such file", "fetch", KERNEL_SRC="/none")
        with mock.patch.object(os, "access", return_value=False):
            fetch("cannot be read, check its permissions")
        write(self.source, {".config": ""})
        fetch("was built in (.config): run make mrproper")
        (self.source / ".config").unlink()
        self.edit("Makefile", "117", "99", self.source)
        fetch("is Linux 6.12.99, which does not serve: 6.12.100 or a later 6.12.y is needed")
        self.edit("Makefile", "PATCHLEVEL = 12", "PATCHLEVEL = 13", self.source)
        self.bad("is Linux 6.13.99", "fetch", KERNEL_SRC=self.tarball())
        (self.source / "Makefile").unlink()
        fetch("not a tree of Linux")
        write(self.tmp, {"file": "text"})
        self.bad("tar:", "fetch", KERNEL_SRC=str(self.tmp / "file"))
        self.assertFalse(self.tree.exists())

    def test_no_disk_space(self):
        with mock.patch.object(fetchbase, "DISK_NEEDED", 1 << 60):
            self.bad(["GiB free", "TMEM_CACHE"], "fetch", KERNEL_SRC=str(self.source))

    def test_missing_programs(self):
        name = self.tarball(".tar.xz")
        with mock.patch.object(shutil, "which", return_value=None):
            self.bad("xz is not installed: install the package xz-utils", "fetch", KERNEL_SRC=name)
        (self.tmp / "empty").mkdir()
        for argv in (["fetch"], ["compose"], ["check"]):
            self.bad("git is not installed", *argv, PATH=str(self.tmp / "empty"))

    @unittest.skipUnless(os.getuid() == 0, "needs root")
    def test_trees_of_other_users(self):
        self.good("fetch", KERNEL_SRC=str(self.source))
        self.git("init", "-q", tree=self.root)
        for path in (self.root, self.tree):
            subprocess.run(["chown", "-R", "1234", str(path)], check=True)
        self.good("compose")

    def test_no_apt(self):
        with mock.patch.object(shutil, "which", return_value=None):
            self.bad("there is no apt-get here", "fetch")

    def test_usage(self):
        self.bad("invalid choice: 'frobnicate'", "frobnicate", status=2)
        self.bad("required: COMMAND", status=2)
        self.bad("no base 9.9: there are 6.12", "check", "--base", "9.9")
        self.bad("no base 9.9: there are 6.12", "compose", TMEM_BASE="9.9")


@unittest.skipUnless(shutil.which("dpkg-deb") and shutil.which("xz"), "needs dpkg-deb and xz")
class Package(FetchCase):
    """The distribution's package, with an apt that serves a directory."""

    FAKE_CACHE = """#!/bin/sh
case "$*" in *SourceParts*) dir="$FAKE/other" ;; *) dir="$FAKE/mirror" ;; esac
for deb in $(ls "$dir" | sort -r); do
    echo " linux-source-6.12 | $(echo $deb | cut -d_ -f2) | somewhere"
done
"""
    FAKE_GET = """#!/bin/sh
echo "$@" >> "$FAKE/log"
case "$*" in *update*) exit 100 ;; *SourceParts*) dir="$FAKE/other" ;; *) dir="$FAKE/mirror" ;; esac
for last; do :; done
cp "$dir/linux-source-6.12_${last#*=}_all.deb" .
"""

    def setUp(self):
        super().setUp()
        self.fake = self.tmp / "fake"
        write(self.fake, {"bin/apt-cache": self.FAKE_CACHE, "bin/apt-get": self.FAKE_GET, "log": "",
                          "etc/os-release": 'VERSION_CODENAME="bookworm"\n',
                          "etc/apt/sources.list": "deb [signed-by=/k.gpg] http://a.example/x bookworm main\n"
                                                  "deb http://third.example/y stable main\n",
                          "etc/apt/sources.list.d/s.sources":
                              "# a comment\nTypes: deb\nURIs: http://a.example/x-security\n"
                              "Suites: bookworm-security\nComponents: main\nSigned-By: /s.gpg\n"})
        for name in ("apt-cache", "apt-get"):
            (self.fake / "bin" / name).chmod(0o755)
        for name in ("mirror", "other"):
            (self.fake / name).mkdir()
        patch = mock.patch.object(fetchbase, "ETC", self.fake / "etc")
        patch.start()
        self.addCleanup(patch.stop)

    def overlay(self, *argv, **env):
        return super().overlay(*argv, **{"FAKE": str(self.fake), **env, **(
            {} if "PATH" in env else {"PATH": "%s/bin:%s" % (self.fake, os.environ["PATH"])})})

    def deb(self, version, where="mirror", pin=False):
        root = self.tmp / "deb"
        shutil.rmtree(root, ignore_errors=True)
        write(root, {"DEBIAN/control": "Package: linux-source-6.12\nVersion: %s\nArchitecture: all\n"
                     "Maintainer: x\nDescription: x\n" % version, "usr/src/x": ""})
        write(self.source, {"Makefile": "VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = %s\n"
                            % version.split(".")[2].split("-")[0]})
        tarball = root / "usr/src/linux-source-6.12.tar.xz"
        subprocess.run(["tar", "-caf", str(tarball), "source"], cwd=self.tmp, check=True)
        name = "linux-source-6.12_%s_all.deb" % version
        subprocess.run(["dpkg-deb", "-Zgzip", "-b", str(root), str(self.fake / where / name)],
                       check=True, capture_output=True)
        if pin:
            self.edit("bases/6.12.conf", "0" * 64, fetchbase.sha256(tarball), self.root)

    def test_pinned(self):
        self.deb("6.12.118-1")
        self.deb("6.12.117-1", pin=True)
        self.good("fetch")
        self.assertIn("Linux 6.12.117 as Debian ships it\n\nPackage: linux-source-6.12 6.12.117-1\n"
                      "Source-sha256: ", self.git("log", "-1", "--format=%B", "base"))
        self.assertEqual(self.git("rev-parse", "base^{tree}"), self.git(
            "rev-parse", "base^{tree}", tree=self.tmp / "cache/linux-6.12/tree"))
        first = self.git("rev-parse", "base")
        shutil.rmtree(self.fake / "mirror")             # what is there is not fetched again
        self.good("fetch")
        shutil.rmtree(self.tree)
        self.good("fetch")
        self.assertEqual(self.git("rev-parse", "base"), first)
        self.assertEqual((self.fake / "log").read_text().count("download"), 1)

    def test_pinned_is_gone(self):
        for version in ("6.12.99-1", "6.12.118-1", "6.12.120-1", "6.12.119-1"):
            self.deb(version)
        out = self.good("fetch")
        self.assertIn("no longer has linux-source-6.12 6.12.117-1: taking 6.12.120-1", out)
        self.assertIn("Linux 6.12.120", self.git("log", "-1", "--format=%s", "base"))
        self.deb("6.12.121-1")
        self.assertNotIn("importing", self.good("fetch"))

    def test_another_suite(self):
        self.deb("6.12.117-1", "other", pin=True)
        self.good("fetch")
        log = (self.fake / "log").read_text()
        self.assertIn("update", log)
        self.assertIn("Dir::State::Lists=%s" % self.cache, log)
        sources = (self.cache / "apt/parts/tmem.sources").read_text()
        self.assertIn("URIs: http://a.example/x\nSuites: bookworm bookworm-backports trixie\n"
                      "Components: main\nSigned-By: /k.gpg\n", sources)
        self.assertIn("URIs: http://a.example/x-security\nSuites: bookworm-security trixie-security\n"
                      "Components: main\nSigned-By: /s.gpg\n", sources)
        self.assertNotIn("third.example", sources)

    def test_nothing_suitable(self):
        self.deb("6.12.99-1")
        self.bad(["no configured mirror offers linux-source-6.12 6.12.100 or a later", "KERNEL_SRC"],
                 "fetch")

    def test_wrong_checksum_and_damage(self):
        self.deb("6.12.117-1")
        self.bad("does not have the sha256 of bases/6.12.conf: remove", "fetch")
        self.assertFalse(self.tree.exists())
        deb = self.cache / "dl/linux-source-6.12_6.12.117-1_all.deb"
        deb.write_bytes(deb.read_bytes()[:200])
        self.bad("is damaged: remove it", "fetch")

    def test_no_dpkg(self):
        self.deb("6.12.117-1", pin=True)
        bin = self.tmp / "bin"
        bin.mkdir()
        for name in ("git", "tar", "sh", "cp", "ls", "sort", "cut"):
            (bin / name).symlink_to(shutil.which(name))
        self.bad("dpkg-deb is not installed: install the package dpkg", "fetch",
                 PATH="%s:%s/bin" % (bin, self.fake))


if __name__ == "__main__":
    unittest.main()

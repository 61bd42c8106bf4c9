#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Tests of qemu/emulator.py: which QEMU, with an apt that serves a directory."""
import contextlib
import io
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

from overlaycase import HERE, fetchbase, write

sys.path.insert(0, str(HERE.parent / "qemu"))
import emulator         # noqa: E402

QEMU = "#!/bin/sh\necho 'QEMU emulator version %s'\n"
FAKE_GET = """#!/bin/sh
echo "$@" >> "$FAKE/log"
case "$*" in *update*) exit ;; esac
cp "$FAKE/mirror/"* . && exit
echo "E: Unable to locate package" >&2
exit 100
"""


class Emulator(unittest.TestCase):
    def setUp(self):
        self.tmp = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.tmp)
        write(self.tmp, {"bin/apt-get": FAKE_GET, "etc/os-release": "VERSION_CODENAME=bookworm\n",
                         "etc/apt/sources.list": "deb http://a.example/x bookworm main\n", "log": ""})
        (self.tmp / "bin/apt-get").chmod(0o755)
        (self.tmp / "mirror").mkdir()
        self.place = self.tmp / "qemu"
        for patch in (mock.patch.object(emulator, "PLACE", self.place),
                      mock.patch.object(fetchbase, "ETC", self.tmp / "etc"),
                      mock.patch.dict(os.environ, FAKE=str(self.tmp), PATH="%s:%s" % (
                          self.tmp / "bin", os.environ["PATH"]))):
            patch.start()
            self.addCleanup(patch.stop)

    def program(self, path, version):
        write(self.tmp, {path: QEMU % version})
        (self.tmp / path).chmod(0o755)

    def offer(self, version):
        write(self.tmp, {"deb/DEBIAN/control": "Package: qemu\nVersion: 1\nArchitecture: all\n"
                         "Maintainer: x\nDescription: x\n"})
        self.program("deb/usr/bin/" + emulator.NAME, version)
        subprocess.run(["dpkg-deb", "-Zgzip", "-b", str(self.tmp / "deb"), str(self.tmp / "mirror")],
                       check=True, capture_output=True)

    def command(self, system):
        """(command, what was said) with a system's QEMU, as a new process has it."""
        self.program("bin/" + emulator.NAME, system)
        emulator.command.cache_clear()
        self.addCleanup(emulator.command.cache_clear)
        with contextlib.redirect_stdout(io.StringIO()) as out:
            return emulator.command(), out.getvalue()

    def downloads(self):
        return (self.tmp / "log").read_text().count("download")

    def test_good(self):
        for version in ("8.1.0 (Debian)", "10.0.2", "11.1"):
            self.assertEqual(self.command(version), ([emulator.NAME], ""))
        self.assertFalse(self.place.exists())

    def test_backports(self):
        self.offer("10.0.2")
        want = [str(self.place / "root/usr/bin" / emulator.NAME), "-L",
                str(self.place / "root/usr/share/qemu")]
        self.assertEqual(self.command("7.2.22")[0], want)
        self.assertIn("Suites: bookworm-backports\n",
                      (self.place / "apt/parts/tmem.sources").read_text())
        self.assertEqual(self.command("8.0.5"), (want, ""))
        self.assertEqual(self.downloads(), 1)

    def test_none(self):
        for offered, reason in ((None, "Unable to locate"), ("7.2.0", "as old")):
            if offered:
                self.offer(offered)
            command, said = self.command("7.2.22")
            self.assertEqual(command, [emulator.NAME])
            self.assertIn(reason, said)
            before = self.downloads()
            self.assertEqual(self.command("7.2.22"), ([emulator.NAME], ""))
            self.assertEqual(self.downloads(), before)
            os.utime(self.place / "refused", (0, 0))    # an hour later
        self.offer("10.0.2")
        self.assertIn("root", self.command("7.2.22")[0][0])

    def test_nested(self):
        self.offer("10.0.2")
        for version, want in (("7.2.22", [emulator.NAME]), ("9.0.2", [emulator.NAME]),
                              ("9.1.0", None), ("10.0.2", None)):
            self.program("bin/" + emulator.NAME, version)
            self.assertEqual(emulator.nested(), want)
        self.assertEqual(self.downloads(), 0)

    def test_broken(self):
        self.assertRaisesRegex(emulator.rig.Stop, "does not tell its version", self.command, "?")


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Tests of qemu/guest.py and qemu/xen.py: what a console says, what QEMU is told."""
import functools
import sys
import unittest
from types import SimpleNamespace
from unittest import mock

from overlaycase import HERE

sys.path.insert(0, str(HERE.parent / "qemu"))
import guest            # noqa: E402
import xen              # noqa: E402

BAD = ("(XEN) Xen WARN at page_alloc.c:1", "(XEN) [2026-11-22 10:00:00] Xen BUG at x.c:2",
       "(XEN) Assertion 'a == b' failed at tmem.c:3", "(XEN) Panic on CPU 0:",
       "(XEN) [    5.123456] Assertion 'a' failed at tmem.c:3",
       "(XEN) Hardware Dom0 crashed: rebooting machine in 5 seconds.",
       "(XEN) domain_crash called from mm.c:4", "(XEN) FATAL PAGE FAULT",
       "(XEN) Domain 1 (vcpu#0) crashed on cpu#0:",
       "one| [    1.000000] WARNING: CPU: 0 PID: 1 at x.c:5",
       "[    1.000000] BUG: unable to handle page fault")
GOOD = ("(XEN) WARNING: PVH is an experimental mode", "(XEN) Xen version 4.17",
        "Xen WARN at home", "(XEN) Guest Loglevel: All", "WARNING: of a test",
        "(XEN) Hardware Dom0 shutdown: rebooting machine")


class Console(unittest.TestCase):
    def test_bad(self):
        made = SimpleNamespace(allow=[])
        for line in BAD:
            said = guest.Guest.first_bad(made, f"[    0.1] before\n{line}\r\n(XEN) after\n")
            self.assertTrue(said and line.endswith(said), line)
            self.assertIsNone(guest.Guest.first_bad(
                SimpleNamespace(allow=["."]), line), line)
        for line in GOOD:
            self.assertIsNone(guest.Guest.first_bad(made, line), line)


class Qemu(unittest.TestCase):
    def machine(self, **values):
        return SimpleNamespace(**{
            "xen": "pv", "hypervisor": "xen", "xenappend": "tmem=1,dom0=1", "memory": 96,
            "reserve": 64, "domains": 0, "script": "", "smp": 2, "threads": "multi",
            "kernel": "/a,b/bzImage", "initramfs": lambda: "/c/initramfs", **values})

    def words(self, machine):
        with mock.patch.object(xen, "hypervisor", lambda name: "/x/" + name):
            words = xen.qemu(machine, "a=1,2 b")
        return words, dict(zip(words, words[1:]))

    def test_pv(self):
        words, value = self.words(self.machine())
        self.assertEqual(value["-kernel"], "/x/xen")
        self.assertIn("dom0_mem=112M,max:176M", value["-append"])
        self.assertIn("tmem=1,dom0=1", value["-append"])
        self.assertEqual(value["-initrd"],
                         "/a,,b/bzImage a=1,,2 b swiotlb=8192,/c/initramfs")
        self.assertNotIn("amd-iommu", words)
        self.assertFalse(xen.nested(self.machine()))

    def test_pvh(self):
        words, value = self.words(self.machine(xen="pvh"))
        self.assertIn("dom0=pvh", value["-append"])
        self.assertIn("amd-iommu", words)
        makes = ". /opt/tmem/guest/xen.sh\nxen_start\ndomain_create one "
        self.assertFalse(xen.nested(self.machine(domains=128, script=makes + "pv 9 x")))
        for machine in (self.machine(xen="pvh"),
                        self.machine(domains=128, script=makes + "pvh 9 x")):
            self.assertTrue(xen.nested(machine))
            with mock.patch.object(xen.emulator, "nested", return_value=None):
                self.assertIn("before 9.1", xen.unsupported(machine))
        with mock.patch.object(xen.emulator, "nested", return_value=None):
            self.assertIsNone(xen.unsupported(self.machine()))


class Again(unittest.TestCase):
    def run_guest(self, reasons, **values):
        made = SimpleNamespace(**{
            "name": "x", "xen": "pvh", "script": "", "bad": None, "icount": None,
            "threads": "multi", "console": "/nowhere", **values})
        made.run_once = mock.Mock(side_effect=reasons)
        made.emulator_failed = functools.partial(guest.Guest.emulator_failed, made)
        with mock.patch.object(xen.emulator, "nested", return_value=["qemu"]), \
                mock.patch.object(guest.rig, "say"):
            return guest.Guest.run(made, "tcg"), made.run_once.call_count

    def test_late(self):
        late = "timeout after 5 s"
        self.assertEqual(self.run_guest([late, None]), (None, 2))
        self.assertEqual(self.run_guest([late, late]),
                         (late + " (the second time, thread=multi)", 2))
        self.assertEqual(self.run_guest([late], xen=""), (late, 1))
        self.assertEqual(self.run_guest([late], xen="pv"), (late, 1))
        self.assertEqual(self.run_guest([late], bad="BUG: x"), (late, 1))
        self.assertEqual(self.run_guest(["failure: x"]), ("failure: x", 1))
        self.assertEqual(self.run_guest([None]), (None, 1))

    def test_asserted(self):
        """One aborted where the rig tests itself on Xen, in the first second."""
        ended = "QEMU ended with status -6: qemu-system-x86_64: "
        map_changed = ended + ("system/physmem.c:2678: iotlb_to_section: Assertion "
                               "`section_index < d->map.sections_nb' failed.")
        self.assertEqual(self.run_guest([map_changed, None], xen=""), (None, 2))
        self.assertEqual(self.run_guest([map_changed, map_changed], xen=""),
                         (map_changed + " (the second time, thread=single)", 2))
        self.assertEqual(self.run_guest([map_changed], bad="BUG: x"), (map_changed, 1))
        other = ended + "hw/x.c:1: f: Assertion `a' failed."
        self.assertEqual(self.run_guest([other], xen=""), (other, 1))


if __name__ == "__main__":
    unittest.main()

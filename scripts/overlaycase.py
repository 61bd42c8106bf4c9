# SPDX-License-Identifier: GPL-2.0-only
"""What the tests of scripts/overlay share: a tiny kernel, an overlay, a case."""
import contextlib
import importlib.machinery
import importlib.util
import io
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True

import fetchbase        # noqa: E402
import kernelbase       # noqa: E402


def load_overlay():
    loader = importlib.machinery.SourceFileLoader("overlay", str(HERE / "overlay"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("overlay", loader))
    loader.exec_module(module)
    return module


overlay = load_overlay()
ME = {"GIT_AUTHOR_NAME": "A. Person", "GIT_AUTHOR_EMAIL": "a@example.org",
      "GIT_COMMITTER_NAME": "A. Person", "GIT_COMMITTER_EMAIL": "a@example.org",
      "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_EDITOR": "true",
      "GIT_SEQUENCE_EDITOR": "true"}
A_C = "/* a */\n" + "".join("int f%d(void)\n{\n\treturn %d;\n}\n\n" % (i, i) for i in range(12))
BASE = {
    "Makefile": "VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 117\n",
    ".gitattributes": "*.[ch] diff=cpp\n",
    ".gitignore": "*.o\n.*\n",
    "mm/a.c": A_C,
    "mm/Makefile": "# 1\n# 2\n# 3\n# 4\nobj-y := a.o\nobj-y += b.o\nobj-y += c.o\nobj-y += z.o\n",
    "mm/script.sh": "#!/bin/sh\n",
    "MAINTAINERS": "List of maintainers\n\nM:\tnot an entry\n\n"
                   "ALPHA\nM:\ta@x\nF:\tmm/\n\nZULU\nM:\tz@x\n\nTHE REST\nM:\tl@x\nF:\t*\n",
    "Documentation/mm/index.rst":
        "Title\n=====\n\n.. toctree::\n   :maxdepth: 1\n\n   zebra\n   one\n   yak\n   bat\n   cow\n\n"
        "More\n\n.. toctree::\n   :maxdepth: 1\n\n   active_mm\n   balance\n   hmm\n   zsmalloc\n\nEnd\n",
    "tools/testing/selftests/Makefile":
        "TARGETS += acct\nTARGETS += timens\nifneq (1, $(quicktest))\nTARGETS += timers\nendif\n"
        "TARGETS += tmpfs\nTARGETS += x86\n\nall:\n",
}
A_NEW = A_C.replace("return 3;", "return hook(3);")
MAKE_1 = BASE["mm/Makefile"].replace("b.o\n", "b.o\nobj-y += new.o\n")
MAKE_2 = MAKE_1.replace("new.o\n", "new.o\nobj-y += two.o\n")
ONE = """Subject: mm: add one

Why.

---
mm/new.c
mm/a.c.patch
mm/Makefile.one.patch
Kconfig.tmem
tools/testing/selftests/tmem/run.sh

Changes in v2: none
"""
TWO = """Subject: mm: add two

---
mm/Makefile.two.patch
MAINTAINERS.tmem
Documentation/mm/index.rst.tmem
tools/testing/selftests/Makefile.tmem
"""
CONF = """# a comment
name = %s
package = linux-source-6.12
version = 6.12.117-1
sha256 = %s
tree = %s
minimum = %s
date = 2026-11-14T00:00:00+00:00
"""
FILES = {
    "series/linux/000-cover.md": "Subject: mm: the cover\n\nAll about it.\n",
    "series/linux/010-one.msg": ONE,
    "series/linux/020-two.msg": TWO,
    "mm/new.c": "int new;\n",
    "Kconfig.tmem": "config TMEM\n",
    "tools/testing/selftests/tmem/run.sh": "#!/bin/sh\n",
    "MAINTAINERS.tmem": "TMEM\nL:\tlinux-mm@x\nF:\tmm/new.c\n",
    "Documentation/mm/index.rst.tmem": "frontswap\ntmem\n",
    "tools/testing/selftests/Makefile.tmem": "tmem\n",
    "bases/xen-4.17.conf": CONF.replace("linux-source-6.12", "xen") % (
        "4.17", "0" * 64, "0" * 40, "4.17.0"),      # Xen's: none of the kernel's business
    "xen/xen/common/new.h": "int new;\n",
}
TEMPLATE = None


def write(root, files):
    for name, text in files.items():
        path = pathlib.Path(root, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def command(root, *argv, **env):
    """Run the tool in this process: (exit status, stdout, stderr)."""
    out, err = io.StringIO(), io.StringIO()
    with mock.patch.dict(os.environ, env), contextlib.redirect_stdout(out), \
            contextlib.redirect_stderr(err):
        try:
            status = overlay.main(list(argv), root=pathlib.Path(root))
        except SystemExit as stop:
            status = stop.code
    return status, out.getvalue(), err.getvalue()


def setUpModule():
    """An overlay and a fetched base, which each test gets a copy of."""
    global TEMPLATE
    if os.access("/dev/shm", os.W_OK) and shutil.disk_usage("/dev/shm").free > 64 << 20:
        tempfile.tempdir = "/dev/shm"           # git syncs its refs to the disk
    TEMPLATE = tempfile.mkdtemp(prefix="overlay-test-")
    unittest.addModuleCleanup(shutil.rmtree, TEMPLATE)
    fetchbase.DISK_NEEDED = 1 << 20
    for name in ("KERNEL_SRC", "TMEM_BASE", "TMEM_CACHE"):
        os.environ.pop(name, None)
    root = pathlib.Path(TEMPLATE, "work tree")
    source = pathlib.Path(TEMPLATE, "source")
    write(source, BASE)
    (source / "mm/script.sh").chmod(0o755)
    write(root, FILES)
    (root / "tools/testing/selftests/tmem/run.sh").chmod(0o755)
    write(root, {"bases/6.12.conf": CONF % ("6.12", "0" * 64, "0" * 40, "6.12.100")})
    cache = os.path.join(TEMPLATE, "cache")
    status, _, err = command(root, "fetch", TMEM_CACHE=cache, KERNEL_SRC=str(source))
    assert status == 0, err
    git = kernelbase.Git(os.path.join(cache, "linux-6.12/tree"))
    tree = git.line("rev-parse", "base^{tree}")
    write(root, {"bases/6.12.conf": CONF % ("6.12", "0" * 64, tree, "6.12.100")})
    for name, path, old, new in (("mm/a.c.patch", "mm/a.c", A_C, A_NEW),
                                 ("mm/Makefile.one.patch", "mm/Makefile", BASE["mm/Makefile"], MAKE_1),
                                 ("mm/Makefile.two.patch", "mm/Makefile", MAKE_1, MAKE_2)):
        text = git.patches({path: (old.encode(), new.encode())})[path]
        (root / name).write_bytes(text)


def err_commands(err):
    """The git commands that an error message ends with."""
    return err[err.index("git -C "):].strip().split(" and ")


class Case(unittest.TestCase):
    def setUp(self):
        self.tmp = pathlib.Path(tempfile.mkdtemp(prefix="overlay-test-"))
        self.addCleanup(shutil.rmtree, self.tmp)
        for part in ("work tree", "cache", "source"):
            shutil.copytree(pathlib.Path(TEMPLATE, part), self.tmp / part, symlinks=True)
        self.root, self.source = self.tmp / "work tree", self.tmp / "source"
        self.tree = self.tmp / "cache/linux-6.12/tree"
        self.git("update-index", "-q", "--refresh")

    def overlay(self, *argv, **env):
        return command(self.root, *argv, **{"TMEM_CACHE": str(self.tmp / "cache"), **env})

    def good(self, *argv, **env):
        status, out, err = self.overlay(*argv, **env)
        self.assertEqual((status, err), (0, ""))
        return out

    def bad(self, expected, *argv, status=1, lines=1, **env):
        """The command fails with so many lines, which have all these words."""
        got, _, err = self.overlay(*argv, **env)
        self.assertEqual(got, status, err)
        self.assertEqual(len(err.splitlines()), lines, err)
        for word in [expected] if isinstance(expected, str) else expected:
            self.assertIn(word, err)
        self.assertNotIn("Traceback", err)

    def git(self, *args, tree=None):
        return subprocess.run(["git", *args], cwd=tree or self.tree, env=dict(os.environ, **ME),
                              check=True, capture_output=True, text=True).stdout.strip()

    def edit(self, name, old, new, root=None):
        path = (root or self.tree) / name
        text = path.read_text()
        self.assertIn(old, text)
        path.write_text(text.replace(old, new))

    def snapshot(self):
        """The overlay's files with their modes."""
        return {str(p.relative_to(self.root)): (p.stat().st_mode, p.read_bytes())
                for p in self.root.rglob("*") if p.is_file()}

    def state(self):
        """Of the kernel tree: its refs that count, and its files."""
        refs = {name: self.git("for-each-ref", "--format=%(objectname)", name)
                for name in ("refs/heads/base", "refs/heads/tmem", "refs/tmem/composed")}
        return refs, self.git("rev-parse", "HEAD"), {
            str(p.relative_to(self.tree)): p.read_bytes() for p in self.tree.rglob("*")
            if p.is_file() and ".git" not in p.relative_to(self.tree).parts}

    def refetch(self, files, base="6.12"):
        """Make another version of the base from the given files."""
        shutil.rmtree(self.source)
        write(self.source, {**BASE, **files})
        self.good("fetch", "--base", base, KERNEL_SRC=str(self.source))

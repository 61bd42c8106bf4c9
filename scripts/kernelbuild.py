# SPDX-License-Identifier: GPL-2.0
"""What objects and commits share: small builds of single objects."""

import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "../qemu"))
# pylint: disable=wrong-import-position
import rig

# Their data contain line numbers, so that objects of other source differ.
OFF = ("DEBUG_INFO", "DEBUG_BUGVERBOSE", "DYNAMIC_DEBUG", "DEBUG_ATOMIC_SLEEP",
       "IKCONFIG")
# What Kconfig.tmem offers; a tree without it takes no notice.
TMEM = ("FRONTSWAP=y", "FRONTSWAP_KUNIT_TEST=y", "CLEANCACHE=y",
        "CLEANCACHE_DEBUG=y", "CLEANCACHE_KUNIT_TEST=y", "TMEM_FAKE=m",
        "TMEM_ENGINE_KUNIT_TEST=y", "XEN_TMEM=y", "XEN_TMEM_KUNIT_TEST=y",
        "XEN_TMEM_CONFORMANCE=m", "XEN_TMEM_HOSTILE=m", "ZCACHE=y",
        "TMEM_BENCH=y")


# Where the series changes what is compiled
BUILT = ("mm/", "fs/", "block/", "drivers/")


def git(*arguments, cwd=rig.TREE):
    return subprocess.run(["git", "-C", cwd, *arguments], check=True,
                          stdout=subprocess.PIPE, text=True).stdout


def checkout(name, commit):
    """A worktree in the cache, at a commit of the composed tree."""
    path = os.path.join(rig.LINUX, name)
    if not os.path.exists(os.path.join(path, "Makefile")):
        git("worktree", "prune")
        rig.say(f"unpacking {path}")
        git("worktree", "add", "--quiet", "--force", "--detach", path, commit)
    git("checkout", "--quiet", "--force", "--detach", commit, cwd=path)
    return path


class Failed(rig.Stop):
    """What the compiler said."""


class Tree:
    """A source tree with one configuration, built in a directory of its own."""

    def __init__(self, source, name, options=(), variables=()):
        self.source = source
        self.variables = variables      # of make, as ARCH=i386 and CC=clang
        self.dir = os.path.join(rig.LINUX, name)
        os.makedirs(self.dir, exist_ok=True)
        lines = [line for line in
                 rig.read(os.path.join(rig.QEMU_DIR, "kernel.config")).splitlines()
                 if not re.search(rf"CONFIG_({'|'.join(OFF)})\w*\b", line)]
        lines += [f"# CONFIG_{name} is not set" for name in OFF]
        lines += ["CONFIG_EXPERT=y"]    # lets DEBUG_BUGVERBOSE be off
        lines += [f"CONFIG_{option}" for option in options]
        self.fragment = os.path.join(self.dir, "wanted.config")
        rig.write_if_changed(self.fragment, "\n".join(lines) + "\n")

    def configure(self):
        self.make(f"KCONFIG_ALLCONFIG={self.fragment}", "allnoconfig")
        return rig.read(os.path.join(self.dir, ".config"))

    def make(self, *arguments):
        """Return: what was said about the sources. Raises Failed."""
        done = subprocess.run(
            ["make", "-s", f"-j{os.cpu_count()}", "-C", self.source,
             f"O={self.dir}", "KBUILD_BUILD_TIMESTAMP=1970-01-01",
             *self.variables, *arguments],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace",
            env=dict(os.environ, LC_ALL="C"))
        if done.returncode:
            raise Failed(f"{self.dir} did not build:\n{done.stdout[-3000:]}")
        return [line for line in done.stdout.splitlines()
                if re.search(r": (warning|error):", line)]

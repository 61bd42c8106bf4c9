# SPDX-License-Identifier: GPL-2.0-only
"""Xen's source, and how Xen's build compiles an object.

bases/xen-4.17.conf names the distribution's source package. In the cache its tarball
is a base as the kernel's is, and it is unpacked once for each compiler, where the build
makes what objects include.
"""
import os
import pathlib
import shlex
import shutil
import sys

from fetchbase import natural, private_apt, sha256, untar
from kernelbase import Base, Failure, locked, run, say, slowly

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Nothing of a make that runs this one reaches Xen's.
FOREIGN = ("KBUILD_OUTPUT", "MAKEFILES", "MAKEFLAGS", "MAKELEVEL", "MFLAGS")


class Package:
    """The tarball in the distribution's source package."""

    def __init__(self, base):
        self.base, self.name, self.package = base, base.name, base.values["package"]
        self.pin, self.suite = base.values["version"], base.values["suite"]
        self.label = "package %s" % self.package
        self.id = "package %s, pinned %s" % (self.package, self.pin)
        self.dl = base.cache / "dl"

    def get(self):
        """Its path; the pinned one is the one that was meant."""
        pinned = self.tarball(self.pin)
        tarball = pinned if pinned.exists() else self.obtain()
        if tarball == pinned and sha256(tarball) != self.base.values["sha256"]:
            raise Failure("%s does not have the sha256 of bases/%s: remove the file and run this "
                          "again" % (tarball, self.base.conf.name))
        return tarball

    def unpack(self, base, tree):
        tarball = self.get()
        base.place.mkdir(parents=True, exist_ok=True)
        untar(tarball, tree)
        return "Package: %s %s\nSource-sha256: %s" % (
            self.package, tarball.name.split("_")[1].rpartition(".orig")[0], sha256(tarball))

    def tarball(self, version):
        return self.dl / ("%s_%s.orig.tar.xz" % (self.package, version.rpartition("-")[0]))

    def obtain(self):
        """Download the pinned tarball, or the newest that there is."""
        def choose(codename, suites, security):
            return [self.suite + ("-security" if security else "")]

        if not shutil.which("apt-get"):
            raise Failure("there is no apt-get here to get Xen's source with: " + self.by_hand())
        options = private_apt(self.base.place / "apt", "deb-src", choose,
                              "asking the mirror for the source of %s" % self.package)
        table = run(["apt-cache", *options, "madison", self.package]).stdout.decode()
        offered = {line.split("|")[1].strip() for line in table.splitlines() if "|" in line}
        problem = "no configured mirror offers the source of %s %s" % (self.package, self.name)
        for version in sorted((v for v in offered if v.startswith(self.name + ".")),
                              key=lambda v: (v == self.pin, natural(v)), reverse=True):
            try:
                self.download(version, options)
            except Failure as failure:          # not all that a mirror lists is there
                problem = str(failure)
                continue
            if version != self.pin:
                say("  the mirror has no %s %s: taking %s" % (self.package, self.pin, version))
            return self.tarball(version)
        kept = sorted(self.dl.glob("%s_%s.*.orig.tar.xz" % (self.package, self.name)),
                      key=lambda path: natural(path.name))
        if kept:
            return kept[-1]
        raise Failure("%s: %s" % (problem, self.by_hand()))

    def download(self, version, options):
        if self.tarball(version).exists():
            return
        part = self.dl / "part"
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        slowly("downloading the source of %s %s" % (self.package, version),
               ["apt-get", *options, "-qq", "source", "--download-only", "--tar-only",
                "%s=%s" % (self.package, version)], cwd=part, env=dict(os.environ, LC_ALL="C"))
        os.rename(next(part.glob("*.orig.tar.*")), self.tarball(version))
        part.rmdir()

    def by_hand(self):
        return "see that apt reaches its mirror, or put %s into %s" % (
            self.tarball(self.pin).name, self.dl)


class Xen:
    """The trees, one for each compiler, in which Xen's build has been at work."""

    def __init__(self, root=ROOT):
        self.base = Base(root / "bases/xen-4.17.conf")
        self.package = Package(self.base)

    def command(self, compiler):
        """(directory, compiler and flags) with which Xen's build makes an object."""
        tree = self.base.place / compiler
        made = tree / "xen/common/.xmalloc_tlsf.o.cmd"
        stamp, wanted = tree / "stamp", "%s, %s, and %s\n" % (
            self.package.id, self.base.values["sha256"],
            run([compiler, "--version"]).stdout.decode().partition("\n")[0])
        with locked(self.base.place):
            if not stamp.exists() or stamp.read_text() != wanted:
                self.prepare(compiler, tree)
                stamp.write_text(wanted)
        line = made.read_text().partition(":=")[2].partition("\n")[0]
        words, result = iter(shlex.split(line)), []
        for word in words:                      # without the names of its files
            if word in ("-MF", "-MQ", "-c", "-o"):
                next(words)
            elif word not in ("-MMD", "-MP"):
                result.append(word)
        return tree / "xen", result

    def prepare(self, compiler, tree):
        """Unpack Xen, configure it for a compiler, and make an object."""
        tarball = self.package.get()
        shutil.rmtree(tree, ignore_errors=True)
        untar(tarball, tree)
        env = {key: value for key, value in os.environ.items() if key not in FOREIGN}
        env.update(LC_ALL="C", PYTHON=sys.executable)
        make = ["make", "-C", tree / "xen", "XEN_TARGET_ARCH=x86_64",
                "clang=" + ("y" if compiler == "clang" else "n")]
        slowly("configuring Xen %s for %s" % (self.base.name, compiler), [*make, "defconfig"], env=env)
        slowly("making an object of Xen with %s" % compiler,
               [*make, "-f", "Makefile", "-f", ROOT / "scripts/xen.mk", "tmem-object"], env=env)

# SPDX-License-Identifier: GPL-2.0-only
"""Where bases come from: the distribution's packages, or what the user names."""
import contextlib
import hashlib
import os
import pathlib
import re
import shutil

from kernelbase import (NEUTRAL, Failure, Git, missing, recover, refuse_unabsorbed, run, say,
                        slowly)

ETC = pathlib.Path("/etc")
DISK_NEEDED = 4 << 30


class UserSource:
    """KERNEL_SRC or XEN_SRC: a directory, a git work tree or a tarball of the user's."""

    def __init__(self, variable, name):
        self.path = pathlib.Path(name).absolute()
        self.label = "%s=%s" % (variable, name)
        if not self.path.exists():
            raise Failure("%s: no such file or directory" % self.label)
        if not os.access(self.path, os.R_OK | (os.X_OK if self.path.is_dir() else 0)):
            raise Failure("%s: cannot be read, check its permissions" % self.label)
        self.git = self.path.is_dir() and (self.path / ".git").exists()
        if self.git:
            git = Git(self.path)
            if git("status", "--porcelain"):
                raise Failure("%s: the work tree is dirty: commit or stash, or name "
                              "a tarball" % self.label)
            self.id = "git tree " + git.line("rev-parse", "HEAD^{tree}")
        elif self.path.is_dir():
            for built in (".config", "include/config", "vmlinux"):
                if (self.path / built).exists():
                    raise Failure("%s: it was built in (%s): run make mrproper there, or "
                                  "name a tarball" % (self.label, built))
            self.id = "directory " + self.fingerprint()
        else:
            self.id = "tarball " + sha256(self.path)

    def fingerprint(self):
        """Of names, sizes and times: enough to see that a directory changed."""
        digest = hashlib.sha256(os.fsencode(self.path))
        for top, dirs, files in os.walk(self.path):
            dirs.sort()
            for name in sorted(files):
                stat = os.lstat(os.path.join(top, name))
                digest.update(os.fsencode("%s/%s %d %d\n" % (
                    top, name, stat.st_size, stat.st_mtime_ns)))
        return digest.hexdigest()

    def unpack(self, base, tree):
        """Unpack into a directory; return what the commit message records."""
        if not self.path.is_dir():
            untar(self.path, tree)
            return "Source-sha256: " + self.id.split()[1]
        what = "copying %s" % self.path
        if self.git:                    # a clean index is HEAD, without what was built
            tree.mkdir()
            slowly(what, ["git", "checkout-index", "-a", "--prefix=%s/" % tree], cwd=self.path)
        else:
            slowly(what, ["cp", "-R", "-P", "--preserve=mode", self.path, tree])
        return "Source: %s" % self.id.split()[0]


class PackageSource:
    """The distribution's source package, from where apt gets its packages."""

    def __init__(self, base):
        self.base, self.name = base, base.values["package"]
        self.pin = base.values["version"]
        self.label = "package %s" % self.name
        self.id = "package %s, pinned %s" % (self.name, self.pin)
        self.dl = base.cache / "dl"

    def deb(self, version):
        return self.dl / ("%s_%s_all.deb" % (self.name, version))

    def unpack(self, base, tree):
        self.dl.mkdir(parents=True, exist_ok=True)
        version = self.pin
        if not self.deb(version).exists():
            version = self.obtain()
        deb = self.deb(version)
        unpacked = tree.with_suffix(".deb")
        try:
            slowly("unpacking %s" % deb.name, ["dpkg-deb", "-x", deb, unpacked])
            tarball = unpacked / "usr/src" / (self.name + ".tar.xz")
            found = sha256(tarball)
        except (Failure, OSError) as error:
            if "not installed" in str(error) or "No space" in str(error):
                raise
            raise Failure("%s is damaged: remove it and run scripts/overlay fetch again"
                          % deb) from None
        if version == self.pin and found != base.values["sha256"]:
            raise Failure("the tarball in %s does not have the sha256 of bases/%s.conf: remove "
                          "the file and run scripts/overlay fetch again" % (deb, base.name))
        untar(tarball, tree)
        shutil.rmtree(unpacked)
        return "Package: %s %s\nSource-sha256: %s" % (self.name, version, found)

    def obtain(self):
        """Download the pinned version, or the newest that there is."""
        if not shutil.which("apt-get"):
            raise Failure("there is no apt-get here to get %s with: set KERNEL_SRC to a Linux %s "
                          "tree or tarball" % (self.name, self.base.name))
        options = []
        versions = self.offered(options)
        if not versions:
            options = self.private_apt()
            versions = self.offered(options)
        kept = [deb.name.split("_")[1] for deb in self.dl.glob(self.name + "_*_all.deb")]
        suitable = [v for v in versions or kept if self.base.suits(v)]
        if not suitable:
            raise Failure("no configured mirror offers %s %s: set KERNEL_SRC to a Linux %s tree "
                          "or tarball" % (self.name, self.base.wanted(), self.base.name))
        version = self.pin if self.pin in suitable else max(suitable, key=natural)
        if version != self.pin:
            say("  the mirror no longer has %s %s: taking %s" % (self.name, self.pin, version))
        if not self.deb(version).exists():
            part = self.dl / "part"
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir()
            slowly("downloading %s %s" % (self.name, version),
                   ["apt-get", *options, "-o", "APT::Sandbox::User=root", "-qq", "download",
                    "%s=%s" % (self.name, version)], cwd=part, env=dict(os.environ, LC_ALL="C"))
            os.rename(next(part.glob("*.deb")), self.deb(version))
            part.rmdir()
        return version

    def offered(self, options):
        table = run(["apt-cache", *options, "madison", self.name], check=False).stdout.decode()
        return [line.split("|")[1].strip() for line in table.splitlines() if "|" in line]

    def private_apt(self):
        """Options that let apt see other suites of the mirror, for us only."""
        def choose(codename, suites, security):
            return suites + (["trixie-security"] if security else
                             [codename + "-backports", "trixie"])
        return private_apt(self.base.cache / "apt", "deb", choose,
                           "asking the mirror for other suites with %s" % self.name)


def private_apt(place, kind, choose, what):
    """Options that let apt see what it is not configured for, for us only.

    That is packages of a kind, deb or deb-src, in the suites that choose() makes of
    the system's codename, its suites and whether they are those for security.
    """
    shutil.rmtree(place, ignore_errors=True)
    for part in ("parts", "lists/partial", "cache/archives/partial"):
        (place / part).mkdir(parents=True)
    (place / "parts/tmem.sources").write_text("\n".join(apt_stanzas(kind, choose)))
    options = ["-o", "Dir::Etc::SourceList=/dev/null", "-o", "Acquire::Languages=none",
               "-o", "APT::Sandbox::User=root"]
    for key, part in (("Dir::Etc::SourceParts", "parts"), ("Dir::State::Lists", "lists"),
                      ("Dir::Cache", "cache")):
        options += ["-o", "%s=%s" % (key, place / part)]
    with contextlib.suppress(Failure):      # a mirror without one of the suites
        slowly(what, ["apt-get", *options, "-qq", "update"], env=dict(os.environ, LC_ALL="C"))
    return options


def apt_stanzas(kind, choose):
    """The system's package sources as stanzas, of this kind and with these suites."""
    codename = re.search(r'^VERSION_CODENAME="?([\w-]+)', (ETC / "os-release").read_text(), re.M)
    codename = codename.group(1) if codename else "stable"
    stanzas = []
    for name in [ETC / "apt/sources.list", *sorted((ETC / "apt/sources.list.d").glob("*.list"))]:
        for line in name.read_text().splitlines() if name.exists() else []:
            match = re.match(r"\s*deb\s+(?:\[(.*?)\]\s*)?(\S+)\s+(\S+)", line)
            if match:
                key = re.search(r"signed-by=(\S+)", match.group(1) or "", re.I)
                stanzas.append({"types": "deb", "uris": match.group(2), "suites": match.group(3),
                                **({"signed-by": key.group(1)} if key else {})})
    for name in sorted((ETC / "apt/sources.list.d").glob("*.sources")):
        text = re.sub(r"^#.*\n", "", name.read_text(), flags=re.M)
        for block in re.split(r"\n\s*\n", text):
            stanzas.append({key.lower(): value.strip() for key, value in
                            re.findall(r"^([\w-]+):((?:.*)(?:\n[ \t].*)*)", block, re.M)})
    result = set()
    for stanza in stanzas:
        suites = stanza.get("suites", "").split()
        if ("deb" in stanza.get("types", "").split() and stanza.get("enabled", "yes") != "no"
                and any(suite.split("-")[0] == codename for suite in suites)):
            for uri in stanza["uris"].split():
                key = stanza.get("signed-by")
                result.add("Types: %s\nURIs: %s\nSuites: %s\nComponents: main\n%s" % (
                    kind, uri,
                    " ".join(dict.fromkeys(choose(codename, suites, "security" in uri))),
                    "Signed-By: %s\n" % key if key else ""))
    return sorted(result)


def natural(version):
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", version)]


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        for block in iter(lambda: stream.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def untar(tarball, tree):
    """Unpack with today's times: make must see that another base is newer."""
    if str(tarball).endswith("xz") and not shutil.which("xz"):
        raise Failure(missing("xz"))
    tree.mkdir()
    slowly("unpacking %s" % tarball.name, ["tar", "-xf", tarball, "-C", tree, "-m",
                                           "--no-same-owner", "--strip-components=1"])


# Where a tree has its version, and the three numbers of it
MAKEFILES = {
    "linux": ("Makefile", r"VERSION = *(\d+)", r"PATCHLEVEL = *(\d+)", r"SUBLEVEL = *(\d+)"),
    "xen": ("xen/Makefile", r"export XEN_VERSION *= *(\d+)", r"export XEN_SUBVERSION *= *(\d+)",
            r"export XEN_EXTRAVERSION *\?= *\.(\d+)"),
}


def tree_version(system, tree, label):
    """The three numbers in a tree's Makefile."""
    name, *numbers = MAKEFILES[system]
    try:
        text = (tree / name).read_text()
        return ".".join(re.search("^" + number, text, re.M).group(1) for number in numbers)
    except (OSError, AttributeError):
        raise Failure("%s: not a tree of %s, no version in its %s"
                      % (label, system.title(), name)) from None


def fetch(base, package):
    """Get the base and make it a git repository with one commit, branch base."""
    run(["git", "--version"])
    variable = {"linux": "KERNEL_SRC", "xen": "XEN_SRC"}[base.system]
    name = os.environ.get(variable)
    source = UserSource(variable, name) if name else package
    if name and source.path.resolve() == base.tree.resolve():
        raise Failure("%s: this is where the series is composed, name another tree" % source.label)
    with base.lock():
        part, _, old = parts = [base.place / ("tree" + s) for s in (".part", ".deb", ".old")]
        for leftover in parts:
            shutil.rmtree(leftover, ignore_errors=True)
        if base.present():
            if base.git.line("config", "tmem.source", check=False) == source.id:
                say("%s is in %s" % (base.title(), base.tree))
                return
            base.require()
            recover(base)
            refuse_unabsorbed(base)
        free = shutil.disk_usage(base.place).free
        if free < DISK_NEEDED:
            raise Failure("%s has %.1f GiB free and %.0f are needed: free some, or set TMEM_CACHE "
                          "to a directory on a larger disk"
                          % (base.place, free / 2**30, DISK_NEEDED / 2**30))
        if isinstance(source, UserSource) and source.path.is_dir():
            refuse_version(base, source.path, source.label)
        record = source.unpack(base, part)
        version = refuse_version(base, part, source.label)
        import_base(base, part, version, record, source.id)
        if base.tree.exists():
            base.tree.rename(old)
        part.rename(base.tree)
        shutil.rmtree(old, ignore_errors=True)
        say("%s is in %s" % (base.title(), base.tree))


def refuse_version(base, tree, label):
    """The version of a tree that serves."""
    version = tree_version(base.system, tree, label)
    if not base.suits(version):
        raise Failure("%s is %s %s, which does not serve: %s is needed"
                      % (label, base.system.title(), version, base.wanted()))
    return version


def import_base(base, tree, version, record, source_id):
    """Commit a pristine tree; the same tree always gives the same commit."""
    if base.values["sha256"] in record:
        record = "Package: %s %s\nSource-sha256: %s" % (
            base.values["package"], base.values["version"], base.values["sha256"])
    git = Git(tree)
    git("init", "-q", "-b", "base", "--template=")
    for key, value in (("core.looseCompression", "0"), ("gc.auto", "0"),
                       ("maintenance.auto", "false"), ("tmem.source", source_id)):
        git("config", key, value)
    attributes = tree / ".gitattributes"
    if attributes.exists():             # function names in @@ lines, whatever is checked out
        (tree / ".git/info").mkdir()
        shutil.copy(attributes, tree / ".git/info/attributes")
    title = "%s %s" % (base.system.title(), version)
    slowly("importing %s into git" % title, ["git", "add", "-f", "."], cwd=tree)
    message = "%s%s\n\n%s\n" % (
        title, " as Debian ships it" if record.startswith("Package") else "", record)
    person = {"GIT_%s_%s" % (role, key): value for role in ("AUTHOR", "COMMITTER") for key, value in
              (("NAME", NEUTRAL[0]), ("EMAIL", NEUTRAL[1]), ("DATE", base.values["date"]))}
    commit = git.line("commit-tree", git.line("write-tree"), "-F", "-", env=person,
                      input=message.encode())
    git("update-ref", "refs/heads/base", commit)

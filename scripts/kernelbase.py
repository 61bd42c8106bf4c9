# SPDX-License-Identifier: GPL-2.0-only
"""Pristine kernel trees: where they come from, and what git does in them.

A base is bases/<name>.conf in the repository and, once fetched, a git tree in
the cache whose branch base is one commit. scripts/overlay imports this, and
xenbase.py what is not only for kernels.
"""
import contextlib
import fcntl
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

ETC = pathlib.Path("/etc")
HUNK = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
NEUTRAL = ("tmem", "tmem@localhost")
DISK_NEEDED = 4 << 30


class Failure(Exception):
    """What the user did or has to do, in one line (or one line per problem)."""


def say(text):
    print(text, flush=True)


def version_key(text):
    return tuple(int(n) for n in text.split("."))


# ------------------------------------------------------------------ programs

def clean_environment():
    """Nothing of the user's git configuration changes what is composed.

    Trees may belong to somebody else, as they do after sudo and in containers.
    """
    env = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    env.update(LC_ALL="C", GIT_CONFIG_NOSYSTEM="1", GIT_CONFIG_GLOBAL=os.devnull,
               GIT_TERMINAL_PROMPT="0", GIT_CONFIG_COUNT="1",
               GIT_CONFIG_KEY_0="safe.directory", GIT_CONFIG_VALUE_0="*")
    return env


def run(command, check=True, **options):
    """Run a program; if it fails, its last words are the Failure."""
    try:
        done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE,
                              **{"env": clean_environment(), **options})
    except FileNotFoundError:
        raise Failure(missing(command[0])) from None
    if check and done.returncode:
        raise Failure("%s: %s" % (command[0], last_words(done.stderr)))
    return done


def missing(program):
    package = {"dpkg-deb": "dpkg", "xz": "xz-utils", "apt-get": "apt",
               "apt-cache": "apt"}.get(program, program)
    return "%s is not installed: install the package %s" % (program, package)


def last_words(stderr):
    lines = stderr.decode(errors="replace").strip().splitlines() or ["failed"]
    lines = [line for line in lines if not re.match(r"make(\[\d+\])?: ", line)] or lines
    full = [line for line in lines if "No space left" in line]
    return (full or lines)[-1] + (": free some disk space, or set TMEM_CACHE to a "
                                  "directory on a larger disk" if full else "")


def slowly(what, command, **options):
    """Run a program that takes a while; show what it does and for how long."""
    start, tty = time.monotonic(), sys.stdout.isatty()
    print("  %s ..." % what, end="", flush=True)
    with tempfile.TemporaryFile() as stderr:
        try:
            child = subprocess.Popen([str(c) for c in command], stderr=stderr,
                                     stdout=subprocess.DEVNULL,
                                     **{"env": clean_environment(), **options})
        except FileNotFoundError:
            print(flush=True)
            raise Failure(missing(command[0])) from None
        try:
            while True:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.wait(1)
                    break
                if tty:
                    print("\r  %s ... %d s" % (what, time.monotonic() - start),
                          end="", flush=True)
        except BaseException:
            child.kill()
            child.wait()
            print(flush=True)
            raise
        print("%s %.0f s" % ("\r  %s ..." % what if tty else "",
                             time.monotonic() - start), flush=True)
        if child.returncode:
            stderr.seek(0)
            raise Failure("%s: %s" % (command[0], last_words(stderr.read())))


class Git:
    """The kernel tree as a git repository, used through its plumbing."""

    def __init__(self, tree):
        self.tree = pathlib.Path(tree)
        self.known = {}

    def __call__(self, *args, index=None, check=True, **options):
        env = clean_environment()
        if index:
            env["GIT_INDEX_FILE"] = str(index)
        env.update(options.pop("env", {}))
        return run(["git", "-c", "core.attributesFile=" + os.devnull, *args],
                   check=check, cwd=self.tree, env=env, **options).stdout

    def line(self, *args, **options):
        return self(*args, **options).decode(errors="replace").strip()

    def ref(self, name):
        """The commit or tree that a name stands for, or None."""
        return self.line("rev-parse", "-q", "--verify", name, check=False) or None

    def store(self, data):
        """The id of a blob, which is written unless this run has done so."""
        if data not in self.known:
            self.known[data] = self.line("hash-object", "-w", "--stdin", input=data)
        return self.known[data]

    def files(self, treeish, paths):
        """{path: (executable, content)} of those paths that are files there."""
        entries = {}
        for record in self("ls-tree", "-z", treeish, "--", *paths).split(b"\0")[:-1]:
            (mode, _, oid), path = record.split(b"\t")[0].split(), record.split(b"\t")[1]
            if mode in (b"100644", b"100755"):
                entries[os.fsdecode(path)] = (mode == b"100755", oid)
        output = self("cat-file", "--batch", input=b"".join(o + b"\n" for _, o in entries.values()))
        found, at = {}, 0
        for path, (executable, _) in entries.items():
            start = output.index(b"\n", at) + 1
            end = start + int(output[at:start].split()[2])
            found[path], at = (executable, output[start:end]), end + 1
        return found

    def names(self, treeish, paths):
        return {os.fsdecode(p) for p in self(
            "ls-tree", "-z", "--name-only", treeish, "--", *paths).split(b"\0")[:-1]}

    def changed(self, old, new):
        """Paths that differ between two trees."""
        return {os.fsdecode(p) for p in self("diff-tree", "-r", "-z", "--no-renames",
                                             "--name-only", old, new).split(b"\0")[:-1]}

    @contextlib.contextmanager
    def index(self):
        """The name of a private index."""
        with tempfile.TemporaryDirectory(prefix="tmem-", dir=self.tree / ".git") as tmp:
            yield os.path.join(tmp, "index")

    def hunks(self, old, new):
        """[(first old line, count, first new line, count)], without context."""
        diff = self("diff", "-U0", "--no-color", "--no-ext-diff", "--text",
                    self.store(old), self.store(new))
        result = []
        for match in map(HUNK.match, diff.splitlines()):
            if match:
                a, alen, b, blen = (1 if n is None else int(n) for n in match.groups())
                result.append((a - (alen > 0), alen, b - (blen > 0), blen))
        return result

    def patches(self, edits):
        """The canonical text of edits: {path: (old, new)} -> {path: text}."""
        trees = []
        for side in (0, 1):
            info = b"".join(
                b"100644 %s\t%s\0" % (self.store(pair[side]).encode(), os.fsencode(path))
                for path, pair in edits.items())
            with self.index() as index:
                self("update-index", "-z", "--index-info", index=index, input=info)
                trees.append(self.line("write-tree", index=index))
        diff = self("diff-tree", "-r", "-p", "-U3", "--no-color", "--no-ext-diff", "--no-textconv",
                    "--no-renames", "--diff-algorithm=myers", "--indent-heuristic",
                    "--inter-hunk-context=0", "--src-prefix=a/", "--dst-prefix=b/", *trees)
        texts = {}
        for part in re.split(rb"^diff --git ", diff, flags=re.M)[1:]:
            start = part.find(b"\n--- a/") + 1
            path = os.fsdecode(part[start + 6:part.index(b"\n", start)])
            if start:
                texts[path] = part[start:]
        return texts


# --------------------------------------------------------------------- bases

def read_conf(conf, keys):
    """{key: value} of a file in bases/."""
    values = {}
    for number, line in enumerate(conf.read_text().splitlines(), 1):
        key, equals, value = (part.strip() for part in line.partition("="))
        if line.strip() and not line.startswith("#"):
            if not equals:
                raise Failure("%s:%d: not a 'key = value' line" % (conf, number))
            values[key] = value
    for key in keys.split():
        if key not in values:
            raise Failure("%s: the key %s is missing" % (conf, key))
    return values


def cache_directory():
    return pathlib.Path(os.environ.get("TMEM_CACHE") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "tmem")).absolute()


@contextlib.contextmanager
def locked(place):
    """One process at a time works in a directory of the cache."""
    place.mkdir(parents=True, exist_ok=True)
    with open(place / "overlay.lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another process works on %s: waiting for it" % place)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class Base:
    """One version of Linux or Xen: a file of bases/ and its tree in the cache."""

    def __init__(self, conf):
        self.conf = conf
        self.values = read_conf(conf, "name package version sha256 tree minimum date")
        self.system = "xen" if conf.name.startswith("xen-") else "linux"
        self.name = self.values["name"]
        self.label = "%s-%s" % (self.system, self.name)
        self.key = version_key(self.name)
        self.cache = cache_directory()
        self.place = self.cache / self.label
        self.tree = self.place / "tree"
        self.git = Git(self.tree)

    def present(self):
        return (self.tree / ".git").is_dir()

    def require(self):
        if not self.present():
            raise Failure("%s %s is not in %s: run scripts/overlay fetch first"
                          % (self.system.title(), self.name, self.place))
        root = self.git.line("rev-list", "--max-parents=0", "base")
        if root != self.git.ref("base"):
            raise Failure("there are commits on the branch base of %s: make them edits again with "
                          "git -C %s update-ref refs/heads/base %s" % (self.tree, self.tree, root))

    def pinned(self):
        """Is the base the very tree whose line numbers the patches have?"""
        return self.git.ref("base^{tree}") == self.values["tree"]

    def title(self):
        return self.git.line("log", "-1", "--format=%s", "base").split(" as ")[0]

    def suits(self, version):
        """Is this package or kernel version (6.12.117-1~deb12u1) recent enough?"""
        match = re.match(r"\d+(\.\d+)*", version)
        numbers = version_key(match.group()) if match else ()
        return (numbers[:len(self.key)] == self.key
                and numbers >= version_key(self.values["minimum"]))

    def wanted(self):
        return "%s or a later %s.y" % (self.values["minimum"], self.name)

    def lock(self):
        return locked(self.place)


def all_bases(root):
    """The bases of a repository: Linux, then Xen, the oldest first."""
    return sorted((Base(conf) for conf in (root / "bases").glob("*.conf")),
                  key=lambda base: (base.system, base.key))


# --------------------------------------------------------------------- fetch

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


# ----------------------------------------------------------------- work tree

def settle(base, old, new, tip, index=None):
    """Bring the work tree from one tree or commit to another, and the branch to tip.

    Files that are the same in both keep their times. refs/tmem/next stands while
    this is going on, so that recover() can finish what was interrupted.
    """
    git = base.git
    git("update-ref", "refs/tmem/next", tip)
    if index:
        os.replace(index, base.tree / ".git/index")
    if index or old != new:
        git("read-tree", "-m", "-u", old, new)
    if new == tip:
        git("symbolic-ref", "HEAD", "refs/heads/tmem")
    else:
        git("update-ref", "--no-deref", "HEAD", new)
    conclude(git, tip)


def conclude(git, tip):
    git("update-ref", "--stdin", input=b"update refs/heads/tmem %s\nupdate refs/tmem/composed %s\n"
        b"delete refs/tmem/next\n" % (tip.encode(), tip.encode()))


def recover(base):
    """Finish a checkout that was interrupted."""
    git = base.git
    tip = git.ref("refs/tmem/next")
    if not tip:
        return
    say("  finishing an interrupted checkout")
    with contextlib.suppress(FileNotFoundError):
        (base.tree / ".git/index.lock").unlink()
    ours = git.changed("base", tip) | git.changed("base", git.ref("refs/tmem/composed") or tip)
    edited = git("diff", "-z", "--name-only", tip).split(b"\0")[:-1]
    edited = {os.fsdecode(path) for path in edited} - ours
    if edited:
        raise Failure("a checkout in %s was interrupted and %s has other edits: undo them "
                      "with git -C %s checkout -- %s" % (
                          base.tree, some(edited), base.tree, " ".join(sorted(edited))))
    git("read-tree", "--reset", "-u", tip)
    git("symbolic-ref", "HEAD", "refs/heads/tmem")
    conclude(git, tip)


def refuse_rebase(base):
    for state in ("rebase-merge", "rebase-apply"):
        if (base.tree / ".git" / state).exists():
            raise Failure("a rebase is going on in %s: finish it, or git -C %s rebase --abort"
                          % (base.tree, base.tree))


def refuse_unabsorbed(base):
    """Nobody's edits in the composed tree are ever overwritten."""
    git, composed = base.git, base.git.ref("refs/tmem/composed")
    refuse_rebase(base)
    head, branch = git.ref("HEAD"), git.ref("refs/heads/tmem")
    status = git("status", "--porcelain", "--no-renames", "-z").split(b"\0")[:-1]
    ours = git.line("rev-list", "base", *([composed] if composed else [])).split()
    if status:
        what = "uncommitted edits (%s)" % some(os.fsdecode(line[3:]) for line in status)
    elif branch not in (None, composed, git.ref("base")) or head not in ours:
        what = "commits that are not in the overlay"
    else:
        return
    clean = " and git -C %s clean -df" % base.tree if b"??" in {s[:2] for s in status} else ""
    raise Failure("%s has %s: take them over with scripts/overlay absorb, or drop them with "
                  "git -C %s checkout -fB tmem %s%s" % (
                      base.tree, what, base.tree, "refs/tmem/composed" if composed else "base",
                      clean))


def some(names, most=4):
    names = sorted(names)
    return ", ".join(names[:most]) + (" and %d more" % (len(names) - most) if names[most:] else "")

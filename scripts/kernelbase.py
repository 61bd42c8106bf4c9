# SPDX-License-Identifier: GPL-2.0-only
"""Pristine trees: what git does in them, and what programs share.

A base is bases/<name>.conf in the repository and, once fetched (fetchbase.py), a git
tree in the cache whose branch base is one commit.
"""
import contextlib
import fcntl
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

HUNK = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
NEUTRAL = ("tmem", "tmem@localhost")


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

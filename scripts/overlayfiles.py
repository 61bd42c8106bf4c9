# SPDX-License-Identifier: GPL-2.0-only
"""The overlay: messages, the files they own, and what these do to a kernel tree.

series/linux/NNN-slug.msg, or series/xen for Xen, says which commit owns what:

    Subject: mm: do something

    Why, and what.

    ---
    mm/new.c
    mm/old.c.patch
    mm/gone.c.patch  @<=6.12

    Text after a blank line goes below the --- of the mail.

An overlay file is one of
    path            new file
    path.patch      edit; path.<slug>.patch where several commits edit path, also a
                    new file of an earlier commit
    path@V.patch    variant of either for bases up to V, while the bare name
                    serves newer ones. Not listed: it belongs to the bare name
    path.tmem       lines inserted at their sorted place in MAINTAINERS, in an
                    index.rst or in tools/testing/selftests/Makefile

Paths of Xen's tree stand below xen/ here. A line "mm/new.c -> xen/new.c" lists a
file of the kernel's overlay that is a new one for Xen too.

A state of a kernel file is (executable, content), or None where there is none.
"""
import dataclasses
import os
import pathlib
import re
import tempfile

from kernelbase import HUNK, Failure, clean_environment, run, version_key

TOPS = {"linux": ("mm include drivers fs arch block Documentation tools kernel lib "
                  "Kconfig.tmem MAINTAINERS.tmem").split(),
        "xen": ["xen"]}
SORTED = re.compile(r"(MAINTAINERS|(?:.*/)?index\.rst|tools/testing/selftests/Makefile)"
                    r"(?:\.[a-z0-9-]+)?\.tmem")
VARIANT = re.compile(r"(.*)@(\d+(?:\.\d+)*)\.patch")
CONDITION = re.compile(r"@(<=|>)(\d+(?:\.\d+)*)")
LISTED = re.compile(r"\s*(\S+)(?:\s+->\s+(\S+))?(?:\s+(@(?:<=|>)\d+(?:\.\d+)*))?\s*")
SIGNED = re.compile(r"^\s*Signed-off-by:", re.I | re.M)


@dataclasses.dataclass
class Item:
    """An overlay file as one base sees it."""
    name: str               # as it is listed
    kind: str               # new, edit or sorted
    target: str             # the kernel's file
    file: str               # the overlay file that is used: name or a variant
    fold: str               # the variant patch on top of a new file, or None
    entry: str              # the message file that lists it


class Entry:
    """One commit: a message and the overlay files that it owns."""

    def __init__(self, file, content):
        self.file, self.slug, self.items = file, pathlib.Path(file).stem, []
        try:
            self.text = content.decode()
        except UnicodeDecodeError:
            raise Failure("%s: not UTF-8" % file) from None
        head, line, tail = (self.text + "\n").partition("\n---\n")
        lines = head.split("\n")
        if not lines[0].startswith("Subject: ") or any(lines[1:2]):
            raise Failure("%s: it must begin with 'Subject: ...' and a blank line" % self.file)
        if not line:
            raise Failure("%s: no line --- with the list of files below it" % self.file)
        self.subject = lines[0][len("Subject: "):].strip()
        self.body = "\n".join(lines[2:]).strip("\n")
        listing, _, self.notes = ("\n" + tail).partition("\n\n")
        self.listing = []
        for line in listing.split("\n")[1:]:
            match = LISTED.fullmatch(line)
            if not match:
                raise Failure("%s: '%s' is not a path with a condition like @<=6.12"
                              % (self.file, line))
            self.listing.append(match.groups())

    def message(self):
        return self.subject + "\n" + ("\n%s\n" % self.body if self.body else "")

    def reworded(self, message):
        """The text of the message file with another message."""
        return ("Subject: " + message.strip("\n") + "\n\n---\n"
                + (self.text + "\n").partition("\n---\n")[2][:-1])


class Overlay:
    """The overlay for one base, with changes that are not written yet."""

    def __init__(self, root, bases, base, changes=None, lenient=False):
        self.root, self.base, self.changes = root, base, changes or {}
        self.series = "series/" + base.system
        self.prefix = "xen/" if base.system == "xen" else ""    # of paths of its tree here
        self.entries = [Entry(file, self.read(file)[1]) for file in sorted(
            "%s/%s" % (self.series, path.name) for path in (root / self.series).glob("*.msg"))]
        if not self.entries:
            raise Failure("%s holds no message NNN-slug.msg: there is no series to compose"
                          % self.series)
        self.present = self.kernel_files()
        problems = self.structure(bases, lenient)
        if not problems:
            self.bind(problems)
        if problems:
            raise Failure("\n".join(problems))
        self.pristine = base.git.files("base", sorted(
            {item.target for item in self.items if item.kind != "new"}) or ["."])

    def read(self, file):
        """(executable, content) of an overlay file, or None."""
        if file in self.changes:
            return self.changes[file]
        path = self.root / file
        return (os.access(path, os.X_OK), path.read_bytes()) if path.is_file() else None

    def kernel_files(self):
        """All overlay files; in a git checkout, those that git does not ignore."""
        tops = [top for top in TOPS[self.base.system] if (self.root / top).exists()]
        if (self.root / ".git").exists():
            names = run(["git", "ls-files", "-z", "-c", "-o", "--exclude-standard", "--", *tops],
                        cwd=self.root).stdout if tops else b""
            files = [os.fsdecode(name) for name in names.split(b"\0")[:-1]]
        else:
            files = [str(path.relative_to(self.root)) for top in tops for path in
                     [self.root / top, *(self.root / top).rglob("*")] if not path.is_dir()]
        files = [file for file in files if os.path.lexists(self.root / file)]
        return {*files, *(file for file in self.changes if not file.startswith("series/"))}

    def structure(self, bases, lenient):
        """What is wrong with names and messages, whatever the base."""
        problems, owner, subjects = [], {}, {}
        for path in sorted((self.root / "series").rglob("*")):
            if path.is_file() and SIGNED.search(path.read_text(errors="replace")):
                problems.append("%s: remove Signed-off-by, the person who submits signs with "
                                "scripts/overlay export --signoff" % path.relative_to(self.root))
        for entry in self.entries:
            if subjects.setdefault(entry.subject, entry) is not entry:
                problems.append("%s: %s has the same subject"
                                % (entry.file, subjects[entry.subject].file))
            for name, elsewhere, _ in entry.listing:
                if VARIANT.fullmatch(name):
                    problems.append("%s: list %s by its bare name, variants follow it"
                                    % (entry.file, name))
                elif name in owner:
                    problems.append("%s is owned twice: %s and %s"
                                    % (name, owner[name], entry.file))
                elif ((name.split("/")[0] in TOPS[self.base.system]) == bool(elsewhere)
                      or os.path.normpath(name) != name):
                    problems.append("%s: %s is not under a path of the %s overlay"
                                    % (entry.file, name, self.base.system))
                elif not (lenient or name in self.present or elsewhere and self.read(name)):
                    problems.append("%s lists %s, which does not exist" % (entry.file, name))
                owner.setdefault(name, entry.file)
        for file in sorted(self.present):
            variant = VARIANT.fullmatch(file)
            bare = variant and [variant[1] + ".patch", variant[1]]
            if (self.root / file).is_symlink():
                problems.append("%s is a symbolic link, which no patch can carry" % file)
            elif variant and any(name in owner for name in bare):
                if version_key(variant[2]) < bases[0].key:
                    problems.append("%s serves no base: the oldest is %s" % (file, bases[0].name))
            elif file not in owner:
                problems.append("%s belongs to no commit: list %s in a message of %s, or remove it"
                                % (file, "its bare name" if variant else "it", self.series))
        return problems

    def variant(self, name, key):
        """The variant of a listed file that serves a base, or None."""
        stem = name[:-len(".patch")] if name.endswith(".patch") else name
        found = [(version_key(m[2]), m[0]) for m in map(VARIANT.fullmatch, self.present)
                 if m and m[1] == stem]
        return min(((v, file) for v, file in found if v >= key[:len(v)]), default=(0, None))[1]

    @staticmethod
    def holds(condition, key):
        if not condition:
            return True
        sign, version = CONDITION.fullmatch(condition).groups()
        return (key <= version_key(version)) == (sign == "<=")

    def bind(self, problems):
        """Find out what each listed file does to this base."""
        plans = []
        for entry in self.entries:
            for name, elsewhere, condition in entry.listing:
                if not self.holds(condition, self.base.key):
                    continue
                variant = self.variant(name, self.base.key)
                path = elsewhere or name[len(self.prefix):]
                if path.endswith(".patch"):
                    stem = path[:-len(".patch")]
                    plans.append((entry, name, "edit", [stem, stem.rpartition(".")[0]], variant))
                elif SORTED.fullmatch(path):
                    plans.append((entry, name, "sorted", [SORTED.fullmatch(path)[1]], None))
                else:
                    plans.append((entry, name, "new", [path], variant))
        there = self.base.git.names("base", sorted(
            {t for plan in plans for t in plan[3] if t}) or ["."])
        new = {plan[3][0] for plan in plans if plan[2] == "new"}
        for entry, name, kind, targets, variant in plans:
            target = next((t for t in targets if t in there or (kind != "new" and t in new)),
                          None)
            if kind == "new" and target:
                problems.append("%s: %s has one already" % (name, self.base.title()))
            elif kind != "new" and not target:
                problems.append("%s: %s has no %s to edit" % (name, self.base.title(), targets[0]))
            elif any(item.target == target for item in entry.items if target):
                problems.append("%s: %s edits %s twice, merge the patches"
                                % (name, entry.file, target))
            else:
                file, fold = (name, variant) if kind == "new" else (variant or name, None)
                entry.items.append(Item(name, kind, target or targets[0], file, fold,
                                        entry.file))
        self.items = [item for entry in self.entries for item in entry.items]

    def effect(self, item, before):
        """What an item makes of the state (executable, content) of its file."""
        executable, stored = self.read(item.file)
        if item.kind == "new":
            if item.fold:
                stored = self.apply(item.fold, item.target, stored)
            return executable, stored
        if before is None:
            raise Failure("%s: there is no %s to edit" % (item.file, item.target))
        if item.kind == "edit":
            return before[0], self.apply(item.file, item.target, before[1])
        return before[0], insert_sorted(item, before[1], stored)

    def apply(self, file, target, content):
        """Apply an overlay patch without fuzz; name the hunk that does not fit."""
        text = self.read(file)[1]
        hunks = patch_hunks(file, target, text)
        with tempfile.TemporaryDirectory() as tmp:
            tmp = os.path.realpath(tmp)
            path = pathlib.Path(tmp, target)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            env = dict(clean_environment(), GIT_CEILING_DIRECTORIES=os.path.dirname(tmp))
            done = run(["git", "apply", "--whitespace=nowarn", "-"], check=False, input=text,
                       cwd=tmp, env=env)
            if done.returncode == 0:
                return path.read_bytes()
        failed = re.search(rb"patch failed: .*:(\d+)", done.stderr)
        for number, (line, start, header) in enumerate(hunks, 1):
            if failed and start == int(failed[1]):
                raise Failure("%s:%d: hunk %d (%s) does not apply to %s" % (
                    file, line, number, header, self.base.title()))
        raise Failure("%s: %s" % (file, done.stderr.decode(errors="replace").split("\n")[0]))

    def layers(self):
        """Compose in memory: [(entry, {path: (state before, state after)})]."""
        states, result, failures = dict(self.pristine), [], {}
        for entry in self.entries:
            layer = {}
            for item in entry.items:
                before = states.get(item.target)
                try:
                    states[item.target] = self.effect(item, before)
                except Failure as failure:
                    failures.setdefault(item.target, str(failure))
                layer[item.target] = (before, states.get(item.target))
            if layer:
                result.append((entry, layer))
        if failures:
            raise Failure("\n".join(failures.values()))
        return result

    def rewrite(self, pairs):
        """Canonical overlay files: [(item, before, after)] -> {file: state}."""
        git, result, edits = self.base.git, {}, []
        for item, before, after in pairs:
            if item.kind == "sorted":
                result[item.file] = (False, extract_sorted(git, item, before[1], after[1]))
            elif item.kind == "edit":
                edits.append((item.file, item.target, before[1], after[1]))
            elif item.fold:
                executable, stored = self.read(item.file)
                edits.append((item.fold, item.target, stored, after[1]))
                if executable != after[0]:
                    result[item.file] = (after[0], stored)
            else:
                result[item.file] = after
        while edits:                    # one git diff for as many as have different paths
            batch = {target: (file, old, new) for file, target, old, new in edits}
            texts = git.patches({target: pair[1:] for target, pair in batch.items()})
            for target, (file, _, _) in batch.items():
                if target not in texts:
                    raise Failure("%s no longer changes anything: remove it, and its line from %s"
                                  % (file, self.series))
                result[file] = (False, texts[target])
            done = {file for file, _, _ in batch.values()}
            edits = [edit for edit in edits if edit[0] not in done]
        return result


def patch_hunks(file, target, text):
    """[(line, first old line, header)] of an overlay patch, whose form is checked."""
    lines = text.split(b"\n")
    if lines[:2] != [b"--- a/" + os.fsencode(target), b"+++ b/" + os.fsencode(target)]:
        raise Failure("%s:1: must begin with '--- a/%s' and '+++ b/%s'" % (file, target, target))
    hunks, old, new = [], 0, 0
    for number, line in enumerate(lines[2:-1], 3):
        match = HUNK.match(line)
        sign = line[:1]
        if old or new:
            old -= sign in (b" ", b"-")
            new -= sign in (b" ", b"+")
            good = sign in (b" ", b"-", b"+", b"\\") and old >= 0 and new >= 0
        elif match:
            start, old, _, new = (1 if n is None else int(n) for n in match.groups())
            hunks.append((number, start, line.decode(errors="replace")))
            good = old or new
        else:
            good = sign == b"\\"
        if not good:
            raise Failure("%s:%d: not a line of a patch: '%s'"
                          % (file, number, line.decode(errors="replace")))
    if old or new or not hunks or lines[-1]:
        raise Failure("%s:%d: the patch ends too early" % (file, len(lines)))
    return hunks


# --------------------------------------------------------- sorted insertions

def sorted_places(target, lines):
    """The list that an insertion goes into: [(line number, key)], end, line form."""
    if target == "MAINTAINERS":
        found = [(i, lines[i].strip().lower().replace("the rest", "\U0010ffff"))
                 for i in range(1, len(lines) - 1) if lines[i - 1] == "\n"
                 and re.match(r"\w", lines[i]) and re.match(r"[A-Z]:\t", lines[i + 1])]
        return found, len(lines), "%s\n"
    if target.endswith("Makefile"):
        found, depth = [], 0
        for i, line in enumerate(lines):
            depth += bool(re.match(r"if(n?eq|n?def)\b", line)) - line.startswith("endif")
            match = re.match(r"TARGETS \+= (\S+)$", line)
            if match and not depth:
                found.append((i, match[1].lower()))
        return found, found[-1][0] + 1 if found else 0, "TARGETS += %s"
    lists, indent = [], None            # the toctree that is most in order, then the longest
    for i, line in enumerate(lines):
        depth = len(line) - len(line.lstrip())
        if line.strip() == ".. toctree::":
            indent, found = depth, []
            lists.append(found)
        elif line.strip() and indent is not None:
            if depth <= indent:
                indent = None
            elif not line.strip().startswith(":"):
                found.append((i, line.strip().lower()))
    order = [(sum(1 if a[1] < b[1] else -1 for a, b in zip(found, found[1:])), len(found), found)
             for found in lists if found]
    if not order:
        return [], 0, "%s"
    found = max(order)[2]
    first = lines[found[0][0]]
    return found, found[-1][0] + 1, first[:len(first) - len(first.lstrip())] + "%s"


def insert_sorted(item, content, text):
    """Insert each line (in MAINTAINERS: each entry) where it is least out of order."""
    text = text.decode(errors="surrogateescape")
    if item.target == "MAINTAINERS":
        pieces = re.split(r"\n\n+", text.strip("\n"))
    else:
        pieces = text.splitlines()
        for piece in pieces:
            if not re.fullmatch(r"[\w./-]+", piece):
                raise Failure("%s: '%s' is not the name of an entry" % (item.file, piece))
    lines = content.decode(errors="surrogateescape").splitlines(True)
    for piece in pieces:
        found, end, form = sorted_places(item.target, lines)
        if not found:
            raise Failure("%s: %s has no list to insert into" % (item.file, item.target))
        key = piece.split("\n")[0].strip().lower()
        cost = best = sum(other < key for _, other in found)
        place = found[0][0]
        for k, (_, other) in enumerate(found, 1):
            cost += (other > key) - (other < key)
            if cost < best:
                best, place = cost, found[k][0] if k < len(found) else end
        lines[place:place] = (form % piece + "\n").splitlines(True)
    return "".join(lines).encode(errors="surrogateescape")


def extract_sorted(git, item, before, after):
    """The text of a sorted insertion that leads from one content to another."""
    new, blocks = after.splitlines(True), []
    for _, removed, start, count in git.hunks(before, after):
        blocks += [[]] if removed else [new[start:start + count]]
    if item.target == "MAINTAINERS":
        text = b"\n".join(b"".join(block).strip(b"\n") + b"\n" for block in blocks)
    else:
        text = b"".join(line.replace(b"TARGETS += ", b"").strip() + b"\n"
                        for block in blocks for line in block)
    if [] in blocks or not text or insert_sorted(item, before, text) != after:
        raise Failure("%s: the edit of %s is no sorted insertion: undo it, or make a patch of it"
                      % (item.file, item.target))
    return text

#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Tests of compose, absorb, export and check on tiny kernel trees."""
import os
import shutil
import subprocess
import unittest
from unittest import mock

from overlaycase import (A_C, A_NEW, BASE, CONF, MAKE_1, MAKE_2, TWO, Case,
                         err_commands, kernelbase, setUpModule, write)

__all__ = ["setUpModule"]       # called by unittest


class Compose(Case):
    def test_commits_and_files(self):
        self.good("compose")
        self.assertEqual(self.git("log", "--format=%s", "base..tmem").splitlines(),
                         ["mm: add two", "mm: add one"])
        self.assertEqual(self.git("log", "-1", "--format=%B", "tmem~1"), "mm: add one\n\nWhy.")
        self.assertEqual((self.tree / "mm/a.c").read_text(), A_NEW)
        self.assertEqual((self.tree / "mm/Makefile").read_text(), MAKE_2)
        self.assertEqual(self.git("show", "tmem~1:mm/Makefile") + "\n", MAKE_1)
        self.assertEqual((self.tree / "Kconfig.tmem").read_text(), "config TMEM\n")
        for name in ("series", "bases", "xen"):
            self.assertFalse((self.tree / name).exists())
        self.assertEqual(self.git("status", "--porcelain"), "")

    def test_same_content_same_commit_and_times_survive(self):
        self.good("compose")
        first = self.git("rev-parse", "tmem")
        for name in ("mm/a.c", "mm/new.c", "Makefile"):
            os.utime(self.tree / name, (1000, 1000))
        write(self.root, {"mm/new.c": "int newer;\n"})
        self.good("compose")
        self.assertNotEqual(self.git("rev-parse", "tmem"), first)
        self.assertEqual((self.tree / "mm/a.c").stat().st_mtime, 1000)
        self.assertEqual((self.tree / "Makefile").stat().st_mtime, 1000)
        self.assertNotEqual((self.tree / "mm/new.c").stat().st_mtime, 1000)
        write(self.root, {"mm/new.c": "int new;\n"})
        self.good("compose")
        self.assertEqual(self.git("rev-parse", "tmem"), first)

    def test_sorted_insertions(self):
        self.good("compose")
        text = (self.tree / "MAINTAINERS").read_text()
        self.assertIn("F:\tmm/\n\nTMEM\nL:\tlinux-mm@x\nF:\tmm/new.c\n\nZULU\n", text)
        text = (self.tree / "Documentation/mm/index.rst").read_text()
        self.assertIn("   balance\n   frontswap\n   hmm\n   tmem\n   zsmalloc\n", text)
        text = (self.tree / "tools/testing/selftests/Makefile").read_text()
        self.assertIn("endif\nTARGETS += tmem\nTARGETS += tmpfs\n", text)

    def test_no_insertion_into_a_condition(self):
        write(self.root, {"tools/testing/selftests/Makefile.tmem": "timeq\n"})
        self.good("compose")
        self.assertIn("endif\nTARGETS += timeq\nTARGETS += tmpfs\n",
                      (self.tree / "tools/testing/selftests/Makefile").read_text())

    def test_sorted_insertion_at_the_end(self):
        write(self.root, {"tools/testing/selftests/Makefile.tmem": "zzz\n",
                          "MAINTAINERS.tmem": "ZZZ\nM:\tx\n"})
        self.good("compose")
        self.assertIn("x86\nTARGETS += zzz\n\nall", (
            self.tree / "tools/testing/selftests/Makefile").read_text())
        self.assertIn("z@x\n\nZZZ\nM:\tx\n\nTHE REST\n", (self.tree / "MAINTAINERS").read_text())
        self.good("check")

    def test_offset_yes_fuzz_no(self):
        self.refetch({"mm/a.c": "/* more */\n\n" + A_C})
        self.good("compose")
        self.good("check")
        self.assertEqual((self.tree / "mm/a.c").read_text(), "/* more */\n\n" + A_NEW)
        self.refetch({"mm/a.c": A_C.replace("int f3(void)", "long f3(void)")})
        before = self.state()
        self.bad(["mm/a.c.patch:3:", "hunk 1", "@@", "does not apply to Linux 6.12.117"], "compose")
        self.assertEqual(self.state(), before)

    def test_names_the_hunk_that_fails(self):
        git = kernelbase.Git(self.tree)
        two = A_NEW.replace("return 10;", "return hook(10);")
        text = git.patches({"mm/a.c": (A_C.encode(), two.encode())})["mm/a.c"].decode()
        write(self.root, {"mm/a.c.patch": text})
        line = [n for n, line in enumerate(text.splitlines(), 1) if line.startswith("@@")][1]
        self.refetch({"mm/a.c": A_C.replace("int f10(", "long f10(")})
        self.bad(["mm/a.c.patch:%d: hunk 2 (@@ -" % line], "compose")

    def test_every_failing_patch_is_named(self):
        self.refetch({"mm/a.c": A_C.replace("int f3(", "long f3("), "mm/Makefile": "obj-y := q.o\n"})
        self.bad(["mm/a.c.patch:3", "mm/Makefile.one.patch:3"], "compose", lines=2)

    def test_exec_bits(self):
        self.good("compose")
        self.assertTrue(os.access(self.tree / "tools/testing/selftests/tmem/run.sh", os.X_OK))
        self.assertFalse(os.access(self.tree / "mm/new.c", os.X_OK))
        self.assertIn("100755", self.git("ls-tree", "tmem", "mm/script.sh"))

    def test_to_and_no_checkout(self):
        before = self.state()
        lines = self.good("compose", "--no-checkout").splitlines()
        self.assertEqual([line.split()[1] for line in lines], ["010-one", "020-two"])
        self.assertEqual(self.state(), before)
        self.good("compose", "--to", "one")
        self.assertEqual((self.tree / "mm/Makefile").read_text(), MAKE_1)
        self.good("compose", "--to", "base")
        self.assertEqual((self.tree / "mm/Makefile").read_text(), BASE["mm/Makefile"])
        self.assertFalse((self.tree / "mm/new.c").exists())
        self.good("compose")
        self.assertEqual(self.git("symbolic-ref", "HEAD"), "refs/heads/tmem")
        self.assertEqual((self.tree / "mm/Makefile").read_text(), MAKE_2)
        self.bad("--to three: no such commit", "compose", "--to", "three")

    def test_dirty_tree_refused(self):
        self.good("compose")
        for how in ("edit", "new file", "commit elsewhere", "commit"):
            with self.subTest(how):
                self.git("checkout", "-qfB", "tmem", "refs/tmem/composed")
                self.git("clean", "-dfq")
                write(self.tree, {"mm/other.c" if how == "new file" else "mm/a.c": "int x;\n"})
                if how.startswith("commit"):
                    self.git("commit", "-qam", "mine")
                if how == "commit elsewhere":
                    self.git("checkout", "-q", "--detach", "refs/tmem/composed")
                write(self.root, {"mm/new.c": "int %s;\n" % how.replace(" ", "_")})
                before = self.state()
                self.bad(["scripts/overlay absorb", "git -C %s checkout" % self.tree], "compose")
                self.assertEqual(self.state(), before)
        for command in err_commands(self.overlay("compose")[2]):    # the remedy is one
            subprocess.run(command, shell=True, check=True, capture_output=True)
        self.good("compose")

    def test_commit_on_base_refused(self):
        self.git("commit", "-q", "--allow-empty", "-m", "mine")
        for argv in (["compose"], ["check"], ["export"], ["absorb"]):
            self.bad(["commits on the branch base", "update-ref refs/heads/base"], *argv)
        for command in err_commands(self.overlay("compose")[2]):
            subprocess.run(command, shell=True, check=True, capture_output=True)
        self.good("compose")

    def test_interrupted_compose(self):
        """Wherever it is interrupted, the tree is as before or the next run ends it."""
        self.good("compose")
        write(self.root, {"mm/new.c": "int newer;\n", "mm/added.c": "int added;\n"})
        self.edit("series/linux/010-one.msg", "mm/new.c\n", "mm/new.c\nmm/added.c\n", self.root)
        before, real, points = self.state(), subprocess.run, 0
        for point in range(1, 100):
            calls = []

            def interrupted(args, **options):
                calls.append(args)
                if len(calls) == point:
                    raise KeyboardInterrupt
                return real(args, **options)
            with mock.patch.object(kernelbase.subprocess, "run", interrupted):
                status, _, err = self.overlay("compose")
            if status == 0:
                break
            self.assertEqual(err, "overlay: interrupted; run the same command again to go on\n")
            points += 1
            if self.git("for-each-ref", "refs/tmem/next"):
                self.good("compose")
                self.assertEqual((self.tree / "mm/added.c").read_text(), "int added;\n")
                self.assertEqual(self.git("status", "--porcelain"), "")
                self.git("checkout", "-qfB", "tmem", before[0]["refs/heads/tmem"])
                self.git("update-ref", "refs/tmem/composed", "tmem")
            self.assertEqual(self.state(), before, "after call %d" % point)
        self.assertGreater(points, 10)

    def test_interrupted_checkout(self):
        """A checkout that git was killed in is finished, other edits are kept."""
        self.good("compose")
        write(self.root, {"mm/new.c": "int newer;\n"})
        tip = self.good("compose", "--no-checkout").splitlines()[-1].split()[0]
        self.git("update-ref", "refs/tmem/next", tip)
        write(self.tree, {"mm/new.c": "int ne", ".git/index.lock": "", "mm/script.sh": "mine\n"})
        self.bad("mm/script.sh has other edits", "compose")
        self.assertEqual((self.tree / "mm/script.sh").read_text(), "mine\n")
        write(self.tree, {"mm/script.sh": BASE["mm/script.sh"]})
        self.good("compose")
        self.assertEqual((self.tree / "mm/new.c").read_text(), "int newer;\n")
        self.assertEqual(self.git("status", "--porcelain"), "")

    def test_empty_series(self):
        shutil.rmtree(self.root / "series")
        for argv in (["compose"], ["check"], ["export"]):
            self.bad("series/linux holds no message", *argv)

    def test_configuration_of_the_user_has_no_effect(self):
        first = self.good("compose", "--no-checkout")
        write(self.tmp, {"home/.gitconfig": "[diff]\n\tnoprefix = true\n\tcontext = 1\n"
                         "[core]\n\tautocrlf = true\n[apply]\n\twhitespace = error-all\n"})
        env = {"HOME": str(self.tmp / "home"), "GIT_DIR": "/nowhere", "GIT_INDEX_FILE": "/nowhere"}
        self.assertEqual(self.good("compose", "--no-checkout", **env), first)
        self.good("check", **env)


class Check(Case):
    def test_fine(self):
        self.assertIn("2 commits, 9 files", self.good("check"))

    def test_orphan(self):
        write(self.root, {"mm/orphan.c": "int x;\n"})
        for argv in (["check"], ["compose"]):
            self.bad("mm/orphan.c belongs to no commit", *argv)

    def test_files_git_ignores_are_no_orphans(self):
        self.git("init", "-q", tree=self.root)
        write(self.root, {".gitignore": "*.o\n", "mm/new.o": ""})
        self.good("check")
        write(self.root, {"mm/orphan.c": ""})
        self.bad("mm/orphan.c belongs to no commit", "check")

    def test_owned_twice(self):
        self.edit("series/linux/020-two.msg", "---\n", "---\nmm/new.c\n", self.root)
        self.bad("mm/new.c is owned twice: series/linux/010-one.msg and series/linux/020", "check")

    def test_edit_of_a_new_file(self):
        self.edit("series/linux/020-two.msg", "---\n", "---\nmm/new.c.two.patch\n", self.root)
        write(self.root, {"mm/new.c.two.patch": "--- a/mm/new.c\n+++ b/mm/new.c\n"
                                                "@@ -1 +1,2 @@\n int new;\n+int two;\n"})
        self.good("compose")
        self.assertEqual(self.git("show", "tmem~1:mm/new.c"), "int new;")
        self.assertEqual(self.git("show", "tmem:mm/new.c"), "int new;\nint two;")
        self.edit("mm/new.c", "int two", "long two")
        self.good("absorb")
        self.assertEqual((self.root / "mm/new.c").read_text(), "int new;\n")
        self.assertIn("+long two;", (self.root / "mm/new.c.two.patch").read_text())
        self.edit("series/linux/020-two.msg", "mm/new.c.two.patch\n", "", self.root)
        self.edit("series/linux/010-one.msg", "---\n", "---\nmm/new.c.two.patch\n", self.root)
        self.bad("mm/new.c.two.patch: there is no mm/new.c to edit", "check")

    def test_names_that_do_not_exist(self):
        self.edit("series/linux/020-two.msg", "---\n", "---\nmm/none.c\nscripts/x\n", self.root)
        self.bad(["lists mm/none.c, which does not exist", "scripts/x is not under a path of the linux overlay"],
                 "check", lines=2)

    def test_targets(self):
        self.edit("series/linux/020-two.msg", "---\n", "---\nmm/none.c.patch\nmm/script.sh\n", self.root)
        write(self.root, {"mm/none.c.patch": "", "mm/script.sh": ""})
        self.bad(["mm/none.c.patch: Linux 6.12.117 has no mm/none.c to edit",
                  "mm/script.sh: Linux 6.12.117 has one already"], "check", lines=2)

    def test_canonical_text(self):
        path = self.root / "mm/a.c.patch"
        good = path.read_text()
        lines = good.splitlines(True)
        numbers = lines[2].split(" @@")[0]
        for bad, words in (
                (good.replace("@@ -16,7 +16,7 @@", "@@ -17,7 +17,7 @@"), "git prints"),
                (good.replace(lines[2], numbers + " @@\n"), "git prints"),
                ("diff --git a/mm/a.c b/mm/a.c\n" + good, "mm/a.c.patch:1: must begin"),
                (good.replace("--- a/mm/a.c", "--- a/mm/b.c"), "mm/a.c.patch:1: must begin"),
                (good.replace("a/mm/a.c\n", "a/mm/a.c\t2026-01-01\n"), "must begin"),
                (good + "garbage\n", "mm/a.c.patch:12: not a line of a patch: 'garbage'"),
                (good.replace("\n \n", "\n\n"), "not a line of a patch: ''"),
                ("".join(lines[:-1]), "ends too early"),
                (good.rstrip("\n"), "ends too early")):
            self.assertNotEqual(bad, good, words)
            path.write_text(bad)
            self.bad(words, "check")
        path.write_text(good)
        self.good("check")

    def test_signed_off_by(self):
        for name in ("series/linux/010-one.msg", "series/linux/000-cover.md"):
            text = (self.root / name).read_text()
            self.edit(name, "\n\n", "\n\nSigned-off-by: A. Person <a@example.org>\n", self.root)
            for argv in (["check"], ["export"], ["compose"]):
                self.bad("%s: remove Signed-off-by" % name, *argv)
            write(self.root, {name: text})

    def test_bad_messages(self):
        for text, words in (
                ("mm: no subject\n\n---\nmm/new.c\n", "must begin with 'Subject: ...'"),
                ("Subject: x\nno blank\n---\n", "and a blank line"),
                ("Subject: x\n\nno list\n", "no line ---"),
                ("Subject: x\n\n---\nmm/new.c @6.12\n", "is not a path with a condition"),
                ("Subject: mm: add one\n\n---\nMAINTAINERS.tmem\n", "has the same subject"),
                ("Subject: x\n\n---\nmm/a.c@6.12.patch\n", "by its bare name")):
            write(self.root, {"series/linux/020-two.msg": text})
            status, _, err = self.overlay("check")
            self.assertEqual(status, 1)
            self.assertIn(words, err)

    def test_one_commit_edits_twice(self):
        self.edit("series/linux/020-two.msg", "mm/Makefile.two.patch\n", "", self.root)
        self.edit("series/linux/010-one.msg", "Kconfig.tmem\n",
                  "Kconfig.tmem\nmm/Makefile.two.patch\n", self.root)
        self.bad("010-one.msg edits mm/Makefile twice", "check")

    def test_sorted_content(self):
        write(self.root, {"tools/testing/selftests/Makefile.tmem": "TARGETS += tmem\n"})
        self.bad("'TARGETS += tmem' is not the name of an entry", "check")

    def test_without_base(self):
        shutil.rmtree(self.tree)
        self.bad("run scripts/overlay fetch", "check")
        self.bad("run scripts/overlay fetch", "compose")


class Variants(Case):
    """Two bases: 7.3 is the newest, which bare names serve."""

    def setUp(self):
        super().setUp()
        self.newer = A_C.replace("int ", "long ")
        shutil.rmtree(self.source)
        write(self.source, {**BASE, "mm/a.c": self.newer, "mm/gone.c": "int gone;\n",
                            "Makefile": "VERSION = 7\nPATCHLEVEL = 3\nSUBLEVEL = 4\n"})
        write(self.root, {"bases/7.3.conf": CONF % ("7.3", "0" * 64, "0" * 40, "7.3.1")})
        self.good("fetch", "--base", "7.3", KERNEL_SRC=str(self.source))
        git = kernelbase.Git(self.tmp / "cache/linux-7.3/tree")
        self.edit("bases/7.3.conf", "0" * 40, git.line("rev-parse", "base^{tree}"), self.root)
        (self.root / "mm/a.c.patch").rename(self.root / "mm/a.c@6.12.patch")
        new = self.newer.replace("return 3;", "return hook(3);")
        self.patch = lambda path, *texts: git.patches(
            {path: tuple(text.encode() for text in texts)})[path].decode()
        write(self.root, {"mm/a.c.patch": self.patch("mm/a.c", self.newer, new),
                          "mm/gone.c.patch": self.patch("mm/gone.c", "int gone;\n", "int here;\n"),
                          "mm/old.c": "int old;\n",
                          "mm/new.c@6.12.patch": self.patch("mm/new.c", "int new;\n", "int compat;\n")})
        self.edit("series/linux/010-one.msg", "mm/new.c\n",
                  "mm/new.c\nmm/gone.c.patch @>6.12\nmm/old.c @<=6.12\n", self.root)

    def show(self, base, path):
        tree = self.tmp / ("cache/linux-%s/tree" % base) / path
        return tree.read_text() if tree.exists() else None

    def test_each_base_gets_its_own(self):
        self.assertEqual(len(self.good("check").splitlines()), 2)
        self.good("compose")
        self.good("compose", "--base", "7.3")
        self.assertEqual(self.show("6.12", "mm/a.c"), A_NEW)
        self.assertIn("long f3(void)\n{\n\treturn hook(3)", self.show("7.3", "mm/a.c"))
        self.assertEqual(self.show("6.12", "mm/new.c"), "int compat;\n")
        self.assertEqual(self.show("7.3", "mm/new.c"), "int new;\n")
        self.assertEqual((self.show("6.12", "mm/old.c"), self.show("7.3", "mm/old.c")),
                         ("int old;\n", None))
        self.assertEqual(self.show("7.3", "mm/gone.c"), "int here;\n")

    def test_absorb_writes_the_variant_only(self):
        self.good("compose")
        before = self.snapshot()
        self.edit("mm/a.c", "hook(3)", "hook(4)")
        self.edit("mm/new.c", "compat", "compatible")
        self.good("absorb")
        after = self.snapshot()
        self.assertEqual({name for name in after if after[name] != before.get(name)},
                         {"mm/a.c@6.12.patch", "mm/new.c@6.12.patch"})
        self.good("check")

    def test_line_numbers_are_those_of_the_newest_base(self):
        """A patch that serves both bases has offsets on the older one."""
        new = {name: "# more\n" + text for name, text in
               (("base", BASE["mm/Makefile"]), ("one", MAKE_1), ("two", MAKE_2))}
        write(self.source, {"mm/Makefile": new["base"]})
        self.good("fetch", "--base", "7.3", KERNEL_SRC=str(self.source))
        tree = kernelbase.Git(self.tmp / "cache/linux-7.3/tree").line("rev-parse", "base^{tree}")
        conf = (self.root / "bases/7.3.conf").read_text().splitlines()
        write(self.root, {"bases/7.3.conf": "\n".join(
            "tree = " + tree if line.startswith("tree") else line for line in conf)})
        self.good("check", "--base", "6.12")
        self.bad(["mm/Makefile.one.patch is not the text", "mm/Makefile.two.patch is not the text"],
                 "check", "--base", "7.3", lines=2)
        write(self.root, {"mm/Makefile.one.patch": self.patch("mm/Makefile", new["base"], new["one"]),
                          "mm/Makefile.two.patch": self.patch("mm/Makefile", new["one"], new["two"])})
        self.assertEqual(len(self.good("check").splitlines()), 2)

    def test_useless_variants(self):
        write(self.root, {"mm/a.c@6.1.patch": ""})
        self.bad("mm/a.c@6.1.patch serves no base: the oldest is 6.12", "check")
        (self.root / "mm/a.c@6.1.patch").unlink()
        write(self.root, {"mm/lone.c@6.12.patch": ""})
        self.bad("mm/lone.c@6.12.patch belongs to no commit", "check")


class Absorb(Case):
    def setUp(self):
        super().setUp()
        self.good("compose")
        self.before = self.snapshot()

    def absorbed(self, *names):
        """absorb changes these overlay files and no other; everything still fits."""
        files = self.state()[2]
        self.good("absorb")
        after = self.snapshot()
        self.assertEqual({n for n in {*after, *self.before} if after.get(n) != self.before.get(n)},
                         set(names))
        self.assertEqual(self.state()[2], files)
        self.assertEqual(self.git("status", "--porcelain"), "")
        self.good("check")
        self.assertIn("nothing changed", self.good("compose"))
        self.assertEqual(self.state()[2], files)

    def test_nothing(self):
        self.assertIn("nothing to absorb", self.good("absorb"))
        self.assertEqual(self.snapshot(), self.before)

    def test_edits(self):
        self.edit("mm/a.c", "return 10;", "return hook(10);")
        self.edit("mm/new.c", "new", "edited")
        os.utime(self.tree / "mm/new.c", (1000, 1000))
        self.absorbed("mm/a.c.patch", "mm/new.c")
        self.assertEqual((self.tree / "mm/new.c").stat().st_mtime, 1000)
        self.assertEqual((self.root / "mm/a.c.patch").read_text().count("\n@@ "), 2)

    def test_commit_on_top(self):
        self.edit("mm/a.c", "return 10;", "return hook(10);")
        self.git("commit", "-qam", "more hooks")
        self.absorbed("mm/a.c.patch")
        self.assertEqual(self.git("log", "--format=%s", "base..").splitlines(),
                         ["mm: add two", "mm: add one"])

    def test_shared_file_goes_to_the_owner_of_the_lines(self):
        self.edit("mm/Makefile", "new.o", "newer.o")
        self.good("absorb")
        self.assertIn("+obj-y += newer.o", (self.root / "mm/Makefile.one.patch").read_text())
        self.assertIn(" obj-y += newer.o\n+obj-y += two.o",
                      (self.root / "mm/Makefile.two.patch").read_text())
        self.good("check")

    def test_shared_file_both_owners_at_once(self):
        self.edit("mm/Makefile", "new.o\nobj-y += two.o\n", "newer.o\nobj-y += twice.o\n")
        self.edit("mm/Makefile", "obj-y := a.o\n", "obj-y := a.o\nobj-y += last.o\n")
        self.good("absorb")
        self.good("check")
        self.assertNotIn("twice", (self.root / "mm/Makefile.one.patch").read_text())
        self.assertIn("+obj-y += last.o", (self.root / "mm/Makefile.two.patch").read_text())
        self.assertEqual((self.tree / "mm/Makefile").read_text(), self.git("show", "tmem:mm/Makefile") + "\n")

    def test_fixup_without_rebase(self):
        self.edit("mm/Makefile", "obj-y += z.o\n", "obj-y += y.o\nobj-y += z.o\n")
        self.git("commit", "-qam", "fixup! mm: add one")
        self.good("absorb")
        self.assertIn("+obj-y += y.o", (self.root / "mm/Makefile.one.patch").read_text())
        self.good("check")

    def test_rebased_series(self):
        self.edit("mm/Makefile", "obj-y += z.o\n", "obj-y += y.o\nobj-y += z.o\n")
        self.git("commit", "-qa", "--fixup", "tmem~1")
        self.git("rebase", "-q", "-i", "--autosquash", "base")
        self.assertEqual(len(self.git("log", "--format=%s", "base..").splitlines()), 2)
        self.good("absorb")
        self.assertIn("+obj-y += y.o", (self.root / "mm/Makefile.one.patch").read_text())
        self.good("check")

    def test_reworded(self):
        self.git("commit", "-q", "--amend", "-m", "mm: add two", "-m", "Because.")
        self.absorbed("series/linux/020-two.msg")
        self.assertEqual((self.root / "series/linux/020-two.msg").read_text(),
                         TWO.replace("two\n\n---", "two\n\nBecause.\n\n---", 1))
        self.git("commit", "-q", "--amend", "-s", "-m", "mm: add two")
        self.bad("Signed-off-by", "absorb")

    def test_exec_bit(self):
        (self.tree / "mm/new.c").chmod(0o755)
        self.absorbed("mm/new.c")
        self.assertTrue(os.access(self.root / "mm/new.c", os.X_OK))
        (self.tree / "mm/a.c").chmod(0o755)
        self.bad("mm/a.c: an overlay patch cannot carry a change of its mode", "absorb")

    def test_unowned(self):
        write(self.tree, {"mm/other.c": "int x;\n", "mm/script.sh": "#!/bin/bash\n"})
        self.bad(["mm/other.c was changed in the tree and belongs to no commit: list mm/other.c ",
                  "list mm/script.sh.patch in a message"], "absorb", lines=2)
        self.assertEqual(self.snapshot(), self.before)
        self.edit("series/linux/010-one.msg", "mm/new.c\n",
                  "mm/new.c\nmm/other.c\nmm/script.sh.patch\n", self.root)
        self.before = self.snapshot()
        self.absorbed("mm/other.c", "mm/script.sh.patch")

    def test_commit_with_a_new_message(self):
        write(self.tree, {"mm/three.c": "int three;\n"})
        self.git("add", "mm/three.c")
        self.git("commit", "-qm", "mm: add three")
        self.bad("mm/three.c was changed", "absorb")
        write(self.root, {"series/linux/030-three.msg": "Subject: mm: add three\n\n---\nmm/three.c\n"})
        self.before = self.snapshot()
        self.absorbed("mm/three.c")

    def test_ignored_file_that_is_listed(self):
        self.edit("series/linux/010-one.msg", "mm/new.c\n", "mm/new.c\nmm/.kunitconfig\n", self.root)
        self.before = self.snapshot()
        write(self.tree, {"mm/.kunitconfig": "CONFIG_KUNIT=y\n", "mm/built.o": "x"})
        self.good("absorb")
        self.assertEqual((self.root / "mm/.kunitconfig").read_text(), "CONFIG_KUNIT=y\n")
        self.assertFalse((self.root / "mm/built.o").exists())

    def test_removed(self):
        (self.tree / "mm/new.c").unlink()
        self.bad(["mm/new.c is gone from the tree", "010-one.msg"], "absorb")
        self.git("checkout", "mm/new.c")
        write(self.tree, {"mm/a.c": A_C})
        self.bad("mm/a.c.patch no longer changes anything", "absorb")
        self.assertEqual(self.snapshot(), self.before)

    def test_sorted_insertions(self):
        self.edit("MAINTAINERS", "L:\tlinux-mm@x\n", "L:\tlinux-mm@x\nS:\tMaintained\n")
        self.edit("Documentation/mm/index.rst", "   hmm\n", "   hmm\n   ksm\n")
        self.edit("tools/testing/selftests/Makefile", "TARGETS += tmem\n", "TARGETS += tmem\n"
                  "TARGETS += tmem_more\n")
        self.absorbed("MAINTAINERS.tmem", "Documentation/mm/index.rst.tmem",
                      "tools/testing/selftests/Makefile.tmem")
        self.assertEqual((self.root / "Documentation/mm/index.rst.tmem").read_text(),
                         "frontswap\nksm\ntmem\n")
        self.edit("MAINTAINERS", "M:\tz@x", "M:\ty@x")
        self.bad("MAINTAINERS.tmem: the edit of MAINTAINERS is no sorted insertion", "absorb")

    def test_changed_on_both_sides(self):
        write(self.tree, {"mm/new.c": "int tree;\n"})
        write(self.root, {"mm/new.c": "int overlay;\n"})
        self.bad("mm/new.c was changed in the tree and mm/new.c in the overlay", "absorb")
        self.assertEqual((self.root / "mm/new.c").read_text(), "int overlay;\n")
        write(self.root, {"mm/new.c": "int tree;\n"})       # the same on both sides
        self.assertIn("nothing to absorb", self.good("absorb"))

    def test_other_files_changed_in_the_overlay(self):
        write(self.root, {"mm/new.c": "int overlay;\n"})
        self.edit("mm/a.c", "return 10;", "return hook(10);")
        self.good("absorb")
        self.assertEqual((self.tree / "mm/new.c").read_text(), "int overlay;\n")
        self.assertEqual((self.root / "mm/new.c").read_text(), "int overlay;\n")
        self.good("check")

    def test_other_point_release_keeps_the_text(self):
        self.refetch({"mm/a.c": "/* more */\n\n" + A_C})
        self.good("compose")
        self.edit("mm/new.c", "new", "edited")
        self.good("absorb")
        self.assertEqual(self.snapshot()["mm/a.c.patch"], self.before["mm/a.c.patch"])

    def test_canonical(self):
        self.edit("mm/a.c.patch", "+++ b/mm/a.c\n@@ -", "+++ b/mm/a.c\n@@ -1", self.root)
        self.bad("absorb --canonical", "check")
        self.good("absorb")
        self.assertNotEqual(self.snapshot(), self.before)
        self.good("absorb", "--canonical")
        self.assertEqual(self.snapshot(), self.before)

    def test_wrong_places(self):
        self.git("checkout", "-q", "base")
        self.bad("is not on the branch tmem", "absorb")
        self.git("checkout", "-q", "tmem")
        (self.tree / ".git/rebase-merge").mkdir()
        for argv in (["absorb"], ["compose"]):
            self.bad("a rebase is going on", *argv)

    def test_never_composed(self):
        self.git("update-ref", "-d", "refs/tmem/composed")
        self.bad("was never composed: run scripts/overlay compose", "absorb")


class Export(Case):
    def am(self, out, *options):
        pristine = self.tmp / "pristine"
        self.git("clone", "-q", "-b", "base", str(self.tree), str(pristine), tree=self.tmp)
        self.git("am", "-q", *options, *sorted(str(p) for p in out.glob("*.patch")), tree=pristine)
        return pristine

    def test_git_am_gives_the_same_tree(self):
        self.good("compose")
        self.good("export")
        out = self.root / "out/series/linux-6.12"
        self.assertEqual(sorted(p.name for p in out.iterdir()), [
            "0000-cover-letter.patch", "0001-mm-add-one.patch", "0002-mm-add-two.patch", "series"])
        self.assertEqual((out / "series").read_text(), "0001-mm-add-one.patch\n0002-mm-add-two.patch\n")
        pristine = self.am(out, "--empty=drop")
        self.assertEqual(self.git("rev-parse", "HEAD^{tree}", tree=pristine),
                         self.git("rev-parse", "tmem^{tree}"))
        self.assertEqual(self.git("log", "--format=%B", "-1", "HEAD~1", tree=pristine),
                         "mm: add one\n\nWhy.")

    def test_mail(self):
        self.good("export", "-o", str(self.tmp / "mail"))
        first = (self.tmp / "mail/0001-mm-add-one.patch").read_text()
        self.assertTrue(first.startswith("From " + "0" * 40))
        self.assertIn("Subject: [PATCH 1/2] mm: add one\n", first)
        self.assertIn("\nWhy.\n---\nChanges in v2: none\n\n", first)
        self.assertNotIn("Signed-off-by", first)
        cover = (self.tmp / "mail/0000-cover-letter.patch").read_text()
        self.assertIn("Subject: [PATCH 0/2] mm: the cover\n", cover)
        self.assertIn("\nAll about it.\n", cover)
        self.assertIn("base-commit: " + self.git("rev-parse", "base"), cover)
        self.assertNotIn("***", cover)

    def test_signoff(self):
        nobody = {"HOME": str(self.tmp), "XDG_CONFIG_HOME": str(self.tmp), "GIT_CONFIG_NOSYSTEM": "1"}
        self.bad("--signoff: git does not know your name", "export", "--signoff", **nobody)
        write(self.tmp, {".gitconfig": "[user]\n\tname = Some Body\n\temail = s@example.org\n"})
        self.good("export", "--signoff", **nobody)
        first = (self.root / "out/series/linux-6.12/0001-mm-add-one.patch").read_text()
        self.assertIn("\nFrom: Some Body <s@example.org>\n", first)
        self.assertIn("\nSigned-off-by: Some Body <s@example.org>\n---\n", first)
        self.assertEqual(first.count("Signed-off-by"), 1)

    def test_no_cover_and_again(self):
        (self.root / "series/linux/000-cover.md").unlink()
        self.good("export")
        self.good("export")
        out = self.root / "out/series/linux-6.12"
        self.assertFalse((out / "0000-cover-letter.patch").exists())
        self.am(out)

    def test_other_files_are_kept(self):
        write(self.tmp, {"mail/letter.txt": "mine"})
        self.bad("holds other files than patches", "export", "-o", str(self.tmp / "mail"))
        self.assertEqual((self.tmp / "mail/letter.txt").read_text(), "mine")


if __name__ == "__main__":
    unittest.main()

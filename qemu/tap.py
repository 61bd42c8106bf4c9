# SPDX-License-Identifier: GPL-2.0
"""Counts TAP and KTAP results, nested ones too."""

import re

RESULT = re.compile(r"( *)(not ok|ok) +\d+\b(.*)")
PLAN = re.compile(r"( *)1\.\.(\d+)(?: *# *SKIP.*)?$", re.I)
STAT = re.compile(r"# stat (\w+)=(\S+)$")


class Tap:
    """Leaves are counted; the line that sums up a subtest is not."""

    def __init__(self, text):
        self.passed = self.failed = self.skipped = 0
        self.first_failure = self.first_skip = None
        self.stats = {}
        self.missing = 0
        self.open = {}          # indentation: [planned, seen]
        for line in text.splitlines():
            self.line(line.rstrip())
        self.close(-1)

    def close(self, indent):
        """Ends the streams deeper than indent; True if there were any."""
        deeper = [level for level in self.open if level > indent]
        for level in deeper:
            planned, seen = self.open.pop(level)
            self.missing += max(0, (planned or 0) - seen)
        return bool(deeper)

    def line(self, line):
        if match := STAT.match(line):
            self.stats[match[1]] = match[2]
        elif match := PLAN.match(line):
            indent = len(match[1])
            if self.open.get(indent, [None])[0] is not None:
                self.close(indent - 1)
            self.open.setdefault(indent, [None, 0])[0] = int(match[2])
        elif line.lstrip().startswith(("TAP version", "KTAP version")):
            self.close(len(line) - len(line.lstrip()) - 1)
        elif match := RESULT.match(line):
            self.result(len(match[1]), match[2] == "ok", match[3].strip(" -"))

    def result(self, indent, good, name):
        sums_up = self.close(indent)
        self.open.setdefault(indent, [None, 0])[1] += 1
        if re.search(r"# *SKIP", name, re.I):
            self.skipped += not sums_up
            self.first_skip = self.first_skip or name
        elif good or re.search(r"# *TODO", name, re.I):
            self.passed += not sums_up
        elif not sums_up or not self.failed:
            self.failed += 1
            self.first_failure = self.first_failure or name

    def problem(self):
        if self.failed:
            return f"{self.failed} not ok, first: {self.first_failure}"
        if self.missing:
            return f"{self.missing} planned results are missing"
        return None

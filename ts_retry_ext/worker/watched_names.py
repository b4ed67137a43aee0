"""The paths that a failure names, and those where a missing module would be: there or not, as they are."""

from __future__ import annotations

import _imp
import binascii
import os
import time
from typing import Iterator, NamedTuple, Sequence

from ts_retry_ext.worker.ignored_files import is_ignored_directory, is_ignored_file, is_within
from ts_retry_ext.worker.path_facts import (
    DIRECTORY,
    MISSING,
    Difference,
    Look,
    PathFacts,
    difference_between,
    look_at,
)
from ts_retry_ext.worker.watched_files import slice_of

#: Paths that are watched one by one, at most.
MAX_NAMES = 400
_MAX_MODULES = 8
_MAX_PYTHON_PATH = 24
#: The kernel's own: nothing there waits to be repaired, and much of it changes by itself.
_KERNEL = ("/proc", "/sys")
#: Entries of a named directory that are compared by name.
_MAX_ENTRIES = 2_000
#: Processor time, and time, of a slice in seconds; of a slow file system as `watched_files` has it.
SLICE_SEC = 0.0004
SLOW_SLICE_SEC = 0.01


class NamedPath(NamedTuple):
    """A watched path as it was known.

    Attributes:
        facts: of the path itself; the content of a directory stands for its entries, too.
        parent: the nearest directory that exists, if the path is missing, else empty. A mount shows there.
        alone: only the path counts: whether it is there, and how.
    """

    facts: PathFacts
    parent: str
    parent_facts: PathFacts
    alone: bool


def paths_to_watch(model_dir: str, paths: Sequence[str]) -> list[str]:
    """Return the paths of a failure's text that can be watched, absolute, links left as they are."""
    absolute = (
        os.path.normpath(os.path.join(model_dir, os.path.expanduser(p))) for p in paths if p
    )
    return [
        path
        for path in dict.fromkeys(absolute)
        if path != "/" and "\0" not in path and not is_within(path, _KERNEL)
    ]


def module_paths(modules: Sequence[str], python_path: Sequence[str]) -> list[str]:
    """Return where files of `modules` would be found: those of each package in a dotted name, too."""
    ends = (".py", *_imp.extension_suffixes())
    found = []
    for module in modules[:_MAX_MODULES]:
        parts = [part for part in module.split(".") if part]
        if not parts or any(os.sep in part or "\0" in part for part in parts):
            continue
        stems = [os.path.join(*parts[:count]) for count in range(1, len(parts) + 1)]
        for folder in python_path[:_MAX_PYTHON_PATH]:
            for stem in stems:
                path = os.path.join(folder, stem)
                found += [path, os.path.join(path, "__init__.py"), *(path + end for end in ends)]
    return list(dict.fromkeys(found))


class WatchedNames:
    """Watch paths one by one, whether they exist or not."""

    def __init__(self, known: dict[str, NamedPath]) -> None:
        self.known = known
        self._paths = self._round()

    def look(self) -> list[Difference]:
        """Return the differences in the next slice, which ends with the round or after some time."""
        differences: list[Difference] = []
        for path in slice_of(self._paths, SLICE_SEC, SLOW_SLICE_SEC):
            differences += filter(None, [self._compare(path)])
        return differences

    def check(self, known: Difference) -> Difference | None:
        """Look again at what differed; None if it does no more, `known` if nobody can say."""
        path = str(known.place)
        if _look(path, alone=self.known[path].alone) is None:
            return known
        return self._compare(path)

    def absorb(self, seen: Difference) -> None:
        """Take a path as it is now as known."""
        path = str(seen.place)
        self.known[path] = known_as(path, alone=self.known[path].alone) or self.known[path]

    def every(self, until: float) -> Iterator[Difference]:
        """Yield all differences there are, in one go that ends at `until` (monotonic) at the latest."""
        for path in self.known:
            if time.monotonic() >= until:
                return
            yield from filter(None, [self._compare(path)])

    def _compare(self, path: str) -> Difference | None:
        before = self.known[path]
        seen = _look(path, alone=before.alone)
        if seen is None:
            return None
        found = difference_between(path, before.facts, seen, path)
        if found is not None or seen.facts.kind != MISSING or not before.parent:
            return found
        parent, now = _nearest(path)
        if now is None:
            return None
        if parent == before.parent:
            nearer = difference_between(parent, before.parent_facts, now, path)
            nearer = nearer and nearer._replace(key=path)
        elif len(parent) > len(before.parent):
            nearer = Difference(path, f"{parent} appeared", now.facts, now.changed_ns, path)
        else:
            self.absorb(Difference(path, "", now.facts, 0, path))
            nearer = None
        return nearer

    def _round(self) -> Iterator[str | None]:
        while True:
            yield from list(self.known)
            yield None


def known_as(path: str, *, alone: bool) -> NamedPath | None:
    """Return what is known of `path` now, None if its file system has no answer.

    If `alone`, its parent and, of a directory, its entries are left out of it.
    """
    seen = _look(path, alone=alone)
    if seen is None:
        return None
    parent, now = ("", None) if alone or seen.facts.kind != MISSING else _nearest(path)
    return NamedPath(seen.facts, parent if now else "", now.facts if now else seen.facts, alone)


def _look(path: str, *, alone: bool) -> Look | None:
    seen = look_at(path)
    if seen is None or seen.facts.kind != DIRECTORY:
        return seen
    if (
        alone
    ):  # A load writes into it (__pycache__), and a package that grows is watched as a package.
        return seen._replace(facts=seen.facts._replace(content=0))
    return seen._replace(facts=seen.facts._replace(stamp=_entries(path)))


def _nearest(path: str) -> tuple[str, Look | None]:
    """Return the nearest directory above `path` that exists, and what is known of it."""
    parent = os.path.dirname(path)
    while True:
        seen = look_at(parent)
        if seen is None or seen.facts.kind != MISSING or parent == os.path.dirname(parent):
            return parent, seen
        parent = os.path.dirname(parent)


def _entries(path: str) -> int:
    """Return a number that stands for the names in a directory, those that are no model's left out."""
    try:
        names = sorted(os.listdir(path))[:_MAX_ENTRIES]
    except OSError:
        return 0
    kept = [n for n in names if not is_ignored_file(n) and not is_ignored_directory(n)]
    return binascii.crc32("/".join(kept).encode("utf-8", "surrogateescape"))

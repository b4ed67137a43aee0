"""The files that a model had when it was registered, and which of them differ from what was known.

Each directory keeps its names in one text and their facts in one run of bytes: a model of 20,000 files
costs a holder about one megabyte.
"""

from __future__ import annotations

import os
import time
from typing import Iterator, Sequence

from ts_retry_ext.worker.difference import Difference, difference_between
from ts_retry_ext.worker.ignored_files import is_ignored_directory, is_ignored_file, is_within
from ts_retry_ext.worker.load_times import TICK_NS
from ts_retry_ext.worker.path_facts import (
    DIRECTORY,
    PACKED_BYTES,
    PathFacts,
    look_at,
    unpacked,
)

#: Stands for the directory itself among its names.
_ITSELF = "."
#: Files watched of one model; those nearest to its own directory come first.
MAX_FILES = 50_000
_MAX_DEPTH = 32
#: A slice looks at the time after so many files, and never at fewer.
_STEP = 16


class WatchedDirectory:
    """One directory: `path`, the `names` of what is watched in it (joined by ``/``), their `facts`."""

    __slots__ = ("facts", "names", "path")

    def __init__(self, path: str, names: str, facts: bytearray) -> None:
        self.path = path
        self.names = names
        self.facts = facts

    def path_of(self, name: str) -> str:
        """Return the path of one of the names."""
        return self.path if name == _ITSELF else os.path.join(self.path, name)

    def facts_of(self, position: int) -> PathFacts:
        """Return what is known of the name at `position`."""
        begin = position * PACKED_BYTES
        return unpacked(bytes(self.facts[begin : begin + PACKED_BYTES]))

    def set_facts(self, position: int, facts: PathFacts) -> None:
        """Replace what is known of the name at `position`."""
        begin = position * PACKED_BYTES
        self.facts[begin : begin + PACKED_BYTES] = facts.packed()


class Survey:
    """A walk over a model's directory, one directory a step, which takes down what was there before.

    A file was there at registration if the kernel noted its last change before the first load
    began. Links are followed; a directory is visited once.

    Args:
        pending: paths of the directories to begin with, and how deep they lie.
        before_ns: when the first load of the registration began, in nanoseconds since the epoch.
        skipped: directories of ours, of logs, and paths that are watched by themselves; absolute.
    """

    def __init__(
        self, pending: Sequence[tuple[str, int]], before_ns: int, skipped: Sequence[str]
    ) -> None:
        self.pending = list(pending)
        self._before_ns = before_ns
        self._skipped = tuple(skipped)
        self._visited: set[tuple[int, int]] = set()
        self._room = MAX_FILES

    def until(self, deadline: float) -> Iterator[WatchedDirectory]:
        """Yield directories with something to watch, until all are seen or it is `deadline` (monotonic)."""
        while self.pending and time.monotonic() < deadline:
            found = self.step()
            if found is not None:
                yield found

    def step(self) -> WatchedDirectory | None:
        """Visit the next directory; None if there is nothing to watch in it."""
        path, depth = self.pending.pop(0)
        if self._room <= 0:
            self.pending.clear()
            return None
        itself = look_at(path)
        if itself is None or itself.facts.kind != DIRECTORY or self._was_visited(path):
            return None
        names, facts = [_ITSELF], bytearray(_of_directory(itself.facts).packed())
        for name in _sorted_names(path):
            child = os.path.join(path, name)
            known = self._facts_of_child(child, name, depth)
            if known is not None:
                names.append(name)
                facts += known.packed()
        self._room -= len(names)
        worth = len(names) > 1 or not itself.facts.readable
        return WatchedDirectory(path, "/".join(names), facts) if worth else None

    def _facts_of_child(self, path: str, name: str, depth: int) -> PathFacts | None:
        seen = look_at(path)
        if seen is None:
            return None
        facts = seen.facts
        if is_within(os.path.realpath(path) if facts.link else path, self._skipped):
            return None
        if facts.kind == DIRECTORY:
            if is_ignored_directory(name):
                return None
            if depth < _MAX_DEPTH:
                self.pending.append((path, depth + 1))
            return _of_directory(facts) if facts.link else None
        was_there = seen.changed_ns + TICK_NS < self._before_ns
        # A load may write code, too: what is known of it is compared all the same.
        return facts if (was_there or name.endswith(".py")) and not is_ignored_file(name) else None

    def _was_visited(self, path: str) -> bool:
        try:
            status = os.stat(path)
        except OSError:
            return True
        place = (status.st_dev, status.st_ino)
        if place in self._visited:
            return True
        self._visited.add(place)
        return False


class WatchedFiles:
    """The watched directories of a model, looked at in slices.

    Args:
        directories: what `Survey` found.
        survey: what is not yet walked.
    """

    def __init__(self, directories: list[WatchedDirectory], survey: Survey) -> None:
        self.directories = directories
        self.survey = survey
        self._touched: list[WatchedDirectory] = []
        self._preferred: set[str] = set()
        self._mtimes: dict[str, int] = {}
        self._walk = self._all_around()
        self._entries = self._round()

    def look(self, until: float) -> list[Difference]:
        """Return the differences in the next slice, which ends at `until` (monotonic) or with the round."""
        if self.survey.pending:
            found = self.survey.step()
            self.directories += [found] if found is not None else []
        self._look_at_directories(until)
        differences: list[Difference] = []
        for count, entry in enumerate(self._entries, 1):
            if entry is None:
                break
            differences += filter(None, [self._compare(*entry)])
            if count % _STEP == 0 and time.monotonic() >= until:
                break
        return differences

    def check(self, known: Difference) -> Difference | None:
        """Look again at what differed; None if it does no more, `known` if nobody can say."""
        place = known.place
        assert isinstance(place, tuple)
        directory, position, name = place
        return self._compare(directory, position, name, instead=known)

    def absorb(self, seen: Difference) -> None:
        """Take what was seen as known."""
        place = seen.place
        assert isinstance(place, tuple)
        directory, position, _ = place
        directory.set_facts(position, seen.now)

    def every(self, until: float) -> Iterator[Difference]:
        """Yield all differences there are, in one go that ends at `until` (monotonic) at the latest."""
        for directory in self.directories:
            for position, name in enumerate(directory.names.split("/")):
                yield from filter(None, [self._compare(directory, position, name)])
                if position % _STEP == 0 and time.monotonic() >= until:
                    return

    def _compare(
        self,
        directory: WatchedDirectory,
        position: int,
        name: str,
        instead: Difference | None = None,
    ) -> Difference | None:
        path = directory.path_of(name)
        before = directory.facts_of(position)
        seen = look_at(path, before)
        if seen is None:
            return instead
        if seen.facts.kind == DIRECTORY:
            seen = seen._replace(facts=_of_directory(seen.facts))
        found = difference_between(path, before, seen, (directory, position, name))
        if found is None and seen.facts != before:
            directory.set_facts(position, seen.facts)  # Such as one more hard link, by a backup.
        return found

    def _look_at_directories(self, until: float) -> None:
        """Put those that have new or other entries first: their files are looked at before all others."""
        for count, directory in enumerate(self._walk, 1):
            if directory is None:
                break
            try:
                mtime = os.stat(directory.path).st_mtime_ns
            except OSError:
                continue
            if self._mtimes.setdefault(directory.path, mtime) != mtime:
                self._mtimes[directory.path] = mtime
                if (
                    directory.path not in self._preferred
                ):  # Once a round, or a log would keep all else waiting.
                    self._preferred.add(directory.path)
                    self._touched.append(directory)
            if count % _STEP == 0 and time.monotonic() >= until:
                break

    def _all_around(self) -> Iterator[WatchedDirectory | None]:
        while True:
            yield from list(self.directories)
            yield None

    def _round(self) -> Iterator[tuple[WatchedDirectory, int, str] | None]:
        """Yield each file of each directory without end, None after each round."""
        while True:
            for directory in list(self.directories):
                for position, name in enumerate(directory.names.split("/")):
                    while self._touched:
                        first = self._touched.pop(0)
                        for place, other in enumerate(first.names.split("/")):
                            yield (first, place, other)
                    yield (directory, position, name)
            self._preferred.clear()
            yield None


def _of_directory(facts: PathFacts) -> PathFacts:
    """Return the facts of a directory of the model; a mount that comes back has another device."""
    return facts._replace(content=0)


def _sorted_names(path: str) -> list[str]:
    try:
        return sorted(os.listdir(path))
    except OSError:
        return []

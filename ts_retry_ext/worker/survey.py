"""Find the files that a model had when it was registered."""

from __future__ import annotations

import os
import time
from array import array
from typing import Iterator, Sequence

from ts_retry_ext.worker.ignored_files import is_ignored_directory, is_ignored_file, is_within
from ts_retry_ext.worker.load_times import TICK_NS
from ts_retry_ext.worker.news import History
from ts_retry_ext.worker.path_facts import DIRECTORY, PathFacts, look_at
from ts_retry_ext.worker.watched_directory import ITSELF, WatchedDirectory, glance_at, of_directory

#: Files watched of one model; those nearest to its own directory come first.
MAX_FILES = 50_000
_MAX_DEPTH = 32


class Survey:
    """A walk over a model's directory, one directory a step, which takes down what was there before.

    A file was there at registration if the kernel noted its last change before the first load
    began. Links are followed; a directory is visited once.

    Args:
        pending: paths of the directories to begin with, and how deep they lie.
        before_ns: when the first load of the registration began, in nanoseconds since the epoch.
        skipped: directories of ours, of logs, and paths that are watched by themselves; absolute.
        histories: takes down which files were written since, maybe by a load.
    """

    def __init__(
        self,
        pending: Sequence[tuple[str, int]],
        before_ns: int,
        skipped: Sequence[str],
        histories: dict[str, History],
    ) -> None:
        self._histories = histories
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
        names, facts = [ITSELF], bytearray(of_directory(itself.facts).packed())
        glances = array("q", [0])
        for name in _sorted_names(path):
            child = os.path.join(path, name)
            glance = glance_at(child)  # First: what changes in between is seen later.
            known = self._facts_of_child(child, name, depth)
            if known is not None:
                names.append(name)
                facts += known.packed()
                glances.append(glance)
        self._room -= len(names)
        worth = len(names) > 1 or not itself.facts.readable
        return WatchedDirectory(path, "/".join(names), facts, glances) if worth else None

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
            return of_directory(facts) if facts.link else None
        if is_ignored_file(name):
            return None
        if seen.changed_ns + TICK_NS < self._before_ns:
            return facts
        if not name.endswith(".py"):
            return None
        # A person may have written it, or the load: what a load does to it later is no news.
        self._histories[path] = History(by_loads=1)
        return facts

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


def _sorted_names(path: str) -> list[str]:
    try:
        return sorted(os.listdir(path))
    except OSError:
        return []

"""Look at a model's files in slices, and find those that differ from what is known of them."""

from __future__ import annotations

import os
import time
from typing import Iterator, TypeVar

from ts_retry_ext.worker.path_facts import DIRECTORY, Difference, difference_between, look_at
from ts_retry_ext.worker.survey import Survey
from ts_retry_ext.worker.watched_directory import ITSELF, WatchedDirectory, glance_at, of_directory

#: A slice looks at the time after so many files, and never at fewer.
_STEP = 16
#: Processor time, and time, of a slice in seconds.
SLICE_SEC = 0.001
SLOW_SLICE_SEC = 0.02


_Entry = TypeVar("_Entry")


def slice_of(
    entries: Iterator[_Entry | None], processor_sec: float, wall_sec: float
) -> Iterator[_Entry]:
    """Yield what comes next of `entries`, until a round ends with None or this slice of it is over.

    Processor time is what counts; on a busy machine little of it passes in a second. A file system that
    is slow to answer takes none, so that there is a second limit.

    Args:
        entries: without end; they go on in the next slice.
        processor_sec: processor time of this thread.
        wall_sec: time.
    """
    processor_end, end = time.thread_time() + processor_sec, time.monotonic() + wall_sec
    for count, entry in enumerate(entries, 1):
        if entry is None:
            return
        yield entry
        if count % _STEP == 0 and (time.thread_time() >= processor_end or time.monotonic() >= end):
            return


class WatchedFiles:
    """The watched directories of a model, looked at in slices."""

    def __init__(self, directories: list[WatchedDirectory], survey: Survey) -> None:
        self.directories = directories
        self.survey = survey
        self._touched: list[WatchedDirectory] = []
        self._preferred: set[str] = set()
        self._mtimes: dict[str, int] = {}
        self._walk = self._all_around()
        self._entries = self._round()

    def look(self) -> list[Difference]:
        """Return the differences in the next slice, which ends with the round or after some time."""
        if self.survey.pending:
            found = self.survey.step()
            self.directories += [found] if found is not None else []
        self._look_at_directories()
        differences: list[Difference] = []
        for directory, position, name in slice_of(self._entries, SLICE_SEC, SLOW_SLICE_SEC):
            glance = glance_at(directory.path_of(name))
            if glance == 0 or glance != directory.glances[position]:
                differences += filter(
                    None, [self._compare(directory, position, name, glance=glance)]
                )
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
        directory, position, name = place
        if name == ITSELF and seen.now.readable and not directory.facts_of(position).readable:
            self.survey.pending.append((directory.path, 1))  # Nobody has seen its files yet.
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
        *,
        instead: Difference | None = None,
        glance: int = 0,
    ) -> Difference | None:
        path = directory.path_of(name)
        before = directory.facts_of(position)
        seen = look_at(path, before)
        if seen is None:
            return instead
        if seen.facts.kind == DIRECTORY:
            seen = seen._replace(facts=of_directory(seen.facts))
        found = difference_between(path, before, seen, (directory, position, name))
        if found is None and seen.facts != before:
            directory.set_facts(position, seen.facts)  # Such as one more hard link, by a backup.
        directory.glances[position] = glance if found is None else 0
        return found

    def _look_at_directories(self) -> None:
        """Put those that have new or other entries first: their files are looked at before all others."""
        for directory in slice_of(self._walk, SLICE_SEC / 2, SLOW_SLICE_SEC / 2):
            try:
                mtime = os.stat(directory.path).st_mtime_ns
            except OSError:
                continue
            if self._mtimes.setdefault(directory.path, mtime) != mtime:
                self._mtimes[directory.path] = mtime
                # Once a round, or a log would keep all else waiting.
                if directory.path not in self._preferred:
                    self._preferred.add(directory.path)
                    self._touched.append(directory)

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

"""Watch what could end a halt: the model's files, what the failure names, the environment's packages.

The process that failed writes down how these were (`take_baseline`, `write_baseline`).
Each holder compares, in slices that cost no measurable processor time, and reports what is news.
"""

from __future__ import annotations

import os
import time
from typing import Union

from ts_retry_ext.store.atomic import file_identity
from ts_retry_ext.store.lock import locked
from ts_retry_ext.worker.baseline import (
    SURVEY_SEC,
    Baseline,
    read_baseline,
    watched_path,
    write_baseline,
)
from ts_retry_ext.worker.load_times import LoadTimes
from ts_retry_ext.worker.news import History, Suspects, is_loads_own, reported, waits
from ts_retry_ext.worker.path_facts import Difference
from ts_retry_ext.worker.watched_files import WatchedFiles
from ts_retry_ext.worker.watched_names import WatchedNames
from ts_retry_ext.worker.watched_packages import WatchedPackages

#: How often there is a look, in seconds; more rarely if it takes more than so much of the processor time, or,
#: on a slow file system, of the time.
INTERVAL_SEC = 0.95
_PROCESSOR_SHARE = 1 / 200
_TIME_SHARE = 1 / 20

_Watcher = Union[WatchedNames, WatchedPackages, WatchedFiles]


class Watch:
    """The watch of one holder. Nothing here raises."""

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._loads = LoadTimes(directory)
        self._identity: tuple[int, int] | None = None
        self._baseline: Baseline | None = None
        self._watchers: list[_Watcher] = []
        self._suspects: list[Suspects] = []
        self._news: list[tuple[_Watcher, Suspects, Difference]] = []
        self._due = 0.0
        self._waits_for: tuple[str, ...] | None = None

    def seen(self) -> str | None:
        """Return what was seen, in a sentence, if it is news; it stays news until it is absorbed.

        Meant to be called twice a second. Looks only as often as it may.
        """
        begun = time.monotonic()
        if begun >= self._due:
            worked = time.thread_time()
            try:
                self._look(begun)
            except Exception:
                self._news = []  # A bug of ours must not end a holder; nothing was seen.
            worked = (time.thread_time() - worked) / _PROCESSOR_SHARE
            took = (time.monotonic() - begun) / _TIME_SHARE
            self._due = begun + max(INTERVAL_SEC, worked, took)
        return self._sentence()

    def absorb(self) -> bool:
        """Take what `seen` returned as known, and all else that has changed: a load will see it.

        Return False if another process has done so before.
        """
        try:
            present = self._present()
            try:
                with locked(self._directory):
                    if file_identity(watched_path(self._directory)) != self._identity:
                        self._read()
                        present = self._present()  # Against what the other process left.
                        if not present:
                            return False
                    self._take_as_known(present)
                    self._write()
            except OSError:  # The disk is full, or the store is gone.
                self._take_as_known(present)
        except Exception:
            self._news = []
            return False
        return True

    def follow(self, waits_for: tuple[str, ...]) -> None:
        """Watch what the present failure names, too: a trial load may have failed otherwise.

        Costs nothing if it is called with the same names again.
        """
        if waits_for == self._waits_for:
            return
        self._waits_for = waits_for
        try:
            from ts_retry_ext.worker.take_baseline import with_names

            with locked(self._directory):
                baseline = read_baseline(self._directory)
                more = None if baseline is None else with_names(baseline, waits_for)
                if more is not None and more is not baseline:
                    write_baseline(self._directory, more)
        except Exception:
            pass  # What was watched is watched on.

    def _look(self, begun: float) -> None:
        if file_identity(watched_path(self._directory)) != self._identity:
            self._read()
        self._news = []
        if self._baseline is None or not os.path.isdir(self._baseline.model_dir):
            return  # Unregistered, or on a mount that is away: nothing there can be loaded now.
        for watcher, suspects in zip(self._watchers, self._suspects):
            for known in suspects.all():
                again = watcher.check(known)
                if again is None:
                    suspects.forget(known.key)
                else:
                    suspects.see(again, begun)
            for found in watcher.look():
                suspects.see(found, begun)
            for settled in suspects.settled(begun):
                self._decide(watcher, suspects, settled)

    def _decide(self, watcher: _Watcher, suspects: Suspects, found: Difference) -> None:
        load = self._loads.during(found.changed_ns)
        history = self._history(found)
        if waits(history, load, time.time()):
            return
        if is_loads_own(history, load):
            watcher.absorb(found)
            suspects.forget(found.key)
        else:
            self._news.append((watcher, suspects, found))

    def _present(self) -> list[tuple[_Watcher, Difference]]:
        """Return all that differs now; in a model that takes longer than `SURVEY_SEC` to look at, most."""
        until = time.monotonic() + SURVEY_SEC
        return [(watcher, found) for watcher in self._watchers for found in watcher.every(until)]

    def _take_as_known(self, present: list[tuple[_Watcher, Difference]]) -> None:
        for watcher, suspects, found in self._news:
            watcher.absorb(found)
            suspects.forget(found.key)
            if self._baseline is not None:
                load = self._loads.during(found.changed_ns)
                history = reported(self._history(found), load, time.time())
                self._baseline.histories[found.key] = history
        for watcher, found in present:
            watcher.absorb(found)
        self._news = []

    def _history(self, found: Difference) -> History:
        known = self._baseline.histories if self._baseline is not None else {}
        return known.get(found.key, History())

    def _sentence(self) -> str | None:
        if not self._news or self._baseline is None:
            return None
        first = self._news[0][2].said
        inside = self._baseline.model_dir + os.sep
        shown = first[len(inside) :] if first.startswith(inside) else first
        others = {found.said for _, _, found in self._news} - {first}
        more = f" (and {len(others)} more)" if others else ""
        return shown.encode("utf-8", "backslashreplace").decode("utf-8") + more

    def _read(self) -> None:
        path = watched_path(self._directory)
        self._identity = file_identity(path)
        baseline = read_baseline(self._directory)
        self._baseline, self._news = baseline, []
        self._watchers = []
        if baseline is not None:
            names, packages = WatchedNames(baseline.names), WatchedPackages(baseline.packages)
            self._watchers = [names, packages, baseline.files_watch()]
        self._suspects = [Suspects() for _ in self._watchers]

    def _write(self) -> None:
        if self._baseline is None:
            return
        files = self._watchers[-1]
        assert isinstance(files, WatchedFiles)
        write_baseline(self._directory, self._baseline._replace(pending=files.survey.pending))
        self._identity = file_identity(watched_path(self._directory))

"""When loads of a model ran: what changed meanwhile may be their own doing."""

from __future__ import annotations

import os
import time
from typing import NamedTuple, Sequence

from ts_retry_ext.frontend.process import is_alive
from ts_retry_ext.store import journal
from ts_retry_ext.store.atomic import file_identity
from ts_retry_ext.store.directory import model_directories, server_runs
from ts_retry_ext.store.record import FAILURES, Event, Record
from ts_retry_ext.store.times import to_seconds

#: The kernel stamps files with a clock that lags by a tick, up to 10 ms, and a journal holds
#: milliseconds; in nanoseconds.
TICK_NS = 20_000_000
#: After so many nanoseconds a load that has not said how it ended is taken for one that ended.
_LONGEST_NS = 600 * 10**9
#: Runs of servers in one state directory whose journals are looked at, the newest first.
_MAX_RUNS = 16
_BEGINS = frozenset((Event.START, Event.LOAD, Event.TRIAL))
_ENDS = frozenset((*FAILURES, Event.END, Event.LOADED, Event.TRIED, Event.RELEASE))


class LoadTime(NamedTuple):
    """One load, in nanoseconds since the epoch.

    Attributes:
        begun: its first record in the journal.
        ended: its last one; of a process that has not said how its load ended, the last record of
            the journal.
        process: the process id and start of one that has not said it, which may load still.
    """

    begun: int
    ended: int
    process: tuple[int, str] | None = None

    @property
    def runs(self) -> bool:
        """Tell whether the load has not ended yet.

        A trial load can end without an exception while the holder that began it lives on.
        """
        if self.process is None or time.time_ns() - self.begun > _LONGEST_NS:
            return False
        return is_alive(*self.process)


class LoadTimes:
    """The loads of one model, by workers and trials of any server that shares the state directory.

    Servers that serve the same folder know its loads from each other's journals. These are read
    again only after one of them has changed.
    """

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._state: dict[str, tuple[int, int] | None] | None = None
        self._loads: list[LoadTime] = []

    def during(self, changed_ns: int) -> LoadTime | None:
        """Return a load that ran when something changed, one that still runs first; else None."""
        found = None
        for load in self._up_to_date():
            since = load.begun - TICK_NS <= changed_ns
            if since and load.runs:
                return load
            if since and changed_ns <= load.ended + TICK_NS:
                found = load
        return found

    def _up_to_date(self) -> list[LoadTime]:
        paths = [journal.journal_path(each) for each in _same_model(self._directory)]
        state = {path: file_identity(path) for path in paths}
        if state != self._state:
            self._state = state
            self._loads = [load for path in paths for load in _loads_at(os.path.dirname(path))]
        return self._loads


def loads_in(records: Sequence[Record]) -> list[LoadTime]:
    """Return the loads that the records of a journal show."""
    begun: dict[tuple[int, str] | None, int] = {}
    loads = []
    at = 0
    for record in records:
        at = int(to_seconds(record.at) * 1e9)
        # The process that waits after the window is no worker: its trials are nobody's.
        known = record.pid is not None and record.start is not None
        process = (record.pid or 0, record.start or "") if known else None
        if record.event in _BEGINS:
            begun.setdefault(process, at)
        elif record.event in _ENDS and process in begun:
            loads.append(LoadTime(begun.pop(process), at))
    return loads + [LoadTime(since, at, process) for process, since in begun.items()]


def first_load_ns(directory: str, began_ns: int) -> int:
    """Return when the first load of a registration began, in nanoseconds since the epoch. Raises OSError.

    That is `began_ns`, when a later one began, where the journal holds none before it.
    """
    records = journal.read(directory)
    first = next((r for r in records if r.event in (Event.START, Event.LOAD)), None)
    return began_ns if first is None else min(began_ns, int(to_seconds(first.at) * 1e9))


def _same_model(directory: str) -> list[str]:
    """Return the registrations of a model of this name in all runs of servers, the given one first."""
    state_dir = os.path.dirname(os.path.dirname(directory))
    name = os.path.basename(directory).rpartition("-")[0]
    others = [
        path
        for run in server_runs(state_dir)[:_MAX_RUNS]
        for path in model_directories(run)
        if os.path.basename(path).rpartition("-")[0] == name and path != directory
    ]
    return [directory, *others]


def _loads_at(directory: str) -> list[LoadTime]:
    try:
        return loads_in(journal.read(directory))
    except (OSError, ValueError):
        return []  # Of another user, or away: nothing is known of its loads.

"""Know the other workers of one model: whether those beside this one serve, and how those before it ended."""

from __future__ import annotations

from typing import NamedTuple, Sequence

from ts_retry_ext.frontend.process import is_alive
from ts_retry_ext.store import journal
from ts_retry_ext.store.atomic import file_identity
from ts_retry_ext.store.event_order import trusted_in
from ts_retry_ext.store.journal import journal_path
from ts_retry_ext.store.record import Event, Record, WorkerProcess
from ts_retry_ext.store.worker_states import UnfinishedLoad, served_by, unfinished_loads
from ts_retry_ext.worker.output import say
from ts_retry_ext.worker.session import Session

_HOPEFUL = (Event.START, Event.LOAD, Event.LOADED)


class Siblings:
    """The other workers of a registration, as their journal tells; it is read when there is news.

    `launch` is what the frontend launched for the worker that asks.
    """

    def __init__(self, directory: str, launch: str) -> None:
        self._directory = directory
        self._launch = launch
        self._seen: tuple[int, int] | None = None
        self._hopeful: list[tuple[WorkerProcess, Event]] = []

    def serve(self) -> bool:
        """Tell whether one has loaded the model and lives. Raises OSError."""
        return any(_lives(p) for p, event in self._hopeful_ones() if event is Event.LOADED)

    def may_serve(self) -> bool:
        """Tell whether one lives that has loaded the model or is about to. Raises OSError."""
        return any(_lives(process) for process, _ in self._hopeful_ones())

    def _hopeful_ones(self) -> list[tuple[WorkerProcess, Event]]:
        news = file_identity(journal_path(self._directory))
        if news is None:
            return []
        if news != self._seen:
            self._seen = news
            self._hopeful = self._read()
        return self._hopeful

    def _read(self) -> list[tuple[WorkerProcess, Event]]:
        latest: dict[str, tuple[WorkerProcess, Event]] = {}
        for record in journal.read(self._directory):
            if record.process is not None:
                latest[record.process.socket] = (record.process, record.event)
        return [
            (process, event)
            for process, event in latest.values()
            if event in _HOPEFUL and process.launch != self._launch
        ]


def _lives(process: WorkerProcess) -> bool:
    return is_alive(process.pid, process.start)


class UnrecordedDeaths(NamedTuple):
    """Whether workers before this one died, and nobody has recorded it: while they served, in a load."""

    while_serving: bool
    while_loading: bool


def unrecorded_deaths(session: Session, journal: Sequence[Record]) -> UnrecordedDeaths:
    """Tell whether the worker before this one died, in its load or after it, and nobody recorded it.

    What the journal cannot be right about is named in the log.

    A worker that the frontend scaled away, be it in the middle of its load, has no successor with the
    same socket.
    """
    records, impossible = trusted_in(journal)
    for sentence in impossible:
        say(f"model {session.name!r}: {sentence}")
    return UnrecordedDeaths(
        while_serving=served_by(records, str(session.address)) is not None,
        while_loading=bool(dead_before(session, records)),
    )


def dead_before(session: Session, records: Sequence[Record]) -> list[UnfinishedLoad]:
    """Return the loads of this worker's own predecessors that ended without an exception."""
    own = (load for load in unfinished_loads(records) if load.launch == session.launch)
    return [load for load in own if not is_alive(load.pid, load.start)]

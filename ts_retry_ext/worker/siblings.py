"""Know the other workers of one model: whether they serve."""

from __future__ import annotations

from ts_retry_ext.frontend.process import is_alive
from ts_retry_ext.store import journal
from ts_retry_ext.store.atomic import file_identity
from ts_retry_ext.store.journal import journal_path
from ts_retry_ext.store.record import Event, WorkerProcess

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

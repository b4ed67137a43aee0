"""Know the other workers of one model: whether they serve, and whether a marker means them too."""

from __future__ import annotations

import os

from ts_retry_ext.frontend.process import is_alive
from ts_retry_ext.store import journal
from ts_retry_ext.store.journal import Record, journal_path
from ts_retry_ext.store.marker import Marker

_HOPEFUL = (journal.START, journal.LOAD, journal.LOADED)


def means(marker: Marker, launch: str) -> bool:
    """Tell whether `marker` means the worker that the frontend launched at `launch`."""
    return marker.only is None or launch in marker.only


def launches_meant(marker: Marker | None) -> list[str]:
    """Return the launches that `marker` means, none where it means all or is not there."""
    return list(marker.only or ()) if marker else []


class Siblings:
    """The other workers of a registration, as their journal tells; it is read when there is news.

    Args:
        directory: the registration's directory in the store.
        launch: what the frontend launched for the worker that asks.
    """

    def __init__(self, directory: str, launch: str) -> None:
        self._directory = directory
        self._launch = launch
        self._seen: tuple[int, int] | None = None
        self._hopeful: list[Record] = []

    def serve(self) -> bool:
        """Tell whether one has loaded the model and lives. Raises OSError."""
        return any(_lives(r) for r in self._hopeful_ones() if r["event"] == journal.LOADED)

    def may_serve(self) -> bool:
        """Tell whether one lives that has loaded the model or is about to. Raises OSError."""
        return any(map(_lives, self._hopeful_ones()))

    def _hopeful_ones(self) -> list[Record]:
        try:
            status = os.stat(journal_path(self._directory))
        except OSError:
            return []
        news = (status.st_ino, status.st_mtime_ns)
        if news != self._seen:
            self._seen = news
            self._hopeful = self._read()
        return self._hopeful

    def _read(self) -> list[Record]:
        known = filter(journal.names_process, journal.read(self._directory))
        latest = {record["socket"]: record for record in known}
        return [
            record
            for socket, record in latest.items()
            if record["event"] in _HOPEFUL and record.get("launch", socket) != self._launch
        ]


def _lives(record: Record) -> bool:
    return is_alive(int(record["pid"]), str(record["start"]))

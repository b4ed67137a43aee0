"""What the workers of one registration of a model wrote down, and which one a running model is."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Iterable, Sequence

from ts_retry_ext.archive.manifest import DEFAULT_VERSION
from ts_retry_ext.frontend.running_model import RunningModel
from ts_retry_ext.store.journal_totals import JournalTotals
from ts_retry_ext.store.marker import Marker
from ts_retry_ext.store.record import Event, Record
from ts_retry_ext.store.retired import Retired


@dataclass(frozen=True)
class Registration:
    """One registration of a model, as its workers wrote it down.

    Attributes:
        records: the journal, oldest record first.
        marker: the marker, or None where its workers are not stopped.
        problem: what could not be read, or None.
    """

    directory: str
    records: Sequence[Record] = field(repr=False)
    history: JournalTotals
    marker: Marker | None
    problem: str | None
    retired: Retired | None = None

    @property
    def model(self) -> str | None:
        """Return the model's name, as far as its workers knew it."""
        return self.marker.model if self.marker else self.history.model

    @property
    def version(self) -> str:
        """Return the model's version."""
        named = self.marker.version if self.marker else self.history.version
        return named or DEFAULT_VERSION

    @property
    def last_word_at(self) -> str:
        """Return when a worker last wrote something, ISO 8601 UTC."""
        return self.records[-1].at if self.records else ""

    @property
    def spared_serve(self) -> bool:
        """Tell whether a worker that the marker does not mean was serving when it last wrote."""
        only = self.marker.only if self.marker else None
        if only is None:
            return False
        latest = {record.socket: record for record in self.records if record.socket is not None}
        return any(
            record.event is Event.LOADED and (record.launch or socket) not in only
            for socket, record in latest.items()
        )

    @cached_property
    def pids(self) -> frozenset[int]:
        """Return the ids of the processes that wrote to this journal."""
        return frozenset(record.pid for record in self.records if record.pid is not None)


class Registrations:
    """The registrations of one server's run, to be looked up by the models that run."""

    def __init__(self, registrations: Iterable[Registration]) -> None:
        self._by_pid: dict[int, list[Registration]] = {}
        self._by_name: dict[tuple[str | None, str], list[Registration]] = {}
        for registration in registrations:
            for pid in registration.pids:
                self._by_pid.setdefault(pid, []).append(registration)
            key = (registration.model, registration.version)
            self._by_name.setdefault(key, []).append(registration)

    def of(self, model: RunningModel) -> Registration | None:
        """Return the registration that a running model is, or None where no worker wrote anything.

        A worker's process id settles it. The name alone can be that of an earlier registration, or,
        for a worker that failed before the frontend told it, the one in the manifest. What bears the
        name of a model whose workers write nothing was an earlier one.
        """
        if model.out_of_reach:
            return None
        pids = [worker.pid for worker in model.workers if worker.pid is not None]
        own = [registration for pid in pids for registration in self._by_pid.get(pid, ())]
        named = own or self._by_name.get((model.name, model.version), [])
        return max(named, key=lambda registration: registration.last_word_at, default=None)


def recorded_names(registrations: Iterable[Registration]) -> list[str]:
    """Return the models that wrote something, by name; some may be registered no more."""
    return sorted({r.model for r in registrations if r.model is not None})

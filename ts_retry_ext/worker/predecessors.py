"""The workers before this one: notice that one died without an exception."""

from __future__ import annotations

from typing import NamedTuple, Sequence

from ts_retry_ext.frontend.process import is_alive
from ts_retry_ext.store.event_order import trusted_in
from ts_retry_ext.store.record import Record
from ts_retry_ext.store.worker_states import UnfinishedLoad, served_by, unfinished_loads
from ts_retry_ext.worker.output import say
from ts_retry_ext.worker.session import Session


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

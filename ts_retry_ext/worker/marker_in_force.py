"""The marker of this worker's registration, if it has one: whether it obeys, and when it is removed.

Where TorchServe alone would load the model now, a worker does not obey. One that the frontend launches
anew listens at a place of its own; one that it retries listens where it did before (0.12.0
WorkLoadManager.addThreads, WorkerThread). A worker imports this only where a marker is there.
"""

from __future__ import annotations

from typing import Iterator, Sequence

from ts_retry_ext.frontend.process import is_alive
from ts_retry_ext.store.atomic import UntrustedFileError, set_aside
from ts_retry_ext.store.directory import marker_path
from ts_retry_ext.store.marker import Marker, read_marker, remove_marker
from ts_retry_ext.store.record import Event, Record
from ts_retry_ext.store.times import to_seconds
from ts_retry_ext.worker.output import say
from ts_retry_ext.worker.session import Session

_DONE = frozenset((Event.HOLD, Event.RELEASE, Event.LOADED))
#: Written in the name of a holder, by the program that makes its trial loads.
_OF_TRIALS = frozenset((Event.TRIAL, Event.TRIED))
BY_HAND = "somebody has scaled it to 0 workers and up again"
ONE_MORE = "somebody has given it another worker"
#: Workers that are registered together come within so many seconds, on a busy host too.
_TOGETHER_SEC = 30.0
_NON_RECOVERABLE, _INFERENCE = "non_recoverable", "inference"


def applicable_marker(session: Session) -> Marker | None:
    """Return the marker that this process has to obey, or None.

    A marker that cannot be trusted is set aside. One that was made after the frontend's window
    says what the model waits for; a worker that somebody starts then is to load it.
    """
    marker = standing_marker(session)
    obeyed = marker is not None and marker.holds and marker.means(session.launch)
    return marker if obeyed else None


def standing_marker(session: Session) -> Marker | None:
    """Return the marker of this registration, whichever of its workers it means, or None."""
    try:
        marker = read_marker(session.directory)
    except (UntrustedFileError, OSError) as problem:
        kept = set_aside(marker_path(session.directory))
        say(f"marker ignored, kept as {kept}: {problem}")
        return None
    if marker is None:
        return None
    made_for = (marker.server.pid, marker.registration)
    return marker if made_for == (session.frontend.pid, session.registration) else None


def clear_own_marker(session: Session, why: str) -> None:
    """Remove the marker where it means this worker. Raises OSError."""
    marker = standing_marker(session)
    if marker is not None and marker.means(session.launch):
        clear_marker(session, why)


def clear_marker(session: Session, why: str) -> None:
    """Remove the marker and let counting start anew. Raises OSError."""
    if remove_marker(session.directory):
        session.record(Event.RESUME, reason=why)
        say(f"model {session.name!r} is loaded again: {why}")


def is_started_by_hand(records: Sequence[Record], launch: str) -> bool:
    """Tell whether all that held or served a model are gone, and what was launched at `launch` is new.

    Scaling to 0 and up again is how an operator has TorchServe alone load a model. While others
    fail or hold, a worker that is new is one of several that were registered together. The journal
    has nothing of this worker yet.
    """
    latest: dict[str, Record] = {}
    for record in _of_workers(records):
        process = record.process
        assert process is not None
        if process.launch == launch:
            return False
        latest[process.socket] = record
    return bool(latest) and all(_is_gone(record) for record in latest.values())


def is_one_more(records: Sequence[Record], launch: str, now: float) -> bool:
    """Tell whether what was launched at `launch` is new, while the others have held for a while.

    TorchServe alone would load the model in it, so that it serves if the cause is gone. The journal
    has nothing of this worker yet; `now` is in seconds since the epoch.
    """
    latest = {r.process.launch: r for r in _of_workers(records) if r.process is not None}
    held = (
        r.event is Event.HOLD and now - to_seconds(r.at) >= _TOGETHER_SEC for r in latest.values()
    )
    return bool(latest) and launch not in latest and all(held)


def has_served_beside(records: Sequence[Record], launch: str) -> bool:
    """Tell whether the worker launched at `launch` has served, and no failure of its own halts it.

    The marker rests on the failures of others then, such as of one that finds no seat or port left
    while this one has it. The deaths of this worker's predecessors are written down.
    """
    for record in _of_workers(reversed(records)):
        process = record.process
        if process is None or process.launch != launch:
            continue
        if record.event is Event.LOADED:
            return True
        halts = record.verdict == _NON_RECOVERABLE and record.phase != _INFERENCE
        if record.event is Event.HOLD or (record.is_failure and halts):
            return False
    return False


def _of_workers(records: Iterator[Record] | Sequence[Record]) -> Iterator[Record]:
    return (r for r in records if r.process is not None and r.event not in _OF_TRIALS)


def _is_gone(record: Record) -> bool:
    process = record.process
    gone = process is not None and not is_alive(process.pid, process.start)
    return record.event in _DONE and gone

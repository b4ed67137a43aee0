"""Read from a journal what its workers are at: which load, which one served, which hold."""

from __future__ import annotations

from typing import NamedTuple, Sequence

from ts_retry_ext.store.record import FAILURES, HOLDING, Event, Record, WorkerProcess


class UnfinishedLoad(NamedTuple):
    """A worker process that set out to load and has written nothing since.

    Attributes:
        pid, start, socket, launch: see `WorkerProcess`; group, oom_kills: see `Record`.
        loading: whether LOAD had arrived.
        at: when the process, and from LOAD on its load, began, ISO 8601 UTC.
    """

    pid: int
    start: str
    socket: str
    launch: str
    group: str | None
    loading: bool
    at: str
    oom_kills: int | None


def unfinished_loads(records: Sequence[Record]) -> list[UnfinishedLoad]:
    """Return the processes that started and have not said how it ended, dead or alive."""
    attempts: dict[tuple[int, str], UnfinishedLoad] = {}
    for record in records:
        process = record.process
        if process is None:
            continue
        key = (process.pid, process.start)
        if record.event is Event.LOAD and key in attempts:
            attempts[key] = attempts[key]._replace(loading=True, at=record.at)
        elif record.event in (Event.START, Event.LOAD):
            attempts[key] = UnfinishedLoad(
                pid=process.pid,
                start=process.start,
                socket=process.socket,
                launch=process.launch,
                group=record.group,
                loading=record.event is Event.LOAD,
                at=record.at,
                oom_kills=record.oom_kills,
            )
        elif record.event not in (Event.RESUME, Event.SUMMARY):
            attempts.pop(key, None)
    return list(attempts.values())


def served_by(records: Sequence[Record], socket: str) -> WorkerProcess | None:
    """Return the worker at `socket` where the last that it wrote is LOADED, or None."""
    own = [record for record in records if record.socket == socket]
    return own[-1].process if own and own[-1].event is Event.LOADED else None


def group_failed(records: Sequence[Record], attempt: UnfinishedLoad) -> bool:
    """Tell whether another rank of the attempt's group has failed: torchrun ended this one then."""
    return attempt.group is not None and any(
        record.event in FAILURES and record.group == attempt.group and record.pid != attempt.pid
        for record in records
    )


def holders_of(records: Sequence[Record], *, released: bool = True) -> set[int]:
    """Return the process ids of those that took a worker's place instead of loading the model.

    Those that said they stop holding count only if `released`.
    """
    held: set[int] = set()
    for record in records:
        if record.pid is None:
            continue
        if record.event in HOLDING:
            held.add(record.pid)
        elif record.event is Event.RELEASE and not released:
            held.discard(record.pid)
    return held

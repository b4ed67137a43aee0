"""Read a journal as a history: totals for people, runs of failures for the judge."""

from __future__ import annotations

from typing import NamedTuple, Sequence

from ts_retry_ext.store.record import FAILURES, Event, Record, WorkerProcess
from ts_retry_ext.store.summary import FAILED_TRIAL, summary_of


class History(NamedTuple):
    """What the workers of one registration did so far.

    Attributes:
        model: the model's name as the frontend sent it, else as its manifest says, or None.
        version: its version, or None.
        worker_starts: processes, holders included.
        loads: processes that went on to load the model, and trial loads that have ended.
        failures: loads, trial loads and starts that ended in an exception or a crash.
        first_failure: when, ISO 8601 UTC, or None.
        last_failure: the record of the last one, or None.
        loaded: whether the last thing a worker did, holding aside, was to load the model.
        trials: trial loads that have ended.
    """

    model: str | None
    version: str | None
    worker_starts: int
    loads: int
    failures: int
    first_failure: str | None
    last_failure: Record | None
    loaded: bool
    trials: int = 0


class Attempt(NamedTuple):
    """A worker process that set out to load and has written nothing since.

    Attributes:
        pid: its id; start: names its start for good; socket: where it listened.
        launch: what the frontend launched: this worker, or the first of torchrun's ranks.
        group: names the ranks that torchrun started together, None for other workers.
        loading: whether LOAD had arrived.
        at: when the process, and from LOAD on its load, began, ISO 8601 UTC.
        oom_kills: how many processes the kernel had ended for lack of memory by its start, or
            None where the host does not tell.
    """

    pid: int
    start: str
    socket: str
    launch: str
    group: str | None
    loading: bool
    at: str
    oom_kills: int | None


def summarise(records: Sequence[Record]) -> History:
    """Return the totals of a journal."""
    last_failure: Record | None = None
    loaded = False
    model: str | None = None
    version: str | None = None
    for record in records:
        model = record.model or model
        version = record.version or version
        if record.is_failure:
            last_failure = record
        if record.event in FAILURES:
            loaded = False
        elif record.event is Event.LOADED:
            loaded = True
    total = summary_of(records)
    counts = total.counts or {}

    def counted(*names: str) -> int:
        return sum(counts.get(name, 0) for name in names)

    return History(
        model=model,
        version=version,
        worker_starts=counted(Event.START, Event.HOLD),
        loads=counted(Event.LOAD, Event.TRIED),
        failures=counted(*FAILURES, FAILED_TRIAL),
        first_failure=total.first_failure,
        last_failure=last_failure,
        loaded=loaded,
        trials=counted(Event.TRIED),
    )


def failures_in_a_row(records: Sequence[Record], socket: str) -> list[Record]:
    """Return the failures of one worker since it last loaded or was resumed, newest first.

    Counted for each worker (its socket names it): four workers of a model that fail at the same
    moment have failed once each, not four times in a row.
    """
    found: list[Record] = []
    for record in reversed(records):
        if record.event is Event.RESUME:
            break
        if record.socket != socket:
            continue
        if record.event is Event.LOADED:
            break
        if record.event in FAILURES:
            found.append(record)
    return found


def identical_failures(failures: Sequence[Record], fingerprint: str) -> int:
    """Count how often `fingerprint` stands at the head of `failures` (newest first)."""
    count = 0
    for record in failures:
        if record.event is not Event.FAILURE or record.fingerprint != fingerprint:
            break
        count += 1
    return count


def decided_by(failures: Sequence[Record], rule: str | None) -> int:
    """Count how often `rule` decided at the head of `failures` (newest first)."""
    count = 0
    for record in failures:
        if rule is None or record.rule != rule:
            break
        count += 1
    return count


def crashes_in_a_row(failures: Sequence[Record]) -> int:
    """Count the crashes at the head of `failures` (newest first)."""
    count = 0
    for record in failures:
        if record.event is not Event.CRASH:
            break
        count += 1
    return count


def open_attempts(records: Sequence[Record]) -> list[Attempt]:
    """Return the processes that started and have not said how it ended, dead or alive."""
    attempts: dict[tuple[int, str], Attempt] = {}
    for record in records:
        process = record.process
        if process is None:
            continue
        key = (process.pid, process.start)
        if record.event is Event.LOAD and key in attempts:
            attempts[key] = attempts[key]._replace(loading=True, at=record.at)
        elif record.event in (Event.START, Event.LOAD):
            attempts[key] = Attempt(
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


def group_failed(records: Sequence[Record], attempt: Attempt) -> bool:
    """Tell whether another rank of the attempt's group has failed: torchrun ended this one then."""
    return attempt.group is not None and any(
        record.event in FAILURES and record.group == attempt.group and record.pid != attempt.pid
        for record in records
    )

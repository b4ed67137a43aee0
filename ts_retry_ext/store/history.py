"""Read a journal as a history: totals for people, runs of failures for the judge."""

from __future__ import annotations

from typing import Any, NamedTuple, Sequence

from ts_retry_ext.store import journal
from ts_retry_ext.store.journal import Record


class History(NamedTuple):
    """What the workers of one registration did so far.

    Attributes:
        model: the model's name as the frontend sent it, else as its manifest says, or None.
        version: its version, or None.
        worker_starts: processes, holders included.
        loads: processes that went on to load the model.
        failures: loads and starts that ended in an exception or a crash.
        first_failure: when, ISO 8601 UTC, or None.
        last_failure: the last FAILURE or CRASH record, or None.
        loaded: whether the last thing a worker did, holding aside, was to load the model.
    """

    model: str | None
    version: str | None
    worker_starts: int
    loads: int
    failures: int
    first_failure: str | None
    last_failure: Record | None
    loaded: bool


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
    counts: dict[str, int] = {}
    first_failure: str | None = None
    last_failure: Record | None = None
    loaded = False
    model: str | None = None
    version: str | None = None
    for record in records:
        event = record["event"]
        if event == journal.SUMMARY:
            counts = dict(record.get("counts", {}))
            first_failure = record.get("first_failure")
            continue
        counts[event] = counts.get(event, 0) + 1
        model = record.get("model") or model
        version = record.get("version") or version
        if event in (journal.FAILURE, journal.CRASH):
            first_failure = first_failure or record["at"]
            last_failure = record
            loaded = False
        elif event == journal.LOADED:
            loaded = True
    return History(
        model=model,
        version=version,
        worker_starts=counts.get(journal.START, 0) + counts.get(journal.HOLD, 0),
        loads=counts.get(journal.LOAD, 0),
        failures=counts.get(journal.FAILURE, 0) + counts.get(journal.CRASH, 0),
        first_failure=first_failure,
        last_failure=last_failure,
        loaded=loaded,
    )


def failures_in_a_row(records: Sequence[Record], socket: str) -> list[Record]:
    """Return the failures of one worker since it last loaded or was resumed, newest first.

    Counted for each worker (its socket names it): four workers of a model that fail at the same
    moment have failed once each, not four times in a row.
    """
    found: list[Record] = []
    for record in reversed(records):
        event = record["event"]
        if event == journal.RESUME:
            break
        if record.get("socket") != socket:
            continue
        if event == journal.LOADED:
            break
        if event in (journal.FAILURE, journal.CRASH):
            found.append(record)
    return found


def identical_failures(failures: Sequence[Record], fingerprint: str) -> int:
    """Count how often `fingerprint` stands at the head of `failures` (newest first)."""
    count = 0
    for record in failures:
        if record["event"] != journal.FAILURE or record.get("fingerprint") != fingerprint:
            break
        count += 1
    return count


def decided_by(failures: Sequence[Record], rule: str | None) -> int:
    """Count how often `rule` decided at the head of `failures` (newest first)."""
    count = 0
    for record in failures:
        if rule is None or record.get("rule") != rule:
            break
        count += 1
    return count


def crashes_in_a_row(failures: Sequence[Record]) -> int:
    """Count the crashes at the head of `failures` (newest first)."""
    count = 0
    for record in failures:
        if record["event"] != journal.CRASH:
            break
        count += 1
    return count


def open_attempts(records: Sequence[Record]) -> list[Attempt]:
    """Return the processes that started and have not said how it ended, dead or alive."""
    attempts: dict[tuple[Any, Any], Attempt] = {}
    for record in records:
        key = (record.get("pid"), record.get("start"))
        event = record["event"]
        if not journal.names_process(record):
            continue
        if event == journal.LOAD and key in attempts:
            attempts[key] = attempts[key]._replace(loading=True, at=str(record["at"]))
        elif event in (journal.START, journal.LOAD):
            attempts[key] = Attempt(
                pid=int(record["pid"]),
                start=str(record["start"]),
                socket=str(record["socket"]),
                launch=str(record.get("launch", record["socket"])),
                group=record.get("group"),
                loading=event == journal.LOAD,
                at=str(record["at"]),
                oom_kills=record.get("oom_kills"),
            )
        elif event not in (journal.RESUME, journal.SUMMARY):
            attempts.pop(key, None)
    return list(attempts.values())


def served_by(records: Sequence[Record], socket: str) -> Record | None:
    """Return the LOADED record of the worker at `socket` where that is the last it wrote, or None."""
    own = [record for record in records if record.get("socket") == socket]
    served = own and own[-1]["event"] == journal.LOADED and journal.names_process(own[-1])
    return own[-1] if served else None


def group_failed(records: Sequence[Record], attempt: Attempt) -> bool:
    """Tell whether another rank of the attempt's group has failed: torchrun ended this one then."""
    return attempt.group is not None and any(
        record["event"] in (journal.FAILURE, journal.CRASH)
        and record.get("group") == attempt.group
        and record.get("pid") != attempt.pid
        for record in records
    )

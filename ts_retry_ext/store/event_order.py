"""Read a journal for a decision: only what can have happened counts against a model.

A journal is a file that others can write into: a copy that was put back, two hosts on one volume, an
editor. Records that no process of ours writes in that order are named, and halt nothing.
"""

from __future__ import annotations

from typing import Mapping, NamedTuple, Sequence

from ts_retry_ext.store import journal
from ts_retry_ext.store.record import FAILURES, HOLDING, Event, Record

#: What a process may write next, by what it wrote last; RESUME is left out, anybody may write it.
#: Of the further records some are of asyncCommunication, where one process loads again (LOAD after
#: FAILURE) or runs its command again in place (START or HOLD after the first word).
_NEXT: Mapping[Event | None, frozenset[Event]] = {
    None: frozenset((Event.START, Event.HOLD)),
    Event.START: frozenset((Event.LOAD, Event.HOLD, Event.END, *FAILURES)),
    Event.LOAD: frozenset((Event.LOAD, Event.LOADED, Event.HOLD, Event.END, *FAILURES)),
    Event.LOADED: frozenset((Event.FAILURE,)),  # of a request, or found by the next process
    Event.FAILURE: frozenset((Event.LOAD, Event.START, Event.HOLD, Event.END)),
    Event.CRASH: frozenset(),
    Event.END: frozenset((Event.LOAD, Event.START, Event.HOLD)),
    **dict.fromkeys(HOLDING, frozenset((Event.RELEASE, *HOLDING))),
    Event.RELEASE: frozenset((Event.LOAD, Event.START, Event.HOLD)),
}
#: Phase of a failure that may follow LOADED.
_AFTER_SERVING = "inference"
#: What says that a model does not load, and is left out where it cannot have happened.
_AGAINST_MODEL = frozenset((Event.START, Event.LOAD, *FAILURES))


class TrustedRecords(NamedTuple):
    """What a journal says that can be trusted.

    Attributes:
        records: the journal without what counts against the model and cannot have happened.
        impossible: one sentence for each process whose records cannot have happened.
    """

    records: list[Record]
    impossible: tuple[str, ...]


def read_trusted(model_dir: str) -> TrustedRecords:
    """Return what the journal of the registration kept in `model_dir` says that can be trusted. Raises OSError."""
    return trusted_in(journal.read(model_dir))


def trusted_in(records: Sequence[Record]) -> TrustedRecords:
    """Return what `records`, oldest first, say that can be trusted.

    Of a process whose records cannot have happened, those that count against the model are left
    out; that it loaded or was resumed still ends a row of failures. A failure that names no process
    is left out, too.
    """
    gave_way = any(record.event is Event.SUMMARY for record in records)
    last: dict[tuple[int, str], Event | None] = {}
    wrong: dict[tuple[int, str], str] = {}
    for record in records:
        process = record.process
        if process is None or record.event in (Event.RESUME, Event.SUMMARY):
            continue
        key = (process.pid, process.start)
        if key not in last and gave_way and record.event not in _NEXT[None]:
            pass  # What it wrote before gave way to the summary.
        elif not _may_follow(record, last.get(key)):
            wrong.setdefault(key, _sentence(record, last.get(key)))
        last[key] = record.event
    trusted = [r for r in records if r.event not in _AGAINST_MODEL or _is_trusted(r, wrong)]
    return TrustedRecords(trusted, tuple(wrong.values()))


def _may_follow(record: Record, before: Event | None) -> bool:
    if record.event not in _NEXT[before]:
        return False
    return before is not Event.LOADED or record.phase == _AFTER_SERVING


def _is_trusted(record: Record, wrong: Mapping[tuple[int, str], str]) -> bool:
    process = record.process
    return process is not None and (process.pid, process.start) not in wrong


def _sentence(record: Record, before: Event | None) -> str:
    after = "as its first word" if before is None else f"after {before.value!r}"
    return (
        f"the journal cannot be right: process {record.pid} wrote {record.event.value!r} {after} "
        f"({record.at}); what it says against the model does not count"
    )

"""What happened to models over their registrations and over runs of the server, oldest first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Iterable, Iterator, NamedTuple, Sequence

from ts_retry_ext.plain_text import in_one_line
from ts_retry_ext.snapshot.attempts import title_of, words_of
from ts_retry_ext.snapshot.registration import Registration
from ts_retry_ext.store.halt_in_words import state_word, waits_for_in_words
from ts_retry_ext.store.record import Event, Record
from ts_retry_ext.store.times import to_text

SERVER_STARTED, SERVER_ENDED = "server started", "server ended"
REGISTERED, EARLIER, FAILED, RESUMED = "registered", "earlier", "failed", "resumed"
SERVES, RETIRED = "serves", "retired"
#: What a failure's record says of it, as ``status --json`` names it.
_JUDGED = ("verdict", "basis", "rule", "phase", "fingerprint")


class RecordedRun(NamedTuple):
    """One run of a server with all registrations that it had, those that are gone included.

    Attributes:
        pid: process id of its frontend, or None where that is not known.
        torchserve: its version, or None where that is not known.
        started_at: its start, seconds since the epoch, or None where that is not known.
        ended: whether no such process runs on this machine.
    """

    pid: int | None
    torchserve: str | None
    started_at: float | None
    ended: bool
    registrations: Sequence[Registration]


@dataclass(frozen=True)
class HistoryEntry:
    """One thing that happened, or the same thing several times in a row.

    Attributes:
        at: when, or the first time, ISO 8601 UTC.
        event: what, in words.
        words: more about it.
        server: process id of the frontend.
        model, version: whom it is about; None where it is the server.
        count: how many times.
        until: the last time, ISO 8601 UTC.
        report: the record of a failure, or None with other events.
    """

    at: str
    event: str
    words: str = ""
    server: int | None = None
    model: str | None = None
    version: str | None = None
    count: int = 1
    until: str = ""
    report: Record | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the entry as ``history --json`` prints it; of a failure with its verdict and exception."""
        content: dict[str, Any] = {
            "time": self.at,
            "until": self.until or self.at,
            "count": self.count,
            "event": self.event,
            "server": self.server,
            "model": self.model,
            "version": self.version,
            "words": self.words,
        }
        if self.report is not None:
            found = self.report.exception
            content.update((name, getattr(self.report, name)) for name in _JUDGED)
            content["exception"] = {"type": found.type, "message": found.message} if found else None
            content["at"] = found.at._asdict() if found and found.at else None
        return content


def history_of(runs: Iterable[RecordedRun], model: str | None = None) -> tuple[HistoryEntry, ...]:
    """Return what happened, by the clock.

    Args:
        runs: runs of one server, in any order.
        model: the model to tell of, with the runs that had it; None for all.
    """
    entries = [entry for run in runs for entry in _of_run(run, model)]
    return tuple(sorted(entries, key=lambda entry: entry.at))


def name_of(registration: Registration) -> str:
    """Return the model's name; where no worker knew it, as its directory bears it."""
    return registration.model or registration.directory.rpartition("/")[2].rpartition("-")[0]


def _of_run(run: RecordedRun, model: str | None) -> list[HistoryEntry]:
    wanted = [r for r in run.registrations if model in (None, name_of(r))]
    if model is not None and not wanted:
        return []
    entries = [
        replace(entry, server=run.pid, model=name_of(registration), version=registration.version)
        for registration in wanted
        for entry in _collapsed(_of_registration(registration))
    ]
    times = [entry.until or entry.at for entry in entries]
    if run.started_at is not None:
        started = to_text(run.started_at)
        version = f"TorchServe {run.torchserve or 'of unknown version'}"
        entries.insert(0, HistoryEntry(started, SERVER_STARTED, version, run.pid))
        times.append(started)
    if run.ended and times:
        words = "unless it runs in another container; this is the time of its last record"
        entries.append(HistoryEntry(max(times), SERVER_ENDED, words, run.pid))
    return entries


def _of_registration(registration: Registration) -> Iterator[HistoryEntry]:
    """Yield what happened to one registration, as its journal has it, and what its files say beside."""
    now, is_halted = "", False  # What the last entry led to; whether a halt that was told stands.
    waits_for: Sequence[str] = ()
    for number, record in enumerate(registration.records):
        if record.event is Event.SUMMARY:
            yield _gave_way(record, registration.records[number + 1 :])
        elif number == 0:
            yield HistoryEntry(record.at, REGISTERED)
        if record.is_failure:
            waits_for, now = record.waits_for, now if record.is_failed_trial else FAILED
            yield _failed(record)
        elif record.event is Event.TRIED:
            yield HistoryEntry(record.at, title_of(record), words_of(record))
        elif record.event is Event.HOLD and now not in _DOWN:
            now, is_halted = state_word(waits_for), True
            yield _halted(record.at, waits_for)
        elif record.event is Event.RESUME:
            now, is_halted = RESUMED, False
            yield HistoryEntry(record.at, RESUMED, words_of(record))
        elif record.event is Event.LOADED and now != SERVES:
            now = SERVES
            yield HistoryEntry(record.at, SERVES)
    marker, retired = registration.marker, registration.retired
    if marker is not None and not is_halted:  # It was made when TorchServe had given up.
        yield _halted(marker.created_at, marker.waits_for)
    if retired is not None and retired.at:
        workers = f"it had {retired.min_workers} to {retired.max_workers} workers"
        yield HistoryEntry(retired.at, RETIRED, workers)


_DOWN = (state_word(()), state_word(("time",)))


def _failed(record: Record) -> HistoryEntry:
    title = title_of(record) if record.event is Event.TRIED else FAILED
    at = record.exception.at if record.exception is not None else None
    where = f", at {in_one_line(at.in_words())}" if at is not None else ""
    return HistoryEntry(record.at, title, words_of(record) + where, report=record)


def _halted(at: str, waits_for: Sequence[str]) -> HistoryEntry:
    named = ", ".join(waits_for_in_words(waits_for))
    return HistoryEntry(at, state_word(waits_for), f"it waits for {named}" if named else "")


def _gave_way(summary: Record, later: Sequence[Record]) -> HistoryEntry:
    """Return the entry for records that a journal gave up; of their times only the first failure's is kept."""
    counts = summary.counts or {}
    events = sum(counts.get(event.value, 0) for event in Event)
    failures = sum(counts.get(name, 0) for name in ("failure", "crash", "failed-trial"))
    at = summary.first_failure or (later[0].at if later else summary.at)
    words = f"{events} events whose records gave way, {failures} failures among them"
    return HistoryEntry(at, EARLIER, words)


def _collapsed(entries: Iterable[HistoryEntry]) -> list[HistoryEntry]:
    """Return the entries with the same thing in a row as one."""
    found: list[HistoryEntry] = []
    for entry in entries:
        last = found[-1] if found else None
        if last is not None and (last.event, last.words) == (entry.event, entry.words):
            found[-1] = replace(last, count=last.count + 1, until=entry.at, report=entry.report)
        else:
            found.append(entry)
    return found

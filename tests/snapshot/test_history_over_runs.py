from __future__ import annotations

from ts_retry_ext.snapshot.history_over_runs import HistoryEntry, RecordedRun, history_of
from ts_retry_ext.snapshot.registration import Registration
from ts_retry_ext.store.exception_record import ExceptionRecord, FailingLine
from ts_retry_ext.store.journal_totals import summarise, summary_of
from ts_retry_ext.store.marker import Marker
from ts_retry_ext.store.record import Event, Record, TrialResult
from ts_retry_ext.store.retired import Retired
from ts_retry_ext.store.times import to_text

from .writing import START, failure, marker, record

HOLDER = 2
CAUSE = "recoverable (connection-errno) ConnectionError: refused"


def registration(
    *records: Record,
    directory: str = "/state/server-1/m-0000",
    held_by: Marker | None = None,
    retired: Retired | None = None,
) -> Registration:
    """Return what was written of one registration."""
    return Registration(directory, records, summarise(records), held_by, None, retired)


def run_of(*registrations: Registration, ended: bool = False, pid: int = 7) -> RecordedRun:
    """Return a run of a server that had these."""
    return RecordedRun(pid, "0.12.0", START - 1, ended, registrations)


def told(*entries: HistoryEntry) -> list[str]:
    """Return the events in words, those of the server aside."""
    return [f"{e.event} x{e.count} {e.words}".rstrip() for e in entries if e.model is not None]


def trial(at: float, result: TrialResult) -> tuple[Record, Record]:
    """Return the records of a trial load."""
    ended = failure(at + 1, HOLDER) if result is TrialResult.FAILED else record(Event.TRIED, at + 1)
    return record(Event.TRIAL, at, HOLDER), ended._replace(event=Event.TRIED, result=result)


def test_life_of_a_model_is_told_with_the_same_things_in_a_row_as_one() -> None:
    told_at = FailingLine("h.py", 8, "initialize", "self.t = float(T)")
    refused = ExceptionRecord("ConnectionError", "refused", at=told_at)
    records = (
        record(Event.START, 0),
        record(Event.LOAD, 1),
        *(failure(at, exception=refused, waits_for=("time",)) for at in (2, 3, 4)),
        record(Event.HOLD, 5, HOLDER),
        record(Event.HOLD, 6, HOLDER + 1),
        *trial(10, TrialResult.FAILED),
        *trial(20, TrialResult.FAILED),
        *trial(30, TrialResult.LOADED),
        record(Event.RESUME, 32, reason="a trial load succeeded"),
        record(Event.START, 33),
        record(Event.LOADED, 34),
        record(Event.LOADED, 35, HOLDER),
    )
    entries = history_of([run_of(registration(*records))])

    assert told(*entries) == [
        "registered x1",
        f"failed x3 {CAUSE}, at h.py:8 initialize: self.t = float(T)",
        "waiting x1 it waits for the next trial load",
        f"trial failed x2 {CAUSE}",
        "trial loaded x1",
        "resumed x1 a trial load succeeded",
        "serves x1",
    ]
    failed = next(entry for entry in entries if entry.count == 3)
    assert (failed.at, failed.until) == (to_text(START + 2), to_text(START + 4))
    assert failed.to_json()["at"]["line"] == 8


def test_another_cause_is_another_entry() -> None:
    other = failure(3, exception=ExceptionRecord("OSError", "gone"))
    entries = history_of(
        [run_of(registration(record(Event.START, 0), failure(1), other, failure(4)))]
    )

    assert [entry.count for entry in entries if entry.event == "failed"] == [1, 1, 1]


def test_registrations_and_runs_are_told_by_the_clock_and_a_server_that_ended_with_its_last_word() -> (
    None
):
    first = registration(record(Event.START, 0), failure(5))
    again = registration(record(Event.START, 2), record(Event.LOADED, 9), directory="/s/m-1")
    later = RecordedRun(8, None, START + 20, False, [registration(record(Event.START, 21))])
    entries = history_of([later, run_of(first, again, ended=True)])

    assert [(e.server, e.event) for e in entries] == [
        (7, "server started"),
        (7, "registered"),
        (7, "registered"),
        (7, "failed"),
        (7, "serves"),
        (7, "server ended"),
        (8, "server started"),
        (8, "registered"),
    ]
    assert entries[5].at == to_text(START + 9)


def test_one_model_is_told_with_the_runs_that_had_it() -> None:
    other = registration(record(Event.START, 0, model="other"), directory="/s/other-1")
    entries = history_of([run_of(registration(record(Event.START, 1))), run_of(other, pid=9)], "m")

    assert [(e.server, e.event) for e in entries] == [(7, "server started"), (7, "registered")]
    assert history_of([run_of(other)], "m") == ()


def test_name_that_no_worker_knew_is_that_of_the_directory() -> None:
    nameless = registration(failure(1, model=None), directory="/s/server-1/my-model-0a1b")
    assert history_of([run_of(nameless)], "my-model")[-1].model == "my-model"


def test_marker_that_was_made_after_the_window_and_retirement_are_told() -> None:
    held = marker(created_at=to_text(START + 9), waits_for=("time",), holds=False)
    retired = Retired(1, 2, to_text(START + 10))
    entries = history_of(
        [run_of(registration(record(Event.START, 0), failure(1), held_by=held, retired=retired))]
    )

    assert told(*entries)[2:] == [
        "waiting x1 it waits for the next trial load",
        "retired x1 it had 1 to 2 workers",
    ]


def test_records_that_gave_way_are_told_by_their_number_and_no_registration_is_made_up() -> None:
    summary = summary_of([record(Event.START, 0), failure(1), record(Event.START, 2), failure(3)])
    entries = history_of([run_of(registration(summary, record(Event.LOADED, 9)))])

    assert told(*entries) == [
        "earlier x1 4 events whose records gave way, 2 failures among them",
        "serves x1",
    ]
    assert entries[1].at == to_text(START + 1)


def test_run_without_a_word_and_without_a_name_is_nothing() -> None:
    assert history_of([RecordedRun(None, None, None, True, [])]) == ()

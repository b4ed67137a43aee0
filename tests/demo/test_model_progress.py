from __future__ import annotations

import pytest

from tests.snapshot.writing import failure, marker, record
from ts_retry_ext.demo.model_progress import CAUSE_LENGTH, ModelProgress, progress_of, short_cause
from ts_retry_ext.logs.frontend_log import LOADED, STOPPED, WorkerLog
from ts_retry_ext.snapshot.registration import Registration
from ts_retry_ext.snapshot.state import State
from ts_retry_ext.store.journal_totals import summarise
from ts_retry_ext.store.marker import Marker
from ts_retry_ext.store.record import Event, Record

WORDS = "Traceback (most recent call last):\nValueError: as the log has it"


def log(state: str | None, wait: int | None = None, starts: int = 1, words: str = "") -> WorkerLog:
    at = None if wait is None else 1000.0 + wait
    return WorkerLog(starts, starts, state, wait, at, (words,) * starts)


def registration(*records: Record, held: Marker | None = None) -> Registration:
    return Registration("/state/m-0", records, summarise(records), held, None)


def of(worker: WorkerLog | None, *registrations: Registration) -> ModelProgress:
    name = registrations[0].model if registrations else "m"
    assert name is not None
    return progress_of(name, worker, registrations)


def test_a_model_whose_worker_has_not_started_is_unknown() -> None:
    assert of(None).state is State.UNKNOWN


@pytest.mark.parametrize(
    ("worker", "state", "said"),
    [
        (log(None), State.STARTING, "starts a worker"),
        (log("WORKER_STARTED"), State.STARTING, "loads"),
        (log(None, starts=3), State.STARTING, "starts a worker, attempt 3"),
        (log(STOPPED, 2), State.RECOVERING, "load 1 failed, TorchServe tries again in 2 s"),
        (log(STOPPED), State.RECOVERING, "load 1 failed"),
        (log(LOADED), State.SERVING, "serves"),
        (log(LOADED, starts=4), State.SERVING, "serves after 4 loads"),
    ],
)
def test_the_log_alone_tells_what_happens(worker: WorkerLog, state: State, said: str) -> None:
    found = of(worker)
    assert (found.state, found.said) == (state, said)
    assert found.is_settled == (state is State.SERVING)


def test_without_our_report_the_cause_is_that_of_the_log() -> None:
    assert of(log(STOPPED, 1, words=WORDS)).cause == "ValueError: as the log has it"
    assert of(log(STOPPED, 1)).cause == "the process died without an exception"


def test_a_failure_of_the_journal_is_the_cause() -> None:
    own = registration(record(Event.START, 0), record(Event.LOAD, 1), failure(2))
    found = of(log(STOPPED, 1, words=WORDS), own)
    exception = failure(2).exception
    assert exception is not None
    assert found.cause == short_cause(exception.type, exception.message)
    assert found.retry_at == 1001.0


def test_a_load_that_ended_without_a_record_died() -> None:
    own = registration(failure(0), record(Event.START, 1), record(Event.LOAD, 2))
    assert of(log(STOPPED, 1), own).cause == "the process died without an exception"


def test_a_model_is_settled_when_its_worker_holds() -> None:
    records = [record(Event.START, 0), record(Event.LOAD, 1), failure(2)]
    failed = of(log(STOPPED, 1), registration(*records, held=marker()))
    assert (failed.state, failed.said, failed.is_settled) == (
        State.HALTED,
        "load 1 failed for good",
        False,
    )
    held = of(log(None, starts=2), registration(*records, record(Event.HOLD, 3), held=marker()))
    assert (held.is_settled, held.starts, held.loads) == (True, 2, 1)
    assert held.cause == failed.cause != ""


def test_a_long_cause_is_cut_and_stands_short_cause() -> None:
    lines = "first\n  second\t" + "x" * 1000
    assert short_cause("pkg.errors.Odd", lines) == "Odd: first, and 1 more line"
    assert short_cause("pkg.errors.Odd", "first\n  second") == "Odd: first second"
    text = short_cause("pkg.errors.Odd", "first\t" + "x" * 1000)
    assert text.startswith("Odd: first x")
    assert len(text) <= CAUSE_LENGTH
    assert short_cause("KeyError", "") == "KeyError"

"""What somebody who asks for a trial load is told; the trial itself is tests/snapshot/test_trial_load.py."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Callable, Iterator

import pytest

from tests.snapshot.writing import START, failure, record, write_journal
from ts_retry_ext.frontend.process import start_of
from ts_retry_ext.snapshot.trial_on_demand import NOBODY_TRIES, TrialAnswer, try_now
from ts_retry_ext.store import journal
from ts_retry_ext.store.lock import try_lock
from ts_retry_ext.store.record import Event, Record, TrialResult
from ts_retry_ext.store.trial_budget import lock_path
from ts_retry_ext.store.trial_request import request_stands, take_request

LOADED = Record(Event.TRIED, result=TrialResult.LOADED)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Return the directory of a registration with which this process waits."""
    pid, now = os.getpid(), time.time() - START
    hold = record(Event.HOLD, now, pid, start=start_of(pid))
    return write_journal(tmp_path / "server-1" / "m-1", failure(now - 1), hold)


def taking(folder: Path, act: Callable[[], None]) -> threading.Thread:
    """Be the holder: take the request, and go on with `act`."""

    def hold() -> None:
        while take_request(str(folder)) is None:
            time.sleep(0.01)
        act()

    thread = threading.Thread(target=hold, daemon=True)
    thread.start()
    return thread


@pytest.fixture
def lock(model: Path) -> Iterator[int]:
    descriptor = try_lock(lock_path(str(model.parent)))
    assert descriptor is not None
    yield descriptor
    try:
        os.close(descriptor)
    except OSError:
        pass


def test_nobody_who_waits_is_told_at_once(tmp_path: Path) -> None:
    folder = write_journal(tmp_path / "m-1", failure(1))
    assert try_now(str(folder), "a test", 5.0, lambda text: None) == NOBODY_TRIES
    assert not request_stands(str(folder))


def test_trial_that_ends_is_the_answer(model: Path) -> None:
    def try_it() -> None:
        journal.append(str(model), Record(Event.TRIAL))
        time.sleep(0.3)
        journal.append(str(model), LOADED)

    steps: list[str] = []
    taking(model, try_it)
    answer = try_now(str(model), "a test", 5.0, steps.append)
    assert answer.tried is not None
    assert answer.tried.result is TrialResult.LOADED
    assert steps == [
        "a trial load begins: one load in a process of its own, which TorchServe does not notice"
    ]


def test_halt_that_ends_meanwhile_is_an_answer_too(model: Path) -> None:
    """A model that waited for the same thing has loaded, and this one loads for real at once."""

    def end() -> None:
        journal.append(str(model), Record(Event.TRIAL))
        journal.append(str(model), Record(Event.RESUME))

    taking(model, end)
    answer = try_now(str(model), "a test", 5.0, lambda text: None)
    assert answer.tried is not None
    assert answer.tried.event is Event.RESUME


def test_trial_that_takes_too_long_is_pending_and_not_nobodys(model: Path) -> None:
    taking(model, lambda: journal.append(str(model), Record(Event.TRIAL)))
    assert try_now(str(model), "a test", 0.5, lambda text: None) == TrialAnswer(None, True)


def test_trials_of_other_models_do_not_count_against_the_time(model: Path, lock: int) -> None:
    def after_the_other() -> None:
        time.sleep(1.0)
        os.close(lock)
        journal.append(str(model), Record(Event.TRIAL))
        journal.append(str(model), LOADED)

    steps: list[str] = []
    taking(model, after_the_other)
    answer = try_now(str(model), "a test", 0.5, steps.append)
    assert answer.tried is not None
    assert steps[0] == "waits for the trial load of another model, because one runs at a time"


def test_failed_trial_that_had_begun_before_is_no_answer(model: Path) -> None:
    """What somebody repaired in between was not there for it."""
    failed = failure(time.time() - START)._replace(event=Event.TRIED, result=TrialResult.FAILED)
    journal.append(str(model), Record(Event.TRIAL))

    def try_it() -> None:
        journal.append(str(model), failed)
        time.sleep(0.5)
        journal.append(str(model), Record(Event.TRIAL))
        journal.append(str(model), LOADED)

    taking(model, try_it)
    answer = try_now(str(model), "a test", 5.0, lambda text: None)
    assert answer.tried is not None
    assert answer.tried.result is TrialResult.LOADED

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Sequence

import pytest

from tests.e2e.archives import SOUND, lay_out
from tests.snapshot.writing import SOCKET, START, failure, record
from ts_retry_ext.archive.model_folder import ModelFolder
from ts_retry_ext.settings import OnFatal, Resolved, resolve
from ts_retry_ext.store.directory import WAITER_LOCK_FILE
from ts_retry_ext.store.lock import try_lock
from ts_retry_ext.store.record import Event, Record
from ts_retry_ext.worker import last_chance
from ts_retry_ext.worker.last_chance import longest_attempt, may_be_last, wait_if_last


class Worker:
    """What `may_be_last` asks a session for."""

    def __init__(self, window_sec: float, action: OnFatal = OnFatal.HOLD) -> None:
        self.settings = resolve({}, {})[0]._replace(on_fatal=Resolved(action, "default"))
        self.address = SOCKET
        self._window_sec = window_sec
        self.directory = ""
        self.folder = ModelFolder("/nowhere")

    def retry_window(self) -> float:
        return self._window_sec


def failed(*ago: float) -> list[Record]:
    """Return the records of workers that started and failed so many seconds ago, a second each."""
    now = time.time() - START
    found: list[Record] = []
    for pid, seconds in enumerate(ago, 1):
        found += [record(Event.START, now - seconds - 1, pid), failure(now - seconds, pid)]
    return found


@pytest.mark.parametrize(
    ("failed_ago", "window_sec", "expected"),
    [
        ((), 300, False),
        ((1,), 300, False),
        ((200, 198, 100), 300, False),
        ((290, 288, 100), 300, True),
        ((400, 398, 10), 300, True),
        ((1,), 10, True),
        ((1,), 0, True),
    ],
    ids=["none-failed", "just-failed", "far", "near", "over", "short-window", "no-window"],
)
def test_a_worker_may_be_the_last_one_near_the_end_of_the_window(
    failed_ago: Sequence[float], window_sec: float, expected: bool
) -> None:
    assert may_be_last(Worker(window_sec), failed(*failed_ago)) is expected  # type: ignore[arg-type]


def test_each_worker_of_sequences_is_the_last_one(tmp_path: Path) -> None:
    worker = Worker(300)
    worker.folder = ModelFolder(lay_out(tmp_path / "m", "m", SOUND, "sequenceBatching: true\n"))
    assert may_be_last(worker, failed(1))  # type: ignore[arg-type]


def test_who_would_find_somebody_waiting_is_not_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would stay as a zombie in a container whose first process reaps none."""
    started: list[str] = []
    monkeypatch.setattr(
        last_chance, "_leave_behind", lambda session: started.append(session.directory)
    )
    worker = Worker(1)
    worker.directory = str(tmp_path)
    lock = try_lock(str(tmp_path / WAITER_LOCK_FILE))
    assert lock is not None
    wait_if_last(worker, failed(2))  # type: ignore[arg-type]
    assert started == []
    os.close(lock)
    wait_if_last(worker, failed(2))  # type: ignore[arg-type]
    assert started == [str(tmp_path)]


def test_nobody_waits_where_nothing_is_to_be_stopped() -> None:
    assert not may_be_last(Worker(1, OnFatal.OBSERVE), failed(400))  # type: ignore[arg-type]


def test_a_load_that_takes_long_makes_an_earlier_worker_the_last_one() -> None:
    now = time.time() - START
    slow = [record(Event.START, now - 250), failure(now - 150)]
    assert longest_attempt(slow) == pytest.approx(100, abs=0.1)
    assert may_be_last(Worker(300), slow)  # type: ignore[arg-type]

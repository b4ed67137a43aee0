from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from ts_retry_ext.frontend.process import start_of
from ts_retry_ext.store import journal
from ts_retry_ext.store.record import Event, Record
from ts_retry_ext.worker.load_times import LoadTimes

GONE = (1 << 22, "1")
NOBODY = (None, None)


def write(directory: Path, event: Event, process: tuple[int | None, str | None] = GONE) -> int:
    """Return a time before the record, and well after all that was written before."""
    time.sleep(0.06)
    at = time.time_ns()
    time.sleep(0.06)
    directory.mkdir(parents=True, exist_ok=True)
    pid, start = process
    journal.append(str(directory), Record(event, pid=pid, start=start, socket="/tmp/s"))
    return at


def test_a_change_falls_into_a_load_or_not(tmp_path: Path) -> None:
    own = tmp_path / "server-1-1" / "m-00000000"
    loads = LoadTimes(str(own))
    assert loads.during(time.time_ns()) is None
    before = write(own, Event.START)
    write(own, Event.LOAD)
    within = write(own, Event.FAILURE)
    after = write(own, Event.HOLD)
    assert loads.during(before) is None
    load = loads.during(within)
    assert load is not None
    assert not load.runs
    assert loads.during(after) is None


def test_loads_of_other_servers_that_know_the_model_count(tmp_path: Path) -> None:
    own = tmp_path / "server-1-1" / "m-00000000"
    sibling = tmp_path / "server-2-2" / "m-11111111"
    another = tmp_path / "server-2-2" / "other-22222222"
    loads = LoadTimes(str(own))
    write(own, Event.HOLD)
    write(another, Event.LOAD)
    elsewhere = write(another, Event.FAILURE)
    assert loads.during(elsewhere) is None
    write(sibling, Event.LOAD)
    within = write(sibling, Event.LOADED)
    assert loads.during(within) is not None


def test_a_load_that_has_not_ended_runs_while_its_process_lives(tmp_path: Path) -> None:
    own = tmp_path / "server-1-1" / "m-00000000"
    loads = LoadTimes(str(own))
    write(own, Event.LOAD, (os.getpid(), start_of(os.getpid()) or ""))
    now = time.time_ns()
    load = loads.during(now)
    assert load is not None
    assert load.runs
    write(own, Event.FAILURE, (os.getpid(), start_of(os.getpid()) or ""))
    write(own, Event.LOAD, GONE)
    died = time.time_ns() + 50_000_000
    assert loads.during(died) is None, "a process that is gone loads nothing"


def test_a_trial_is_a_load_and_may_be_nobodys(tmp_path: Path) -> None:
    own = tmp_path / "server-1-1" / "m-00000000"
    loads = LoadTimes(str(own))
    write(own, Event.HOLD)
    for process in (GONE, NOBODY):
        before = write(own, Event.TRIAL, process)
        within = write(own, Event.TRIED, process)
        after = write(own, Event.RESUME)
        assert loads.during(before) is None
        assert loads.during(within) is not None
        assert loads.during(after) is None


def test_a_trial_that_ends_without_a_word_does_not_run_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "server-1-1" / "m-00000000"
    loads = LoadTimes(str(own))
    write(own, Event.TRIAL, (os.getpid(), start_of(os.getpid())))
    load = loads.during(time.time_ns())
    assert load is not None
    assert load.runs
    monkeypatch.setattr("ts_retry_ext.worker.load_times._LONGEST_NS", 0)
    assert not load.runs

"""When a holder starts a trial; the trial's own program is that of `tests/snapshot/test_trial_load.py`."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from textwrap import dedent
from types import SimpleNamespace as Named
from typing import Iterator

import pytest

from tests.snapshot.trying import Waiting, waiting
from ts_retry_ext.settings import Resolved, resolve
from ts_retry_ext.store.lock import try_lock
from ts_retry_ext.store.marker import read_marker, write_marker
from ts_retry_ext.store.record import Event, TrialResult
from ts_retry_ext.store.times import to_text
from ts_retry_ext.store.trial_budget import CAPACITY_SEC, charge, lock_path
from ts_retry_ext.store.trial_request import TrialRequest, ask_for_trial
from ts_retry_ext.worker import half_open
from ts_retry_ext.worker.half_open import HalfOpen
from ts_retry_ext.worker.protocol import LoadRequest

FAILS = "class H:\n    def initialize(self, c): raise RuntimeError('no')\n    def handle(self, d, c): pass\n"


class Process:
    """What `HalfOpen` asks a session for."""

    def __init__(self, model: Waiting) -> None:
        self.name = "m"
        self.directory = str(model.directory)
        self.model_dir = self.registration = str(model.model_dir)
        self.settings = resolve({}, {})[0]._replace(first_trial=Resolved(15.0, "default"))
        self.group = None
        self.asynchronous = False
        self.frontend, self.manifest = Named(pid=model.frontend), Named(version="1.0")
        self.pid, self.start, self.address = os.getpid(), "boot", "/tmp/.ts.sock.9000"

    def startup_timeout(self) -> float:
        return 20.0


@pytest.fixture
def model(tmp_path: Path) -> Iterator[Waiting]:
    with waiting(tmp_path, FAILS) as found:
        yield found


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Why trials were started; none of them really is."""
    found: list[str] = []

    def start(self: HalfOpen, wanted: TrialRequest, *, is_asked: bool) -> None:
        found.append(wanted.why)
        self._wanted = None
        self._carried_out, self._planned, self._due = self._planned, "", None

    monkeypatch.setattr(HalfOpen, "_start", start)
    return found


def holder(model: Waiting) -> HalfOpen:
    return HalfOpen(Process(model), None)  # type: ignore[arg-type]


def plan(model: Waiting, at: float | None) -> None:
    standing = read_marker(str(model.directory))
    assert standing is not None
    planned = None if at is None else to_text(time.time() + at)
    write_marker(str(model.directory), standing._replace(next_trial_at=planned))


def look(half: HalfOpen, model: Waiting, **options: bool) -> None:
    marker = model.marker()
    assert marker is not None
    half.look(marker, **options)


@pytest.mark.parametrize(("ahead", "expected"), [(60, []), (-1, [half_open.DUE]), (None, [])])
def test_a_trial_comes_when_the_marker_says_so(
    model: Waiting, started: list[str], ahead: float | None, expected: list[str]
) -> None:
    plan(model, ahead)
    half = holder(model)
    for _ in range(2):
        look(half, model)
    assert started == expected


def test_somebody_who_asks_is_heard_at_once_also_where_others_would_be_disturbed(
    model: Waiting, started: list[str]
) -> None:
    plan(model, 60)
    ask_for_trial(str(model.directory), TrialRequest("ts-retry resume"))
    look(holder(model), model, only_asked=True)
    assert started == ["ts-retry resume"]


def test_a_trial_that_would_disturb_others_does_not_come_by_time(
    model: Waiting, started: list[str]
) -> None:
    plan(model, -1)
    half = holder(model)
    for _ in range(2):
        look(half, model, only_asked=True)
    assert started == []


def test_a_plan_that_could_not_be_replaced_is_no_reason_for_one_trial_after_the_other(
    model: Waiting, started: list[str]
) -> None:
    plan(model, -1)
    half = holder(model)
    for _ in range(5):
        look(half, model)
    assert started == [half_open.DUE]


@pytest.mark.parametrize("ahead", [1e9, 30 * 24 * 3600.0])
def test_a_clock_that_was_set_back_does_not_put_a_trial_off_for_ever(
    model: Waiting, ahead: float
) -> None:
    plan(model, ahead)
    half = holder(model)
    look(half, model)
    assert half._due is not None
    assert half._due - time.monotonic() <= 1.25 * 3600.0


def test_only_one_trial_runs_in_a_server_and_none_without_credit(model: Waiting) -> None:
    plan(model, -1)
    server_dir = str(model.directory.parent)
    charge(server_dir, CAPACITY_SEC + 1)
    half = holder(model)
    look(half, model)
    assert not half.is_still_trying()
    (model.directory.parent / "trials.json").unlink()
    lock = try_lock(lock_path(server_dir))
    assert lock is not None
    half = holder(model)
    look(half, model)
    os.close(lock)
    assert not half.is_still_trying()
    assert [r.event for r in model.records()] == [Event.FAILURE]


LOCKS_ITS_FOLDER = """
    import fcntl, os

    class H:
        def initialize(self, context):
            self.lock = os.open(".", os.O_RDONLY)
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)

        def handle(self, data, context):
            return ["ok"] * len(data)
"""


def test_a_handler_that_locks_its_own_folder_loads_in_a_trial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with waiting(tmp_path, dedent(LOCKS_ITS_FOLDER)) as model:
        job = json.loads(model.job())
        monkeypatch.setattr(sys, "argv", job["argv"])
        for name, value in model.environ.items():
            monkeypatch.setenv(name, value)
        plan(model, -1)
        half = HalfOpen(Process(model), LoadRequest(**job["load"]))  # type: ignore[arg-type]
        for _ in range(2):
            look(half, model)
        model.wait_for(lambda: not half.is_still_trying(), "the trial is over")
        assert model.tried().result is TrialResult.LOADED

"""When who waits after the window acts, and when it ends; what it does otherwise is that of a holder."""

from __future__ import annotations

import os
import time
from pathlib import Path
from types import SimpleNamespace as Named
from typing import Any

import pytest

from tests.snapshot.writing import marker, record, write_journal
from ts_retry_ext.frontend.process import start_of
from ts_retry_ext.store.marker import write_marker
from ts_retry_ext.store.record import Event, Record
from ts_retry_ext.store.times import to_text
from ts_retry_ext.worker import waiter
from ts_retry_ext.worker.half_open import HalfOpen
from ts_retry_ext.worker.waiter import FIRST_WORD_SEC, Waiter

OWN = {"pid": os.getpid(), "start": start_of(os.getpid())}


def said(event: Event, ago: float, **fields: Any) -> Record:
    """Return what a worker that lives, this process, said so many seconds ago."""
    said_at = to_text(time.time() - ago)
    return record(event, 0.0)._replace(**{**OWN, "at": said_at, **fields})


def waiting(folder: Path, *records: Record) -> Waiter:
    directory = write_journal(folder / "m-1", *records)
    session: Any = Named(
        directory=str(directory),
        registration=str(folder),
        frontend=Named(pid=os.getpid(), start=start_of(os.getpid())),
        name="m",
        settings=Named(),
        retry_window=lambda: 10.0,
    )
    return Waiter(session)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiter, "INTERVAL", 0.01)


def looks(one: Waiter, monkeypatch: pytest.MonkeyPatch, times: int = 3) -> bool:
    """Let it look so many times, and tell whether it went on to the last."""
    left = iter(range(times))
    monkeypatch.setattr(Waiter, "_is_wanted", lambda self: next(left, None) is not None)
    one.run()
    return next(left, None) is None


def test_it_ends_once_a_worker_serves_though_that_one_has_removed_a_marker_since(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = [said(event, 5.0) for event in (Event.START, Event.LOAD, Event.LOADED, Event.RESUME)]
    assert not looks(waiting(tmp_path, *served), monkeypatch)


@pytest.mark.parametrize("event", [Event.START, Event.LOAD])
def test_it_gives_no_trial_load_while_a_worker_loads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, event: Event
) -> None:
    """Also where it has given some before, and the marker says that the next one is due."""
    one = waiting(tmp_path, record(Event.FAILURE, 0.0, pid=2, verdict="unknown"), said(event, 3.0))
    write_marker(one._session.directory, marker(next_trial_at=to_text(time.time() - 1.0)))
    given: list[str] = []
    monkeypatch.setattr(HalfOpen, "look", lambda self, marker: given.append(marker.model))
    one._half_open = HalfOpen(one._session, None, is_worker=False)
    assert looks(one, monkeypatch)
    assert given == []


def test_workers_that_may_load_again_have_a_minute_for_their_first_word(tmp_path: Path) -> None:
    """Before, it took their model for one that nobody loads, and loaded it a second time beside them."""
    failed = record(Event.FAILURE, 0.0, pid=2, rule=None, verdict="unknown")
    for ago, expected in ((1.0, False), (FIRST_WORD_SEC + 1.0, True)):
        resumed = said(Event.RESUME, ago, start=None, socket=None)
        assert waiting(tmp_path, failed, resumed)._is_given_up() is expected


def test_a_clock_that_was_set_back_expects_nobody(tmp_path: Path) -> None:
    failed = record(Event.FAILURE, 0.0, pid=2, rule=None, verdict="unknown")
    resumed = said(Event.RESUME, -3600.0, start=None, socket=None)
    assert waiting(tmp_path, failed, resumed)._is_given_up()

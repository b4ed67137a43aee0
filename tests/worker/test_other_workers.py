from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from ts_retry_ext.frontend.process import start_of
from ts_retry_ext.store import journal
from ts_retry_ext.store.record import Event, Record
from ts_retry_ext.worker.other_workers import Siblings

OWN, OTHER = "/tmp/.ts.sock.9000", "/tmp/.ts.sock.9001"
ALIVE = (os.getpid(), start_of(os.getpid()))
DEAD = (os.getpid(), "another boot-1")


@pytest.mark.parametrize(
    ("socket", "event", "process", "serves", "may_serve"),
    [
        (OTHER, Event.LOADED, ALIVE, True, True),
        (OTHER, Event.LOAD, ALIVE, False, True),
        (OTHER, Event.START, ALIVE, False, True),
        (OTHER, Event.FAILURE, ALIVE, False, False),
        (OTHER, Event.HOLD, ALIVE, False, False),
        (OTHER, Event.LOADED, DEAD, False, False),
        (OWN, Event.LOADED, ALIVE, False, False),
    ],
)
def test_only_another_living_worker_counts(
    tmp_path: Path,
    socket: str,
    event: Event,
    process: tuple[int, str],
    serves: bool,
    may_serve: bool,
) -> None:
    siblings = Siblings(str(tmp_path), OWN)
    assert not siblings.may_serve()
    pid, start = process
    journal.append(str(tmp_path), Record(event, pid=pid, start=start, socket=socket))
    assert (siblings.serve(), siblings.may_serve()) == (serves, may_serve)


def test_a_rank_of_the_same_launch_is_no_sibling(tmp_path: Path) -> None:
    pid, start = ALIVE
    journal.append(str(tmp_path), Record(Event.LOADED, "", pid, start, OTHER, launch=OWN))
    assert not Siblings(str(tmp_path), OWN).may_serve()


def test_news_in_the_journal_are_seen(tmp_path: Path) -> None:
    siblings = Siblings(str(tmp_path), OWN)
    pid, start = ALIVE
    for event, expected in ((Event.LOADED, True), (Event.FAILURE, False)):
        journal.append(str(tmp_path), Record(event, pid=pid, start=start, socket=OTHER))
        assert siblings.serve() is expected
        time.sleep(0.01)

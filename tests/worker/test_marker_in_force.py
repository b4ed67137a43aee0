from __future__ import annotations

import os

import pytest

from tests.snapshot.writing import record
from ts_retry_ext.frontend.process import start_of
from ts_retry_ext.store.record import Event, Record
from ts_retry_ext.store.times import to_seconds
from ts_retry_ext.worker.marker_in_force import has_served_beside, is_one_more, is_started_by_hand

OLD, OTHER, NEW = "/tmp/.ts.sock.9000", "/tmp/.ts.sock.9001", "/tmp/.ts.sock.9002"
GONE, ALIVE = (2**22 + 1, "gone"), (os.getpid(), start_of(os.getpid()) or "")


def by(socket: str, process: tuple[int, str], *events: Event) -> list[Record]:
    pid, start = process
    return [record(event, pid)._replace(pid=pid, start=start, socket=socket) for event in events]


FAILED = by(OLD, GONE, Event.START, Event.LOAD, Event.FAILURE)
HELD = by(OLD, GONE, Event.HOLD)


@pytest.mark.parametrize(
    ("records", "launch", "is_one"),
    [
        pytest.param([], NEW, False, id="the first worker of all"),
        pytest.param(FAILED, NEW, False, id="one of several, another has failed"),
        pytest.param(FAILED, OLD, False, id="the frontend's own retry"),
        pytest.param(by(OLD, ALIVE, Event.HOLD), NEW, False, id="one more beside a holder"),
        pytest.param(FAILED + HELD, OLD, False, id="a holder was killed"),
        pytest.param(FAILED + HELD, NEW, True, id="scaled to 0, its holder killed"),
        pytest.param(
            HELD + by(OLD, GONE, Event.RELEASE), NEW, True, id="scaled to 0, its holder ended"
        ),
        pytest.param(
            HELD + by(OLD, GONE, Event.RELEASE, Event.TRIED), NEW, True, id="during a trial"
        ),
        pytest.param(by(OTHER, GONE, Event.LOADED) + HELD, NEW, True, id="one of two had served"),
        pytest.param(
            HELD + by(OTHER, ALIVE, Event.START), NEW, False, id="the second of those started"
        ),
    ],
)
def test_a_worker_is_started_by_hand_if_it_is_new_and_all_others_are_gone(
    records: list[Record], launch: str, is_one: bool
) -> None:
    assert is_started_by_hand(records, launch) is is_one


@pytest.mark.parametrize(
    ("records", "after_sec", "is_one"),
    [
        pytest.param([], 60, False, id="the first worker of all"),
        pytest.param(HELD, 60, True, id="the other has held for a while"),
        pytest.param(HELD + by(OLD, GONE, Event.TRIED), 60, True, id="and has had a trial"),
        pytest.param(HELD, 5, False, id="they were registered together"),
        pytest.param(HELD + by(OTHER, ALIVE, Event.LOADED), 60, False, id="one serves"),
        pytest.param(HELD + by(NEW, GONE, Event.HOLD), 60, False, id="it is not new"),
    ],
)
def test_another_worker_is_a_reason_for_a_trial(
    records: list[Record], after_sec: float, is_one: bool
) -> None:
    now = max([to_seconds(r.at) for r in records], default=0.0) + after_sec
    assert is_one_more(records, NEW, now) is is_one


SERVED = by(OLD, GONE, Event.START, Event.LOAD, Event.LOADED)


def failed(verdict: str, phase: str = "initialize") -> list[Record]:
    (failure,) = by(OLD, GONE, Event.FAILURE)
    return [failure._replace(verdict=verdict, phase=phase)]


@pytest.mark.parametrize(
    ("records", "has"),
    [
        pytest.param([], False, id="nothing is known of it"),
        pytest.param(FAILED + HELD, False, id="it holds"),
        pytest.param(SERVED + by(OTHER, GONE, Event.FAILURE, Event.HOLD), True, id="it was killed"),
        pytest.param(SERVED + failed("unknown", "inference"), True, id="its death is written down"),
        pytest.param(SERVED + failed("non_recoverable", "inference"), True, id="of a request"),
        pytest.param(SERVED + failed("unknown"), True, id="nobody knows why it fails now"),
        pytest.param(SERVED + failed("non_recoverable"), False, id="it is halted itself"),
        pytest.param(SERVED + HELD, False, id="it served, and holds since"),
    ],
)
def test_a_worker_that_served_is_not_halted_by_what_others_failed_of(
    records: list[Record], has: bool
) -> None:
    assert has_served_beside(records, OLD) is has

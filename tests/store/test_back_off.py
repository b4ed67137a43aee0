from __future__ import annotations

import pytest

from tests.snapshot.writing import START, failure, record
from ts_retry_ext.store.back_off import (
    GRACE_SEC,
    LAUNCHER_GRACE_SEC,
    BackOff,
    DiedBy,
    back_off,
)
from ts_retry_ext.store.record import Event, Record

OTHER = "/tmp/.ts.sock.9001"


def dead_at(at: float) -> DiedBy:
    return lambda pid, start: START + at


def alive(pid: int, start: str) -> float | None:
    return None


def state(*records: Record, socket: str = "/tmp/.ts.sock.9000") -> BackOff:
    found = back_off(records, socket)
    assert found is not None
    return found


def test_worker_that_the_journal_does_not_know_has_no_back_off() -> None:
    assert back_off([], "/tmp/.ts.sock.9000") is None
    assert back_off([record(Event.START, 0, socket=OTHER)], "/tmp/.ts.sock.9000") is None


def test_worker_that_never_stopped_waits_a_second_after_its_first_stop() -> None:
    found = state(record(Event.START, 0), record(Event.LOAD, 2))

    assert (found.stops, found.first_stop_at, found.next_wait_sec) == (0, None, 1)
    assert not found.is_over(1, START + 1000)


def test_holder_stands_one_stop_into_the_schedule() -> None:
    found = state(record(Event.START, 0), failure(3), record(Event.HOLD, 4.1, 2))

    assert (found.stops, found.next_wait_sec) == (1, 1)
    assert found.first_stop_at == pytest.approx(START + 3.1)
    assert not found.is_over(10, START + 13)
    assert found.is_over(10, START + 13.2)


def test_window_begins_with_the_end_of_the_first_process_where_a_launcher_is_slow_to_start_the_next() -> None:  # fmt: skip
    holder = record(Event.HOLD, 27, 2)._replace(launcher=True)
    found = state(record(Event.START, 0), failure(4), holder)

    assert found.first_stop_at == pytest.approx(START + 4)
    assert found.is_over(10, START + 27)


def test_every_process_since_the_model_loaded_is_a_stop() -> None:
    found = state(
        *(record(Event.START, n, n) for n in (1, 2, 3, 4)),
        record(Event.LOADED, 5, 4),
        record(Event.START, 100, 5),
        failure(101, 5),
        record(Event.START, 102, 6),
    )

    # The process that had loaded stopped, and one after it: the wait is the third.
    assert (found.stops, found.next_wait_sec) == (2, 2)
    assert found.first_stop_at == pytest.approx(START + 99)


def test_resume_does_not_turn_the_schedule_back() -> None:
    found = state(
        record(Event.START, 0),
        failure(1),
        record(Event.HOLD, 2, 2),
        Record(Event.RESUME, "2020-09-13T12:26:43.000Z", pid=99),
        record(Event.RELEASE, 3, 2),
        record(Event.START, 4, 3),
    )

    assert (found.stops, found.next_wait_sec) == (2, 2)


def test_workers_of_one_model_are_told_apart() -> None:
    records = [
        record(Event.START, 0, 1),
        record(Event.START, 0, 2, OTHER),
        failure(1, 1),
        record(Event.START, 2, 3),
    ]

    assert state(*records).stops == 1
    assert state(*records, socket=OTHER).stops == 0


def test_crash_that_a_later_process_writes_down_is_no_word_of_the_dead_one() -> None:
    found = state(record(Event.START, 0, 1), record(Event.CRASH, 5, 1), record(Event.START, 5, 2))

    assert (found.stops, found.pid) == (1, 2)
    assert found.first_stop_at == pytest.approx(START + 4)


def test_frontend_has_given_up_when_the_last_stop_came_after_the_window() -> None:
    found = state(record(Event.START, 0), failure(1), record(Event.START, 2, 2), failure(4, 2))

    assert found.has_given_up(3, START + 4.1, dead_at(4))
    assert not found.has_given_up(3.1, START + 4.1, dead_at(4))
    assert not found.has_given_up(3, START + 4.1, alive)


def test_window_of_zero_gives_up_at_the_first_stop() -> None:
    assert state(record(Event.START, 0), failure(1)).has_given_up(0, START + 1.1, dead_at(1))


@pytest.mark.parametrize(
    ("died", "now", "given_up"),
    [
        (2, 2 + GRACE_SEC, False),
        (2, 4 + GRACE_SEC, True),
        (25, 25, False),
        (25, 27 + GRACE_SEC, True),
    ],
    ids=["due", "overdue", "died-long-after-its-last-word", "overdue-after-that"],
)
def test_a_retry_is_overdue_from_the_death_on_and_not_from_the_last_word(
    died: float, now: float, given_up: bool
) -> None:
    silent = state(record(Event.START, 0), record(Event.LOAD, 2))

    assert silent.has_given_up(300, START + now, dead_at(died)) is given_up


def test_a_retry_behind_a_launcher_may_come_later() -> None:
    silent = state(record(Event.START, 0, launcher=True), record(Event.LOAD, 2, launcher=True))

    assert not silent.has_given_up(300, START + 2 + LAUNCHER_GRACE_SEC, dead_at(2))
    assert silent.has_given_up(300, START + 4 + LAUNCHER_GRACE_SEC, dead_at(2))


@pytest.mark.parametrize(
    ("began", "now", "given_up"),
    [(3, 100, True), (3, 23, False)],
    ids=["no-death-in-the-window-is-retried-now", "one-in-the-window-is"],
)
def test_whoever_sees_only_that_it_is_dead_waits_for_the_last_retry_of_the_window(
    began: float, now: float, given_up: bool
) -> None:
    silent = state(record(Event.START, 0), record(Event.START, began, 2))

    assert silent.has_given_up(20, START + now, dead_at(now)) is given_up


def test_process_that_began_after_the_window_is_retried_no_more() -> None:
    silent = state(*(record(Event.START, at, pid) for pid, at in enumerate((0, 2, 25))))

    assert silent.has_given_up(20, START + 26, dead_at(26))


def test_serving_worker_that_is_killed_is_retried_however_long_it_served() -> None:
    served = state(record(Event.START, 0), record(Event.LOADED, 2))

    assert not served.has_given_up(300, START + 9000, dead_at(9000))
    assert served.has_given_up(0, START + 9000, dead_at(9000))

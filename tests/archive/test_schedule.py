from __future__ import annotations

import itertools

import pytest

from ts_retry_ext.archive.schedule import Schedule, is_open, retry_times, schedule, wait_before


def test_waits_are_those_of_torchserve_and_the_last_one_repeats() -> None:
    waits = [wait_before(retry) for retry in range(1, 20)]

    assert waits[:9] == [1, 1, 2, 3, 5, 8, 13, 21, 34]
    assert waits[15:] == [987, 1597, 1597, 1597]


def test_retries_are_counted_from_one() -> None:
    with pytest.raises(ValueError, match="counted from 1"):
        wait_before(0)


@pytest.mark.parametrize(
    ("window_sec", "load_sec", "expected"),
    [
        (300, 0.0, Schedule(12, 376.0)),  # measured: 13 starts with a syntax error
        (0, 0.0, Schedule(0, None)),
        (-1294967.296, 0.0, Schedule(0, None)),  # an overflow
        (0.704, 0.0, Schedule(1, 1.0)),  # an overflow that leaves a little
        (1, 0.0, Schedule(1, 1.0)),  # the stop at 1 s is not inside a window of 1 s
        (1.001, 0.0, Schedule(2, 2.0)),
        (10, 0.0, Schedule(5, 12.0)),
        (300, 1.7, Schedule(12, 376 + 11 * 1.7)),
        (300, 1000.0, Schedule(1, 1.0)),
        (10000, 0.0, Schedule(21, 10568.0)),
    ],
)
def test_window_is_compared_at_the_moment_of_a_stop(
    window_sec: float, load_sec: float, expected: Schedule
) -> None:
    planned = schedule(window_sec, load_sec)

    assert planned.retries == expected.retries
    assert planned.last_retry_at_sec == (
        None if expected.last_retry_at_sec is None else pytest.approx(expected.last_retry_at_sec)
    )


def test_window_is_open_until_it_has_passed_and_never_when_it_is_zero() -> None:
    assert is_open(9.999, 10)
    assert not is_open(10, 10)
    assert not is_open(0, 0)


def test_every_retry_but_the_first_starts_after_the_load_before_it_and_the_wait() -> None:
    times = list(itertools.islice(retry_times(300, 2.0), 4))

    assert times == [1.0, 4.0, 8.0, 13.0]


def test_negative_load_duration_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot take"):
        schedule(300, -1.0)

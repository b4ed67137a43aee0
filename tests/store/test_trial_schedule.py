from __future__ import annotations

from itertools import count

import pytest

from ts_retry_ext.settings import SETTINGS
from ts_retry_ext.store.trial_schedule import (
    ELSEWHERE,
    FILES,
    LENGTHS_BETWEEN,
    PACKAGES,
    RESUME,
    TIME,
    Pace,
    next_interval,
)

_DEFAULTS = {setting.name: setting.default for setting in SETTINGS}
FIRST: float = _DEFAULTS["first_trial"]
LONGEST: float = _DEFAULTS["longest_trial_interval"]


def interval(
    waits_for: tuple[str, ...] = (FILES, TIME),
    *,
    trials: int = 0,
    took_sec: float = 0.0,
    down_sec: float = 0.0,
    first_sec: float = FIRST,
    longest_sec: float = LONGEST,
    spread: float = 0.0,
) -> float | None:
    return next_interval(
        waits_for,
        trials=trials,
        took_sec=took_sec,
        down_sec=down_sec,
        first_sec=first_sec,
        longest_sec=longest_sec,
        spread=spread,
    )


def trial_times(until: float, *, halted_at: float = 8.0, took_sec: float = 2.0) -> list[float]:
    """Return when trials of a model begin that fails for `until` seconds, the outage at 0."""
    times: list[float] = []
    now, took = halted_at, 0.0
    for trials in count():
        pause = interval(trials=trials, took_sec=took, down_sec=now)
        assert pause is not None
        now += pause
        times.append(now)
        if now >= until:
            return times
        now, took = now + took_sec, took_sec
    raise AssertionError


@pytest.mark.parametrize(
    ("waits_for", "expected"),
    [
        ((FILES, TIME), FIRST),
        ((FILES, PACKAGES, ELSEWHERE), 300.0),
        ((FILES, PACKAGES), None),
        ((RESUME,), None),
        ((), None),
    ],
)
def test_how_strong_the_evidence_is_decides_when_the_first_trial_comes(
    waits_for: tuple[str, ...], expected: float | None
) -> None:
    assert interval(waits_for) == expected


def test_intervals_double_up_to_the_longest_one() -> None:
    long_down = 1e6
    found = [interval(trials=n, down_sec=long_down) for n in (0, 1, 2, 3, 4, 5, 6, 60)]
    assert found == [10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 600.0, 600.0]


def test_a_cause_elsewhere_is_tried_from_five_minutes_to_an_hour() -> None:
    found = [interval((ELSEWHERE,), trials=n) for n in range(6)]
    assert found == [300.0, 600.0, 1200.0, 2400.0, 3600.0, 3600.0]


def test_an_interval_is_twenty_times_the_length_of_the_last_trial() -> None:
    assert interval(trials=1, took_sec=10.0, down_sec=1e6) == LENGTHS_BETWEEN * 10.0
    assert interval(trials=1, took_sec=100.0, down_sec=1e6) == LONGEST


@pytest.mark.parametrize("outage", [20, 25, 30, 45, 60, 75, 120, 300, 590])
def test_a_model_is_tried_at_the_latest_half_as_long_after_an_outage_as_it_lasted(
    outage: float,
) -> None:
    assert trial_times(outage)[-1] <= 1.5 * outage


def test_other_paces_can_be_compared_with_the_one_in_force() -> None:
    found = next_interval(
        (TIME,),
        trials=3,
        took_sec=0.0,
        down_sec=100.0,
        first_sec=FIRST,
        longest_sec=LONGEST,
        spread=0.0,
        pace=Pace(share_of_downtime=0.25, lengths_between=0.0),
    )
    assert found == 25.0


@pytest.mark.parametrize(("outage", "most"), [(60, 4), (75, 4), (300, 8), (3600, 17)])
def test_an_outage_costs_few_trials(outage: float, most: int) -> None:
    assert len(trial_times(outage)) <= most


def test_zero_means_no_trials_by_time() -> None:
    assert interval(first_sec=0.0) is None
    assert interval((ELSEWHERE,), first_sec=0.0) is None


def test_intervals_are_spread_by_a_tenth_at_most() -> None:
    assert [interval(spread=s) for s in (-1.0, 0.0, 1.0, 7.0)] == [9.0, 10.0, 11.0, 11.0]


def test_a_clock_that_went_backwards_does_not_bring_trials_any_faster() -> None:
    assert interval(trials=3, down_sec=-1000.0) == FIRST

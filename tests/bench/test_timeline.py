"""When models are loaded during an outage, computed from what decides in the product."""

from __future__ import annotations

import pytest

from bench.schedules import score
from bench.timeline import Case, Course, Plan, alone, with_package


def test_torchserve_alone_follows_its_series_and_then_gives_up() -> None:
    # Starts at 0, 3 s after a load of 2 s and a wait of 1 s, then 6, 10 and 15.
    assert alone(Case(outage_sec=6.5, load_sec=2.0)) == Course(5.5, 4)
    assert alone(Case(outage_sec=600.0, load_sec=2.0)).delay_sec is None
    assert alone(Case(outage_sec=60.0, load_sec=2.0, window_sec=10)).delay_sec is None


def test_a_known_failure_is_left_to_torchserve_inside_its_window() -> None:
    for outage in (5.0, 60.0, 300.0):
        case = Case(outage, 2.0, is_known=True)
        assert with_package(case) == alone(case)


def test_an_unknown_one_has_three_loads_then_trials_then_the_real_load() -> None:
    # The third failure comes at 8 s, the trial after 10 s, and the real one 3 s after it.
    assert with_package(Case(outage_sec=9.0, load_sec=2.0)) == Course(18 + 2 + 3 + 2 - 9.0, 5)


@pytest.mark.parametrize("is_known", [True, False])
@pytest.mark.parametrize("window", [0, 10, 300])
@pytest.mark.parametrize("outage", [20.0, 60.0, 600.0, 3600.0, 86_400.0])
def test_with_the_package_every_model_serves_again(
    outage: float, window: int, is_known: bool
) -> None:
    course = with_package(Case(outage, 2.0, window, is_known), spread=1.0)
    assert course.delay_sec is not None
    assert course.delay_sec <= min(outage, 660.0) + 10.0


def test_without_trials_by_time_it_serves_no_more() -> None:
    assert with_package(Case(600.0, 2.0), Plan(first_sec=0.0)).delay_sec is None


@pytest.mark.parametrize("load_sec", [1.0, 3.0])
def test_the_schedule_in_force_keeps_what_decision_48_says(load_sec: float) -> None:
    found = score(load_sec, Plan())
    assert found.longest_delay <= 1.0
    assert found.minute_loads <= 9
    assert found.loads < found.loads_alone
    assert found.survived == 1.0

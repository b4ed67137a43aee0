"""What journals and the budget say about trial loads, and what becomes of the figures."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import waiting_fleet
from bench.trials_seen import (
    Spending,
    Trial,
    charged,
    longest_pauses,
    most_at_once,
    trials_of,
)
from ts_retry_ext.store.record import Event, Record, TrialResult
from ts_retry_ext.store.times import to_text
from ts_retry_ext.store.trial_budget import CAPACITY_SEC, charge


def trial(begun_at: float, ended_at: float) -> Trial:
    return Trial("m", begun_at, ended_at, loaded=False)


def test_a_trial_has_two_records_and_a_load_for_real_only_one() -> None:
    records = [
        Record(Event.TRIAL, at=to_text(100.0)),
        Record(Event.TRIED, at=to_text(103.0), result=TrialResult.FAILED),
        Record(Event.TRIAL, at=to_text(200.0)),
        Record(Event.LOADED, at=to_text(204.0)),
    ]
    assert trials_of("m", records) == [trial(100.0, 103.0)]


@pytest.mark.parametrize(
    ("spans", "expected"),
    [([], 0), ([(0, 1), (1, 2)], 1), ([(0, 2), (1, 3)], 2), ([(0, 9), (1, 2), (3, 4)], 2)],
)
def test_trials_at_the_same_time_are_counted(
    spans: list[tuple[float, float]], expected: int
) -> None:
    assert most_at_once(trial(*span) for span in spans) == expected


def test_the_longest_pause_of_a_model_without_a_trial_is_the_whole_time() -> None:
    assert longest_pauses({"a": [trial(30, 31)], "b": []}, 0.0, 100.0) == [70.0, 100.0]


def test_what_was_charged_is_what_is_missing_after_the_budget_has_filled() -> None:
    assert charged(before=10.0, passed_sec=120.0, after=12.0) == pytest.approx(8.0)
    assert charged(before=CAPACITY_SEC, passed_sec=1e6, after=CAPACITY_SEC - 2) == 2.0


def test_spending_adds_up_what_trials_are_charged(tmp_path: Path) -> None:
    spending = Spending(str(tmp_path))
    spending.look()
    for cost in (3.0, 4.0):
        charge(str(tmp_path), cost)
        spending.look()
    assert spending.spent_sec == pytest.approx(7.0, abs=0.01)


def test_the_table_says_how_many_came_back_where_not_all_did() -> None:
    found = {
        "common": 2, "different": 1, "failures": 2, "watched_sec": 600.0, "trials_common": 9,
        "trials_different": 4, "spent_sec": 30.0, "fewest": 4, "most": 4, "longest_pause_sec": 210.0,
        "most_at_once": 1, "back_sec": [5.0], "again_sec": [2.0, 3.0], "peak_mb": 900.0, "peak_load": 3.0,
    }  # fmt: skip
    rows = {row[0]: row[1] for row in waiting_fleet.table(found).rows}
    assert rows["the same, of one core"] == "5.0 %"
    budget = rows["the most that the budget lets them have, in this time and in half an hour"]
    assert budget == "12.5 %, 9.7 %"
    assert rows["all 2 serve after"] == "1 of 2 within 900 s"
    assert rows["2 loads at once, by registering them, take"] == "3 s"

from __future__ import annotations

import json
import random
import time
from pathlib import Path

import pytest

from ts_retry_ext.store.trial_budget import (
    BUDGET_FILE,
    CAPACITY_SEC,
    MAX_GROUPS,
    OVERDUE_SEC,
    REFILL_PER_SEC,
    RESERVE_SEC,
    charge,
    credit,
    is_its_turn,
    least_credit,
)


def test_a_server_begins_with_a_full_bucket(tmp_path: Path) -> None:
    assert credit(str(tmp_path)) == CAPACITY_SEC


def test_what_trials_cost_is_taken_out_of_the_bucket_until_nothing_is_left(tmp_path: Path) -> None:
    charge(str(tmp_path), 30.0)
    assert credit(str(tmp_path)) == pytest.approx(CAPACITY_SEC - 30.0, abs=1.0)
    charge(str(tmp_path), 60.0)
    assert credit(str(tmp_path)) < 0


def test_the_bucket_fills_with_time(tmp_path: Path) -> None:
    charge(str(tmp_path), CAPACITY_SEC)
    path = tmp_path / BUDGET_FILE
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "at": content["at"] - 100.0}))
    assert credit(str(tmp_path)) == pytest.approx(100.0 * REFILL_PER_SEC, abs=1.0)
    path.write_text(json.dumps({**content, "at": content["at"] - 1e9}))
    assert credit(str(tmp_path)) == CAPACITY_SEC


def test_trials_of_half_an_hour_take_a_tenth_of_one_core() -> None:
    half_an_hour = 1800.0
    assert CAPACITY_SEC + REFILL_PER_SEC * half_an_hour <= 0.1 * half_an_hour


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"schema": 2, "level": 0, "at": 0}', b'{"schema": 1, "level": "x"}'],
)
def test_a_spoilt_file_is_no_reason_not_to_try(tmp_path: Path, content: bytes) -> None:
    (tmp_path / BUDGET_FILE).write_bytes(content)
    assert credit(str(tmp_path)) == CAPACITY_SEC


def test_a_clock_that_was_restarted_neither_fills_nor_empties_the_bucket(tmp_path: Path) -> None:
    later = {"schema": 1, "level": 5.0, "at": time.monotonic() + 1e6}
    (tmp_path / BUDGET_FILE).write_text(json.dumps(later))
    assert credit(str(tmp_path)) == 5.0


def test_a_trial_needs_less_credit_the_longer_it_is_overdue_and_always_more_than_none() -> None:
    needed = [least_credit(overdue) for overdue in (-5.0, 0.0, OVERDUE_SEC / 2, OVERDUE_SEC, 1e9)]
    assert needed == [RESERVE_SEC, RESERVE_SEC, RESERVE_SEC / 2, 0.0, 0.0]


def test_fifty_models_that_wait_for_different_things_have_their_turns_in_order() -> None:
    assert longest_without_trial(models=50, cost_sec=1.7, hours=4) < 1300.0


@pytest.mark.parametrize(
    "groups", [[], {"f": 3}, {"f": {"at": "x", "models": 2}}, {"f": {"at": 1.0}}], ids=str
)
def test_spoilt_groups_hold_no_trial_up(tmp_path: Path, groups: object) -> None:
    content = {"schema": 1, "level": 5.0, "at": time.monotonic(), "groups": groups}
    (tmp_path / BUDGET_FILE).write_text(json.dumps(content))
    assert is_its_turn(str(tmp_path), "f", 0.0)
    charge(str(tmp_path), 1.0, "f", 2)
    assert json.loads((tmp_path / BUDGET_FILE).read_text())["groups"]["f"]["models"] == 2


def test_the_groups_that_had_a_trial_last_are_remembered(tmp_path: Path) -> None:
    for number in range(MAX_GROUPS + 2):
        charge(str(tmp_path), 0.0, f"f{number}", 2)
    charge(str(tmp_path), 0.0, "f5", 1)  # alone by now
    known = json.loads((tmp_path / BUDGET_FILE).read_text())["groups"]
    assert sorted(known) == sorted(f"f{n}" for n in range(2, MAX_GROUPS + 2) if n != 5)


def test_models_that_wait_for_the_same_thing_have_a_trial_every_minute_in_a_crowd(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """25 of 50 models wait for one thing, and the others each for its own."""
    tried = trials_of_a_crowd(tmp_path, monkeypatch, common=25, different=25, cost_sec=2.0)
    common = [at for at, model in tried if model < 25]
    assert max(b - a for a, b in zip(common, common[1:])) < 80.0
    others = {model for _, model in tried if model >= 25}
    assert len(others) == 25


def trials_of_a_crowd(
    server_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    common: int,
    different: int,
    cost_sec: float,
) -> list[tuple[float, int]]:
    """Return when which model had a trial in the hour after the bucket was empty, the common ones first.

    Each looks every half to three seconds, and is due five minutes after its last trial.
    """
    chance, now, free_at = random.Random(1), 1000.0, 0.0
    monkeypatch.setattr("ts_retry_ext.store.trial_budget.time.monotonic", lambda: now)
    charge(str(server_dir), CAPACITY_SEC)
    models = range(common + different)
    looks = [now + chance.uniform(0.0, 3.0) for _ in models]
    due, tried = [now] * len(models), []
    while now < 4600.0:
        one = min(models, key=looks.__getitem__)
        now = looks[one]
        name, group = ("same", common) if one < common else (f"own{one}", 1)
        if now >= max(free_at, due[one]) and is_its_turn(str(server_dir), name, now - due[one]):
            charge(str(server_dir), cost_sec, name, group)
            tried.append((now, one))
            free_at, due[one] = now + 3.0, now + 300.0
        looks[one] = now + chance.uniform(0.5, 3.0)
    return tried


def longest_without_trial(models: int, cost_sec: float, hours: int) -> float:
    """Return the longest time of any model without a trial, in seconds, the bucket empty at first.

    Each looks every half to three seconds, and is due ten minutes after its last trial.
    """
    chance = random.Random(1)
    level = now = longest = free_at = 0.0
    looks = [chance.uniform(0.0, 3.0) for _ in range(models)]
    due, last = [0.0] * models, [0.0] * models
    while now < hours * 3600.0:
        one = min(range(models), key=looks.__getitem__)
        level, now = level + REFILL_PER_SEC * (looks[one] - now), looks[one]
        overdue = now - due[one]
        if now >= free_at and overdue >= 0 and level > least_credit(overdue):
            longest = max(longest, now - last[one])
            level, free_at = level - cost_sec, now + 3.0
            last[one], due[one] = now, now + 600.0
        looks[one] = now + chance.uniform(0.5, 3.0)
    return max(longest, now - min(last))

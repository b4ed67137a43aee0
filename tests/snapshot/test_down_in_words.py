from __future__ import annotations

import time
from dataclasses import replace

import pytest

from tests.snapshot.test_model import RECORDS, status
from tests.snapshot.writing import START, failure, marker, record
from ts_retry_ext.snapshot.down_in_words import (
    facts_of,
    local_time,
    next_trial,
    next_trial_in_full,
    state_since,
    trials_in_words,
    waits_for,
    what_ends_it,
)
from ts_retry_ext.snapshot.model import ModelStatus
from ts_retry_ext.snapshot.state import State
from ts_retry_ext.store.record import Event, Record, TrialResult
from ts_retry_ext.store.times import to_text

NOW = START + 100
TRIAL = record(Event.TRIAL, 90, reason="its time has come")
TRIED = failure(95)._replace(event=Event.TRIED, result=TrialResult.FAILED)
LOADED = record(Event.TRIED, 95, result=TrialResult.LOADED)


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


def waiting(*records: Record, ahead: float | None = 42.0) -> ModelStatus:
    planned = None if ahead is None else to_text(NOW + ahead)
    stops = marker(waits_for=("files", "packages", "time"), next_trial_at=planned)
    return status(failure(1), *records, stops=stops, state=State.WAITING)


@pytest.mark.parametrize(
    ("model", "short", "full"),
    [
        (waiting(), "in 42 s", "at 12:29:02 UTC, in 42 s"),
        (waiting(TRIAL, TRIED), "in 42 s", "at 12:29:02 UTC, in 42 s"),
        (waiting(TRIAL), "running", "running since 12:28:10 UTC"),
        (waiting(ahead=-2.0), "now", "at 12:28:18 UTC, now"),
        (waiting(TRIAL, record(Event.RESUME, 96), ahead=None), None, None),
        (status(failure(1)), None, None),
    ],
)
def test_next_trial_is_told_with_the_time_of_the_day_and_how_far_ahead_it_is(
    model: ModelStatus, short: str | None, full: str | None
) -> None:
    assert (next_trial(model, NOW), next_trial_in_full(model, NOW)) == (short, full)


@pytest.mark.parametrize(
    ("records", "words"),
    [
        ((), None),
        ((TRIAL,), None),
        ((TRIAL, TRIED), "1, which failed at 12:28:15 UTC, 5 s ago"),
        ((TRIAL, TRIED, TRIAL, LOADED), "2, the last one succeeded at 12:28:15 UTC, 5 s ago"),
    ],
)
def test_trials_are_counted_and_the_last_one_is_told(
    records: tuple[Record, ...], words: str | None
) -> None:
    assert trials_in_words(waiting(*records), NOW) == words


def test_state_is_told_with_since_when() -> None:
    assert state_since(waiting(), NOW) == "waiting since 12:26:40 UTC, 100 s ago"
    assert state_since(status(failure(1)), NOW) == "recovering"


def test_what_it_waits_for_leaves_time_out() -> None:
    assert waits_for(waiting()) == "the model's files, the packages of its environment"
    assert waits_for(status(failure(1))) is None
    assert what_ends_it(status(failure(1)), NOW) is None


def test_model_that_is_only_observed_waits_for_somebody_once_the_window_is_over() -> None:
    observed = status(failure(1), stops=marker(action="observe", waits_for=("files", "time")))
    words = "It waits for somebody to resume it."
    assert what_ends_it(replace(observed, gave_up=True), NOW) == words
    assert what_ends_it(replace(status(failure(1)), gave_up=True), NOW) == words
    assert what_ends_it(observed, NOW) != words


def test_a_time_of_another_day_has_its_day() -> None:
    assert local_time(to_text(START), START + 60) == "12:26:40 UTC"
    assert local_time(to_text(START), START + 86_400) == "2020-09-13 12:26:40 UTC"


def test_facts_of_a_halted_model_say_since_when_it_waits_for_what_and_until_when() -> None:
    waits = marker(waits_for=("files", "path:/mnt/x"), next_trial_at=to_text(START + 75))
    facts = facts_of(status(*RECORDS, stops=waits, state=State.HALTED), START + 60)
    assert facts["decided by"] == "rule syntax-error"
    assert facts["since"].endswith(", 60 s ago")
    assert facts["waits for"] == "/mnt/x to appear or change, the model's files"
    assert facts["next trial"].endswith(", in 15 s")
    assert list(facts)[:4] == ["since", "next trial", "waits for", "verdict"]


def test_what_is_not_known_has_no_line() -> None:
    facts = facts_of(status(*RECORDS, state=State.UNKNOWN), START + 60)
    assert "since" not in facts
    assert "waits for" not in facts
    assert "trials" not in facts

from __future__ import annotations

import pytest

from ts_retry_ext.store.failures_in_a_row import (
    crashes_in_a_row,
    decided_in_a_row,
    failures_in_a_row,
    identical_failures,
)
from ts_retry_ext.store.journal_totals import summarise, summary_of
from ts_retry_ext.store.record import Event, Record, TrialResult
from ts_retry_ext.store.worker_states import holders_of, unfinished_loads


def records(text: str) -> list[Record]:
    """Read ``event[@worker][=fingerprint]`` words as journal records, a process each worker-run."""
    found = []
    runs: dict[str, int] = {}
    for number, word in enumerate(text.split()):
        rest, _, fingerprint = word.partition("=")
        event, _, worker = rest.partition("@")
        worker = worker or "a"
        if event in ("start", "hold"):
            runs[worker] = number
        found.append(
            Record(
                event=Event(event),
                at=f"2026-11-23T16:00:{number:02d}.000Z",
                socket=worker,
                pid=runs.get(worker, 0),
                start=str(runs.get(worker, 0)),
                fingerprint=fingerprint or None,
            )
        )
    return found


@pytest.mark.parametrize(
    ("text", "fingerprint", "identical", "crashes"),
    [
        ("", "f", 0, 0),
        ("start load failure=f", "f", 1, 0),
        ("start load failure=f start load failure=f", "f", 2, 0),
        ("start load failure=f start load failure=g", "f", 0, 0),
        ("start load failure=g start load failure=f", "f", 1, 0),
        ("start load failure=f start load loaded start", "f", 0, 0),
        ("start load failure=f resume start", "f", 0, 0),
        ("start load failure=f start load crash start", "f", 0, 1),
        ("start load crash start load crash start", "f", 0, 2),
        ("start load crash start load failure=f start", "f", 1, 0),
        ("start load failure=f start load end start", "f", 1, 0),
        ("start@b load@b failure@b=f start@b load@b failure@b=f", "f", 0, 0),
        ("start load failure=f start@b load@b loaded@b", "f", 1, 0),
        ("start load failure=f start@b load@b failure@b=f", "f", 1, 0),
    ],
)
def test_runs_are_counted_for_one_worker_since_it_loaded_or_was_resumed(
    text: str, fingerprint: str, identical: int, crashes: int
) -> None:
    failures = failures_in_a_row(records(text), "a")
    assert identical_failures(failures, fingerprint) == identical
    assert crashes_in_a_row(failures) == crashes


@pytest.mark.parametrize(
    ("text", "open_workers"),
    [
        ("", []),
        ("start", [("a", False)]),
        ("start load", [("a", True)]),
        ("start load loaded", []),
        ("start load failure=f", []),
        ("start end", []),
        ("hold", []),
        ("start load crash", []),
        ("start load start@b", [("a", True), ("b", False)]),
        ("start load resume", [("a", True)]),
    ],
)
def test_an_attempt_is_open_until_its_process_says_how_it_ended(
    text: str, open_workers: list[tuple[str, bool]]
) -> None:
    found = [(attempt.socket, attempt.loading) for attempt in unfinished_loads(records(text))]
    assert found == open_workers


def test_totals_count_processes_loads_and_failures() -> None:
    history = summarise(
        records("start load failure=f start load crash hold release start load loaded")
    )
    assert (history.worker_starts, history.loads, history.failures) == (4, 3, 2)
    assert history.first_failure == "2026-11-23T16:00:02.000Z"
    assert history.last_failure is not None
    assert history.last_failure.event is Event.CRASH
    assert history.loaded


def test_an_empty_journal_has_an_empty_history() -> None:
    history = summarise([])
    assert history == (None, None, 0, 0, 0, None, None, False, 0)


@pytest.mark.parametrize(
    ("rules", "rule", "expected"),
    [
        (["a", "a", "b", "a"], "a", 2),
        (["b", "a"], "a", 0),
        ([None, None], None, 0),
        ([], "a", 0),
    ],
)
def test_failures_that_one_rule_decided_are_counted_from_the_newest(
    rules: list[str | None], rule: str | None, expected: int
) -> None:
    assert decided_in_a_row([Record(Event.FAILURE, rule=each) for each in rules], rule) == expected


def test_trial_loads_are_counted_as_loads_and_those_that_failed_as_failures() -> None:
    process = Record(Event.HOLD, "2026-11-23T16:00:09.000Z", 7, "7", "a")
    results = (TrialResult.FAILED, TrialResult.LATE, TrialResult.ERROR, TrialResult.LOADED)
    tried = [process._replace(event=Event.TRIED, result=result) for result in results]
    found = summarise([*records("start load failure=f"), process, *tried])
    assert (found.worker_starts, found.loads, found.failures, found.trials) == (2, 5, 3, 4)
    assert found.last_failure == tried[1]
    assert not found.loaded


def test_totals_stay_when_records_have_given_way_to_a_summary() -> None:
    process = Record(Event.HOLD, "2026-11-23T16:00:09.000Z", 7, "7", "a")
    tried = process._replace(event=Event.TRIED, result=TrialResult.FAILED)
    whole = [*records("start load failure=f start load loaded"), process, tried, tried]
    for cut in range(len(whole)):
        kept = [summary_of(whole[:cut]), *whole[cut:]]
        assert summarise(kept)._replace(last_failure=None, loaded=False) == (
            summarise(whole)._replace(last_failure=None, loaded=False)
        )


def test_a_process_that_makes_trial_loads_holds_and_has_no_open_attempt() -> None:
    trial = [Record(Event.TRIAL, "2026-11-23T16:00:09.000Z", 7, "7", "a")]
    assert holders_of(trial) == {7}
    assert not unfinished_loads(trial)

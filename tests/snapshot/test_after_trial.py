from __future__ import annotations

import pytest

from tests.snapshot.writing import START, failure, marker, record
from ts_retry_ext.snapshot.after_trial import (
    down_since,
    marker_after_failure,
    marker_to_be_resumed,
    wait_for_the_same,
    with_next_trial,
)
from ts_retry_ext.store.record import Event, Record
from ts_retry_ext.store.times import to_seconds

WEAK = marker(
    verdict="non_recoverable",
    basis="repeated",
    rule=None,
    fingerprint="a" * 16,
    failures=3,
    waits_for=("files", "time"),
)


def of_trial(**fields: object) -> Record:
    return failure(0, verdict="unknown", basis="none", rule=None)._replace(**fields)  # type: ignore[arg-type]


def test_the_same_failure_goes_on_being_counted() -> None:
    seen = of_trial(fingerprint="a" * 16, reason="No rule knows this failure.")
    after = marker_after_failure(WEAK, seen)
    assert (after.basis, after.failures, after.trials) == ("repeated", 4, 1)
    assert after.reason == "It failed the same way 4 times in a row."


def test_the_same_failure_keeps_its_hints() -> None:
    hint = "Probably final: the text says 'unsupported'."
    seen = of_trial(fingerprint="a" * 16, reason=f"No rule knows this failure. {hint}")
    assert marker_after_failure(WEAK, seen).reason == (
        f"It failed the same way 4 times in a row. {hint}"
    )


def test_another_failure_is_judged_by_itself_and_counted_from_one() -> None:
    final = of_trial(
        verdict="non_recoverable", basis="rule", rule="name-error", waits_for=("files",)
    )
    after = marker_after_failure(WEAK, final)
    assert (after.basis, after.rule, after.failures) == ("rule", "name-error", 1)
    assert after.waits_for == ("files",)
    back = marker_after_failure(after, of_trial(waits_for=("files", "time")))
    assert (back.verdict, back.trials, back.waits_for) == ("unknown", 2, ("files", "time"))


def test_a_trial_that_says_nothing_of_the_model_changes_nothing_but_the_count() -> None:
    assert marker_after_failure(WEAK, None) == WEAK._replace(trials=1)


@pytest.mark.parametrize(("waits_for", "comes"), [(("files", "time"), True), (("files",), False)])
def test_the_next_trial_is_planned_where_one_comes_by_time(
    waits_for: tuple[str, ...], comes: bool
) -> None:
    planned = with_next_trial(
        WEAK._replace(waits_for=waits_for, trials=1),
        now=START + 100,
        down_since=START,
        took_sec=1.0,
        first_sec=15.0,
        longest_sec=600.0,
        spread=0.0,
    )
    assert (planned.next_trial_at is not None) == comes
    if planned.next_trial_at is not None:
        assert to_seconds(planned.next_trial_at) - START - 100 == pytest.approx(30.0, abs=0.01)


def test_downtime_begins_with_the_first_failure_since_the_model_last_served() -> None:
    records = [failure(1), record(Event.LOADED, 5), failure(9), failure(12)]
    assert down_since(records, 0.0) == START + 9
    assert down_since(records[:2], 7.0) == 7.0


@pytest.mark.parametrize(
    ("ours", "theirs", "called"),
    [
        ({"waits_for": ("files", "time")}, {"waits_for": ("files", "time")}, True),
        ({"waits_for": ("files", "time")}, {"waits_for": ("files", "elsewhere")}, True),
        # What only a change of its own files can cure is no better for another model's repair.
        ({"waits_for": ("files",)}, {"waits_for": ("files",)}, False),
        ({"waits_for": ("files", "module:acme")}, {"waits_for": ("files", "module:acme")}, False),
        ({"waits_for": ("files", "path:/mnt/x")}, {"waits_for": ("files", "path:/mnt/x")}, True),
        ({"waits_for": ("files", "path:/mnt/x")}, {"waits_for": ("files", "path:/mnt/y")}, False),
        (
            {"waits_for": ("time", "address:db:5432")},
            {"waits_for": ("time", "address:db:5432"), "fingerprint": "b" * 16},
            True,
        ),
        (
            {"waits_for": ("files", "time")},
            {"waits_for": ("files", "time"), "fingerprint": "b" * 16},
            False,
        ),
    ],
)
def test_models_that_wait_for_the_same_are_called(
    ours: dict[str, object], theirs: dict[str, object], called: bool
) -> None:
    other = WEAK._replace(**theirs)  # type: ignore[arg-type]
    found = wait_for_the_same(WEAK._replace(**ours), [("/state/other", other)])  # type: ignore[arg-type]
    assert [directory for directory, _ in found] == (["/state/other"] if called else [])


@pytest.mark.parametrize(
    ("tried", "said"), [(True, "A trial load succeeded"), (False, "It was to")]
)
def test_what_nobody_may_start_says_what_was_seen_and_who_can(tried: bool, said: str) -> None:
    asked = marker_to_be_resumed(WEAK, "no key", "2026-11-26T00:00:00.000Z", tried=tried)
    assert asked.waits_for == ("resume",)
    assert asked.reason.startswith(said)
    assert "no key" in asked.reason
    assert asked.remedy.startswith("Run ts-retry resume m")

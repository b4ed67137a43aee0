from __future__ import annotations

from tests.snapshot.test_model import RECORDS, status
from tests.snapshot.writing import marker
from ts_retry_ext.snapshot.model_facts import facts_of
from ts_retry_ext.snapshot.state import State


def test_facts_of_a_halted_model_say_since_when_it_waits_for_what_and_until_when() -> None:
    waits = marker(waits_for=("the files of the model",), next_trial_at="2026-11-23T16:00:15.000Z")
    facts = facts_of(status(*RECORDS, stops=waits, state=State.HALTED))
    assert facts["decided by"] == "rule syntax-error"
    assert facts["since"] == waits.created_at
    assert facts["waits for"] == "the files of the model"
    assert facts["next trial"] == "2026-11-23T16:00:15.000Z"
    assert list(facts)[:4] == ["verdict", "decided by", "reason", "remedy"]


def test_what_is_not_known_has_no_line() -> None:
    facts = facts_of(status(*RECORDS))
    assert "since" not in facts
    assert "waits for" not in facts
    assert "trials" not in facts

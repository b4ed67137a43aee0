from __future__ import annotations

from tests.snapshot.test_model import RECORDS, status
from tests.snapshot.writing import START, marker
from ts_retry_ext.snapshot.model_facts import facts_of
from ts_retry_ext.snapshot.state import State
from ts_retry_ext.store.times import to_text


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

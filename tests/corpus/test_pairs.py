"""Where rules of different verdicts match one failure, the first was chosen on purpose."""

from __future__ import annotations

from tests.corpus.decided_pairs import DECIDED
from tests.corpus.pairs import pairs


def test_every_pair_of_rules_that_disagree_was_decided_on_purpose() -> None:
    found = {first: set(later) for first, later in pairs().items()}
    new = {first: later - DECIDED.get(first, set()) for first, later in found.items()}
    assert not {first: later for first, later in new.items() if later}, (
        "look at them with python -m tests.corpus.pairs, then add them to decided_pairs.py"
    )
    gone = {first: later - found.get(first, set()) for first, later in DECIDED.items()}
    assert not {first: later for first, later in gone.items() if later}, "no failure shows them"

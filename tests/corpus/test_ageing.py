"""What is kept of who wrote a rule's words names rules and rows that there are."""

from __future__ import annotations

import json

from tests.corpus.ageing import KEPT, ROWS, aged
from ts_retry_ext.judge.builtin import BUILTIN_RULES


def test_what_is_kept_names_rules_and_rows_that_there_are() -> None:
    kept = json.loads(KEPT.read_text(encoding="utf-8"))
    assert len(kept) > 100
    assert set(kept) <= {row.name for row in ROWS}, "run: python -m tests.corpus.ageing --write"
    rules = {rule.id for rule in BUILTIN_RULES}
    gone = {name for name, row in kept.items() if row["rule"] not in rules}
    assert not gone, "run: python -m tests.corpus.ageing --write"
    assert all(row["library"] and row["version"] for row in kept.values())


def test_a_row_that_another_rule_decides_is_listed_if_it_can_be_raised() -> None:
    kept = {
        "a": {"rule": "one", "library": "python", "version": "3.8.0"},
        "b": {"rule": "one", "library": "python", "version": "3.8.0"},
        "c": {"rule": "one", "library": "nothing-of-that-name", "version": "1"},
    }
    now = {"a": {"rule": "two"}, "b": {"rule": "one"}}
    lines = aged(kept, now, frozenset({"a", "b"}))
    assert len(lines) == 1
    assert lines[0].startswith("one: a was decided by it with python 3.8.0, and is by two with ")

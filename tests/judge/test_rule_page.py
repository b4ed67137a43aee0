"""Every rule is told in full: condition, verdict, words for people, example and source."""

from __future__ import annotations

from pathlib import Path

import pytest

from ts_retry_ext.judge import Outcome, rules_from_data
from ts_retry_ext.judge.builtin import BUILTIN_RULES
from ts_retry_ext.judge.rule import Rule
from ts_retry_ext.judge.rule_page import rule_in_full, rules_page

PAGE = Path(__file__).parents[2] / "docs" / "rules.md"


@pytest.mark.parametrize("rule", BUILTIN_RULES, ids=lambda rule: str(rule.id))
def test_a_built_in_rule_is_told_in_full(rule: Rule) -> None:
    told = dict(rule_in_full(rule, 1))
    assert set(told) == {
        *("rule", "verdict", "scope", "reason", "remedy", "asks", "example", "source"),
        *(["or"] if rule.damaged_file else []),
        *(["halt"] if rule.verdict is Outcome.NON_RECOVERABLE else []),
    }
    assert "{" not in told["reason"] + told["remedy"]


def test_a_rule_of_a_user_is_told_without_an_example() -> None:
    data = [
        {
            "id": "mine",
            "when": {"errno": "ENOENT", "path": "shared", "where": "inner", "unless": "a|b"},
            "verdict": "unknown",
        }
    ]
    rules, _ = rules_from_data(data, "mine.yaml")
    told = dict(rule_in_full(rules[0], 7))
    assert told["rule"] == "mine (asked as number 7)"
    assert told["source"] == "mine.yaml"
    assert "example" not in told
    assert told["asks"].split("\n") == [
        "looked at: an inner cause",
        "its error number is ENOENT",
        "it names a path in a place that something else fills: a mount, a cache",
        "unless a text of the chain holds one of",
        "    a | b",
    ]


@pytest.mark.parametrize(
    ("rule", "halt"),
    [
        ("syntax-error", "ends by a change"),
        (
            "weights-cut",
            "ends by a change; if the archive holds no weights, it is tried by the hour, too",
        ),
        ("key-missing", "ends by a change, and is tried by the hour"),
        ("hub-forbidden", "ends by a change, and is tried by the hour"),
        ("connection-errno", None),
    ],
)
def test_it_is_told_what_ends_a_halt(rule: str, halt: str | None) -> None:
    place, found = next((n, each) for n, each in enumerate(BUILTIN_RULES) if each.id == rule)
    assert dict(rule_in_full(found, place)).get("halt") == halt


def test_the_page_in_the_docs_is_that_of_the_table() -> None:
    page = rules_page(BUILTIN_RULES)
    assert PAGE.read_text(encoding="utf-8") == page, "run: ts-retry rules --page > docs/rules.md"

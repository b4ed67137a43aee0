"""The table of built-in rules is whole: unique ids, dates, words for people, known fields."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from tests.test_words import BANNED
from ts_retry_ext.judge import judge
from ts_retry_ext.judge.builtin import BUILTIN_RULES, GROUPS, TOPICS, examples
from ts_retry_ext.judge.memory_figures import MEMORY_PREDICATES
from ts_retry_ext.judge.paths import PATH_PREDICATES
from ts_retry_ext.judge.rule import WHERE, Rule, When

#: Characters of one line of a pattern that a person can still read.
READABLE = 200


def test_ids_are_unique_and_in_kebab_case() -> None:
    ids = [rule.id for rule in BUILTIN_RULES]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)*", name) for name in ids)


def test_every_row_tells_the_operator_what_is_wrong_and_what_to_do() -> None:
    for rule in BUILTIN_RULES:
        assert rule.reason.endswith("."), rule.id
        assert rule.remedy.endswith("."), rule.id
        assert date.fromisoformat(rule.since) >= date(2026, 11, 23), rule.id
        assert rule.source.startswith("built-in:"), rule.id


def test_reasons_and_remedies_have_one_word_for_one_thing() -> None:
    found = [
        (rule.id, word)
        for rule in BUILTIN_RULES
        for text in (rule.reason, rule.remedy)
        for word in BANNED
        if re.search(word, text, re.IGNORECASE)
    ]
    assert not found


def test_every_condition_is_valid_and_not_empty() -> None:
    for rule in BUILTIN_RULES:
        when = rule.when
        assert when != When(), rule.id
        assert when.where in WHERE
        assert not when.memory or when.memory in MEMORY_PREDICATES
        assert not when.path or when.path in PATH_PREDICATES
        for pattern in filter(None, (when.message, when.unless)):
            assert pattern == pattern.lower() or "\\" in pattern, rule.id
            re.compile(pattern)


def test_every_group_of_every_topic_is_in_the_table() -> None:
    rows = sum(len(getattr(topic, group, ())) for topic in TOPICS for group in GROUPS)
    assert rows == len(BUILTIN_RULES)


@pytest.mark.parametrize("rule", BUILTIN_RULES, ids=lambda rule: str(rule.id))
def test_every_rule_decides_its_example(rule: Rule) -> None:
    assert rule.id in examples.EXAMPLES, f"add an example of {rule.id} to {examples.__name__}"
    example = examples.example_of(rule.id)
    answer = judge(example.failure, host=example.host)
    assert (answer.rule, answer.verdict) == (rule.id, rule.verdict)


def test_no_example_outlives_its_rule() -> None:
    assert set(examples.EXAMPLES) == {rule.id for rule in BUILTIN_RULES}


def test_a_long_pattern_is_written_in_lines_that_a_person_can_read() -> None:
    for topic in TOPICS:
        for number, line in enumerate(Path(str(topic.__file__)).read_text().splitlines(), 1):
            assert len(line) <= READABLE, f"{topic.__name__}, line {number}: write it with any_of"

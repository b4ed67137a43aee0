"""The prefilter never hides a match, and finds words to look for."""

from __future__ import annotations

import re

import pytest

from tests.corpus.shapes import SHAPES
from ts_retry_ext.judge import prefilter
from ts_retry_ext.judge.builtin import BUILTIN_RULES
from ts_retry_ext.judge.builtin.examples import EXAMPLES
from ts_retry_ext.judge.prefilter import (
    alternatives,
    beginnings,
    may_occur,
    required_words,
    search,
)


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("connection refused", ("connection refused",)),
        (r"error: \[errno 13\]", ("error: [errno 13]",)),
        ("X", None),
        ("(?:read|write) error", (" error",)),
        ("no such (?:key|bucket)", ("no such ",)),
        ("a?b*", None),
        (r"\d+ \w+", None),
        ("(?:connection|socket) ?(?:lost|gone)", ("connection", "socket")),
    ],
)
def test_words_of_a_pattern(pattern: str, words: tuple[str, ...] | None) -> None:
    assert required_words(pattern) == words


@pytest.mark.parametrize(
    ("pattern", "parts"),
    [
        ("a|b", ["a", "b"]),
        ("a(?:b|c)|d", ["a(?:b|c)", "d"]),
        (r"a[|(]|b\|c", ["a[|(]", r"b\|c"]),
        (r"(a)|\1", [r"(a)|\1"]),
    ],
)
def test_alternatives_of_a_pattern(pattern: str, parts: list[str]) -> None:
    assert [part for _, part in alternatives(pattern)] == parts


def test_plain_words_are_those_of_the_syntax_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    patterns = [p for rule in BUILTIN_RULES for p in (rule.when.message, rule.when.unless)]
    parts = "|".join(patterns).split("|")
    plain = {part: required_words(part) for part in parts if prefilter._PLAIN.fullmatch(part)}
    assert len(plain) > 500
    monkeypatch.setattr(prefilter, "_PLAIN", re.compile("(?!)"))
    assert plain == {part: required_words(part) for part in plain}


def test_no_match_is_hidden() -> None:
    texts = [" ".join(row[2].split()) for rows in SHAPES.values() for row in rows]
    for rule in BUILTIN_RULES:
        for pattern in filter(None, (rule.when.message, rule.when.unless)):
            whole = re.compile(pattern, re.IGNORECASE)
            for text in texts:
                assert search(pattern, text, text.lower()) == bool(whole.search(text)), pattern


def test_no_match_is_lost_where_a_word_has_no_beginning_in_the_text() -> None:
    texts = [message.lower() for _kind, message, _more in EXAMPLES.values()][::7]
    patterns = sorted({rule.when.message for rule in BUILTIN_RULES if rule.when.message})
    found = 0
    for text in texts:
        begun = beginnings(text)
        for pattern in patterns:
            if search(pattern, text, text):
                found += 1
                assert may_occur(pattern, text, begun), (pattern, text)
    assert found >= len(texts)


def test_a_text_shorter_than_a_beginning_holds_short_words() -> None:
    assert may_occur("ok", "ok", beginnings("ok"))
    assert not may_occur("okay", "ok", beginnings("ok"))

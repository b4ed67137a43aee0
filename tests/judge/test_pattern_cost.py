"""A pattern that can run for ever is known before it runs, and one that can't is let through."""

from __future__ import annotations

import re
import time

import pytest

from ts_retry_ext.judge.builtin import BUILTIN_RULES
from ts_retry_ext.judge.evidence import LINK_TEXT_LIMIT
from ts_retry_ext.judge.pattern_cost import why_it_can_run_for_ever

DOUBLES = [
    "(a+)+$",
    "((a+))+$",
    "(a|aa)+$",
    "(a|b|ab)*c",
    r"(\w+\s?)*$",
    r"(?:\s*\w+\s*)*$",
    "(a*)*b",
    "(.*,)*x",
    "(x+x+)+y",
    "(?:(?:ab)+)+c",
    "(a{2,3})+b",
    "(a{1,300}){1,300}b",
    "(a?){50}a{50}",
    "fine|also fine|(b+)+!",
    "(?=(a+)+$)x",
    r"(['\"])(a+)+\1",
]
MULTIPLIES = [".*a.*b.*c.*d", r".+\s+.+x$", "[^:]*x[^:]*y[^:]*z:", "(?=.*a.*b.*c.*d)"]
FINE = [
    "feature store .* warming up",
    "shard .* of .* is missing",
    r"(?:\w+,)*x",
    r"(?:\w+\.)+py",
    "(?:foo|far)+d",
    "(?:foo|bar)*",
    r"\w+ \w+ \w+ not found",
    "a.{0,300}b.{0,300}c",
    r"(?:\d{1,3}\.){3}\d{1,3}",
    r"https?://[^\s/]+/.*",
    r"timed out after \d+(?:\.\d+)? s",
    r"['\"]([^'\"]+)['\"] is (?:busy|locked)",
    r"(['\"])x\1 is gone|y",
    ".*",
    "(?s).*failed.*",
]


@pytest.mark.parametrize("pattern", DOUBLES)
def test_a_loop_that_matches_one_text_in_two_ways_is_known(pattern: str) -> None:
    assert "in two ways" in why_it_can_run_for_ever(pattern)


@pytest.mark.parametrize("pattern", MULTIPLIES)
def test_repetitions_that_multiply_are_known(pattern: str) -> None:
    assert "one behind the other" in why_it_can_run_for_ever(pattern)


@pytest.mark.parametrize("pattern", FINE)
def test_a_pattern_that_ends_in_time_is_let_through(pattern: str) -> None:
    assert why_it_can_run_for_ever(pattern) == ""
    for text in ("a", "x,", " ", "shard of ", "feature store ", "1.", "foo", "'"):
        begin = time.thread_time()
        re.search(pattern, (text * LINK_TEXT_LIMIT)[:LINK_TEXT_LIMIT], re.IGNORECASE)
        assert time.thread_time() - begin < 10


def test_every_built_in_pattern_is_let_through() -> None:
    for rule in BUILTIN_RULES:
        for pattern in filter(None, (rule.when.message, rule.when.unless)):
            assert why_it_can_run_for_ever(pattern) == "", rule.id


def test_a_pattern_is_looked_at_in_little_time() -> None:
    nested = "a{0,7}"
    for _ in range(8):
        nested = f"(?:{nested}){{0,7}}"
    begin = time.thread_time()
    assert why_it_can_run_for_ever(nested)
    why_it_can_run_for_ever("|".join(f"word{number} .* again" for number in range(90)))
    assert time.thread_time() - begin < 2

"""Judging costs little, and no text makes a pattern run away."""

from __future__ import annotations

import re
import time

import pytest

from tests.corpus.shapes import SHAPES, record
from ts_retry_ext.judge import (
    Failure,
    Phase,
    failure_from_exception,
    failure_from_record,
    fingerprint,
    judge,
    redact,
)
from ts_retry_ext.judge.builtin import BUILTIN_RULES
from ts_retry_ext.judge.evidence import LINK_TEXT_LIMIT
from ts_retry_ext.judge.named_causes import named_causes
from ts_retry_ext.judge.normal_form import PATTERNS
from ts_retry_ext.judge.prefilter import alternatives, compiled
from ts_retry_ext.judge.rule import Rule
from ts_retry_ext.judge.traceback_text import failure_from_text

#: Generous: the machines that run tests are slow and shared. What runs away takes minutes.
_PATTERN_SECONDS = 0.05

HOSTILE = [
    "a" * LINK_TEXT_LIMIT,
    " " * LINK_TEXT_LIMIT,
    "a " * (LINK_TEXT_LIMIT // 2),
    "/" * LINK_TEXT_LIMIT,
    "/a" * (LINK_TEXT_LIMIT // 2),
    "'" * LINK_TEXT_LIMIT,
    "1" * LINK_TEXT_LIMIT,
    "1." * (LINK_TEXT_LIMIT // 2),
    "-" * LINK_TEXT_LIMIT,
    "not " * (LINK_TEXT_LIMIT // 4),
    "error " * (LINK_TEXT_LIMIT // 6),
    "failed to " * (LINK_TEXT_LIMIT // 10),
    "could not " * (LINK_TEXT_LIMIT // 10),
    "requires a " * (LINK_TEXT_LIMIT // 11),
    "nccl cuda model " * (LINK_TEXT_LIMIT // 16),
    "file not found path '" * (LINK_TEXT_LIMIT // 21),
    "https://a:" * (LINK_TEXT_LIMIT // 10),
    "eyJ" * (LINK_TEXT_LIMIT // 3),
    "token=" * (LINK_TEXT_LIMIT // 6),
    "-----BEGIN PRIVATE KEY-----" * (LINK_TEXT_LIMIT // 27),
    "can't load '/" * (LINK_TEXT_LIMIT // 13),
    "0x" * (LINK_TEXT_LIMIT // 2),
    "::" * (LINK_TEXT_LIMIT // 2),
    "a:b:" * (LINK_TEXT_LIMIT // 4),
    "[" * LINK_TEXT_LIMIT,
    "2024-01-01 " * (LINK_TEXT_LIMIT // 11),
    "Tried to allocate 1 " * (LINK_TEXT_LIMIT // 20),
]  # fmt: skip


def seconds(pattern: re.Pattern[str], text: str) -> float:
    """Return the processor time of one search: other processes don't count."""
    start = time.thread_time()
    pattern.search(text)
    return time.thread_time() - start


def hostile_for(words: tuple[str, ...] | None) -> list[str]:
    """Return texts that begin and repeat like a match and then don't match."""
    word = (words or ("",))[0]
    return [
        *HOSTILE,
        *((word + " " + text)[:LINK_TEXT_LIMIT] for text in HOSTILE[:6]),
        (word + " ") * 400,
    ]


@pytest.mark.parametrize("rule", BUILTIN_RULES, ids=lambda rule: str(rule.id))
def test_a_rule_is_linear_on_hostile_texts(rule: Rule) -> None:
    for pattern in filter(None, (rule.when.message, rule.when.unless)):
        for words, alternative in alternatives(pattern):
            for text in hostile_for(words):
                took = seconds(compiled(alternative), text)
                if took >= _PATTERN_SECONDS:
                    took = min(took, seconds(compiled(alternative), text))
                assert took < _PATTERN_SECONDS, (alternative, text[:20])


def test_redaction_and_fingerprint_are_linear_on_hostile_texts() -> None:
    for text in HOSTILE:
        start = time.thread_time()
        redact(text * 8)
        fingerprint(Failure(type="E", message=text, phase=Phase.IMPORT))
        failure_from_text(text)
        assert time.thread_time() - start < 0.5, text[:20]
        for name, pattern, _ in PATTERNS:
            assert seconds(pattern, text) < _PATTERN_SECONDS * 4, (name, text[:20])


def test_reading_what_a_failure_names_is_linear_on_hostile_texts() -> None:
    for text in HOSTILE:
        start = time.thread_time()
        named_causes(
            Failure(type="ConnectionError", message="not found " + text, phase=Phase.IMPORT)
        )
        assert time.thread_time() - start < 0.2, text[:20]


def test_judging_takes_less_than_five_milliseconds_at_the_median() -> None:
    failures = [failure_from_record(record(row)) for rows in SHAPES.values() for row in rows]
    for failure in failures:
        judge(failure)
    times = []
    for failure in failures:
        start = time.thread_time()
        judge(failure)
        times.append(time.thread_time() - start)
    assert sorted(times)[len(times) // 2] < 0.005


def test_a_huge_message_takes_less_than_fifty_milliseconds() -> None:
    judge(Failure(type="E", message="x", phase=Phase.IMPORT))
    exc = RuntimeError("weights of layer failed to load because of something; " * 100_000)
    times = []
    for _ in range(5):
        start = time.thread_time()
        judge(failure_from_exception(exc, Phase.INITIALIZE))
        times.append(time.thread_time() - start)
    assert min(times) < 0.05

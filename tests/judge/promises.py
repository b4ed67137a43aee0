"""What is promised of any failure, any text and any JSON object: each function checks it."""

from __future__ import annotations

import json
from typing import Any

from ts_retry_ext.judge import (
    Failure,
    Outcome,
    failure_from_record,
    failure_from_text,
    judge,
    record_of,
    redacted,
    rules_from_data,
)


def failure_gets_a_verdict(failure: Failure) -> None:
    """Any failure is judged, and can be written down."""
    verdict = judge(failure)
    assert verdict.verdict in Outcome
    assert len(verdict.fingerprint) == 16
    json.dumps(verdict.to_record())
    json.dumps(record_of(redacted(failure))).encode("utf-8")


def data_gives_rules_or_problems(data: object) -> None:
    """Any data is read as an operator's rules; what is wrong is told."""
    rules, problems = rules_from_data(data, "any")
    assert isinstance(rules, tuple)
    assert all(str(problem) for problem in problems)


def text_gets_a_verdict(text: str) -> None:
    """Any text is read as a traceback or a message, and judged."""
    failure_gets_a_verdict(failure_from_text(text))


def record_gets_a_verdict(data: dict[str, Any]) -> None:
    """Any JSON object is read as a failure, and judged."""
    failure_gets_a_verdict(failure_from_record(data))

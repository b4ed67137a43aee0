"""The words in which built-in rows are written: `fatal`, `curable` and `ambiguous`."""

from __future__ import annotations

from ts_retry_ext.judge.rule import Rule, When
from ts_retry_ext.judge.verdict import Outcome, Scope


def fatal(
    name: str, when: When, reason: str, remedy: str, *, since: str, scope: Scope = Scope.MODEL
) -> Rule:
    """Build a row for a failure that no retry can cure."""
    return Rule(name, when, Outcome.NON_RECOVERABLE, reason, remedy, scope, since)


def curable(
    name: str, when: When, reason: str, remedy: str, *, since: str, scope: Scope = Scope.HOST
) -> Rule:
    """Build a row for a failure that a retry can cure; most lie outside of the model."""
    return Rule(name, when, Outcome.RECOVERABLE, reason, remedy, scope, since)


def ambiguous(
    name: str, when: When, reason: str, remedy: str, *, since: str, scope: Scope = Scope.MODEL
) -> Rule:
    """Build a row that says neither, and keeps the rows below from deciding."""
    return Rule(name, when, Outcome.UNKNOWN, reason, remedy, scope, since)

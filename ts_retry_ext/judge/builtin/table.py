"""The words in which built-in rows are written: `fatal`, `curable` and `ambiguous`."""

from __future__ import annotations

from dataclasses import replace

from ts_retry_ext.judge.builtin.words import PASSING_WORDS
from ts_retry_ext.judge.pattern_tree import top_alternatives
from ts_retry_ext.judge.rule import Rule, When
from ts_retry_ext.judge.verdict import Outcome, Scope


def fatal(
    name: str,
    when: When,
    reason: str,
    remedy: str,
    *,
    since: str,
    scope: Scope = Scope.MODEL,
    though_it_says_retry: bool = False,
    damaged_file: tuple[str, ...] = (),
) -> Rule:
    """Build a row for a failure that no retry can cure.

    A row that rests on text alone does not hold where a text of the chain speaks of a passing state
    (`words.PASSING_WORDS`), unless `though_it_says_retry`: its words are certain all the same. `damaged_file` is
    explained in `Rule`.
    """
    when = _bounded(when)
    if _is_text_alone(when) and not though_it_says_retry:
        when = replace(when, unless="|".join(filter(None, (when.unless, PASSING_WORDS))))
    outcome = Outcome.NON_RECOVERABLE
    return Rule(name, when, outcome, reason, remedy, scope, since, damaged_file=damaged_file)


def curable(
    name: str, when: When, reason: str, remedy: str, *, since: str, scope: Scope = Scope.HOST
) -> Rule:
    """Build a row for a failure that a retry can cure; most lie outside of the model."""
    return Rule(name, _bounded(when), Outcome.RECOVERABLE, reason, remedy, scope, since)


def ambiguous(
    name: str, when: When, reason: str, remedy: str, *, since: str, scope: Scope = Scope.MODEL
) -> Rule:
    """Build a row that says neither, and keeps the rows below from deciding."""
    return Rule(name, _bounded(when), Outcome.UNKNOWN, reason, remedy, scope, since)


def _bounded(when: When) -> When:
    """Return a condition whose words begin where a word begins: `ServerBusy` is not in `LicenceServerBusy`."""
    if not when.message:
        return when
    parts = (
        rf"\b{part}" if part[:1].isalpha() else part for part in top_alternatives(when.message)
    )
    return replace(when, message="|".join(parts))


def _is_text_alone(when: When) -> bool:
    evidence = (when.type, when.exact_type, when.errno, when.http_status, when.cause, when.frame)
    return not any((*evidence, when.phase, when.module, when.shadowed, when.path, when.memory))

"""The words in which built-in rows are written: `fatal`, `curable`, `ambiguous` and `any_of`."""

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


def any_of(lines: str) -> str:
    r"""Return a pattern that matches what any line matches.

    A line holds one alternative or several; blanks at its ends don't count (write `[ ]`). A line
    that ends with a blank and `\` goes on in the next. A line that begins with `#` is a comment: it
    says whose words the lines below it are.
    """
    parts = (line.strip() for line in lines.splitlines())
    pattern = "|".join(part for part in parts if part and not part.startswith("#"))
    return pattern.replace(" \\|", "")

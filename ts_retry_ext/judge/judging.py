"""From a failure to a verdict: what the handler declares, then the first rule that matches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Callable

from ts_retry_ext.judge.builtin import BUILTIN_RULES, BUILTIN_SOURCE
from ts_retry_ext.judge.damaged_file import (
    LOOK_WHO_WRITES_IT,
    WHERE_IT_LIES,
    fetched_by_its_own_name,
    may_lie_elsewhere,
    read_from_elsewhere,
)
from ts_retry_ext.judge.evidence import Evidence, evidence_of
from ts_retry_ext.judge.failure import Cause, Failure
from ts_retry_ext.judge.fingerprint import FINGERPRINT_VERSION, fingerprint
from ts_retry_ext.judge.hints import hidden_cause, hint, lines_above_traceback, printed_cause
from ts_retry_ext.judge.lineage import plain, same_type
from ts_retry_ext.judge.matching import matches
from ts_retry_ext.judge.named_in_words import with_names
from ts_retry_ext.judge.paths import NO_HOST, Host
from ts_retry_ext.judge.redact import redact
from ts_retry_ext.judge.rule import Rule
from ts_retry_ext.judge.text import bounded
from ts_retry_ext.judge.verdict import NO_RULE_REASON, Basis, Outcome, Scope, Verdict

__all__ = ["NO_HOST", "Declared", "Host", "judge"]

_NO_RULE_REMEDY = (
    "Look at the last frame of the model's own code, and at the lines above this one in the model log. "
    "It is retried; if it repeats without change, the model waits for trial loads."
)
_TOO_SLOW_REMEDY = (
    "Make the patterns of your own rules simpler, or give them fewer words to look through."
)
#: Characters of a declared failure's message that its reason repeats.
_REASON_LIMIT = 400


class _OutOfTimeError(Exception):
    """Say that the rules could not all be asked; `args[0]` is the one that came last."""


@dataclass(frozen=True)
class Declared:
    """Hold the type names a handler declares; a plain name means any type so called.

    Attributes:
        non_recoverable: types that a retry cannot cure.
        recoverable: types that a retry can cure.
    """

    non_recoverable: tuple[str, ...] = ()
    recoverable: tuple[str, ...] = ()


def judge(
    failure: Failure,
    *,
    rules: Sequence[Rule] = BUILTIN_RULES,
    host: Host = NO_HOST,
    declared: Declared = Declared(),
    out_of_time: Callable[[], bool] = lambda: False,
    printed: Sequence[str] = (),
) -> Verdict:
    """Judge one failure on its own evidence, without its history. Never raises.

    Args:
        failure: the failure.
        rules: in order; users' rules come first in it.
        host: what may be known of the file system.
        declared: types named by the handler. `NonRecoverableError` and `RecoverableError` anywhere
            in the type's bases count without being named.
        out_of_time: asked after each rule of a user; once it is true the verdict is UNKNOWN, since a
            rule that was not asked may have spoken against those behind it.
        printed: lines that the process printed right before the failure. Where the verdict is
            UNKNOWN, they are looked at for a cause, which is quoted and changes no verdict.
    """
    try:
        name = fingerprint(failure)
    except Exception:
        name = "0" * 16
    try:
        said = _declared(failure, declared, name)
        if said is not None:
            return said
        evidence = evidence_of(failure, host)
    except Exception:
        return _unknown(name)
    try:
        rule = first_match(rules, evidence, out_of_time)
    except _OutOfTimeError as late:
        reason = f"Judging took too long: rule {late.args[0]} was the last that could be asked."
        return replace(_unknown(name), reason=reason, remedy=_TOO_SLOW_REMEDY)
    if rule is None:
        return _with_hints(_unknown(name), evidence, printed, rules)
    verdict = Verdict(
        verdict=rule.verdict,
        basis=Basis.RULE,
        rule=rule.id,
        scope=rule.scope,
        reason=_in_words(rule.reason, rule, evidence),
        remedy=_in_words(rule.remedy, rule, evidence),
        fingerprint=name,
        fingerprint_version=FINGERPRINT_VERSION,
        max_attempts=rule.max_attempts,
    )
    if rule.damaged_file:
        verdict = _unless_it_lies_elsewhere(verdict, rule, evidence)
    if verdict.verdict is not Outcome.UNKNOWN:
        return verdict
    return _with_hints(verdict, evidence, printed, rules)


def _unless_it_lies_elsewhere(verdict: Verdict, rule: Rule, evidence: Evidence) -> Verdict:
    """Return the verdict on a damaged file: unknown if it may lie outside of the model's directory."""
    read = read_from_elsewhere(evidence.failure, evidence.paths, evidence.host)
    elsewhere = may_lie_elsewhere(evidence.paths, evidence.host, rule.damaged_file) or (
        not evidence.paths and fetched_by_its_own_name(evidence.failure)
    )
    if not read and not elsewhere:
        return verdict
    remedy = _in_words(LOOK_WHO_WRITES_IT, rule, evidence)
    return replace(
        verdict,
        verdict=Outcome.UNKNOWN,
        reason=f"{verdict.reason} {WHERE_IT_LIES}",
        remedy=remedy.replace("writes the file", f"writes {read}") if read else remedy,
    )


def first_match(
    rules: Sequence[Rule], evidence: Evidence, out_of_time: Callable[[], bool] = lambda: False
) -> Rule | None:
    """Return the first rule whose condition holds; a rule that breaks does not match.

    Raises:
        _OutOfTimeError: `out_of_time` was true after a rule of a user that does not match.
    """
    for rule in rules:
        if _holds(rule, evidence):
            return rule
        if not rule.source.startswith(BUILTIN_SOURCE) and out_of_time():
            raise _OutOfTimeError(rule.id)
    return None


def _with_hints(
    verdict: Verdict, evidence: Evidence, printed: Sequence[str], rules: Sequence[Rule]
) -> Verdict:
    try:
        said = (
            hidden_cause(evidence, rules, first_match) or ("" if verdict.rule else hint(evidence)),
            printed_cause(printed, rules, first_match) if printed else "",
        )
    except Exception:
        return verdict
    return replace(verdict, reason=" ".join(filter(None, (verdict.reason, *said))))


def cause_printed(output: str) -> str:
    """Return what a process printed before its last traceback that tells of a cause, or an empty text."""
    try:
        return printed_cause(lines_above_traceback(output), BUILTIN_RULES, first_match)
    except Exception:
        return ""


def _in_words(words: str, rule: Rule, evidence: Evidence) -> str:
    return with_names(words, evidence) if rule.source.startswith(BUILTIN_SOURCE) else words


def _holds(rule: Rule, evidence: Evidence) -> bool:
    """Tell whether a rule's condition holds.

    What `raise ... from None` hides can let a built-in rule retry, but not halt: the code has handled
    it and says that something else is wrong.
    """
    try:
        if not matches(rule.when, evidence):
            return False
        shown = evidence.as_printed
        may_halt = rule.verdict is Outcome.NON_RECOVERABLE and rule.source.startswith(
            BUILTIN_SOURCE
        )
        return shown is None or not may_halt or matches(rule.when, shown)
    except Exception:
        return False


def _declared(failure: Failure, declared: Declared, name: str) -> Verdict | None:
    """Return the verdict the handler declares.

    The nearest base decides where both sets name one: a handler that declares OSError recoverable
    and FileNotFoundError not means the latter for a missing file. Equally near: recoverable, since
    halting wrongly is the worse mistake. The outermost exception speaks before its causes. Types
    named as final count for the outermost one only: an inner one may have been handled.
    """
    for position, link in enumerate(failure.links):
        final = ("NonRecoverableError", *(declared.non_recoverable if position == 0 else ()))
        curable = ("RecoverableError", *declared.recoverable)
        for base in link.mro or (link.type,):
            if any(same_type(wanted, base) for wanted in curable):
                return _said(Outcome.RECOVERABLE, link, name)
            if any(same_type(wanted, base) for wanted in final):
                return _said(Outcome.NON_RECOVERABLE, link, name)
    return None


def _said(outcome: Outcome, link: Cause, name: str) -> Verdict:
    what = "no retry can cure" if outcome is Outcome.NON_RECOVERABLE else "a retry can cure"
    return Verdict(
        verdict=outcome,
        basis=Basis.DECLARED,
        rule=None,
        scope=Scope.MODEL,
        reason=f"The handler declares {plain(link.type)} as a failure that {what}: "
        f"{_one_line(link.message)}",
        remedy=_one_line(link.remedy or ""),
        fingerprint=name,
        fingerprint_version=FINGERPRINT_VERSION,
    )


def _one_line(text: str) -> str:
    return bounded(redact(" ".join(text.split())), _REASON_LIMIT)


def _unknown(name: str) -> Verdict:
    return Verdict(
        verdict=Outcome.UNKNOWN,
        basis=Basis.NONE,
        rule=None,
        scope=Scope.MODEL,
        reason=NO_RULE_REASON,
        remedy=_NO_RULE_REMEDY,
        fingerprint=name,
        fingerprint_version=FINGERPRINT_VERSION,
    )

"""A rule: a condition on a failure, and the verdict that follows from it.

Rules are rows of an ordered table; the first that matches decides. Built-in rows are written in
Python, since judging must work when PyYAML is what is missing; users write the same fields in YAML.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from ts_retry_ext.judge.failure import Phase
from ts_retry_ext.judge.gaps import without_names
from ts_retry_ext.judge.verdict import Outcome, Scope


@dataclass(frozen=True)
class When:
    """State what a failure must look like. Fields that are empty do not count; all others must hold.

    `type`, `message`, `errno` and `http_status` describe one and the same exception of the chain:
    which one may be chosen is said by `where`. The other fields describe the failure as a whole.

    Attributes:
        type: exception types, any of them; one matches when it is the exception's own type or a
            base of it. A plain name means any type so called, a dotted one also its package.
        exact_type: like `type`, but bases do not count.
        message: regular expression searched in message and notes (case does not count, every run
            of white space is one blank).
        errno: symbolic error numbers (`ECONNREFUSED`), any of them, also where the number hides in
            `.reason`, in the arguments or in the text.
        http_status: status codes (`429`) or classes (`5xx`), any of them; from the exception
            object or its text.
        where: `any` (default), `outermost` or `inner`.
        cause: types, any of which must be among the inner causes.
        unless: regular expression that no message of the chain may match.
        unless_type: types, none of which may occur in the chain.
        unless_frame: modules, none of which may be on the stack.
        phase: phases, any of them.
        module: names of a missing module, any of them; `*` at the end stands for anything, and
            `torch` also means `torch.x`.
        shadowed: `yes`: a file of the archive hides the module that the failure is about.
        frame: modules, any of which (or a module inside it) must be on the stack; `json.load` means
            that function of the module.
        path: one of `paths.PATH_PREDICATES`.
        memory: one of `memory.MEMORY_PREDICATES`.
        raised_in: where the innermost frame lies: `own` (the model's code), `library` or `torchserve`; frames of the
            interpreter do not count.
    """

    type: tuple[str, ...] = ()
    exact_type: tuple[str, ...] = ()
    message: str = ""
    errno: tuple[str, ...] = ()
    http_status: tuple[str, ...] = ()
    where: str = "any"
    cause: tuple[str, ...] = ()
    unless: str = ""
    unless_type: tuple[str, ...] = ()
    unless_frame: tuple[str, ...] = ()
    phase: tuple[Phase, ...] = ()
    module: tuple[str, ...] = ()
    shadowed: str = ""
    frame: tuple[str, ...] = ()
    path: str = ""
    memory: str = ""
    raised_in: str = ""


@dataclass(frozen=True)
class Rule:
    """Hold one row of the table.

    Attributes:
        id: short name in kebab case, unique in its table; shown with every verdict.
        when: the condition.
        verdict: what follows. UNKNOWN is allowed: it keeps later rules from deciding.
        reason: one sentence for the operator: what is wrong.
        remedy: one sentence for the operator: what to do. Both may have gaps, as `{module|the module}`
            (see `named_in_words.py`); only those of built-in rules are filled.
        scope: how far the cause reaches.
        since: date of the row, ISO 8601.
        source: `built-in:<topic>`, or the file a user's rule was read from.
        max_attempts: for a recoverable verdict: how many failures in a row that this rule decides
            are one too many for the hope that a retry helps; 0 for never.
        damaged_file: for a final verdict on a damaged file: what the names of such files end in. The verdict is
            UNKNOWN where the file may lie outside of the model's directory (see `damaged_file.py`).
        may_end_elsewhere: for a final verdict: whether the cause can end without a change of the model or its
            environment (see `builtin/__init__.py`). A model that is halted for it is tried by the hour.
        about_weights: whether it is about what a model loads, which need not be in its archive.
    """

    id: str
    when: When
    verdict: Outcome
    reason: str
    remedy: str = ""
    scope: Scope = Scope.MODEL
    since: str = ""
    source: str = ""
    max_attempts: int = 0
    damaged_file: tuple[str, ...] = ()
    may_end_elsewhere: bool = False
    about_weights: bool = False


WHERE = ("any", "outermost", "inner")


def rule_record(rule: Rule) -> dict[str, Any]:
    """Return the JSON form of a rule; empty fields of `when` are left out."""
    return {
        "id": rule.id,
        "source": rule.source,
        "since": rule.since,
        "when": _when_record(rule.when),
        "verdict": rule.verdict.value,
        "scope": rule.scope.value,
        "max_attempts": rule.max_attempts,
        "reason": without_names(rule.reason),
        "remedy": without_names(rule.remedy),
    }


def _when_record(when: When) -> dict[str, Any]:
    record: dict[str, Any] = {}
    for field in fields(When):
        value = getattr(when, field.name)
        if value == field.default:
            continue
        record[field.name] = (
            [str(getattr(part, "value", part)) for part in value]
            if isinstance(value, tuple)
            else value
        )
    return record

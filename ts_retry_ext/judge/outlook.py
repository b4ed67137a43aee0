"""How strong the evidence of a verdict is, and with it what could end a halt that rests on it."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from ts_retry_ext.judge.named_causes import NamedCauses
from ts_retry_ext.judge.rule import Rule
from ts_retry_ext.judge.verdict import Basis, Outcome, Scope, Verdict


class Outlook(str, Enum):
    """Say what could end a halt."""

    CHANGE = "change"
    """A change of the model's files, its environment or what the failure names, and nothing else."""
    ELSEWHERE = "elsewhere"
    """The same, or somebody else: the cause lies outside of model and environment."""
    TIME = "time"
    """Nobody knows the cause, or it passes."""


def outlook(
    verdict: Verdict, named: NamedCauses, model_dir: str, rules: Sequence[Rule] = ()
) -> Outlook:
    """Return what could end a halt that rests on `verdict`.

    Args:
        verdict: the verdict.
        named: what the failure names as its cause.
        model_dir: the model's directory; a path outside of it is somebody else's.
        rules: the rules that were asked.
    """
    weak = verdict.basis in (Basis.REPEATED, Basis.CRASHED)
    if verdict.verdict is not Outcome.NON_RECOVERABLE or weak:
        return Outlook.TIME
    inside = model_dir.rstrip("/") + "/"
    outside = any(not path.startswith(inside) for path in named.paths)
    decided = next((rule for rule in rules if rule.id == verdict.rule), None)
    by_rule = decided is not None and decided.may_end_elsewhere
    if verdict.scope is not Scope.MODEL or outside or by_rule:
        return Outlook.ELSEWHERE
    return Outlook.CHANGE

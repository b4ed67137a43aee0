"""How strong the evidence of a verdict is, and with it what could end a halt that rests on it."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from ts_retry_ext.judge.damaged_file import holds_weights
from ts_retry_ext.judge.named_causes import NamedCauses
from ts_retry_ext.judge.paths import NO_HOST, Host
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
    verdict: Verdict, named: NamedCauses, rules: Sequence[Rule] = (), host: Host = NO_HOST
) -> Outlook:
    """Return what could end a halt that rests on `verdict`.

    Args:
        verdict: the verdict.
        named: what the failure names as its cause; a path outside of the model's directory is somebody else's.
        rules: the rules that were asked.
        host: what is known of the file system.
    """
    weak = verdict.basis in (Basis.REPEATED, Basis.CRASHED)
    if verdict.verdict is not Outcome.NON_RECOVERABLE or weak:
        return Outlook.TIME
    inside = (host.model_dir or "").rstrip("/") + "/"
    if verdict.scope is not Scope.MODEL or not all(path.startswith(inside) for path in named.paths):
        return Outlook.ELSEWHERE
    decided = next((rule for rule in rules if rule.id == verdict.rule), None)
    if decided is None:
        return Outlook.CHANGE
    loads_others = decided.about_weights and not holds_weights(host)
    return Outlook.ELSEWHERE if decided.may_end_elsewhere or loads_others else Outlook.CHANGE

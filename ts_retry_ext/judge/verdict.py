"""The vocabulary of a judgement: outcome, basis, scope, and the verdict that carries them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

#: Reason of a verdict that no rule gave; hints follow it.
NO_RULE_REASON = "No rule knows this failure."


class Outcome(str, Enum):
    """Say whether starting the worker again can cure the failure."""

    NON_RECOVERABLE = "non_recoverable"
    RECOVERABLE = "recoverable"
    UNKNOWN = "unknown"


class Basis(str, Enum):
    """Say what a verdict rests on."""

    RULE = "rule"
    DECLARED = "declared"
    REPEATED = "repeated"
    CRASHED = "crashed"
    NONE = "none"


class Scope(str, Enum):
    """Say how far the cause reaches: this model, one device, or the whole host."""

    MODEL = "model"
    DEVICE = "device"
    HOST = "host"


@dataclass(frozen=True)
class Verdict:
    """Hold the judgement of one failure.

    Attributes:
        verdict: whether a retry can cure it.
        basis: what the verdict rests on.
        rule: id of the rule that decided, None where none did.
        scope: how far the cause reaches.
        reason: one sentence for the operator: what is wrong.
        remedy: one sentence for the operator: what to do. May be empty.
        fingerprint: 16 hex digits that name the fault across runs and hosts.
        fingerprint_version: version of the way fingerprints are made.
        max_attempts: that of the rule: after so many failures in a row a recoverable one is final;
            0 for never.
    """

    verdict: Outcome
    basis: Basis
    rule: str | None
    scope: Scope
    reason: str
    remedy: str
    fingerprint: str
    fingerprint_version: int
    max_attempts: int = 0

    def to_record(self) -> dict[str, object]:
        """Return the JSON form of the contract (`ts-retry classify`, marker, journal)."""
        return {
            "verdict": self.verdict.value,
            "basis": self.basis.value,
            "rule": self.rule,
            "scope": self.scope.value,
            "reason": self.reason,
            "remedy": self.remedy,
            "fingerprint": self.fingerprint,
            "fingerprint_version": self.fingerprint_version,
        }

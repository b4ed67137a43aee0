"""What was found in one place, how it is, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass

FINE, WARNING, WRONG = "ok", "warning", "wrong"


@dataclass(frozen=True)
class Diagnosis:
    """The outcome of one check.

    Attributes:
        name: what was looked at.
        outcome: ``ok``, ``warning`` or ``wrong``.
        found: what was found.
        remedy: what to do about it; None where nothing is to be done.
    """

    name: str
    outcome: str
    found: str
    remedy: str | None = None

    @property
    def is_wrong(self) -> bool:
        """Tell whether a halt, or the start of the server, cannot work because of it."""
        return self.outcome == WRONG

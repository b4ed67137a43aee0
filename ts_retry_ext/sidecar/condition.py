"""How the frontend answers, in a word and a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from ts_retry_ext.frontend.management import ManagementError

SLOW_SEC = 1.0
"""An answer that takes longer is called slow; a healthy frontend takes milliseconds."""


class Condition(str, Enum):
    """How the frontend answers."""

    STARTING = "starting"
    """It has not been asked yet."""
    OK = "ok"
    """It answers."""
    SLOW = "slow"
    """It answers, but late."""
    AWAY = "away"
    """Nobody answers at its address in time, or there is no server."""
    REFUSED = "refused"
    """It refuses the key, or there is none that could be sent."""
    EXPIRED_KEY = "expired-key"
    """The management key has expired and cannot be renewed."""
    GARBAGE = "garbage"
    """It answers with an error, or with something that is no answer of TorchServe's."""


class FrontendError(ManagementError):
    """The frontend did not do what it was asked.

    Attributes:
        condition: what that says of it.
    """

    def __init__(self, message: str, condition: Condition, status: int | None = None) -> None:
        super().__init__(message, status)
        self.condition = condition


@dataclass(frozen=True)
class Report:
    """How the frontend answered last.

    Attributes:
        condition: in a word.
        words: in a sentence; None where all is well.
        ping: ``status`` of its own ``/ping``, or None where that cannot be had.
    """

    condition: Condition
    words: str | None = None
    ping: str | None = None

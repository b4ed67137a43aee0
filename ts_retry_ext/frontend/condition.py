"""How a frontend answers, in a word, and the error of one that did not do what it was asked."""

from __future__ import annotations

from enum import Enum


class Condition(str, Enum):
    """How a frontend answers."""

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
    """The key has expired and cannot be renewed."""
    GARBAGE = "garbage"
    """It answers with an error, or with something that is no answer of TorchServe's."""


class ManagementError(Exception):
    """The frontend did not do what it was asked. The message is fit for people.

    Attributes:
        condition: what that says of the frontend.
        status: HTTP status of its answer, or None where there was none.
        is_own: whether TorchServe itself refuses, in its own form. What others answer in its place,
            such as a proxy, says nothing of what it did.
    """

    def __init__(
        self,
        message: str,
        condition: Condition = Condition.GARBAGE,
        status: int | None = None,
        *,
        is_own: bool = False,
    ) -> None:
        super().__init__(message)
        self.condition = condition
        self.status = status
        self.is_own = is_own

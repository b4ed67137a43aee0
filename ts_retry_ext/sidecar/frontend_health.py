"""How the frontend answered last, in a word and a sentence."""

from __future__ import annotations

from dataclasses import dataclass

from ts_retry_ext.frontend.condition import Condition

#: An answer that takes longer is called slow; a healthy frontend takes milliseconds.
SLOW_SEC = 1.0


@dataclass(frozen=True)
class FrontendHealth:
    """How the frontend answered last.

    Attributes:
        condition: in a word.
        words: in a sentence; None where all is well.
        ping: ``status`` of its own ``/ping``, or None where that cannot be had.
    """

    condition: Condition
    words: str | None = None
    ping: str | None = None

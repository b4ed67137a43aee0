"""Times as files hold them: ISO 8601, UTC, milliseconds."""

from __future__ import annotations

import time


def to_text(seconds: float) -> str:
    """Return a time in seconds since the epoch as text, such as ``2026-11-23T15:04:05.678Z``."""
    whole = int(seconds)
    milliseconds = int((seconds - whole) * 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole)) + f".{milliseconds:03d}Z"


def now_text() -> str:
    """Return the present time as text."""
    return to_text(time.time())


def to_seconds(text: str) -> float:
    """Return a time that `to_text` wrote in seconds since the epoch.

    Raises:
        ValueError: the text is no such time.
    """
    from calendar import timegm

    whole, dot, fraction = text.rstrip("Z").partition(".")
    return timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) + (
        float("0." + fraction) if dot else 0
    )

"""Times as files hold them: ISO 8601, UTC, milliseconds."""

from __future__ import annotations

import re
from time import gmtime, strftime, time  # A handler may put others in their place later on.

_TIME = re.compile(
    r"([1-9]\d{3})-(0[1-9]|1[0-2])-([0-2]\d|3[01])T([01]\d|2[0-3]):([0-5]\d):([0-5]\d)\.(\d{3})Z",
    re.ASCII,
)


def to_text(seconds: float) -> str:
    """Return a time in seconds since the epoch as text, such as ``2026-11-23T15:04:05.678Z``."""
    whole = int(seconds)
    milliseconds = int((seconds - whole) * 1000)
    return strftime("%Y-%m-%dT%H:%M:%S", gmtime(whole)) + f".{milliseconds:03d}Z"


def now_text() -> str:
    """Return the present time as text."""
    return to_text(time())


def is_time(value: object) -> bool:
    """Tell whether `value` is a time as `to_text` writes it."""
    return isinstance(value, str) and _TIME.fullmatch(value) is not None


def to_seconds(text: str) -> float:
    """Return a time that `to_text` wrote in seconds since the epoch.

    Raises:
        ValueError: the text is no such time.
    """
    from calendar import timegm

    found = _TIME.fullmatch(text)
    if found is None:
        msg = f"{text!r} is no time such as 2026-11-23T15:04:05.678Z"
        raise ValueError(msg)
    *moment, milliseconds = map(int, found.groups())
    return timegm((*moment, 0, 0, 0)) + milliseconds / 1000

"""Times as files hold them: ISO 8601, UTC, milliseconds."""

from __future__ import annotations

import re
from time import gmtime, strftime, time  # A handler may put others in their place later on.

#: Not compiled here: the first worker of a model writes times and reads none.
_TIME = (
    r"([1-9]\d{3})-(0[1-9]|1[0-2])-([0-2]\d|3[01])T([01]\d|2[0-3]):([0-5]\d):([0-5]\d)\.(\d{3})Z"
)


def to_text(seconds: float) -> str:
    """Return a time in seconds since the epoch as text, such as ``2026-11-23T15:04:05.678Z``."""
    whole = int(seconds // 1)
    milliseconds = int((seconds - whole) * 1000)
    return strftime("%Y-%m-%dT%H:%M:%S", gmtime(whole)) + f".{milliseconds:03d}Z"


def now_text() -> str:
    """Return the present time as text."""
    return to_text(time())


def is_time(value: object) -> bool:
    """Tell whether `value` is a time as `to_text` writes it."""
    return isinstance(value, str) and _found_in(value) is not None


def to_seconds(text: str) -> float:
    """Return a time that `to_text` wrote in seconds since the epoch.

    Raises:
        ValueError: the text is no such time.
    """
    found = _found_in(text)
    if found is None:
        msg = f"{text!r} is no time such as 2026-11-23T15:04:05.678Z"
        raise ValueError(msg)
    year, month, day, hours, minutes, seconds, milliseconds = map(int, found.groups())
    days = _days_before(year, month) + day - 1
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds + milliseconds / 1000


def _found_in(text: str) -> re.Match[str] | None:
    return re.fullmatch(_TIME, text, re.ASCII)


def _days_before(year: int, month: int) -> int:
    """Return the days from 1970-01-01 to the first of a month.

    By hand: calendar.timegm would bring datetime and locale, 2 ms and 0.4 MB, into every holder.
    """
    years = year - (
        month <= 2
    )  # Counted from March on, so that a leap day is the last of its year.
    leap_days = years // 4 - years // 100 + years // 400
    return years * 365 + leap_days + (153 * ((month - 3) % 12) + 2) // 5 - 719_468

"""Put numbers and times of a report into words."""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from ts_retry_ext.archive.schedule import DEFAULT_WINDOW_SEC
from ts_retry_ext.plain_text import cause_line, verdict_line

_MESSAGE_LENGTH = 300


def duration(seconds: float) -> str:
    """Return seconds in words: ``0.4 s``, ``95 s``, ``12 min``, ``3.5 h``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 180:
        return f"{seconds:.0f} s"
    if seconds < 3 * 3600:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def moment(time: str | None) -> str:
    """Return a time of the report without its thousandths, or a dash."""
    return "-" if time is None else time.replace("T", " ")[:19]


def span(first: str | None, last: str | None) -> str:
    """Return from when to when; the day once where it is the same one."""
    begin, end = moment(first), moment(last)
    if first is None or begin == end:
        return begin
    return f"{begin} to {end[11:] if begin[:10] == end[:10] else end}"


def counted(count: int, noun: str) -> str:
    """Return ``1 load`` or ``2 loads``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def exception(cause: Mapping[str, Any]) -> str:
    """Return type and message of a cause in one line."""
    kind = str(cause["exception"]["type"]).rpartition(".")[2]
    return cause_line(kind, cause["exception"]["message"], _MESSAGE_LENGTH)


def judged(cause: Mapping[str, Any]) -> str:
    """Return the verdict and what it rests on: ``non_recoverable (key-missing)``."""
    rule = cause["rule"] if cause["basis"] == "rule" else None
    return verdict_line(cause["verdict"], cause["basis"], rule)


def size(count: float) -> str:
    """Return a number of bytes in words: ``46 kB``, ``503.1 MB``."""
    return f"{count / 1e3:.0f} kB" if count < 1e6 else f"{count / 1e6:,.1f} MB"


def savings(model: Mapping[str, Any]) -> str | None:
    """Return the loads that the package would have saved, and their time; None for nothing."""
    saved = model["saved"]
    return f"{saved['loads']:,} ({duration(saved['start_sec'])})" if saved["loads"] else None


def window(model: Mapping[str, Any]) -> str | None:
    """Return the bounds of the window as short as it goes: ``> 53 s``, ``19-25 s``; None for none."""
    bounds = model["max_retry_timeout_sec"]
    low, high = bounds["more_than"], bounds["at_most"]
    if bounds["ignored_value"] is not None:
        return f"{DEFAULT_WINDOW_SEC} s"
    if low is None:
        return None if high is None else f"{'<= ' if high >= 1 else ''}{high:.0f} s"
    return f"> {low:.0f} s" if high is None else f"{low:.0f}-{high:.0f} s"


def names(models: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the models' names, with version and server where others have the same one."""
    versions: dict[str, set[str | None]] = {}
    servers: dict[str, int] = {}
    for model in models:
        versions.setdefault(model["model"], set()).add(model["version"])
        servers.setdefault(model["server"], len(servers) + 1)
    return [
        str(model["model"])
        + (f" {model['version']}" if len(versions[model["model"]]) > 1 else "")
        + (f" #{servers[model['server']]}" if len(servers) > 1 else "")
        for model in models
    ]

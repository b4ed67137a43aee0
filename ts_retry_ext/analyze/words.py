"""Put numbers and times of a report into words."""

from __future__ import annotations

from typing import Any, Mapping

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
    text = " ".join(f"{kind}: {cause['exception']['message']}".split()).rstrip(": ")
    return text if len(text) <= _MESSAGE_LENGTH else text[: _MESSAGE_LENGTH - 1] + "…"


def decided_by(cause: Mapping[str, Any]) -> str:
    """Return the verdict and what it rests on: ``non_recoverable (key-missing)``."""
    basis = cause["basis"]
    why = cause["rule"] if basis == "rule" else basis
    return cause["verdict"] if why in (None, "none") else f"{cause['verdict']} ({why})"


def savings(model: Mapping[str, Any]) -> str | None:
    """Return what the package would have saved of a model, or None for nothing."""
    saved = model["saved"]
    if not saved["loads"]:
        return None
    return f"{counted(saved['loads'], 'load')}, {duration(saved['start_sec'])}"

"""What exit codes and signals in a text say of how a process ended."""

from __future__ import annotations

import re
import signal
from typing import Iterable, Iterator

#: As Kubernetes, Docker, torchrun, shells and Python's subprocess write them.
_EXITED = re.compile(
    r"\b(?:exit[ _]?(?:code|status)|exited with(?: code| status)?|return(?:ed)? (?:code|status)|non-zero exit status|status)"
    r"\s*[:=]?\s*(?:code\s*)?(-?\d{1,3})\b|\bSignals\.(SIG[A-Z]{3,6})\b|\b(?:signal|Signal)\s*[:=]?\s*(\d{1,2})\b|\b(OOMKilled)\b",
    re.IGNORECASE,
)
_SAYS = {
    signal.SIGKILL: "it was killed, most often because memory ran out",
    signal.SIGSEGV: "a native library crashed",
    signal.SIGABRT: "a native library gave up",
    signal.SIGTERM: "it was asked to end",
    signal.SIGBUS: "a native library crashed, often as shared memory (/dev/shm) ran out",
    signal.SIGILL: "a native library was built for another processor",
}
_CODES = {
    1: "an exception that is not in the text, or an error that it reported itself",
    126: "the command could not be run",
    127: "the command was not found",
}


def exits_in(lines: Iterable[str]) -> Iterator[str]:
    """Yield a sentence for each exit code or signal that lines name, each once."""
    seen: set[str] = set()
    for line in lines:
        for found in _EXITED.finditer(line[:2_000]):
            said = _said(found)
            if said is not None and said not in seen:
                seen.add(said)
                yield said


def _said(found: re.Match[str]) -> str | None:
    code, name, number, killed = found.groups()
    if killed:
        return "OOMKilled: the container was killed because it needed more memory than its limit"
    if code is not None:
        value = int(code)
        if value in _CODES:
            return f"exit code {value}: {_CODES[value]}"
        ended_by = value - 128 if value > 128 else -value
        known = _signal(ended_by)
        return None if known is None else f"exit code {value} ({known.name}): {_SAYS[known]}"
    known = signal.Signals.__members__.get(name.upper()) if name else _signal(int(number))
    return f"{known.name}: {_SAYS[known]}" if known in _SAYS else None


def _signal(number: int) -> signal.Signals | None:
    try:
        known = signal.Signals(number)
    except ValueError:
        return None
    return known if known in _SAYS else None

"""Say one line to the operator, through the worker's log."""

from __future__ import annotations

import os

TYPE_CHECKING = False  # not from typing, see worker/isolation.py
if TYPE_CHECKING:
    from typing import Callable

PREFIX = "ts-retry: "
MAX_LINE = 2000
#: Files that lines go to instead of standard error, each opened for each line: a log may be rotated.
_places: list[str] = []
#: What is said later, or None where everything is said at once.
_held_back: list[str] | None = None


def speak_through(places: list[str]) -> None:
    """Write to files from here on: for a process whose standard error nobody reads."""
    _places[:] = places


def hold_back() -> None:
    """Keep what is said from here on until `say_held_back`."""
    global _held_back
    _held_back = []


def say_held_back(before: Callable[[], None]) -> None:
    """Say what was held back, where there is something, after a call of `before`. Never raises."""
    global _held_back
    held, _held_back = _held_back, None
    if held:
        before()
    for text in held or ():
        say(text)


def say(text: str) -> None:
    """Write `text` as one line to standard error, which the frontend copies to the model log.

    Never raises: a worker whose log is closed still has work to do.
    """
    if _held_back is not None:
        _held_back.append(text)
        return
    data = (PREFIX + one_line(text) + "\n").encode("utf-8", "backslashreplace")
    for place in _places or (None,):
        try:
            _write(place, data)
        except OSError:  # noqa: PERF203 - one or two places
            continue


def _write(place: str | None, data: bytes) -> None:
    if place is None:
        os.write(2, data)
        return
    descriptor = os.open(place, os.O_WRONLY | os.O_APPEND | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        os.write(descriptor, data)
    finally:
        os.close(descriptor)


def say_lines(text: str) -> None:
    """Write each line of `text`, as `say` does. Never raises."""
    for line in text.splitlines():
        say(line)


def one_line(text: str) -> str:
    """Return `text` bounded and without control characters.

    Line breaks, one of them, would start a line that seems to come from somebody else.
    """
    return "".join(char if char.isprintable() else " " for char in text[:MAX_LINE])

"""Say one line to the operator, through the worker's log."""

from __future__ import annotations

import os

PREFIX = "ts-retry: "
MAX_LINE = 2000


def say(text: str) -> None:
    """Write `text` as one line to standard error, which the frontend copies to the model log.

    Never raises: a worker whose log is closed still has work to do.
    """
    try:
        os.write(2, (PREFIX + one_line(text) + "\n").encode("utf-8", "backslashreplace"))
    except OSError:
        pass


def say_lines(text: str) -> None:
    """Write each line of `text`, as `say` does. Never raises."""
    for line in text.splitlines():
        say(line)


def one_line(text: str) -> str:
    """Return `text` bounded and without control characters.

    Line breaks, one of them, would start a line that seems to come from somebody else.
    """
    return "".join(char if char.isprintable() else " " for char in text[:MAX_LINE])

"""Let a signal end the demo in order, and not in the middle of what must be done whole."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from types import FrameType
from typing import Iterator

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def orderly_end() -> Iterator[None]:
    """Turn SIGTERM and SIGHUP into SystemExit, so that they clean up as Ctrl-C does."""

    def leave(number: int, _: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, leave) for number in ENDING[1:]}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold back the signals that end the demo until the block is done."""
    came: list[tuple[int, FrameType | None]] = []
    before = {n: signal.signal(n, lambda *signalled: came.append(signalled)) for n in ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    for came_number, frame in came[:1]:
        interrupted = before[signal.Signals(came_number)]
        if callable(interrupted):
            interrupted(came_number, frame)

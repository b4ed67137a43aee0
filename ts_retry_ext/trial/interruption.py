"""Let a signal end a run in order, and not in the middle of what must be done whole."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from types import FrameType
from typing import Callable, Iterator

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
    """Hold back the signals that end a run until the block is done."""
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


@contextmanager
def noted() -> Iterator[Callable[[], None]]:
    """Take note of the signals that end a run; yield what raises for the first that came, if any.

    For a thread that shares locks with others: an exception out of a handler can come after a lock
    was taken and before the block that gives it back, and the others wait for ever (CPython).
    """
    came: list[int] = []
    known = {n: signal.getsignal(n) for n in ENDING}
    # What is ignored, as by nohup, stays ignored.
    before = {n: handler for n, handler in known.items() if handler not in (signal.SIG_IGN, None)}
    for ending in before:
        signal.signal(ending, lambda number, _: came.append(number))

    def proceed() -> None:
        if came:
            raise KeyboardInterrupt if came[0] == signal.SIGINT else SystemExit(128 + came[0])

    try:
        yield proceed
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

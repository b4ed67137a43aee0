"""Let a signal end a run in order, and not in the middle of what must be done whole."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from types import FrameType
from typing import Any, Callable, Iterator, Sequence

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def orderly_end() -> Iterator[None]:
    """Turn SIGTERM and SIGHUP into SystemExit, so that they clean up as Ctrl-C does."""

    def leave(number: int, _: FrameType | None) -> None:
        raise SystemExit(128 + number)

    with _handled(ENDING[1:], leave):
        yield


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold back the signals that end a run until the block is done."""
    came: list[tuple[int, FrameType | None]] = []
    with _handled(ENDING, lambda *signalled: came.append(signalled)) as before:
        yield
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
    # What is ignored, as by nohup, stays ignored.
    heeded = [n for n in ENDING if signal.getsignal(n) not in (signal.SIG_IGN, None)]

    def proceed() -> None:
        if came:
            raise KeyboardInterrupt if came[0] == signal.SIGINT else SystemExit(128 + came[0])

    with _handled(heeded, lambda number, _: came.append(number)):
        yield proceed


@contextmanager
def _handled(
    signals: Sequence[signal.Signals], handler: Callable[[int, FrameType | None], object]
) -> Iterator[dict[signal.Signals, Any]]:
    """Let `handler` take `signals` for the time of the block; yield who took them before."""
    before = {number: signal.signal(number, handler) for number in signals}
    try:
        yield before
    finally:
        for number, stock in before.items():
            signal.signal(number, stock)

"""Compute when the frontend starts a stopped worker again, and when it gives up.

The frontend waits a fixed series of seconds before each retry and compares its window,
``maxRetryTimeoutInSec``, with the time since the first stop **at the moment of a stop** (TorchServe
0.12.0 WorkerThread.retry and .isHealthy). A retry that is due can thus start long after the window.
"""

from __future__ import annotations

from typing import Iterator, NamedTuple

#: Waits before the first, second, ... retry in seconds; the last one repeats from there on. They
#: start over only when a LOAD is answered with 200 (0.12.0 WorkerThread.BACK_OFF, whose element 0 is
#: never used).
BACK_OFF_SEC = (1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610, 987, 1597)

#: ``maxRetryTimeoutInSec`` where a model's configuration says nothing (0.12.0 ModelConfig).
DEFAULT_WINDOW_SEC = 300


class Schedule(NamedTuple):
    """What the frontend does with a worker whose every load fails.

    Attributes:
        retries: number of worker starts after the first one.
        last_retry_at_sec: when the last of them begins, in seconds after the first stop; None where
            there is no retry.
    """

    retries: int
    last_retry_at_sec: float | None


def wait_before(retry: int) -> int:
    """Return the seconds the frontend waits before retry number `retry`, counted from 1."""
    if retry < 1:
        msg = f"retries are counted from 1, got {retry!r}"
        raise ValueError(msg)
    return BACK_OFF_SEC[min(retry, len(BACK_OFF_SEC)) - 1]


def waited_before(wait_sec: int) -> int:
    """Return the least time since the first stop at which the frontend announces a wait, both in seconds.

    A wait of 610 s comes after all shorter ones, 986 s together. One that the frontend never announces tells nothing.
    """
    if wait_sec not in BACK_OFF_SEC:
        return 0
    return sum(BACK_OFF_SEC[: BACK_OFF_SEC.index(wait_sec)])


def is_open(elapsed_sec: float, window_sec: float) -> bool:
    """Tell whether a worker that stops `elapsed_sec` after its first stop is retried.

    A window of 0, or a negative one, is never open: even the first stop is not retried.
    """
    return elapsed_sec < window_sec


def retry_times(window_sec: float, load_sec: float = 0.0) -> Iterator[float]:
    """Yield the start of each retry in seconds after the first stop, if each runs for `load_sec`."""
    if load_sec < 0:
        msg = f"a load cannot take {load_sec!r} seconds"
        raise ValueError(msg)
    retry, stopped_at = 1, 0.0
    while is_open(stopped_at, window_sec):
        started_at = stopped_at + wait_before(retry)
        yield started_at
        retry, stopped_at = retry + 1, started_at + load_sec


def schedule(window_sec: float, load_sec: float = 0.0) -> Schedule:
    """Return how often, and until when, the frontend retries a worker whose every load fails.

    Example:
        With the default window and failures that take no time: 12 retries, the last one at 376 s.
    """
    retries, last = 0, None
    for started_at in retry_times(window_sec, load_sec):
        retries, last = retries + 1, started_at
    return Schedule(retries, last)

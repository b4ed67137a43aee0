"""Ask whoever waits with a model for a trial load, and see how it goes."""

from __future__ import annotations

import os
import time
from typing import Callable, NamedTuple

from ts_retry_ext.frontend.process import is_alive
from ts_retry_ext.store import journal
from ts_retry_ext.store.directory import WAITER_LOCK_FILE
from ts_retry_ext.store.lock import try_lock
from ts_retry_ext.store.record import HOLDING, Event, Record, TrialResult
from ts_retry_ext.store.trial_budget import lock_path
from ts_retry_ext.store.trial_request import (
    TrialRequest,
    ask_for_trial,
    request_stands,
    take_request,
)

POLL_SEC = 0.2
#: Whoever waits looks for a request twice a second; one that nobody takes has no reader.
TAKEN_WITHIN_SEC = 5.0
#: Trial loads come one at a time in a server. The wait for those of other models does not count,
#: up to so many times the time-out.
LONGEST_QUEUE = 10.0
#: The step that says so.
QUEUED = "waits for the trial load of another model, because one runs at a time"


class TrialAnswer(NamedTuple):
    """What came of a request for a trial load.

    Attributes:
        tried: how it ended, or RESUME where the halt has ended meanwhile; None where it did not.
        is_pending: whether it is still to come, or runs: the time is over.
    """

    tried: Record | None
    is_pending: bool = False


NOBODY_TRIES = TrialAnswer(None)


def try_now(
    directory: str, why: str, timeout_sec: float, tell: Callable[[str], None]
) -> TrialAnswer:
    """Give a model a trial load now, and see how it ends, or that nobody makes it.

    Args:
        directory: the registration's directory in the state directory.
        why: who asks.
        timeout_sec: how long to wait for the trial.

    Raises:
        OSError: the request cannot be written, or the journal not be read.
    """
    if not somebody_waits(directory):
        return NOBODY_TRIES
    before = len(_trials(directory))
    ask_for_trial(directory, TrialRequest(why))
    asked = begun = time.monotonic()
    of_server = lock_path(os.path.dirname(directory))
    queued = running = False
    while time.monotonic() - begun < timeout_sec:
        news = _trials(directory)[before:]
        done = _answers(news)
        if done and done[-1].result is not TrialResult.ERROR:
            return TrialAnswer(done[-1])
        waited = time.monotonic() - asked
        is_begun = any(record.event is Event.TRIAL for record in news)
        if is_begun and not running:
            running, begun = True, time.monotonic()
            tell(
                "a trial load begins: one load in a process of its own, which TorchServe does not notice"
            )
        if not is_begun and _is_locked(of_server) and waited < LONGEST_QUEUE * timeout_sec:
            begun = time.monotonic()
            if not queued:
                queued = True
                tell(QUEUED)
        late = waited > TAKEN_WITHIN_SEC
        if late and request_stands(directory) and take_request(directory) is not None:
            return NOBODY_TRIES
        if late and not news and not somebody_waits(directory):
            return NOBODY_TRIES
        time.sleep(POLL_SEC)
    return TrialAnswer(None, is_pending=True)


def _answers(news: list[Record]) -> list[Record]:
    """Return what ends the wait; a failed trial that had begun before it was asked for does not."""
    begun = next((n for n, record in enumerate(news) if record.event is Event.TRIAL), len(news))
    return [
        record
        for number, record in enumerate(news)
        if record.event is Event.RESUME
        or (record.event is Event.TRIED and (number > begun or record.result is TrialResult.LOADED))
    ]


def somebody_waits(directory: str) -> bool:
    """Tell whether a holder, or the process that waits after the window, is there."""
    latest = {r.socket: r for r in journal.read(directory) if r.process is not None}
    for record in latest.values():
        process = record.process
        holds = record.event in HOLDING and record.group is None
        if holds and process is not None and is_alive(process.pid, process.start):
            return True
    return _is_locked(os.path.join(directory, WAITER_LOCK_FILE))


def _is_locked(path: str) -> bool:
    if not os.path.exists(path):
        return False
    try:
        lock = try_lock(path)
    except OSError:
        return False
    if lock is None:
        return True
    os.close(lock)
    return False


def _trials(directory: str) -> list[Record]:
    events = (Event.TRIAL, Event.TRIED, Event.RESUME)
    return [record for record in journal.read(directory) if record.event in events]

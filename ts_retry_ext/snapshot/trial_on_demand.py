"""Ask whoever waits with a model for a trial load, and see how it goes."""

from __future__ import annotations

import os
import time
from typing import Callable

from ts_retry_ext.frontend.process import is_alive
from ts_retry_ext.store import journal
from ts_retry_ext.store.directory import WAITER_LOCK_FILE
from ts_retry_ext.store.record import HOLDING, Event, Record, TrialResult
from ts_retry_ext.store.trial_budget import try_lock
from ts_retry_ext.store.trial_request import (
    TrialRequest,
    ask_for_trial,
    request_stands,
    take_request,
)

POLL_SEC = 0.2
#: Whoever waits looks for a request twice a second; one that nobody takes has no reader.
TAKEN_WITHIN_SEC = 5.0


def try_now(
    directory: str, why: str, timeout_sec: float, tell: Callable[[str], None]
) -> Record | None:
    """Give a model a trial load now; return how it ended, or None where nobody makes it.

    Args:
        directory: the registration's directory in the state directory.
        why: who asks.
        timeout_sec: how long to wait for the trial.
        tell: is told each step, in words.

    Raises:
        OSError: the request cannot be written, or the journal not be read.
    """
    if not somebody_waits(directory):
        return None
    before = _trials(directory)
    tell("a trial load begins: the model is loaded once, in a process of its own")
    ask_for_trial(directory, TrialRequest(why))
    begun = time.monotonic()
    while time.monotonic() - begun < timeout_sec:
        ended = _trials(directory)[len(before) :]
        done = [record for record in ended if record.event is Event.TRIED]
        if done and done[-1].result is not TrialResult.ERROR:
            return done[-1]
        late = time.monotonic() - begun > TAKEN_WITHIN_SEC
        if late and request_stands(directory) and take_request(directory) is not None:
            return None
        if late and not ended and not somebody_waits(directory):
            return None
        time.sleep(POLL_SEC)
    return None


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
    events = (Event.TRIAL, Event.TRIED)
    return [record for record in journal.read(directory) if record.event in events]

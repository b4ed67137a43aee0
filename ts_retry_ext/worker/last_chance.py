"""Tell whether the end of a worker may be the last one that the frontend retries, and wait then."""

from __future__ import annotations

import os
import subprocess
import time
from typing import Sequence

from ts_retry_ext.settings import OnFatal
from ts_retry_ext.store.back_off import back_off
from ts_retry_ext.store.directory import WAITER_LOCK_FILE
from ts_retry_ext.store.lock import try_lock
from ts_retry_ext.store.record import FAILURES, Event, Record
from ts_retry_ext.store.times import to_seconds
from ts_retry_ext.worker.output import say
from ts_retry_ext.worker.own_program import waiter_command
from ts_retry_ext.worker.session import Session

#: A load may take this many times as long as the longest one before, and so many seconds more.
LONGER, SLACK_SEC = 2.0, 30.0
_START_TIMEOUT = 10.0
_SEQUENCES = "sequenceBatching"


def wait_if_last(session: Session, records: Sequence[Record]) -> None:
    """Leave a process behind that waits with the model, where nobody else may be left to.

    This worker has failed, or is about to load after a failure. Never raises: it is not to fail for want
    of another one.
    """
    try:
        if may_be_last(session, records) and not _is_waited_with(session):
            _leave_behind(session)
    except Exception as error:
        say(f"nobody waits with model {session.name!r} after TorchServe's retry window: {error!r}")


def may_be_last(session: Session, records: Sequence[Record]) -> bool:
    """Tell whether the window may be over at the next end of this worker."""
    if session.settings.on_fatal.value is OnFatal.OBSERVE or not any(
        record.event in FAILURES for record in records
    ):
        return False
    if _is_never_retried(session):
        return True
    state = back_off(records, str(session.address))
    first_stop = None if state is None else state.first_stop_at
    elapsed = 0.0 if first_stop is None else time.time() - first_stop
    return elapsed + LONGER * longest_attempt(records) + SLACK_SEC >= session.retry_window()


def _is_never_retried(session: Session) -> bool:
    """Tell whether the frontend starts no worker of the model again; see docs/torchserve-defects.md."""
    content = session.folder.usable_configuration(_SEQUENCES) or {}
    return content.get(_SEQUENCES) is True


def longest_attempt(records: Sequence[Record]) -> float:
    """Return how long the longest failed attempt took, from its start to its end, in seconds."""
    begun: dict[tuple[int, str], float] = {}
    longest = 0.0
    for record in records:
        process = record.process
        if process is None:
            continue
        key = (process.pid, process.start)
        if record.event is Event.START:
            begun[key] = to_seconds(record.at)
        elif record.event is Event.FAILURE and key in begun:
            longest = max(longest, to_seconds(record.at) - begun[key])
    return longest


def _is_waited_with(session: Session) -> bool:
    """Tell whether a process waits with the model already.

    One that only finds that out ends as nobody's child: in a container whose first process reaps none,
    it stays as a zombie.
    """
    try:
        lock = try_lock(os.path.join(session.directory, WAITER_LOCK_FILE))
    except OSError:
        return False
    if lock is not None:
        os.close(lock)
    return lock is None


def _leave_behind(session: Session) -> None:
    command = waiter_command(session.frontend.pid)
    # It makes itself nobody's child and ends at once: a handler may wait for children of its own.
    started = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    started.wait(_START_TIMEOUT)

"""Resume a model that is not loaded, and tell how that goes: one trial load, then its workers."""

from __future__ import annotations

import time
from typing import Callable

from ts_retry_ext.frontend.condition import Condition, ManagementError
from ts_retry_ext.frontend.management import ManagementApi
from ts_retry_ext.frontend.suspension import is_suspended
from ts_retry_ext.snapshot.model import ModelStatus
from ts_retry_ext.snapshot.observed_server import ObservedServer
from ts_retry_ext.snapshot.real_load import (
    POLL_SEC,
    REASON,
    ResumeResult,
    Resumption,
    holders_in,
    let_load,
    result_of,
)
from ts_retry_ext.snapshot.take import model_status
from ts_retry_ext.snapshot.trial_on_demand import try_now
from ts_retry_ext.store.record import Record, TrialResult


def resume(
    server: ObservedServer,
    api: ManagementApi,
    status: ModelStatus,
    *,
    timeout_sec: float,
    tell: Callable[[str], None],
) -> Resumption:
    """Give a model a trial load, and its workers back if that succeeds.

    If nobody waits with the model who could make the trial, its workers load it for real.

    Args:
        server: the server it runs in.
        api: the server's management API.
        status: the model's present state.
        timeout_sec: how long to wait.
        tell: is told each step, in words.

    Raises:
        ManagementError: the API cannot be reached or refuses.
        OSError: the state directory cannot be read or written.
    """
    begun = time.monotonic()
    _require_answer(server, api, status)
    tried = None
    directory = status.registration.directory if status.registration else None
    if directory is not None and server.sees_processes:
        tried = try_now(directory, REASON, timeout_sec, tell)
    if tried is None:
        left = timeout_sec - (time.monotonic() - begun)
        if left <= 0:
            now = model_status(server, api, status.model, status.version)
            return Resumption(ResumeResult.NOT_YET, now, False, time.monotonic() - begun)
        return let_load(server, api, status, timeout_sec=left, tell=tell)
    if tried.result is not TrialResult.LOADED:
        now = model_status(server, api, status.model, status.version, directory=directory)
        return Resumption(ResumeResult.FAILED_AGAIN, now, False, time.monotonic() - begun)
    tell("the trial load succeeded; the workers are started")
    holders = holders_in(status)
    while True:
        now = model_status(server, api, status.model, status.version, directory=directory)
        # The marker stands until the workers are started: it says nothing of a failure before.
        is_open = now is not None and now.can_be_resumed and not _failed_after(now, tried)
        result = None if is_open else result_of(now, holders)
        seconds = time.monotonic() - begun
        if result is not None or seconds > timeout_sec:
            return Resumption(result or ResumeResult.NOT_YET, now, False, seconds)
        time.sleep(POLL_SEC)


def _require_answer(server: ObservedServer, api: ManagementApi, status: ModelStatus) -> None:
    """Raise ManagementError where the frontend would not notice that a holder leaves.

    Where its process cannot be seen, one that does not answer may be suspended.
    """
    held = "nothing is resumed, and its workers go on holding"
    pid = server.frontend.pid
    if server.sees_processes:
        if is_suspended(pid):
            msg = f"the frontend, process {pid}, is suspended, so that {held}"
            raise ManagementError(msg, Condition.AWAY)
        return
    try:
        api.describe(status.model)
    except ManagementError as error:
        if error.condition is Condition.AWAY:
            msg = f"{error}, so that {held}"
            raise ManagementError(msg, Condition.AWAY) from error


def _failed_after(status: ModelStatus, trial: Record) -> bool:
    """Tell whether a worker has failed since a trial load succeeded."""
    last = status.registration.history.last_failure if status.registration else None
    return last is not None and last.at > trial.at

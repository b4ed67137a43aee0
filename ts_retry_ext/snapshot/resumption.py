"""Resume a model that is not loaded: one trial load, then its workers; and how that ended, in words."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from typing import Callable

from ts_retry_ext.frontend.condition import Condition, ManagementError
from ts_retry_ext.frontend.management import ManagementApi
from ts_retry_ext.frontend.other_process import is_suspended
from ts_retry_ext.frontend.registered import archive_of
from ts_retry_ext.frontend.server_configuration import ServerConfiguration
from ts_retry_ext.snapshot.down_in_words import what_ends_it
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
from ts_retry_ext.snapshot.trial_on_demand import NOBODY_TRIES, try_now
from ts_retry_ext.store.record import Event, Record, TrialResult
from ts_retry_ext.store.trial_schedule import RESUME


def resume(
    server: ObservedServer,
    api: ManagementApi,
    status: ModelStatus,
    *,
    timeout_sec: float,
    tell: Callable[[str], None],
) -> Resumption:
    """Give a model a trial load, and its workers back if that succeeds.

    Its workers load it for real at once where a trial has shown before that they can, and where
    nobody waits with the model who could make one.

    Args:
        timeout_sec: how long to wait, beside the time that trials of other models take.

    Raises:
        ManagementError: the API cannot be reached or refuses.
        OSError: the state directory cannot be read or written.
    """
    begun = time.monotonic()
    _require_answer(server, api, status)
    directory = status.directory
    answer = NOBODY_TRIES
    if _waits_for_somebody(status):
        tell("a trial load has succeeded before: its workers load it")
    elif directory is not None and server.sees_processes:
        answer = try_now(directory, REASON, timeout_sec, tell)
        if answer == NOBODY_TRIES:
            tell("no process is left to make a trial load: its workers load it")
    tried = answer.tried
    if tried is not None and (tried.event is Event.RESUME or tried.result is TrialResult.LOADED):
        tell("it can be loaded: its workers are started")
        return _see_it_serve(server, api, status, tried, begun, timeout_sec, tell)
    left = timeout_sec - (time.monotonic() - begun)
    if answer == NOBODY_TRIES and left > 0:
        done = let_load(server, api, status, timeout_sec=left, tell=tell)
        return replace(done, seconds=time.monotonic() - begun)
    now = model_status(server, api, status.model, status.version, directory=directory)
    result = ResumeResult.NOT_YET if tried is None else ResumeResult.FAILED_AGAIN
    return Resumption(result, now, False, time.monotonic() - begun)


def _see_it_serve(
    server: ObservedServer,
    api: ManagementApi,
    status: ModelStatus,
    tried: Record,
    begun: float,
    timeout_sec: float,
    tell: Callable[[str], None],
) -> Resumption:
    """Wait until the workers serve that are started once the trial load `tried` has succeeded."""
    directory = status.directory
    holders = holders_in(status)
    since = time.monotonic()
    while True:
        now = model_status(server, api, status.model, status.version, directory=directory)
        if now is not None and _waits_for_somebody(now):
            # Who made the trial may not use the API; whoever resumes perhaps may.
            left = max(0.0, timeout_sec - (time.monotonic() - since))
            done = let_load(server, api, now, timeout_sec=left, tell=tell)
            return replace(done, seconds=time.monotonic() - begun)
        # The marker stands until the workers are started: it says nothing of a failure before.
        is_open = now is not None and now.can_be_resumed and not _failed_after(now, tried)
        result = None if is_open else result_of(now, holders)
        if result is not None or time.monotonic() - since > timeout_sec:
            seconds = time.monotonic() - begun
            return Resumption(result or ResumeResult.NOT_YET, now, False, seconds)
        time.sleep(POLL_SEC)


def _waits_for_somebody(status: ModelStatus) -> bool:
    """Tell whether the cause is gone, and somebody has to start the workers."""
    return status.marker is not None and RESUME in status.marker.waits_for


def _require_answer(server: ObservedServer, api: ManagementApi, status: ModelStatus) -> None:
    """Raise ManagementError where the frontend would not notice that a holder leaves.

    Where its process cannot be seen, one that does not answer itself may be suspended.
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
        if error.condition in (Condition.AWAY, Condition.GARBAGE) and not error.is_own:
            msg = f"{error}. So {held}"
            raise ManagementError(msg, error.condition) from error


def _failed_after(status: ModelStatus, trial: Record) -> bool:
    """Tell whether a worker has failed since a trial load succeeded."""
    last = status.registration.history.last_failure if status.registration else None
    return last is not None and last.at > trial.at


def outcome_in_words(done: Resumption, *, timeout_sec: float, now: float) -> str:
    """Return what came of a resumption, as a sentence whose subject is the model.

    Args:
        timeout_sec: how long was waited.
    """
    if done.result is ResumeResult.SERVES:
        return f"serves again, after {done.seconds:.0f} s"
    status = done.status
    if status is None:
        return "is not registered any more"
    cause = status.short_cause or "no cause known"
    if done.result is ResumeResult.NOT_YET:
        return f"does not serve after {timeout_sec:g} s: it is {status.state.value}, {cause}"
    place = status.failing_line
    where = "" if place is None else f" at {place.in_words()}"
    ends = what_ends_it(status, now)
    state = f"It is {status.state.value}."
    return f"has failed again{where}: {cause}. {state}{f' {ends}' if ends else ''}"


def served_copy(done: Resumption, configuration: ServerConfiguration) -> str | None:
    """Return in a sentence which copy of an archive was loaded and failed; None where none did.

    An archive is unpacked once, at registration (0.12.0 ModelArchive.downloadModel): what lies in
    the model store afterwards changes nothing. A model in a folder is loaded as it is.
    """
    status = done.status
    if done.result is not ResumeResult.FAILED_AGAIN or status is None or status.running is None:
        return None
    path = archive_of(status.running, configuration)
    if path is not None and os.path.isdir(path):
        return None
    if status.packed_again is not None:
        return (
            f"{os.path.basename(status.packed_again)} in the model store has changed since it was registered. "
            "TorchServe loads the copy that it unpacked then. Register it again (ts-retry deploy), or "
            "restart the server."
        )
    return (
        "TorchServe unpacks an archive once, at registration. If the archive was packed again, register it "
        "again (ts-retry deploy), or restart the server."
    )

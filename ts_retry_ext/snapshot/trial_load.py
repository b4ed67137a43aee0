"""Give one model a trial load, and its workers back if it succeeds: a program that a holder starts.

It reads its job as one line of JSON from standard input, and ends with whoever started it: the pipe's
end is how it notices. The locks that it was given, of the registration, of the server and of the
model's folder, are held for as long as it lives.
"""

from __future__ import annotations

import os
import sys
import threading
import time

from ts_retry_ext.archive.manifest import DEFAULT_VERSION
from ts_retry_ext.frontend.condition import Condition, ManagementError
from ts_retry_ext.frontend.management import management_api_of
from ts_retry_ext.frontend.other_process import is_suspended
from ts_retry_ext.frontend.process import Frontend, frontend_at
from ts_retry_ext.frontend.server_configuration import Server, server_of
from ts_retry_ext.snapshot.after_trial import marker_to_be_resumed, wait_for_the_same
from ts_retry_ext.snapshot.observed_server import observed
from ts_retry_ext.snapshot.real_load import frontend_retries, let_load
from ts_retry_ext.snapshot.take import model_status
from ts_retry_ext.snapshot.trial_job import Job, note, read_job
from ts_retry_ext.snapshot.trial_making import make_trial
from ts_retry_ext.store import journal
from ts_retry_ext.store.lock import locked
from ts_retry_ext.store.marker import Marker, end_halt, markers_beside, trusted_marker, write_marker
from ts_retry_ext.store.record import Event, Record, TrialResult
from ts_retry_ext.store.retired import read_retired
from ts_retry_ext.store.times import now_text
from ts_retry_ext.store.trial_request import TrialRequest, ask_for_trial
from ts_retry_ext.trial.child_processes import AbortedError, Children

#: Exit code; the last two as `worker.half_open` knows them.
OK, NO_TRIAL, NOT_WANTED, LET_GO = 0, 1, 3, 4
_REASON = "a trial load succeeded"
#: How much longer than a load may take is seen to it that workers are started.
_LONGER_SEC = 60.0
#: Between two looks at a frontend that is suspended.
_SUSPENDED_POLL_SEC = 1.0


class Lifeline:
    """Ends a trial with the process that asked for it, until it is cut.

    Args:
        children: what is to be ended.
    """

    def __init__(self, children: Children) -> None:
        self._children = children
        self._is_cut = False
        threading.Thread(target=self._wait, daemon=True).start()

    def cut(self) -> None:
        """Go on alone: bringing the workers back may end the process that asked."""
        self._is_cut = True

    def _wait(self) -> None:
        while os.read(0, 1 << 12):
            pass
        if not self._is_cut:
            self._children.abort()


def main() -> int:
    """Do the job on standard input; return the exit code."""
    job = read_job(sys.stdin.buffer.readline())
    children = Children()
    lifeline = Lifeline(children)
    frontend = frontend_at(job.frontend)
    if frontend is None:
        return NO_TRIAL
    server = server_of(frontend)
    if job.pid is None and _is_scaled_away(server, job):
        return NOT_WANTED
    try:
        tried = None if job.for_real else make_trial(job, server, children)
    except AbortedError:
        return NO_TRIAL
    for lock in job.trial_locks:
        os.close(lock)  # What follows is no trial, so another model may have one.
    if tried is not None and not tried.is_made:
        return _leave_it_to_frontend(job, f"no trial load can be made: {tried.why}")
    if tried is not None and tried.result is not TrialResult.LOADED:
        return OK
    lifeline.cut()
    if tried is None:
        note(job, Record(Event.TRIAL, reason=job.why))
    else:
        marker = trusted_marker(job.directory)
        if marker is not None:
            # Before the workers load, which may take minutes: the trial has shown it already.
            _call_others(job, marker)
    reason = job.why if job.for_real else _REASON
    try:
        _bring_back(server, job, reason)
    except OSError as error:
        return _leave_it_to_frontend(job, f"{reason} ({error})")
    return OK


def _leave_it_to_frontend(job: Job, reason: str) -> int:
    """End the halt if the frontend retries by itself, which needs no room on a disk; return the status.

    What else there is to be done cannot be written down, and TorchServe alone would retry now. A
    directory that cannot be written keeps its marker: the next worker uses another one, so that it is
    enough if the holder leaves.
    """
    marker = trusted_marker(job.directory)
    if marker is None or not frontend_retries(journal.read(job.directory), marker):
        return OK
    try:
        end_halt(job.directory, model=job.model, version=job.version or "", reason=reason)
    except OSError:
        may_write = os.access(job.directory, os.W_OK)
        return OK if may_write or job.asynchronous else LET_GO
    return OK


def _bring_back(server: Server, job: Job, reason: str) -> None:
    """End the halt of a model, by the frontend's own retry or through the management API.

    Where the API cannot be used, the halt ends only if the frontend still retries: a holder that
    leaves after the window would leave nobody. The marker then says what a person has to do.

    Args:
        reason: why they may load, for the journal; another one where no trial was made before.

    Raises:
        OSError: the store cannot be read or written.
    """
    timeout_sec = job.startup_timeout_sec + _LONGER_SEC
    _wait_while_suspended(server.frontend, timeout_sec)
    observed_server = observed(server, os.path.dirname(job.server_dir))
    try:
        if is_suspended(server.frontend.pid):
            msg = f"its frontend, process {server.frontend.pid}, is suspended"
            raise ManagementError(msg, Condition.AWAY)
        api = management_api_of(server.configuration)
        wanted = job.version or DEFAULT_VERSION
        status = model_status(observed_server, api, job.model, wanted, directory=job.directory)
        if status is None:
            return  # It was unregistered meanwhile.
        let_load(
            observed_server,
            api,
            status,
            timeout_sec=timeout_sec,
            tell=lambda _step: None,
            reason=reason,
            spare_those_that_serve=True,
        )
    except ManagementError as error:
        _without_api(job, str(error), reason, may_release=not is_suspended(server.frontend.pid))


def _wait_while_suspended(frontend: Frontend, timeout_sec: float) -> None:
    """Wait for a frontend that is suspended: a holder that leaves it may be the last one."""
    until = time.monotonic() + timeout_sec
    while is_suspended(frontend.pid) and time.monotonic() < until:
        time.sleep(_SUSPENDED_POLL_SEC)


def _is_scaled_away(server: Server, job: Job) -> bool:
    """Tell whether somebody wants no workers of a model. False if the API cannot be asked."""
    if read_retired(job.directory) is not None:
        return False
    wanted = job.version or DEFAULT_VERSION
    try:
        found = management_api_of(server.configuration).describe(job.model)
    except ManagementError:
        return False
    return all(known.min_workers == 0 for known in found if known.version == wanted)


def _without_api(job: Job, why_not: str, reason: str, *, may_release: bool) -> None:
    marker = trusted_marker(job.directory)
    if marker is None:
        return
    if may_release and frontend_retries(journal.read(job.directory), marker):
        end_halt(job.directory, model=job.model, version=job.version or "", reason=reason)
    else:
        with locked(job.directory):
            tried = reason == _REASON
            changed = marker_to_be_resumed(marker, why_not, now_text(), tried=tried)
            write_marker(job.directory, changed)


def _call_others(job: Job, marker: Marker) -> None:
    """Let the models of this server that waited for the same thing load at once.

    Args:
        job: of the model that has loaded.
    """
    for other, common in wait_for_the_same(marker, markers_beside(job.directory)):
        why = f"model {job.model!r}, which waited for the same ({common}), has loaded"
        try:
            ask_for_trial(other, TrialRequest(why, for_real=True))
        except OSError:
            continue


if __name__ == "__main__":
    sys.exit(main())

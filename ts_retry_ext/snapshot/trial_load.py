"""Give one model a trial load, and its workers back if it succeeds: a program that a holder starts.

It reads its job as one line of JSON from standard input, and ends with whoever started it: the pipe's
end is how it notices. The locks that it was given, of the registration, of the server and of the
model's folder, are held for as long as it lives.
"""

from __future__ import annotations

import os
import sys
import threading

from ts_retry_ext.frontend.process import frontend_at
from ts_retry_ext.frontend.server_configuration import server_of
from ts_retry_ext.snapshot.bring_back import REASON, bring_back, call_others, is_scaled_away
from ts_retry_ext.snapshot.real_load import frontend_retries
from ts_retry_ext.snapshot.trial_job import Job, note, read_job
from ts_retry_ext.snapshot.trial_making import make_trial
from ts_retry_ext.store import journal
from ts_retry_ext.store.marker import end_halt, trusted_marker
from ts_retry_ext.store.record import Event, Record, TrialResult
from ts_retry_ext.trial.child_processes import AbortedError, Children

#: Exit code; the last two as `worker.half_open` knows them.
OK, NO_TRIAL, NOT_WANTED, LET_GO = 0, 1, 3, 4


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
    if job.pid is None and is_scaled_away(server, job):
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
            call_others(job, marker)
    reason = job.why if job.for_real else REASON
    try:
        bring_back(server, job, reason)
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


if __name__ == "__main__":
    sys.exit(main())

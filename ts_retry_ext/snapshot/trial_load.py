"""Give one model a trial load, and its workers back if it succeeds: a program that a holder starts.

It reads its job as one line of JSON from standard input, and ends with whoever started it: the pipe's
end is how it notices. The locks that it was given, of the registration, of the server and of the
model's folder, are held for as long as it lives.
"""

from __future__ import annotations

import os
import random
import resource
import sys
import threading
import time
from contextlib import suppress
from typing import Any, Mapping, NamedTuple

from ts_retry_ext.archive.model_archive import ArchiveError
from ts_retry_ext.frontend.process import frontend_at, start_of
from ts_retry_ext.frontend.server import Server, server_of
from ts_retry_ext.snapshot.after_trial import down_since, marker_after_failure, with_next_trial
from ts_retry_ext.snapshot.bring_back import (
    REASON,
    bring_back,
    call_others,
    frontend_retries,
    is_scaled_away,
)
from ts_retry_ext.snapshot.trial_job import Job, read_job
from ts_retry_ext.store import journal
from ts_retry_ext.store.atomic import SCHEMA, UntrustedFileError, read_json, write_json
from ts_retry_ext.store.halt import end_halt
from ts_retry_ext.store.lock import locked
from ts_retry_ext.store.marker import Marker, read_marker, write_marker
from ts_retry_ext.store.record import Event, Record, TrialResult
from ts_retry_ext.store.trial_budget import charge
from ts_retry_ext.trial.child_processes import AbortedError, Children
from ts_retry_ext.trial.driven_worker import Place, write_job
from ts_retry_ext.trial.folder import clean_up, private_folder
from ts_retry_ext.trial.observed import observe
from ts_retry_ext.trial.one_load import Order
from ts_retry_ext.trial.order_of_server import load_request_of, trial_launch

#: Names the folder of the trial under way, so that what a killed one left is found and ended.
LEFTOVER_FILE = "trial.json"
#: Stands in the environment of all that a trial starts, so that a daemon among it is found.
FOLDER_VARIABLE = "_TS_RETRY_TRIAL"
#: Exit status; the last two as `worker.half_open` knows them.
OK, NO_TRIAL, NOT_WANTED, LET_GO = 0, 1, 3, 4


class Tried(NamedTuple):
    """What became of a trial load.

    Attributes:
        result: how it ended.
        failure: the failure that was judged, or None.
        why: why the model did not load, as it looks from outside; empty where it did.
        took_sec: from the start of the process to its end.
        is_made: whether there was a process at all: a full disk leaves no room for its folder.
    """

    result: TrialResult
    failure: Record | None
    why: str
    took_sec: float
    is_made: bool = True


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
    """Do the job on standard input; return the exit status."""
    job = read_job(sys.stdin.buffer.readline())
    children = Children()
    lifeline = Lifeline(children)
    frontend = frontend_at(job.frontend)
    if frontend is None:
        return NO_TRIAL
    server = server_of(frontend)
    if job.pid is None and is_scaled_away(server, job.directory, job.model, job.version):
        return NOT_WANTED
    try:
        tried = None if job.for_real else _try(job, server, children)
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
        _note(job, Record(Event.TRIAL, reason=job.why))
    else:
        marker = _marker(job)
        if marker is not None:
            # Before the workers load, which may take minutes: the trial has shown it already.
            call_others(job.model, marker, job.directory)
    try:
        bring_back(
            server,
            job.directory,
            job.model,
            job.version,
            timeout_sec=_patience(job),
            reason=job.why if job.for_real else REASON,
        )
    except OSError as error:
        return _leave_it_to_frontend(job, f"{job.why if job.for_real else REASON} ({error})")
    return OK


#: What a trial has shown is worth waiting for, if somebody keeps the lock.
_LOCK_PATIENCE_SEC = 60.0


def _patience(job: Job) -> float:
    return job.startup_timeout_sec + 60.0


def _leave_it_to_frontend(job: Job, reason: str) -> int:
    """End the halt if the frontend retries by itself, which needs no room on a disk; return the status.

    What else there is to be done cannot be written down, and TorchServe alone would retry now. A
    directory that cannot be written keeps its marker: the next worker uses another one, so that it is
    enough if the holder leaves.
    """
    marker = _marker(job)
    if marker is None or not frontend_retries(journal.read(job.directory), marker):
        return OK
    try:
        end_halt(job.directory, model=job.model, version=job.version or "", reason=reason)
    except OSError:
        may_write = os.access(job.directory, os.W_OK)
        return OK if may_write or job.asynchronous else LET_GO
    return OK


def _try(job: Job, server: Server, children: Children) -> Tried:
    """Make the trial, write down how it went, and return it."""
    _end_leftovers(job.directory)
    _note(job, Record(Event.TRIAL, reason=job.why))
    try:
        tried = _load(job, server, children)
    except AbortedError:
        _note(job, Record(Event.TRIED, result=TrialResult.ERROR, reason="it was called off"))
        raise
    except (OSError, ValueError, TypeError, ArchiveError) as error:
        is_made = not isinstance(error, OSError)
        tried = Tried(TrialResult.ERROR, None, str(error), 0.0, is_made)
    finally:
        _charge(job)
    failure = tried.failure
    record = failure if failure is not None else Record(Event.TRIED, reason=tried.why or None)
    # A full disk: the holder plans the next one, and what the trial has shown is known here.
    with suppress(OSError), locked(job.directory, _LOCK_PATIENCE_SEC):
        _note_locked(job, record._replace(event=Event.TRIED, result=tried.result))
        if tried.result is not TrialResult.LOADED:
            _plan_next(job, tried)
    return tried


def _load(job: Job, server: Server, children: Children) -> Tried:
    """Load the model once in a process of its own, which is gone afterwards with all that it made.

    Raises:
        AbortedError: whoever asked for the trial has gone.
        OSError: there is no room for it.
    """
    begun = time.monotonic()
    with private_folder("ts-retry-trial-") as folder:
        with suppress(OSError):  # A full disk is no reason not to try.
            _leave_word(job.directory, folder)
        place = Place(
            folder=folder,
            model_dir=job.model_dir,
            environ={**os.environ, FOLDER_VARIABLE: folder},
            python=sys.executable,
            metrics=_option(job.argv, "--metrics-config"),
            script=job.argv[0],
        )
        write_job(
            place,
            registered=job.registration,
            properties=server.configuration.properties,
            config_file=server.configuration.config_file,
            cwd=server.configuration.cwd,
            log_dir=server.configuration.log_dir,
            load_timeout_sec=job.startup_timeout_sec,
            ends_with_parent=True,
        )
        request = load_request_of(job.load, job.model, job.model_dir, server)
        order = Order(load=request, timeout_sec=job.startup_timeout_sec)
        launch = trial_launch(job.model, job.version, asynchronous=job.asynchronous)
        outcome, found = observe(place, launch, order, children)
    with suppress(OSError):
        os.remove(os.path.join(job.directory, LEFTOVER_FILE))
    took = time.monotonic() - begun
    if not outcome.why:
        return Tried(TrialResult.LOADED, None, "", took)
    if found.failure is None:
        return Tried(TrialResult.ERROR, None, outcome.why, took)
    result = TrialResult.LATE if outcome.is_late else TrialResult.FAILED
    return Tried(result, found.failure, outcome.why, took)


def _plan_next(job: Job, tried: Tried) -> None:
    """Write into the marker what the trial has shown, and when the next one comes.

    Where the marker is gone somebody else has ended the halt, and nothing is to be planned.
    """
    marker = _marker(job)
    if marker is None:
        return
    now = time.time()
    marker = with_next_trial(
        marker_after_failure(marker, tried.failure),
        now=now,
        down_since=down_since(journal.read(job.directory), now),
        took_sec=tried.took_sec,
        first_sec=job.first_trial_sec,
        longest_sec=job.longest_trial_interval_sec,
        spread=random.uniform(-1.0, 1.0),
    )
    write_marker(job.directory, marker)


def _marker(job: Job) -> Marker | None:
    try:
        return read_marker(job.directory)
    except (UntrustedFileError, OSError):
        return None  # The holder says so, and sets it aside.


def _charge(job: Job) -> None:
    """Take what this process and its children have cost out of the server's budget."""
    spent = 0.0
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        usage = resource.getrusage(who)
        spent += usage.ru_utime + usage.ru_stime
    try:
        charge(job.server_dir, spent)
    except OSError:
        pass  # A full disk; the intervals of each model grow all the same.


def _note(job: Job, record: Record) -> None:
    with suppress(OSError), locked(job.directory):
        _note_locked(job, record)


def _note_locked(job: Job, record: Record) -> None:
    """Append a record in the name of the process that asked."""
    named = record._replace(
        pid=job.pid,
        start=job.start,
        socket=job.socket,
        launch=None,
        group=None,
        model=job.model,
        version=job.version,
    )
    try:
        journal.append_locked(job.directory, named)
    except OSError:
        pass  # A full disk is no reason not to try.


def _leave_word(directory: str, folder: str) -> None:
    own = {"folder": folder, "pid": os.getpid(), "start": start_of(os.getpid()) or ""}
    write_json(os.path.join(directory, LEFTOVER_FILE), {"schema": SCHEMA, **own})


def _end_leftovers(directory: str) -> None:
    """End and remove what a trial left whose own process was killed. This one has its lock."""
    path = os.path.join(directory, LEFTOVER_FILE)
    try:
        content: Mapping[str, Any] = read_json(path) or {}
    except (OSError, UntrustedFileError):
        return
    folder = content.get("folder")
    if isinstance(folder, str) and os.path.basename(folder).startswith("ts-retry-trial-"):
        clean_up(folder)


def _option(argv: list[str], name: str) -> str:
    """Return what follows an option of the worker's, or an empty text."""
    for option, value in zip(argv, argv[1:]):
        if option == name:
            return value
    return ""


if __name__ == "__main__":
    sys.exit(main())

"""Make one trial load: what a killed one left is ended first, and what came of it is written down."""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from typing import NamedTuple

from ts_retry_ext.archive.model_archive import ArchiveError
from ts_retry_ext.frontend.process import start_of
from ts_retry_ext.frontend.server_configuration import Server, option_of
from ts_retry_ext.snapshot.trial_job import Job, charge_budget, note, note_locked, plan_next
from ts_retry_ext.store.atomic import trusted_content, write_json
from ts_retry_ext.store.lock import locked
from ts_retry_ext.store.record import Event, Record, TrialResult
from ts_retry_ext.trial.child_processes import AbortedError, Children
from ts_retry_ext.trial.driven_worker import Place, write_job
from ts_retry_ext.trial.findings import observe
from ts_retry_ext.trial.folder import clean_up, private_folder
from ts_retry_ext.trial.launch import load_request_of, trial_launch
from ts_retry_ext.trial.one_load import Order

#: Names the folder of the trial under way, so that what a killed one left is found and ended.
LEFTOVER_FILE = "trial.json"
#: Stands in the environment of all that a trial starts, so that a daemon among it is found.
FOLDER_VARIABLE = "_TS_RETRY_TRIAL"
#: What a trial has shown is worth waiting for, if somebody keeps the lock.
_LOCK_PATIENCE_SEC = 60.0


class Tried(NamedTuple):
    """What became of a trial load.

    Attributes:
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


def make_trial(job: Job, server: Server, children: Children) -> Tried:
    """Make the trial, write down how it went, and return it.

    Raises:
        AbortedError: whoever asked for it has gone.
    """
    _end_leftovers(job.directory)
    note(job, Record(Event.TRIAL, reason=job.why))
    try:
        tried = _load(job, server, children)
    except AbortedError:
        note(job, Record(Event.TRIED, result=TrialResult.ERROR, reason="it was called off"))
        raise
    except (OSError, ValueError, TypeError, ArchiveError) as error:
        is_made = not isinstance(error, OSError)
        tried = Tried(TrialResult.ERROR, None, str(error), 0.0, is_made)
    finally:
        charge_budget(job)
    failure = tried.failure
    record = failure if failure is not None else Record(Event.TRIED, reason=tried.why or None)
    # A full disk: the holder plans the next one, and what the trial has shown is known here.
    with suppress(OSError), locked(job.directory, _LOCK_PATIENCE_SEC):
        note_locked(job, record._replace(event=Event.TRIED, result=tried.result))
        if tried.result is not TrialResult.LOADED:
            plan_next(job, tried.failure, tried.took_sec)
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
            metrics=option_of(job.argv, "--metrics-config") or "",
            script=job.argv[0],
            options=tuple(job.options),
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


def _leave_word(directory: str, folder: str) -> None:
    own = {"folder": folder, "pid": os.getpid(), "start": start_of(os.getpid()) or ""}
    write_json(os.path.join(directory, LEFTOVER_FILE), own)


def _end_leftovers(directory: str) -> None:
    """End and remove what a trial left whose own process was killed. This one has its lock."""
    path = os.path.join(directory, LEFTOVER_FILE)
    folder = trusted_content(path).get("folder")
    if isinstance(folder, str) and os.path.basename(folder).startswith("ts-retry-trial-"):
        clean_up(folder)

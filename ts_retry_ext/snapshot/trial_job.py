"""What a trial load is ordered with, and what it writes in the name of the holder that asked.

The order is one line of JSON, from a holder to the program that makes the trial.
"""

from __future__ import annotations

import json
import os
import random
import resource
import time
from contextlib import suppress
from typing import Any, NamedTuple

from ts_retry_ext.snapshot.after_trial import down_since, marker_after_failure, with_next_trial
from ts_retry_ext.store import journal
from ts_retry_ext.store.lock import locked
from ts_retry_ext.store.marker import markers_beside, trusted_marker, write_marker
from ts_retry_ext.store.record import Record
from ts_retry_ext.store.trial_budget import charge


class Job(NamedTuple):
    """What the program is to do.

    Attributes:
        why: why a trial comes now, in words.
        trial_locks: descriptors of the locks that let one trial run at a time.
        for_real: whether the workers are to load at once, without a trial.
        directory: the registration's directory in the state directory.
        frontend: process id of the frontend.
        pid, start, socket: the worker that asks, as the journal names it; None where none does.
        model, version: as the frontend names them.
        model_dir: the model's directory; registration: the path that the frontend made for it.
        argv: the worker's arguments, the worker script first.
        load: the fields of the LOAD message, None where the process was given none.
        asynchronous: ``asyncCommunication``.
        startup_timeout_sec: how long a load may take.
        first_trial_sec, longest_trial_interval_sec: the settings.
        options: those of the worker's interpreter.
    """

    why: str
    for_real: bool
    trial_locks: list[int]
    directory: str
    frontend: int
    pid: int | None
    start: str | None
    socket: str | None
    model: str
    version: str | None
    model_dir: str
    registration: str
    argv: list[str]
    load: dict[str, Any] | None
    asynchronous: bool
    startup_timeout_sec: float
    first_trial_sec: float
    longest_trial_interval_sec: float
    options: tuple[str, ...] = ()

    @property
    def server_dir(self) -> str:
        """Return the directory of the server's run."""
        return os.path.dirname(self.directory)


def read_job(line: bytes) -> Job:
    """Return the job that a line holds.

    Raises:
        ValueError, TypeError: it holds none.
    """
    return Job(**json.loads(line))


def note(job: Job, record: Record) -> None:
    """Append a record, if the lock can be had and there is room for it."""
    with suppress(OSError), locked(job.directory):
        note_locked(job, record)


def note_locked(job: Job, record: Record) -> None:
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


def plan_next(job: Job, failure: Record | None, took_sec: float) -> None:
    """Write into the marker what a trial has shown, and when the next one comes.

    Where the marker is gone somebody else has ended the halt, and nothing is to be planned.
    """
    marker = trusted_marker(job.directory)
    if marker is None:
        return
    now = time.time()
    marker = with_next_trial(
        marker_after_failure(marker, failure),
        now=now,
        down_since=down_since(journal.read(job.directory), now),
        took_sec=took_sec,
        first_sec=job.first_trial_sec,
        longest_sec=job.longest_trial_interval_sec,
        spread=random.uniform(-1.0, 1.0),
    )
    write_marker(job.directory, marker)


def charge_budget(job: Job) -> None:
    """Take what this process and its children have cost out of the server's budget."""
    spent = 0.0
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        usage = resource.getrusage(who)
        spent += usage.ru_utime + usage.ru_stime
    marker = trusted_marker(job.directory)
    fingerprint = "" if marker is None else marker.fingerprint
    same = [
        path for path, other in markers_beside(job.directory) if other.fingerprint == fingerprint
    ]
    try:
        charge(job.server_dir, spent, fingerprint, 1 + len(same))
    except OSError:
        pass  # A full disk; the intervals of each model grow all the same.

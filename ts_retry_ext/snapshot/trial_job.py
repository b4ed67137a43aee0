"""What a trial load is ordered with: one line of JSON, from a holder to the program that makes it."""

from __future__ import annotations

import json
import os
from typing import Any, NamedTuple


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

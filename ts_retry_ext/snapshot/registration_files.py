"""Read what the state directory holds about the models of one server's run."""

from __future__ import annotations

import os
from typing import Iterable

from ts_retry_ext.frontend.other_process import sees_path
from ts_retry_ext.frontend.process import is_alive
from ts_retry_ext.snapshot.history_over_runs import RecordedRun
from ts_retry_ext.snapshot.registration import Registration
from ts_retry_ext.store import journal
from ts_retry_ext.store.atomic import UntrustedFileError
from ts_retry_ext.store.directory import model_directories, read_server_run
from ts_retry_ext.store.journal_totals import summarise
from ts_retry_ext.store.marker import read_marker
from ts_retry_ext.store.record import Record
from ts_retry_ext.store.retired import read_retired


def read_registrations(server_dirs: Iterable[str]) -> list[Registration]:
    """Return every registration in the directories of one server's run."""
    return [read_registration(path) for folder in server_dirs for path in model_directories(folder)]


def read_registration(path: str) -> Registration:
    """Return what the registration directory at `path` holds."""
    problem = None
    marker = None
    records: list[Record] = []
    try:
        records = journal.read(path)
        marker = read_marker(path)
    except (OSError, UntrustedFileError) as error:
        problem = str(error)
    return Registration(path, records, summarise(records), marker, problem, read_retired(path))


def read_run(server_dir: str, alike: str | None = None) -> RecordedRun:
    """Return what the directory of one run of a server holds, registrations that are gone included.

    Args:
        alike: a registration's directory, of this run or another; only what bears the same name is read.
    """
    run = read_server_run(server_dir)
    found = model_directories(server_dir)
    registrations = [
        read_registration(path) for path in found if alike is None or _name(path) == _name(alike)
    ]
    if run is None:
        return RecordedRun(None, None, None, True, registrations)
    ended = not is_alive(run.pid, run.start)
    return RecordedRun(run.pid, run.torchserve, run.started_at, ended, registrations)


def _name(directory: str) -> str:
    """Return what a registration's directory has before the hash at its end."""
    name = os.path.basename(directory)
    return name.rpartition("-")[0] or name


def still_registered(registrations: Iterable[Registration], pid: int) -> list[Registration]:
    """Return those that a running frontend still has; of those without a marker that is not known.

    It removes what it unpacked or linked for a registration when that is unregistered. A new one of
    the same name may have no workers yet, and must not be taken for it.

    Args:
        pid: process id of the frontend, whose files can be seen.
    """
    return [r for r in registrations if r.marker is None or _is_there(r.marker.registration, pid)]


def _is_there(registered: str, pid: int) -> bool:
    whole, found, _ = registered.rpartition("#")  # Which function of a workflow it is.
    return sees_path(pid, registered) or bool(found and sees_path(pid, whole))

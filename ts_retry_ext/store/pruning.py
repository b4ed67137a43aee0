"""Forget what is long over, so that a state directory does not grow for ever.

A pod that restarts every few minutes leaves a directory each time, a server whose models are registered
and unregistered through the API one for each registration.
"""

from __future__ import annotations

import os
import time
from typing import Callable

from ts_retry_ext.store.atomic import UntrustedFileError
from ts_retry_ext.store.directory import (
    JOURNAL_FILE,
    ServerRun,
    model_directories,
    read_server_run,
    server_runs,
)
from ts_retry_ext.store.journal import read

#: So many of the newest runs are kept, however old they are.
KEPT_RUNS = 20
#: A run that was written to since is kept: its server may live in another container; in seconds.
KEPT_SEC = 7 * 24 * 3600.0
#: Each start of a server adds one run, so a few for each are enough; more would delay its worker.
_MOST_AT_ONCE = 50
#: So many of the registrations of a run that were written to last are kept, whatever became of them.
KEPT_REGISTRATIONS = 200


def prune(state_dir: str, is_alive: Callable[[ServerRun], bool]) -> list[str]:
    """Remove what is kept of servers that ended long ago, and return the paths. Never raises."""
    removed: list[str] = []
    try:
        for path in server_runs(state_dir)[KEPT_RUNS:][-_MOST_AT_ONCE:]:
            run = read_server_run(path)
            if os.path.islink(path) or (run is not None and is_alive(run)) or not _is_old(path):
                continue
            from shutil import rmtree  # Here, since it brings the compression modules along.

            rmtree(path)
            removed.append(path)
    except OSError:
        pass  # Another worker removes it too, or it is not ours to remove.
    return removed


def prune_registrations(server_dir: str, is_alive: Callable[[int, str], bool]) -> list[str]:
    """Remove what is kept of models that a server unregistered, and return the paths. Never raises.

    Kept is one of whose workers a process lives, and one with a marker whose files are there.
    """
    removed: list[str] = []
    paths = model_directories(server_dir)
    if len(paths) <= KEPT_REGISTRATIONS:
        return removed
    for path in sorted(paths, key=_written_at)[: len(paths) - KEPT_REGISTRATIONS][:_MOST_AT_ONCE]:
        try:
            if not os.path.islink(path) and not _is_registered(path, is_alive):
                from shutil import rmtree

                rmtree(path)
                removed.append(path)
        except (OSError, UntrustedFileError):  # noqa: PERF203 - another worker removes it too
            continue
    return removed


def _is_registered(path: str, is_alive: Callable[[int, str], bool]) -> bool:
    """Tell whether a registration may still be one. Raises OSError, UntrustedFileError."""
    from ts_retry_ext.store.marker import read_marker

    marker = read_marker(path)
    if marker is not None and os.path.lexists(marker.registration.partition("#")[0]):
        return True
    processes = {record.process for record in read(path)} - {None}
    return any(process and is_alive(process.pid, process.start) for process in processes)


def _written_at(path: str) -> float:
    """Return when a registration's journal was written to last, seconds since the epoch."""
    for name in (JOURNAL_FILE, ""):
        try:
            return os.stat(os.path.join(path, name)).st_mtime
        except OSError:  # noqa: PERF203 - it has none, or is gone
            continue
    return 0.0


def _is_old(path: str) -> bool:
    """Tell whether nothing below `path` was written for `KEPT_SEC`. Raises OSError."""
    since = time.time() - KEPT_SEC
    return all(
        os.lstat(os.path.join(folder, name)).st_mtime < since
        for folder, _, files in os.walk(path)
        for name in (".", *files)
    )

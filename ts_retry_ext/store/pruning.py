"""Forget the runs of servers that ended long ago, so that a state directory does not grow for ever.

A pod that restarts every few minutes leaves a directory each time.
"""

from __future__ import annotations

import os
import time
from typing import Callable

from ts_retry_ext.store.directory import ServerRun, read_server_run, server_runs

#: So many of the newest runs are kept, however old they are.
KEPT_RUNS = 20
#: A run that was written to since is kept: its server may live in another container; in seconds.
KEPT_SEC = 7 * 24 * 3600.0
#: Each start of a server adds one run, so a few for each are enough; more would delay its worker.
_MOST_AT_ONCE = 50


def prune(state_dir: str, is_alive: Callable[[ServerRun], bool]) -> list[str]:
    """Remove what is kept of servers that ended long ago, and return the paths. Never raises.

    Args:
        state_dir: path of the state directory.
        is_alive: tells whether the server of a run is there.
    """
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


def _is_old(path: str) -> bool:
    """Tell whether nothing below `path` was written for `KEPT_SEC`. Raises OSError."""
    since = time.time() - KEPT_SEC
    return all(
        os.lstat(os.path.join(folder, name)).st_mtime < since
        for folder, _, files in os.walk(path)
        for name in (".", *files)
    )

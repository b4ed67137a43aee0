"""Which registrations a server that is gone still had when it ended."""

from __future__ import annotations

import os
from typing import Sequence

from ts_retry_ext.logs.server_log import read_server_log
from ts_retry_ext.logs.unregistration_lines import PidLine, unregistered_in
from ts_retry_ext.settings import STATE_DIRECTORY_NAME
from ts_retry_ext.snapshot.registration import Registration
from ts_retry_ext.store.directory import read_server_run


def registered_at_end(server_dir: str, registrations: Sequence[Registration]) -> list[Registration]:
    """Return the registrations of a run that nobody had unregistered by the end of the server.

    TorchServe kills the workers of a model that is unregistered, and removes what it unpacked for it; it does
    both when it ends, too. So nothing but its log tells one from the other. If that is not where the server's
    settings put it by default, or beside the state directory, all registrations are returned.

    Args:
        server_dir: the directory of the run.
        registrations: those of the run, the ones of models that were unregistered included.
    """
    processes = {
        PidLine(pid, f"{registration.model}_{registration.version}")
        for registration in registrations
        for pid in registration.pids
    }
    gone: set[tuple[str | None, str]] = set()
    for folder in _log_directories(server_dir):
        gone |= unregistered_in(read_server_log(folder), processes)
    return [one for one in registrations if (one.model, one.version) not in gone]


def _log_directories(server_dir: str) -> set[str]:
    """Return where a server that kept its state there may have had its log."""
    state_dir = os.path.dirname(os.path.abspath(server_dir))
    found = []
    if os.path.basename(state_dir) == STATE_DIRECTORY_NAME:
        found.append(os.path.dirname(state_dir))
    run = read_server_run(server_dir)
    if run is not None:
        found.append(os.path.join(run.cwd, "logs"))
    return {os.path.realpath(folder) for folder in found}

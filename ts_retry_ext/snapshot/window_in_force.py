"""Find the window in force for a running model and where it comes from, reading its files."""

from __future__ import annotations

from typing import Iterator

from ts_retry_ext.archive.model_config import MissingYamlError
from ts_retry_ext.archive.window import Source
from ts_retry_ext.frontend.other_process import cwd_of
from ts_retry_ext.frontend.registered import window_of_registered
from ts_retry_ext.frontend.running_model import RunningModel
from ts_retry_ext.snapshot.model import WindowInForce
from ts_retry_ext.snapshot.observed_server import ObservedServer


def window_in_force(model: RunningModel, server: ObservedServer) -> WindowInForce:
    """Return the window in force for a model that a server runs."""
    reported = model.max_retry_timeout_sec
    folders = worker_folders(model) if server.sees_processes else ()
    try:
        _, window = window_of_registered(model, server.configuration, folders)
    except MissingYamlError:
        return WindowInForce(reported, None if reported is None else Source.FRONTEND.value)
    return WindowInForce(window.reported_sec, window.source.value)


def worker_folders(model: RunningModel) -> Iterator[str]:
    """Yield the working directories of a model's workers: there are its unpacked files."""
    for worker in model.workers:
        folder = None if worker.pid is None else cwd_of(worker.pid)
        if folder is not None:
            yield folder

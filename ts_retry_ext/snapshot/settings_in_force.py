"""The package's settings in force for a model, and where each was made, as its workers resolve them."""

from __future__ import annotations

import os

from ts_retry_ext.archive.model_folder import ModelFolder
from ts_retry_ext.settings import MODEL_SECTION, SETTINGS, Resolved
from ts_retry_ext.snapshot.effective import worker_folders
from ts_retry_ext.snapshot.model import ModelStatus
from ts_retry_ext.snapshot.observed_server import ObservedServer


def settings_in_force(
    model: ModelStatus, server: ObservedServer
) -> tuple[tuple[tuple[str, Resolved], ...], tuple[str, ...]]:
    """Return the settings that a model has a say in, by key, and a sentence for each problem.

    Reads the model's unpacked files. Where they cannot be seen, the server's settings are all that is known,
    and so is what an environment that cannot be seen would say.
    """
    folder = _folder(model, server)
    unpacked = None if folder is None else ModelFolder(folder)
    section, unreadable = (None, None) if unpacked is None else unpacked.section(MODEL_SECTION)
    config_file = (unpacked and unpacked.config_path) or "model-config.yaml"
    settings, problems = server.configuration.settings(section, config_file)
    found = settings._asdict()
    own = tuple((row.property_key, found[row.name]) for row in SETTINGS if row.model_key)
    return own, ((unreadable, *problems) if unreadable else problems)


def _folder(model: ModelStatus, server: ObservedServer) -> str | None:
    """Return where the model's unpacked files are, or None where they cannot be seen."""
    running = model.running
    folders = list(worker_folders(running)) if running and server.sees_processes else []
    if model.marker is not None:
        folders.append(model.marker.model_dir)
    return next((path for path in folders if os.path.isdir(path)), None)

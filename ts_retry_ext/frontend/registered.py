"""Tell the window of a registered model: what the frontend reports, held against its archive."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Iterable
from urllib.parse import urlsplit

from ts_retry_ext.archive.config_problems import Problem
from ts_retry_ext.archive.limits import WINDOW
from ts_retry_ext.archive.model_archive import Archive, ArchiveError, read_archive
from ts_retry_ext.archive.window import Source, Window, compare, window_of_archive
from ts_retry_ext.frontend.running_model import RunningModel
from ts_retry_ext.frontend.server_configuration import ServerConfiguration
from ts_retry_ext.frontend.version_entry import entry_of_version


def archive_of(model: RunningModel, configuration: ServerConfiguration) -> str | None:
    """Return the path that `model` was registered from, or None where it is there no more.

    Looks where 0.12.0 ModelArchive.downloadModel does; what came from a URL lies in the model store.
    """
    store = configuration.model_store
    try:
        name = os.path.basename(urlsplit(model.url).path if "://" in model.url else model.url)
    except ValueError:
        return None  # The frontend has taken it from nowhere.
    stored = os.path.join(store, name) if store and name else None
    if stored and os.path.isfile(stored):
        return stored
    named = os.path.join(configuration.cwd, model.url)
    if model.url and os.path.isdir(named):
        return named
    return stored if stored and os.path.isdir(stored) else None


def window_of_registered(
    model: RunningModel, configuration: ServerConfiguration, folders: Iterable[str] = ()
) -> tuple[str | None, Window]:
    """Return the archive of a registered model, or None, and the window in force.

    What the frontend unpacked at registration counts where it can be seen; the archive may have
    changed since, and then a problem says so.

    Args:
        folders: where the model's unpacked files may be.

    Raises:
        MissingYamlError: the archive has a configuration, and PyYAML is not installed.
    """
    path, reported = archive_of(model, configuration), model.max_retry_timeout_sec
    copy = _unpacked(folders)
    unpacked = None if copy is None else window_of_archive(copy)
    stored = _of_stored(model, path)
    if unpacked is not None:
        window = compare(unpacked, reported)
        if isinstance(stored, Window):
            window = replace(window, problems=compare(stored, window.reported_sec).problems)
    elif isinstance(stored, Window):
        window = compare(stored, reported)
    else:
        return path, _reported(model, stored)
    return path, replace(window, problems=window.problems + _in_properties(model, configuration))


def archive_in_force(
    model: RunningModel, configuration: ServerConfiguration, folders: Iterable[str] = ()
) -> Archive | None:
    """Return what `window_of_registered` reads: the unpacked copy, else the archive, else None."""
    unpacked = _unpacked(folders)
    path = archive_of(model, configuration)
    if unpacked is not None or path is None:
        return unpacked
    try:
        return read_archive(path)
    except ArchiveError:
        return None


def _unpacked(folders: Iterable[str]) -> Archive | None:
    for folder in folders:
        try:
            archive = read_archive(folder)
        except ArchiveError:
            continue
        if archive.manifest is not None:
            return archive
    return None


def _of_stored(model: RunningModel, path: str | None) -> Window | Problem:
    """Return the window by the archive at `path`, or why that cannot be told."""
    if path is None:
        where = f"its archive {model.url!r} is not found"
        return Problem("archive-not-found", _only_reported(model, where))
    try:
        return window_of_archive(read_archive(path))
    except ArchiveError as error:
        return Problem("unreadable-archive", _only_reported(model, str(error)))


def _only_reported(model: RunningModel, why: str) -> str:
    if model.max_retry_timeout_sec is None:
        return f"{why}, and this TorchServe does not report the value: the default is assumed"
    return f"{why}: only what the frontend reports is known"


def _reported(model: RunningModel, problem: Problem) -> Window:
    if model.max_retry_timeout_sec is None:
        return Window.default(problem)
    return Window(model.max_retry_timeout_sec * 1000, Source.FRONTEND, None, (problem,))


def _in_properties(model: RunningModel, configuration: ServerConfiguration) -> tuple[Problem, ...]:
    """Return a problem where the server's configuration holds the key, which is not read there."""
    found = [WINDOW] if WINDOW in configuration.properties else []
    if WINDOW in entry_of_version(model.name, model.version, configuration.properties):
        found.append("models")
    return tuple(
        Problem(
            "ignored-in-config-properties",
            f"{WINDOW} under {key} in {configuration.config_file} is ignored: it counts in the archive's "
            "model-config.yaml only",
        )
        for key in found
    )

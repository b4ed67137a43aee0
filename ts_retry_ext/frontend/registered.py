"""Tell the window of a registered model: what the frontend reports, held against its archive."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from urllib.parse import urlsplit

from ts_retry_ext.archive.model_archive import ArchiveError, read_archive
from ts_retry_ext.archive.window import KEY, Problem, Source, Window, compare, window_of_archive
from ts_retry_ext.frontend.running_model import RunningModel
from ts_retry_ext.frontend.server import Server


def model_store_of(server: Server) -> str | None:
    """Return the absolute path of the server's model store, or None where it has none.

    The command line beats ``model_store`` in the configuration (0.12.0 ConfigManager).
    """
    cmdline = server.frontend.cmdline
    given = [value for option, value in zip(cmdline, cmdline[1:]) if option == "-s"]
    path = given[0] if given else server.properties.get("model_store")
    return os.path.join(server.frontend.cwd, path) if path else None


def archive_of(model: RunningModel, server: Server) -> str | None:
    """Return the path that `model` was registered from, or None where it is there no more.

    Looks where 0.12.0 ModelArchive.downloadModel does; what came from a URL lies in the model store.
    """
    store = model_store_of(server)
    name = os.path.basename(urlsplit(model.url).path if "://" in model.url else model.url)
    stored = os.path.join(store, name) if store and name else None
    if stored and os.path.isfile(stored):
        return stored
    named = os.path.join(server.frontend.cwd, model.url)
    if model.url and os.path.isdir(named):
        return named
    return stored if stored and os.path.isdir(stored) else None


def window_of_registered(model: RunningModel, server: Server) -> tuple[str | None, Window]:
    """Return the archive of a registered model, or None, and the window in force.

    Raises:
        MissingYamlError: the archive has a configuration, and PyYAML is not installed.
    """
    path = archive_of(model, server)
    if path is None:
        where = f"its archive {model.url!r} is not found"
        return None, _reported(model, Problem("archive-not-found", _only_reported(model, where)))
    try:
        window = window_of_archive(read_archive(path))
    except ArchiveError as error:
        problem = Problem("unreadable-archive", _only_reported(model, str(error)))
        return path, _reported(model, problem)
    window = compare(window, model.max_retry_timeout_sec)
    return path, replace(window, problems=window.problems + _in_properties(model, server))


def _only_reported(model: RunningModel, why: str) -> str:
    if model.max_retry_timeout_sec is None:
        return f"{why}, and this TorchServe does not report the value: the default is assumed"
    return f"{why}: only what the frontend reports is known"


def _reported(model: RunningModel, problem: Problem) -> Window:
    if model.max_retry_timeout_sec is None:
        return Window.default(problem)
    return Window(model.max_retry_timeout_sec * 1000, Source.FRONTEND, None, (problem,))


def _in_properties(model: RunningModel, server: Server) -> tuple[Problem, ...]:
    """Return a problem where the server's configuration holds the key, which is not read there."""
    found = [KEY] if KEY in server.properties else []
    if KEY in _versions_in_properties(model.name, server).get(model.version, {}):
        found.append("models")
    return tuple(
        Problem(
            "ignored-in-config-properties",
            f"{KEY} under {key} in {server.config_file} is ignored: it counts in the archive's "
            "model-config.yaml only",
        )
        for key in found
    )


def _versions_in_properties(name: str, server: Server) -> dict[str, dict[str, object]]:
    """Return what ``models``, a JSON object in the configuration, says of a model, by version."""
    try:
        versions = json.loads(server.properties.get("models", "{}"))[name]
    except (ValueError, KeyError, TypeError):
        return {}
    if not isinstance(versions, dict):
        return {}
    return {version: keys for version, keys in versions.items() if isinstance(keys, dict)}

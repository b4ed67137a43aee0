"""Which models a server was started with: from its command line, configuration, or snapshot."""

from __future__ import annotations

import json
import os
from typing import NamedTuple

from ts_retry_ext.archive.model_archive import default_model_name, read_archive
from ts_retry_ext.archive.model_store import LOADED_BY_ALL
from ts_retry_ext.frontend.server_configuration import ServerConfiguration

#: The kernel gives the time of its boot, from which a process's start is counted, in whole seconds; and
#: the frontend reads the store about a second after its process was made.
START_IS_KNOWN_TO_SEC = 1.0


class StartupModel(NamedTuple):
    """A model that the server was to register at its start.

    Attributes:
        name: under which it would be registered, as far as the archive need not be read for that.
        url: as it was named: a file of the model store, a path, or a URL. Blanks around it count.
        is_named: whether the name was given beside the archive; else the archive's manifest decides.
        version: as a snapshot has it; None where the archive's manifest decides.
        is_default: whether requests without a version were to mean it.
        serves: whether it was to have workers.
        came_later: whether its archive has come, or was changed, since the start.
    """

    name: str
    url: str
    is_named: bool
    version: str | None = None
    is_default: bool = True
    serves: bool = True
    came_later: bool = False


def startup_models(configuration: ServerConfiguration, started_at: float) -> list[StartupModel]:
    """Return the models that a server was to register at its start (0.12.0 ModelServer.initModelStore).

    Of ``all`` that is what stands in the model store: what came later, or was replaced since, is marked.

    Args:
        started_at: when it started, seconds since the epoch.
    """
    snapshot = configuration.properties.get("model_snapshot")
    if snapshot:
        return _of_snapshot(snapshot)
    named = configuration.load_models or ""
    if named.lower() == "all":  # With a blank behind it, it is the name of an archive.
        return _of_store(configuration.model_store, started_at)
    pairs = (entry.split("=", 1) for entry in named.split(",") if entry.strip())
    found = []
    for pair in pairs:
        url = pair[-1]
        name = pair[0].strip() if len(pair) > 1 else default_model_name(url.strip())
        if url:
            found.append(StartupModel(name, url, is_named=len(pair) > 1))
    return found


def manifest_name(model: StartupModel, configuration: ServerConfiguration) -> str:
    """Return the name that a model is registered under; its archive's manifest may give another one.

    Raises:
        ArchiveError: the archive is missing, broken, or one that the frontend refuses.
    """
    return registered_as(model, configuration)[0]


def registered_as(model: StartupModel, configuration: ServerConfiguration) -> tuple[str, str]:
    """Return the name and the version that a model is registered under; raises as `manifest_name`."""
    read = read_archive(archive_path(model, configuration))
    named = read.manifest.model if read.manifest else None
    return named if named and not model.is_named else model.name, read.version


def archive_path(model: StartupModel, configuration: ServerConfiguration) -> str:
    """Return where a model's archive lies: in the model store, or where its path says."""
    name = model.url.rpartition("/")[2] if "://" in model.url else model.url
    stored = os.path.join(configuration.model_store or "", name)
    return stored if os.path.exists(stored) else os.path.join(configuration.cwd, model.url)


def _of_store(store: str | None, before: float) -> list[StartupModel]:
    try:
        with os.scandir(store or "") as entries:
            times = {entry.name: _changed_at(entry) for entry in entries if _is_loaded(entry)}
    except OSError:
        return []
    begun = before + START_IS_KNOWN_TO_SEC
    return [
        StartupModel(
            default_model_name(name), name, is_named=False, came_later=times[name] >= begun
        )
        for name in sorted(times)
    ]


def _is_loaded(entry: os.DirEntry[str]) -> bool:
    """Tell whether ``all`` takes an entry. Raises OSError."""
    return not entry.name.startswith(".") and (entry.is_dir() or entry.name.endswith(LOADED_BY_ALL))


def _changed_at(entry: os.DirEntry[str]) -> float:
    """Return when an entry came or changed. Raises OSError."""
    status = entry.stat()
    # Copied into place, a file keeps its old time of change; its inode does not.
    return max(status.st_mtime, status.st_ctime)


def _of_snapshot(text: str) -> list[StartupModel]:
    """Return the models of a snapshot (0.12.0 snapshot.Snapshot); none where it is not understood."""
    try:
        models = json.loads(text)["models"]
        return [
            StartupModel(
                str(name),
                str(entry["marName"]),
                is_named=True,
                version=str(version),
                is_default=entry.get("defaultVersion") is not False,
                serves=entry.get("maxWorkers") != 0,
            )
            for name, versions in models.items()
            for version, entry in versions.items()
        ]
    except (ValueError, TypeError, KeyError, AttributeError):
        return []

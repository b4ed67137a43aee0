"""Which models a server was started with: from its command line, configuration, or snapshot."""

from __future__ import annotations

import json
import os
from typing import Iterable, NamedTuple

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
        url: as it was named: a file of the model store, a path, or a URL.
        is_named: whether the name was given beside the archive; else the archive's manifest decides.
    """

    name: str
    url: str
    is_named: bool


def startup_models(configuration: ServerConfiguration, started_at: float) -> list[StartupModel]:
    """Return the models that a server was to register at its start (0.12.0 ModelServer.initModelStore).

    Of ``all`` that is what stood in the model store then: what came later is not held against it.

    Args:
        configuration: the server's.
        started_at: when it started, seconds since the epoch.
    """
    snapshot = configuration.properties.get("model_snapshot")
    if snapshot:
        return _of_snapshot(snapshot)
    named = configuration.load_models or ""
    if named.strip().lower() == "all":
        return _of_store(configuration.model_store, started_at)
    pairs = (entry.strip().split("=", 1) for entry in named.split(",") if entry.strip())
    found = []
    for pair in pairs:
        url = pair[-1].strip()
        name = pair[0].strip() if len(pair) > 1 else default_model_name(url)
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
            names = sorted(entry.name for entry in entries if _is_loaded(entry, before))
    except OSError:
        return []
    return [StartupModel(default_model_name(name), name, is_named=False) for name in names]


def _is_loaded(entry: os.DirEntry[str], before: float) -> bool:
    """Tell whether ``all`` takes an entry that was there before a time. Raises OSError."""
    if entry.name.startswith("."):
        return False
    status = entry.stat()
    # Copied into place, a file keeps its old time of change; its inode does not.
    was_there = max(status.st_mtime, status.st_ctime) < before + START_IS_KNOWN_TO_SEC
    return was_there and (entry.is_dir() or entry.name.endswith(LOADED_BY_ALL))


def _of_snapshot(text: str) -> list[StartupModel]:
    """Return the models of a snapshot (0.12.0 snapshot.Snapshot); none where it is not understood."""
    try:
        models = json.loads(text)["models"]
        return [
            StartupModel(str(name), _mar_name(versions), is_named=True)
            for name, versions in models.items()
        ]
    except (ValueError, TypeError, KeyError, AttributeError):
        return []


def _mar_name(versions: Iterable[object]) -> str:
    entries = versions.values() if isinstance(versions, dict) else ()
    return next((str(entry["marName"]) for entry in entries if isinstance(entry, dict)), "")

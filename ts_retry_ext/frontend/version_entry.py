"""What a server's configuration says of one version of a model."""

from __future__ import annotations

from typing import Mapping

from ts_retry_ext.archive.gson import GsonError, loads
from ts_retry_ext.archive.limits import SERVER_KEYS, of_models

#: The key under which a config snapshot holds the models that the server had.
SNAPSHOT = "model_snapshot"


def entry_of_version(name: str, version: str, properties: Mapping[str, str]) -> dict[str, object]:
    """Return what a server's configuration says of a version of a model; empty where nothing.

    That stands under ``models``, a JSON object, or in the config snapshot that the server started from
    (0.12.0 ConfigManager.setModelConfig, SnapshotManager.restore).

    Args:
        name: the name that the model is registered under.
    """
    snapshot = properties.get(SNAPSHOT)
    try:
        found = loads(properties.get("models", "{}") if snapshot is None else snapshot)
    except (GsonError, RecursionError):
        return {}
    for key in (name, version) if snapshot is None else ("models", name, version):
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def properties_for(name: str, version: str, properties: Mapping[str, str]) -> Mapping[str, str]:
    """Return a server's configuration with the time-outs under ``models`` where `limits` reads them."""
    entry = entry_of_version(name, version, properties)
    return {
        **properties,
        **{of_models(key): str(entry[key]) for key in SERVER_KEYS if key in entry},
    }

"""What to do with a new version of a model while the server's model API is off."""

from __future__ import annotations

import os
from shlex import quote

from ts_retry_ext.frontend.registered import archive_of
from ts_retry_ext.frontend.running_model import RunningModel
from ts_retry_ext.frontend.server_configuration import ServerConfiguration


def without_model_api(
    archive: str, old: RunningModel | None, configuration: ServerConfiguration
) -> str:
    """Return in words that the model API is off, and the steps that take its place."""
    steps = [f"ts-retry check {quote(archive)}", *_placed(archive, old, configuration)]
    config = configuration.config_file or "config.properties"
    return (
        "the model API is off, so nothing can be registered while the server runs. Either "
        f"{', '.join(steps)}, and restart the server; or set enable_model_api=true in {config}, restart the server once, "
        "and run this again"
    )


def _placed(
    archive: str, old: RunningModel | None, configuration: ServerConfiguration
) -> list[str]:
    """Return the steps that put an archive where the next start registers it."""
    store = configuration.model_store or "MODEL_STORE"
    if old is None:
        place = os.path.join(store, os.path.basename(archive))
        loads_all = (configuration.load_models or "").lower() == "all"
        named = f"name {os.path.basename(place)} in load_models or --models"
        return [*_copied(archive, place), *(() if loads_all else (named,))]
    place = archive_of(old, configuration) or os.path.join(store, os.path.basename(old.url))
    if os.path.isdir(place):
        return [f"unpack it into {quote(place)}"]
    return _copied(archive, place)


def _copied(archive: str, place: str) -> list[str]:
    try:
        if os.path.samefile(archive, place):
            return []
    except OSError:
        pass  # One of them is not there.
    return [f"cp {quote(archive)} {quote(place)}"]

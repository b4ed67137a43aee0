"""Tell what the frontend has in force for an unpacked model, and parse its configuration only if need be.

A worker imports this when it needs a limit: a holder, which waits, does not.
"""

from __future__ import annotations

from typing import Mapping

from ts_retry_ext.archive.limits import (
    RESPONSE_TIMEOUT,
    SERVER_KEYS,
    WINDOW,
    load_timeout_key,
    of_models,
    timeout_sec,
    timeout_source,
    window_msec,
)
from ts_retry_ext.archive.model_folder import ModelFolder


def startup_timeout_of(
    folder: ModelFolder, properties: Mapping[str, str], torchserve: str | None = None
) -> float:
    """Return after how many seconds the frontend ends a load of a model that has not answered.

    Args:
        folder: the model.
        properties: the server's ``config.properties``.
        torchserve: the version of TorchServe, None for the newest.
    """
    return _timeout(folder, load_timeout_key(torchserve), properties)


def startup_timeout_in_words(
    folder: ModelFolder, properties: Mapping[str, str], torchserve: str | None = None
) -> str:
    """Return the limit of a load with its name, value and source, as `startupTimeout is 120 s (…)`."""
    key = load_timeout_key(torchserve)
    source = timeout_source(key, folder.usable_configuration(key), properties)
    return f"{key} is {startup_timeout_of(folder, properties, torchserve):.0f} s ({source})"


def response_timeout_of(folder: ModelFolder, properties: Mapping[str, str]) -> float:
    """Return after how many seconds the frontend ends a worker that owes it an answer."""
    return _timeout(folder, RESPONSE_TIMEOUT, properties)


def window_of(folder: ModelFolder) -> float:
    """Return the retry window of a model in seconds; negative where it overflows."""
    return window_msec(folder.usable_configuration(WINDOW)) / 1000


def _timeout(folder: ModelFolder, key: str, properties: Mapping[str, str]) -> float:
    # Where the server has a default of its own, it matters whether the frontend can read the
    # model's configuration at all.
    has_own = SERVER_KEYS[key] in properties or of_models(key) in properties
    keys = () if has_own else (key,)
    return float(timeout_sec(key, folder.usable_configuration(*keys), properties))

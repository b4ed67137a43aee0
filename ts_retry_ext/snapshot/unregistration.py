"""Unregister a version of a model until the server lists it no more, and say what it lists.

TorchServe ends workers with ``kill -9``: a busy one, a stopped one, one that loads and four at once were gone
in 0.1 s, and a model's directory of 60,000 files in 1.3 s (0.12.0). How long a busy frontend takes is not bounded.
"""

from __future__ import annotations

from typing import Callable

from ts_retry_ext.frontend.condition import ManagementError
from ts_retry_ext.frontend.management import ManagementApi
from ts_retry_ext.snapshot.asked_again import asked_again


def unregister(api: ManagementApi, name: str, version: str, tell: Callable[[str], None]) -> None:
    """Unregister a version, and return once the server lists it no more. The default version stays.

    Args:
        api: the management API.
        name: the model.
        version: its version.
        tell: is told that it takes long.

    Raises:
        ManagementError: it is refused, or not answered in time and the version still listed.
    """

    def ask() -> None:
        try:
            api.unregister(name, version)
        except ManagementError:
            if is_listed(api, name, version):
                raise

    asked_again(ask, tell)


def is_listed(api: ManagementApi, name: str, version: str, *, if_unheard: bool = True) -> bool:
    """Tell whether the server has a version, or return `if_unheard` where it does not answer."""
    try:
        return any(model.version == version for model in api.describe(name))
    except ManagementError:
        return if_unheard


def listed(api: ManagementApi, name: str) -> str:
    """Return in words what the server has of a model: as it answers now, whatever was done before."""
    try:
        have = api.describe(name)
    except ManagementError as error:
        return f"what the server has of {name} is not known: {error}"
    if not have:
        return f"the server has no version of {name}"
    versions = (f"{m.version} (the default one)" if m.is_default else m.version for m in have)
    return f"the server has of {name}: {', '.join(versions)}"

"""What a deployment is to do, and why an archive cannot take the place of what serves."""

from __future__ import annotations

from typing import NamedTuple

from ts_retry_ext.frontend.management import ManagementApi
from ts_retry_ext.frontend.running_model import RunningModel
from ts_retry_ext.snapshot.deployment_place import DeploymentError
from ts_retry_ext.snapshot.observed_server import ObservedServer
from ts_retry_ext.snapshot.without_model_api import without_model_api


class Plan(NamedTuple):
    """What is to be put in place.

    Attributes:
        archive: path of the archive.
        name: the model.
        version: the archive's version.
        old: the version that requests without one mean now; None for a new model.
    """

    archive: str
    name: str
    version: str
    old: RunningModel | None

    @property
    def workers(self) -> tuple[int, int]:
        """Return how few and how many workers the new version gets: as many as the old one has."""
        if self.old is None:
            return 1, 1
        low = max(1, self.old.min_workers)
        return low, max(low, self.old.max_workers)


def plan(
    server: ObservedServer,
    api: ManagementApi,
    archive: str,
    name: str,
    version: str,
    *,
    is_new: bool,
    may_be_older: bool,
) -> Plan:
    """Return what is to be done.

    Args:
        server: the server.
        api: its management API.
        archive: path of the archive.
        name: the model that its manifest names.
        version: its version.
        is_new: whether no model of that name has to be there.
        may_be_older: whether the version may be older than the one that serves.

    Raises:
        DeploymentError: this archive cannot take the place of what serves.
        ManagementError: the frontend does not answer.
    """
    have = api.describe(name)
    server.require_own(have)
    old = next((model for model in have if model.is_default), None)
    if not api.takes_registrations():
        raise DeploymentError(without_model_api(archive, old, server.configuration))
    if not have and not is_new:
        known = ", ".join(api.list_models()) or "none"
        msg = f"{archive} is model {name!r}, and no such model is registered ({known}): give --new to add it"
        raise DeploymentError(msg)
    if any(model.version == version for model in have):
        msg = (
            f"version {version} of {name} is registered already: pack the archive with another "
            "--version of torch-model-archiver"
        )
        raise DeploymentError(msg)
    if old is not None and not may_be_older and _order(version) < _order(old.version):
        msg = (
            f"{archive} holds version {version}, older than {old.version}, which serves: give "
            "--allow-older to go back"
        )
        raise DeploymentError(msg)
    return Plan(archive, name, version, old)


def _order(version: str) -> tuple[tuple[int, str], ...]:
    """Return what versions are compared by: numbers as numbers, the rest as text."""
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in version.split("."))

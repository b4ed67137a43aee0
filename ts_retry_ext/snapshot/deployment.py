"""Put a version of a model beside the one that serves, and in its place once it serves itself.

The old version goes on serving until the new one has loaded, and for good where that fails.
"""

from __future__ import annotations

import time
from typing import Callable, NamedTuple

from ts_retry_ext.frontend.answered_by import require_own_workers
from ts_retry_ext.frontend.condition import Condition, ManagementError
from ts_retry_ext.frontend.management import ManagementApi
from ts_retry_ext.frontend.refusal import CONFLICT
from ts_retry_ext.frontend.running_model import RunningModel
from ts_retry_ext.snapshot.deployment_place import DeploymentError
from ts_retry_ext.snapshot.join import unconfirmed_models
from ts_retry_ext.snapshot.model import ModelStatus
from ts_retry_ext.snapshot.observed_server import ObservedServer
from ts_retry_ext.snapshot.registration_files import read_registrations
from ts_retry_ext.snapshot.state import State
from ts_retry_ext.snapshot.take import model_status
from ts_retry_ext.snapshot.without_model_api import without_model_api
from ts_retry_ext.store.times import to_seconds

#: How often the new version is looked at, in seconds.
POLL_SEC = 0.5
Tell = Callable[[str], None]


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
    if server.sees_processes:
        require_own_workers(have, server.frontend.pid, api.endpoint.management)
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


def put_beside(
    server: ObservedServer,
    api: ManagementApi,
    wanted: Plan,
    url: str,
    *,
    timeout_sec: float,
    tell: Tell,
) -> None:
    """Register the new version and wait until all its workers have loaded it; else take it away again.

    Args:
        server: the server.
        api: its management API.
        wanted: what is to be put in place.
        url: the archive's file name in the model store.
        timeout_sec: how long the workers may take.
        tell: is told each step.

    Raises:
        DeploymentError: it did not load; nothing of it is registered any more.
        ManagementError: the frontend does not answer itself. The old version was not touched.
    """
    low, high = wanted.workers
    begun = time.time()
    tell(f"registers version {wanted.version} with {low} worker{'s' if low > 1 else ''}")
    try:
        unheard = _register(api, url, low, timeout_sec)
        _wait_until_ready(api, wanted, begun + timeout_sec, unheard)
        if high > low:
            api.scale(wanted.name, wanted.version, low, high, synchronous=False)
    except (ManagementError, DeploymentError) as error:
        left = "" if _is_conflict(error) else _take_away(api, wanted)
        why = _why(server, wanted, begun)
        old = f"; version {wanted.old.version} " if wanted.old else ""
        if isinstance(error, ManagementError) and not error.is_own and why is None:
            msg = f"{error}{left}{old and old + 'was not touched'}"
            raise ManagementError(msg, error.condition, error.status) from error
        msg_0 = f"{why or error}{left}{old and old + 'goes on serving'}"
        raise DeploymentError(msg_0) from error
    except BaseException:  # Ctrl-C: nothing is left half done.
        _take_away(api, wanted)
        raise


def put_in_place(
    server: ObservedServer,
    api: ManagementApi,
    wanted: Plan,
    *,
    keep_old: bool,
    drain_sec: float,
    tell: Tell,
) -> None:
    """Make the new version the default one, and unregister the old one while the new one serves.

    TorchServe ends a worker that is unregistered whatever it does, and does not tell of requests that
    are being answered. So the old version is left alone for a while first.

    Args:
        server: the server.
        api: its management API.
        wanted: what serves now.
        keep_old: whether the old version stays registered.
        drain_sec: how long the old version's last requests may take.
        tell: is told each step.

    Raises:
        DeploymentError: the new version stopped serving meanwhile. The old one is the default again.
        ManagementError: the frontend does not answer itself. The old version stays registered, unless
            it was the answer to that question which failed.
    """
    if wanted.old is None:
        return
    old = wanted.old.version
    try:
        api.set_default(wanted.name, wanted.version)
        _require_in_place(server, api, wanted, old)
        tell(f"version {wanted.version} is the default one now, in place of {old}")
        if keep_old:
            return
        tell(f"lets version {old} answer its last requests, for {drain_sec:g} s")
        time.sleep(drain_sec)
        _require_in_place(server, api, wanted, old)
    except ManagementError as error:
        msg = f"{error}. Both versions stay registered, {old} and {wanted.version}: see ts-retry status"
        raise ManagementError(msg, error.condition, error.status) from error
    try:
        api.unregister(wanted.name, old)
    except ManagementError as error:
        msg = f"{error}. Version {wanted.version} serves; whether {old} is still registered is not known"
        raise ManagementError(msg, error.condition, error.status) from error
    tell(f"version {old} is unregistered")


def _register(api: ManagementApi, url: str, low: int, timeout_sec: float) -> ManagementError | None:
    """Register an archive; return why the frontend's own answer did not come, if it did not.

    A proxy gives up before a large model has loaded, and the frontend goes on: what it describes counts.
    """
    try:
        api.register(url, initial_workers=low, timeout_sec=timeout_sec)
    except ManagementError as error:
        if error.is_own or error.condition in (Condition.REFUSED, Condition.EXPIRED_KEY):
            raise
        return error
    return None


def _is_conflict(error: Exception) -> bool:
    """Tell whether somebody else has registered the version meanwhile, so that it is theirs."""
    return isinstance(error, ManagementError) and error.is_own and error.status == CONFLICT


def _wait_until_ready(
    api: ManagementApi, wanted: Plan, until: float, unheard: ManagementError | None
) -> None:
    low, _ = wanted.workers
    while True:
        new = next((m for m in api.describe(wanted.name) if m.version == wanted.version), None)
        if new is not None and sum(worker.is_ready for worker in new.workers) >= low:
            return
        if new is None and unheard is not None:
            raise unheard
        if new is None or time.time() > until:
            msg = (
                "its workers have not loaded it in time" if new else "it is not registered any more"
            )
            raise DeploymentError(msg)
        time.sleep(POLL_SEC)


def _require_in_place(server: ObservedServer, api: ManagementApi, wanted: Plan, old: str) -> None:
    """See that the new version is the default one and serves; else give its place back to `old`.

    Raises:
        DeploymentError: it does not serve; the old version is the default one again.
        ManagementError: the frontend does not tell, or has another default version.
    """
    now = model_status(server, api, wanted.name, wanted.version)
    if now is not None and now.running is not None and not now.running.is_default:
        msg = (
            f"the management API at {api.endpoint.management} was asked to make version {wanted.version} the "
            "default one (PUT /models), took that, and describes another version as the default one"
        )
        raise ManagementError(msg)
    if now is not None and now.state is State.SERVING:
        return
    api.set_default(wanted.name, old)
    state = now.state.value if now is not None else "not registered any more"
    cause = f", {now.cause}" if now is not None and now.cause else ""
    left = _take_away(api, wanted)
    msg_0 = (
        f"once it was the default version, it did not serve: it is {state}{cause}. Version {old} is the "
        f"default one again{left}"
    )
    raise DeploymentError(msg_0)


def _take_away(api: ManagementApi, wanted: Plan) -> str:
    """Unregister what was registered of the new version. The old one is not touched.

    Returns what is to be told where that is not sure, to follow what failed before.
    """
    try:
        have = api.describe(wanted.name)
        if any(model.version == wanted.version for model in have):
            api.unregister(wanted.name, wanted.version)
    except ManagementError:
        return f"; whether version {wanted.version} is registered is not known: see ts-retry status"
    return ""


def _why(server: ObservedServer, wanted: Plan, since: float) -> str | None:
    """Return what the new version's workers wrote down of their failure, or None."""
    found = [
        registration
        for registration in read_registrations(server.run_dirs)
        if registration.model == wanted.name
        and registration.version == wanted.version
        and registration.records
        and to_seconds(registration.records[-1].at) >= since - 1
    ]
    statuses: tuple[ModelStatus, ...] = unconfirmed_models(found, server_runs=True, died_by=None)
    for status in statuses:
        if status.cause is not None:
            place = status.failing_line
            at = f", at {place.in_words()}" if place is not None else ""
            return f"{status.cause}{at} [{status.judged}]"
    return None


def _order(version: str) -> tuple[tuple[int, str], ...]:
    """Return what versions are compared by: numbers as numbers, the rest as text."""
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in version.split("."))

"""Put a version in the place of the one that serves, and see that it serves there.

A worker that ends once and serves again is TorchServe's everyday life, and no reason to go back. A version
whose workers end again and again, or do not come back, gives the place back.
"""

from __future__ import annotations

from ts_retry_ext.frontend.condition import ManagementError
from ts_retry_ext.frontend.management import ManagementApi
from ts_retry_ext.snapshot.asked_again import asked_again
from ts_retry_ext.snapshot.deployment import Tell, take_away
from ts_retry_ext.snapshot.deployment_place import DeploymentError
from ts_retry_ext.snapshot.deployment_plan import Plan
from ts_retry_ext.snapshot.model import ModelStatus
from ts_retry_ext.snapshot.observed_server import ObservedServer
from ts_retry_ext.snapshot.probation import Probation
from ts_retry_ext.snapshot.take import model_status
from ts_retry_ext.snapshot.unregistration import listed, unregister

#: How long a worker may take to serve again at least; else twice as long as its first load.
RECOVERY_SEC = 10.0
#: Of its workers, of all together, from when it is the default one until the old one is unregistered.
MOST_ENDS = 1


def put_in_place(
    server: ObservedServer,
    api: ManagementApi,
    wanted: Plan,
    *,
    keep_old: bool,
    load_sec: float,
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
        load_sec: how long the new version's workers took to load it.
        drain_sec: how long the old version's last requests may take.
        tell: is told each step.

    Raises:
        DeploymentError: the new version stopped serving meanwhile. The old one is the default again.
        ManagementError: the frontend does not answer itself, or does not unregister the old version.
    """
    if wanted.old is None:
        return
    old = wanted.old.version
    probation = Probation(
        lambda: asked_again(lambda: _as_default(server, api, wanted), tell),
        max(RECOVERY_SEC, 2 * load_sec),
        MOST_ENDS,
    )
    try:
        asked_again(lambda: api.set_default(wanted.name, wanted.version), tell)
        _require_serving(api, wanted, old, probation.why_not(), tell)
        tell(f"version {wanted.version} is the default one now, in place of {old}")
        if keep_old:
            return
        tell(f"lets version {old} answer its last requests, for {drain_sec:g} s")
        _require_serving(api, wanted, old, probation.why_not(drain_sec), tell)
        unregister(api, wanted.name, old, tell)
    except ManagementError as error:
        msg = f"{error}; {listed(api, wanted.name)}"
        raise ManagementError(msg, error.condition, error.status) from error
    tell(f"version {old} is unregistered")


def _as_default(server: ObservedServer, api: ManagementApi, wanted: Plan) -> ModelStatus | None:
    """Return the state of the new version. Raises ManagementError where it is not the default one."""
    now = model_status(server, api, wanted.name, wanted.version)
    if now is not None and now.running is not None and not now.running.is_default:
        msg = (
            f"the management API at {api.endpoint.management} was asked to make version {wanted.version} the "
            "default one (PUT /models), took that, and describes another version as the default one"
        )
        raise ManagementError(msg)
    return now


def _require_serving(
    api: ManagementApi, wanted: Plan, old: str, why_not: str | None, tell: Tell
) -> None:
    """Give the new version's place back to `old`, and raise DeploymentError, if it does not serve."""
    if why_not is None:
        return
    asked_again(lambda: api.set_default(wanted.name, old), tell)
    left = take_away(api, wanted, tell)
    msg = (
        f"once it was the default version, it did not serve: {why_not}. Version {old} is the "
        f"default one again{left}"
    )
    raise DeploymentError(msg)

"""Put a version in the place of the one that serves, and see that it serves there.

A worker that ends once and serves again is TorchServe's everyday life, and no reason to go back. A version
whose workers end again and again, or do not come back, gives the place back.
"""

from __future__ import annotations

import time
from typing import Callable

from ts_retry_ext.frontend.condition import ManagementError
from ts_retry_ext.frontend.management import ManagementApi
from ts_retry_ext.snapshot.asked_again import asked_again
from ts_retry_ext.snapshot.deployment import Tell, take_away
from ts_retry_ext.snapshot.deployment_place import DeploymentError
from ts_retry_ext.snapshot.deployment_plan import Plan
from ts_retry_ext.snapshot.model import ModelStatus
from ts_retry_ext.snapshot.observed_server import ObservedServer
from ts_retry_ext.snapshot.state import State
from ts_retry_ext.snapshot.take import model_status
from ts_retry_ext.snapshot.unregistration import listed, unregister

#: How often the new version is looked at, in seconds.
POLL_SEC = 0.5
#: How long a worker may take to serve again at least; else twice as long as its first load.
RECOVERY_SEC = 10.0
#: Of the version's workers together, from when it is the default one until the old one is unregistered.
MOST_RESTARTS = 1
#: States that TorchServe's own retry may end; the others need somebody, or time that nobody knows.
_MAY_PASS = (State.STARTING, State.RECOVERING, State.UNKNOWN)


class Probation:
    """Looks at a version while it is the default one.

    Args:
        look: returns its state now, None where it is not registered.
        recovery_sec: how long a worker that ended may take to serve again.
    """

    def __init__(self, look: Callable[[], ModelStatus | None], recovery_sec: float) -> None:
        self._look, self._recovery_sec = look, recovery_sec
        self._pids: dict[str, int] = {}
        self._restarts = 0

    def why_not(self, for_sec: float) -> str | None:
        """Look for some seconds, and until it serves then; return what keeps it from that, or None."""
        served_at = time.monotonic()
        until = served_at + for_sec
        while True:
            now, clock = self._look(), time.monotonic()
            if now is None:
                return "it is not registered any more"
            self._count_restarts(now)
            cause = f", {now.cause}" if now.cause else ""
            if self._restarts > MOST_RESTARTS:
                return f"its workers ended {self._restarts} times{cause}"
            if now.state is State.SERVING:
                if clock >= until:
                    return None
                served_at = clock
            elif now.state not in _MAY_PASS or clock - served_at > self._recovery_sec:
                return f"it is {now.state.value}{cause}"
            time.sleep(POLL_SEC)

    def _count_restarts(self, now: ModelStatus) -> None:
        for worker in now.running.workers if now.running else ():
            if worker.pid is not None:
                self._restarts += self._pids.setdefault(worker.id, worker.pid) != worker.pid
                self._pids[worker.id] = worker.pid


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
    )
    try:
        asked_again(lambda: api.set_default(wanted.name, wanted.version), tell)
        _require_serving(api, wanted, old, probation.why_not(0), tell)
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

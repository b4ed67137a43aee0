"""Put a version of a model beside the one that serves, which goes on serving.

It goes on until the new one has loaded, and for good where that fails.
"""

from __future__ import annotations

import time
from typing import Callable

from ts_retry_ext.frontend.condition import Condition, ManagementError
from ts_retry_ext.frontend.management import ManagementApi
from ts_retry_ext.frontend.refusal import CONFLICT, GATEWAY_TIMEOUT
from ts_retry_ext.snapshot.asked_again import asked_again
from ts_retry_ext.snapshot.deployment_place import DeploymentError
from ts_retry_ext.snapshot.deployment_plan import Plan
from ts_retry_ext.snapshot.join import unconfirmed_models
from ts_retry_ext.snapshot.model import ModelStatus
from ts_retry_ext.snapshot.observed_server import ObservedServer
from ts_retry_ext.snapshot.probation import Probation
from ts_retry_ext.snapshot.registration_files import read_registrations
from ts_retry_ext.snapshot.take import model_status
from ts_retry_ext.snapshot.unregistration import is_listed, listed, unregister
from ts_retry_ext.store.times import to_seconds

#: How often the new version is looked at, in seconds.
POLL_SEC = 0.5
#: How long an archive may be unpacked after Ctrl-C.
UNPACK_SEC = 60.0
Tell = Callable[[str], None]


def put_beside(
    server: ObservedServer,
    api: ManagementApi,
    wanted: Plan,
    url: str,
    *,
    timeout_sec: float,
    tell: Tell,
) -> float:
    """Register the new version and wait until all its workers have loaded it; else take it away again.

    Returns how long that took, in seconds.

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
        _register(api, wanted, url, timeout_sec, tell)
        _wait_until_ready(server, api, wanted, begun + timeout_sec - time.time(), tell)
        took_sec = time.time() - begun
        if high > low:
            api.scale(wanted.name, wanted.version, low, high, synchronous=False)
        return took_sec
    except (ManagementError, DeploymentError) as error:
        left = "" if _is_conflict(error) else take_away(api, wanted, tell)
        why = _why(server, wanted, begun)
        old = f"; version {wanted.old.version} " if wanted.old else ""
        if isinstance(error, ManagementError) and not error.is_own and why is None:
            msg = f"{error}{left}{old and old + 'was not touched'}"
            raise ManagementError(msg, error.condition, error.status) from error
        msg = f"{why or error}{left}{old and old + 'goes on serving'}"
        raise DeploymentError(msg) from error
    except BaseException:  # Ctrl-C: nothing is left half done.
        tell(f"interrupted: unregisters version {wanted.version}")
        take_away(api, wanted, tell)
        raise


def _register(api: ManagementApi, wanted: Plan, url: str, timeout_sec: float, tell: Tell) -> None:
    """Register an archive, and return once the server lists it.

    A proxy gives up before a large archive is unpacked, and the frontend goes on: what it lists counts.
    """
    until = time.time() + timeout_sec
    try:
        api.register(url, initial_workers=wanted.workers[0], timeout_sec=timeout_sec)
    except ManagementError as error:
        if error.is_own or error.condition in (Condition.REFUSED, Condition.EXPIRED_KEY):
            raise
        until = until if error.status == GATEWAY_TIMEOUT else 0.0
        if not _is_listed_until(api, wanted, until):
            raise
    except KeyboardInterrupt:
        tell(
            f"waits until TorchServe has unpacked {url} and registered it, for {UNPACK_SEC:g} s, to unregister "
            "it again. Ctrl-C again leaves it so"
        )
        _is_listed_until(api, wanted, time.time() + UNPACK_SEC)
        raise


def _is_listed_until(api: ManagementApi, wanted: Plan, until: float) -> bool:
    """Tell whether the server lists the version before a time, seconds since the epoch."""
    while not is_listed(api, wanted.name, wanted.version, if_unheard=False):
        if time.time() > until:
            return False
        time.sleep(POLL_SEC)
    return True


def _is_conflict(error: Exception) -> bool:
    """Tell whether somebody else has registered the version meanwhile, so that it is theirs."""
    return isinstance(error, ManagementError) and error.is_own and error.status == CONFLICT


def _wait_until_ready(
    server: ObservedServer, api: ManagementApi, wanted: Plan, patience_sec: float, tell: Tell
) -> None:
    """Return once the version serves. Raises DeploymentError where one of its workers ends before."""

    def look() -> ModelStatus | None:
        return model_status(server, api, wanted.name, wanted.version)

    why_not = Probation(lambda: asked_again(look, tell), patience_sec, most_ends=0).why_not()
    if why_not is not None:
        msg = f"its workers have not loaded it: {why_not}"
        raise DeploymentError(msg)


def take_away(api: ManagementApi, wanted: Plan, tell: Tell) -> str:
    """Unregister what was registered of the new version. The old one is not touched.

    Returns what is to be said where something is left, to follow what failed before.
    """
    if not is_listed(api, wanted.name, wanted.version):
        return ""
    try:
        unregister(api, wanted.name, wanted.version, tell)
    except ManagementError:
        return f"; {listed(api, wanted.name)}"
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

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
from ts_retry_ext.snapshot.registration_files import read_registrations
from ts_retry_ext.snapshot.unregistration import is_listed, listed, unregister
from ts_retry_ext.store.times import to_seconds

#: How often the new version is looked at, in seconds.
POLL_SEC = 0.5
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
        unheard = _register(api, url, low, timeout_sec)
        _wait_until_ready(api, wanted, begun + timeout_sec, unheard, tell)
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
        msg_0 = f"{why or error}{left}{old and old + 'goes on serving'}"
        raise DeploymentError(msg_0) from error
    except BaseException:  # Ctrl-C: nothing is left half done.
        tell(f"interrupted: unregisters version {wanted.version}")
        if not is_listed(api, wanted.name, wanted.version):
            tell(f"if TorchServe is still unpacking {url}, it registers that yet")
        take_away(api, wanted, tell)
        raise


def _register(api: ManagementApi, url: str, low: int, timeout_sec: float) -> ManagementError | None:
    """Register an archive; return why the frontend's own answer did not come, if it did not.

    A proxy gives up before a large model has loaded, or is unpacked, and the frontend goes on: what it
    describes counts.
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
    api: ManagementApi, wanted: Plan, until: float, unheard: ManagementError | None, tell: Tell
) -> None:
    low, _ = wanted.workers
    while True:
        have = asked_again(lambda: api.describe(wanted.name), tell)
        new = next((m for m in have if m.version == wanted.version), None)
        if new is not None and sum(worker.is_ready for worker in new.workers) >= low:
            return
        is_late = time.time() > until
        if new is None and unheard is not None and (is_late or unheard.status != GATEWAY_TIMEOUT):
            raise unheard
        if is_late or (new is None and unheard is None):
            msg = (
                "its workers have not loaded it in time" if new else "it is not registered any more"
            )
            raise DeploymentError(msg)
        time.sleep(POLL_SEC)


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

"""Join what the frontend says with what the workers wrote down."""

from __future__ import annotations

from dataclasses import replace
from typing import Collection, Mapping, Sequence

from ts_retry_ext.frontend.process import is_alive
from ts_retry_ext.frontend.running_model import RunningModel
from ts_retry_ext.sidecar.windows import ModelKey, Windows
from ts_retry_ext.snapshot.back_off import back_off
from ts_retry_ext.snapshot.model import ModelStatus
from ts_retry_ext.snapshot.registration import Registration, Registrations
from ts_retry_ext.snapshot.state import State
from ts_retry_ext.snapshot.take import alive_by_its_words, status_of, unconfirmed


def confirmed_models(
    running: Mapping[str, Sequence[RunningModel]],
    registrations: Sequence[Registration],
    windows: Windows,
    *,
    now: float,
    is_local: bool,
) -> tuple[ModelStatus, ...]:
    """Return the models that the frontend has, by name and version.

    Args:
        running: what it says, by name.
        registrations: what the workers wrote down.
        windows: the windows in force.
        now: seconds since the epoch.
        is_local: whether processes can be seen from here.
    """
    known = Registrations(registrations)
    found = []
    for model in (model for models in running.values() for model in models):
        registration = known.of(model)
        window = windows.window(model.name, model.version)
        alive = is_alive if is_local else alive_by_its_words(registration)
        found.append(status_of(model, registration, window, now=now, is_alive=alive))
    return tuple(sorted(found, key=lambda status: (status.model, status.version)))


def unconfirmed_models(
    last_known: Collection[ModelKey],
    registrations: Sequence[Registration],
    windows: Windows,
    *,
    server_runs: bool,
    is_local: bool,
) -> tuple[ModelStatus, ...]:
    """Return what is known without the frontend, by name and version.

    Args:
        last_known: names and versions that the frontend had when it last answered. Others are old
            registrations, unless it never answered.
        registrations: what the workers wrote down.
        windows: the windows that were in force.
        server_runs: whether the server is there at all.
        is_local: whether processes can be seen from here.
    """
    told = unconfirmed(registrations, server_runs=server_runs)
    found = {(status.model, status.version): status for status in told}
    if last_known:
        found = {key: found.get(key) or _unknown(*key) for key in last_known}
    for key, status in found.items():
        window, source = windows.window(*key)
        if window is not None:
            known = replace(status, max_retry_timeout_sec=window, max_retry_timeout_source=source)
            found[key] = _past_window(known, window, is_local=is_local)
    return tuple(found[key] for key in sorted(found))


def _past_window(status: ModelStatus, window_sec: int, *, is_local: bool) -> ModelStatus:
    """Return a recovering model as halted where each of its workers last ended after the window.

    It does not come back for a frontend that does not answer for a while.
    """
    if status.state is not State.RECOVERING or status.registration is None:
        return status
    records = status.registration.records
    alive = is_alive if is_local else alive_by_its_words(status.registration)
    sockets = {record.socket for record in records if record.socket is not None}
    states = [state for state in (back_off(records, socket) for socket in sockets) if state]
    if not states or not all(
        state.ended_late(window_sec) and not alive(state.pid, state.start) for state in states
    ):
        return status
    return replace(status, state=State.HALTED, gave_up=True)


def why_unknown(status: ModelStatus, *, server_runs: bool, has_state_dir: bool) -> str | None:
    """Return why the state of a model cannot be told, in a sentence; None where it can."""
    if status.state is not State.UNKNOWN:
        return None
    if not server_runs:
        return "the server does not run"
    if status.out_of_reach is not None:
        return status.out_of_reach
    if status.running is not None and not status.running.workers:
        return "it has no workers: min_workers is 0"
    if not has_state_dir:
        return "there is no state directory: no worker of this server has run ts-retry-ext"
    if status.registration is None:
        return "its workers wrote nothing: ts-retry-ext is not active in their environment"
    return "the frontend does not tell"


def _unknown(model: str, version: str) -> ModelStatus:
    return ModelStatus(model, version, State.UNKNOWN, None, None, None, None, gave_up=False)

"""Join what the frontend says of models with what their workers wrote down. Reads nothing itself.

Commands and the sidecar ask here and nowhere else, so that both say the same of one model.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Callable, Collection, Iterable, Mapping, Sequence

from ts_retry_ext.frontend.running_model import RunningModel
from ts_retry_ext.snapshot.model import (
    NO_WINDOW,
    ModelKey,
    ModelStatus,
    NotRegistered,
    WindowInForce,
)
from ts_retry_ext.snapshot.registration import Registration, Registrations
from ts_retry_ext.snapshot.state import State, state_of
from ts_retry_ext.store.back_off import BackOff, DiedBy, back_off
from ts_retry_ext.store.record import Event, Record
from ts_retry_ext.store.times import to_seconds

_LAST_EVENTS = (Event.FAILURE, Event.CRASH, Event.END, Event.RELEASE)


def confirmed_models(
    running: Iterable[RunningModel],
    registrations: Registrations,
    windows: Mapping[ModelKey, WindowInForce],
    *,
    now: float,
    died_by: DiedBy | None,
    missing: Sequence[NotRegistered] = (),
) -> tuple[ModelStatus, ...]:
    """Return the models that the frontend has, and those that it lacks, by name and version.

    Args:
        windows: the windows in force, as far as they are known.
        died_by: tells by when a process has died; None where the server's processes cannot be seen.
        missing: the models that it could not register.
    """
    lacking = [_lacking(one) for one in missing]
    found = [
        status_of(
            model,
            registrations.of(model),
            windows.get((model.name, model.version), NO_WINDOW),
            now=now,
            died_by=died_by,
        )
        for model in running
        if (model.name, model.version) not in {status.key for status in lacking}
    ]
    return tuple(sorted([*found, *lacking], key=lambda status: status.key))


def unconfirmed_models(
    registrations: Sequence[Registration],
    *,
    server_runs: bool,
    died_by: DiedBy | None,
    last_known: Collection[ModelKey] = (),
    windows: Mapping[ModelKey, WindowInForce] | None = None,
) -> tuple[ModelStatus, ...]:
    """Return what is known while the frontend does not answer, by name and version.

    Args:
        server_runs: whether the server is there at all.
        died_by: tells by when a process has died; None where the server's processes cannot be seen.
        last_known: names and versions that the frontend had when it last answered. Others are old
            registrations, unless it never answered.
        windows: the windows that were in force; else those that markers hold count.
    """
    found = {}
    for registration in _latest(registrations):
        status = _unconfirmed(registration, server_runs=server_runs)
        found[status.key] = status
    if last_known:
        found = {key: found.get(key) or _unknown(*key) for key in last_known}
    for key, status in found.items():
        window = (windows or {}).get(key, NO_WINDOW)
        if window.seconds is not None:
            status = replace(
                status, max_retry_timeout_sec=window.seconds, max_retry_timeout_source=window.source
            )
        found[key] = _past_window(status, died_by)
    return tuple(found[key] for key in sorted(found))


def status_of(
    model: RunningModel,
    registration: Registration | None,
    window: WindowInForce,
    *,
    now: float,
    died_by: DiedBy | None,
) -> ModelStatus:
    """Return the state of a running model.

    Args:
        died_by: tells by when a process has died; None where the server's processes cannot be seen.
    """
    status = ModelStatus(
        model=model.name,
        version=model.version,
        state=state_of(model, registration, server_runs=True, gave_up=False),
        running=model,
        registration=registration,
        max_retry_timeout_sec=window.seconds,
        max_retry_timeout_source=window.source,
    )
    died = died_by or died_by_its_words(registration)
    waiting = back_offs(status)
    if not waiting or not all(
        state.has_given_up(status.window_sec, now, died) for state in waiting
    ):
        return status
    state = state_of(model, registration, server_runs=True, gave_up=True)
    return replace(status, state=state, gave_up=True)


def died_by_its_words(registration: Registration | None) -> DiedBy:
    """Return a function that tells by when a process has died that cannot be seen: from its journal.

    One in another container counts as running until it has said that it ends.
    """
    records = registration.records if registration is not None else ()
    last = {record.pid: record for record in records}

    def died_by(pid: int, start: str) -> float | None:
        del start
        word = last.get(pid)
        return to_seconds(word.at) if word is not None and word.event in _LAST_EVENTS else None

    return died_by


def back_offs(model: ModelStatus) -> list[BackOff]:
    """Return where each worker of a running model that is not ready stands in its schedule."""
    if model.running is None or model.registration is None:
        return []
    waiting = [worker for worker in model.running.workers if not worker.is_ready]
    if not waiting:
        return []
    return back_offs_in(
        model.records, lambda socket: any(worker.listens_at(socket) for worker in waiting)
    )


def back_offs_in(
    records: Sequence[Record], is_meant: Callable[[str], bool] = lambda _socket: True
) -> list[BackOff]:
    """Return where the workers of a journal stand in their schedules, those whose socket is meant."""
    sockets = {record.socket for record in records if record.socket is not None}
    found = (back_off(records, socket) for socket in sockets if is_meant(socket))
    return [state for state in found if state is not None]


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
    return "the frontend does not say"


def _latest(registrations: Sequence[Registration]) -> list[Registration]:
    """Return the newest registration of each model and version."""
    newest: dict[tuple[str | None, str], Registration] = {}
    for registration in sorted(registrations, key=lambda r: r.last_word_at):
        newest[registration.model, registration.version] = registration
    return list(newest.values())


def _unconfirmed(registration: Registration, *, server_runs: bool) -> ModelStatus:
    marker = registration.marker
    return ModelStatus(
        model=registration.model or os.path.basename(registration.directory),
        version=registration.version,
        state=state_of(None, registration, server_runs=server_runs, gave_up=False),
        registration=registration,
        max_retry_timeout_sec=marker.max_retry_timeout_sec if marker else None,
        max_retry_timeout_source=marker.max_retry_timeout_source if marker else None,
    )


def _lacking(missing: NotRegistered) -> ModelStatus:
    return ModelStatus(
        missing.model,
        missing.version,
        State.NOT_REGISTERED,
        missing.running,
        not_registered=missing,
    )


def _unknown(model: str, version: str) -> ModelStatus:
    return ModelStatus(model, version, State.UNKNOWN)


def _past_window(status: ModelStatus, died_by: DiedBy | None) -> ModelStatus:
    """Return a recovering model as waiting where each of its workers last ended after the window.

    It does not come back for a frontend that does not answer for a while.
    """
    window_sec, registration = status.max_retry_timeout_sec, status.registration
    if status.state is not State.RECOVERING or registration is None or window_sec is None:
        return status
    died = died_by or died_by_its_words(registration)
    states = back_offs_in(registration.records)
    if not states or not all(
        state.ended_late(window_sec) and died(state.pid, state.start) is not None
        for state in states
    ):
        return status
    return replace(status, state=State.WAITING, gave_up=True)

"""Name the state of a model, from what the frontend and the journal say of it."""

from __future__ import annotations

from enum import Enum

from ts_retry_ext.frontend.running_model import RunningModel, RunningWorker
from ts_retry_ext.settings import OnFatal
from ts_retry_ext.snapshot.registration import Registration
from ts_retry_ext.store import halt_in_words
from ts_retry_ext.store.halt_in_words import state_word
from ts_retry_ext.store.worker_states import holders_of


class State(str, Enum):
    """What an operator wants to know first."""

    SERVING = "serving"
    """As many workers as asked for have loaded the model, those left out that do not come back
    while others serve: a marker that means one device, or a retry window that is over."""
    STARTING = "starting"
    """Workers are on their way and none has failed."""
    RECOVERING = "recovering"
    """A worker failed, and the frontend tries it again."""
    WAITING = halt_in_words.WAITING
    """Workers do not load the model for now: nobody knows why it fails, or the frontend has given up.
    It is tried again by itself."""
    HALTED = halt_in_words.HALTED
    """Workers do not load the model: its cause is known, and has to go first."""
    RETIRED = "retired"
    """Halted or waiting, and scaled down so that requests are refused at once."""
    NOT_REGISTERED = "not-registered"
    """The server was started with it, and could not register it."""
    UNKNOWN = "unknown"
    """The model has no workers, its workers are none of ours, or the server is gone."""


def held_workers(
    running: RunningModel | None, registration: Registration | None
) -> tuple[RunningWorker, ...]:
    """Return the workers that a marker means, as far as the frontend tells of workers."""
    marker = registration.marker if registration is not None else None
    if running is None or marker is None or not marker.holds:
        return ()
    only = marker.only
    if only is None:
        # One whose load succeeded while a sibling's failed serves on; a holder that rejects is ready, too.
        holders = holders_of(registration.records) if registration is not None else set()
        return tuple(w for w in running.workers if not w.is_ready or w.pid in holders)
    return tuple(w for w in running.workers if any(w.listens_at(socket) for socket in only))


def state_of(
    running: RunningModel | None,
    registration: Registration | None,
    *,
    server_runs: bool,
    gave_up: bool,
) -> State:
    """Return the state of a model.

    Args:
        running: what the frontend says, or None where it does not answer.
        registration: what the workers wrote down, or None where they wrote nothing.
        server_runs: whether the server is there at all.
        gave_up: whether the frontend retries the workers that are not ready no more.
    """
    held = held_workers(running, registration)
    marker = registration.marker if registration is not None else None
    if registration is not None and marker is not None and marker.holds:
        spares = registration.spared_serve if running is None else len(held) < len(running.workers)
        if not spares:
            scaled_down = running is not None and running.min_workers == 0
            if marker.action == OnFatal.RETIRE and scaled_down:
                return State.RETIRED
            return State(state_word(marker.waits_for))
    if not server_runs:
        return State.UNKNOWN
    if running is not None:
        ready = sum(worker.is_ready for worker in running.workers if worker not in held)
        if not running.workers:
            return State.UNKNOWN
        if ready >= max(1, running.min_workers - len(held)):
            return State.SERVING
        if gave_up or (marker is not None and not marker.holds):
            return State.SERVING if ready else State.WAITING
    if registration is None:
        return State.UNKNOWN
    history = registration.history
    if running is None and (history.loaded or registration.spared_serve):
        return State.SERVING
    failed = history.last_failure is not None and not history.loaded
    return State.RECOVERING if failed else State.STARTING

"""Say in words what happens to a model right now, from TorchServe's log and our journal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Sequence

from ts_retry_ext.logs.frontend_log import LOADED, STOPPED, WorkerLog
from ts_retry_ext.plain_text import cause_line
from ts_retry_ext.snapshot.registration import Registration
from ts_retry_ext.snapshot.state import State
from ts_retry_ext.store.exception_record import ExceptionRecord
from ts_retry_ext.store.halt_in_words import state_word
from ts_retry_ext.store.marker import Marker
from ts_retry_ext.store.record import HOLDING, Event
from ts_retry_ext.store.times import to_seconds

#: Characters of a cause that are shown; `ts-retry show` gives all of it.
CAUSE_LENGTH = 240


@dataclass(frozen=True)
class ModelProgress:
    """What happens to one model.

    Attributes:
        starts: worker processes so far.
        loads: those of them that went on to load it.
        said: what happens, in words; it changes when something new happens, not with the time.
        cause: type and message of the last failure in one line; empty where there is none.
        retry_at: when TorchServe starts the next worker, or the next trial load comes, seconds since
            the epoch, or None.
        is_settled: whether nothing more will happen.
    """

    model: str
    state: State
    starts: int = 0
    loads: int = 0
    said: str = "waits for its worker"
    cause: str = ""
    retry_at: float | None = None
    is_settled: bool = False


def progress_of(
    model: str, worker: WorkerLog | None, registrations: Sequence[Registration]
) -> ModelProgress:
    """Return what happens to `model`.

    Args:
        worker: what TorchServe's log tells of it, if anything yet.
        registrations: what the workers of the server wrote down; none where the package is off.
    """
    if worker is None or not worker.starts:
        return ModelProgress(model, State.UNKNOWN)
    own = next((found for found in registrations if found.model == model), None)
    starts = own.history.worker_starts if own else worker.starts
    # Without the package every LOAD is a load; a holder gets one too, and answers it with an error.
    loads = own.history.loads if own else worker.loads
    if worker.state == LOADED:
        said = "serves" if loads == 1 else f"serves after {loads} loads"
        return ModelProgress(model, State.SERVING, starts, loads, said, is_settled=True)
    if own is not None and own.marker is not None:
        return _halted(model, starts, loads, own.marker, own, cause_of(worker, own))
    if worker.state == STOPPED or worker.wait_sec is not None:
        said, wait = f"load {loads} failed", worker.wait_sec
        if wait is not None:
            said += f", TorchServe tries again in {wait} s"
        cause = cause_of(worker, own)
        return ModelProgress(model, State.RECOVERING, starts, loads, said, cause, worker.retry_at)
    attempt = "" if starts == 1 else f", attempt {starts}"
    said = ("starts a worker" if worker.state is None else "loads") + attempt
    return ModelProgress(model, State.STARTING, starts, loads, said)


def _halted(
    model: str, starts: int, loads: int, marker: Marker, own: Registration, cause: str
) -> ModelProgress:
    """Return what happens to a model that its workers do not load for now."""
    holds = own.records[-1].event in HOLDING or not marker.holds
    if State(state_word(marker.waits_for)) is State.HALTED:
        said = "held, no worker loads it again" if holds else f"load {loads} failed for good"
        return ModelProgress(model, State.HALTED, starts, loads, said, cause, is_settled=holds)
    planned = to_seconds(marker.next_trial_at) if marker.next_trial_at else None
    said = f"load {loads} failed, a trial load comes"
    return ModelProgress(model, State.WAITING, starts, loads, said, cause, planned, holds)


def cause_of(worker: WorkerLog, registration: Registration | None) -> str:
    """Return the cause of the last failure, in one line."""
    if registration is None:
        found = worker.cause
        return short_cause(*found) if found else "the process died without an exception"
    if registration.marker is not None:
        return cause_of_exception(registration.marker.exception)
    last = registration.records[-1] if registration.records else None
    if last is None or last.event is not Event.FAILURE or last.exception is None:
        # The next process will write down that this one died.
        return "the process died without an exception"
    return cause_of_exception(last.exception)


def cause_of_exception(exception: ExceptionRecord) -> str:
    """Return the cause that marker and journal hold, in one line."""
    return short_cause(exception.type, exception.message)


def short_cause(kind: str, message: str) -> str:
    """Return type, without its module, and message of an exception in one line of bounded length."""
    return cause_line(kind.rpartition(".")[2], message, CAUSE_LENGTH)

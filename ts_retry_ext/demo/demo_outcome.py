"""What became of each model, and what TorchServe alone would have done with it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import Any

from ts_retry_ext.archive.schedule import Schedule, retry_times, schedule
from ts_retry_ext.demo.model_progress import ModelProgress, cause_of_exception, short_cause
from ts_retry_ext.demo.models import DemoModel
from ts_retry_ext.logs.frontend_log import WorkerLog
from ts_retry_ext.snapshot.model import ModelStatus
from ts_retry_ext.snapshot.state import State
from ts_retry_ext.store.marker import Marker
from ts_retry_ext.store.record import Record

#: The outcome of a broken model where the package is off: it goes on.
RETRYING = "retrying"


@dataclass(frozen=True)
class DemoOutcome:
    """What became of one model.

    Attributes:
        outcome: a `State`, or `RETRYING`.
        loads: processes that loaded it.
        worker_starts: processes that were started for it, holders included.
        verdict: the verdict on its last failure; basis and rule: what that rests on. None where
            it never failed, and where the package is off.
        cause: type and message of the last failure in one line, or None.
        reason: the rule's words on it; remedy: what to do.
        max_retry_timeout_sec: the window in force; max_retry_timeout_source: where it comes from.
        stock: the retries of TorchServe alone, for loads that take no time; None where unsettled.
        prediction: what it answered, or None.
        outlasts_window: whether TorchServe alone gives it up.
        as_expected: whether this is what must become of it.
    """

    model: str
    outcome: str
    loads: int
    worker_starts: int
    verdict: str | None
    basis: str | None
    rule: str | None
    cause: str | None
    reason: str | None
    remedy: str | None
    max_retry_timeout_sec: int | None
    max_retry_timeout_source: str | None
    stock: Schedule | None
    prediction: str | None
    outlasts_window: bool
    as_expected: bool

    def to_json(self) -> dict[str, Any]:
        """Return the row as JSON."""
        content = dict(vars(self))
        content["stock"] = None if self.stock is None else self.stock._asdict()
        return content


def result_of(
    model: DemoModel,
    progress: ModelProgress,
    worker: WorkerLog | None,
    status: ModelStatus | None,
    prediction: str | None,
    *,
    switched_off: bool,
) -> DemoOutcome:
    """Return what became of a model.

    Args:
        progress: the last that was seen of it.
        worker: what TorchServe's log tells of it.
        status: what `ts-retry status` tells of it.
        switched_off: whether the package is off, and with it our report on the failure.
    """
    serves = progress.state is State.SERVING
    outcome = progress.state.value if serves or not switched_off else RETRYING
    expected = model.outcome.value
    if switched_off and not model.serves(switched_off=True):
        expected = RETRYING
    report = status.report if status else None
    window = status.max_retry_timeout_sec if status else None
    return DemoOutcome(
        model=model.name,
        outcome=outcome,
        loads=progress.loads,
        worker_starts=progress.starts,
        verdict=report.verdict if report else None,
        basis=report.basis if report else None,
        rule=report.rule if report else None,
        cause=_cause(report, worker),
        reason=report.reason if report else None,
        remedy=report.remedy if report else None,
        max_retry_timeout_sec=window,
        max_retry_timeout_source=status.max_retry_timeout_source if status else None,
        stock=None if window is None else stock_schedule(window, outcome, progress.loads),
        prediction=prediction,
        outlasts_window=model.outlasts_window,
        as_expected=outcome == expected and serves == (prediction is not None),
    )


def stock_schedule(window_sec: float, outcome: str, loads: int) -> Schedule | None:
    """Return the retries of TorchServe alone, for loads that take no time.

    A model that serves needs as many as it had failures; one that cannot load gets all that the
    window allows. None where the model is neither yet.
    """
    if outcome in (State.HALTED.value, State.WAITING.value, RETRYING):
        return schedule(window_sec)
    if outcome != State.SERVING.value:
        return None
    needed = list(islice(retry_times(window_sec), max(0, loads - 1)))
    return Schedule(len(needed), needed[-1] if needed else None)


def _cause(report: Marker | Record | None, worker: WorkerLog | None) -> str | None:
    if report is not None and report.exception is not None:
        return cause_of_exception(report.exception)
    logged = worker.cause if worker else None
    return short_cause(*logged) if logged else None

"""What was seen of a server at one moment, the picture that it makes, and whether it is still starting."""

from __future__ import annotations

from typing import Iterable, Mapping, NamedTuple, Sequence

from ts_retry_ext.frontend.condition import Condition
from ts_retry_ext.frontend.running_model import RunningModel
from ts_retry_ext.sidecar.picture import FrontendHealth, Picture
from ts_retry_ext.sidecar.windows import rows_of_markers
from ts_retry_ext.snapshot.effective import Effective
from ts_retry_ext.snapshot.join import confirmed_models, unconfirmed_models, why_unknown
from ts_retry_ext.snapshot.model import ModelKey, ModelStatus, NotRegistered, WindowInForce
from ts_retry_ext.snapshot.observed_server import ObservedServer
from ts_retry_ext.snapshot.registration import Registration, Registrations
from ts_retry_ext.snapshot.server_snapshot import ServerStatus, Snapshot
from ts_retry_ext.store.back_off import DiedBy
from ts_retry_ext.store.record import Event

_NOT_HEARD = (Condition.AWAY, Condition.STARTING)


class Observation(NamedTuple):
    """What was seen of a server.

    Attributes:
        is_there: whether its process runs; True where that cannot be seen.
        has_state_dir: whether its workers have a place that they write to.
        running: the models that the frontend has; None where it does not tell.
        last_known: the models that it had when it last told.
        windows: the windows in force, as far as they are known.
        rows: the same as ``config --json`` shows them.
        missing: the models that it was started with and could not register.
    """

    server: ObservedServer
    is_there: bool
    has_state_dir: bool
    registrations: Sequence[Registration]
    health: FrontendHealth
    torchserve: str | None
    running: Sequence[RunningModel] | None
    last_known: Sequence[RunningModel]
    windows: Mapping[ModelKey, WindowInForce]
    rows: tuple[Effective, ...]
    missing: Sequence[NotRegistered] = ()

    @property
    def server_runs(self) -> bool:
        """Tell whether the server runs: one whose process cannot be seen has to answer."""
        heard = self.health.condition not in _NOT_HEARD
        return self.is_there and (self.server.sees_processes or heard)


def picture_of(seen: Observation, *, number: int, now: float, died_by: DiedBy) -> Picture:
    """Return the picture that an observation makes.

    Args:
        died_by: tells by when a process has died, where that can be seen.
    """
    models = _models(seen, now, died_by if seen.server.sees_processes else None)
    configuration = seen.server.configuration
    status = ServerStatus(
        seen.server.frontend.pid,
        seen.server_runs,
        seen.torchserve,
        configuration.management_address,
    )
    problems = (
        *configuration.problems,
        *(r.problem for r in seen.registrations if r.problem),
        *([seen.health.words] if seen.health.words else []),
    )
    runs, has_state_dir = seen.server_runs, seen.has_state_dir
    reasons = (
        (model.key, why_unknown(model, server_runs=runs, has_state_dir=has_state_dir))
        for model in models
    )
    unknown = {key: why for key, why in reasons if why is not None}
    rows = seen.rows
    if not rows and seen.health.condition is not Condition.STARTING:
        rows = rows_of_markers(models)
    return Picture(number, now, Snapshot(status, models, problems), rows, seen.health, unknown)


def _models(seen: Observation, now: float, died_by: DiedBy | None) -> tuple[ModelStatus, ...]:
    if seen.is_there and seen.running is not None:
        registrations = Registrations(seen.registrations)
        return confirmed_models(
            seen.running,
            registrations,
            seen.windows,
            now=now,
            died_by=died_by,
            missing=seen.missing,
        )
    return unconfirmed_models(
        seen.registrations,
        server_runs=seen.server_runs,
        died_by=died_by,
        last_known=[(model.name, model.version) for model in seen.last_known],
        windows=seen.windows,
    )


class StartUp:
    """Follows one run of a server until each model that it was started with has served once.

    TorchServe's ``/ping`` says Healthy all that while. What is loaded later, and what fails later,
    does not bring the start back: the other models serve.
    """

    def __init__(self) -> None:
        self._is_over = False

    def waits_for(self, models: Iterable[ModelStatus]) -> tuple[ModelStatus, ...]:
        """Return the models that have not served yet, none once the start is over."""
        if self._is_over:
            return ()
        waiting = tuple(model for model in models if _is_awaited(model))
        self._is_over = not waiting
        return waiting


def _is_awaited(model: ModelStatus) -> bool:
    running = model.running
    if model.not_registered is not None:
        return model.not_registered.is_default
    if running is None or not (running.loaded_at_startup and running.is_default):
        return False
    return (running.min_workers > 0 or model.is_down) and not _has_served(model)


def _has_served(model: ModelStatus) -> bool:
    workers = model.running.workers if model.running else ()
    # A worker that rejects requests counts as ready for the frontend.
    if not model.is_down and any(worker.is_ready for worker in workers):
        return True
    return any(
        record.event is Event.LOADED or bool((record.counts or {}).get(Event.LOADED))
        for record in model.records
    )

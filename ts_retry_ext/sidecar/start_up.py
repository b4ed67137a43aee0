"""Tell whether a server is still starting: models that it was started with have not served yet."""

from __future__ import annotations

from typing import Iterable

from ts_retry_ext.snapshot.model import ModelStatus
from ts_retry_ext.store.record import Event


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

"""Keep the effective window of each model, reading an archive again only when it changed."""

from __future__ import annotations

import os
from typing import Iterable

from ts_retry_ext.frontend.registered import archive_of
from ts_retry_ext.frontend.running_model import RunningModel
from ts_retry_ext.snapshot.effective import Effective, effective_in_force, worker_folders
from ts_retry_ext.snapshot.model import ModelKey, ModelStatus, WindowInForce
from ts_retry_ext.snapshot.observed_server import ObservedServer


class Windows:
    """The effective windows of one server's models."""

    def __init__(self, server: ObservedServer) -> None:
        self._server = server
        self._rows: dict[ModelKey, Effective] = {}
        self._made_from: dict[ModelKey, object] = {}

    def refresh(self, models: Iterable[RunningModel], *, all_of_them: bool) -> None:
        """Compute what changed: a model's archive, or what the frontend says of it.

        Args:
            all_of_them: whether these are all that run, so that others are forgotten.
        """
        seen = set()
        for model in models:
            key = (model.name, model.version)
            seen.add(key)
            sees = self._server.sees_processes
            folder = next(worker_folders(model), None) if sees else None
            archive = self._archive_identity(model)
            made_from = (model.url, model.max_retry_timeout_sec, archive, folder)
            if self._made_from.get(key) != made_from:
                self._made_from[key] = made_from
                self._rows[key] = effective_in_force(model, self._server)
        if all_of_them:
            for key in set(self._rows) - seen:
                del self._rows[key], self._made_from[key]

    def rows(self) -> tuple[Effective, ...]:
        """Return a row for each model, by name and version."""
        return tuple(self._rows[key] for key in sorted(self._rows))

    def in_force(self) -> dict[ModelKey, WindowInForce]:
        """Return the windows in force by model, as far as they are known."""
        rows = self._rows.items()
        return {key: WindowInForce(row.max_retry_timeout_sec, row.source) for key, row in rows}

    def _archive_identity(self, model: RunningModel) -> object:
        path = archive_of(model, self._server.configuration)
        if path is None:
            return None
        try:
            status = os.stat(path)
        except OSError:
            return path
        return (path, status.st_ino, status.st_mtime_ns, status.st_size)


def rows_of_markers(models: Iterable[ModelStatus]) -> tuple[Effective, ...]:
    """Return what the state directory alone tells of windows, where the frontend tells nothing."""
    return tuple(
        Effective(
            model.model,
            model.version,
            max_retry_timeout_sec=model.max_retry_timeout_sec,
            source=model.max_retry_timeout_source,
        )
        for model in models
        if model.max_retry_timeout_sec is not None
    )

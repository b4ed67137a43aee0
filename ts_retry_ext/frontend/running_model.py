"""A model as the frontend describes it (TorchServe 0.8 to 0.12 DescribeModelResponse)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping


@dataclass(frozen=True)
class Worker:
    """A worker as the frontend describes it.

    Attributes:
        id: its number; also the end of its socket's name.
        status: ``READY`` when it has loaded the model, else ``UNLOADING``, whatever it does.
        pid: its process id, or None while there is no process.
        started_at: when the frontend made it, ISO 8601 UTC; a retry does not change it.
    """

    id: str
    status: str
    pid: int | None
    started_at: str | None

    @property
    def is_ready(self) -> bool:
        """Tell whether it has loaded the model."""
        return self.status == "READY"


@dataclass(frozen=True)
class RunningModel:
    """One version of a model as the frontend describes it.

    Attributes:
        name: the name it is registered under.
        version: its version.
        url: the archive as it was named at registration.
        min_workers: workers that the frontend keeps.
        max_workers: workers that it may have.
        workers: the workers.
        max_retry_timeout_sec: the window in force; None before 0.11, which does not tell.
        is_default: whether requests without a version, and ``/ping``, mean this one.
        loaded_at_startup: whether the server's start registered it.
    """

    name: str
    version: str
    url: str
    min_workers: int
    max_workers: int
    workers: tuple[Worker, ...]
    max_retry_timeout_sec: int | None
    is_default: bool
    loaded_at_startup: bool


def running_model(entry: Mapping[str, Any], default_version: str) -> RunningModel:
    """Return the model that an entry of the describe API tells of.

    Raises:
        KeyError, TypeError, ValueError: it is no such entry.
    """
    version = str(entry["modelVersion"])
    window = entry.get("maxRetryTimeoutInSec")
    return RunningModel(
        name=str(entry["modelName"]),
        version=version,
        url=str(entry.get("modelUrl") or ""),
        min_workers=int(entry["minWorkers"]),
        max_workers=int(entry["maxWorkers"]),
        workers=tuple(_worker(worker) for worker in entry.get("workers") or ()),
        max_retry_timeout_sec=None if window is None else int(window),
        is_default=version == default_version,
        loaded_at_startup=bool(entry.get("loadedAtStartup")),
    )


def _worker(entry: Mapping[str, Any]) -> Worker:
    pid = int(entry.get("pid") or 0)
    return Worker(
        id=str(entry["id"]),
        status=str(entry.get("status") or ""),
        pid=pid if pid > 0 else None,
        started_at=entry.get("startTime"),
    )

"""A model as the frontend describes it (TorchServe 0.8 to 0.12 DescribeModelResponse)."""

from __future__ import annotations

import math
import re
from typing import Any, Iterator, Mapping, NamedTuple

from ts_retry_ext.archive.manifest import RUNTIMES, why_out_of_reach

#: Parameters of a model that the describe API shows under their own names since 0.12 or before.
_SHOWN = (
    *("minWorkers", "maxWorkers", "batchSize", "maxBatchDelay", "responseTimeout"),
    *("startupTimeout", "maxRetryTimeoutInSec", "clientTimeoutInMills", "deviceType", "deviceIds"),
    *("parallelType", "parallelLevel", "continuousBatching", "sequenceMaxIdleMSec"),
    *(
        "sequenceTimeoutMSec",
        "maxNumSequence",
        "maxSequenceJobQueueSize",
        "useJobTicket",
        "useVenv",
    ),
)
#: It shows this one under another name.
_SEQUENCES = ("sequenceBatching", "stateful")
#: The frontend counts in Java's int.
_INTEGERS = range(-(1 << 31), 1 << 31)
_GPU = re.compile(r"gpuId::(\d+)")


class RunningWorker(NamedTuple):
    """A worker as the frontend describes it.

    Attributes:
        id: its number; also the end of its socket's name.
        status: ``READY`` when it has loaded the model, else ``UNLOADING``, whatever it does.
        pid: its process id, or None while there is no process.
        started_at: when the frontend made it, ISO 8601 UTC; a retry does not change it.
        gpu: number of the GPU that the frontend gave it for good, or None.
    """

    id: str
    status: str
    pid: int | None
    started_at: str | None
    gpu: int | None = None

    @property
    def is_ready(self) -> bool:
        """Tell whether it has loaded the model."""
        return self.status == "READY"

    @property
    def label(self) -> str:
        """Return what names it to people: its number, and its GPU where it has one."""
        return self.id if self.gpu is None else f"{self.id} (GPU {self.gpu})"

    def listens_at(self, socket: str) -> bool:
        """Tell whether `socket` is its own: ``/tmp/.ts.sock.9000``, or ``127.0.0.1:9000``."""
        return socket.endswith((f".{self.id}", f":{self.id}"))


class RunningModel(NamedTuple):
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
        runtime: what its workers run on, as its manifest or its registration says.
        parameters: name and value of each parameter that the frontend shows, by its name in
            ``model-config.yaml``.
    """

    name: str
    version: str
    url: str
    min_workers: int
    max_workers: int
    workers: tuple[RunningWorker, ...]
    max_retry_timeout_sec: int | None
    is_default: bool
    loaded_at_startup: bool
    runtime: str = RUNTIMES[0]
    parameters: tuple[tuple[str, Any], ...] = ()

    @property
    def out_of_reach(self) -> str | None:
        """Return why nothing of ours runs in its workers, in a sentence; None where it can."""
        return why_out_of_reach(self.runtime)


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
        min_workers=_integer(entry["minWorkers"]),
        max_workers=_integer(entry["maxWorkers"]),
        workers=tuple(_worker(worker) for worker in entry.get("workers") or ()),
        max_retry_timeout_sec=None if window is None else _integer(window),
        is_default=version == default_version,
        loaded_at_startup=bool(entry.get("loadedAtStartup")),
        runtime=str(entry.get("runtime") or RUNTIMES[0]),
        parameters=tuple(_parameters(entry)),
    )


def _integer(value: Any) -> int:
    """Return a number that the frontend can hold.

    Raises:
        TypeError, ValueError: it is none; of one without end, a schedule would have no end either.
    """
    if isinstance(value, float) and not math.isfinite(value):
        msg = f"{value!r} is no number of the frontend's"
        raise ValueError(msg)
    number = int(value)
    if number not in _INTEGERS:
        msg = f"{number} is no number of the frontend's"
        raise ValueError(msg)
    return number


def _parameters(entry: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, shown in (*zip(_SHOWN, _SHOWN), _SEQUENCES):
        if shown in entry:
            value = entry[shown]
            yield name, tuple(value) if isinstance(value, list) else value


def _worker(entry: Mapping[str, Any]) -> RunningWorker:
    pid, started_at = _integer(entry.get("pid") or 0), entry.get("startTime")
    gpu = _GPU.search(str(entry.get("gpuUsage") or ""))
    return RunningWorker(
        id=str(entry["id"]),
        status=str(entry.get("status") or ""),
        pid=pid if pid > 0 else None,
        started_at=None if started_at is None else str(started_at),
        gpu=int(gpu.group(1)) if gpu else None,
    )

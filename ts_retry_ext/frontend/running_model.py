"""A model as the frontend describes it (TorchServe 0.8 to 0.12 DescribeModelResponse)."""

from __future__ import annotations

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
#: Each of the workers that a frontend keeps is a process, with a port or a socket of its own. It takes
#: numbers below 0 from whoever scales, and keeps no worker then.
_WORKERS_KEPT = range(-(1 << 31), 1 << 16)
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
        url: the archive as it was named at registration.
        min_workers: workers that the frontend keeps.
        max_workers: workers that it may have.
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
    version = text_of(entry["modelVersion"])
    window = entry.get("maxRetryTimeoutInSec")
    return RunningModel(
        name=text_of(entry["modelName"]),
        version=version,
        url=_text_or_none(entry.get("modelUrl")),
        min_workers=max(0, _integer(entry["minWorkers"], _WORKERS_KEPT)),
        max_workers=max(0, _integer(entry["maxWorkers"])),
        workers=tuple(_worker(worker) for worker in list_of(entry.get("workers", []))),
        max_retry_timeout_sec=None if window is None else _integer(window),
        is_default=version == default_version,
        loaded_at_startup=bool(entry.get("loadedAtStartup")),
        runtime=str(entry.get("runtime") or RUNTIMES[0]),
        parameters=tuple(_parameters(entry)),
    )


def text_of(value: Any) -> str:
    """Return a text that an answer holds. Raises TypeError: it is something else."""
    if not isinstance(value, str):
        msg = f"{type(value).__name__} is no text"
        raise TypeError(msg)
    return value


def list_of(value: Any) -> list[Any]:
    """Return a list that an answer holds. Raises TypeError: it is something else."""
    if not isinstance(value, list):
        msg = f"{type(value).__name__} is no list"
        raise TypeError(msg)
    return value


def _text_or_none(value: Any) -> str:
    return "" if value is None else text_of(value)


def _integer(value: Any, allowed: range = _INTEGERS) -> int:
    """Return a number that the frontend can hold.

    Raises:
        TypeError, ValueError: it is none; of one without end, a schedule would have no end either.
    """
    if type(value) is not int:
        msg = f"{type(value).__name__} is no integer"
        raise TypeError(msg)
    if value not in allowed:
        msg = f"{value} is no number of the frontend's"
        raise ValueError(msg)
    return value


def _parameters(entry: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, shown in (*zip(_SHOWN, _SHOWN), _SEQUENCES):
        if shown in entry:
            value = entry[shown]
            yield name, tuple(value) if isinstance(value, list) else value


def _worker(entry: Mapping[str, Any]) -> RunningWorker:
    pid, started_at = entry.get("pid"), entry.get("startTime")
    pid = 0 if pid is None else _integer(pid)
    gpu = _GPU.search(str(entry.get("gpuUsage") or ""))
    return RunningWorker(
        id=text_of(entry["id"]),
        status=_text_or_none(entry.get("status")),
        pid=pid if pid > 0 else None,
        started_at=None if started_at is None else str(started_at),
        gpu=int(gpu.group(1)) if gpu else None,
    )

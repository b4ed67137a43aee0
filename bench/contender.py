"""TorchServe alone and TorchServe with the package, on real servers in one run.

"Alone" is an environment without our ``.pth``, which is what a machine without the package has; the
rest is the same, down to the virtual environment around it.
"""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Iterator, Mapping, NamedTuple

import psutil

from tests.e2e.environments import Environment
from tests.e2e.torchserve import TorchServe
from ts_retry_ext.logs.frontend_log import STOPPED, WorkerLog, read_log

STATE_CHANGE = r"State change \S+ -> WORKER_\w+"
#: The worker answered LOAD with an error, and is not started again while it lives (0.12.0 WorkerState).
ERROR = "WORKER_ERROR"
#: Lines of requests and metrics, which our own probes cause, are no part of what a failure writes.
_PROBED = re.compile(r" (?:ACCESS_LOG|TS_METRICS) - ")
#: Only a sidecar that a worker started has it on its command line.
_SIDECAR = "--exit-with-server"


class Interpreters(NamedTuple):
    """Paths of the two Pythons."""

    alone: str
    with_package: str


def interpreters(root: Path) -> Interpreters:
    """Make the two environments below `root`."""
    return Interpreters(
        Environment(root / "alone", without=("ts_retry_ext.pth",)).python,
        Environment(root / "with", without=()).python,
    )


def server_of(root: Path, python: str, config: Mapping[str, str] | None = None) -> TorchServe:
    """Return a server below `root`, not yet running.

    Its frontend collects no system metrics: that starts a Python of its own once a minute.
    """
    quiet = {"disable_system_metrics": "true"}
    return TorchServe(root, config={**quiet, **(config or {})}, python=python)


class Usage(NamedTuple):
    """What a server's processes use.

    Attributes:
        workers_cpu_sec: processor time of its worker processes since the server's start, those that
            have ended included.
        frontend_cpu_sec: the same of the frontend itself.
        workers: worker processes alive.
        workers_mb: their resident memory.
    """

    workers_cpu_sec: float
    frontend_cpu_sec: float
    workers: int
    workers_mb: float


def usage(frontend: psutil.Process) -> Usage:
    """Return what the processes of `frontend` use.

    A process that ended has left its processor time with its parent, which waited for it.
    """
    own = frontend.cpu_times()
    cpu, resident, count = own.children_user + own.children_system, 0.0, 0
    for process in frontend.children(recursive=True):
        try:
            with process.oneshot():
                if _SIDECAR not in process.cmdline():
                    cpu += sum(process.cpu_times()[:4])
                    resident += process.memory_info().rss / 1e6
                    count += 1
        except psutil.Error:  # noqa: PERF203 - it ended just now
            pass
    return Usage(cpu, own.user + own.system, count, resident)


def sidecar_of(frontend: psutil.Process) -> psutil.Process | None:
    """Return the sidecar that a worker of `frontend` started, or None."""
    for process in psutil.process_iter():
        try:
            command = process.cmdline()
            if _SIDECAR in command and str(frontend.pid) in command:
                return process
        except psutil.Error:  # noqa: PERF203 - it ended just now
            pass
    return None


def worker_of(log: str, model: str) -> WorkerLog | None:
    """Return what the console log tells of the one worker of `model`, or None where nothing yet."""
    return read_log(log).get(model)


def is_final(worker: WorkerLog | None) -> bool:
    """Tell whether the frontend has nothing more to do for a worker.

    It has given up, or the worker has answered LOAD, with success or not. A stop that will be retried
    is followed by the announcement of the retry (0.12.0 WorkerThread.run), some milliseconds later:
    ask twice.
    """
    if worker is None or worker.state is None:
        return False
    return worker.retry_at is None if worker.state == STOPPED else worker.state != "WORKER_STARTED"


def moments(log: str, model: str, what: str, logger: str = "") -> Iterator[float]:
    """Yield when the log says `what` of `model`'s worker, in seconds since the epoch.

    Args:
        log: the console log.
        model: the model's name.
        what: regular expression for the line's text, from its beginning on.
        logger: what follows the model's version in the name of the thread, such as ``-stdout``.
    """
    pattern = rf"^(\S+) \[\w+ *\] W-\d+-{re.escape(model)}_[\w.]+{logger} \S+ - (?:{what})"
    for stamp in re.findall(pattern, log, re.MULTILINE):
        yield datetime.fromisoformat(stamp.replace(",", ".")).timestamp()


def lines_written(log: str) -> int:
    """Count the lines of a console log, but for those of requests and metrics."""
    return sum(1 for line in log.splitlines() if not _PROBED.search(line))

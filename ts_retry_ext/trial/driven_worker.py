"""One worker process, driven as the frontend drives it."""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from dataclasses import dataclass

from ts_retry_ext.trial import bootstrap
from ts_retry_ext.trial.child_processes import POLL_SEC, Child, Children
from ts_retry_ext.trial.frontend_side import NoAnswerError, Response, WorkerDiedError, read_response
from ts_retry_ext.trial.launch import Launch

#: How long the frontend waits for "Torch worker started." (0.12.0 WorkerLifeCycle).
START_TIMEOUT_SEC = 120.0
#: How long a worker has to end once its connection is closed.
END_TIMEOUT_SEC = 10.0
SOCKET_NUMBER = 9000
#: What starts the ranks of a model with ``parallelLevel``.
TORCHRUN = "torchrun"


@dataclass(frozen=True)
class Place:
    """Where one model is loaded.

    Attributes:
        folder: the check's own folder: sockets, state directory.
        model_dir: what the frontend would have made for the model: its unpacked files, or a link.
        metrics: the metrics configuration.
    """

    folder: str
    model_dir: str
    environ: dict[str, str]
    python: str
    metrics: str
    script: str
    options: tuple[str, ...] = ()

    @property
    def state_dir(self) -> str:
        """Return where the guard writes."""
        return os.path.join(self.folder, "state")

    @property
    def job_file(self) -> str:
        """Return the file that tells the bootstrap what to do."""
        return os.path.join(self.folder, "job.json")

    def socket(self, rank: int = 0) -> str:
        """Return the socket of a rank; the worker adds its rank to the number it is given."""
        return os.path.join(self.folder, f"s.{SOCKET_NUMBER + rank}")


class Worker:
    """A worker that was started; `close` ends it."""

    def __init__(self, place: Place, launch: Launch, children: Children) -> None:
        """Start it.

        Raises:
            AbortedError: the check was told to stop.
            OSError: the interpreter, or torchrun, cannot be started.
        """
        self._place = place
        self._children = children
        self._connections: list[socket.socket] = []
        self._ranks = max(1, launch.limits.ranks)
        self.begun = time.monotonic()
        self.child: Child = children.start(_command(place, launch), place.environ, place.model_dir)

    def connect(self) -> float:
        """Connect to each rank; return the seconds since the start.

        Raises:
            WorkerDiedError: it ended first.
            NoAnswerError: it did not listen within `START_TIMEOUT_SEC`.
            AbortedError: the check was told to stop.
        """
        until = self.begun + START_TIMEOUT_SEC
        while len(self._connections) < self._ranks:
            self._children.proceed()
            connection = socket.socket(socket.AF_UNIX)
            try:
                connection.connect(self._place.socket(len(self._connections)))
            except OSError:
                connection.close()
                if self.child.has_ended:
                    raise WorkerDiedError from None
                if time.monotonic() > until:
                    raise NoAnswerError from None
                time.sleep(POLL_SEC)
            else:
                self._connections.append(connection)
        return time.monotonic() - self.begun

    def load(self, message: bytes, timeout_sec: float) -> tuple[Response, float]:
        """Send LOAD to every rank; return the worst answer and the seconds until the last one.

        Raises:
            WorkerDiedError: it ended without an answer.
            NoAnswerError: it did not answer in time.
        """
        begun = time.monotonic()
        self._send(message, self._connections, timeout_sec)
        answers = [read_response(c, begun + timeout_sec) for c in self._connections]
        return max(answers, key=lambda answer: answer.code), time.monotonic() - begun

    def predict(
        self, message: bytes, timeout_sec: float, *, broadcast: bool
    ) -> tuple[Response, float]:
        """Send a request; return the first answer that is final and the seconds until then.

        Raises:
            WorkerDiedError: it ended without an answer.
            NoAnswerError: it did not answer in time.
        """
        begun = time.monotonic()
        receivers = self._connections if broadcast else self._connections[:1]
        self._send(message, receivers, timeout_sec)
        while True:
            # Of a streamed answer each part has the same time (0.12.0 WorkerThread.run).
            response = read_response(self._connections[0], time.monotonic() + timeout_sec)
            if not any(prediction.goes_on for prediction in response.predictions):
                return response, time.monotonic() - begun

    def close(self, *, orderly: bool) -> int | None:
        """End the process and all of its group; return its status, None where it had to be killed.

        Args:
            orderly: let it end by itself, as it does when the frontend goes.
        """
        for connection in self._connections:
            connection.close()
        if orderly:
            self.child.wait(time.monotonic() + END_TIMEOUT_SEC)
        ended = self.child.has_ended
        status = self._children.end(self.child)
        return status if ended else None

    def _send(self, message: bytes, connections: list[socket.socket], timeout_sec: float) -> None:
        try:
            for connection in connections:
                connection.settimeout(timeout_sec)
                connection.sendall(message)
        except socket.timeout:
            raise NoAnswerError from None
        except OSError as error:
            raise WorkerDiedError from error


def judge_death(place: Place, launch: Launch, children: Children) -> None:
    """Let a process like the worker judge its death and write it to the journal.

    Raises:
        AbortedError: the check was told to stop.
        OSError: it cannot be started.
    """
    command = [
        place.python,
        *place.options,
        bootstrap.__file__,
        place.job_file,
        bootstrap.JUDGE_DEATH,
    ]
    child = children.start([*command, *_arguments(place, launch)], place.environ, place.model_dir)
    child.wait(time.monotonic() + START_TIMEOUT_SEC)
    children.end(child)


def write_job(place: Place, **job: object) -> None:
    """Write what the bootstrap has to know. Raises OSError."""
    os.mkdir(place.state_dir, 0o700)
    with open(place.job_file, "w", encoding="utf-8") as stream:
        json.dump({"script": place.script, "directory": place.state_dir, **job}, stream)


def _command(place: Place, launch: Launch) -> list[str]:
    head = [place.python, *place.options]
    if launch.has_torchrun:
        # As 0.12.0 WorkerLifeCycle.attachRunner; the name of the run has to be this check's own.
        name = f"{launch.model}_{os.path.basename(place.folder)}"
        head = [TORCHRUN, "--nnodes", "1", "--nproc-per-node", str(launch.limits.ranks)]
        head += ["--log-dir", place.folder, "--rdzv-backend", "c10d", "--rdzv-id", name]
        head += ["--max-restarts", "1"]
    return [*head, bootstrap.__file__, place.job_file, *_arguments(place, launch)]


def _arguments(place: Place, launch: Launch) -> list[str]:
    """Return the arguments that the frontend gives the worker script."""
    arguments = ["--sock-type", "unix", "--sock-name", place.socket()]
    arguments += ["--metrics-config", place.metrics]
    return [*arguments, "--async"] if launch.limits.asynchronous else arguments


def interpreter(runtime: str) -> str:
    """Return the interpreter for a manifest's runtime (0.12.0 EnvironmentUtils.getPythonRunTime).

    ``python`` is the one that started TorchServe, which this is; anything else is looked for on PATH.
    """
    return sys.executable if runtime == "python" else runtime

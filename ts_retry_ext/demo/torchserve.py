"""The demo's TorchServe: own ports, own directories, and an end that leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Mapping, Sequence

from ts_retry_ext.demo import DemoError
from ts_retry_ext.demo.free_ports import free_ports
from ts_retry_ext.demo.packing import STORE
from ts_retry_ext.frontend.exchange import UnreachableError
from ts_retry_ext.frontend.http import request
from ts_retry_ext.frontend.process import frontend_at
from ts_retry_ext.frontend.server_configuration import Server, server_of
from ts_retry_ext.plain_text import in_one_line

START_LIMIT_SEC = 90.0
STOP_LIMIT_SEC = 10.0
PREDICTION_LIMIT_SEC = 20.0
TAIL_LINES = 30


@dataclass(frozen=True)
class TorchServe:
    """A TorchServe that was started.

    Attributes:
        root: the directory that everything it writes lies below.
        launcher: the process of ``ts.model_server``; its process group holds the JVM and all
            workers, and nothing else.
    """

    root: Path
    launcher: subprocess.Popen[bytes]
    inference: str

    def wait_until_it_answers(self, tick: Callable[[], None]) -> Server:
        """Return the server as soon as its inference API answers.

        Raises:
            DemoError: it ends, or takes too long.
        """
        until = time.monotonic() + START_LIMIT_SEC
        while time.monotonic() < until:
            tick()
            self.check()
            server = self._server()
            if server is not None and _answers(self.inference + "/ping"):
                return server
            time.sleep(0.2)
        msg = f"TorchServe does not answer within {START_LIMIT_SEC:g} s"
        raise DemoError(msg, self.tail())

    def check(self) -> None:
        """Raise DemoError when the server has ended by itself."""
        if self.launcher.poll() is not None:
            msg = f"TorchServe ended, status {self.launcher.returncode}"
            raise DemoError(msg, self.tail())

    def log(self) -> str:
        """Return everything that the server has written to its console."""
        return console_log(self.root).read_text("utf-8", "replace")

    def tail(self) -> str:
        """Return the end of that."""
        return "\n".join(self.log().splitlines()[-TAIL_LINES:])

    def predict(self, model: str, body: bytes) -> str | None:
        """Return a model's answer in one line, or None where it gave none but an error."""
        url, headers = f"{self.inference}/predictions/{model}", {"Content-Type": "text/plain"}
        try:
            answer = request(
                "POST", url, headers=headers, body=body, timeout_sec=PREDICTION_LIMIT_SEC
            )
        except UnreachableError:
            return None
        if answer.status != 200:
            return None
        try:
            return json.dumps(json.loads(answer.body))
        except ValueError:
            return in_one_line(str(answer.body, "utf-8", "replace"))

    def stop(self) -> None:
        """End every process of the group: the launcher, the JVM, the workers."""
        self._signal(signal.SIGTERM)
        try:
            self.launcher.wait(STOP_LIMIT_SEC)
        except subprocess.TimeoutExpired:
            pass
        until = time.monotonic() + STOP_LIMIT_SEC
        # A worker that the JVM was about to start may come late, so the group is asked until it is empty.
        while self._signal(signal.SIGKILL) and time.monotonic() < until:
            self.launcher.poll()
            time.sleep(0.05)

    def _signal(self, number: signal.Signals) -> bool:
        """Send a signal to the group; False where it is empty."""
        try:
            os.killpg(self.launcher.pid, number)
        except (ProcessLookupError, PermissionError):
            return False
        return True

    def _server(self) -> Server | None:
        import psutil

        try:
            children = psutil.Process(self.launcher.pid).children()
        except psutil.Error:
            return None
        frontends = (frontend_at(child.pid) for child in children)
        return next((server_of(found) for found in frontends if found is not None), None)


def start(root: Path, models: Sequence[str], environ: Mapping[str, str]) -> TorchServe:
    """Start TorchServe below `root`, with the archives of `models` in its model store."""
    cwd = root / "run"
    cwd.mkdir()
    ports = free_ports(6)
    config = root / "config.properties"
    config.write_text("".join(f"{key}={value}\n" for key, value in _properties(ports).items()))
    command = [sys.executable, "-m", "ts.model_server", "--start", "--foreground", "--ncs"]
    command += ["--ts-config", str(config), "--model-store", str(root / STORE)]
    command += ["--models", *(f"{model}={model}.mar" for model in models)]
    with console_log(root).open("wb") as console:
        # A session of its own: Ctrl-C reaches the demo alone, which then ends the server in order.
        launcher = subprocess.Popen(
            command,
            cwd=cwd,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=console,
            start_new_session=True,
        )
    return TorchServe(root, launcher, f"http://127.0.0.1:{ports[0]}")


def console_log(root: Path) -> Path:
    """Return the path of what the server writes to its console."""
    return root / "console.log"


def _properties(ports: Sequence[int]) -> dict[str, object]:
    return {
        "inference_address": f"http://127.0.0.1:{ports[0]}",
        "management_address": f"http://127.0.0.1:{ports[1]}",
        "metrics_address": f"http://127.0.0.1:{ports[2]}",
        "grpc_inference_port": ports[3],
        "grpc_management_port": ports[4],
        "initial_worker_port": ports[5],
        "default_workers_per_model": 1,
        "number_of_gpu": 0,
        "disable_token_authorization": "true",
    }


def _answers(url: str) -> bool:
    """Tell whether somebody answers, with whatever status."""
    try:
        request("GET", url, timeout_sec=2.0)
    except UnreachableError:
        return False
    return True

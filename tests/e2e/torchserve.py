"""A real TorchServe for one test: own ports, own directories, ended by process id."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Any, Callable, Mapping, TypeVar

import psutil

from tests.ports import own_ports
from tests.server_defaults import SERVER_DEFAULTS, SERVER_PATH
from ts_retry_ext.frontend.process import MAIN_CLASS
from ts_retry_ext.store import journal
from ts_retry_ext.store.directory import model_directories, server_runs
from ts_retry_ext.store.journal_totals import summarise
from ts_retry_ext.store.marker import Marker, read_marker
from ts_retry_ext.store.record import Event, Record

T = TypeVar("T")
#: The TorchServe that is installed here; `nox` runs these tests with several.
VERSION = tuple(int(part) for part in version("torchserve").split(".")[:2])
LOG_TAIL = 12_000
#: Records of a model's journal that a failed test shows.
JOURNAL_TAIL = 30


class TorchServe:
    """One TorchServe, from its start to the end of the last of its processes.

    Args:
        root: an empty directory; everything the server writes lies below it.
        models: what follows ``--models``: name to archive or folder.
        config: further lines of ``config.properties``.
        environ: further environment variables.
        python: the interpreter that runs TorchServe and its workers.
        torch_at_start: have workers import torch at their start, as they do outside of the tests.
    """

    def __init__(
        self,
        root: Path,
        models: Mapping[str, str] | None = None,
        *,
        config: Mapping[str, str] | None = None,
        environ: Mapping[str, str] | None = None,
        python: str = sys.executable,
        torch_at_start: bool = False,
    ) -> None:
        self.root = root
        self.store = root / "store"
        self.cwd = root / "run"
        self.temp = root / "tmp"
        self.config_file = root / "config.properties"
        #: Of the launcher: without them, it starts from the last snapshot and writes others.
        self.options = ["--ncs", "--ts-config", str(self.config_file)]
        self.state_dir = self.cwd / "logs" / "ts_retry"
        self.models = dict(models or {})
        self.python = python
        self.environ = {**os.environ, "TEMP": str(self.temp)}
        self.environ.pop("PYTHONPATH", None)
        self.environ.update(environ or {})
        folders = [*SERVER_PATH] * (not torch_at_start)
        if "PYTHONPATH" in self.environ:
            folders.append(self.environ["PYTHONPATH"])
        if folders:
            self.environ["PYTHONPATH"] = os.pathsep.join(folders)
        ports = own_ports(6)
        self.inference, self.management = (f"http://127.0.0.1:{p}" for p in ports[:2])
        self.config = {
            "inference_address": self.inference,
            "management_address": self.management,
            "metrics_address": f"http://127.0.0.1:{ports[2]}",
            "grpc_inference_port": str(ports[3]),
            "grpc_management_port": str(ports[4]),
            "initial_worker_port": str(ports[5]),
            "disable_token_authorization": "true",
            "enable_model_api": "true",
            "default_workers_per_model": "1",
            **SERVER_DEFAULTS,
            **(config or {}),
        }
        #: Where it is asked whether it is up: address and path.
        self.probed = self.inference, "/ping"
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> TorchServe:
        for folder in (self.store, self.cwd, self.temp):
            folder.mkdir(parents=True, exist_ok=True)
        lines = (f"{key}={value}\n" for key, value in self.config.items())
        self.config_file.write_text("".join(lines))
        command = [self.python, "-m", "ts.model_server", "--start", "--foreground"]
        command += [*self.options, "--model-store", str(self.store)]
        if self.models:
            command += ["--models", *(f"{name}={path}" for name, path in self.models.items())]
        with (self.root / "console.log").open("wb") as console:
            self.process = subprocess.Popen(
                command, cwd=self.cwd, env=self.environ, stdout=console, stderr=console
            )
        try:
            base, path = self.probed
            self.wait_for(lambda: self.call(path, base=base)[0], "the server answers")
        except BaseException:
            print(self.tail())
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if exc is not None:
            print(self.tail())
        self.stop()

    def stop(self) -> None:
        """End the launcher, the JVM and every worker."""
        if self.process is None:
            return
        processes = self.processes()
        for process in processes:
            try:
                process.kill()
            except psutil.Error:  # noqa: PERF203 - it ended by itself
                pass
        psutil.wait_procs(processes, timeout=60)
        self.process.wait(60)
        self.process = None

    def processes(self) -> list[psutil.Process]:
        """Return every process of this server, the launcher first."""
        assert self.process is not None
        try:
            launcher = psutil.Process(self.process.pid)
            return [launcher, *launcher.children(recursive=True)]
        except psutil.Error:
            return []

    def frontend(self) -> psutil.Process:
        """Return the process of the frontend."""
        for process in self.processes():
            try:
                if MAIN_CLASS in process.cmdline():
                    return process
            except psutil.Error:  # noqa: PERF203 - it ended just now
                pass
        msg = "the frontend has ended"
        raise AssertionError(msg)

    def workers(self) -> list[psutil.Process]:
        """Return the worker processes."""
        found = []
        for process in self.processes():
            try:
                if any(arg.endswith("model_service_worker.py") for arg in process.cmdline()):
                    found.append(process)
            except psutil.Error:  # noqa: PERF203 - it ended just now
                pass
        return found

    def wait_for(self, condition: Callable[[], T], what: str, timeout: float = 90.0) -> T:
        """Return the first true value of `condition`; fail with the log's tail after `timeout` s."""
        until = time.monotonic() + timeout
        while True:
            value = condition()
            if value:
                return value
            if self.process is not None and self.process.poll() is not None:
                msg = f"TorchServe ended while waiting until {what}"
                raise AssertionError(msg)
            if time.monotonic() > until:
                msg = f"not within {timeout:g} s: {what}"
                raise AssertionError(msg)
            time.sleep(0.1)

    def call(
        self,
        path: str,
        method: str = "GET",
        data: bytes | None = None,
        base: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, Any]:
        """Return status and body (parsed where it is JSON) of a request; 0 when refused."""
        url = (base or self.management) + path
        request = urllib.request.Request(url, data=data, method=method, headers=dict(headers or {}))
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return answer.status, _parsed(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, _parsed(error.read())
        except OSError:
            return 0, None

    def ping(self) -> tuple[int, str]:
        """Return status code and ``status`` of TorchServe's ``/ping``."""
        code, body = self.call("/ping", base=self.inference)
        return code, body["status"]

    def predict(self, model: str, data: bytes = b"x") -> tuple[int, Any]:
        """Return status and body of a prediction."""
        headers = {"Content-Type": "application/json"} if data[:1] in (b"{", b"[") else None
        return self.call(f"/predictions/{model}", "POST", data, self.inference, headers)

    def worker_states(self, model: str) -> list[str]:
        """Return what the management API says of each worker: READY, UNLOADING ..."""
        code, body = self.call(f"/models/{model}")
        return [worker["status"] for worker in body[0]["workers"]] if code == 200 else []

    def register(self, url: str, workers: int = 1, name: str | None = None) -> None:
        """Register an archive or a folder of the store, and have `workers` of it started."""
        path = f"/models?url={url}&initial_workers={workers}&synchronous=false"
        code, body = self.call(path + (f"&model_name={name}" if name else ""), "POST")
        assert code in (200, 202), body

    def is_ready(self, model: str) -> bool:
        """Tell whether every worker of `model` serves."""
        states = self.worker_states(model)
        return bool(states) and set(states) == {"READY"}

    def directory_of(self, model: str) -> str | None:
        """Return the state directory's folder for `model`, the one used last, or None."""
        for run in server_runs(str(self.state_dir)):
            found = [d for d in model_directories(run) if summarise(journal.read(d)).model == model]
            if found:
                return max(found, key=os.path.getmtime)
        return None

    def journal_of(self, model: str) -> list[Record]:
        """Return the journal of `model`."""
        directory = self.directory_of(model)
        return [] if directory is None else journal.read(directory)

    def events(self, model: str) -> list[str]:
        """Return what the workers of `model` did, in order."""
        return [record.event.value for record in self.journal_of(model)]

    def marker_of(self, model: str) -> Marker | None:
        """Return the marker of `model`, or None."""
        directory = self.directory_of(model)
        return None if directory is None else read_marker(directory)

    def is_held(self, model: str) -> bool:
        """Tell whether the last thing a worker of `model` did was to hold, trial loads left out."""
        own = [event for event in self.events(model) if event not in (Event.TRIAL, Event.TRIED)]
        return self.marker_of(model) is not None and own[-1:] == [Event.HOLD]

    def log(self) -> str:
        """Return everything the server has written to its console."""
        return (self.root / "console.log").read_text(errors="replace")

    def lines_of(self, model: str) -> str:
        """Return the lines that name `model`."""
        return "\n".join(line for line in self.log().splitlines() if model in line)

    def process_starts(self, model: str) -> int:
        """Count the worker processes that the frontend started for `model` and let start.

        Without those that it ended at once itself, taking the end of the last process's output for
        theirs (docs/torchserve-defects.md), and those that ended before they could be connected to.
        """
        closed = r"Backend worker error\n\S+WorkerInitializationException: Backend stream closed"
        return self.launches(model) - self._told(model, closed)

    def launches(self, model: str) -> int:
        """Count the worker processes that the frontend started for `model`, from its own log."""
        return self._told(model, "Worker cmdline")

    def _told(self, model: str, what: str) -> int:
        """Count how often the frontend says something of a worker of `model`."""
        return len(re.findall(rf"W-\d+-{re.escape(model)}_[\w.]+ \S+ - {what}", self.log()))

    def retry_waits(self, model: str) -> list[int]:
        """Return the waits that the frontend announced for `model`, in seconds."""
        pattern = rf"W-\d+-{re.escape(model)}_[\w.]+ \S+ - Retry worker: \d+ in (\d+) seconds"
        return [int(wait) for wait in re.findall(pattern, self.log())]

    def command(self, *arguments: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run ``ts-retry`` against this server's state directory."""
        command = [self.python, "-m", "ts_retry_ext.cli.main", *arguments]
        return subprocess.run(
            command, capture_output=True, text=True, env=self.environ, timeout=timeout, check=False
        )

    def supply(self, model: str) -> None:
        """Put in place what a model made with `archives.lacks` misses."""
        (self.temp / f"{model}_missing.py").write_text("")

    def withdraw(self, model: str) -> None:
        """Take away again what `supply` put in place."""
        (self.temp / f"{model}_missing.py").unlink()

    def resume(self, model: str, *options: str) -> None:
        """Resume `model`, and see that the command says it serves."""
        place = ("--state-dir", str(self.state_dir), "--timeout", "100")
        done = self.command("resume", model, *options, *place)
        assert done.returncode == 0, done.stdout + done.stderr

    def status(self) -> list[dict[str, Any]]:
        """Return what ``ts-retry status`` tells of each model."""
        done = self.command("status", "--json", "--state-dir", str(self.state_dir))
        models: list[dict[str, Any]] = json.loads(done.stdout)["models"]
        return models

    def tail(self) -> str:
        """Return the end of the log and of each journal, for a test that failed."""
        said = [f"--- end of {self.root / 'console.log'}\n{self.log()[-LOG_TAIL:]}"]
        for model in self.models:
            said.append(f"--- end of the journal of {model}")
            said += [
                f"{record.at} {record.event.value} {record.result or ''} {record.reason or ''}"
                for record in self.journal_of(model)[-JOURNAL_TAIL:]
            ]
        return "\n".join(said)


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body.decode("utf-8", "replace")

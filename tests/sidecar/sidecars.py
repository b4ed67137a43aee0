"""Run the sidecar as people do, and ask it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable, Iterator, Mapping, NamedTuple

import psutil

#: Less than what the sidecar must not wait for: a frontend that takes 5 s. bench/sidecar.py measures.
AT_ONCE_SEC = 4.0


class Answer(NamedTuple):
    """What the sidecar answered: status, text, headers."""

    status: int
    text: str
    headers: Mapping[str, str]

    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.text)


class Sidecar:
    """A running sidecar.

    Attributes:
        address: its URL.
        process: the process.
        log_file: what it writes to stderr.
    """

    def __init__(self, process: subprocess.Popen[bytes], log_file: Path) -> None:
        self.process = process
        self.log_file = log_file
        self.address = ""

    def ask(
        self,
        path: str,
        method: str = "GET",
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request; status 0 where nobody answers."""
        sent = urllib.request.Request(
            self.address + path, data=data, method=method, headers=dict(headers or {})
        )
        try:
            with urllib.request.urlopen(sent, timeout=30) as answer:
                return Answer(answer.status, answer.read().decode(), dict(answer.headers))
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.read().decode(), dict(error.headers))
        except OSError as error:
            return Answer(0, str(error), {})

    def log(self) -> str:
        """Return its log."""
        return self.log_file.read_text(errors="replace")

    def states(self) -> dict[str, str]:
        """Return the state of each model."""
        return {m["model"]: m["state"] for m in self.ask("/models").json()["models"]}

    def wait_for(self, condition: Callable[[], Any], what: str, timeout: float = 60.0) -> float:
        """Wait until `condition` is true, and return how long that took in seconds."""
        begun = time.monotonic()
        while not condition():
            assert self.process.poll() is None, f"the sidecar has ended:\n{self.log()}"
            assert time.monotonic() - begun < timeout, f"not in time: {what}\n{self.log()}"
            time.sleep(0.02)
        return time.monotonic() - begun

    def resident_mb(self) -> float:
        """Return its resident memory in MB."""
        return float(psutil.Process(self.process.pid).memory_info().rss) / 1e6

    def cpu_sec(self) -> float:
        """Return the processor time that it has used, in seconds."""
        times = psutil.Process(self.process.pid).cpu_times()
        return float(times.user + times.system)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and return the exit status."""
        self.process.send_signal(number)
        return self.process.wait(60)


@contextmanager
def sidecar(
    folder: Path, *options: str, environ: Mapping[str, str] | None = None
) -> Iterator[Sidecar]:
    """Run a sidecar on a free port for the time of the context."""
    folder.mkdir(parents=True, exist_ok=True)
    log_file = folder / f"sidecar-{time.monotonic_ns()}.log"
    command = [sys.executable, "-m", "ts_retry_ext.cli.main", "sidecar"]
    command += ["--address", "http://127.0.0.1:0", *options]
    with log_file.open("wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, stdout=log, stderr=log, env={**os.environ, **(environ or {})}
        )
    running = Sidecar(process, log_file)
    try:
        running.wait_for(lambda: "listening at" in running.log(), "it listens", 90)
        found = re.search(r"listening at (\S+)", running.log())
        assert found is not None
        running.address = found[1]
        yield running
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(60)

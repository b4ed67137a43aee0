"""Give a model a trial load as a holder does, without TorchServe: its own worker script, a torch of one line."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable, Iterator, Sequence

import psutil

from tests.archive.packing import write_folder
from tests.check.models import entries, stub_torch
from tests.snapshot.writing import marker, record, write_journal
from ts_retry_ext.check.environment import server_home
from ts_retry_ext.frontend.process import MAIN_CLASS, start_of
from ts_retry_ext.store import journal
from ts_retry_ext.store.marker import MarkedServer, Marker, read_marker, write_marker
from ts_retry_ext.store.record import Event, Record
from ts_retry_ext.store.times import now_text
from ts_retry_ext.store.trial_schedule import FILES, TIME


class Waiting:
    """A model that waits, with a process in the frontend's place.

    Attributes:
        model_dir: its files.
        directory: its registration's directory.
        temp: where trials make their folders.
    """

    def __init__(self, root: Path, source: str, frontend: int) -> None:
        self.model_dir = write_folder(root / "model", entries(source, name="m"))
        self.directory = root / "state" / f"server-{frontend}-1" / "m-1"
        self.directory.mkdir(parents=True)
        # A short path: trials make their folders elsewhere if a socket's name does not fit.
        self.temp = Path(tempfile.mkdtemp(dir="/tmp"))
        self.frontend = frontend
        environ = stub_torch(root)
        environ["PYTHONPATH"] = os.pathsep.join((str(self.model_dir), environ["PYTHONPATH"]))
        self.environ = {**environ, "TMPDIR": str(self.temp)}
        now = time.time()
        failed = record(Event.FAILURE, 0, verdict="unknown", fingerprint="0" * 16)
        write_journal(self.directory, failed._replace(at=now_text()))
        write_marker(
            str(self.directory),
            marker(
                verdict="non_recoverable",
                basis="repeated",
                rule=None,
                fingerprint="0" * 16,
                failures=3,
                waits_for=(FILES, TIME),
                server=MarkedServer(frontend, now),
                model_dir=str(self.model_dir),
                max_retry_timeout_sec=300,
            ),
        )

    def job(self, **changes: Any) -> bytes:
        """Return what a holder would order."""
        home = server_home()
        script = os.path.join(home, "ts", "model_service_worker.py")
        metrics = os.path.join(home, "ts", "configs", "metrics.yaml")
        sent = {
            "model_name": "m",
            "model_path": str(self.model_dir),
            "handler": "h.py",
            "gpu": None,
        }
        content = {
            "why": "its time has come",
            "for_real": False,
            "trial_locks": [],
            "directory": str(self.directory),
            "frontend": self.frontend,
            "pid": os.getpid(),
            "start": start_of(os.getpid()),
            "socket": "/tmp/.ts.sock.9000",
            "model": "m",
            "version": "1.0",
            "model_dir": str(self.model_dir),
            "registration": str(self.model_dir),
            "argv": [script, "--metrics-config", metrics],
            "load": sent,
            "asynchronous": False,
            "startup_timeout_sec": 20.0,
            "first_trial_sec": 15.0,
            "longest_trial_interval_sec": 600.0,
        }
        return json.dumps({**content, **changes}).encode() + b"\n"

    def start(self, before: Sequence[str] = (), **changes: Any) -> subprocess.Popen[bytes]:
        """Start the program, its lifeline in our hand; `before` stands first in its command."""
        program = subprocess.Popen(
            [*before, sys.executable, "-m", "ts_retry_ext.snapshot.trial_load"],
            stdin=subprocess.PIPE,
            env=self.environ,
            start_new_session=True,
        )
        assert program.stdin is not None
        program.stdin.write(self.job(**changes))
        program.stdin.flush()
        return program

    def try_once(self, **changes: Any) -> Record:
        """Make one trial, and return how it ended."""
        end(self.start(**changes))
        return self.records()[-1] if self.records()[-1].event is Event.TRIED else self.tried()

    def records(self) -> list[Record]:
        return journal.read(str(self.directory))

    def tried(self) -> Record:
        return next(r for r in reversed(self.records()) if r.event is Event.TRIED)

    def marker(self) -> Marker | None:
        return read_marker(str(self.directory))

    def left_behind(self) -> list[str]:
        """Return the processes and folders that trials have left."""
        found = [path.name for path in self.temp.iterdir()]
        for process in psutil.process_iter():
            try:
                if str(self.temp) in process.environ().get("TMPDIR", ""):
                    found.append(" ".join(process.cmdline()))
            except (psutil.Error, OSError):  # noqa: PERF203 - it ended just now
                continue
        return found

    def wait_for(self, condition: Callable[[], Any], what: str, timeout: float = 90.0) -> None:
        until = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < until, f"not in time: {what}; {self.left_behind()}"
            time.sleep(0.05)


def end(program: subprocess.Popen[bytes], timeout: float = 60.0) -> int:
    """Wait for the end of a program, and return its status."""
    status = program.wait(timeout)
    assert program.stdin is not None
    program.stdin.close()
    return status


@contextmanager
def waiting(root: Path, source: str) -> Iterator[Waiting]:
    """Lay out a model that waits, for the time of the context."""
    (root / "config.properties").write_text("management_address=http://127.0.0.1:1\n")
    frontend = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(600)", MAIN_CLASS],
        cwd=root,
        stdin=subprocess.DEVNULL,
    )
    model = Waiting(root, source, frontend.pid)
    try:
        yield model
    finally:
        frontend.kill()
        frontend.wait()
        shutil.rmtree(model.temp, ignore_errors=True)

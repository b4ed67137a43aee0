"""A frontend in which nothing happens is left alone: each question is a line in its access log."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.cli.servers import described, frontend
from tests.sidecar.sidecars import sidecar
from tests.snapshot.writing import record, write_journal
from ts_retry_ext.store.record import Event

READY = {"id": "9000", "startTime": "2026-01-01T00:00:00.000Z", "status": "READY", "memoryUsage": 0,
         "gpu": False, "gpuUsage": "N/A"}  # fmt: skip
#: Questions that a quiet server may be asked within `WATCHED_SEC`: its ``/ping``, once or twice.
MOST, WATCHED_SEC = 2, 10.0


def served(name: str, pid: int) -> dict[str, Any]:
    return described(name, workers=[dict(READY, pid=pid)])


def test_a_quiet_server_is_asked_little_and_a_worker_that_ends_is_noticed(tmp_path: Path) -> None:
    waits = [sys.executable, "-c", "input()"]
    with subprocess.Popen(waits, stdin=subprocess.PIPE) as worker, frontend(
        tmp_path / "run"
    ) as server:
        models = [f"m{number}" for number in range(11)]
        server.register(*(served(name, os.getpid()) for name in models), served("dies", worker.pid))
        server.api.answers["GET /ping"] = {"status": "Healthy"}
        for name in (*models, "dies"):
            events = (Event.START, Event.LOADED)
            write_journal(server.kept / name, *(record(e, 0, model=name) for e in events))
        options = ("--pid", str(server.pid), "--inference", server.api.address)
        with sidecar(tmp_path / "sidecar", *options) as observing:
            observing.wait_for(lambda: observing.ask("/readyz").status == 200, "all serve")
            time.sleep(3)  # What it saw at its start may be asked for once more.
            before = len(server.api.asked)
            time.sleep(WATCHED_SEC)
            assert server.api.asked[before:] == ["GET /ping"] * (len(server.api.asked) - before)
            assert len(server.api.asked) - before <= MOST
            worker.kill()
            worker.wait()
            observing.wait_for(
                lambda: any("/models/dies/" in asked for asked in server.api.asked[before:]),
                "the worker's end is noticed",
                5,
            )

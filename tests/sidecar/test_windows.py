"""The sidecar, ``status`` and ``config`` name one window and one source for a model."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Iterator

import pytest

from tests.archive.packing import CONFIG, files, manifest, packed, write_folder
from tests.cli.servers import described, frontend
from ts_retry_ext.frontend.choice import Wanted, choose_server
from ts_retry_ext.frontend.running_model import RunningModel, running_model
from ts_retry_ext.sidecar.windows import Windows
from ts_retry_ext.snapshot.effective import window_in_force
from ts_retry_ext.snapshot.observed_server import ObservedServer, observed

KEY = "maxRetryTimeoutInSec"


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[int]:
    """A process in the folder that the frontend unpacked the model to."""
    entries = files(manifest("m", configFile=CONFIG), f"{KEY}: 20")
    folder = write_folder(tmp_path / "unpacked", entries)
    code = "import sys; sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code], cwd=folder, stdin=subprocess.PIPE) as run:
        yield run.pid


@pytest.mark.parametrize(
    ("archive", "has_worker", "source"),
    [
        (f"{KEY}: 20", True, "model-config"),
        (f"{KEY}: 20", False, "model-config"),
        (f"{KEY}: 60", True, "model-config"),
        (f"{KEY}: 60", False, "frontend"),
        (None, True, "model-config"),
        (None, False, "frontend"),
    ],
    ids=["same", "same-no-worker", "repacked", "repacked-no-worker", "gone", "gone-no-worker"],
)
def test_one_window_has_one_source(
    tmp_path: Path,
    worker: int,
    capsys: pytest.CaptureFixture[str],
    archive: str | None,
    has_worker: bool,
    source: str,
) -> None:
    workers = [{"id": "9000", "status": "READY", "pid": worker}] if has_worker else []
    entry = described("m", workers=workers, maxRetryTimeoutInSec=20)
    with frontend(tmp_path / "run") as server:
        server.register(entry)
        if archive is not None:
            packed(tmp_path / "run" / "m.mar", archive)
        server.run("status", "--json")
        status = json.loads(capsys.readouterr().out)["models"][0]
        server.run("config", "--json")
        config = json.loads(capsys.readouterr().out)[0]
        seen = observed(choose_server(Wanted(pid=server.pid)))
        sidecar = of_sidecar(seen, running_model(entry, "1.0"))

    assert (status["max_retry_timeout_sec"], status["max_retry_timeout_source"]) == (20, source)
    assert (config["max_retry_timeout_sec"], config["source"]) == (20, source)
    assert sidecar == (20, source)
    codes = [problem["code"] for problem in config["problems"]]
    assert ("frontend-disagrees" in codes) is (archive == f"{KEY}: 60")


def of_sidecar(server: ObservedServer, model: RunningModel) -> tuple[int | None, str | None]:
    windows = Windows(server)
    windows.refresh([model], all_of_them=True)
    return windows.in_force()["m", "1.0"]


def test_process_ids_of_another_container_are_not_looked_up_here(
    tmp_path: Path, worker: int
) -> None:
    with frontend(tmp_path / "run") as running:
        server = observed(choose_server(Wanted(pid=running.pid)))._replace(sees_processes=False)
        workers = [{"id": "9000", "status": "READY", "pid": worker}]
        model = running_model(described("m", workers=workers, maxRetryTimeoutInSec=20), "1.0")
        assert window_in_force(model, server) == (20, "frontend")
        assert of_sidecar(server, model) == (20, "frontend")


def test_window_is_found_anew_once_a_worker_shows_what_was_unpacked(
    tmp_path: Path, worker: int
) -> None:
    with frontend(tmp_path / "run") as running:
        windows = Windows(observed(choose_server(Wanted(pid=running.pid))))
        for workers, source in (
            ([], "frontend"),
            ([{"id": "9000", "status": "READY", "pid": worker}], "model-config"),
        ):
            model = running_model(described("m", workers=workers, maxRetryTimeoutInSec=20), "1.0")
            windows.refresh([model], all_of_them=True)
            assert windows.in_force()["m", "1.0"] == (20, source)

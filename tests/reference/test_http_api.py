"""schemathesis asks a real sidecar what nobody would think of, and each answer is as described."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from reference.openapi import OPENAPI
from tests.cli.servers import described, frontend
from tests.sidecar.sidecars import sidecar
from tests.snapshot.writing import failure, hold, record, write_journal
from ts_retry_ext.store.record import Event

SCHEMATHESIS = shutil.which("schemathesis", path=str(Path(sys.executable).parent))
#: A probe that says 500 or 503 is no bug, and a model that is not there is 404 whatever its name.
LEFT_OUT = "not_a_server_error,positive_data_acceptance"


@pytest.mark.nightly
@pytest.mark.skipif(SCHEMATHESIS is None, reason="no schemathesis here: nox -s api")
@pytest.mark.parametrize(
    ("method", "is_down"),
    # Whoever resumes the model that is down may have to wait for two minutes.
    [("GET", True), ("POST", False)],
)
def test_every_answer_is_as_described(tmp_path: Path, method: str, is_down: bool) -> None:
    with frontend(tmp_path / "run") as server:
        ready = {"id": "9000", "status": "READY", "pid": 1}
        sound = described("sound", workers=[ready])
        server.register(*([described("bad")] if is_down else []), sound)
        server.api.answers["GET /ping"] = {"status": "Healthy"}
        if is_down:
            folder = write_journal(
                server.kept / "bad",
                record(Event.START, 0, pid=77, model="bad"),
                failure(1, pid=77, model="bad"),
            )
            hold(folder, 77, model="bad")
        options = ("--pid", str(server.pid), "--inference", server.api.address)
        with sidecar(tmp_path / "sidecar", *options) as observing:
            observing.wait_for(lambda: len(observing.states()) == 1 + is_down, "they are seen")
            command = [str(SCHEMATHESIS), "run", str(OPENAPI), "--url", observing.address]
            command += ["--include-method", method, "--checks", "all", "--seed", "1"]
            command += ["--exclude-checks", LEFT_OUT, "--max-examples", "30", "--no-color"]
            done = subprocess.run(
                command, cwd=tmp_path, capture_output=True, text=True, check=False
            )
            assert observing.ask("/livez").status == 200
    assert done.returncode == 0, done.stdout[-8000:]

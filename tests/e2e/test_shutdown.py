"""`on_fatal: shutdown`: the server ends, and the cause is its last word. `ts-retry run` tells it on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.e2e.archives import BROKEN, SOUND, pack
from tests.e2e.torchserve import TorchServe

TERMINATION_LOG = Path("/dev/termination-log")

pytestmark = pytest.mark.xdist_group("shutdown")


@pytest.mark.parametrize(
    "model_config", [None, "maxRetryTimeoutInSec: 0\n"], ids=["default", "no-retry"]
)
def test_the_server_ends_and_the_cause_is_the_last_line_of_its_logs(
    tmp_path: Path, model_config: str | None
) -> None:
    pack(tmp_path / "store", "broken", BROKEN, config=model_config)
    pack(tmp_path / "store", "sound", SOUND)
    config = {"retry_on_fatal": "shutdown"}
    models = {"broken": "broken.mar", "sound": "sound.mar"}
    made = _make_termination_log()
    try:
        with TorchServe(tmp_path, models, config=config) as server:
            assert server.process is not None
            processes = server.processes()
            assert server.process.wait(60) == 0  # the launcher's own, whatever happened
            _, alive = psutil.wait_procs(processes, timeout=60)
            assert not alive
            for text in (server.log(), (server.cwd / "logs" / "ts_log.log").read_text()):
                last = text.splitlines()[-1]
                assert last.startswith("ts-retry: TorchServe was stopped")
                for part in ("'broken'", "no_such_module_anywhere", "module-missing"):
                    assert part in last
            assert "Traceback" in server.log()
        if made:
            assert "no_such_module_anywhere" in TERMINATION_LOG.read_text()
    finally:
        if made:
            TERMINATION_LOG.unlink()


def _make_termination_log() -> bool:
    """Make the file that Kubernetes mounts into a container; False where this is not ours to do."""
    try:
        TERMINATION_LOG.touch(exist_ok=False)
    except OSError:
        return False
    return True


def _run(server: TorchServe) -> subprocess.Popen[str]:
    """Start what `server` describes with ``ts-retry run``."""
    for folder in (server.store, server.cwd, server.temp):
        folder.mkdir(parents=True, exist_ok=True)
    server.config_file.write_text("".join(f"{k}={v}\n" for k, v in server.config.items()))
    command = [sys.executable, "-m", "ts_retry_ext.cli.main", "run", "--", "torchserve", "--start"]
    command += ["--foreground", "--ncs", "--ts-config", str(server.config_file)]
    command += ["--model-store", str(server.store), "--models"]
    command += [f"{name}={path}" for name, path in server.models.items()]
    with (server.root / "console.log").open("wb") as console:
        return subprocess.Popen(
            command,
            cwd=server.cwd,
            env=server.environ,
            text=True,
            stdout=console,
            stderr=subprocess.PIPE,
        )


def test_run_exits_with_3_and_the_cause_where_a_model_was_halted(tmp_path: Path) -> None:
    pack(tmp_path / "store", "broken", BROKEN)
    described = TorchServe(
        tmp_path, {"broken": "broken.mar"}, config={"retry_on_fatal": "shutdown"}
    )
    process = _run(described)
    _, told = process.communicate(timeout=90)
    assert process.returncode == 3
    assert "model 'broken' was halted" in told
    assert "no_such_module_anywhere" in told


def test_run_passes_signals_on_and_exits_with_the_status_of_the_jvm(tmp_path: Path) -> None:
    pack(tmp_path / "store", "sound", SOUND)
    described = TorchServe(tmp_path, {"sound": "sound.mar"})
    process = _run(described)
    until = time.monotonic() + 60
    while not described.is_ready("sound") and time.monotonic() < until:
        time.sleep(0.2)
    children = psutil.Process(process.pid).children(recursive=True)
    assert len(children) >= 2
    os.kill(process.pid, signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    _, alive = psutil.wait_procs(children, timeout=60)
    assert not alive

"""However the server ends, none of its workers stays behind, holders included."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path
from typing import Callable

import psutil
import pytest

from tests.e2e.archives import SOUND, pack
from tests.e2e.torchserve import TorchServe


def _kill(server: TorchServe) -> None:
    server.frontend().send_signal(signal.SIGKILL)


def _stop(server: TorchServe) -> None:
    command = [server.python, "-m", "ts.model_server", "--stop"]
    subprocess.run(command, cwd=server.cwd, env=server.environ, check=True, capture_output=True)


def _interrupt_the_process_group(server: TorchServe) -> None:
    for process in server.processes():
        process.send_signal(signal.SIGINT)


@pytest.mark.parametrize("end", [_kill, _stop, _interrupt_the_process_group])
def test_no_worker_outlives_the_server(tmp_path: Path, end: Callable[[TorchServe], None]) -> None:
    pack(tmp_path / "store", "broken", "def handle(data, context)\n")
    pack(tmp_path / "store", "sound", SOUND)
    with TorchServe(tmp_path, {"broken": "broken.mar", "sound": "sound.mar"}) as server:
        server.wait_for(lambda: server.is_held("broken"), "broken is held")
        server.wait_for(lambda: server.is_ready("sound"), "sound serves")
        processes = server.processes()
        assert len(server.workers()) == 2
        end(server)
        _, alive = psutil.wait_procs(processes, timeout=30)
        assert not alive

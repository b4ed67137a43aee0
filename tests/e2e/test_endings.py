"""However the server ends, none of its workers stays behind, holders included.

The last tests of the files that try each kind of worker kill the JVM; here such servers are stopped.
"""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path
from typing import Callable

import psutil
import pytest

from tests.e2e.archives import BROKEN, SOUND, initialize, pack, pack_workflow
from tests.e2e.kinds import (
    ASYNC,
    CPU_LAUNCHER,
    FOUR,
    ONE_DEVICE,
    PATH,
    VENV,
    asynchronous,
    ranks,
)
from tests.e2e.torchserve import TorchServe

#: A function that serves before a sound model.
FUNCTIONS = """
    def prepare(data, context):
        return None if data is None else ["prepared" for _ in data]
"""
SPEC = """
    models:
      min-workers: 1
      max-workers: 1
      answer:
        url: sound.mar
    dag:
      prepare: [answer]
"""


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
        _, alive = psutil.wait_procs(processes, timeout=60)
        assert not alive


def test_no_worker_of_any_kind_outlives_a_stopped_server(tmp_path: Path) -> None:
    store = tmp_path / "store"
    for state, handler in (("broken", BROKEN), ("sound", SOUND)):
        pack(store, f"ranks{state}", handler, config=ranks())
        pack(store, f"async{state}", asynchronous(handler), config=ASYNC)
        pack(store, f"venv{state}", handler, config=VENV)
    pack(store, "fourbroken", initialize(ONE_DEVICE), config=FOUR)  # and three that serve
    models = {path.stem: path.name for path in store.glob("*.mar")}
    pack(store, "sound", SOUND)
    pack_workflow(store, "workflow", FUNCTIONS, SPEC)
    config = {"install_py_dep_per_model": "true", "workflow_store": str(store)}
    _serve_hold_and_stop(tmp_path, models, config, workers=2 * (2 + 1 + 1) + 4 + 2)


@pytest.mark.nightly
def test_no_worker_behind_the_cpu_launcher_and_tcp_outlives_a_stopped_server(
    tmp_path: Path,
) -> None:
    pack(tmp_path / "store", "broken", BROKEN)
    pack(tmp_path / "store", "sound", SOUND)
    models = {"broken": "broken.mar", "sound": "sound.mar"}
    config = {**CPU_LAUNCHER, "use_native_io": "false"}
    _serve_hold_and_stop(tmp_path, models, config, workers=2 * 2)


def _serve_hold_and_stop(
    root: Path, models: dict[str, str], config: dict[str, str], workers: int
) -> None:
    with TorchServe(root, models, config=config, environ=PATH) as server:
        if "workflow_store" in config:
            assert server.call("/workflows?url=workflow.war", "POST")[0] == 200
        for model in models:
            settled = server.is_held if model.endswith("broken") else server.is_ready
            server.wait_for(lambda: settled(model), f"{model} is held or serves")  # noqa: B023
        processes = server.processes()
        assert len(server.workers()) >= workers
        _stop(server)
        _, alive = psutil.wait_procs(processes, timeout=60)
        assert not alive

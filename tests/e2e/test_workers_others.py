"""Workers that are no model's own archive: a workflow's functions, and programs in C++."""

from __future__ import annotations

import json
import os
from itertools import count
from pathlib import Path
from typing import Any, Iterator

import pytest

from tests.e2e.archives import SOUND, lay_out, pack, pack_workflow
from tests.e2e.torchserve import TorchServe

BROKEN = "import no_such_module_anywhere\n\n\nclass Handler:\n    pass\n"
#: What is missing lies outside the archive, so that it can go and come while the workflow is there.
FUNCTIONS = """
    import os
    import sys

    sys.path.append(os.environ["TEMP"])
    sys.dont_write_bytecode = True
    import a_part


    def prepare(data, context):
        return None if data is None else ["prepared" for _ in data]
"""
SPEC = """
    models:
      min-workers: 1
      max-workers: 1
      retry-attempts: 0
      timeout-ms: 8000
      answer:
        url: {model}.mar
    dag:
      prepare: [answer]
"""

pytestmark = pytest.mark.xdist_group("workers_others")
_numbers = count()
"""A second try needs a workflow of its own."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TorchServe]:
    root = tmp_path_factory.mktemp("others")
    store = root / "store"
    pack(store, "sound", SOUND)
    pack(store, "broken", BROKEN)
    pack_workflow(store, "bad", FUNCTIONS, SPEC.format(model="broken"))
    lay_out(store / "native", "native", SOUND, runtime="LSP")
    config = {"workflow_store": str(store)}
    with TorchServe(root, {"native": "native"}, config=config) as running:
        _part(running).write_text("")
        yield running


def _part(server: TorchServe) -> Path:
    return server.temp / "a_part.py"


def _status(server: TorchServe) -> dict[str, Any]:
    done = server.command("status", "--json", "--pid", str(server.frontend().pid))
    return {model["model"]: model for model in json.loads(done.stdout)["models"]}


def test_a_workflow_with_a_broken_model_is_refused_after_one_load(server: TorchServe) -> None:
    code, body = server.call("/workflows?url=bad.war", "POST")
    assert code == 500
    assert "Failed to start workers for model bad__answer" in body["message"]
    assert server.events("bad__answer") == ["start", "load", "failure"]
    assert server.process_starts("bad__answer") == 1


def test_a_function_that_loads_no_more_is_held_shown_and_resumed(server: TorchServe) -> None:
    name = f"good{next(_numbers)}"
    pack_workflow(server.store, name, FUNCTIONS, SPEC.format(model="sound"))
    prepare, answer = f"{name}__prepare", f"{name}__answer"

    def ask() -> tuple[int, Any]:
        return server.call(f"/wfpredict/{name}", "POST", b"x", server.inference)

    assert server.call(f"/workflows?url={name}.war", "POST")[0] == 200
    assert ask() == (200, "sound")
    (worker,) = server.call(f"/models/{prepare}")[1][0]["workers"]
    _part(server).unlink()
    os.kill(worker["pid"], 9)

    server.wait_for(lambda: server.is_held(prepare), "the function is held")
    _part(server).write_text("")
    assert server.events(prepare).count("load") == 2
    assert server.marker_of(answer) is None
    states = {model: told["state"] for model, told in _status(server).items()}
    assert (states[prepare], states[answer]) == ("halted", "serving")
    code, body = ask()
    assert (code, body["message"]) == (500, "Error executing prepare")

    resumed = server.command("resume", prepare, "--pid", str(server.frontend().pid))
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    assert ask() == (200, "sound")


def test_a_model_with_cpp_workers_is_out_of_reach_and_never_called_halted(
    server: TorchServe,
) -> None:
    """No C++ worker lies here: the frontend says so, and retries as it does any failure."""
    server.wait_for(lambda: len(server.retry_waits("native")) >= 2, "the frontend retries")
    assert "model_worker_socket not found" in server.log()
    native = _status(server)["native"]
    assert (native["state"], native["verdict"], native["loads"]) == ("unknown", None, None)
    assert "C++ programs (runtime LSP)" in native["reason"]
    assert native["max_retry_timeout_sec"] == 300

"""Workers that are no model's own archive: a workflow's functions, and programs in C++."""

from __future__ import annotations

import os
from textwrap import indent
from typing import Any, Iterator

import psutil
import pytest

from tests.e2e.archives import (
    BROKEN,
    CANNOT_CONNECT,
    initialize,
    lacks,
    lay_out,
    pack,
    pack_workflow,
)
from tests.e2e.torchserve import TorchServe


def _load(node: str) -> str:
    """Return what a load of `node` does: it needs a module, and cannot connect when a file says so.

    Both lie beside the archives, and come and go while the workflow is there.
    """
    return f"""{lacks(repr(node))}
try:
    os.remove(os.path.join(os.environ["TEMP"], "refuse-{node}"))
except FileNotFoundError:
    pass
else:
{indent(CANNOT_CONNECT, "    ")}
"""


FUNCTIONS = (
    _load("prepare")
    + """
def prepare(data, context):
    return None if data is None else ["prepared" for _ in data]
"""
)
#: A function of a workflow, and a model of it.
NODES = ("prepare", "answer")
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


class Workflow:
    """A registered workflow that serves."""

    name = "good"

    def __init__(self, server: TorchServe) -> None:
        self._server = server
        pack_workflow(server.store, self.name, FUNCTIONS, SPEC.format(model="sound"))
        assert server.call(f"/workflows?url={self.name}.war", "POST")[0] == 200
        self.wait_until_it_answers()

    def wait_until_it_answers(self) -> None:
        """Ask until it does: TorchServe may lose a node's answer (docs/torchserve-defects.md)."""
        self._server.wait_for(lambda: self.ask() == (200, "sound"), f"{self.name} answers")

    def ask(self) -> tuple[int, Any]:
        path = f"/wfpredict/{self.name}"
        return self._server.call(path, "POST", b"x", self._server.inference)

    def kill_worker(self, node: str) -> None:
        os.kill(self._server.wait_for(lambda: self._serving_pid(node), f"{node} serves"), 9)

    def _serving_pid(self, node: str) -> int:
        """Return the process id of a node's worker, 0 where that does not serve."""
        (worker,) = self._server.call(f"/models/{self.name}__{node}")[1][0]["workers"]
        serves = worker["status"] == "READY" and psutil.pid_exists(worker["pid"])
        return int(worker["pid"]) if serves else 0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TorchServe]:
    root = tmp_path_factory.mktemp("others")
    store = root / "store"
    pack(store, "sound", initialize(_load("answer")))
    pack(store, "broken", BROKEN)
    pack_workflow(store, "bad", FUNCTIONS, SPEC.format(model="broken"))
    lay_out(store / "native", "native", BROKEN, runtime="LSP")
    config = {"workflow_store": str(store)}
    with TorchServe(root, {"native": "native"}, config=config) as running:
        for node in NODES:
            running.supply(node)
        yield running


@pytest.fixture(scope="module")
def registered(server: TorchServe) -> Workflow:
    return Workflow(server)


@pytest.fixture
def workflow(server: TorchServe, registered: Workflow) -> Workflow:
    """The workflow as it serves, also where the first try of a test left a node held."""
    for node in NODES:
        if server.marker_of(f"{registered.name}__{node}") is not None:
            server.resume(f"{registered.name}__{node}")
    return registered


def _status(server: TorchServe) -> dict[str, Any]:
    return {model["model"]: model for model in server.status()}


def test_a_workflow_with_a_broken_model_is_refused_after_one_load(server: TorchServe) -> None:
    code, body = server.call("/workflows?url=bad.war", "POST")
    assert code == 500
    assert "Failed to start workers for model bad__answer" in body["message"]
    assert server.events("bad__answer") == ["start", "load", "failure"]
    assert server.process_starts("bad__answer") == 1


@pytest.mark.parametrize("node", NODES)
def test_a_node_that_loads_no_more_is_held_shown_and_resumed(
    server: TorchServe, workflow: Workflow, node: str
) -> None:
    broken, others = f"{workflow.name}__{node}", {n for n in NODES if n != node}
    loads = server.events(broken).count("load")
    server.withdraw(node)
    try:
        workflow.kill_worker(node)
        server.wait_for(lambda: server.is_held(broken), f"{broken} is held")
        assert server.events(broken).count("load") == loads + 1
        states = {model: told["state"] for model, told in _status(server).items()}
        assert states[broken] == "halted"
        assert [states[f"{workflow.name}__{other}"] for other in others] == ["serving"]
        code, body = workflow.ask()
        assert (code, body["message"]) == (500, f"Error executing {node}")
    finally:
        server.supply(node)
    # What was missing is watched, so it may serve before it is resumed.
    server.resume(broken)
    workflow.wait_until_it_answers()


@pytest.mark.parametrize("node", NODES)
def test_a_node_that_cannot_connect_is_retried_until_it_serves(
    server: TorchServe, workflow: Workflow, node: str
) -> None:
    flaky = f"{workflow.name}__{node}"
    loads = server.events(flaky).count("load")
    (server.temp / f"refuse-{node}").write_text("")
    workflow.kill_worker(node)
    server.wait_for(lambda: server.events(flaky).count("load") == loads + 2, f"{flaky} loads twice")
    server.wait_for(lambda: server.is_ready(flaky), f"{flaky} serves")
    failures = [r for r in server.journal_of(flaky) if r.event == "failure"]
    assert failures[-1].rule == "connection-errno"
    assert server.marker_of(flaky) is None
    workflow.wait_until_it_answers()


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


def test_no_worker_outlives_a_killed_frontend(server: TorchServe, workflow: Workflow) -> None:
    """The last test of this file: it ends the server, with a node that holds and one that serves."""
    held = f"{workflow.name}__prepare"
    server.withdraw("prepare")
    workflow.kill_worker("prepare")
    server.wait_for(lambda: server.is_held(held), f"{held} is held")
    processes = server.processes()
    assert len(server.workers()) == 2
    server.frontend().kill()
    _, alive = psutil.wait_procs(processes, timeout=60)
    assert not alive

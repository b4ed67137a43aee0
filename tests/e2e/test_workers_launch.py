"""However TorchServe launches a Python worker, the main job is done: halt, recover, resume."""

from __future__ import annotations

import json
import os
import socket
import sys
from typing import Iterator

import psutil
import pytest

from tests.e2e.archives import initialize, pack
from tests.e2e.torchserve import TorchServe

BROKEN = "import no_such_module_anywhere\n\n\nclass Handler:\n    pass\n"
REFUSED = """
    import os, socket
    path = os.path.join(os.environ["TEMP"], "attempts-{name}")
    with open(path, "a+") as counter:
        counter.write("x")
        counter.flush()
        counter.seek(0)
        attempts = len(counter.read())
    if attempts <= {failures}:
        raise ConnectionRefusedError(111, "Connection refused")
"""
ONE_RANK = """
    import os, time
    if os.environ["LOCAL_RANK"] == "1":
        import no_such_module_anywhere
    time.sleep(60)
"""
#: One of four workers meets a device that is not there; each waits for the others.
ONE_DEVICE = """
    import os
    try:
        os.close(os.open(os.path.join(os.environ["TEMP"], "device"), os.O_CREAT | os.O_EXCL))
        bad = os.environ["TEMP"] + "/bad-worker"
        with open(bad, "w") as stream:
            stream.write(" ".join(__import__("sys").argv))
    except FileExistsError:
        pass
    with open(os.environ["TEMP"] + "/bad-worker") as stream:
        if stream.read() == " ".join(__import__("sys").argv):
            raise RuntimeError("CUDA error: invalid device ordinal")
"""
FOUR = "minWorkers: 4\nmaxWorkers: 4\n"
ASYNC = "asyncCommunication: true\nstartupTimeout: 30\n"
#: What is missing lies outside the model, so that nothing but `resume` tells that it is there. Once it
#: is, the load takes a moment: TorchServe loses an asynchronous worker that answers at once.
LACKS = """
    import os, sys
    sys.path.append(os.environ["TEMP"])
    import {name}_missing


    class Handler:
        def initialize(self, context):
            __import__("time").sleep(0.2)

        {handle} handle(self, data, context):
            return ["sound"] * len(data)
"""


def _ranks() -> str:
    """Two ranks that meet at a port of their own: docs/torchserve-defects.md tells why."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    torchrun = f"torchrun:\n  nproc-per-node: 2\n  rdzv-endpoint: 127.0.0.1:{port}\n"
    return "parallelType: pp\nparallelLevel: 2\n" + torchrun


pytestmark = pytest.mark.xdist_group("workers_launch")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TorchServe]:
    root = tmp_path_factory.mktemp("launch")
    store = root / "store"
    pack(store, "four", BROKEN, config=FOUR)
    pack(store, "device", initialize(ONE_DEVICE), config=FOUR)
    pack(store, "asyncbroken", LACKS.format(name="asyncbroken", handle="async def"), config=ASYNC)
    flaky = initialize(REFUSED.format(name="asyncflaky", failures=2))
    pack(store, "asyncflaky", flaky, config=ASYNC)
    pack(store, "ranks", LACKS.format(name="ranks", handle="def"), config=_ranks())
    pack(store, "onerank", initialize(ONE_RANK), config=_ranks())
    refused = initialize(REFUSED.format(name="ranksflaky", failures=4))
    pack(store, "ranksflaky", refused, config=_ranks())
    models = {path.stem: path.name for path in store.glob("*.mar")}
    # The frontend finds torchrun on the path.
    environ = {"PATH": os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]}
    with TorchServe(root, models, environ=environ) as running:
        yield running


def test_four_workers_that_fail_at_once_load_once_each(server: TorchServe) -> None:
    server.wait_for(lambda: server.events("four").count("hold") == 4, "all four hold")
    assert server.events("four").count("load") == 4
    assert server.process_starts("four") == 8


def test_what_is_wrong_with_one_device_does_not_halt_the_workers_on_others(
    server: TorchServe,
) -> None:
    server.wait_for(lambda: server.events("device").count("loaded") == 3, "three serve")
    server.wait_for(lambda: server.events("device")[-1] == "hold", "the fourth holds")
    marker = server.marker_of("device")
    assert marker is not None
    assert (marker.rule, marker.scope) == ("no-such-device", "device")
    assert marker.worker["only"] == [marker.worker["socket"]]
    assert sorted(server.worker_states("device")) == ["READY"] * 3 + ["UNLOADING"]
    assert [server.predict("device") for _ in range(12)] == [(200, "sound")] * 12
    assert server.events("device").count("load") == 4
    shown = server.command("status", "--json", "--state-dir", str(server.state_dir))
    (model,) = [m for m in json.loads(shown.stdout)["models"] if m["model"] == "device"]
    assert (model["state"], model["scope"]) == ("serving", "device")
    number = marker.worker["socket"].rpartition(".")[2]
    assert model["reason"].startswith(f"1 of 4 workers is held: {number}.")


def test_an_asynchronous_model_is_halted_after_one_load(server: TorchServe) -> None:
    """Stock never looks at it again: no retry, no report, for ever UNLOADING."""
    server.wait_for(lambda: server.is_held("asyncbroken"), "asyncbroken is held")
    assert server.events("asyncbroken") == ["start", "load", "failure", "hold"]
    (pid,) = {r["pid"] for r in server.journal_of("asyncbroken")}
    (size,) = [w.memory_info().rss for w in server.workers() if w.pid == pid]
    assert size < 16 * 1024 * 1024


def test_an_asynchronous_model_is_retried_in_its_worker_until_it_serves(server: TorchServe) -> None:
    server.wait_for(lambda: server.is_ready("asyncflaky"), "asyncflaky serves")
    events = ["start", "load", "failure", "load", "failure", "load", "loaded"]
    assert server.events("asyncflaky") == events
    assert server.process_starts("asyncflaky") == 1


def test_every_rank_of_a_broken_model_holds(server: TorchServe) -> None:
    server.wait_for(lambda: server.events("ranks").count("hold") >= 2, "both ranks hold")
    assert server.events("ranks").count("load") == 2
    server.wait_for(lambda: server.lines_of("ranks").count("is held") >= 2, "both answer LOAD")
    sockets = {r["socket"] for r in server.journal_of("ranks") if r["event"] == "hold"}
    assert len(sockets) == 2


def test_a_rank_that_is_ended_with_its_group_is_no_crash(server: TorchServe) -> None:
    server.wait_for(lambda: server.events("onerank").count("hold") >= 2, "both ranks hold")
    marker = server.marker_of("onerank")
    assert marker is not None
    assert marker.rule == "module-missing"
    assert "crash" not in server.events("onerank")


def test_ranks_are_retried_until_they_serve(server: TorchServe) -> None:
    server.wait_for(lambda: server.is_ready("ranksflaky"), "ranksflaky serves", timeout=120)
    assert "crash" not in server.events("ranksflaky")
    assert server.marker_of("ranksflaky") is None


@pytest.mark.parametrize("model", ["ranks", "asyncbroken"])
def test_a_repaired_model_is_resumed(server: TorchServe, model: str) -> None:
    server.wait_for(lambda: server.is_held(model), f"{model} is held")
    (server.temp / f"{model}_missing.py").write_text("")
    resumed = server.command(
        "resume", model, "--state-dir", str(server.state_dir), "--timeout", "100"
    )
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    assert server.predict(model) == (200, "sound")


def test_no_worker_outlives_a_killed_frontend(server: TorchServe) -> None:
    """The last test of this file: it ends the server that the others share.

    Ranks are left out here: torchrun starts each group once more, which then waits 30 s for a
    frontend (docs/reliability.md).
    """
    server.wait_for(lambda: server.is_ready("asyncflaky"), "asyncflaky serves")
    server.wait_for(lambda: server.is_held("four"), "four is held")
    processes = [p for p in server.workers() if "LOCAL_RANK" not in p.environ()]
    processes = [p for p in processes if not any("torchrun" in arg for arg in p.cmdline())]
    assert len(processes) >= 10
    server.frontend().kill()
    _, alive = psutil.wait_procs(processes, timeout=60)
    assert not alive

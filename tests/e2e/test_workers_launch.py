"""However TorchServe launches a Python worker, the main job is done: halt, recover, resume."""

from __future__ import annotations

from typing import Iterator

import psutil
import pytest

from tests.e2e.archives import initialize, lacks, pack, refused
from tests.e2e.kinds import ASYNC, FOUR, ONE_DEVICE, PATH, asynchronous, ranks
from tests.e2e.torchserve import VERSION, TorchServe

ONE_RANK = """
    import os, time
    if os.environ["LOCAL_RANK"] == "1":
        import no_such_module_anywhere
    time.sleep(60)
"""
#: Without `asyncCommunication`, and with a retry of torchrun that is a race: docs/torchserve-defects.md.
OLD = VERSION < (0, 11)
needs_async = pytest.mark.skipif(OLD, reason="asyncCommunication came with TorchServe 0.11")
needs_ranks = pytest.mark.skipif(
    OLD, reason="before 0.11 torchrun's retries may end the frontend's thread"
)

pytestmark = pytest.mark.xdist_group("workers_launch")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TorchServe]:
    root = tmp_path_factory.mktemp("launch")
    store = root / "store"
    lacking = initialize(lacks())
    pack(store, "four", lacking, config=FOUR)
    pack(store, "fourflaky", initialize(refused(4)), config=FOUR)
    pack(store, "device", initialize(ONE_DEVICE), config=FOUR)
    if not OLD:
        pack(store, "asyncbroken", asynchronous(lacking), config=ASYNC)
        pack(store, "asyncflaky", asynchronous(initialize(refused(2))), config=ASYNC)
        pack(store, "ranks", lacking, config=ranks())
        pack(store, "onerank", initialize(ONE_RANK), config=ranks())
        pack(store, "ranksflaky", initialize(refused(4)), config=ranks())
    models = {path.stem: path.name for path in store.glob("*.mar")}
    with TorchServe(root, models, environ=PATH) as running:
        yield running


def test_four_workers_that_fail_at_once_load_once_each(server: TorchServe) -> None:
    server.wait_for(lambda: server.events("four").count("hold") == 4, "all four hold")
    assert server.events("four").count("load") == 4
    assert server.process_starts("four") == 8


def test_four_workers_are_retried_until_they_serve(server: TorchServe) -> None:
    server.wait_for(lambda: server.is_ready("fourflaky"), "fourflaky serves")
    assert server.events("fourflaky").count("failure") == 4
    assert server.events("fourflaky").count("loaded") == 4
    assert server.marker_of("fourflaky") is None


def test_what_is_wrong_with_one_device_does_not_halt_the_workers_on_others(
    server: TorchServe,
) -> None:
    server.wait_for(lambda: server.events("device").count("loaded") == 3, "three serve")
    server.wait_for(lambda: server.events("device")[-1] == "hold", "the fourth holds")
    marker = server.marker_of("device")
    assert marker is not None
    assert (marker.rule, marker.scope) == ("no-such-device", "device")
    assert marker.only == (marker.worker.socket,)
    assert sorted(server.worker_states("device")) == ["READY"] * 3 + ["UNLOADING"]
    assert [server.predict("device") for _ in range(12)] == [(200, "sound")] * 12
    assert server.events("device").count("load") == 4
    (model,) = [m for m in server.status() if m["model"] == "device"]
    assert (model["state"], model["scope"]) == ("serving", "device")
    number = marker.worker.socket.rpartition(".")[2]
    assert model["reason"].startswith(f"1 of 4 workers is held: {number}.")


@needs_async
def test_an_asynchronous_model_is_halted_after_one_load(server: TorchServe) -> None:
    """Stock never looks at it again: no retry, no report, for ever UNLOADING."""
    server.wait_for(lambda: server.is_held("asyncbroken"), "asyncbroken is held")
    assert server.events("asyncbroken")[:4] == ["start", "load", "failure", "hold"]
    assert len({r.pid for r in server.journal_of("asyncbroken")[:4]}) == 1
    pid = server.journal_of("asyncbroken")[-1].pid  # replaced after startupTimeout
    (size,) = [w.memory_info().rss for w in server.workers() if w.pid == pid]
    assert size < 16 * 1024 * 1024


@needs_async
def test_an_asynchronous_model_is_retried_in_its_worker_until_it_serves(server: TorchServe) -> None:
    server.wait_for(lambda: server.is_ready("asyncflaky"), "asyncflaky serves")
    events = ["start", "load", "failure", "load", "failure", "load", "loaded"]
    assert server.events("asyncflaky") == events
    assert server.process_starts("asyncflaky") == 1


@needs_ranks
def test_every_rank_of_a_broken_model_holds(server: TorchServe) -> None:
    server.wait_for(lambda: server.events("ranks").count("hold") >= 2, "both ranks hold")
    assert server.events("ranks").count("load") == 2
    server.wait_for(lambda: server.lines_of("ranks").count("is held") >= 2, "both answer LOAD")
    sockets = {r.socket for r in server.journal_of("ranks") if r.event == "hold"}
    assert len(sockets) == 2


@needs_ranks
def test_a_rank_that_is_ended_with_its_group_is_no_crash(server: TorchServe) -> None:
    server.wait_for(lambda: server.events("onerank").count("hold") >= 2, "both ranks hold")
    marker = server.marker_of("onerank")
    assert marker is not None
    assert marker.rule == "module-missing"
    assert "crash" not in server.events("onerank")


@needs_ranks
def test_ranks_are_retried_until_they_serve(server: TorchServe) -> None:
    server.wait_for(lambda: server.is_ready("ranksflaky"), "ranksflaky serves", timeout=120)
    assert "crash" not in server.events("ranksflaky")
    assert server.marker_of("ranksflaky") is None


@pytest.mark.parametrize(
    "model",
    [
        "four",
        pytest.param("ranks", marks=needs_ranks),
        pytest.param("asyncbroken", marks=needs_async),
    ],
)
def test_a_repaired_model_is_resumed(server: TorchServe, model: str) -> None:
    server.wait_for(lambda: server.is_held(model) or server.is_ready(model), f"{model} is held")
    server.supply(model)
    server.resume(model)
    assert server.is_ready(model)
    assert server.predict(model) == (200, "sound")


def test_the_worker_that_lost_its_device_is_resumed(server: TorchServe) -> None:
    server.wait_for(lambda: server.events("device").count("loaded") >= 3, "three serve")
    (server.temp / "bad-worker").write_text("")
    server.resume("device")
    assert server.worker_states("device") == ["READY"] * 4
    assert server.marker_of("device") is None


def test_no_worker_outlives_a_killed_frontend(server: TorchServe) -> None:
    """The last test of this file: it ends the server that the others share.

    Ranks hold and serve, the others serve; `test_endings.py` stops a server where they hold.
    """
    if not OLD:
        server.wait_for(lambda: server.events("onerank").count("hold") >= 2, "both ranks hold")
        server.wait_for(lambda: server.is_ready("asyncflaky"), "asyncflaky serves")
    processes = server.processes()
    assert len(server.workers()) >= (12 if OLD else 16)
    server.frontend().kill()
    _, alive = psutil.wait_procs(processes, timeout=90)
    assert not alive

"""Every kind of worker gets trial loads: one fails, a later one succeeds, and its workers come back.

What each model lacks is a module. It is supplied broken at first, so that a trial load fails, and
then sound. The module is watched, so each trial begins as soon as it changes.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Callable, Iterator, Mapping, NamedTuple

import psutil
import pytest

from tests.e2e.archives import SOUND, initialize, lacks, lay_out, pack, pack_workflow
from tests.e2e.kinds import ASYNC, CPU_LAUNCHER, PATH, VENV, asynchronous, ranks
from tests.e2e.torchserve import VERSION, TorchServe
from tests.sidecar.sidecars import sidecar
from ts_retry_ext.store.times import to_seconds

WINDOW_SEC = 4
LATE = f"maxRetryTimeoutInSec: {WINDOW_SEC}\n"
TWO = "minWorkers: 2\nmaxWorkers: 2\n"
SEQUENCES = """minWorkers: 1
maxWorkers: 1
batchSize: 4
maxBatchDelay: 100
sequenceBatching: true
sequenceMaxIdleMSec: 60000
maxNumSequence: 4
maxSequenceJobQueueSize: 10
"""
REJECTS = "retry:\n  onFatal: reject\n"
#: Seconds for trials and loads where the machine is busy.
PATIENCE_SEC = 150.0
LACKING = initialize(lacks())


class Kind(NamedTuple):
    """A kind of model.

    Attributes:
        config: its configuration.
        handler: its source.
        workers: processes that hold, and serve later.
        is_folder: whether it is a directory instead of an archive.
        trial_is_load: whether its workers load at once instead of a trial.
    """

    config: str = ""
    handler: str = LACKING
    workers: int = 1
    is_folder: bool = False
    trial_is_load: bool = False


KINDS = {
    "two": Kind(TWO, workers=2),
    "folder": Kind(is_folder=True),
    "rejects": Kind(REJECTS),
}
if VERSION >= (0, 11):  # before, the one is not there and retries of the other end a thread
    KINDS["async"] = Kind(ASYNC, asynchronous(LACKING))
    KINDS["ranks"] = Kind(ranks(), workers=2, trial_is_load=True)
#: Models that the others hold most of; each takes half a minute.
NIGHTLY = ("two", "folderlate", "ranks", "rejectslate")
#: Inside the window, a holder leaves, and the frontend's own retry starts the next worker. After it,
#: workers come through the management API.
MODELS = {
    name + when: kind._replace(config=kind.config + config)
    for name, kind in KINDS.items()
    for when, config in (("", ""), ("late", LATE))
    if (name, when) != ("async", "late")  # the frontend ends its holder: a test of its own
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TorchServe]:
    root = tmp_path_factory.mktemp("kinds")
    for name, kind in MODELS.items():
        _made(root / "store", name, kind)
    for version in ("1.0", "2.0"):
        handler = initialize(lacks(repr(f"many{version[0]}")))
        lay_out(root / "store" / f"many{version}", "many", handler, LATE, manifest={"modelVersion": version})  # fmt: skip
    with TorchServe(root, environ=PATH) as running:
        yield running


def _made(store: Path, name: str, kind: Kind) -> str:
    if kind.is_folder:
        return lay_out(store / name, name, kind.handler, kind.config or None)
    return pack(store, name, kind.handler, config=kind.config or None)


pytestmark = [pytest.mark.xdist_group("trials_kinds"), pytest.mark.timeout(900)]


@pytest.mark.parametrize(
    "model",
    [pytest.param(name, marks=[pytest.mark.nightly] * (name in NIGHTLY)) for name in MODELS],
)
def test_a_trial_fails_another_one_succeeds_and_the_workers_come_back(
    server: TorchServe, model: str
) -> None:
    kind = MODELS[model]
    workers = 1 if kind.trial_is_load else kind.workers
    server.call(f"/models/{model}", "DELETE")  # where the test had a try before
    (server.temp / f"{model}_missing.py").unlink(missing_ok=True)
    server.register(model if kind.is_folder else f"{model}.mar", workers)
    comes_back_at_the_second_trial(server, model, kind)
    assert server.predict(model) == (200, "sound")
    assert server.worker_states(model) == ["READY"] * workers
    server.call(f"/models/{model}", "DELETE")


def comes_back_at_the_second_trial(server: TorchServe, model: str, kind: Kind) -> None:
    """See `model` fail a trial and come back at the next one, and the frontend notice the second only."""
    _wait(server, lambda: _holding(server, model) >= kind.workers, f"{model} is held")
    _let_the_window_end(server, model)
    starts, before = server.process_starts(model), server.events(model)
    supply_broken(server, model)
    if kind.trial_is_load:
        _wait(server, lambda: server.events(model).count("load") == 2 * kind.workers, "it loads")
        _wait(server, lambda: _holding(server, model) >= kind.workers, "it is held again")
    else:
        _wait(server, lambda: "tried" in server.events(model), f"a trial of {model} ends")
        assert server.events(model) == [*before, "trial", "tried"]
        assert server.process_starts(model) == starts
    server.supply(model)
    _wait(server, lambda: server.is_ready(model) and not _holding(server, model), f"{model} serves")
    assert server.marker_of(model) is None
    tried = [r.result for r in server.journal_of(model) if r.event == "tried"]
    assert tried == ([] if kind.trial_is_load else ["failed", "loaded"])


def supply_broken(server: TorchServe, model: str) -> None:
    """Put in place what a model lacks so that it cannot be imported."""
    module = server.temp / f"{model}_missing.py"
    module.with_suffix(".new").write_text("import no_such_module_anywhere\n")
    module.with_suffix(".new").rename(module)


def _wait(server: TorchServe, condition: Callable[[], object], what: str) -> None:
    server.wait_for(condition, what, timeout=PATIENCE_SEC)


def _holding(server: TorchServe, model: str) -> int:
    """Count the processes of `model` that hold: what each did last, trials left out."""
    last = {}
    for record in server.journal_of(model):
        if record.pid is not None and record.event not in ("trial", "tried"):
            last[record.socket] = record
    return sum(r.event == "hold" and psutil.pid_exists(r.pid or 0) for r in last.values())


def _let_the_window_end(server: TorchServe, model: str) -> None:
    marker = server.marker_of(model)
    assert marker is not None
    if marker.max_retry_timeout_sec == WINDOW_SEC:
        over = max(to_seconds(r.at) for r in server.journal_of(model)) + WINDOW_SEC + 2
        time.sleep(max(0.0, over - time.time()))


def test_versions_of_one_model_are_tried_each_for_itself(server: TorchServe) -> None:
    def states() -> dict[str, str]:
        return {m["version"]: m["state"] for m in server.status() if m["model"] == "many"}

    for version in ("1.0", "2.0"):
        server.register(f"many{version}", name="many")
    _wait(server, lambda: states() == {"1.0": "halted", "2.0": "halted"}, "both are halted")
    time.sleep(WINDOW_SEC + 2)
    server.supply("many1")
    _wait(server, lambda: states() == {"1.0": "serving", "2.0": "halted"}, "one serves")
    server.supply("many2")
    _wait(server, lambda: states() == {"1.0": "serving", "2.0": "serving"}, "both serve")


@pytest.mark.nightly
@pytest.mark.skipif(VERSION < (0, 11), reason="asyncCommunication came with TorchServe 0.11")
def test_an_asynchronous_model_comes_back_though_the_frontend_has_ended_its_last_holder(
    tmp_path: Path,
) -> None:
    """It ends a worker that has not loaded within startupTimeout, and after its window starts none."""
    model_config = f"asyncCommunication: true\nstartupTimeout: 30\n{LATE}"
    pack(tmp_path / "store", "late", asynchronous(LACKING), config=model_config)
    with TorchServe(tmp_path, {"late": "late.mar"}) as server:
        server.wait_for(lambda: server.is_held("late"), "it is held")
        _wait(server, lambda: server.events("late").count("hold") == 2, "another one holds")
        _wait(server, lambda: not server.workers(), "no worker is left")
        time.sleep(5)
        assert not server.workers()
        server.supply("late")
        _wait(server, lambda: server.is_ready("late"), "it serves")
        assert server.predict("late") == (200, "sound")
        assert [r.result for r in server.journal_of("late") if r.event == "tried"] == ["loaded"]


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("config", "model_config"),
    [
        pytest.param({**CPU_LAUNCHER, "use_native_io": "false"}, "", id="cpu-launcher-tcp"),
        pytest.param({"install_py_dep_per_model": "true"}, VENV, id="useVenv"),
    ],
)
def test_a_worker_in_other_surroundings_comes_back(
    tmp_path: Path, config: Mapping[str, str], model_config: str
) -> None:
    kinds = {"inside": Kind(model_config), "late": Kind(model_config + LATE)}
    models = {name: _made(tmp_path / "store", name, kind) for name, kind in kinds.items()}
    with TorchServe(tmp_path, models, config=config, environ=PATH) as server:
        for model, kind in kinds.items():
            comes_back_at_the_second_trial(server, model, kind)
            assert server.predict(model) == (200, "sound")


FUNCTIONS = f"""
{lacks("'prepare'")}


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
        url: sound.mar
    dag:
      prepare: [answer]
"""


def test_a_function_of_a_workflow_comes_back(tmp_path: Path) -> None:
    store = tmp_path / "store"
    pack(store, "sound", SOUND)
    pack_workflow(store, "flow", FUNCTIONS, SPEC)
    with TorchServe(tmp_path, config={"workflow_store": str(store)}) as server:
        server.supply("prepare")
        assert server.call("/workflows?url=flow.war", "POST")[0] == 200
        node = "flow__prepare"
        server.wait_for(lambda: server.is_ready(node), f"{node} serves")
        server.withdraw("prepare")
        for worker in server.call(f"/models/{node}")[1][0]["workers"]:
            psutil.Process(worker["pid"]).kill()
        server.wait_for(lambda: server.is_held(node), f"{node} is held")
        supply_broken(server, "prepare")
        _wait(server, lambda: "tried" in server.events(node), "a trial ends")
        server.supply("prepare")
        asked = ("/wfpredict/flow", "POST", b"x", server.inference)
        _wait(server, lambda: server.call(*asked) == (200, "sound"), "the workflow answers")
        tried = [r.result for r in server.journal_of(node) if r.event == "tried"]
        assert tried == ["failed", "loaded"]


def test_a_retired_model_is_tried_and_gets_its_workers_back(tmp_path: Path) -> None:
    kind = Kind("minWorkers: 2\nmaxWorkers: 2\nretry:\n  onFatal: retire\n", workers=2)
    models = {"retired": _made(tmp_path / "store", "retired", kind)}
    with TorchServe(tmp_path, models) as server:
        pid = str(server.frontend().pid)
        with sidecar(tmp_path / "sidecar", "--pid", pid) as observing:
            observing.wait_for(lambda: observing.states() == {"retired": "retired"}, "it is", 90)
            assert server.predict("retired")[0] == 503
            supply_broken(server, "retired")
            _wait(server, lambda: "tried" in server.events("retired"), "a trial ends")
            assert server.predict("retired")[0] == 503
            server.supply("retired")
            _wait(server, lambda: server.is_ready("retired"), "it serves")
            assert server.predict("retired") == (200, "sound")
            assert len(server.worker_states("retired")) == 2
            observing.wait_for(lambda: observing.states() == {"retired": "serving"}, "it is seen")


#: What nobody knows, until a file is gone.
UNKNOWN = initialize("""
    import os
    if os.path.exists(os.path.join(os.environ["TEMP"], "outage")):
        raise RuntimeError("nobody knows this one")
""")
SOON = {"TS_RETRY_FIRST_TRIAL": "5", "TS_RETRY_LONGEST_TRIAL_INTERVAL": "5"}


@pytest.mark.nightly
def test_shutdown_waits_for_the_end_of_the_window_where_nobody_knows_the_cause(
    tmp_path: Path,
) -> None:
    once = "retry:\n  onFatal: shutdown\n  maxIdenticalFailures: 1\n"
    pack(tmp_path / "store", "passes", UNKNOWN, config=once)
    pack(tmp_path / "store", "stays", initialize("raise RuntimeError('nor this')"),
         config=f"{once}maxRetryTimeoutInSec: 60\n")  # fmt: skip
    (tmp_path / "tmp").mkdir()
    (tmp_path / "tmp" / "outage").write_text("")
    models = {"passes": "passes.mar", "stays": "stays.mar"}
    with TorchServe(tmp_path, models, environ=SOON) as server:
        _wait(server, lambda: "tried" in server.events("passes"), "a trial fails")
        (server.temp / "outage").unlink()
        _wait(server, lambda: server.is_ready("passes"), "it serves")
        assert server.predict("passes") == (200, "sound")
        assert server.process is not None
        assert server.process.wait(PATIENCE_SEC) == 0
        failed = next(r for r in server.journal_of("stays") if r.event == "failure")
        assert time.time() > to_seconds(failed.at) + 60
        assert "'stays'" in server.log().splitlines()[-1]


def test_a_model_that_is_only_observed_gets_no_trials(tmp_path: Path) -> None:
    config = f"{LATE}retry:\n  onFatal: observe\n"
    pack(tmp_path / "store", "observed", LACKING, config=config)
    with TorchServe(tmp_path, {"observed": "observed.mar"}, environ=SOON) as server:
        server.wait_for(lambda: server.ping()[0] == 500, "the window is over")
        server.supply("observed")
        time.sleep(10)
        assert not {"hold", "trial", "tried"}.intersection(server.events("observed"))
        assert server.marker_of("observed") is None


@pytest.mark.skipif(VERSION < (0, 12), reason="there are no sequences before")
def test_a_model_of_sequences_comes_back_though_the_frontend_never_retries_it(
    tmp_path: Path,
) -> None:
    pack(tmp_path / "store", "sequences", LACKING, config=SEQUENCES)
    with TorchServe(tmp_path, {"sequences": "sequences.mar"}) as server:
        server.wait_for(lambda: server.marker_of("sequences"), "it is halted")
        server.supply("sequences")
        server.wait_for(lambda: server.is_ready("sequences"), "it serves", PATIENCE_SEC)
        assert server.retry_waits("sequences") == []

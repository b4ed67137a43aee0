"""A halt ends when its cause does: what an outage took down serves again without a hand."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import Callable, Iterator, NamedTuple

import pytest

from tests.e2e.archives import CANNOT_CONNECT, SOUND, initialize, lay_out, pack
from tests.e2e.torchserve import TorchServe

#: Trials by time are scaled: the contract allows nine loads for an outage of a minute, the default's
#: first trial being due after 10 s.
FIRST_TRIAL_SEC, MOST_LOADS = 5, 9
SETTINGS = {
    "TS_RETRY_FIRST_TRIAL": str(FIRST_TRIAL_SEC),
    "TS_RETRY_LONGEST_TRIAL_INTERVAL": "15",
}
BY_TIME = "its time has come"
#: Seconds for loads and trials where the machine is busy.
BUSY_SEC = 200.0
SHORT_WINDOW = "maxRetryTimeoutInSec: 4\n"
REPAIRED = SOUND.replace("\n    ", "\n")


def during_outage(body: str) -> str:
    """Return the source of a handler whose load runs `body` while the outage lasts, and else serves."""
    lines = "".join(f"    {line}\n" for line in body.strip().splitlines())
    condition = 'import os\nif os.path.exists(os.path.join(os.environ["TEMP"], "outage")):\n'
    return initialize(condition + lines)


class Row(NamedTuple):
    """A model that an outage takes down.

    Attributes:
        handler: its source.
        state: what `status` calls it while the outage lasts.
        why: what the reason of its last trial load begins with.
        config: its configuration.
    """

    handler: str
    state: str
    why: str = BY_TIME
    config: str | None = None


UNKNOWN_TEXT = during_outage("raise RuntimeError('nobody knows this one')")
ROWS = {
    "text": Row(UNKNOWN_TEXT, "waiting"),
    "type": Row(during_outage("raise type('Odd', (Exception,), {})()"), "waiting"),
    "exits": Row(during_outage("os._exit(7)"), "waiting"),
    "mount": Row(
        initialize("import os\nopen(os.path.join(os.environ['TEMP'], 'mount', 'weights')).close()"),
        "waiting",
        "{temp}/mount",
        "retry:\n  firstTrial: 600\n",
    ),
    "package": Row(
        initialize("import installed_later"), "halted", "{packages}/installed_later.py appeared"
    ),
    "lateknown": Row(during_outage(CANNOT_CONNECT), "waiting", config=SHORT_WINDOW),
    "latetext": Row(UNKNOWN_TEXT, "waiting", config=SHORT_WINDOW),
    "latefolder": Row(
        "def handle(data, context)\n", "halted", "latefolder_handler.py was changed", SHORT_WINDOW
    ),
}  # fmt: skip
#: Rows that the others hold most of; each takes half a minute.
NIGHTLY = ("type", "exits", "lateknown")
#: Registered under another name than the archive has.
PACKED_AS = {"latetext": "packed_otherwise"}

pytestmark = [pytest.mark.xdist_group("trials"), pytest.mark.timeout(900)]


class Outage:
    """A server whose models an outage takes down, one after another: the machine may be small."""

    def __init__(self, server: TorchServe, packages: Path) -> None:
        self.server = server
        self.packages = packages

    def take_down(self, model: str) -> None:
        """Register `model` while the outage lasts, and wait until it is down, its window over if short."""
        server, row = self.server, ROWS[model]
        (server.temp / "outage").write_text("")
        (self.packages / "installed_later.py").unlink(missing_ok=True)
        shutil.rmtree(server.temp / "mount", ignore_errors=True)
        shutil.rmtree(server.store / model, ignore_errors=True)
        server.call(f"/models/{model}", "DELETE")  # where the test had a try before
        if model == "latefolder":
            url = os.path.basename(lay_out(server.store / model, model, row.handler, row.config))
        else:
            url = f"{PACKED_AS.get(model, model)}.mar"
        server.register(url, name=model)
        _wait(server, lambda: server.marker_of(model), f"{model} is marked")
        if row.why == BY_TIME:
            _wait(server, lambda: "tried" in server.events(model), f"a trial of {model} has failed")
        elif row.config == SHORT_WINDOW:
            _wait(server, lambda: server.ping()[0] == 500, "its window is over")

    def end(self) -> None:
        """Let the outage be over everywhere."""
        server = self.server
        (server.temp / "outage").unlink()
        (server.temp / "mount").mkdir()
        (server.temp / "mount" / "weights").write_text("")
        (self.packages / "installed_later.py").write_text("")
        folder = server.store / "latefolder"
        if folder.is_dir():
            (folder / "latefolder_handler.py").write_text(REPAIRED)


def _wait(server: TorchServe, condition: Callable[[], object], what: str) -> None:
    server.wait_for(condition, what, timeout=BUSY_SEC)


@pytest.fixture(scope="module")
def outage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outage]:
    root = tmp_path_factory.mktemp("trials")
    packages = root / "packages"
    packages.mkdir()
    for name, row in ROWS.items():
        if name != "latefolder":
            pack(root / "store", PACKED_AS.get(name, name), row.handler, config=row.config)
    pack(root / "store", "name", initialize("no_such_name"))
    pack(root / "store", "killed", _killed(4))
    environ = {**SETTINGS, "PYTHONPATH": str(packages)}
    with TorchServe(root, environ=environ) as server:
        yield Outage(server, packages)


def _killed(times: int) -> str:
    """Return the source of a handler that is killed in its first loads, as for lack of memory."""
    return initialize(f"""
        import os, signal
        with open(os.path.join(os.environ["TEMP"], "kills"), "a") as kills:
            kills.write("x")
            kills.flush()
            if kills.tell() <= {times}:
                os.kill(os.getpid(), signal.SIGKILL)
    """)


@pytest.mark.parametrize(
    "model", [pytest.param(name, marks=[pytest.mark.nightly] * (name in NIGHTLY)) for name in ROWS]
)
def test_a_model_serves_again_by_itself_when_its_outage_is_over(outage: Outage, model: str) -> None:
    server = outage.server
    outage.take_down(model)
    states = {told["model"]: told["state"] for told in server.status()}
    outage.end()
    _wait(server, lambda: server.is_ready(model), f"{model} serves")
    assert server.predict(model) == (200, "sound")
    assert server.marker_of(model) is None
    assert states[model] == ROWS[model].state
    trials = [r.reason or "" for r in server.journal_of(model) if r.event == "trial"]
    assert trials[-1].startswith(ROWS[model].why.format(temp=server.temp, packages=outage.packages))
    events = server.events(model)
    assert events.count("load") + events.count("trial") <= MOST_LOADS
    server.call(f"/models/{model}", "DELETE")


def test_a_worker_that_is_killed_in_its_first_four_loads_serves(outage: Outage) -> None:
    server = outage.server
    server.register("killed.mar")
    _wait(server, lambda: server.is_ready("killed"), "killed serves")
    events = server.events("killed")
    # The fourth kill is that of a trial; the next trial loads it, and so does the worker.
    assert (events.count("load"), events.count("trial")) == (4, 2)


def test_a_name_that_is_not_defined_is_loaded_once_and_never_tried_by_time(outage: Outage) -> None:
    server = outage.server
    server.register("name.mar")
    server.wait_for(lambda: server.is_held("name"), "it is held")
    time.sleep(2 * FIRST_TRIAL_SEC)
    assert server.events("name") == ["start", "load", "failure", "hold"]
    marker = server.marker_of("name")
    assert marker is not None
    assert marker.next_trial_at is None
    assert [told["state"] for told in server.status() if told["model"] == "name"] == ["halted"]


@pytest.mark.parametrize(
    "config",
    [
        pytest.param(None, id="inside", marks=pytest.mark.nightly),
        pytest.param(SHORT_WINDOW, id="after"),
    ],
)
def test_the_frontend_sees_nothing_of_trials_that_fail(tmp_path: Path, config: str | None) -> None:
    pack(tmp_path / "store", "hopeless", initialize("raise RuntimeError('nobody knows this one')"),
         config=config)  # fmt: skip
    environ = {"TS_RETRY_FIRST_TRIAL": "3", "TS_RETRY_LONGEST_TRIAL_INTERVAL": "3"}
    healthy = config is None
    with TorchServe(tmp_path, {"hopeless": "hopeless.mar"}, environ=environ) as server:
        _wait(server, lambda: "tried" in server.events("hopeless"), "a trial has failed")
        server.wait_for(lambda: (server.ping()[0] == 200) is healthy, "the window is as it is")
        tried = server.events("hopeless").count("tried")
        seen = _seen_of(server)
        for number in range(1, 4):
            _wait(
                server,
                lambda number=number: server.events("hopeless").count("tried") == tried + number,  # type: ignore[misc]
                "another trial has failed",
            )
            assert _seen_of(server) == seen
        failed = [r for r in server.journal_of("hopeless") if r.event == "tried"]
        assert {(r.result, r.exception and r.exception.message) for r in failed} == {
            ("failed", "nobody knows this one")
        }


def _seen_of(server: TorchServe) -> tuple[object, ...]:
    """Return what the frontend shows of a model: by its log, by describe, and by `/ping`."""
    code, body = server.call("/models/hopeless")
    for worker in body[0]["workers"]:
        worker.pop("memoryUsage", None)  # measured anew each minute
    ignored = ("ACCESS_LOG", "TS_METRICS", "MODEL_LOG - ts-retry: ")  # the last: a holder's words
    lines = server.lines_of("hopeless").splitlines()
    own = [line for line in lines if not any(word in line for word in ignored)]
    return (code, body, server.ping(), own, server.launches("hopeless"))

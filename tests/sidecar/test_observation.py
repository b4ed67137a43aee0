"""Pictures of observations: data in, data out, without a server, a file or a clock."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.cli.servers import frontend
from tests.frontend.api import described
from tests.sidecar.sidecars import sidecar
from tests.snapshot.writing import START, failure, marker, record, write_journal
from ts_retry_ext.frontend.condition import Condition
from ts_retry_ext.frontend.process import FrontendId, start_of
from ts_retry_ext.frontend.running_model import running_model
from ts_retry_ext.frontend.server_configuration import ServerConfiguration
from ts_retry_ext.sidecar.observation import Observation, StartUp, picture_of
from ts_retry_ext.sidecar.picture import FrontendHealth, Picture
from ts_retry_ext.snapshot.join import status_of
from ts_retry_ext.snapshot.model import ModelStatus, WindowInForce
from ts_retry_ext.snapshot.observed_server import ObservedServer
from ts_retry_ext.snapshot.registration_files import read_registration
from ts_retry_ext.snapshot.state import State
from ts_retry_ext.store.marker import write_marker
from ts_retry_ext.store.record import Event, Record

CONFIGURATION = ServerConfiguration("/", None, {}, "/logs", {}, problems=("a file is missing",))
SERVING = running_model(described("m"), "1.0")
SEEN = Observation(
    ObservedServer(FrontendId(7, "boot-1", 0.0), CONFIGURATION, ()),
    is_there=True,
    has_state_dir=True,
    registrations=(),
    health=FrontendHealth(Condition.OK, None, "Healthy"),
    torchserve="0.12.0",
    running=(SERVING,),
    last_known=(SERVING,),
    windows={("m", "1.0"): WindowInForce(20, "model-config")},
    rows=(),
)
AWAY = FrontendHealth(Condition.AWAY, "nobody answers")


def picture(seen: Observation) -> Picture:
    return picture_of(seen, number=3, now=0.0, died_by=lambda pid, start: None)


def test_what_the_frontend_has_is_shown_with_its_windows() -> None:
    made = picture(SEEN)
    (model,) = made.models
    assert (made.number, model.key, model.state) == (3, ("m", "1.0"), State.SERVING)
    assert (model.max_retry_timeout_sec, made.ping()) == (20, (True, {"status": "Healthy"}))
    assert made.snapshot.server is not None
    assert vars(made.snapshot.server) == {
        "pid": 7,
        "running": True,
        "torchserve": "0.12.0",
        "management": "http://127.0.0.1:8081",
    }
    assert made.snapshot.problems == ("a file is missing",)


@pytest.mark.parametrize(
    ("sees_processes", "is_there", "health", "runs"),
    [
        (True, True, AWAY, True),
        (True, False, AWAY, False),
        (False, True, AWAY, False),
        (False, True, FrontendHealth(Condition.STARTING, "not asked"), False),
        (False, True, FrontendHealth(Condition.GARBAGE, "no JSON"), True),
        (False, True, SEEN.health, True),
    ],
)
def test_server_that_cannot_be_seen_has_to_answer_to_be_running(
    sees_processes: bool, is_there: bool, health: FrontendHealth, runs: bool
) -> None:
    server = SEEN.server._replace(sees_processes=sees_processes)
    made = picture(SEEN._replace(server=server, is_there=is_there, health=health))
    assert made.snapshot.server is not None
    assert made.snapshot.server.running is runs


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        (SEEN._replace(running=None), "its workers wrote nothing"),
        (SEEN._replace(running=None, has_state_dir=False), "there is no state directory"),
        (SEEN._replace(running=None, is_there=False, health=AWAY), "the server does not run"),
        (SEEN._replace(running=(SERVING._replace(workers=()),)), "it has no workers"),
    ],
)
def test_why_a_state_cannot_be_told_is_among_the_problems(seen: Observation, why: str) -> None:
    made = picture(seen)
    assert [model.state for model in made.models] == [State.UNKNOWN]
    assert why in made.why_unknown["m", "1.0"]
    assert any(why in problem for problem in made.models_json()["problems"])


def test_windows_that_are_known_by_markers_only_are_rows_once_the_frontend_was_asked() -> None:
    silent = SEEN._replace(running=None, health=AWAY)
    (row,) = picture(silent).effective
    assert (row.model, row.max_retry_timeout_sec, row.source) == ("m", 20, "model-config")
    starting = FrontendHealth(Condition.STARTING, "not asked")
    assert picture(silent._replace(health=starting)).effective == ()


LOADS = [{"id": "9000", "status": "UNLOADING", "pid": 1}]
READY = [{"id": "9000", "status": "READY", "pid": 1}]
SUMMARY = Record(Event.SUMMARY, "2020-09-13T12:26:40.000Z", counts={"loaded": 1})


def status(folder: Path, *records: Record, default: str = "1.0", **changes: Any) -> ModelStatus:
    registration = None
    if records:
        registration = read_registration(str(write_journal(folder, *records)))
    model = running_model(described(**{"workers": LOADS, **changes}), default)
    return status_of(
        model,
        registration,
        WindowInForce(300, "default"),
        now=START + 1,
        died_by=lambda pid, start: None,
    )


@pytest.mark.parametrize(
    ("records", "changes", "waits"),
    [
        ((), {}, True),
        ((record(Event.START, 0),), {}, True),
        ((failure(0),), {}, True),
        ((), {"workers": READY}, False),
        ((record(Event.LOADED, 0), failure(1)), {}, False),
        ((SUMMARY, failure(1)), {}, False),
        ((), {"loadedAtStartup": False}, False),
        ((), {"minWorkers": 0, "workers": []}, False),
        ((), {"default": "2.0"}, False),
    ],
    ids=["nothing yet", "loads", "failed", "ready", "served before", "served long before",
         "registered later", "no workers wanted", "not the default version"],
)  # fmt: skip
def test_start_is_over_when_each_model_of_it_has_served(
    tmp_path: Path, records: tuple[Record, ...], changes: dict[str, Any], waits: bool
) -> None:
    model = status(tmp_path / "m", *records, **changes)
    assert StartUp().waits_for([model]) == ((model,) if waits else ())


def test_what_loads_after_the_start_does_not_bring_it_back(tmp_path: Path) -> None:
    start_up = StartUp()
    assert start_up.waits_for([status(tmp_path / "m", workers=READY)]) == ()
    assert start_up.waits_for([status(tmp_path / "n")]) == ()


def test_model_that_is_halted_at_its_first_load_is_waited_for_after_it_was_resumed(
    tmp_path: Path,
) -> None:
    start_up = StartUp()
    write_journal(tmp_path / "m", failure(0))
    write_marker(str(tmp_path / "m"), marker(action="reject"))
    halted = status(tmp_path / "m", failure(0), record(Event.HOLD, 1), workers=READY)
    assert halted.is_down
    assert start_up.waits_for([halted]) == (halted,)
    (tmp_path / "m" / "marker.json").unlink()
    assert start_up.waits_for([status(tmp_path / "m", failure(0))])
    assert not start_up.waits_for([status(tmp_path / "m", failure(0), workers=READY)])


def test_server_that_starts_is_not_ready_and_says_for_which_model(tmp_path: Path) -> None:
    with frontend(tmp_path / "run") as server:
        server.api.answers["GET /ping"] = {"status": "Healthy"}
        server.register(described("m", workers=LOADS), described("n"))
        loads = record(Event.START, 0, os.getpid(), start=start_of(os.getpid()))
        folder = write_journal(server.kept / "m", loads)
        options = ("--pid", str(server.pid), "--inference", server.api.address)
        with sidecar(tmp_path / "sidecar", *options) as observing:
            observing.wait_for(lambda: observing.ask("/ping").status == 200, "it is seen")
            answer = observing.ask("/readyz")
            assert (answer.status, answer.json()["status"]) == (503, "starting")
            assert [told["model"] for told in answer.json()["starting"]] == ["m"]
            assert observing.ask("/readyz?model=m").status == 503
            assert observing.ask("/readyz?model=n").status == 200
            server.register(described("m"), described("n"))
            observing.wait_for(lambda: observing.ask("/readyz").status == 200, "it is ready", 60)
            server.register(described("m", workers=LOADS), described("n"))
            # A word of one of its workers makes the sidecar ask for that model.
            write_journal(folder, loads, loads)
            observing.wait_for(lambda: observing.states()["m"] != "serving", "it loads anew", 60)
            assert observing.ask("/readyz").status == 200

"""Pictures of observations: data in, data out, without a server, a file or a clock."""

from __future__ import annotations

import pytest

from tests.frontend.api import described
from ts_retry_ext.frontend.condition import Condition
from ts_retry_ext.frontend.process import FrontendId
from ts_retry_ext.frontend.running_model import running_model
from ts_retry_ext.frontend.server_configuration import ServerConfiguration
from ts_retry_ext.sidecar.observation import Observation, picture_of
from ts_retry_ext.sidecar.picture import FrontendHealth, Picture
from ts_retry_ext.snapshot.model import WindowInForce
from ts_retry_ext.snapshot.observed_server import ObservedServer
from ts_retry_ext.snapshot.state import State

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

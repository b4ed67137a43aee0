"""Whatever the frontend does, the sidecar stays up, says so, and recovers by itself."""

from __future__ import annotations

import json
import os
import signal
import time
from functools import partial
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

from tests.cli.servers import Frontend, described, frontend
from tests.sidecar.sidecars import AT_ONCE_SEC, Sidecar, sidecar
from tests.snapshot.writing import failure, hold, record, write_journal
from ts_retry_ext.store.marker import remove_marker
from ts_retry_ext.store.record import Event

TOKEN_REFUSED = (
    400,
    {
        "code": 400,
        "type": "InvalidKeyException",
        "message": "Token Authorization failed. Token either incorrect, expired, or not provided correctly",
    },
)
HTTP_401 = (401, {"code": 401, "type": "UnauthorizedException", "message": "who are you?"})
HTTP_500 = (500, {"code": 500, "type": "InternalServerException", "message": "no idea"})


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Frontend]:
    with frontend(tmp_path / "run") as running:
        entry = described("m")
        running.register(entry)
        running.api.answers["GET /ping"] = {"status": "Healthy"}
        write_journal(running.kept / "m-0", record(Event.LOADED, 0, pid=77))
        yield running


@pytest.fixture
def observing(server: Frontend, tmp_path: Path) -> Iterator[Sidecar]:
    options = ("--pid", str(server.pid), "--inference", server.api.address)
    with sidecar(tmp_path / "sidecar", *options) as running:
        running.wait_for(lambda: running.ask("/ping").status == 200, "all is well")
        yield running


def condition(observing: Sidecar) -> str:
    lines = observing.ask("/metrics").text.splitlines()
    (line,) = (line for line in lines if line.startswith("ts_retry_frontend_condition{"))
    return line.split('"')[1]


def is_seen_at_once(server: Frontend, observing: Sidecar) -> bool:
    """Tell whether a halt is seen at once all the same, and its end too."""
    folder = str(server.kept / "m-0")
    hold(server.kept / "m-0", 77)
    took = observing.wait_for(lambda: "halted" in observing.ask("/ping").json(), "the halt is seen")
    remove_marker(folder)
    observing.wait_for(lambda: "halted" not in observing.ask("/ping").json(), "its end is seen")
    return took < AT_ONCE_SEC


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (TOKEN_REFUSED, "refused"),
        (HTTP_401, "refused"),
        (HTTP_500, "garbage"),
        (b"<html>some proxy</html>", "garbage"),
        ([1, 2], "garbage"),
        ({"models": "none"}, "garbage"),
    ],
    ids=["400-token", "401", "500", "html", "list", "other-form"],
)
def test_frontend_that_answers_wrongly_is_named_and_followed_again(
    server: Frontend, observing: Sidecar, answer: Any, expected: str
) -> None:
    good = dict(server.api.answers)
    server.api.answers["GET /models"] = answer
    server.api.answers["GET /models/m/all"] = answer
    # A word of one of its workers makes the sidecar ask for that model at once.
    os.utime(server.kept / "m-0" / "journal.jsonl")
    observing.wait_for(lambda: condition(observing) == expected, "it is named", 60)
    assert observing.ask("/models").json()["problems"]
    assert observing.states() == {"m": "serving"}
    assert is_seen_at_once(server, observing)
    server.api.answers.update(good)
    observing.wait_for(lambda: condition(observing) == "ok", "it is followed again")
    assert observing.ask("/ping").status == 200


def test_slow_frontend_is_named_and_halts_are_seen_at_once(
    server: Frontend, observing: Sidecar
) -> None:
    good = dict(server.api.answers)

    def late(content: Any) -> Callable[[str | None], Any]:
        def answer(_: str | None) -> Any:
            time.sleep(5)
            return content

        return answer

    server.api.answers.update({asked: late(content) for asked, content in good.items()})
    observing.wait_for(lambda: condition(observing) == "slow", "it is named", 60)
    assert "the frontend took 5." in observing.ask("/models").json()["problems"][0]
    assert is_seen_at_once(server, observing)
    begun = time.monotonic()
    assert observing.ask("/livez").status == 200
    assert time.monotonic() - begun < AT_ONCE_SEC
    server.api.answers.update(good)
    observing.wait_for(lambda: condition(observing) == "ok", "it is followed again", 60)


def test_model_past_its_window_stays_waiting_while_the_frontend_does_not_answer(
    server: Frontend, observing: Sidecar
) -> None:
    waiting = {"id": "9000", "status": "UNLOADING", "pid": 77}
    server.register(described("m", workers=[waiting], maxRetryTimeoutInSec=20))
    retried = record(Event.START, 1, pid=78)
    write_journal(server.kept / "m-0", failure(0, 77), retried, failure(25, 78))
    observing.wait_for(lambda: observing.states() == {"m": "waiting"}, "its window is over", 60)
    server.api.answers["GET /models"] = server.api.answers["GET /models/m/all"] = HTTP_500
    os.utime(server.kept / "m-0" / "journal.jsonl")
    observing.wait_for(lambda: condition(observing) == "garbage", "it is named", 60)
    assert observing.states() == {"m": "waiting"}
    write_journal(server.kept / "m-0", failure(0, 77), retried, failure(15, 78))
    observing.wait_for(lambda: observing.states() == {"m": "recovering"}, "it is read anew")


def test_server_that_is_gone_is_away_and_its_halted_models_stay_known(
    server: Frontend, observing: Sidecar
) -> None:
    hold(server.kept / "m-0", 77)
    observing.wait_for(lambda: observing.states() == {"m": "halted"}, "the halt is seen")
    os.kill(server.pid, signal.SIGKILL)
    observing.wait_for(lambda: condition(observing) == "away", "it is named")
    assert observing.ask("/models").json()["server"]["running"] is False
    assert observing.states() == {"m": "halted"}
    assert observing.ask("/livez").status == 200


def test_sidecar_waits_for_a_server_and_follows_the_next_run(tmp_path: Path) -> None:
    config = tmp_path / "run" / "config.properties"
    config.parent.mkdir()
    config.touch()
    with sidecar(tmp_path / "sidecar", "--ts-config", str(config)) as observing:
        assert observing.ask("/ping").status == 500
        assert observing.ask("/readyz").status == 503
        known = observing.ask("/models").json()["server"]
        assert known is None or known["running"] is False
        for _ in range(2):
            with frontend(tmp_path / "run") as server:
                server.register(described("m"))
                expected: dict[str, object] = {"pid": server.pid, "running": True}
                observing.wait_for(partial(_observes, observing, expected), "it is found")
                observing.wait_for(lambda: "m" in observing.states(), "its model is known")


def test_server_whose_process_cannot_be_seen_is_known_by_its_state_and_address(
    server: Frontend, tmp_path: Path
) -> None:
    state = tmp_path / "volume"
    run = state / "server-7-1"
    run.mkdir(parents=True)
    (run / "server.json").write_text(
        json.dumps(
            {
                "schema": 1,
                "pid": 7,
                "start": "1",
                "started_at": 0.01,
                "config_file": None,
                "cwd": "/elsewhere",
                "management_address": "http://127.0.0.1:1",
                "torchserve": "0.12.0",
            }
        )
    )
    write_journal(run / "m-0", record(Event.LOADED, 0, pid=77))
    address = server.api.address.replace("127.0.0.1", "localhost")
    options = ("--state-dir", str(state), "--management", address, "--inference", address)
    with sidecar(tmp_path / "other", *options) as observing:
        observing.wait_for(lambda: observing.ask("/ping").status == 200, "all is well")
        assert observing.states() == {"m": "serving"}
        hold(run / "m-0", 77)
        took = observing.wait_for(lambda: observing.ask("/ping").status == 500, "the halt is seen")
        assert took < AT_ONCE_SEC


def test_expired_key_that_is_not_renewed_is_a_state_of_its_own(
    server: Frontend, tmp_path: Path
) -> None:
    keys = tmp_path / "key_file.json"
    past = "2020-01-01T00:00:00Z"
    secret = "secretManagementKey"
    keys.write_text(
        json.dumps(
            {
                "management": {"key": secret, "expiration time": past},
                "inference": {"key": "i", "expiration time": past},
                "API": {"key": "a"},
            }
        )
    )
    options = ("--pid", str(server.pid), "--inference", server.api.address)
    with sidecar(tmp_path / "sidecar", *options, "--key-file", str(keys)) as observing:
        observing.wait_for(lambda: condition(observing) == "expired-key", "it is named")
        assert "has expired" in observing.ask("/").text
        fresh = json.loads(keys.read_text())
        for name in ("management", "inference"):
            fresh[name]["expiration time"] = "2100-01-01T00:00:00Z"
        keys.write_text(json.dumps(fresh))
        observing.wait_for(lambda: condition(observing) == "ok", "the new key is read")
        assert server.api.keys[-1] is not None
        everything = observing.log() + observing.ask("/").text + observing.ask("/models").text
        assert secret not in everything


def _observes(observing: Sidecar, expected: dict[str, object]) -> bool:
    server = observing.ask("/models").json()["server"] or {}
    return expected.items() <= server.items()

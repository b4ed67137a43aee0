"""The log of the sidecar tells what became of each model, a line for each step."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from tests.snapshot.test_model import status
from tests.snapshot.writing import START, failure, marker, record
from ts_retry_ext.frontend.condition import Condition
from ts_retry_ext.sidecar.own_log import JsonFormatter, Story, log_to
from ts_retry_ext.sidecar.picture import FrontendHealth, Picture
from ts_retry_ext.snapshot.model import ModelStatus
from ts_retry_ext.snapshot.server_snapshot import Snapshot
from ts_retry_ext.snapshot.state import State
from ts_retry_ext.store.record import Event, TrialResult

TRIED = failure(95)._replace(event=Event.TRIED, result=TrialResult.FAILED)


def picture(*models: ModelStatus) -> Picture:
    health = FrontendHealth(Condition.OK)
    return Picture(1, START + 100, Snapshot(None, models), (), health)


def steps() -> list[Picture]:
    waits = marker(waits_for=("files", "time"))
    trial = record(Event.TRIAL, 90)
    return [
        picture(status(failure(1))),
        picture(status(failure(1), stops=waits, state=State.WAITING)),
        picture(status(failure(1), stops=waits, state=State.WAITING)),
        picture(),
        picture(status(failure(1), trial, TRIED, stops=waits, state=State.WAITING)),
        picture(status(failure(1), state=State.SERVING)),
        picture(status(failure(1), state=State.SERVING)),
    ]


def test_each_step_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    story = Story()
    with caplog.at_level(logging.INFO):
        for one in steps():
            story.go_on(one)
    first, trial, last = (entry.getMessage() for entry in caplog.records)
    model = steps()[1].models[0]
    assert first.startswith(f"{model.model} {model.version} is waiting: {model.cause}; ")
    assert "trial load 1, which failed at " in trial
    assert last == f"{model.model} {model.version} serves again"


def test_a_line_is_an_object_with_the_facts_where_json_is_asked_for(
    caplog: pytest.LogCaptureFixture,
) -> None:
    story = Story()
    with caplog.at_level(logging.INFO):
        for one in steps():
            story.go_on(one)
    told = [json.loads(JsonFormatter().format(entry)) for entry in caplog.records]
    assert [entry["event"] for entry in told] == ["waiting", "trial", "recovered"]
    assert {"time", "level", "message", "model", "version", "fingerprint"} <= set(told[0])
    assert (told[0]["level"], told[0]["time"][-1]) == ("warning", "Z")


def test_a_log_file_is_begun_anew_when_it_is_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ts_retry_ext.sidecar.own_log.MAX_LOG_BYTES", 1000)
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(root, "level", root.level)
    log_to("text", str(tmp_path / "sidecar.log"))
    for _ in range(100):
        logging.getLogger("x").warning("a line of the log")
    root.handlers[0].close()
    assert {path.name for path in tmp_path.iterdir()} == {
        "sidecar.log",
        "sidecar.log.1",
        "sidecar.log.2",
    }
    assert all(path.stat().st_size <= 1000 for path in tmp_path.iterdir())

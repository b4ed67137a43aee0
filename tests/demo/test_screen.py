from __future__ import annotations

import io

import pytest

from ts_retry_ext.demo import screen as module
from ts_retry_ext.demo.model_progress import ModelProgress
from ts_retry_ext.demo.screen import PlainScreen
from ts_retry_ext.snapshot.state import State

FAILED = ModelProgress("m", State.RECOVERING, 1, 1, "load 1 failed", "ValueError: no")


def lines(stream: io.StringIO) -> list[str]:
    return [line.split("s  ", 1)[1] for line in stream.getvalue().splitlines()]


def test_each_news_is_printed_once_and_a_cause_only_when_it_changes() -> None:
    stream = io.StringIO()
    screen = PlainScreen(stream)
    screen.step("watching")
    starting = ModelProgress("m", State.STARTING, 1, 0, "starts a worker")
    held = ModelProgress("m", State.HALTED, 2, 1, "held", "ValueError: no", is_settled=True)
    for progress in (starting, FAILED, FAILED, starting, held):
        screen.show([progress])
        screen.tick()
    assert lines(stream) == ["watching", "m: load 1 failed: ValueError: no", "m: held"]


def test_it_is_never_silent_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "QUIET_SEC", 0.0)
    stream = io.StringIO()
    screen = PlainScreen(stream)
    screen.step("packing")
    screen.tick()
    screen.show([FAILED])
    screen.tick()
    assert lines(stream)[1] == "still packing"
    assert lines(stream)[-1] == "still waiting for m"

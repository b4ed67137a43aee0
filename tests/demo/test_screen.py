from __future__ import annotations

import io
import time

import pytest
from rich.console import Console

from ts_retry_ext.demo import screen as module
from ts_retry_ext.demo.model_progress import ModelProgress
from ts_retry_ext.demo.screen import LiveScreen, PlainScreen
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


@pytest.mark.parametrize("width", [80, 120])
def test_a_terminal_shows_each_model_in_one_line(width: int) -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=width, color_system=None)
    screen = LiveScreen(console)
    cause = "RuntimeError: " + "size mismatch " * 20
    waits = ModelProgress("w", State.RECOVERING, 1, 1, "failed", "OSError: no", time.time() + 2.6)
    try:
        screen.step("watching")
        screen.show([ModelProgress("m", State.HALTED, 2, 1, "held", cause, is_settled=True), waits])
        shown = console.render_lines(screen._render())
    finally:
        screen.close()
    text = ["".join(segment.text for segment in line) for line in shown]
    assert len(text) == 4
    assert all(len(line) <= width for line in text)
    assert text[2].split()[:5] == ["m", "2", "1", "held:", "RuntimeError:"]
    assert text[3].split()[3:6] == ["retry", "in", "3"] or text[3].split()[3:6] == [
        "retry",
        "in",
        "2",
    ]
    assert "watching" in stream.getvalue()

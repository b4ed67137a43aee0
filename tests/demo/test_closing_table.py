from __future__ import annotations

from dataclasses import replace

import pytest

from ts_retry_ext.archive.schedule import Schedule
from ts_retry_ext.demo.closing_table import closing_lines, table_lines
from ts_retry_ext.demo.demo_outcome import RETRYING, DemoOutcome

HELD = DemoOutcome(
    model="syntax_error_in_import",
    outcome="halted",
    loads=1,
    worker_starts=2,
    verdict="non_recoverable",
    basis="rule",
    rule="syntax-error",
    cause="SyntaxError: expected ':' (scaling.py, line 4) " + "and more words " * 8,
    reason=None,
    remedy=None,
    max_retry_timeout_sec=300,
    max_retry_timeout_source="default",
    stock=Schedule(12, 376.0),
    prediction=None,
    outlasts_window=False,
    as_expected=True,
)
CURED = replace(
    HELD, model="flaky", outcome="serving", loads=4, worker_starts=4, verdict="recoverable",
    rule="connection-refused", cause="ConnectionRefusedError: [Errno 111] refused",
    stock=Schedule(3, 4.0), prediction='{"loads": 4}',
)  # fmt: skip
SOUND = replace(
    HELD, model="sound", outcome="serving", worker_starts=1, verdict=None, rule=None, cause=None,
    stock=Schedule(0, None), prediction='{"digit": 7}',
)  # fmt: skip


def table(*results: DemoOutcome, width: int = 80) -> list[str]:
    return [line.plain for line in table_lines(results, width)]


def closing(*results: DemoOutcome, watched_sec: float | None = None) -> str:
    lines = closing_lines(results, seconds=41.2, watched_sec=watched_sec, width=80)
    return " ".join(line.plain for line in lines)


@pytest.mark.parametrize("width", [80, 120])
def test_no_line_is_wider_than_the_terminal_and_no_word_is_lost(width: int) -> None:
    lines = table(HELD, CURED, SOUND, width=width)
    assert max(map(len, lines)) <= width
    for result in (HELD, CURED):
        assert str(result.cause).strip() in " ".join(" ".join(lines).split())


def test_a_row_shows_figures_and_below_them_the_words() -> None:
    lines = table(CURED, SOUND)
    assert lines[0].split() == ["MODEL", "OUTCOME", "LOADS", "STARTS", "WINDOW", "STOCK", "RETRIES"]
    assert lines[1].split() == [
        "flaky",
        "serving",
        "4",
        "4",
        "300",
        "s",
        "3,",
        "last",
        "at",
        "+4",
        "s",
    ]
    assert lines[2].startswith("    recoverable (connection-refused): ConnectionRefusedError")
    assert lines[-1] == '    a prediction answers {"digit": 7}'


def test_control_characters_are_shown_not_obeyed() -> None:
    assert "\\x1b[2J" in table(replace(SOUND, prediction="\x1b[2J"))[-1]


def test_the_end_counts_what_was_spared() -> None:
    late = replace(CURED, model="late", outlasts_window=True, max_retry_timeout_sec=2)
    text = closing(HELD, replace(HELD, outcome="waiting", loads=3), CURED, late, SOUND)
    assert "2 of 5 models do not load. They were loaded 4 times in all;" in text
    assert "TorchServe alone would load them 26 times, the last time 376 s or more" in text
    assert "flaky was left to TorchServe's own retries, and serves after 4 loads." in text
    assert "late was tried after TorchServe's window of 2 s, and serves after 4 loads." in text
    assert "1 wait for a change, 1 for their next trial load" in text
    assert "It took 41 s." in text
    assert "NOT AS EXPECTED" not in text


def test_what_went_wrong_is_named_at_the_end() -> None:
    assert "NOT AS EXPECTED: sound." in closing(HELD, replace(SOUND, as_expected=False))


def test_with_the_package_off_the_end_says_that_it_goes_on() -> None:
    retried = replace(HELD, outcome=RETRYING, worker_starts=6, verdict=None, rule=None)
    text = closing(retried, SOUND, watched_sec=30.4)
    assert "In the 30 s that were watched TorchServe started 6 workers for 1 models" in text
    assert "gone on until 376 s" in text

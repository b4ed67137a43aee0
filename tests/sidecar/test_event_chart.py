from __future__ import annotations

from tests.snapshot.writing import failure, record
from ts_retry_ext.sidecar.event_chart import MOST_TICKS, EventChart, chart_of
from ts_retry_ext.snapshot.attempts import attempts_of
from ts_retry_ext.store.record import Event, Record, TrialResult

NOW = 1_600_000_000.0


def line_of(*records: Record) -> EventChart:
    found = chart_of(attempts_of(records), NOW)
    assert found is not None
    return found


def test_nothing_makes_no_picture() -> None:
    assert chart_of((), NOW) is None


def test_each_load_is_a_bar_that_ends_as_the_load_did() -> None:
    line = line_of(
        record(Event.START, 0, pid=1),
        record(Event.LOAD, 8, pid=1),
        failure(10, pid=1),
        record(Event.START, 20, pid=2),
        record(Event.LOADED, 100, pid=2),
    )

    assert [(bar.kind, bar.lane) for bar in line.bars] == [("failed", 0), ("loaded", 0)]
    first, second = line.bars
    assert (first.x, first.width) == (1.0, 9.7)
    assert (second.x, round(second.x + second.width, 2)) == (20.4, 98.0)
    assert [mark.kind for mark in line.marks] == ["failed", "loaded"]
    assert line.legend == [("failed", "load failed"), ("loaded", "loaded")]
    assert line.lanes == [(0, "loads")]


def test_holding_lasts_until_it_is_resumed_and_trials_have_a_lane_of_their_own() -> None:
    tried = failure(30, pid=2)._replace(event=Event.TRIED, result=TrialResult.LATE)
    line = line_of(
        record(Event.HOLD, 0, pid=2),
        record(Event.HOLD, 0, pid=3),
        record(Event.TRIAL, 20, pid=2),
        tried,
        record(Event.RESUME, 50)._replace(pid=None),
        record(Event.START, 100, pid=4),
    )

    bars = sorted(line.bars, key=lambda bar: (bar.lane, bar.x))
    assert [(bar.lane, bar.kind) for bar in bars] == [
        (0, "open"),
        (1, "failed"),
        (2, "hold"),
        (2, "hold"),
    ]
    assert [round(bar.x + bar.width) for bar in bars if bar.lane == 2] == [50, 50]
    assert [name for _, name in line.lanes] == ["loads", "trial loads", "holding"]
    assert "1 times load failed" in line.words


def test_axis_has_few_ticks_however_long_it_is() -> None:
    for span in (0.4, 3, 61, 376, 7_000, 90_000, 3e7):
        line = line_of(record(Event.START, 0), record(Event.LOADED, span))
        assert 1 <= len(line.ticks) <= MOST_TICKS + 1
        assert all(0 <= x <= 98 for x, _ in line.ticks)
        assert line.ticks[0][1] == "0"


def test_times_that_go_back_stay_on_the_picture() -> None:
    line = line_of(record(Event.START, 50), failure(10), record(Event.START, 20, pid=2))
    assert all(0 <= mark.x <= 98 for mark in line.marks)

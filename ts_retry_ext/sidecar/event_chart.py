"""What a model's workers did, as a picture with an axis: where each thing stands on it. Pure."""

from __future__ import annotations

from typing import NamedTuple, Sequence

from ts_retry_ext.plain_text import duration_in_words
from ts_retry_ext.snapshot.attempts import TimelineEntry
from ts_retry_ext.snapshot.down_in_words import local_time
from ts_retry_ext.store.record import Event

#: Lanes from above, and which events stand in each.
LANES = ("loads", "trial loads", "holding")
_LANE_OF = {
    Event.TRIAL.value: 1,
    Event.TRIED.value: 1,
    Event.HOLD.value: 2,
    Event.RELEASE.value: 2,
    Event.RESUME.value: 2,
}
#: What begins something that lasts, and what ends it.
_BEGINS = {Event.START.value: 0, Event.TRIAL.value: 1, Event.HOLD.value: 2}
#: Kinds of marks with a word for the legend; other events have no mark.
LEGEND = (
    ("failed", "load failed"),
    ("loaded", "loaded"),
    ("hold", "begins to hold"),
    ("resume", "resumed"),
)
_FAILED = ("failure", "crash", "tried failed", "tried late", "tried error")
#: Steps of the axis in seconds: the first that makes at most `MOST_TICKS`.
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 43200, 86400)
MOST_TICKS = 7
#: Where the axis begins and how long it is, in percent of the picture's width.
_LEFT, _WIDTH = 1.0, 97.0


class ChartMark(NamedTuple):
    """Something that happened: where, in percent; in which lane; its kind; and in words."""

    x: float
    lane: int
    kind: str
    words: str


class ChartBar(NamedTuple):
    """Something that lasted: from where, how long, in percent; in which lane; how it ended."""

    x: float
    width: float
    lane: int
    kind: str


class EventChart(NamedTuple):
    """The picture.

    Attributes:
        bars, marks: what is on it.
        ticks: where the axis has a tick, in percent, and what it says.
        lanes: the lanes that have something, by number and name.
        legend: the kinds of marks on it, with words.
        words: the same for who cannot see it.
    """

    bars: Sequence[ChartBar]
    marks: Sequence[ChartMark]
    ticks: Sequence[tuple[float, str]]
    lanes: Sequence[tuple[int, str]]
    legend: Sequence[tuple[str, str]]
    words: str


def chart_of(entries: Sequence[TimelineEntry], now: float) -> EventChart | None:
    """Return the picture of the events, oldest first; None where there are none."""
    if not entries:
        return None
    span = max(1.0, entries[-1].after_sec)
    marks = [
        ChartMark(
            _x(entry.after_sec, span),
            _lane(entry),
            kind,
            f"{local_time(entry.at, now)} {entry.title}",
        )
        for entry in entries
        for kind in [_kind(entry)]
        if kind is not None
    ]
    used = {_lane(entry) for entry in entries}
    kinds = [mark.kind for mark in marks]
    counts = [f"{kinds.count(k)} times {words}" for k, words in LEGEND if k in kinds]
    return EventChart(
        bars=_bars(entries, span),
        marks=marks,
        ticks=_ticks(span),
        lanes=[(number, name) for number, name in enumerate(LANES) if number in used],
        legend=[(kind, words) for kind, words in LEGEND if kind in kinds],
        words=f"Time line over {duration_in_words(span)}: {', '.join(counts) or 'started'}. The table below has it all.",
    )


def _x(after_sec: float, span: float) -> float:
    return round(_LEFT + _WIDTH * min(1.0, after_sec / span), 2)


def _lane(entry: TimelineEntry) -> int:
    return _LANE_OF.get(entry.event.partition(" ")[0], 0)


def _kind(entry: TimelineEntry) -> str | None:
    if entry.event in _FAILED:
        return "failed"
    if entry.event in ("loaded", "tried loaded"):
        return "loaded"
    return entry.event if entry.event in ("hold", "resume") else None


def _bars(entries: Sequence[TimelineEntry], span: float) -> list[ChartBar]:
    """Return what lasted: each load and trial load until it ended, and holding until it did."""
    bars: list[ChartBar] = []
    open_since: dict[tuple[int, object], TimelineEntry] = {}
    for entry in entries:
        began = _BEGINS.get(entry.event)
        lane = _lane(entry)
        key = (lane, entry.pid)
        ended = entry.event == "resume" or began != lane
        if ended and entry.event != Event.LOAD.value:
            # A resume is nobody's own: it ends what every process holds.
            alike = [k for k in open_since if k == key or (entry.event == "resume" and k[0] == 2)]
            bars += [_bar(open_since.pop(one), entry, span, lane) for one in alike]
        elif began is not None and key not in open_since:
            open_since[key] = entry
    last = entries[-1]
    bars += [_bar(begun, last, span, lane) for (lane, _), begun in open_since.items()]
    return bars


def _bar(begun: TimelineEntry, ended: TimelineEntry, span: float, lane: int) -> ChartBar:
    x, end = _x(begun.after_sec, span), _x(ended.after_sec, span)
    kind = "hold" if lane == _BEGINS[Event.HOLD.value] else _kind(ended) or "open"
    return ChartBar(x, round(max(0.3, end - x), 2), lane, kind)


def _ticks(span: float) -> list[tuple[float, str]]:
    step = next((s for s in _STEPS if span / s <= MOST_TICKS), None)
    if step is None:
        step = _STEPS[-1] * -(-int(span) // (_STEPS[-1] * MOST_TICKS))
    count = int(span / step)
    return [
        (_x(number * step, span), f"+{duration_in_words(number * step)}" if number else "0")
        for number in range(count + 1)
    ]

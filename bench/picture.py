"""Draw what `bench.crash_loop` found: the workers' processor time from the model's registration on.

An SVG of its own colours on its own ground, so that it reads on a light page and on a dark one; it
follows the reader's choice where the browser tells it.
"""

from __future__ import annotations

from bisect import bisect_right
from html import escape
from typing import Any, Mapping, NamedTuple, Sequence

WIDTH, HEIGHT = 760, 300
LEFT, RIGHT, TOP, BOTTOM = 56, 24, 54, 44
#: Aimed-at distance of two ticks, in pixels.
_TICK_X, _TICK_Y = 90, 50
STYLE = """
    .ground { fill: #ffffff; stroke: #d0d7de }
    .grid { stroke: #d8dee4 }
    .told { stroke: #57606a; stroke-dasharray: 4 4 }
    text { fill: #57606a; stroke: #ffffff; font: 12px system-ui, sans-serif }
    text.title { fill: #1f2328; font-size: 15px; font-weight: 600 }
    .alone { stroke: #b3400e; fill: #b3400e } .with { stroke: #0a6640; fill: #0a6640 }
    path.line { fill: none; stroke-width: 2 }
    circle.dot { stroke: none }
    text { stroke-width: 4; paint-order: stroke }
    text.alone, text.with { stroke: #ffffff; font-weight: 600 }
    @media (prefers-color-scheme: dark) {
      .ground { fill: #0d1117; stroke: #3d444d }
      .grid { stroke: #262c36 }
      .told { stroke: #9198a1 }
      text { fill: #9198a1; stroke: #0d1117 }
      text.title { fill: #f0f6fc }
      .alone { stroke: #f0883e; fill: #f0883e } .with { stroke: #3fb950; fill: #3fb950 }
      text.alone, text.with { stroke: #0d1117 }
    }
"""


class _Scale(NamedTuple):
    """From seconds since registration and seconds of processor time to pixels."""

    time_sec: float
    cpu_sec: float

    def x(self, time_sec: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * time_sec / self.time_sec

    def y(self, cpu_sec: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * cpu_sec / self.cpu_sec


def picture(found: Mapping[str, Any]) -> str:
    """Return the SVG for what `bench.crash_loop` found."""
    alone, held = found["contenders"]["alone"], found["contenders"]["hold"]
    scale = _Scale(alone["watched_sec"] * 1.02, alone["workers_cpu_sec"] * 1.25)
    told = [
        f"TorchServe alone: {_count(alone['loads'], 'load')}, {alone['workers_cpu_sec']:.1f} s",
        f"with ts-retry-ext: {_count(held['loads'], 'load')}, {held['workers_cpu_sec']:.1f} s, then held",
    ]
    parts = [
        *_axes(scale),
        *_probe(scale, alone),
        *_curve(scale, alone, "alone"),
        *_curve(scale, held, "with"),
        text(WIDTH - RIGHT - 8, scale.y(alone["workers_cpu_sec"]) - 10, told[0], "alone", "end"),
        text(WIDTH - RIGHT - 8, scale.y(held["workers_cpu_sec"]) - 10, told[1], "with", "end"),
        text(LEFT, 26, "One model with a syntax error: processor time of its workers", "title"),
    ]
    label = escape("; ".join(told), quote=True)
    body = "\n  ".join(parts)
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">
  <style>{STYLE}  </style>
  <rect class="ground" x="0.5" y="0.5" width="{WIDTH - 1}" height="{HEIGHT - 1}" rx="6"/>
  {body}
</svg>
"""


def ticks(end: float, count: int) -> list[float]:
    """Return about `count` round numbers from 0 up to `end`."""
    rough = end / max(1, count)
    power = 10.0 ** (len(str(int(rough))) - 1)
    step = next(power * each for each in (1, 2, 3, 5, 6, 10) if power * each >= rough)
    return [step * number for number in range(int(end / step) + 1)]


def _axes(scale: _Scale) -> list[str]:
    parts = []
    for value in ticks(scale.cpu_sec, (HEIGHT - TOP - BOTTOM) // _TICK_Y):
        y = scale.y(value)
        parts.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>')
        parts.append(text(LEFT - 8, y + 4, f"{value:g} s", "", "end"))
    below = HEIGHT - BOTTOM + 18
    times = ticks(scale.time_sec, (WIDTH - LEFT - RIGHT) // _TICK_X)
    parts += [text(scale.x(value), below, f"{value:g}", "", "middle") for value in times]
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(text(middle, HEIGHT - 8, "seconds since the model was registered", "", "middle"))
    return parts


def _probe(scale: _Scale, alone: Mapping[str, Any]) -> list[str]:
    at = alone["ping_at_sec"]
    if at is None:
        return []
    x = scale.x(at)
    return [
        f'<path class="told" d="M{x:.1f} {TOP}V{HEIGHT - BOTTOM}"/>',
        text(x - 6, HEIGHT - BOTTOM - 50, "TorchServe's /ping turns Unhealthy", "", "end"),
    ]


def _curve(scale: _Scale, figures: Mapping[str, Any], kind: str) -> list[str]:
    curve: Sequence[Sequence[float]] = figures["workers_cpu_curve"]
    path = "".join(
        f"{'L' if number else 'M'}{scale.x(at):.1f} {scale.y(used):.1f}"
        for number, (at, used) in enumerate(_stepped(curve))
    )
    times = [at for at, _ in curve]
    parts = [f'<path class="line {kind}" d="{path}H{scale.x(figures["watched_sec"]):.1f}"/>']
    for start in figures["worker_starts_at_sec"]:
        used = curve[max(0, bisect_right(times, start) - 1)][1]
        parts.append(
            f'<circle class="dot {kind}" cx="{scale.x(start):.1f}" cy="{scale.y(used):.1f}" r="3.5"/>'
        )
    return parts


def _stepped(curve: Sequence[Sequence[float]]) -> list[tuple[float, float]]:
    """Return the curve with corners: it is flat until shortly before a point that is higher.

    Points are kept where the processor time rose, half a second apart at the most while it does.
    """
    points: list[tuple[float, float]] = []
    for at, used in curve:
        if points and at - points[-1][0] > 1:
            points.append((at - 0.5, points[-1][1]))
        points.append((at, used))
    return points


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def text(x: float, y: float, words: str, kind: str, anchor: str = "start") -> str:
    """Return a text; `kind` is its class, `anchor` which end of it lies at `x`."""
    named = f' class="{kind}"' if kind else ""
    return f'<text{named} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'

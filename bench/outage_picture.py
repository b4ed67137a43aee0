"""Draw what `bench.outages` found for outages of one length: each load, and when the model serves.

Two lines a kind of failure, TorchServe alone and with the package, over the seconds since the first
refused connection. Colors and ground are those of `bench.picture`.
"""

from __future__ import annotations

from html import escape
from typing import Any, Callable, Mapping, Sequence

from bench.outage import serves_after
from bench.picture import STYLE, text, ticks

WIDTH, TOP, BOTTOM = 760, 64, 44
LEFT, RIGHT = 206, 100
#: Heights of a line, and of what lies between two kinds of failure, in pixels.
LINE, GAP = 22, 18
#: Aimed-at distance of two ticks, in pixels.
_TICK = 80
_CONTENDERS = (
    ("alone", "alone", "TorchServe alone"),
    ("with_package", "with", "with ts-retry-ext"),
)
_OWN_STYLE = """
    .outage { fill: #f6d5c4; stroke: none }
    path.serves { stroke-width: 7 }
    @media (prefers-color-scheme: dark) { .outage { fill: #3d2415 } }
"""


def outage_picture(found: Mapping[str, Any], outage_sec: int = 60) -> str:
    """Return the SVG for the outages of `outage_sec` seconds that `bench.outages` measured."""
    rows = [row for row in found["measured"] if row["outage_sec"] == outage_sec]
    rows.sort(key=lambda row: (-row["window_sec"], row["workers"], not row["is_known"]))
    ends = [seen["serves_at_sec"] or 0.0 for row in rows for seen in _both(row)]
    until = max(*ends, 1.5 * outage_sec) * 1.08
    height = TOP + len(rows) * (2 * LINE + GAP) + BOTTOM

    def x(at_sec: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * at_sec / until

    bottom = height - BOTTOM
    area = f'x="{x(0):.1f}" y="{TOP - 8}" width="{x(outage_sec) - x(0):.1f}" height="{bottom - TOP + 8}"'
    parts = [
        f'<rect class="outage" {area}/>',
        text(16, 26, f"An outage of {outage_sec} s: loads, and when the model serves", "title"),
        text(x(outage_sec / 2), TOP - 14, "connections are refused", "", "middle"),
    ]
    for at in ticks(until, (WIDTH - LEFT - RIGHT) // _TICK):
        parts.append(f'<path class="grid" d="M{x(at):.1f} {bottom}v5"/>')
        parts.append(text(x(at), bottom + 18, f"{at:g}", "", "middle"))
    parts.append(text((LEFT + WIDTH - RIGHT) / 2, height - 8, "seconds since the first load failed", "", "middle"))  # fmt: skip
    for number, row in enumerate(rows):
        top = TOP + number * (2 * LINE + GAP)
        parts.append(text(16, top + LINE + 4, _named(row), ""))
        for line, (key, kind, _) in enumerate(_CONTENDERS):
            parts += _line(row[key], kind, top + LINE * line + LINE / 2, x, until)
    parts += [
        text(WIDTH - 16 - 150 * (1 - number), 26, name, kind, "end")
        for number, (_, kind, name) in enumerate(_CONTENDERS)
    ]
    body = "\n  ".join(parts)
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(label(rows), quote=True)}">
  <style>{STYLE}{_OWN_STYLE}  </style>
  <rect class="ground" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="6"/>
  {body}
</svg>
"""


def label(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the picture in words: how long after the outage each model serves."""
    told = []
    for row in rows:
        alone, ours = (serves_after(seen) for seen in _both(row))
        told.append(f"{_named(row)}: TorchServe alone {alone}, with ts-retry-ext {ours}")
    return "; ".join(told)


def _both(row: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [row[key] for key, _, _ in _CONTENDERS]


def _named(row: Mapping[str, Any]) -> str:
    failure = "known failure" if row["is_known"] else "unknown failure"
    if row["workers"] > 1:
        return f"{failure}, {row['workers']} workers"
    return f"{failure}, window {row['window_sec']} s"


def _line(
    seen: Mapping[str, Any], kind: str, y: float, x: Callable[[float], float], until: float
) -> list[str]:
    at = seen["serves_at_sec"]
    parts = [f'<path class="line grid" d="M{x(0):.1f} {y:.1f}H{x(until):.1f}"/>']
    if at is not None:
        parts.append(f'<path class="line serves {kind}" d="M{x(at):.1f} {y:.1f}H{x(until):.1f}"/>')
    parts += [
        f'<circle class="dot {kind}" cx="{x(load):.1f}" cy="{y:.1f}" r="3.5"/>'
        for load in seen["loads_at_sec"]
    ]
    told = serves_after(seen)
    parts.append(text(x(until) + 6, y + 4, f"after {told}" if at is not None else told, kind))
    return parts

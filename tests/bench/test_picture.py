from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from typing import Any

import pytest

from bench.picture import picture, ticks

_SVG = "{http://www.w3.org/2000/svg}"


def _figures(starts: list[float], loads: int, cpu_sec: float, ping: float | None) -> dict[str, Any]:
    return {
        "watched_sec": 400.0,
        "loads": loads,
        "workers_cpu_sec": cpu_sec,
        "worker_starts_at_sec": starts,
        "workers_cpu_curve": [[0.0, 0.0], *([at + 1, cpu_sec] for at in starts)],
        "ping_at_sec": ping,
    }


FOUND = {
    "contenders": {
        "alone": _figures([0.1, 3.0, 376.0], 3, 26.0, 301.0),
        "hold": _figures([0.1, 2.0], 1, 2.1, 301.0),
    }
}


def test_every_worker_start_is_a_dot_on_its_curve_and_all_lies_within_the_picture() -> None:
    root = ElementTree.fromstring(picture(FOUND))
    dots = [dict(each.attrib) for each in root.iter(f"{_SVG}circle")]
    assert [each["class"] for each in dots] == ["dot alone"] * 3 + ["dot with"] * 2
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    assert all(0 < float(each["cx"]) < width and 0 < float(each["cy"]) < height for each in dots)
    assert float(dots[2]["cx"]) > float(dots[1]["cx"])


def test_it_tells_both_sums_to_those_who_cannot_see_it() -> None:
    label = ElementTree.fromstring(picture(FOUND)).attrib["aria-label"]
    assert label == "TorchServe alone: 3 loads, 26.0 s; with ts-retry-ext: 1 load, 2.1 s, then held"


def test_it_has_colours_for_light_and_dark_and_a_ground_of_its_own() -> None:
    drawn = picture(FOUND)
    assert "prefers-color-scheme: dark" in drawn
    assert drawn.count(".ground {") == 2


@pytest.mark.parametrize(
    ("end", "count", "expected"),
    [
        (400.0, 7, [0, 60, 120, 180, 240, 300, 360]),
        (30.0, 4, [0, 10, 20, 30]),
        (2.6, 4, [0, 1, 2]),
    ],
)
def test_ticks_are_round_numbers(end: float, count: int, expected: list[float]) -> None:
    assert ticks(end, count) == expected

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from typing import Any

from bench.outage import Kind, Seen, as_json
from bench.outage_picture import outage_picture

_SVG = "{http://www.w3.org/2000/svg}"
SERVES = as_json(Seen(60.0, 75.2, True, 90.0, [0.0, 4.2, 74.0], 12.3, 236.0))
LOST = {**SERVES, "serves_at_sec": None, "loads_at_sec": [0.0, 4.2]}


def _row(kind: Kind) -> dict[str, Any]:
    return {**kind._asdict(), "alone": LOST, "with_package": SERVES}


FOUND = {
    "measured": [_row(Kind(60, True, 1, 10)), _row(Kind(60, False, 4, 300)), _row(Kind(10, False, 1, 300))]
}  # fmt: skip


def test_every_load_is_a_dot_and_all_lies_within_the_picture() -> None:
    root = ElementTree.fromstring(outage_picture(FOUND))
    dots = [dict(each.attrib) for each in root.iter(f"{_SVG}circle")]
    assert [each["class"] for each in dots] == 2 * (["dot alone"] * 2 + ["dot with"] * 3)
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    assert all(0 < float(each["cx"]) < width and 0 < float(each["cy"]) < height for each in dots)


def test_it_tells_what_became_of_each_to_those_who_cannot_see_it() -> None:
    told = ElementTree.fromstring(outage_picture(FOUND)).attrib["aria-label"]
    assert told == (
        "unknown failure, 4 workers: TorchServe alone never, with ts-retry-ext 15 s; "
        "known failure, window 10 s: TorchServe alone never, with ts-retry-ext 15 s"
    )


def test_only_outages_of_the_length_that_is_asked_for_are_drawn() -> None:
    assert "unknown failure, window 300 s" in outage_picture(FOUND, outage_sec=10)
    assert "unknown failure, window 300 s" not in outage_picture(FOUND)

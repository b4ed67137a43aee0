from __future__ import annotations

import re
from typing import Any

from bench.outage_picture import outage_picture
from bench.picture import picture
from bench.publish import OUTAGE_PICTURE, PAGE, PICTURE, page, saved

RESULT: dict[str, Any] = {
    "command": "python -m bench.store --rounds 2",
    "begun_at": "2026-11-23 20:00 UTC, 1-minute load 0.1",
    "machine": {"processor": "P", "cores": 2, "memory_gb": 8, "system": "Linux", "python": "3.11.7"},
    "note": "Nothing else ran",
    "table": {"columns": ["", "1 process"], "rows": [["records lost", "0"]]},
}  # fmt: skip


def test_a_result_takes_its_place_and_the_others_stay() -> None:
    text = (
        "# T\n<!-- bench store -->\nold\n<!-- end -->\n<!-- bench judge -->\nkept\n<!-- end -->\n"
    )
    filled = page(text, {"store": RESULT})
    assert "old" not in filled
    assert "    python -m bench.store --rounds 2\n\n|  | 1 process |\n| --- | --- |\n" in filled
    assert "| records lost | 0 |\n" in filled
    assert "2 cores (P), 8 GB, Linux, Python 3.11.7. Nothing else ran.\n" in filled
    assert "<!-- bench judge -->\nkept\n<!-- end -->\n" in filled
    assert page(filled, {"store": RESULT}) == filled


def test_the_page_shows_the_saved_figures_of_every_bench() -> None:
    results = saved()
    text = PAGE.read_text()
    assert page(text, results) == text
    assert set(results) <= set(re.findall(r"<!-- bench (\w+) -->", text))


def test_the_pictures_are_those_of_the_saved_figures() -> None:
    assert PICTURE.read_text() == picture(saved()["crash_loop"]["found"])
    assert OUTAGE_PICTURE.read_text() == outage_picture(saved()["outages"]["found"])


def test_the_readme_tells_the_saved_figures_of_the_crash_loop() -> None:
    readme = (PAGE.parents[1] / "README.md").read_text()
    contenders = saved()["crash_loop"]["found"]["contenders"]
    alone, held = contenders["alone"], contenders["hold"]
    assert f"{held['worker_starts']} and {held['loads']}" in readme
    assert f"{alone['worker_starts']} and {alone['loads']}" in readme
    assert f"{held['workers_cpu_sec']:.1f} s" in readme
    assert f"{alone['workers_cpu_sec']:.1f} s" in readme

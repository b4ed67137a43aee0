"""Which outages are measured, and what becomes of the figures."""

from __future__ import annotations

from bench import outages
from bench.outage import Kind, Seen, as_json

SEEN = as_json(Seen(60.004, 81.2, True, 90.0, [0.0, 4.23456, 80.1], 12.34, 236.0))
LOST = {**SEEN, "serves_at_sec": None}
ROW = {**Kind(60, False, 1, 300)._asdict(), "alone": LOST, "with_package": SEEN}


def test_a_window_that_is_over_is_measured_only_where_the_outage_outlasts_it() -> None:
    found = outages.kinds((10, 60))
    assert len(found) == len(set(found)) == 8
    assert {kind.outage_sec for kind in found if kind.window_sec == 10} == {60}
    assert {kind.outage_sec for kind in found if kind.workers == 4} == {60}


def test_the_table_says_never_and_what_was_computed() -> None:
    found = {"measured": [ROW], "computed": outages.computed((3600,), 3.0)[:1]}
    measured, computed, load = outages.table(found).rows
    assert measured == ["60 s", "unknown", "300 s", "1", "never", "3", "12 s", "236 MB",
                        "21 s", "3", "12 s", "236 MB"]  # fmt: skip
    assert computed[0] == "60 min, computed"
    assert computed[4] == "never"
    assert computed[8] != "never"
    assert load[4] == "3 s"


def test_what_did_not_happen_while_it_was_watched_may_happen_yet() -> None:
    found = {"measured": [{**ROW, "alone": {**LOST, "gave_up": False}}], "computed": []}
    assert outages.table(found).rows[0][4] == "not within 30 s"

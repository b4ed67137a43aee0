"""Whatever a management API answers, it is a description of models that can be shown, or an error that says so."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.faults.mutating import VALUES, effort
from tests.faults.promises import answer_is_shown_or_refused
from tests.frontend.api import described

WORKER = {
    "id": "9000", "startTime": "2026-01-01T00:00:00.000Z", "status": "READY", "pid": 4, "gpuUsage": "gpuId::0 utilization",
}  # fmt: skip
ENTRY = described(workers=[WORKER])
#: What JSON can hold, and Java's int or an encoding cannot.
_ODD = (float("inf"), float("nan"), 1 << 70, -1, "\ud800", "5", True)
ODD = st.sampled_from(_ODD) | st.sampled_from(_ODD) | VALUES


def like(whole: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Return objects like `whole` in which some values are odd."""
    odd = st.dictionaries(st.sampled_from(sorted(whole)), ODD, min_size=1, max_size=4)
    return odd.map(lambda changes: {**whole, **changes})


@effort(100, 20_000)
@given(
    entries=st.lists(like(ENTRY), min_size=1, max_size=2) | st.lists(ODD) | ODD,
    worker=like(WORKER) | ODD,
)
def test_any_answer_is_shown_or_refused(entries: Any, worker: Any) -> None:
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict) and entry.get("workers") == [WORKER]:
            entry["workers"] = [worker]
    answer_is_shown_or_refused(json.dumps(entries).encode())

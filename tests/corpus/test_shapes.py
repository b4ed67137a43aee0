"""Every shape of the public record gets the verdict it should have."""

from __future__ import annotations

from typing import Any

import pytest

from tests.corpus.shapes import SHAPES, record
from ts_retry_ext.judge import Outcome, failure_from_record, judge

WANTED = {
    "N": Outcome.NON_RECOVERABLE,
    "R": Outcome.RECOVERABLE,
    "U": Outcome.UNKNOWN,
}
ROWS = [
    pytest.param(row, id=f"{topic}-{number}-{row[1]}")
    for topic, rows in SHAPES.items()
    for number, row in enumerate(rows)
]


@pytest.mark.parametrize("row", ROWS)
def test_a_shape_is_judged_as_wanted(row: Any) -> None:
    verdict = judge(failure_from_record(record(row)))
    assert verdict.verdict is WANTED[row[0]], verdict

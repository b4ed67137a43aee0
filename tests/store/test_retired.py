from __future__ import annotations

import json
from pathlib import Path

import pytest

from ts_retry_ext.store.retired import (
    RETIRED_FILE,
    Retired,
    forget_retired,
    read_retired,
    write_retired,
)


def test_numbers_come_back_until_they_are_forgotten(tmp_path: Path) -> None:
    assert read_retired(str(tmp_path)) is None
    write_retired(str(tmp_path), 2, 5)
    kept = read_retired(str(tmp_path))
    assert kept is not None
    assert (kept.min_workers, kept.max_workers) == (2, 5)
    forget_retired(str(tmp_path))
    assert read_retired(str(tmp_path)) is None
    forget_retired(str(tmp_path))


@pytest.mark.parametrize(("low", "high"), [(0, 1), (3, 2), ("1", 1), (1, None)])
def test_numbers_that_no_model_can_have_count_as_none(
    tmp_path: Path, low: object, high: object
) -> None:
    write_retired(str(tmp_path), 1, 1)
    path = tmp_path / RETIRED_FILE
    path.write_text(
        json.dumps({**json.loads(path.read_text()), "min_workers": low, "max_workers": high})
    )
    assert read_retired(str(tmp_path)) is None


@pytest.mark.parametrize("at", [None, 5, "", "yesterday", "2026-02-30", ["x"]])
def test_a_file_without_its_time_keeps_the_workers(tmp_path: Path, at: object) -> None:
    """`history` shows when a model was retired, and ended with a traceback; resuming needs their numbers."""
    content = {"schema": 1, "min_workers": 1, "max_workers": 2, "at": at}
    (tmp_path / RETIRED_FILE).write_text(json.dumps(content))
    assert read_retired(str(tmp_path)) == Retired(1, 2, "")

from __future__ import annotations

from pathlib import Path

from tests.snapshot.writing import START, failure, record
from ts_retry_ext.store.record import Event
from ts_retry_ext.store.times import to_text
from ts_retry_ext.worker.holding import _identity, window_ends_at


def test_a_marker_that_cannot_be_looked_at_has_not_been_removed(tmp_path: Path) -> None:
    folder = tmp_path / "digits-0a0b0c0d"
    folder.mkdir()
    path = folder / "marker.json"
    path.write_text("{}")
    before = _identity(str(path), None)
    assert before is not None
    assert _identity(str(path), None) == before

    folder.rename(tmp_path / "away")
    folder.symlink_to(folder)  # Too many levels of links: as any trouble that is no absence.
    assert _identity(str(path), before) == before

    folder.unlink()
    assert _identity(str(path), before) is None


def test_the_window_begins_with_the_first_failure_since_a_worker_loaded() -> None:
    records = [failure(1), record(Event.LOADED, 5), failure(9), failure(12)]
    assert window_ends_at(records, 300) == START + 309
    assert window_ends_at(records[:2], 300) is None
    assert window_ends_at([failure(1)._replace(at=to_text(START + 1))], 0) == START + 1

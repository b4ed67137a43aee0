from __future__ import annotations

from pathlib import Path

from ts_retry_ext.worker.holding import _identity


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

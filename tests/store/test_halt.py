from __future__ import annotations

from pathlib import Path

from tests.snapshot.writing import marker
from ts_retry_ext.store import journal
from ts_retry_ext.store.halt import end_halt
from ts_retry_ext.store.marker import read_marker, write_marker


def test_marker_is_gone_and_the_journal_says_who_ended_the_halt(tmp_path: Path) -> None:
    write_marker(str(tmp_path), marker())
    end_halt(str(tmp_path), model="m", version="1.0", reason="a hand")

    assert read_marker(str(tmp_path)) is None
    (record,) = journal.read(str(tmp_path))
    assert (record.event, record.model, record.reason) == ("resume", "m", "a hand")


def test_halt_ends_also_where_the_journal_cannot_be_written(tmp_path: Path) -> None:
    """A disk that is full must not keep a model from serving."""
    write_marker(str(tmp_path), marker())
    (tmp_path / "journal.jsonl").mkdir()

    end_halt(str(tmp_path), model="m", version="1.0", reason="a hand")
    assert read_marker(str(tmp_path)) is None

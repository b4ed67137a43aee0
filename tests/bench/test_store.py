from __future__ import annotations

from pathlib import Path

from bench.report import Table
from bench.store import EVENTS, Reads, read_until, recorded, table, write
from ts_retry_ext.store.journal import COMPACT_BYTES, journal_path


def test_every_record_is_counted_also_those_that_gave_way(tmp_path: Path) -> None:
    times = write(str(tmp_path), number=7, rounds=60)
    assert len(times.journal) == 60 * len(EVENTS)
    assert len(times.marker) == 60
    assert recorded(str(tmp_path)) == 60 * len(EVENTS)
    written = 60 * 3_000  # a failure with its report
    assert written > COMPACT_BYTES > Path(journal_path(str(tmp_path))).stat().st_size


def test_a_lost_record_is_noticed(tmp_path: Path) -> None:
    write(str(tmp_path), number=7, rounds=3)
    journal = Path(journal_path(str(tmp_path)))
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[1:]))
    assert recorded(str(tmp_path)) == 3 * len(EVENTS) - 1


def test_a_reader_ends_with_the_writers(tmp_path: Path) -> None:
    (tmp_path / "end").touch()
    assert read_until(str(tmp_path), str(tmp_path / "end")) == Reads(reads=0, torn=0)


def test_the_table_sets_the_crowd_against_one_process() -> None:
    run = {
        "writes": 400, "took_sec": 2.0, "journal_ms": {"median": 0.1, "p99": 0.4, "max": 1.0},
        "marker_ms": {"median": 2.0, "p99": 3.0, "max": 4.0}, "records_lost": 0, "reads": 90, "torn": 0,
    }  # fmt: skip
    crowd = {**run, "processes": 64, "took_sec": 4.0, "marker_ms": {"median": 8.0, "p99": 30.0}}
    shown = table({"rounds": 100, "runs": [{**run, "processes": 1}, crowd]})
    assert isinstance(shown, Table)
    assert ["a marker, median", "2.00 ms", "8.00 ms", "4.0"] in shown.rows
    assert ["writes in a second", "200", "100", "0.5"] in shown.rows
    assert ["records lost", "0", "0", "-"] in shown.rows

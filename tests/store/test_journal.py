from __future__ import annotations

import errno
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from ts_retry_ext.store import journal
from ts_retry_ext.store.atomic import MAX_FILE_BYTES
from ts_retry_ext.store.exception_record import ExceptionRecord
from ts_retry_ext.store.journal_totals import summarise
from ts_retry_ext.store.record import Event, Record, TrialResult, record_to_json

WRITER = """
import sys
from ts_retry_ext.store import journal
from ts_retry_ext.store.record import Event, Record
for number in range(int(sys.argv[3])):
    journal.append(sys.argv[1], Record(Event.LOAD, pid=number, socket=sys.argv[2]))
"""


def test_records_come_back_in_order_and_private(tmp_path: Path) -> None:
    assert journal.read(str(tmp_path)) == []
    journal.append(str(tmp_path), Record(Event.START, pid=1))
    journal.append(str(tmp_path), Record(Event.LOAD, pid=1, model="ä\n"))
    records = journal.read(str(tmp_path))
    assert [record.event for record in records] == ["start", "load"]
    assert records[1].model == "ä\n"
    assert all(record.at.endswith("Z") for record in records)
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


def test_processes_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), str(name), "40"])
        for name in range(8)
    ]
    assert [writer.wait(60) for writer in writers] == [0] * 8
    seen = [(r.socket, r.pid) for r in journal.read(str(tmp_path))]
    assert set(seen) == {(str(w), n) for w in range(8) for n in range(40)}
    assert len(seen) == 8 * 40


def test_a_torn_line_costs_only_itself(tmp_path: Path) -> None:
    journal.append(str(tmp_path), Record(Event.START, pid=1))
    path = Path(journal.journal_path(str(tmp_path)))
    with path.open("ab") as stream:
        stream.write(b'{"schema":1,"event":"lo')
    journal.append(str(tmp_path), Record(Event.FAILURE, pid=1))
    assert [r.event for r in journal.read(str(tmp_path))] == ["start", "failure"]


def test_lines_that_are_not_ours_are_passed_over(tmp_path: Path) -> None:
    path = Path(journal.journal_path(str(tmp_path)))
    path.write_bytes(
        b'\xff\xfe\n[1]\n{"schema":2,"event":"start"}\n{"schema":1}\n{"schema":1,"event":5}\n\n'
    )
    assert journal.read(str(tmp_path)) == []


def test_a_journal_stays_small_and_keeps_its_totals_and_the_last_report(tmp_path: Path) -> None:
    report = ExceptionRecord("E", "m" * 3000, traceback="t" * 8000)
    rounds = 400
    for number in range(rounds):
        journal.append(str(tmp_path), Record(Event.START, pid=number, start="1", socket="s"))
        journal.append(str(tmp_path), Record(Event.LOAD, pid=number, start="1", socket="s"))
        failure = Record(Event.FAILURE, pid=number, start="1", socket="s", fingerprint="f")
        journal.append(str(tmp_path), failure._replace(exception=report))
        assert Path(journal.journal_path(str(tmp_path))).stat().st_size < MAX_FILE_BYTES
    history = summarise(journal.read(str(tmp_path)))
    assert (history.worker_starts, history.loads, history.failures) == (rounds,) * 3
    assert history.last_failure is not None
    assert history.last_failure.exception == report


def test_a_worker_that_serves_is_not_forgotten_while_others_fail(tmp_path: Path) -> None:
    for number in range(20):
        serving = Record(Event.LOADED, "", number + 1, "1", f"/tmp/.ts.sock.{number}")
        journal.append(str(tmp_path), serving)
    for number in range(1000):
        failing = Record(Event.FAILURE, "", number + 100, "1", "/tmp/.ts.sock.99")
        journal.append(str(tmp_path), failing._replace(fingerprint="f", reason="r" * 200))
        assert Path(journal.journal_path(str(tmp_path))).stat().st_size < MAX_FILE_BYTES
    records = journal.read(str(tmp_path))
    assert len([r for r in records if r.event == Event.LOADED]) == 20
    assert summarise(records).failures == 1000


def test_a_record_too_long_for_a_line_is_written_without_its_report(tmp_path: Path) -> None:
    exception = ExceptionRecord("E", "", traceback="x" * MAX_FILE_BYTES)
    journal.append(str(tmp_path), Record(Event.FAILURE, fingerprint="f", exception=exception))
    (record,) = journal.read(str(tmp_path))
    assert record.fingerprint == "f"
    assert record.exception is None


def test_a_record_is_written_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk takes the part of a line that still fits, and refuses the rest."""
    journal.append(str(tmp_path), Record(Event.START, pid=1))
    path = Path(journal.journal_path(str(tmp_path)))
    before = path.read_bytes()
    write = os.write
    fits = iter([7])

    def full(descriptor: int, data: bytes) -> int:
        room = next(fits, None)
        if room is None:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(descriptor, data[:room])

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space left"):
        journal.append(str(tmp_path), Record(Event.FAILURE, pid=1))
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "spoilt",
    [
        {"at": "yesterday"}, {"at": None}, {"pid": "1"}, {"pid": -1}, {"pid": 10**30}, {"start": 5},
        {"socket": None}, {"model": ["m"]}, {"exception": "text"}, {"exception": {"chain": ["x"]}},
        {"counts": {"load": "many"}}, {"rule": {}}, {"first_failure": 5}, {"event": "exploded"},
        {"result": "fine"}, {"launcher": "yes"}, {"schema": 2}, {"schema": 0}, {"schema": None},
    ],
    ids=str,
)  # fmt: skip
def test_a_record_with_a_value_that_cannot_be_ours_is_passed_over(
    tmp_path: Path, spoilt: dict[str, object]
) -> None:
    whole = {"schema": 1, "event": "failure", "at": "2026-11-23T16:00:00.000Z", "pid": 1}
    path = Path(journal.journal_path(str(tmp_path)))
    path.write_text(json.dumps({**whole, **spoilt}) + "\n" + json.dumps(whole) + "\n")
    assert [record_to_json(record) for record in journal.read(str(tmp_path))] == [whole]


@pytest.mark.parametrize("event", list(Event))
def test_a_failure_is_seen_without_parsing(tmp_path: Path, event: Event) -> None:
    assert not journal.may_hold_failure(str(tmp_path))
    journal.append(str(tmp_path), Record(Event.START, pid=1))
    for result in (None, *TrialResult):
        record = Record(event, pid=1, result=result)
        journal.append(str(tmp_path), record)
        if record.is_failure:
            assert journal.may_hold_failure(str(tmp_path))
    if event in (Event.START, Event.LOAD, Event.LOADED, Event.END):
        assert not journal.may_hold_failure(str(tmp_path))

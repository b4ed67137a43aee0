"""Whatever lies in the state directory, it halts nothing that a marker of ours does not, and nothing breaks."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.faults.mutating import effort, replaced, spoilt
from tests.frontend.api import described
from tests.sidecar.test_metrics import text
from tests.snapshot.writing import failure, marker, record
from ts_retry_ext.cli import show, status
from ts_retry_ext.frontend.running_model import running_model
from ts_retry_ext.sidecar.attempts import attempts_of
from ts_retry_ext.sidecar.metrics import Metrics
from ts_retry_ext.sidecar.recovery import recovery_of, starts_saved
from ts_retry_ext.snapshot.registration import read_registration
from ts_retry_ext.snapshot.take import alive_by_its_words, status_of, take_snapshot_of_run
from ts_retry_ext.store import journal
from ts_retry_ext.store.atomic import SCHEMA, UntrustedFileError
from ts_retry_ext.store.directory import ServerRun
from ts_retry_ext.store.history import failures_in_a_row, open_attempts, served_by, summarise
from ts_retry_ext.store.holders import holders_of
from ts_retry_ext.store.marker import marker_path, read_marker

SOCKET = "/tmp/.ts.sock.9000"
RECORDS = (
    {"schema": SCHEMA, "event": journal.SUMMARY, "at": "2020-09-13T12:26:40.000Z",
     "counts": {"start": 3, "load": 2}, "first_failure": "2020-09-13T12:26:40.000Z"},
    record(journal.START, 0, oom_kills=0), record(journal.LOAD, 1), failure(2, group="7.0"),
    record(journal.START, 3, 2), record(journal.LOADED, 4, 2), record(journal.HOLD, 5, 3),
    record(journal.RELEASE, 6, 3, reason="why"), record(journal.RESUME, 7), record(journal.START, 8, 4),
)  # fmt: skip
JOURNAL = b"".join(map(journal._line, RECORDS))
MARKER = {**marker()._asdict(), "schema": SCHEMA}
RUN = {**ServerRun(1, "1", 2.0, None, "/", "http://127.0.0.1:1", None)._asdict(), "schema": SCHEMA}
RETIRED = {"schema": SCHEMA, "min_workers": 1, "max_workers": 2, "at": "2020-09-13T12:26:40.000Z"}
LINES = st.lists(st.sampled_from(RECORDS).flatmap(replaced), max_size=8).map(b"\n".join)


def _files(whole: dict[str, object]) -> st.SearchStrategy[bytes]:
    return st.one_of(replaced(whole), spoilt(json.dumps(whole).encode()), st.binary(max_size=200))


@effort(40, 20_000)
@given(data=_files(MARKER))
def test_a_marker_that_was_spoilt_is_refused_or_as_good_as_ours(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    folder = tmp_path_factory.getbasetemp() / "marker"
    folder.mkdir(exist_ok=True)
    Path(marker_path(str(folder))).write_bytes(data)
    try:
        found = read_marker(str(folder))
    except UntrustedFileError:
        return
    # What is read has everything that holding and the commands use, of the type that they expect.
    assert found is not None
    texts = (found.model, found.registration, found.files, found.action, found.reason, found.remedy)
    assert all(isinstance(text, str) for text in texts)
    assert isinstance(found.worker["socket"], str)
    assert isinstance(found.server["pid"], int)


@pytest.mark.parametrize("length", [0, 1, 50, 500, -2])
def test_a_marker_cut_anywhere_is_refused(tmp_path: Path, length: int) -> None:
    Path(marker_path(str(tmp_path))).write_bytes(json.dumps(MARKER).encode()[:length])
    with pytest.raises(UntrustedFileError):
        read_marker(str(tmp_path))


@effort(60, 20_000)
@given(
    lines=st.one_of(spoilt(JOURNAL), LINES),
    marker_file=_files(MARKER),
    run=_files(RUN),
    retired=_files(RETIRED),
)
def test_every_command_reads_whatever_lies_there(
    tmp_path_factory: pytest.TempPathFactory,
    capsys: pytest.CaptureFixture[str],
    lines: bytes,
    marker_file: bytes,
    run: bytes,
    retired: bytes,
) -> None:
    run_dir = tmp_path_factory.getbasetemp() / "run"
    folder = run_dir / "m-1"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "journal.jsonl").write_bytes(lines)
    (folder / "marker.json").write_bytes(marker_file)
    (folder / "retired.json").write_bytes(retired)
    (run_dir / "server.json").write_bytes(run)

    snapshot = take_snapshot_of_run(str(run_dir))
    assert json.loads(json.dumps(snapshot.to_json()))
    status._print(snapshot)
    registration = read_registration(str(folder))
    entry = described(workers=[{"id": "9000", "status": "UNLOADING", "pid": 4}])
    now, alive = 1_600_000_100.0, alive_by_its_words(registration)
    model = status_of(
        running_model(entry, "1.0"), registration, (300, "default"), now=now, is_alive=alive
    )
    for shown in (*snapshot.models, model):
        show._print(shown, snapshot.resume_command(shown))
        assert json.dumps(show._content(shown))
        recovery_of(shown, now)
        starts_saved(shown, now)
    attempts_of(registration.records)
    assert text(Metrics(), 1, *snapshot.models, model)
    capsys.readouterr()

    records = journal.read(str(folder))
    history = summarise(records)
    assert history.failures >= 0
    assert all(attempt.pid >= 0 for attempt in open_attempts(records))
    failures_in_a_row(records, SOCKET)
    served_by(records, SOCKET)
    holders_of(records, released=False)


@effort(30, 5_000)
@given(lines=spoilt(JOURNAL))
def test_a_journal_that_was_spoilt_is_written_on_and_loses_no_whole_line(
    tmp_path_factory: pytest.TempPathFactory, lines: bytes
) -> None:
    folder = tmp_path_factory.getbasetemp() / "written-on"
    folder.mkdir(exist_ok=True)
    path = folder / "journal.jsonl"
    path.write_bytes(lines)
    before = journal.read(str(folder))
    journal.append(str(folder), journal.END, pid=5)
    after = journal.read(str(folder))
    assert after[:-1] == before
    assert after[-1]["event"] == journal.END
    whole = set(lines.splitlines()).intersection(JOURNAL.splitlines())
    assert {journal._line(r).strip() for r in before} >= whole
    os.unlink(path)

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.cli.servers import Frontend, frontend
from tests.snapshot.writing import START, failure, marker, record, write_journal
from ts_retry_ext.cli.main import main
from ts_retry_ext.frontend import choice
from ts_retry_ext.store.directory import ServerRun, create_server_directory
from ts_retry_ext.store.marker import write_marker
from ts_retry_ext.store.record import Event

GONE = 2**22 + 1


def earlier_run(running: Frontend) -> Path:
    """Leave what an earlier run of this server left."""
    run = ServerRun(GONE, "boot-1", START, None, str(running.folder), "http://x", "0.11.0")
    return Path(create_server_directory(str(running.kept.parent), run))


def test_earlier_runs_and_registrations_that_are_gone_are_told_newest_last(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with frontend(tmp_path) as running:
        write_journal(earlier_run(running) / "m-1", record(Event.START, 1), failure(2))
        again = write_journal(
            running.kept / "m-2",
            record(Event.START, 50),
            record(Event.LOADED, 60),
            record(Event.HOLD, 70),
        )
        write_journal(running.kept / "m-3", record(Event.START, 80), failure(90))
        write_marker(str(again), marker(registration="/gone"))
        assert running.run("history", "m") == 0

    title, *rows = capsys.readouterr().out.splitlines()
    assert title.split() == ["TIME", "SERVER", "MODEL", "EVENT", "WHAT"]
    events = [
        re.sub(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \w+ +", "", " ".join(row.split())) for row in rows
    ]
    assert events[:4] == [
        f"{GONE} - server started TorchServe 0.11.0",
        f"{GONE} m 1.0 registered",
        f"{GONE} m 1.0 failed recoverable (connection-errno) ConnectionError: refused",
        f"{GONE} - server ended unless it runs in another container; this is the time of its last record",
    ]
    assert f"{running.pid} m 1.0 serves" in events
    assert not any(str(running.pid) in event and "server ended" in event for event in events)


def test_json_has_each_failure_with_its_verdict_and_exception(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with frontend(tmp_path) as running:
        write_journal(running.kept / "m-1", record(Event.START, 0), failure(1), failure(2))
        assert running.run("history", "--json") == 0

    failed = next(
        e for e in json.loads(capsys.readouterr().out)["events"] if e["event"] == "failed"
    )
    assert (failed["count"], failed["rule"], failed["server"]) == (
        2,
        "connection-errno",
        running.pid,
    )
    assert failed["exception"]["message"] == "refused\nsecond line"


def test_server_that_has_ended_is_read_from_the_state_directory(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with frontend(tmp_path) as running:
        write_journal(running.kept / "m-1", record(Event.START, 0), failure(1))
    monkeypatch.setattr(choice, "running_frontends", list)
    monkeypatch.chdir(tmp_path)

    assert main(["history"]) == 0
    assert "server ended" in capsys.readouterr().out
    assert main(["history", "--state-dir", str(running.kept.parent)]) == 0
    assert "server ended" in capsys.readouterr().out


def test_unknown_model_is_an_error_that_lists_what_is_known(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with frontend(tmp_path) as running:
        write_journal(running.kept / "m-1", record(Event.START, 0))
        assert running.run("history", "n") == 1
        assert main(["history", "--state-dir", str(tmp_path / "nowhere")]) == 1

    err = capsys.readouterr().err
    assert "no model 'n' is known, these are: m" in err
    assert "there is no such directory" in err


def test_no_server_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choice, "running_frontends", list)
    monkeypatch.chdir(tmp_path)

    assert main(["history"]) == 1
    assert "no TorchServe runs here" in capsys.readouterr().out
    assert main(["history", "--state-dir", str(tmp_path)]) == 1
    assert f"no server has left its state in {tmp_path}" in capsys.readouterr().out


def test_journal_that_cannot_be_read_is_named_and_the_rest_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with frontend(tmp_path) as running:
        write_journal(running.kept / "m-1", record(Event.START, 0), failure(1))
        (running.kept / "bad-1").mkdir()
        (running.kept / "bad-1" / "marker.json").write_text("{")
        assert running.run("history") == 0

    out, err = capsys.readouterr()
    assert "failed" in out
    assert "bad-1" in err

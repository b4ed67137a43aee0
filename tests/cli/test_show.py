from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest

from tests.cli.servers import described, frontend
from tests.cli.test_status import HELD, NOBODY, halt
from tests.snapshot.writing import failure, marker, record, write_journal
from ts_retry_ext.store.exception_record import CauseRecord, ExceptionRecord
from ts_retry_ext.store.marker import write_marker
from ts_retry_ext.store.record import Event, TrialResult
from ts_retry_ext.store.times import to_text


def test_whole_report_is_shown_with_the_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with frontend(tmp_path) as running:
        halt(running)
        running.register(described("broken", workers=HELD))
        assert running.run("show", "broken") == 3

    out = capsys.readouterr().out
    for line in (
        "model:           broken 1.0",
        "state:           halted",
        "action:          hold",
        "decided by:      rule syntax-error",
        "remedy:          correct it",
        "fingerprint:     fedcba9876543210",
        "window:          300 s (frontend)",
        "Traceback ...",
        "SyntaxError: invalid syntax",
        "When it is repaired: ts-retry resume broken, or ts-retry deploy ARCHIVE if you packed it again",
    ):
        assert line in out.splitlines()


def test_trial_loads_stand_in_the_time_line_with_their_results(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tried = failure(20, NOBODY)._replace(event=Event.TRIED, result=TrialResult.FAILED)
    trial = record(Event.TRIAL, 18, NOBODY, reason="its time has come")
    with frontend(tmp_path) as running:
        folder = write_journal(
            running.kept / "m-1", failure(1, 1), record(Event.HOLD, 2, NOBODY), trial, tried
        )
        planned = to_text(time.time() + 100)
        write_marker(str(folder), marker(waits_for=("files", "time"), next_trial_at=planned))
        running.register(described("m", workers=HELD))
        assert running.run("show", "m") == 3

    lines = capsys.readouterr().out.splitlines()
    assert "state:           waiting" in lines
    assert any(re.fullmatch(r"next trial:      at .*, in (100|99) s", line) for line in lines)
    assert "waits for:       the model's files" in lines
    assert any(re.fullmatch(r"trials:          1, which failed at .* ago", line) for line in lines)
    at = lines.index("what its workers did")
    shown = [re.search(r"\+\d+\.\d s .*", line) for line in lines[at + 2 : at + 6]]
    rows = [" ".join(found[0].split()) for found in shown if found is not None]
    cause = "recoverable (connection-errno) ConnectionError: refused"
    assert rows == [
        f"+0.0 s failure 1 {cause}",
        f"+1.0 s hold {NOBODY}",
        f"+17.0 s trial begins {NOBODY} its time has come",
        f"+19.0 s trial failed {NOBODY} {cause}",
    ]
    assert lines[-1] == "To try it now: ts-retry resume m"


def test_model_that_serves_again_says_when_it_was_repaired(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with frontend(tmp_path) as running:
        write_journal(running.kept / "m-1", failure(1, 1), record(Event.LOADED, 9, NOBODY))
        running.register(described("m"))
        assert running.run("show", "m") == 0

    assert re.search(r"^repaired: +2020-09-1\d .* ago$", capsys.readouterr().out, re.MULTILINE)


def test_json_holds_the_whole_exception_and_the_marker(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with frontend(tmp_path) as running:
        halt(running)
        running.register(described("broken", workers=HELD))
        assert running.run("show", "broken", "--json") == 3

    content = json.loads(capsys.readouterr().out)
    assert content["exception"]["traceback"].startswith("Traceback")
    assert content["marker"]["handler"] == "h.py"
    assert content["state_directory"] == str(running.kept / "broken-1")


def test_cause_chain_is_shown_where_there_is_no_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    exception = ExceptionRecord("E", "a\nb", (CauseRecord("OSError", "disk\x1b"),))
    with frontend(tmp_path) as running:
        write_journal(running.kept / "m-1", failure(1, NOBODY, exception=exception))
        running.register(described("m", workers=HELD))
        running.run("show", "m")

    assert "E: a\nb\n  because of OSError: disk\\x1b\n" in capsys.readouterr().out


def test_model_that_never_failed_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with frontend(tmp_path) as running:
        running.register(described("sound"))
        assert running.run("show", "sound") == 0

    assert "no failure is known" in capsys.readouterr().out


def test_unknown_model_and_version_are_errors_that_list_what_is_known(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with frontend(tmp_path) as running:
        running.register(described("a"), described("b"))
        assert running.run("show", "c") == 1
        assert "no model 'c' is known, these are: a, b" in capsys.readouterr().err
        assert running.run("show", "a", "--version", "9") == 1
        assert "has no version '9', its versions are 1.0" in capsys.readouterr().err

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.servers import described, frontend
from tests.cli.test_status import HELD, NOBODY, halt
from tests.snapshot.writing import failure, write_journal
from ts_retry_ext.store.exception_record import CauseRecord, ExceptionRecord


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
        "When it is repaired: ts-retry resume broken",
    ):
        assert line in out.splitlines()


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

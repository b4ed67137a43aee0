"""`ts-retry analyze` answers people in a table, programs in JSON, and CI with its exit code."""

from __future__ import annotations

import gzip
import io
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.analyze.test_logged_worker import LOAD, LOADED, START, lines
from tests.logs.written import DATA, KNOWN, log
from ts_retry_ext.cli.main import main

COMMAND = [sys.executable, "-m", "ts_retry_ext.cli.main", "analyze"]


def test_a_table_a_story_of_each_model_and_a_sum(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["analyze", str(DATA)]) == 3
    shown = capsys.readouterr()
    rows = {li.split()[0]: li.split() for li in shown.out.splitlines() if li.strip()}
    for name, (state, starts, failures, _) in KNOWN.items():
        assert rows[name][1:4] == [state, str(starts), str(failures)]
    for part in ("8 x KeyError: 'classifier.bias'", "non_recoverable (key-missing)", "fingerprint",
                 "34 worker starts, 30 failed loads", "With ts-retry-ext 16 loads"):  # fmt: skip
        assert part in shown.out
    assert shown.err == ""


def test_json_is_what_the_document_promises(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["analyze", "--json", str(DATA)]) == 3
    content = json.loads(capsys.readouterr().out)
    assert content["totals"]["worker_starts"] == 34
    assert content["from"] == "2026-11-23T19:49:13.373Z"
    model = next(model for model in content["models"] if model["model"] == "broken")
    assert model["causes"][0]["traceback"].startswith("Traceback")
    assert model["max_retry_timeout_sec"]["at_most"] > 20


def test_a_log_without_failures_is_fine(tmp_path: Path) -> None:
    path = tmp_path / "ts_log.log"
    path.write_text("\n".join(lines((0, START), LOAD, LOADED)))
    assert main(["analyze", str(path)]) == 0


def test_a_page_is_written_and_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "report.html"
    assert main(["analyze", "--html", str(path), str(DATA)]) == 3
    assert f"report: {path}" in capsys.readouterr().out
    assert path.read_text().startswith("<!doctype html>")
    assert main(["analyze", "--html", str(tmp_path / "no" / "x.html"), str(DATA)]) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_without_the_extra_the_page_is_refused_before_anything_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "ts_retry_ext.analyze.page", raising=False)
    monkeypatch.setitem(sys.modules, "jinja2", None)
    assert main(["analyze", "--html", str(tmp_path / "x.html"), str(DATA)]) == 1
    shown = capsys.readouterr()
    assert "python -m pip install 'ts-retry-ext[report]'" in shown.err
    assert shown.out == ""


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "there is no such file or folder"), (b"", "is empty"), (b"x\n", "no line of a TorchServe worker")],
)  # fmt: skip
def test_what_can_not_be_read_is_an_error_that_says_what_to_give(
    content: bytes | None, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.log"
    if content is not None:
        path.write_bytes(content)
    assert main(["analyze", str(path)]) == 1
    shown = capsys.readouterr()
    assert said in shown.err
    assert shown.out == ""


def test_no_log_at_all_is_a_wrong_command_line() -> None:
    with pytest.raises(SystemExit) as ended:
        main(["analyze"])
    assert ended.value.code == 2


def test_own_rules_are_asked_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(
        "- {id: bias, when: {message: classifier.bias}, verdict: recoverable, reason: r, remedy: r}\n"
    )
    assert main(["analyze", "--json", "--rules", str(rules), str(DATA)]) == 3
    models = {model["model"]: model for model in json.loads(capsys.readouterr().out)["models"]}
    assert models["broken"]["causes"][0]["rule"] == "bias"
    assert main(["analyze", "--rules", str(tmp_path / "no.yaml"), str(DATA)]) == 1


def test_standard_input_is_read_and_a_pipe_sees_no_progress() -> None:
    done = subprocess.run(
        [*COMMAND, "-"], input=log("console.log"), capture_output=True, check=False
    )
    assert done.returncode == 3
    assert b"8 x KeyError" in done.stdout
    assert done.stderr == b""


def test_a_person_sees_how_far_it_is(tmp_path: Path) -> None:
    path = tmp_path / "ts_log.log.gz"
    path.write_bytes(gzip.compress(log("ts_log.log") * 20))
    leader, follower = pty.openpty()
    environ = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    process = subprocess.Popen(
        [*COMMAND, str(path)], stdout=subprocess.DEVNULL, stderr=follower, env=environ
    )
    os.close(follower)
    seen = b""
    with io.FileIO(leader) as terminal:
        while True:
            try:
                part = terminal.read(65536)
            except OSError:  # Linux tells the end of a terminal so.
                break
            if not part:
                break
            seen += part
    assert process.wait() == 3
    assert b"reading" in seen

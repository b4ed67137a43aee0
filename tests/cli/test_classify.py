"""`ts-retry classify` answers people in words and programs in JSON Lines, in the same order."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from ts_retry_ext.cli.main import main

TRACEBACK = """\
2023-08-02T12:05:41,123 [INFO ] W-9000-m_1.0-stdout MODEL_LOG - Traceback (most recent call last):
2023-08-02T12:05:41,123 [INFO ] W-9000-m_1.0-stdout MODEL_LOG -   File "/m/handler.py", line 3, in <module>
2023-08-02T12:05:41,123 [INFO ] W-9000-m_1.0-stdout MODEL_LOG -     import left_pad
2023-08-02T12:05:41,123 [INFO ] W-9000-m_1.0-stdout MODEL_LOG - ModuleNotFoundError: No module named 'left_pad'
"""


def call(*arguments: str) -> int:
    return main(arguments)


def test_a_log_is_answered_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "model.log"
    log.write_text(TRACEBACK)
    assert call("classify", str(log)) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("NON-RECOVERABLE")
    for part in ("No module named 'left_pad'", "module-missing", "remedy", "fingerprint"):
        assert part in shown


def test_json_is_printed_on_demand(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "model.log"
    log.write_text(TRACEBACK)
    assert call("classify", "--json", str(log)) == 0
    answer = json.loads(capsys.readouterr().out)
    assert set(answer) >= {"verdict", "basis", "rule", "scope", "reason", "remedy", "fingerprint"}


def test_json_lines_are_answered_line_by_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    records = tmp_path / "failures.jsonl"
    records.write_text(
        '{"exc_type": "SyntaxError", "message": "invalid syntax", "phase": "import"}\n\n'
        '{"exc_type": "ConnectionResetError", "message": "[Errno 104] Connection reset by peer"}\n'
        "[3]\n"
        '{"exc_type": "Odd", "message": "odd"}\n'
    )
    assert call("classify", str(records)) == 1
    shown = capsys.readouterr()
    answers = [json.loads(line) for line in shown.out.splitlines()]
    assert [answer["verdict"] for answer in answers] == [
        "non_recoverable",
        "recoverable",
        "unknown",
        "unknown",
    ]
    assert "line 4" in shown.err


def test_standard_input_is_read() -> None:
    command = [sys.executable, "-m", "ts_retry_ext", "classify"]
    done = subprocess.run(command, input=TRACEBACK, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "module-missing" in done.stdout


def test_a_missing_or_empty_file_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("classify", str(tmp_path / "none")) == 1
    assert "cannot be read" in capsys.readouterr().err
    (tmp_path / "empty").write_text(" \n")
    assert call("classify", str(tmp_path / "empty")) == 1
    assert "is empty" in capsys.readouterr().err


def test_a_binary_file_is_refused_and_a_log_with_nul_bytes_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    binary, torn = tmp_path / "m.mar", tmp_path / "torn.log"
    binary.write_bytes(b"PK\3\4" + bytes(range(256)) * 50)
    torn.write_bytes(b"\0" * 64 + b"\nTraceback (most recent call last):\nNameError: x\n")
    written = tmp_path / "windows.log"
    written.write_bytes("nothing failed".encode("utf-16"))

    assert call("classify", str(binary)) == 1
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert "m.mar: is a binary file" in err
    assert call("classify", str(torn)) == 0
    assert "NameError" in capsys.readouterr().out
    assert call("classify", str(written)) == 0


def test_a_terminal_is_told_that_input_is_waited_for() -> None:
    near, far = pty.openpty()
    command = [sys.executable, "-m", "ts_retry_ext", "classify"]
    with subprocess.Popen(command, stdin=far, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert "press Ctrl-D" in process.stderr.readline()
        os.write(near, b"\x04")
        assert "is empty" in process.stderr.readline()
    os.close(near)
    os.close(far)


def test_own_rules_decide_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log, mine = tmp_path / "model.log", tmp_path / "mine.yaml"
    log.write_text(TRACEBACK)
    mine.write_text("- {id: mine, when: {module: left_pad}, verdict: recoverable}\n- {id: bad}\n")
    assert call("classify", "--rules", str(mine), "--json", str(log)) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out)["rule"] == "mine"
    assert "rule left out" in shown.err


def test_files_are_looked_for_in_the_model_directory(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "there.txt").write_text("x")
    log = tmp_path / "log"
    verdicts = []
    for name in ("there.txt", "missing.txt"):
        log.write_text(
            f"FileNotFoundError: [Errno 2] No such file or directory: '{tmp_path}/{name}'"
        )
        call("classify", "--json", "--model-dir", str(tmp_path), str(log))
        verdicts.append(json.loads(capsys.readouterr().out)["verdict"])
    assert verdicts == ["unknown", "non_recoverable"]


HEAD = "2023-08-02T12:05:41,123 [INFO ] W-{}-{}_1.0-stdout MODEL_LOG - "


def test_all_failures_of_a_text_are_told_the_first_one_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "model.log"
    log.write_text(
        "".join(
            f"{HEAD.format(9000 + number, name)}{line}\n"
            for number, (name, error) in enumerate(
                (("a", "KeyError: 'bias'"), ("b", "ValueError: odd"))
            )
            for line in (
                "Traceback (most recent call last):",
                '  File "/m/h.py", line 3, in initialize',
                error,
            )
        )
    )
    assert call("classify", str(log)) == 0
    shown = capsys.readouterr().out
    assert "failure      KeyError: 'bias'" in shown
    assert "Also in this text (1):" in shown
    assert "b: 1 x ValueError: odd" in shown
    assert call("classify", "--json", str(log)) == 0
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(answer["model"], answer["exception"]["type"]) for answer in answers] == [
        ("a", "KeyError"),
        ("b", "ValueError"),
    ]


def test_a_text_without_a_cause_says_so_and_what_its_lines_tell(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "ts_log.log"
    log.write_text(
        "2024-04-23T05:00:36,470 [INFO ] W-9000-m_1.0 org.pytorch.serve.wlm.WorkerThread - Retry worker: 9000 in 34 seconds.\n"
    )
    assert call("classify", str(log)) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("NO CAUSE")
    assert "Traceback (most recent call last)" in shown
    assert "m: retrying" in shown
    assert call("classify", "--json", str(log)) == 0
    assert json.loads(capsys.readouterr().out)["verdict"] == "unknown"


def test_a_log_in_json_is_no_list_of_failures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "docker.json"
    log.write_text("".join(json.dumps({"log": f"{line}\n", "stream": "stdout"}) + "\n" for line in TRACEBACK.splitlines()))  # fmt: skip
    assert call("classify", "--json", str(log)) == 0
    assert json.loads(capsys.readouterr().out)["rule"] == "module-missing"


def test_the_frames_show_the_phase_unless_it_is_given(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "log"
    log.write_text(
        'Traceback (most recent call last):\n  File "/m/h.py", line 3, in handle\nKeyError: 1\n'
    )
    for arguments, phase in (((), "inference"), (("--phase", "construct"), "construct")):
        assert call("classify", "--json", *arguments, str(log)) == 0
        assert json.loads(capsys.readouterr().out)["phase"] == phase

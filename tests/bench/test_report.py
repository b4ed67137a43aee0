from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from bench import report
from bench.report import Table, now, parser, publish


def test_it_ends_with_the_json_and_keeps_it_where_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(report, "RESULTS", tmp_path)
    monkeypatch.setattr(sys, "argv", ["x", "--save", "--runs", "3", "--note", "two words"])
    publish("judge", {"rules": 9}, Table(["", "median"], [["known", "1.00 ms"]]), now())
    *head, last = capsys.readouterr().out.splitlines()
    told = json.loads(last)
    assert told["command"] == "python -m bench.judge --runs 3"
    assert told["found"] == {"rules": 9}
    assert told["machine"]["cores"] >= 1
    assert told["table"] == {"columns": ["", "median"], "rows": [["known", "1.00 ms"]]}
    assert head[0].endswith(" two words.")
    assert head[-1].split() == ["known", "1.00", "ms"]
    assert json.loads((tmp_path / "judge.json").read_text()) == told


def test_nothing_is_kept_unasked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(sys, "argv", ["x"])
    publish("judge", {}, Table([""], []), now())
    assert not (tmp_path / "results").exists()


def test_the_help_is_the_first_line_of_what_a_bench_says_of_itself() -> None:
    assert parser("Measure this.\n\nAnd more.").description == "Measure this."

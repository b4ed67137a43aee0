"""`ts-retry rules` lists what is asked in which order, and checks a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.test_classify import call
from ts_retry_ext.judge.builtin import BUILTIN_RULES

GOOD = "rules:\n  - id: mine\n    when: {type: ValueError}\n    verdict: recoverable\n"
WRONG = "- id: mine\n  when: {type: ValueError}\n  verdict: maybe\n"


def test_own_rules_are_listed_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(GOOD)
    assert call("rules", "--json", "--rules", str(file)) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [rule["id"] for rule in listed] == ["mine", *(rule.id for rule in BUILTIN_RULES)]
    assert listed[0]["source"] == str(file)
    assert listed[0]["when"] == {"type": ["ValueError"]}


def test_the_table_has_a_line_for_each_rule(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("rules") == 0
    assert len(capsys.readouterr().out.splitlines()) == len(BUILTIN_RULES) + 1


@pytest.mark.parametrize(
    ("text", "status", "says"),
    [
        (GOOD, 0, "1 rule in order, none wrong"),
        (WRONG, 3, "mine: verdict: got 'maybe'; one of non_recoverable, recoverable, unknown"),
        ("a: [", 1, "isn't valid YAML"),
        ("just text", 3, "must be a list of rules"),
    ],
)
def test_a_file_is_checked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, status: int, says: str
) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    assert call("rules", "--check", str(file)) == status
    shown = capsys.readouterr()
    assert says in shown.out + shown.err
    assert call("rules", "--json", "--check", str(file)) == status
    assert "problems" in json.loads(capsys.readouterr().out)


def test_a_missing_file_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("rules", "--check", "/no/such.yaml") == 1
    assert "can't be read" in capsys.readouterr().err

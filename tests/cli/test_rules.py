"""`ts-retry rules` lists what is in force in its order and with its source, and checks a file."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.archive.packing import packed
from tests.cli.servers import described, frontend
from tests.cli.test_classify import call
from tests.cli.test_printing import shown_on_a_terminal
from ts_retry_ext.cli.main import main
from ts_retry_ext.frontend import choice
from ts_retry_ext.judge.builtin import BUILTIN_RULES

GOOD = "rules:\n  - id: mine\n    when: {type: ValueError}\n    verdict: recoverable\n"
WRONG = "- id: mine\n  when: {type: ValueError}\n  verdict: maybe\n"


def rule(name: str) -> str:
    return f"- {{id: {name}, when: {{type: ValueError}}, verdict: recoverable}}\n"


def own(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Return the listed rules that are not built in; they stand before those."""
    listed = json.loads(capsys.readouterr().out)
    mine = len(listed) - len(BUILTIN_RULES)
    assert [entry["id"] for entry in listed[mine:]] == [entry.id for entry in BUILTIN_RULES]
    return list(listed[:mine])


@pytest.fixture
def no_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(choice, "running_frontends", list)
    monkeypatch.chdir(tmp_path)
    for name in ("TS_CONFIG_FILE", "TS_RETRY_RULES"):
        monkeypatch.delenv(name, raising=False)


def test_own_rules_are_listed_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(GOOD)
    assert call("rules", "--json", "--rules", str(file)) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [rule["id"] for rule in listed] == ["mine", *(rule.id for rule in BUILTIN_RULES)]
    assert listed[0]["source"] == str(file)
    assert listed[0]["when"] == {"type": ["ValueError"]}


@pytest.mark.usefixtures("no_server")
def test_the_table_has_a_line_for_each_rule(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("rules") == 0
    assert len(capsys.readouterr().out.splitlines()) == len(BUILTIN_RULES) + 1


@pytest.mark.parametrize(
    ("text", "status", "says"),
    [
        (GOOD, 0, "1 rule in order, none wrong"),
        (WRONG, 3, "mine: verdict: got 'maybe'; one of non_recoverable, recoverable, unknown"),
        ("a: [", 1, "is not valid YAML"),
        ("a: 2024-13-99", 1, "is not YAML that can be read: ValueError: month must be in 1..12"),
        ("a: !!bool x", 1, "is not YAML that can be read: KeyError: 'x'"),
        ("[" * 3000, 1, "is not YAML that can be read: RecursionError"),
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
    assert "cannot be read" in capsys.readouterr().err


@pytest.mark.usefixtures("no_server")
@pytest.mark.parametrize("how", ["file", "variable", "found"])
def test_without_a_server_the_rules_are_those_one_started_here_would_have(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "own.yaml").write_text(rule("mine"))
    config = tmp_path / ("config.properties" if how == "found" else "other.properties")
    config.write_text("retry_rules=own.yaml\n")
    options = ["--ts-config", str(config)] if how == "file" else []
    if how == "variable":
        monkeypatch.setenv("TS_RETRY_RULES", "own.yaml")

    assert main(["rules", "--json", *options]) == 0

    (mine,) = own(capsys)
    assert (mine["id"], mine["source"], mine["model"]) == ("mine", str(tmp_path / "own.yaml"), None)
    assert main(["rules", *options]) == 0
    setting = "environment (TS_RETRY_RULES)" if how == "variable" else f"{config} (retry_rules)"
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == f"1 rule for every model without rules of its own: {setting}"


def test_rules_of_a_running_server_and_of_its_models_are_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "own.yaml").write_text(rule("for-all"))
    packed(tmp_path / "m.mar", "retry: {rules: [" + rule("for-m")[2:].strip() + "]}")
    packed(tmp_path / "n.mar", "minWorkers: 1", "n")
    with frontend(tmp_path) as running:
        with (tmp_path / "config.properties").open("a") as file:
            file.write("retry_rules=own.yaml\n")
        running.register(described("m"), described("n"), described("gone"))
        assert running.run("rules", "--json") == 0
        listed = own(capsys)
        assert running.run("rules") == 0

    archive = f"{tmp_path}/./m.mar: model-config.yaml (retry: rules)"
    assert [(entry["id"], entry["model"], entry["source"]) for entry in listed] == [
        ("for-m", "m 1.0", archive),
        ("for-all", None, str(tmp_path / "own.yaml")),
    ]
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:6] == ["#", "RULE", "VERDICT", "SCOPE", "MODEL", "SOURCE"]
    assert lines[-2] == f"1 rule for model m 1.0 only: {archive}"


@pytest.mark.usefixtures("no_server")
@pytest.mark.parametrize(
    ("config", "status", "says"),
    [
        (
            "retry: {rules: [{id: x, when: {type: E}, verdict: maybe}]}",
            3,
            "x: verdict: got 'maybe'",
        ),
        ("retry: {rules: nowhere.yaml}", 1, "nowhere.yaml: cannot be read"),
        ("retry: {rules: 7}", 1, "must be a list of rules"),
        ("retry: [", 1, "x.mar: model-config.yaml"),
    ],
)
def test_wrong_rules_of_an_archive_are_named_and_the_rest_is_listed(
    config: str, status: int, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rules", str(packed(tmp_path / "x.mar", config))]) == status
    shown = capsys.readouterr()
    assert says in shown.err
    assert len(shown.out.splitlines()) >= len(BUILTIN_RULES) + 1


def test_several_servers_hide_no_built_in_rule(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TS_RETRY_RULES", raising=False)
    with frontend(tmp_path / "one"), frontend(tmp_path / "two"):
        assert main(["rules", "--json"]) == 0
    shown = capsys.readouterr()
    assert len(json.loads(shown.out)) == len(BUILTIN_RULES)
    assert "several servers run, choose one with --pid" in shown.err


def test_rules_fit_a_narrow_terminal() -> None:
    code = "from ts_retry_ext.cli.main import main\nmain(['rules', '--rules', '/dev/null'])"
    lines = shown_on_a_terminal(code, 80).splitlines()
    row = next(number for number, line in enumerate(lines) if line.split()[1:2] == ["syntax-error"])
    assert lines[row].split()[2:] == ["non_recoverable", "model"]
    assert lines[row + 1].startswith("     A source file is not valid Python")
    assert max(map(len, lines)) <= 80


def test_a_rule_is_shown_in_full_by_its_id(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("rules", "--rules", os.devnull, "submodule-missing") == 0
    shown = capsys.readouterr().out
    assert shown.startswith("rule     submodule-missing (asked as number ")
    for label in ("verdict", "reason", "remedy", "asks", "example", "source"):
        assert f"\n{label} " in shown


def test_a_rule_that_there_is_not_is_answered_with_those_called_alike(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert call("rules", "--rules", os.devnull, "modul-missing") == 1
    assert "did you mean module-missing" in capsys.readouterr().err


def test_the_built_in_rules_are_printed_as_a_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("rules", "--page") == 0
    assert capsys.readouterr().out.startswith("# The built-in rules")


def test_packs_of_a_folder_are_listed_with_name_and_version(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.yaml").write_text(
        "name: acme\nversion: '3'\nrules:\n- {id: one, when: {type: E}, verdict: unknown}\n"
    )
    (tmp_path / "b.yaml").write_text("- {id: two, when: {type: F}, verdict: unknown}\n")
    assert call("rules", "--rules", str(tmp_path), "--json") == 0
    listed = json.loads(capsys.readouterr().out)
    assert [(rule["id"], rule["source"]) for rule in listed[:2]] == [
        ("one", f"acme 3 ({tmp_path / 'a.yaml'})"),
        ("two", str(tmp_path / "b.yaml")),
    ]

"""What the documents say is what the code does."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import Iterable

import pytest
import yaml

from ts_retry_ext.cli.main import COMMANDS
from ts_retry_ext.frontend.properties import read_properties
from ts_retry_ext.judge.memory_figures import MEMORY_PREDICATES
from ts_retry_ext.judge.paths import PATH_PREDICATES
from ts_retry_ext.judge.rule import WHERE, When
from ts_retry_ext.judge.where_raised import PLACES
from ts_retry_ext.settings import SETTINGS, OnFatal, resolve

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()


TOP = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "handlers/README.md", "deploy/README.md")
DOCUMENTS = [*(ROOT / name for name in TOP), *sorted(ROOT.glob("docs/**/*.md"))]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_of_a_document_leads_to_a_heading_of_a_file(document: Path) -> None:
    for target, anchor in re.findall(r"\]\(([^)#:]*)(?:#([^)]+))?\)", _prose(document)):
        path = document.parent / target if target else document
        assert path.exists(), target
        assert not anchor or anchor in _anchors(path), f"{target}#{anchor}"


def test_the_readme_names_every_command() -> None:
    for name in COMMANDS:
        assert re.search(rf"`(ts-retry )?{name}\b", README), name


@pytest.mark.parametrize("file", ["alerts.yaml", "fleet.yaml"])
def test_every_alert_leads_to_its_runbook(file: str) -> None:
    (group,) = yaml.safe_load((ROOT / "deploy/prometheus" / file).read_text())["groups"]
    alerts = [rule for rule in group["rules"] if "alert" in rule]
    assert alerts
    for rule in alerts:
        page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
        assert anchor == rule["alert"].lower()
        assert anchor in _anchors(ROOT / page)


def test_the_configuration_at_the_top_has_every_setting_and_no_mistake() -> None:
    path = ROOT / "config.properties"
    _, problems = resolve(read_properties(str(path)), {}, config_file=str(path))
    assert not problems
    keys = re.findall(r"^#?(retry_\w+)=", path.read_text(), re.MULTILINE)
    assert sorted(keys) == sorted(row.property_key for row in SETTINGS)
    assert all(f"#   {value} " in path.read_text() for value in OnFatal)


def test_every_path_that_the_guide_for_contributors_names_is_there() -> None:
    guide = (ROOT / "CONTRIBUTING.md").read_text()
    named = re.findall(r"`((?:ts_retry_ext|tests|docs|deploy|bench|handlers)/[\w/.-]*)`", guide)
    made_up = {"ts_retry_ext/cli/NAME.py", "tests/cli/test_NAME.py"}
    missing = [name for name in named if name not in made_up and not (ROOT / name).exists()]
    assert len(named) > 30
    assert not missing


def test_the_guide_names_every_room_of_the_package() -> None:
    guide = (ROOT / "CONTRIBUTING.md").read_text()
    rooms = [path.parent.name for path in (ROOT / "ts_retry_ext").glob("*/__init__.py")]
    assert rooms
    assert not [room for room in rooms if f"`ts_retry_ext/{room}/`" not in guide]


def test_forms_for_issues_ask_for_what_doctor_and_show_print() -> None:
    forms = [
        yaml.safe_load(path.read_text()) for path in ROOT.glob(".github/ISSUE_TEMPLATE/*.yaml")
    ]
    assert forms
    for form in forms:
        labels = [field["attributes"].get("label", "") for field in form["body"]]
        assert any("`ts-retry doctor`" in label for label in labels), form["name"]
        assert any("`ts-retry show MODEL`" in label for label in labels), form["name"]


def test_the_index_of_the_decisions_lists_each_one_with_its_date() -> None:
    decisions = (ROOT / "docs/decisions.md").read_text()
    index = re.findall(r"^\| (\d+) \| \[(.+)\]\(#(.+)\) \| (\S+) \|$", decisions, re.MULTILINE)
    sections = re.findall(r"^## (\d+)\. (.+)\n\n(\d{4}-\d\d-\d\d)\n\n", decisions, re.MULTILINE)
    assert [(number, title, date) for number, title, _, date in index] == sections
    assert [int(number) for number, _, _ in sections] == list(range(1, len(sections) + 1))
    for number, title, anchor, _ in index:
        assert anchor == _anchor(f"{number}. {title}")


def test_every_decision_has_its_five_parts_in_their_order() -> None:
    decisions = (ROOT / "docs/decisions.md").read_text()
    for section in re.split(r"^## (?=\d)", decisions, flags=re.MULTILINE)[1:]:
        found = re.findall(r"^\*\*(\w+(?: when)?)\.?\*\*", section, re.MULTILINE)
        expected = ["Context", "Decision", "Rejected", "Consequence", "Revisit when"]
        assert found == expected, section.partition("\n")[0]


def _anchor(heading: str) -> str:
    """Return the anchor that GitHub and the site give a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _prose(document: Path) -> str:
    """Return a document without its blocks of code."""
    return re.sub(r"^```.*?^```", "", document.read_text(), flags=re.MULTILINE | re.DOTALL)


def _anchors(document: Path) -> set[str]:
    return {_anchor(line) for line in re.findall(r"^#+ (.+)$", _prose(document), re.MULTILINE)}


def test_the_page_on_own_rules_names_every_condition_and_its_words() -> None:
    page = (ROOT / "docs" / "how-to" / "write-rules.md").read_text()
    rows = {line.split("`")[1]: line for line in page.splitlines() if line.startswith("| `")}
    assert list(rows) == [field.name for field in fields(When)]
    words: dict[str, Iterable[str]] = {
        "path": PATH_PREDICATES,
        "memory": MEMORY_PREDICATES,
        "raised_in": PLACES,
        "where": WHERE,
    }
    lacking = {key: [w for w in known if f"`{w}`" not in rows[key]] for key, known in words.items()}
    assert not any(lacking.values()), lacking

"""What a release needs: a changelog that fits its tag, a workflow that publishes nothing unchecked."""

from __future__ import annotations

import re

import pytest
import yaml

from tests.packaging.distributions import PROJECT
from tests.packaging.release_notes import in_the_way

WORKFLOW = PROJECT / ".github" / "workflows" / "publish.yaml"
CHANGELOG = "# Changelog\n\n## [Unreleased]\n\n## [1.1.0] - 2026-11-26\n\n### Added\n- A.\n"


def test_a_tag_with_its_version_and_its_heading_may_be_released() -> None:
    assert in_the_way("v1.1.0", "1.1.0", CHANGELOG) == []


@pytest.mark.parametrize(
    ("tag", "version", "changelog", "said"),
    [
        ("v1.2.0", "1.1.0", CHANGELOG, "name it v1.1.0"),
        ("1.1.0", "1.1.0", CHANGELOG, "name it v1.1.0"),
        ("v1.2.0", "1.2.0", CHANGELOG, "no '## [1.2.0] - YYYY-MM-DD'"),
        ("v1.1.0", "1.1.0", CHANGELOG.replace(" - 2026-11-26", ""), "no '## [1.1.0] - "),
        ("v1.1.0", "1.1.0", CHANGELOG.replace("d]\n", "d]\n\n- B.\n"), "lines under Unreleased"),
    ],
)
def test_what_does_not_fit_is_named(tag: str, version: str, changelog: str, said: str) -> None:
    (found,) = in_the_way(tag, version, changelog)
    assert said in found


def test_the_workflow_publishes_only_what_the_sessions_have_checked() -> None:
    workflow = yaml.safe_load(WORKFLOW.read_text())
    assert workflow[True] == {"push": {"tags": ["v*"]}}  # YAML 1.1 reads the key "on" as true
    assert workflow["permissions"] == {}
    build, publish = workflow["jobs"]["build"], workflow["jobs"]["publish"]
    commands = " ".join(step.get("run", "") for step in build["steps"])
    noxfile = (PROJECT / "noxfile.py").read_text()
    for session in ("release", "wheels"):
        assert f"nox -s {session}" in commands
        assert f"def {session}(" in noxfile
    assert publish["needs"] == "build"
    assert publish["permissions"] == {"id-token": "write"}
    assert "id-token" not in build["permissions"]
    used = re.findall(r"uses: (\S+)", WORKFLOW.read_text())
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action) for action in used)

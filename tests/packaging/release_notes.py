"""Say whether a tag may be released: ``python tests/packaging/release_notes.py v0.2.0``."""

from __future__ import annotations

import configparser
import re
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]


def version_of(project: Path) -> str:
    """Return the version in setup.cfg, its only place."""
    settings = configparser.ConfigParser()
    settings.read(project / "setup.cfg")
    return settings["metadata"]["version"]


def in_the_way(tag: str, version: str, changelog: str) -> list[str]:
    """Return what keeps a tag from being released, one sentence each; nothing if it may be."""
    found = []
    if tag != f"v{version}":
        found.append(f"The tag is {tag}, but setup.cfg says {version}: name it v{version}.")
    headings = re.findall(r"^## \[(.+)\](?: - (\d{4}-\d\d-\d\d))?$", changelog, re.MULTILINE)
    dated = next((date for name, date in headings if name == version), None)
    if not dated:
        found.append(f"CHANGELOG.md has no '## [{version}] - YYYY-MM-DD': rename Unreleased.")
    unreleased = changelog.partition("## [Unreleased]")[2].partition("\n## ")[0]
    if unreleased.strip():
        found.append(f"CHANGELOG.md has lines under Unreleased: move them to {version}.")
    return found


if __name__ == "__main__":
    problems = in_the_way(
        sys.argv[1], version_of(PROJECT), (PROJECT / "CHANGELOG.md").read_text("utf-8")
    )
    sys.exit("\n".join(problems) or None)

"""The site of the documentation can be built and read without a network."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytest.importorskip("mkdocs", reason="no mkdocs on this machine")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-d", str(folder)]
    environ = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_every_page_is_there_and_asks_nobody_else_for_anything(site: Path) -> None:
    pages = [*site.rglob("*.html")]
    assert len(pages) > 20
    for page in pages:
        loaded = re.findall(
            r'<(?:script|img|link)[^>]*(?:src|href)="(https?:)?//', page.read_text()
        )
        assert not loaded, page


def test_what_lies_under_an_item_of_a_list_is_part_of_it(site: Path) -> None:
    page = (site / "how-to" / "model-does-not-come-up.html").read_text()
    assert page.count("<ol>") == 1


def test_a_link_out_of_the_documentation_leads_to_the_file(site: Path) -> None:
    page = (site / "runbooks.html").read_text()
    targets = re.findall(r'href="(files/deploy/[^"#]+)"', page)
    assert targets
    assert all((site / target).exists() for target in targets)

"""The Chinese pages say what the English ones do: as far as that can be seen without knowing Chinese."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
PAIRS = [("README.md", "README.zh-CN.md"), ("docs/start.md", "docs/start.zh-CN.md")]


class Structure(NamedTuple):
    """What a translation has to leave as it is."""

    headings: list[int]
    code: list[str]
    tables: list[tuple[int, int]]
    items: int
    targets: list[str]
    names: set[str]
    figures: set[str]


@pytest.mark.parametrize(("english", "chinese"), PAIRS)
def test_a_translation_has_the_structure_of_the_english_page(english: str, chinese: str) -> None:
    expected, found = _structure(ROOT / english), _structure(ROOT / chinese)
    assert found._asdict() == expected._asdict()


@pytest.mark.parametrize(("english", "chinese"), PAIRS)
def test_a_translation_is_chinese_and_leads_to_the_other_one(english: str, chinese: str) -> None:
    text = (ROOT / chinese).read_text("utf-8")
    assert f"[English]({Path(english).name})" in text
    assert f"]({Path(chinese).name})" in (ROOT / english).read_text("utf-8")
    assert len(re.findall(r"[\u4e00-\u9fff]", text)) > 300


def _structure(page: Path) -> Structure:
    text = page.read_text("utf-8")
    blocks = re.findall(r"^```.*?^```|(?:^ {4,}\S[^\n]*\n)+", text, re.MULTILINE | re.DOTALL)
    prose = text
    for block in blocks:
        prose = prose.replace(block, "")
    tables = re.findall(r"(?:^\|.*\n)+", prose, re.MULTILINE)
    targets = re.findall(r"\]\(([^)]+)\)", prose)
    return Structure(
        headings=[len(marks) for marks in re.findall(r"^(#+) ", prose, re.MULTILINE)],
        # What stands behind a # is for people.
        code=[re.sub(r" +# .*", "", block) for block in blocks],
        tables=[(table.count("\n"), table.partition("\n")[0].count("|")) for table in tables],
        items=len(re.findall(r"^ *(?:\*|\d+\.) ", prose, re.MULTILINE)),
        targets=sorted(
            target for target in targets if not re.match(r"(?:README|start)[\w.-]*\.md|#", target)
        ),
        names=set(re.findall(r"`([^`]+)`", prose)),
        figures=set(re.findall(r"\d+(?:\.\d+)*", re.sub(r"`[^`]*`|\]\([^)]*\)", "", prose))),
    )

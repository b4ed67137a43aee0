"""One word for one thing, in the documents, in what the package says and in its code: see docs/glossary.md.

What stands in code, in quotes or between backticks is somebody else's text, and is not looked at.
"""

from __future__ import annotations

import ast
import re
import tokenize
from pathlib import Path
from typing import Iterator

import pytest

from ts_retry_ext.judge.builtin import BUILTIN_RULES
from ts_retry_ext.judge.rule import Rule

ROOT = Path(__file__).parents[1]
#: What must not be written, and what is written instead.
BANNED = {
    r"\b(?:can|don|doesn|didn|isn|aren|wasn|weren|won|hasn|haven|hadn|couldn|wouldn|shouldn)['\u2019]t\b": "cannot, do not …",
    r"\b(?:behaviour|colour|favour|neighbour|licence|catalogue)\w*": "behavior, color, license …",
    r"\b(?:labelled|cancelled|modelling|spelt)\b": "labeled, canceled, spelled …",
    r"\b(?:recognis|normalis|organis|serialis|initialis)\w*": "recognize …",
    r"\bback[- ]off\b": "backoff",
    r"\bhalf open\b": "half-open",
    r"\bexit status\b": "exit code",
    r"\bdo this:": "remedy",
    r"\bexit markers?\b": "marker",
    r"\bretry timeout in force\b": "window",
    r"\broot failure\b": "cause",
    r"\b(?:quarantined|parked|frozen) (?:model|worker)s?\b": "halted, waiting, held",
    r"\bis told of\b|\bwithout a word\b": "is reported, without an exception",
}
#: Documents that quote others, line by line.
QUOTED = ("docs/rules.md", "docs/glossary.md")
#: Rooms whose texts are patterns for the words of others.
PATTERNS = ("judge", "logs")
DOCUMENTS = [
    path
    for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("deploy/**/*.md"))
    if str(path.relative_to(ROOT)) not in QUOTED
]
PAGES = [*ROOT.glob("ts_retry_ext/*/templates/*.html")]
PACKAGE = sorted(ROOT.glob("ts_retry_ext/**/*.py"))
MODULES = [
    path for path in PACKAGE if path.relative_to(ROOT / "ts_retry_ext").parts[0] not in PATTERNS
]


@pytest.mark.parametrize("path", [*DOCUMENTS, *PAGES], ids=lambda path: str(path.relative_to(ROOT)))
def test_a_document_has_one_word_for_one_thing(path: Path) -> None:
    text = re.sub(
        r"^ *```.*?^ *```|^    .*?$", "", path.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL
    )
    text = re.sub(r"`[^`\n]*`|\"[^\"\n]*\"|<!--.*?-->", "", text, flags=re.DOTALL)
    assert not list(_banned(text))


def test_messages_have_one_word_for_one_thing() -> None:
    found = [
        (str(path.relative_to(ROOT)), *banned)
        for path in MODULES
        for text in _texts(path)
        for banned in _banned(re.sub(r"`[^`]*`", "", text))
    ]
    assert not found


def test_docstrings_and_comments_have_one_word_for_one_thing() -> None:
    found = [
        (str(path.relative_to(ROOT)), *banned)
        for path in PACKAGE
        for text in (*_docstrings(path), *_comments(path))
        for banned in _banned(re.sub(r"``.*?``|`[^`]*`|\"[^\"]*\"", "", text))
    ]
    assert not found


@pytest.mark.parametrize("rule", BUILTIN_RULES, ids=lambda rule: str(rule.id))
def test_a_rule_has_one_word_for_one_thing(rule: Rule) -> None:
    assert not list(_banned(f"{rule.reason}\n{rule.remedy}"))


def test_a_banned_word_is_found() -> None:
    said = "It isn't so: the behaviour of the back-off"
    assert [word for word, _ in _banned(said)] == ["isn't", "behaviour", "back-off"]


def _banned(text: str) -> Iterator[tuple[str, str]]:
    for pattern, instead in BANNED.items():
        for match in re.finditer(pattern, text, re.IGNORECASE):
            yield match[0], instead


def _docstrings(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield str(node.value.value)


def _comments(path: Path) -> Iterator[str]:
    with tokenize.open(path) as source:
        for token in tokenize.generate_tokens(source.readline):
            if token.type == tokenize.COMMENT:
                yield token.string


def _texts(path: Path) -> Iterator[str]:
    """Yield the texts of a module that are no docstrings."""
    tree = ast.parse(path.read_text("utf-8"))
    strings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
        if is_text and id(node) not in strings:
            assert isinstance(node, ast.Constant)
            yield str(node.value)

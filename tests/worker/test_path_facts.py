from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from ts_retry_ext.worker.path_facts import (
    CLOSED,
    DIRECTORY,
    FILE,
    MISSING,
    PACKED_BYTES,
    PathFacts,
    difference,
    look_at,
    unpacked,
)

THERE = PathFacts(FILE, content=1, rights=2, stamp=3, link=0, names=1, readable=1)


@pytest.mark.parametrize(
    ("before", "now", "became"),
    [
        (THERE, THERE, None),
        (PathFacts(MISSING), THERE, "appeared"),
        (THERE, PathFacts(MISSING), "vanished"),
        (PathFacts(MISSING), PathFacts(MISSING, link=7), "points elsewhere"),
        (THERE._replace(link=5), PathFacts(MISSING, link=5), "vanished"),
        (THERE._replace(link=5), PathFacts(MISSING, link=6), "points elsewhere"),
        (PathFacts(CLOSED), THERE, "became readable"),
        (PathFacts(CLOSED), PathFacts(MISSING), "can be looked for, and is missing"),
        (THERE._replace(readable=0), THERE._replace(rights=9), "became readable"),
        (THERE, THERE._replace(readable=0, rights=9), None),
        (THERE, PathFacts(CLOSED), None),
        (THERE._replace(link=5), THERE._replace(link=6), "points elsewhere"),
        (THERE, THERE._replace(content=9, stamp=9), "was changed"),
        (THERE, THERE._replace(kind=DIRECTORY), "was changed"),
        (THERE, THERE._replace(rights=9, stamp=9), "has other rights"),
        (THERE, THERE._replace(stamp=9), "was changed"),
        (THERE, THERE._replace(stamp=9, names=2), None),
        (PathFacts(DIRECTORY, content=1), PathFacts(DIRECTORY, content=2), "was mounted"),
    ],
)
def test_two_looks_differ_in_words(before: PathFacts, now: PathFacts, became: str | None) -> None:
    assert difference(before, now) == became


def test_facts_are_kept_in_a_few_bytes() -> None:
    most = 0xFFFFFFFF
    facts = PathFacts(CLOSED, most, most, most, most, 255, 1)
    assert len(facts.packed()) == PACKED_BYTES < 24
    assert unpacked(facts.packed()) == facts


def test_what_cannot_be_there_is_missing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for name in ("nothing", "file/below", "loop", "a\0b", "n" * 5000):
        seen = look_at(f"{tmp_path}/{name}")
        assert seen is not None
        assert seen.facts.kind == MISSING


@pytest.mark.parametrize(
    "code", [errno.EIO, errno.ESTALE, errno.ENOTCONN, errno.ETIMEDOUT, errno.EHOSTDOWN]
)
def test_a_file_system_without_an_answer_tells_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """No such file system can be made without privileges, so the call is replaced."""

    def broken(path: str) -> os.stat_result:
        raise OSError(code, os.strerror(code), path)

    monkeypatch.setattr(os, "lstat", broken)
    assert look_at(str(tmp_path)) is None


@pytest.mark.skipif(os.geteuid() == 0, reason="root may look everywhere")
def test_what_may_not_be_looked_at_is_closed(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").write_text("x")
    (tmp_path / "a").chmod(0)
    seen = look_at(str(tmp_path / "a" / "b"))
    (tmp_path / "a").chmod(0o700)
    assert seen is not None
    assert seen.facts == PathFacts(CLOSED)

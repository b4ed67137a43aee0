from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from ts_retry_ext.store.atomic import (
    MAX_FILE_BYTES,
    UntrustedFileError,
    make_private_directory,
    read_json,
    set_aside,
    write_json,
)

KILLED_WRITER = """
import os, sys
from ts_retry_ext.store.atomic import write_json
real = os.replace
def die(*names):
    os.kill(os.getpid(), 9)
os.replace = die
write_json(sys.argv[1], {"schema": 1, "who": "second"})
"""


def test_what_was_written_is_read_and_private(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    write_json(str(path), {"schema": 1, "text": "ä\n"})
    assert read_json(str(path)) == {"schema": 1, "text": "ä\n"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_its_owner_may_read_it_whatever_the_umask_of_a_handler(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    before = os.umask(0o777)
    try:
        write_json(str(path), {"schema": 1})
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_writer_killed_before_the_rename_leaves_the_old_file_whole(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    write_json(str(path), {"schema": 1, "who": "first"})
    killed = subprocess.run([sys.executable, "-c", KILLED_WRITER, str(path)], check=False)
    assert killed.returncode == -9
    assert read_json(str(path)) == {"schema": 1, "who": "first"}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "torn or not JSON"),
        (b'{"schema": 1', "torn or not JSON"),
        (b"\xff\xfe", "torn or not JSON"),
        (b"[" * 100_000, "torn or not JSON"),
        (b"[1]", "schema None"),
        (b"{}", "schema None"),
        (b'{"schema": 2}', "schema 2, this version of ts-retry-ext reads 1"),
        (b'{"schema": 1}' + b" " * MAX_FILE_BYTES, "larger than"),
    ],
)
def test_a_file_that_is_not_whole_and_ours_is_not_trusted(
    tmp_path: Path, content: bytes, problem: str
) -> None:
    path = tmp_path / "file.json"
    path.write_bytes(content)
    with pytest.raises(UntrustedFileError) as caught:
        read_json(str(path))
    assert problem in str(caught.value)
    assert str(path) in str(caught.value)
    assert Path(set_aside(str(path))).read_bytes() == content
    assert read_json(str(path)) is None


def test_nothing_too_large_to_be_read_again_is_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at most"):
        write_json(str(tmp_path / "file.json"), {"schema": 1, "text": "x" * MAX_FILE_BYTES})
    assert not list(tmp_path.iterdir())


def test_a_link_in_the_place_of_the_temporary_file_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("mine")
    (tmp_path / f"file.json.{os.getpid()}.tmp").symlink_to(target)
    with pytest.raises(OSError, match="symbolic links"):
        write_json(str(tmp_path / "file.json"), {"schema": 1})
    assert target.read_text() == "mine"


def test_directories_are_made_private_and_those_of_others_refused(tmp_path: Path) -> None:
    path = tmp_path / "private"
    make_private_directory(str(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o700
    path.chmod(0o755)
    make_private_directory(str(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o700
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="not a directory"):
        make_private_directory(str(tmp_path / "file"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory to somebody else")
def test_a_directory_of_another_user_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "theirs"
    path.mkdir()
    os.chown(path, 12345, 12345)
    with pytest.raises(PermissionError, match="belongs to user id 12345"):
        make_private_directory(str(path))


def test_the_text_on_disk_is_plain_json(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    write_json(str(path), {"schema": 1, "n": 1.5})
    assert json.loads(path.read_bytes()) == {"schema": 1, "n": 1.5}


def test_what_a_killed_writer_left_goes_with_the_next_write_that_comes_later(
    tmp_path: Path,
) -> None:
    old, new, foreign = (tmp_path / name for name in ("f.json.1.tmp", "f.json.2.tmp", "g.3.tmp"))
    for path in (old, new, foreign):
        path.write_text("torn")
    for path in (old, foreign):
        os.utime(path, (0, 0))
    write_json(str(tmp_path / "f.json"), {"schema": 1})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["f.json", new.name, foreign.name]


def test_a_link_in_the_place_of_a_directory_of_ours_is_refused(tmp_path: Path) -> None:
    """In a shared directory somebody else may have put it there, to one whose mode we would set."""
    target = tmp_path / "target"
    target.mkdir(mode=0o755)
    (tmp_path / "link").symlink_to(target)
    with pytest.raises(OSError, match="symbolic link"):
        make_private_directory(str(tmp_path / "link"))
    assert stat.S_IMODE(target.stat().st_mode) == 0o755


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory to somebody else")
def test_what_root_writes_stays_readable_for_the_user_that_the_server_runs_as(
    tmp_path: Path,
) -> None:
    os.chown(tmp_path, 4711, 4712)
    write_json(str(tmp_path / "file.json"), {"schema": 1})
    status = (tmp_path / "file.json").stat()
    assert (status.st_uid, status.st_gid, status.st_mode & 0o777) == (4711, 4712, 0o600)

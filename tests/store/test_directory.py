from __future__ import annotations

import ctypes
import errno
import fcntl
import json
import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from ts_retry_ext.store.directory import (
    ServerRun,
    create_server_directory,
    model_directories,
    model_directory,
    read_server_run,
    server_directory,
    server_runs,
    why_unreadable,
)

RUN = ServerRun(
    pid=4711,
    start="0c0ffee0-1a2b",
    started_at=1795448245.67,
    config_file="/srv/config.properties",
    cwd="/srv",
    management_address="http://127.0.0.1:8081",
    torchserve="0.12.0",
)
SPOILT = json.dumps({**RUN._asdict(), "schema": 1, "started_at": "then"})


def test_a_run_is_found_again_and_told_apart_from_one_with_the_same_process_id(
    tmp_path: Path,
) -> None:
    first = create_server_directory(str(tmp_path / "state"), RUN)
    second = create_server_directory(str(tmp_path / "state"), RUN._replace(start="0c0ffee0-1a2c"))
    assert first != second
    assert create_server_directory(str(tmp_path / "state"), RUN) == first
    assert set(server_runs(str(tmp_path / "state"))) == {first, second}
    assert read_server_run(first) == RUN


def test_newest_run_is_the_one_that_began_last_whatever_is_written_into_the_others(
    tmp_path: Path,
) -> None:
    first = create_server_directory(str(tmp_path), RUN)
    second = create_server_directory(str(tmp_path), RUN._replace(start="0c0ffee0-1a2c"))
    os.utime(os.path.join(first, "server.json"), (1000, 1000))
    os.utime(second, (1000, 1000))
    assert server_runs(str(tmp_path)) == [second, first]


@pytest.mark.parametrize("moved", [-86400.0, -1.0, 1.0, 86400.0])
def test_a_run_is_the_same_when_the_clock_was_set_in_between(tmp_path: Path, moved: float) -> None:
    first = create_server_directory(str(tmp_path), RUN)
    again = RUN._replace(started_at=RUN.started_at + moved)
    assert create_server_directory(str(tmp_path), again) == first
    assert server_directory(str(tmp_path), RUN.pid, RUN.start) == first
    assert read_server_run(first) == RUN


def test_a_state_directory_that_is_there_keeps_its_mode_and_what_is_made_in_it_is_private(
    tmp_path: Path,
) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o755)
    made = Path(create_server_directory(str(shared), RUN))
    assert stat.S_IMODE(shared.stat().st_mode) == 0o755
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    new = tmp_path / "parents" / "too"
    create_server_directory(str(new), RUN)
    assert stat.S_IMODE(new.stat().st_mode) == 0o700


@pytest.mark.parametrize("content", ["", "{}", '{"schema": 9}', '{"schema": 1, "pid": 1}', SPOILT])
def test_a_run_whose_description_is_spoilt_is_unknown_not_an_error(
    tmp_path: Path, content: str
) -> None:
    directory = create_server_directory(str(tmp_path), RUN)
    Path(directory, "server.json").write_text(content)
    assert read_server_run(directory) is None


@pytest.mark.parametrize(
    "name", ["../../etc", "/abs", "..", "a b", "ünïcode", "x" * 300, "", ".hidden", "a\nb", "a\0b"]
)
def test_no_name_of_a_model_leads_out_of_the_directory(tmp_path: Path, name: str) -> None:
    path = model_directory(str(tmp_path), name, "/tmp/models/0123")
    assert os.path.dirname(path) == str(tmp_path)
    assert os.path.basename(path).isascii()
    os.mkdir(path)
    assert model_directories(str(tmp_path)) == [path]


def test_two_registrations_of_one_model_have_two_directories(tmp_path: Path) -> None:
    first = model_directory(str(tmp_path), "m", "/tmp/models/0123")
    assert first != model_directory(str(tmp_path), "m", "/tmp/models/4567")
    assert first == model_directory(str(tmp_path), "m", "/tmp/models/0123")


def test_what_is_not_there_is_empty(tmp_path: Path) -> None:
    assert server_runs(str(tmp_path / "none")) == []
    assert model_directories(str(tmp_path / "none")) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a link of somebody else's")
def test_a_link_of_another_user_is_refused_whosever_the_directory_is(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    link = tmp_path / "link"
    link.symlink_to("own")
    assert create_server_directory(str(link), RUN)
    os.lchown(link, 12345, 12345)
    with pytest.raises(PermissionError, match="belongs to user id 12345"):
        create_server_directory(str(link), RUN)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make what belongs to somebody else")
def test_where_what_we_make_belongs_to_nobody_every_process_refuses_it_the_first_too() -> None:
    """As on NFS with root_squash: the first worker must not use a place that the next one refuses."""
    libc = ctypes.CDLL(None)
    with tempfile.TemporaryDirectory() as folder:  # Unlike pytest's, its parents are open to all.
        os.chmod(folder, 0o777)
        state = os.path.join(folder, "state")
        libc.setfsuid(65534)
        try:
            for _ in range(2):
                with pytest.raises(PermissionError, match="belongs to user id 65534"):
                    create_server_directory(state, RUN)
        finally:
            libc.setfsuid(0)
        assert not os.path.exists(state)


@pytest.mark.skipif(os.geteuid() != 0, reason="takes root to be somebody else")
def test_runs_of_another_user_are_told_as_unreadable(tmp_path: Path) -> None:
    create_server_directory(str(tmp_path), RUN)
    for folder in (tmp_path, *list(tmp_path.parents)[:3]):
        folder.chmod(folder.stat().st_mode | 0o055)
    code = (
        "import os\n"
        "from ts_retry_ext.store.directory import why_unreadable\n"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534); os.chdir('/')\n"
        f"print(why_unreadable({str(tmp_path)!r}))\n"
        f"print(why_unreadable({str(tmp_path / 'private' / 'state')!r}))"
    )
    (tmp_path / "private" / "state").mkdir(parents=True)
    (tmp_path / "private").chmod(0o700)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    own, below = done.stdout.splitlines()
    assert own.endswith(
        "may not be read by user id 65534, it belongs to 0: run this as the server's user"
    )
    assert below.endswith("may not be read by user id 65534: run this as the server's user")
    assert why_unreadable(str(tmp_path)) is None
    assert why_unreadable(str(tmp_path / "none")) is None


def test_a_place_where_files_cannot_be_locked_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unlockable(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", unlockable)
    with pytest.raises(OSError, match="No locks available"):
        create_server_directory(str(tmp_path / "state"), RUN)


@pytest.mark.parametrize(
    ("path", "is_one"), [("/a\0b", False), ("\ud800", False), ("/a\udcff", True)]
)
def test_a_path_that_no_system_can_have_is_not_ours(
    tmp_path: Path, path: str, is_one: bool
) -> None:
    """`status` looks for logs beside it, and ended with a traceback. Bytes of another encoding are a path's."""
    directory = create_server_directory(str(tmp_path), RUN._replace(cwd=path))
    assert (read_server_run(directory) is not None) is is_one

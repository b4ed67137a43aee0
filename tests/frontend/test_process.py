from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Iterator

import psutil
import pytest

from ts_retry_ext.frontend.frontends_here import running_frontends
from ts_retry_ext.frontend.process import (
    MAIN_CLASS,
    frontend_at,
    frontend_of,
    is_alive,
    start_of,
    user_id_of,
)

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="takes root to be somebody else")

SLEEP = "import subprocess, sys, time; print(flush=True); time.sleep(60)"
PARENT = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(child.pid, flush=True)
child.wait()
"""


@pytest.fixture
def frontend(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A process with the main class on its command line, and the id of its child."""
    process = subprocess.Popen(
        [sys.executable, "-c", PARENT, MAIN_CLASS, "-f", "config.properties"],
        cwd=tmp_path,
        env={**os.environ, "LOG_LOCATION": "/var/log/ts"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    child = int(process.stdout.readline())
    yield process, child
    psutil.Process(child).kill()
    process.wait(60)
    process.stdout.close()


def test_the_frontend_is_found_among_the_ancestors(
    frontend: tuple[subprocess.Popen[str], int], tmp_path: Path
) -> None:
    process, child = frontend
    found = frontend_of(child)
    assert found is not None
    assert found.pid == process.pid
    assert found.cwd == str(tmp_path)
    assert found.cmdline[-2:] == ("-f", "config.properties")
    assert found.environ["LOG_LOCATION"] == "/var/log/ts"
    assert found == frontend_at(process.pid)
    assert found in running_frontends()


def test_the_start_time_is_the_one_psutil_tells(
    frontend: tuple[subprocess.Popen[str], int],
) -> None:
    found = frontend_at(frontend[0].pid)
    assert found is not None
    assert abs(found.started_at - psutil.Process(frontend[0].pid).create_time()) < 1


def test_a_process_without_such_an_ancestor_has_no_frontend() -> None:
    assert frontend_of(os.getpid()) is None
    assert frontend_at(os.getpid()) is None


def test_a_process_that_ended_is_not_alive_even_while_its_parent_has_not_noticed() -> None:
    process = subprocess.Popen([sys.executable, "-c", "pass"])
    start = start_of(process.pid)
    assert start is not None
    until = time.monotonic() + 60
    while is_alive(process.pid, start) and time.monotonic() < until:
        time.sleep(0.01)
    assert psutil.Process(process.pid).status() == psutil.STATUS_ZOMBIE
    assert not is_alive(process.pid, start)
    process.wait()
    assert start_of(process.pid) is None


def test_another_process_under_a_reused_id_is_not_the_same() -> None:
    start, parents = start_of(os.getpid()), start_of(os.getppid())
    assert start is not None
    assert parents is not None
    assert is_alive(os.getpid(), start)
    assert not is_alive(os.getpid(), parents)


@as_root
def test_the_user_of_a_process_is_told() -> None:
    code = "import os, time; os.setuid(4711); print(flush=True); time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        assert user_id_of(process.pid) == 4711
        assert user_id_of(os.getpid()) == os.geteuid()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()  # type: ignore[union-attr]


def test_nothing_is_made_for_a_server_whose_directory_is_gone(
    frontend: tuple[subprocess.Popen[str], int], tmp_path: Path
) -> None:
    """Some deployments remove the release that a server was started in."""
    process, _ = frontend
    tmp_path.rmdir()
    found = frontend_at(process.pid)
    assert found is not None
    with pytest.raises(FileNotFoundError):
        os.makedirs(os.path.join(found.cwd, "logs"), exist_ok=True)
    assert list(tmp_path.parent.glob("*deleted*")) == []


#: A frontend of root's, whose child runs as another user.
_OF_ANOTHER_USER = """
import os
from ts_retry_ext.frontend.process import frontend_of, hidden_frontend_of
pid = os.fork()
if pid == 0:
    os.setgid(65534)
    os.setuid(65534)
    print(frontend_of(os.getpid()), hidden_frontend_of(os.getpid()) == os.getppid())
else:
    os.waitpid(pid, 0)
"""


@as_root
def test_a_frontend_of_another_user_is_named_though_it_cannot_be_looked_into() -> None:
    command = [sys.executable, "-c", _OF_ANOTHER_USER, MAIN_CLASS]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    assert done.stdout == "None True\n"

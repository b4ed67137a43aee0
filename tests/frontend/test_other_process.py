from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ts_retry_ext.frontend import other_process
from ts_retry_ext.frontend.other_process import (
    Deaths,
    cwd_of,
    has_other_root,
    is_suspended,
    sees_path,
)
from ts_retry_ext.frontend.process import start_of

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="takes root to have other files")


@as_root
def test_path_is_looked_for_where_the_process_sees_it(tmp_path: Path) -> None:
    """A service of systemd with ``PrivateTmp`` has a ``/tmp`` of its own."""
    script = f"mount -t tmpfs none {tmp_path} && touch {tmp_path}/own && echo && cat"
    with subprocess.Popen(
        ["unshare", "-m", "sh", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        if not process.stdout.readline():
            pytest.skip("no mount may be made here")
        assert not (tmp_path / "own").exists()
        assert sees_path(process.pid, str(tmp_path / "own"))
        assert not sees_path(process.pid, str(tmp_path / "other"))
    assert sees_path(process.pid, str(tmp_path / "other")), "of one that is gone nothing is known"


def test_working_directory_of_a_process_is_told_while_it_runs(tmp_path: Path) -> None:
    code = "import sys; sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=tmp_path, stdin=subprocess.PIPE
    ) as process:
        assert cwd_of(process.pid) == str(tmp_path)
    assert cwd_of(process.pid) is None


@as_root
def test_process_in_a_container_has_another_root(tmp_path: Path) -> None:
    code = "import os, sys; os.chroot(sys.argv[1]); print(flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert has_other_root(process.pid)
    assert not has_other_root(process.pid), "of one that is gone nothing is known"
    assert not has_other_root(os.getpid())


def test_a_stopped_process_is_suspended_until_it_goes_on() -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        assert not is_suspended(process.pid)
        process.send_signal(signal.SIGSTOP)
        _wait_until(process.pid, suspended=True)
        process.send_signal(signal.SIGCONT)
        _wait_until(process.pid, suspended=False)
        process.kill()
    assert not is_suspended(process.pid)


def _wait_until(pid: int, *, suspended: bool) -> None:
    until = time.monotonic() + 60
    while is_suspended(pid) is not suspended:
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_process_has_died_by_the_first_time_it_was_seen_dead() -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        start = start_of(process.pid) or ""
        seen = Deaths()
        assert seen(process.pid, start) is None
        process.kill()
    first = seen(process.pid, start)
    assert first == pytest.approx(time.time(), abs=5)
    time.sleep(0.3)
    assert seen(process.pid, start) == pytest.approx(first, abs=0.1)
    # One that looks for the first time knows no more than that it is dead now.
    assert Deaths()(process.pid, start) == pytest.approx(time.time(), abs=0.1)


def test_the_oldest_deaths_give_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(other_process, "_MOST_DEATHS", 2)
    seen = Deaths()
    for pid in (4_000_001, 4_000_002, 4_000_003):
        seen(pid, "")
    time.sleep(0.3)
    assert seen(4_000_003, "") == pytest.approx(time.time() - 0.3, abs=0.2)
    assert len(seen._seen) == 2

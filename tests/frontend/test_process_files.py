from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ts_retry_ext.frontend.process_files import cwd_of, has_other_root, sees_path

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

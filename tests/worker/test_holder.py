from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from ts_retry_ext.frontend.process import MAIN_CLASS

ROOT = Path(__file__).parents[2]


def _command(folder: Path, end: str) -> list[str]:
    return [sys.executable, "-m", "tests.worker.holding_on", str(folder), end, MAIN_CLASS]


@pytest.mark.parametrize(
    ("end", "status"),
    [("closed", 0), ("resumed", 1), ("replaced", 1), ("unregistered", 1), ("faulty", 1)],
)
def test_a_holder_ends_with_the_status_of_torchserves_own_worker(
    tmp_path: Path, end: str, status: int
) -> None:
    """After a 0 torchrun lets its ranks be; after a 1 it starts them once more."""
    done = subprocess.run(
        _command(tmp_path, end), cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout.split() == [str(status)], done.stderr


def test_a_holder_that_nobody_connects_to_ends_with_its_frontend(tmp_path: Path) -> None:
    command = _command(tmp_path, "unheard")
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as frontend:
        assert frontend.stdout is not None
        holder = psutil.Process(int(frontend.stdout.readline()))
        for _ in range(2):  # its process id and "Torch worker started."
            frontend.stdout.readline()
        frontend.kill()
        frontend.wait()
        _, alive = psutil.wait_procs([holder], timeout=60)
        for process in alive:
            process.kill()
        assert not alive

"""A handler that takes something away from its process and fails then: what the journal knows of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ts_retry_ext.frontend.process import MAIN_CLASS
from ts_retry_ext.worker.in_hand import UNJUDGED_REASON

ROOT = Path(__file__).parents[2]
REFUSED = "raise ConnectionRefusedError(111, 'Connection refused')"
MISSING = "import acme_missing_module"
ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="only root can")


def run(folder: Path, act: str, fail: str, workers: int) -> dict[str, Any]:
    """Let workers fail, and return what is left of it."""
    command = [sys.executable, "-m", "tests.worker.leaving", str(folder), act, fail, str(workers)]
    done = subprocess.run(
        [*command, MAIN_CLASS], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    left: dict[str, Any] = json.loads(done.stdout)
    return {**left, "said": done.stderr}


@pytest.mark.parametrize(
    "act",
    [
        pytest.param("os.setgid(65534); os.setuid(65534)", marks=ROOT_ONLY),
        pytest.param("os.chroot(os.getcwd()); os.chdir('/')", marks=ROOT_ONLY),
        "k = []; exec('try:\\n while True: k.append(open(os.devnull))\\nexcept OSError: pass')",
        "import resource as r; r.setrlimit(r.RLIMIT_NOFILE, (len(os.listdir('/proc/self/fd')),) * 2)",
        "os.closerange(3, 4096)",
        "os.closerange(3, 4096); k = [open(os.devnull) for _ in range(50)]",
        "import builtins, io; no = lambda *a, **k: 1 / 0; builtins.open = io.open = os.open = os.stat = no",
        "import json; json.dumps = json.loads = lambda *a, **k: None",
        "time.time = lambda: 'never'; time.time_ns = time.strftime = time.gmtime = None",
        "import builtins; builtins.__import__ = lambda *a, **k: 1 / 0",
        "sys.path.clear()",
        "sys.modules.clear()",
        "sys.setrecursionlimit(60)",
        "os.environ.clear(); os.chdir('/')",
    ],
)
def test_whatever_a_handler_took_away_its_failure_is_judged(tmp_path: Path, act: str) -> None:
    tmp_path.chmod(0o755)
    left = run(tmp_path, act, REFUSED, 3)
    assert left["failures"] == [["failure", "connection-errno"]] * 3, left["said"]
    assert not any(left["held"])


@pytest.mark.parametrize(
    "act",
    [
        "os.closerange(3, 4096)",
        "import json; json.dumps = json.loads = lambda *a, **k: None",
        "sys.path.clear()",
        "sys.setrecursionlimit(60)",
        "os.environ.clear(); os.chdir('/')",
    ],
)
def test_and_one_that_no_retry_cures_halts_the_model(tmp_path: Path, act: str) -> None:
    left = run(tmp_path, act, MISSING, 2)
    assert left["failures"] == [["failure", "module-missing"]], left["said"]
    assert left["held"] == [False, True]
    assert not [name for name in left["files"] if name.startswith(("note", "stack"))]


def test_what_can_be_written_nowhere_counts_for_nothing_and_the_next_worker_says_so(
    tmp_path: Path,
) -> None:
    act = "import resource as r; r.setrlimit(r.RLIMIT_FSIZE, (0, 0))"
    left = run(tmp_path, act, REFUSED, 5)
    assert left["failures"] == [["failure", UNJUDGED_REASON]] * 4
    assert not any(left["held"])
    assert (
        left["said"].count("failed in phase initialize with ConnectionRefusedError and could") == 4
    )
    assert len([name for name in left["files"] if name.startswith("note")]) == 1


def test_an_interrupted_load_is_a_failure(tmp_path: Path) -> None:
    left = run(tmp_path, "pass", "raise KeyboardInterrupt", 1)
    assert [event for event, _ in left["failures"]] == ["failure"]


def test_a_failure_that_cannot_be_judged_is_one_that_counts_for_nothing(tmp_path: Path) -> None:
    act = "import ts_retry_ext.worker.recorder as r; r.record_exception = None"
    left = run(tmp_path, act, MISSING, 4)
    assert left["failures"] == [["failure", UNJUDGED_REASON]] * 4
    assert not any(left["held"])


def test_a_relative_path_is_one_of_the_directory_that_the_handler_went_to(tmp_path: Path) -> None:
    left = run(tmp_path, "os.chdir('/usr')", "open('acme/weights.bin')", 1)
    assert left["failures"] == [["failure", "file-missing-on-host-by-text"]], left["said"]
    assert "path:/usr/acme/weights.bin" in left["waits_for"]

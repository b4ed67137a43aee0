"""Many workers of one model fail at the same moment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.faults.effort import examples
from ts_retry_ext.frontend.process import MAIN_CLASS

ROOT = Path(__file__).parents[2]
WORKERS = 64


def test_workers_that_fail_at_once_each_load_once_and_lose_nothing(tmp_path: Path) -> None:
    """None of them counts for another: a cause that is unknown halts none at its first failure."""
    rounds = examples(1, 10)
    for number in range(rounds):
        folder = tmp_path / str(number)
        folder.mkdir()
        command = [sys.executable, "-m", "tests.faults.crowding", str(folder), MAIN_CLASS]
        done = subprocess.run(
            [*command, str(WORKERS)], cwd=ROOT, env={**os.environ, "TEMP": str(folder)},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-2000:]
        unknown, known = (json.loads(line) for line in done.stdout.splitlines())
        assert unknown["ended"] == known["ended"] == [0] * WORKERS, done.stderr[-2000:]
        assert unknown["totals"] == known["totals"] == [WORKERS] * 3
        assert (unknown["rule"], known["rule"]) == (None, "module-missing")
        for told in (unknown, known):
            assert told["torn"] == 0
            assert set(told["files"]) <= {"journal.jsonl", "lock", "marker.json", "watched.json"}

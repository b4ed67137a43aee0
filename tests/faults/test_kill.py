"""A worker is killed while it writes to the store."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.faults.effort import examples
from ts_retry_ext.frontend.process import MAIN_CLASS

#: Worker starts, loads and failures that a worker adds which finds its predecessor dead and fails itself.
ADDS = (1, 1, 2)
ROOT = Path(__file__).parents[2]


def _killed(folder: Path, journal: str, stride: int) -> list[dict[str, Any]]:
    """Return what workers left that were killed at every `stride`-th moment, and one that was not."""
    command = [sys.executable, "-m", "tests.faults.killing", str(folder), journal, str(stride)]
    done = subprocess.run([*command, MAIN_CLASS], cwd=ROOT, capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("journal", ["short", "full", "torn"])
def test_a_worker_killed_at_any_moment_loses_nothing_and_halts_nothing_by_halves(
    tmp_path: Path, journal: str
) -> None:
    stride = 1 if journal == "torn" else examples(2, 1)
    *killed, whole = _killed(tmp_path, journal, stride)
    # A worker keeps its journal and lock open, so few calls change the store.
    assert len(killed) >= (5 if journal == "torn" else 30 // stride)
    assert {left["killed"] for left in killed} == {-9}
    assert (whole["killed"], whole["holds"]) == (0, True)
    for left in killed:
        before, after, then = left["before"], left["after"], left["then"]
        added = [new - old for old, new in zip(before["totals"], after["totals"])]
        assert all(0 <= got <= most for got, most in zip(added, ADDS)), left
        # A marker is there whole, or not at all; the next worker holds where it is, and loads where it is not.
        assert after["rule"] in (None, "module-missing")
        assert left["holds"] == (after["rule"] is not None)
        assert then["rule"] == after["rule"]
        # The lock went with the process, and the next worker could write at once.
        assert then["totals"][0] == after["totals"][0] + 1
        assert then["totals"][2] >= after["totals"][2]
    failures = [left["after"]["totals"][2] for left in killed]
    assert failures == sorted(failures)

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ts_retry_ext.frontend.process import MAIN_CLASS

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("phase", "held", "rule", "events"),
    [
        ("load", [False, False, False, True], "process-died", ["load", "crash"]),
        ("startup", [False, False, False, False], None, ["end", "start"]),
        ("scaled", [False, False, False, False], None, ["start", "load"]),
        ("unjudged", [False, False, False, False], None, ["load", "end"]),
    ],
)
def test_only_a_death_without_a_word_in_a_load_speaks_against_the_model(
    tmp_path: Path, phase: str, held: list[bool], rule: str | None, events: list[str]
) -> None:
    command = [sys.executable, "-m", "tests.worker.dying", str(tmp_path), phase, MAIN_CLASS]
    environ = {**os.environ, "TS_RETRY_MAX_HARD_CRASHES": "1" if phase == "scaled" else "3"}
    done = subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    left: dict[str, Any] = json.loads(done.stdout)
    assert left["held"] == held, done.stderr
    assert left["rule"] == rule
    assert left["events"][-2:] == events

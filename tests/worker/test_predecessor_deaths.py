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


def run(folder: Path, phase: str, **environ: str) -> dict[str, Any]:
    """Let workers die, and return which of them held and what is left."""
    command = [sys.executable, "-m", "tests.worker.dying", str(folder), phase, MAIN_CLASS]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    left: dict[str, Any] = json.loads(done.stdout)
    return {**left, "said": done.stderr}


@pytest.mark.parametrize(
    ("phase", "held", "rule", "events"),
    [
        ("load", [False, False, False, True], "process-died", ["load", "crash"]),
        ("startup", [False, False, False, False], None, ["end", "start"]),
        ("scaled", [False, False, False, False], None, ["start", "load"]),
        ("unjudged", [False, False, False, False], None, ["load", "failure"]),
        ("twice", [False, False, False, False], None, ["load", "start"]),
    ],
)
def test_only_a_death_without_a_word_in_a_load_speaks_against_the_model(
    tmp_path: Path, phase: str, held: list[bool], rule: str | None, events: list[str]
) -> None:
    left = run(tmp_path, phase, TS_RETRY_MAX_HARD_CRASHES="1" if phase == "scaled" else "3")
    assert left["held"] == held
    assert left["rule"] == rule
    assert left["events"][-2:] == events


def test_a_rank_that_the_whole_server_was_given_makes_no_group_of_its_workers(
    tmp_path: Path,
) -> None:
    """Some clusters set LOCAL_RANK for whatever they start; torchrun is not this worker's parent then."""
    assert run(tmp_path, "load", LOCAL_RANK="0")["held"] == [False, False, False, True]


def test_an_order_that_cannot_be_is_named(tmp_path: Path) -> None:
    assert "wrote 'start' after 'load'" in run(tmp_path, "twice")["said"]

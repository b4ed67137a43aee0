"""A short run of `tests.faults.fuzz`; docs/reliability.md tells of long ones."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.faults.effort import examples

pytestmark = pytest.mark.skipif(
    find_spec("atheris") is None, reason="atheris has no wheel for this Python and machine"
)


def test_inputs_that_reach_new_code_break_no_promise() -> None:
    runs = str(examples(200, 100_000))
    command = [sys.executable, "-m", "tests.faults.fuzz", "all", "--seed", "1", "--runs", runs]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, capture_output=True, text=True, cwd=root)
    assert done.returncode == 0, done.stderr[-4000:]
    assert "number_of_executed_units" in done.stderr

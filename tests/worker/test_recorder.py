from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ts_retry_ext.frontend.process import MAIN_CLASS

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("cause", "beside", "then"),
    [
        ("unknown", "", "halted"),
        ("unknown", "loaded", "goes on"),
        # One that is about to load it shows nothing yet.
        ("unknown", "load", "halted"),
        # A rule knows more than that others serve.
        ("known", "loaded", "halted"),
    ],
)
def test_a_failure_that_repeats_halts_nothing_while_another_worker_has_the_model(
    cause: str, beside: str, then: str, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "tests.worker.failing_again", str(tmp_path), cause, beside]
    done = subprocess.run(
        [*command, MAIN_CLASS], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout.strip() == then, done.stderr

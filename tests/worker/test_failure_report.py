from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from ts_retry_ext.frontend.process import MAIN_CLASS

ROOT = str(Path(__file__).resolve().parents[2])
PROGRAM = """
import os, sys
sys.path.insert(0, {root!r})
from tests.faults.killing import fail_to_load, in_child, lay_out, open_worker

def worker():
    session = open_worker(model_dir)
    used = os.environ.pop("STORE_PASSWORD")
    os.environ["STORE_TOKEN"] = "of-this-worker-alone"
    fail_to_load(session, RuntimeError("refused: " + used + ", " + os.environ["STORE_TOKEN"]))

model_dir = lay_out(os.getcwd())
assert in_child(worker) == 0
"""


def test_a_secret_that_the_handler_took_out_of_its_environment_is_told_nowhere(
    tmp_path: Path,
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(root=ROOT), MAIN_CLASS],
        cwd=tmp_path,
        env={**os.environ, "STORE_PASSWORD": "correct-horse-battery"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (journal,) = (tmp_path / "logs").rglob("journal.jsonl")
    assert "RuntimeError" in journal.read_text()
    for told in (journal.read_text(), done.stderr):
        assert "correct-horse-battery" not in told
        assert "of-this-worker-alone" not in told

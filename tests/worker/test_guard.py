"""The guard around ``TsModelLoader.load``, in a process of its own with a loader like TorchServe's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from ts_retry_ext.frontend.process import MAIN_CLASS

ROOT = str(Path(__file__).resolve().parents[2])
PROGRAM = """
import os, sys, types
sys.path.insert(0, {root!r})
from tests.faults.killing import in_child, lay_out, left, open_worker
from ts_retry_ext.worker.guard import LoadGuard

class TsModelLoader:
    def load(self, name):
        if name == "whole":
            try:
                TsModelLoader().load("part")
            except KeyError:
                pass
            TsModelLoader().load("sound part")
        elif name == "part":
            import no_such_module_anywhere
        return name

def worker():
    guard = LoadGuard(open_worker(model_dir))
    guard.install()
    guard._wrap(types.SimpleNamespace(TsModelLoader=TsModelLoader))
    try:
        TsModelLoader().load("whole")
    except ModuleNotFoundError:
        pass

model_dir = lay_out(os.getcwd())
assert in_child(worker) == 0
print(left(os.path.dirname(model_dir))["events"])
"""


def test_what_a_handler_loads_within_its_load_is_a_part_of_it(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROGRAM.format(root=ROOT), MAIN_CLASS]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "['start', 'load', 'failure']", done.stderr
    handled = PROGRAM.format(root=ROOT).replace("except KeyError", "except ImportError")
    (tmp_path / "handled").mkdir()
    command = [sys.executable, "-c", handled, MAIN_CLASS]
    done = subprocess.run(
        command, cwd=tmp_path / "handled", capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "['start', 'load', 'loaded']", done.stderr

"""The guard around ``TsModelLoader.load``, in a process of its own with a loader like TorchServe's."""

from __future__ import annotations

import os
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

IMPORTS_MEANWHILE = """
import importlib, os, sys, threading
sys.path.append({root!r})
from tests.faults.killing import in_child, lay_out, open_worker
from ts_retry_ext.worker.guard import LoadGuard

def worker():
    session = open_worker(model_dir)
    session.asynchronous = True
    guard = LoadGuard(session)
    guard.install()
    failed = []
    over = False
    def imports():
        while not over:
            sys.modules.pop("part_of_the_archive", None)
            try:
                importlib.import_module("part_of_the_archive")
            except ImportError as error:
                failed.append(error)
    thread = threading.Thread(target=imports)
    thread.start()
    for _ in range(100):
        guard.loaded()
    over = True
    thread.join()
    return not failed

model_dir = lay_out(os.getcwd())
assert in_child(worker) == 0
"""


def test_threads_of_an_asynchronous_model_import_from_the_archive_while_it_is_noted_as_loaded(
    tmp_path: Path,
) -> None:
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive" / "part_of_the_archive.py").write_text("")
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS_MEANWHILE.format(root=ROOT), MAIN_CLASS],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "archive")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


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

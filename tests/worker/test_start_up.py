"""What the start of a worker costs whose model is sound: modules, which are most of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.faults.killing import lay_out
from ts_retry_ext.frontend.process import MAIN_CLASS

ROOT = Path(__file__).resolve().parents[2]
#: Stands for the frontend: the parent of a worker whose start says what it has imported.
FRONTEND = "import subprocess, sys; sys.exit(subprocess.run(sys.argv[2:]).returncode)"
#: Begins with what TorchServe's own script imports anyway, torch included (0.12.0, torch 2).
WORKER = """
import __future__, argparse, ast, binascii, contextlib, ctypes, dataclasses, datetime, enum, functools
import fcntl, gc, inspect, json, logging, mmap, os, platform, re, signal, socket, struct, subprocess, sys, tempfile, textwrap, typing, uuid
sys.path.insert(0, {root!r})
before = set(sys.modules)
from ts_retry_ext_start import start
start()
print(json.dumps(sorted(set(sys.modules) - before)))
"""
#: So many of the package's modules a start imports today, each about 0.3 million instructions.
MOST_MODULES = 42
#: What the start of a worker has no use for when nothing has ever failed.
FOR_FAILURES = {
    *("archive.model_config", "archive.schedule", "frontend.server"),
    *(
        "plain_text",
        "store.event_order",
        "store.marker",
        "store.journal_totals",
        "store.worker_states",
    ),
    *("worker.marker_in_force", "worker.other_workers"),
}


def test_a_start_imports_little_and_nothing_that_torchserve_does_not(tmp_path: Path) -> None:
    script = tmp_path / "model_service_worker.py"
    script.write_text(WORKER.format(root=str(ROOT)))
    worker = [sys.executable, "-S", str(script), "--sock-type", "unix", "--sock-name", "/tmp/.s.9"]
    done = subprocess.run(
        [sys.executable, "-S", "-c", FRONTEND, MAIN_CLASS, *worker],
        cwd=lay_out(str(tmp_path)), capture_output=True, text=True, check=True,
    )  # fmt: skip
    imported = set(json.loads(done.stdout))
    own = {name for name in imported if name.startswith("ts_retry_ext")}
    assert "ts_retry_ext.worker.guard" in own, done.stderr
    assert not own & {f"ts_retry_ext.{name}" for name in FOR_FAILURES}
    assert len(own) <= MOST_MODULES, sorted(own)
    assert imported - own <= {"faulthandler"}
    assert done.stderr == ""

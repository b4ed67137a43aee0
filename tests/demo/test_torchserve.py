"""Starting and ending the server, with a stand-in for Java where TorchServe itself is not the point."""

from __future__ import annotations

import os
import time
from pathlib import Path

import psutil
import pytest

from ts_retry_ext.demo import DemoError
from ts_retry_ext.demo.packing import STORE
from ts_retry_ext.demo.torchserve import TorchServe, start


def started(root: Path, java: str) -> TorchServe:
    """Start TorchServe with a Java that is a shell script."""
    program = root / "java" / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\n{java}\n")
    program.chmod(0o755)
    (root / STORE).mkdir()
    temp = str(root)
    environ = {**os.environ, "JAVA_HOME": str(root / "java"), "TEMP": temp, "TMPDIR": temp}
    return start(root, ["m"], environ)


def test_a_server_that_does_not_start_is_an_error_with_the_end_of_its_log(tmp_path: Path) -> None:
    server = started(tmp_path, "seq 100; echo no memory for the heap; exit 1")
    with pytest.raises(DemoError, match="TorchServe ended") as caught:
        server.wait_until_it_answers(lambda: None)
    lines = caught.value.log.splitlines()
    assert lines[-1] == "no memory for the heap"
    assert len(lines) == 30
    server.stop()


def test_stop_ends_every_process_even_those_that_will_not(tmp_path: Path) -> None:
    server = started(tmp_path, "trap '' TERM; sleep 300 & touch here; while :; do sleep 1; done")
    until = time.monotonic() + 60
    while not (tmp_path / "run" / "here").exists() and time.monotonic() < until:
        server.check()
        time.sleep(0.05)
    launcher = psutil.Process(server.launcher.pid)
    group = [launcher, *launcher.children(recursive=True)]
    assert len(group) >= 3
    server.stop()
    assert psutil.wait_procs(group, timeout=60)[1] == []


def test_a_model_that_nobody_serves_gives_no_answer(tmp_path: Path) -> None:
    server = started(tmp_path, "exit 0")
    assert server.predict("m", b"x") is None
    server.stop()

"""What a load may do with crashes of its own process, while ours are captured too."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

ROOT = str(Path(__file__).resolve().parents[2])
PROLOGUE = """
import ctypes, faulthandler, os, signal, sys, time
sys.path.insert(0, {root!r})
from ts_retry_ext.worker.crash_capture import CrashCapture
SIGSEGV, IGNORE = int(signal.SIGSEGV), 1
libc = ctypes.CDLL(None)
libc.signal.restype = ctypes.c_void_p
capture = CrashCapture(".", 1)
capture.start()
capture.expect_end_within({timeout})
"""


def run(
    folder: Path, load: str, then: str, timeout: float = 100, **environ: str
) -> tuple[int, str, str]:
    """Run `load` while a load is captured and `then` after it; return status, output and errors."""
    code = [PROLOGUE.format(root=ROOT, timeout=timeout), dedent(load), "capture.stop()"]
    code.append('assert not os.path.exists("stack-1.txt")')
    command = [sys.executable, "-c", "\n".join([*code, dedent(then)])]
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout.strip(), done.stderr


def test_after_an_ordinary_load_the_process_is_as_it_was(tmp_path: Path) -> None:
    then = """
        print(faulthandler.is_enabled(), libc.signal(SIGSEGV, None))
    """
    status, told, errors = run(tmp_path, "pass", then)
    assert (status, told.splitlines()[0]) == (0, "False None"), errors


def test_a_handler_in_c_that_came_with_the_load_stays(tmp_path: Path) -> None:
    """As a Java machine's does, which lives on SIGSEGV."""
    then = "print(libc.signal(SIGSEGV, None))"
    assert run(tmp_path, "libc.signal(SIGSEGV, IGNORE)", then)[:2] == (0, "1")


def test_a_crash_after_a_load_that_brought_a_handler_is_told_on_standard_error(
    tmp_path: Path,
) -> None:
    load = "libc.signal(int(signal.SIGFPE), IGNORE)"
    status, _, errors = run(tmp_path, load, "faulthandler._sigsegv()")
    assert status == -11
    assert "Fatal Python error: Segmentation fault" in errors


@pytest.mark.parametrize("load", ["faulthandler.enable(own)", "faulthandler.enable()"])
def test_a_model_that_captures_crashes_itself_goes_on_doing_so(tmp_path: Path, load: str) -> None:
    own = 'own = open("own.txt", "wb", buffering=0)'
    status, told, errors = run(
        tmp_path,
        f"{own}\n{load}",
        "print(faulthandler.is_enabled(), flush=True)\nfaulthandler._sigsegv()",
    )
    assert (status, told) == (-11, "True")
    assert "Segmentation fault" in errors + (tmp_path / "own.txt").read_text()


def test_a_model_that_watches_for_its_own_hangs_goes_on_doing_so(tmp_path: Path) -> None:
    load = 'own = open("own.txt", "wb"); faulthandler.dump_traceback_later(0.2, file=own)'
    assert run(tmp_path, load, "time.sleep(1)")[0] == 0
    assert "Timeout" in (tmp_path / "own.txt").read_text()


def test_a_model_that_closes_every_descriptor_still_loads(tmp_path: Path) -> None:
    assert run(tmp_path, "os.closerange(3, 64)", "print('on')")[:2] == (0, "on")


def test_a_load_that_takes_too_long_leaves_its_stack(tmp_path: Path) -> None:
    load = """
        def waits():
            time.sleep(1)
        waits()
        stack = open("stack-1.txt").read()
    """
    status, told, _ = run(tmp_path, load, "print('in waits' in stack)", timeout=0.5)
    assert (status, told) == (0, "True")


def test_where_the_interpreter_tells_of_crashes_one_in_a_load_still_has_a_stack(
    tmp_path: Path,
) -> None:
    """Many images set PYTHONFAULTHANDLER."""
    status, _, errors = run(tmp_path, "faulthandler._sigsegv()", "", PYTHONFAULTHANDLER="1")
    assert status == -11
    assert "Segmentation fault" in (tmp_path / "stack-1.txt").read_text()
    assert "Segmentation fault" not in errors


def test_after_the_load_the_interpreter_tells_of_crashes_as_before(tmp_path: Path) -> None:
    status, _, errors = run(tmp_path, "pass", "faulthandler._sigsegv()", PYTHONFAULTHANDLER="1")
    assert status == -11
    assert "Segmentation fault" in errors


def test_a_process_that_is_forked_during_the_load_can_end(tmp_path: Path) -> None:
    load = """
        forked = os.fork()
        if forked == 0:
            sys.exit(0)
        until = time.monotonic() + 60
        while not os.waitpid(forked, os.WNOHANG)[0]:
            if time.monotonic() > until:
                os.kill(forked, signal.SIGKILL)
                sys.exit("the child does not end")
            time.sleep(0.02)
    """
    assert run(tmp_path, load, "print('on')")[:2] == (0, "on")


def test_a_load_that_forks_and_then_takes_too_long_leaves_its_stack(tmp_path: Path) -> None:
    load = """
        if os.fork() == 0:
            os._exit(0)
        def waits():
            time.sleep(1)
        waits()
        stack = open("stack-1.txt").read()
    """
    status, told, _ = run(tmp_path, load, "print('in waits' in stack)", timeout=0.5)
    assert (status, told) == (0, "True")


def test_a_forked_process_tells_of_its_own_crash_where_the_interpreter_does(tmp_path: Path) -> None:
    load = """
        forked = os.fork()
        if forked == 0:
            faulthandler._sigsegv()
        os.waitpid(forked, 0)
    """
    status, _, errors = run(tmp_path, load, "print('on')", PYTHONFAULTHANDLER="1")
    assert status == 0
    assert "Segmentation fault" in errors

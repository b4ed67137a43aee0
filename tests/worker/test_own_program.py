from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

#: Leaves a watch behind that makes the file that it is told, and waits for a line.
_WATCHED = """
import sys
from ts_retry_ext.worker.own_program import start_if_killed, take_leave
watch = start_if_killed(["/usr/bin/env", "touch", sys.argv[1]])
print("watched", flush=True)
sys.stdin.readline()
take_leave(watch)
"""


@pytest.fixture
def watched(tmp_path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", _WATCHED, str(tmp_path / "made")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "watched\n"
    return process


@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGTERM])
def test_what_is_to_take_the_place_of_a_killed_process_starts(
    watched: subprocess.Popen[str], tmp_path: Path, by: signal.Signals
) -> None:
    watched.send_signal(by)
    # All that hold its standard output have let it go: the frontend reads it to the end.
    assert watched.communicate(timeout=60)[0] == ""
    until = time.monotonic() + 60
    while not (tmp_path / "made").exists() and time.monotonic() < until:
        time.sleep(0.01)
    assert (tmp_path / "made").exists()


def test_nothing_starts_where_a_process_takes_leave(
    watched: subprocess.Popen[str], tmp_path: Path
) -> None:
    watched.communicate("\n", timeout=60)
    assert watched.returncode == 0
    time.sleep(0.3)  # What must not come has no condition to wait for.
    assert not (tmp_path / "made").exists()


@pytest.mark.skipif(sys.version_info < (3, 10), reason="the interpreter does not say it")
def test_our_programs_are_given_the_options_of_the_workers_interpreter(tmp_path: Path) -> None:
    told = "from ts_retry_ext.worker.own_program import *\ndef main(): print(interpreter_options())"
    (tmp_path / "told.py").write_text(told)
    code = (
        f"import sys; sys.path.append({str(tmp_path)!r}); import os, told; told.main();"
        "sys.stdout.flush(); os.execv(sys.executable, told.own_command('told'))"
    )
    options = ["-X", "utf8", "-B", "-W", "ignore"]
    command = [sys.executable, *options, "-c", code]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    assert done.stdout.splitlines() == [repr(options)] * 2

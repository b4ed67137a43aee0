"""The wall clock is set forward or back while a server runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ts_retry_ext.frontend.process import MAIN_CLASS, frontend_at, start_of

#: What a process sees of the process `argv[1]` once the clock was set.
LOOK = """
import sys
from ts_retry_ext.frontend.process import frontend_at, is_alive, start_of
pid, start = int(sys.argv[1]), sys.argv[2]
found = frontend_at(pid)
print(start_of(pid) == start, is_alive(pid, start), found is not None and found.start == start)
print(found and found.started_at)
"""
FRONTEND = "import sys; print(flush=True); sys.stdin.read()"


def _boot_time() -> tuple[str, int]:
    content = Path("/proc/stat").read_text()
    line = next(line for line in content.splitlines() if line.startswith("btime "))
    return content, int(line.split()[1])


def _with_clock_set(step: int, folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command that sees the moment of boot as after the clock was set by `step` seconds.

    ``/proc/stat`` tells that moment as the wall clock less the uptime. A file takes its place in a
    mount namespace of the command's own; the machine's clock stays as it is.
    """
    content, btime = _boot_time()
    moved = folder / "stat"
    moved.write_text(content.replace(f"btime {btime}\n", f"btime {btime + step}\n"))
    mounted = 'mount --bind "$0" /proc/stat || exit 99; exec "$@"'
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", mounted, str(moved), *command],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 99 or "unshare" in done.stderr:
        pytest.skip(f"nothing can be mounted over /proc/stat here: {done.stderr.strip()}")
    return done


@pytest.mark.skipif(sys.platform != "linux", reason="macOS keeps the start of a process as a time")
@pytest.mark.parametrize("step", [-86_400, -5, 5, 86_400])
def test_a_process_is_the_same_after_the_clock_was_set(tmp_path: Path, step: int) -> None:
    """Else a worker would find neither its server's directory nor its marker."""
    with subprocess.Popen(
        [sys.executable, "-c", FRONTEND, MAIN_CLASS],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        process.stdout.readline()
        start, before = start_of(process.pid), frontend_at(process.pid)
        assert start is not None
        assert before is not None
        command = (sys.executable, "-c", LOOK, str(process.pid), start)
        seen = _with_clock_set(step, tmp_path, *command)
    same, started_at = seen.stdout.splitlines()
    assert same == "True True True"
    # The fault is there: the time since the epoch has moved.
    assert float(started_at) - before.started_at == pytest.approx(step, abs=2)

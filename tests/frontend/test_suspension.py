from __future__ import annotations

import signal
import subprocess
import time

from ts_retry_ext.frontend.suspension import is_suspended


def test_a_stopped_process_is_suspended_until_it_goes_on() -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        assert not is_suspended(process.pid)
        process.send_signal(signal.SIGSTOP)
        _wait_until(process.pid, suspended=True)
        process.send_signal(signal.SIGCONT)
        _wait_until(process.pid, suspended=False)
        process.kill()
    assert not is_suspended(process.pid)


def _wait_until(pid: int, *, suspended: bool) -> None:
    until = time.monotonic() + 60
    while is_suspended(pid) is not suspended:
        assert time.monotonic() < until
        time.sleep(0.01)

"""Shut the server down, with the cause as its last word: what ``on_fatal: shutdown`` asks for.

A worker cannot do that itself: the frontend kills it as soon as its connection closes, and what it
says is lost with the frontend. So the worker that failed leaves a small process behind, which lets
the frontend log the failure, ends it, and says why when nobody else speaks any more.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

from ts_retry_ext.frontend.process import is_alive
from ts_retry_ext.store.marker import Marker, why_not_loaded
from ts_retry_ext.worker.output import PREFIX, one_line
from ts_retry_ext.worker.own_program import ROOT
from ts_retry_ext.worker.session import Session

#: Where Kubernetes looks for the reason of a container's end, and how much of it, in bytes.
TERMINATION_LOG = "/dev/termination-log"
MAX_TERMINATION_BYTES = 4096
#: How long the failed worker may take to end, and the frontend to write down its last lines, in
#: seconds.
WORKER_TIMEOUT = 5.0
SETTLING = 0.5
#: How long the frontend may take to end before it is killed, in seconds.
FRONTEND_TIMEOUT = 20.0
#: In the foreground the launcher, process 1 of many containers, ends right after the frontend.
_POLL = 0.01
_FRONTEND_LOG = "ts_log.log"


def leave_a_shutdown_behind(session: Session, marker: Marker) -> None:
    """Start the process that ends the server of `session`. Raises OSError."""
    frontend = session.frontend
    code = (
        f"import sys; sys.path.insert(0, {ROOT!r}); from {__name__} import main; main(sys.argv[1:])"
    )
    facts = (session.pid, session.start, frontend.pid, frontend.start)
    logs = os.path.join(session.configuration.log_dir, _FRONTEND_LOG)
    text = PREFIX + one_line(
        f"TorchServe was stopped, because model {marker.model!r} cannot be loaded: {why_not_loaded(marker)}"
    )
    # Isolated: neither the archive nor the worker's environment has a say in it.
    subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", code, *map(str, facts), logs, text],
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def main(arguments: list[str]) -> None:
    """End the frontend, and tell why.

    Args:
        arguments: process id and start of the worker, then of the frontend; the frontend's own log
            file; what to say.
    """
    worker, worker_start, frontend, frontend_start, log, text = arguments
    _wait_for_end(int(worker), worker_start, WORKER_TIMEOUT)
    time.sleep(SETTLING)
    with suppress(OSError):  # It is there in a container of Kubernetes.
        termination = os.open(TERMINATION_LOG, os.O_WRONLY | os.O_TRUNC)
        try:
            os.write(termination, text.encode("utf-8", "replace")[:MAX_TERMINATION_BYTES])
        finally:
            os.close(termination)
    places = [_opened(f"/proc/{frontend}/fd/1"), _opened(log)]
    if is_alive(int(frontend), frontend_start):
        os.kill(int(frontend), signal.SIGTERM)
    if not _wait_for_end(int(frontend), frontend_start, FRONTEND_TIMEOUT):
        os.kill(int(frontend), signal.SIGKILL)
        _wait_for_end(int(frontend), frontend_start, FRONTEND_TIMEOUT)
    for descriptor in places:
        if descriptor is not None:
            try:
                os.write(descriptor, (text + "\n").encode("utf-8", "replace"))
            except OSError:
                continue


def _wait_for_end(pid: int, start: str, timeout: float) -> bool:
    """Wait for the end of a process; False where it is still there after `timeout` seconds."""
    until = time.monotonic() + timeout
    while is_alive(pid, start):
        if time.monotonic() > until:
            return False
        time.sleep(_POLL)
    return True


def _opened(path: str) -> int | None:
    """Open what the frontend writes to, at its end; None where that cannot be."""
    try:
        return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError:
        return None

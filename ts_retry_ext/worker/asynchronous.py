"""Do for a model with ``asyncCommunication: true`` what the frontend does not: retry a failed load.

When such a worker ends during its load, its thread in the frontend waits for a request that never
comes: no retry, no report (0.12.0 AsyncWorkerThread.run). A worker that neither answers nor ends is
replaced after ``startupTimeout``, and from then on by the frontend's window. So a worker whose load
failed stays, and tries again by itself for that long; one that is not to load any more holds.
"""

from __future__ import annotations

import os
import select
import socket
import sys
import time
from types import FrameType
from typing import Any

from ts_retry_ext.worker.isolation import Isolated
from ts_retry_ext.worker.marker_in_force import applicable_marker
from ts_retry_ext.worker.output import say
from ts_retry_ext.worker.session import Session

#: Names the connection that a process kept while it started over: descriptor, process id, model.
KEPT = "_TS_RETRY_CONNECTION"
#: No load is begun this close to the frontend's time-out, in seconds.
MARGIN = 5.0


def connection_in_use() -> socket.socket | None:
    """Return the socket that the calling ``handle_connection`` serves (0.12.0 worker script)."""
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        if frame.f_code.co_name in ("handle_connection", "handle_connection_async"):
            found = frame.f_locals.get("cl_socket")
            return found if isinstance(found, socket.socket) else None
        frame = frame.f_back
    return None


class Retries:
    """The further loads of one worker process, on the frontend's schedule."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._until = time.monotonic() + session.startup_timeout() - MARGIN
        self._window = session.retry_window()
        self._failures = 0
        self._first_failure = 0.0

    def wait_for_next(self) -> bool:
        """Wait as the frontend would, and return whether to load again.

        Where the model is not to be loaded any more, this process becomes a holder and the call
        does not return. False where the frontend is gone, or gave no connection to stay on.
        """
        connection = connection_in_use()
        if connection is None:
            return False
        if applicable_marker(self._session) is not None:
            start_over_with(connection, self._session)
        with Isolated():
            from ts_retry_ext.archive.schedule import is_open, wait_before
        now = time.monotonic()
        self._failures += 1
        self._first_failure = self._first_failure or now
        pause = wait_before(self._failures)
        if now + pause > self._until or not is_open(now - self._first_failure, self._window):
            say(
                f"model {self._session.name!r} is not loaded again by this worker; TorchServe may start another"
            )
            _wait_for_end(connection, None)
            return False
        say(f"model {self._session.name!r} is loaded again in {pause} s")
        return not _wait_for_end(connection, pause)


def end_with_connection() -> None:
    """End this process as soon as the frontend has closed the connection. Never raises.

    TorchServe ends only the thread that reads from it; the others wait for ever, with the model in
    memory (0.12.0 AsyncService.receive_requests). A frontend that was killed ends nobody itself.
    """
    service = sys.modules.get("ts.async_service")
    stock = getattr(service, "retrieve_msg", None)
    if stock is None:
        return

    def retrieve(connection: socket.socket) -> Any:
        try:
            return stock(connection)
        except (SystemExit, OSError):
            os._exit(0)

    setattr(service, "retrieve_msg", retrieve)  # noqa: B010 - a module may hold anything


def start_over_with(connection: socket.socket, session: Session) -> None:
    """Run this interpreter's command again, as a holder on a connection that has sent LOAD. Raises OSError."""
    from ts_retry_ext.worker.own_program import start_over

    os.set_inheritable(connection.fileno(), True)
    os.environ[KEPT] = f"{connection.fileno()}:{session.pid}:{session.name}"
    start_over()


def kept_connection(session: Session) -> socket.socket | None:
    """Return the connection that this process kept while it started over, or None."""
    descriptor, _, rest = os.environ.pop(KEPT, "").partition(":")
    pid, _, name = rest.partition(":")
    if pid != str(session.pid):
        return None
    session.name = name
    connection = socket.socket(fileno=int(descriptor))
    connection.set_inheritable(False)
    return connection


def _wait_for_end(connection: socket.socket, timeout: float | None) -> bool:
    """Wait; True as soon as the frontend has closed the connection."""
    readable, _, _ = select.select([connection], [], [], timeout)
    if not readable:
        return False
    try:
        return not connection.recv(1, socket.MSG_PEEK)
    except OSError:
        return True

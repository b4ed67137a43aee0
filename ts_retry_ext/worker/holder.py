"""Hold: take the worker's place, answer LOAD with the root cause, wait for a reason to load again.

The frontend never retries a worker that answered LOAD with an error while it keeps its connection
open (0.12.0 WorkerThread). A holder does just that, before torch is imported. One that rejects
answers LOAD with 200 instead, and each request with the cause.
"""

from __future__ import annotations

import os
import signal
import socket
import sys

from ts_retry_ext.store import journal
from ts_retry_ext.store.marker import Marker
from ts_retry_ext.worker.command_line import WorkerAddress
from ts_retry_ext.worker.holding import FILES_CHANGED, Holding
from ts_retry_ext.worker.output import say
from ts_retry_ext.worker.protocol import LOAD, DisconnectedError, read_command, read_load
from ts_retry_ext.worker.rejection import REJECT
from ts_retry_ext.worker.session import Session

#: As long as TorchServe's own worker waits for the frontend (SOCKET_ACCEPT_TIMEOUT), in seconds.
ACCEPT_TIMEOUT = 30.0
#: TorchServe's worker ends with this status whatever happened; so does a holder.
EXIT_STATUS = 1


def hold(session: Session, marker: Marker) -> None:
    """Take the place of the worker script, until the marker goes or the frontend does.

    Returns when the process should end. Never imports torch or the model.

    Raises:
        OSError: the socket cannot be opened, or no frontend connects.
        ValueError: the frontend speaks another protocol.
    """
    # Ctrl-C at a server in the foreground reaches workers too; a traceback would help nobody.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    listener = _listen(session.address)
    try:
        os.write(1, b"[PID]%d\nTorch worker started.\n" % session.pid)
        listener.settimeout(ACCEPT_TIMEOUT)
        connection, _ = listener.accept()
        connection.setblocking(True)
        try:
            if read_command(connection) != LOAD:
                msg = "the frontend's first message is not LOAD"
                raise ValueError(msg)
            session.name = read_load(connection).model_name
            hold_connection(session, marker, connection)
        except DisconnectedError:
            say(f"model {session.name!r}: the frontend went before it sent LOAD")
        finally:
            connection.close()
    finally:
        listener.close()
        if session.address.path is not None:
            _remove_quietly(session.address.path)


def hold_connection(session: Session, marker: Marker, connection: socket.socket) -> None:
    """Answer the LOAD that came over `connection`, and wait. Returns when holding is over."""
    kind = {"asynchronous": True} if session.asynchronous else {}
    _note(session, journal.HOLD, fingerprint=marker.fingerprint, **kind)
    told = describe(session.name, marker)
    say(told)
    holding = Holding(session, marker, connection)
    why = holding.until_released(told)
    _note(session, journal.RELEASE, reason=why)
    say(f"model {session.name!r} is no longer held: {why}")
    try:
        holding.give_up_waiting()
    except OSError:
        pass  # The frontend has gone, and its clients with it.
    if session.asynchronous and why == FILES_CHANGED:
        from ts_retry_ext.worker.asynchronous import wait_for_replacement

        wait_for_replacement(connection)


def _note(session: Session, event: str, **fields: object) -> None:
    """Write an event to the journal; a full disk is no reason to load the model again."""
    try:
        session.record(event, **fields)
    except OSError as error:
        say(f"could not write {event!r} to the journal: {error}")


def describe(model: str, marker: Marker) -> str:
    """Return the line for the log: model, cause, rule, fingerprint, and how to resume."""
    cause = f"{marker.exception.get('type')}: {marker.exception.get('message')}"
    decided = marker.basis if marker.rule is None else f"{marker.basis} {marker.rule}"
    so = "requests are rejected with 503" if marker.action == REJECT else "not loaded again"
    return (
        f"model {model!r} is held, {so}: {cause[:400]} "
        f"[{decided}, fingerprint {marker.fingerprint}] {marker.reason[:300]} "
        f"Remedy: {marker.remedy[:300]} Then run: ts-retry resume {model}"
    )


def _listen(address: WorkerAddress) -> socket.socket:
    if address.path is not None:
        _remove_quietly(address.path)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(address.path)
    else:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address.host, address.port))
    listener.listen(1)
    return listener


def _remove_quietly(path: str) -> None:
    try:
        os.remove(path)
    except OSError:
        pass


def leave() -> None:
    """End the process now: the worker script below us must not run."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(EXIT_STATUS)

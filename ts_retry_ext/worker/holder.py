"""Hold: take the worker's place, answer LOAD with the root cause, wait for a reason to load again.

The frontend never retries a worker that answered LOAD with an error while it keeps its connection
open (0.12.0 WorkerThread). A holder does just that, before torch is imported. One that rejects
answers LOAD with 200 instead, and each request with the cause.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import time

from ts_retry_ext.frontend.process import is_alive
from ts_retry_ext.settings import OnFatal
from ts_retry_ext.store.atomic import remove_quietly
from ts_retry_ext.store.halt_in_words import end_of_halt, state_word
from ts_retry_ext.store.marker import Marker, why_not_loaded
from ts_retry_ext.store.record import Event
from ts_retry_ext.worker.command_line import WorkerAddress
from ts_retry_ext.worker.holding import CLOSED, REPLACED, Holding, marker_identity
from ts_retry_ext.worker.marker_in_force import clear_marker
from ts_retry_ext.worker.output import say
from ts_retry_ext.worker.own_program import leave_behind, waiter_command
from ts_retry_ext.worker.protocol import (
    LOAD,
    DisconnectedError,
    LoadRequest,
    read_command,
    read_load,
)
from ts_retry_ext.worker.session import Session

#: As long as TorchServe's own worker waits for the frontend (SOCKET_ACCEPT_TIMEOUT), in seconds.
ACCEPT_TIMEOUT = 30.0
#: How often a holder that no frontend has connected to looks whether that lives, in seconds.
LIFE_INTERVAL = 0.5
#: TorchServe's worker ends with 0 where the frontend closed the connection, else with 1
#: (``ts/protocol/otf_message_handler.py``, ``ts/model_service_worker.py``); so does a holder. The
#: frontend sees no difference, but torchrun starts its ranks once more after a 1, and those would
#: wait for a frontend that may be gone.
DISCONNECTED_STATUS, EXIT_STATUS = 0, 1


def hold_and_leave(
    session: Session, marker: Marker, connection: socket.socket | None = None
) -> None:
    """Hold, on a connection that has sent LOAD already if there is one, and end the process."""
    try:
        if connection is not None:
            status = hold_connection(session, marker, connection)
        else:
            status = hold(session, marker)
    except (OSError, ValueError) as error:
        say(f"could not hold, the frontend will start another worker: {error!r}")
        status = EXIT_STATUS
    except Exception as error:
        _let_the_next_one_load(session, error)
        status = EXIT_STATUS
    # Now: the worker script below us must not run.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _let_the_next_one_load(session: Session, error: Exception) -> None:
    """Remove the marker: else the next worker holds again, and meets the same bug of ours again."""
    try:
        clear_marker(session, f"it cannot be held: {error!r}")
    except OSError as problem:
        say(f"could not hold: {error!r}; the marker cannot be removed: {problem}")


def hold(session: Session, marker: Marker) -> int:
    """Take the place of the worker script, until the marker goes or the frontend does.

    Returns the exit code when the process should end. Never imports torch or the model.

    Raises:
        OSError: the socket cannot be opened, or no frontend connects.
        ValueError: the frontend speaks another protocol.
    """
    # Ctrl-C at a server in the foreground reaches workers too; a traceback would help nobody.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    listener = _listen(session.address)
    try:
        os.write(1, b"[PID]%d\nTorch worker started.\n" % session.pid)
        connection = _accept(listener, session)
        if connection is None:
            say(f"model {session.name!r} is no longer held: the frontend is gone")
            return DISCONNECTED_STATUS
        try:
            if read_command(connection) != LOAD:
                msg = "the frontend's first message is not LOAD"
                raise ValueError(msg)
            load = read_load(connection)
            session.name = load.model_name
            return hold_connection(session, marker, connection, load)
        except DisconnectedError:
            say(f"model {session.name!r}: the frontend went before it sent LOAD")
            return DISCONNECTED_STATUS
        finally:
            connection.close()
    finally:
        listener.close()
        if session.address.path is not None:
            remove_quietly(session.address.path)


def hold_connection(
    session: Session, marker: Marker, connection: socket.socket, load: LoadRequest | None = None
) -> int:
    """Answer the LOAD that came over `connection`, and wait.

    `load` is the message, None where another process, or the worker script, has read it.

    Returns the exit code when holding is over.
    """
    identity = marker_identity(session.directory)
    session.record_or_say(
        Event.HOLD, fingerprint=marker.fingerprint, asynchronous=session.asynchronous
    )
    told = held_line(session.name, marker)
    say(told)
    if marker.action == OnFatal.RETIRE or session.asynchronous:
        _leave_a_waiter_behind(session)
    # Only now: the frontend waits for the line that says the worker has started, and for nothing of this.
    from ts_retry_ext.worker.half_open import HalfOpen

    holding = Holding(session, marker, connection, HalfOpen(session, load), identity)
    why = holding.until_released(told)
    if why != REPLACED:  # Else who waits in its place is of the new package, if there is one.
        holding.take_leave()
    session.record_or_say(Event.RELEASE, reason=why)
    say(f"model {session.name!r} is no longer held: {why}")
    try:
        holding.give_up_waiting()
    except OSError:
        pass  # The frontend has gone, and its clients with it.
    return DISCONNECTED_STATUS if why == CLOSED else EXIT_STATUS


def _leave_a_waiter_behind(session: Session) -> None:
    """Let somebody wait with a model that no holder will be left of.

    It is about to be scaled to 0, or the frontend ends its holder after ``startupTimeout`` and, once the
    window is over, starts no other (0.12.0 AsyncWorkerThread).
    """
    try:
        leave_behind(waiter_command(session.frontend.pid))
    except OSError as error:
        say(f"nobody waits with model {session.name!r} once its holder is ended: {error}")


def _accept(listener: socket.socket, session: Session) -> socket.socket | None:
    """Wait for the frontend; None where it died instead. Raises OSError when it does not come."""
    frontend = session.frontend
    until = time.monotonic() + ACCEPT_TIMEOUT
    while is_alive(frontend.pid, frontend.start):
        readable, _, _ = select.select([listener], [], [], LIFE_INTERVAL)
        if readable:
            connection, _ = listener.accept()
            connection.setblocking(True)
            return connection
        if time.monotonic() > until:
            msg = f"no frontend connected within {ACCEPT_TIMEOUT:g} s"
            raise TimeoutError(msg)
    return None


def held_line(model: str, marker: Marker) -> str:
    """Return the line for the log: model, state, cause, rule, fingerprint, what ends it, the command."""
    state = state_word(marker.waits_for)
    rejects = marker.action == OnFatal.REJECT
    so = f"{state}, requests are rejected with 503" if rejects else state
    ends = end_of_halt(marker, time.time())
    command = f"To try it now: ts-retry resume {model}"
    return f"model {model!r} is held, {so}: {why_not_loaded(marker)} {ends} {command}"


def _listen(address: WorkerAddress) -> socket.socket:
    if address.path is not None:
        remove_quietly(address.path)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(address.path)
    else:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address.host, address.port))
    listener.listen(1)
    return listener

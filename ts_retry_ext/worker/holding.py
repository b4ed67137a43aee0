"""What a holder does between LOAD and its end: keep still, hold, or reject.

The frontend gives requests to any worker that has answered LOAD, with an error or not (0.12.0
BatchAggregator.pollBatch, Model.pollBatch). So a holder answers LOAD only when no other worker of
the model can serve: it would take requests away from those that do.
"""

from __future__ import annotations

import os
import select
import socket
import time
from typing import Sequence, Tuple

from ts_retry_ext.settings import OnFatal
from ts_retry_ext.store import journal
from ts_retry_ext.store.atomic import UntrustedFileError
from ts_retry_ext.store.directory import marker_path
from ts_retry_ext.store.marker import Marker, read_marker
from ts_retry_ext.store.record import FAILURES, Event, Record
from ts_retry_ext.store.times import to_seconds
from ts_retry_ext.store.trial_schedule import TIME
from ts_retry_ext.worker.other_workers import Siblings
from ts_retry_ext.worker.output import say
from ts_retry_ext.worker.own_program import start_if_killed, take_leave, waiter_command
from ts_retry_ext.worker.protocol import (
    HTTP_INTERNAL_ERROR,
    HTTP_OK,
    DisconnectedError,
    Request,
    plain_response,
)
from ts_retry_ext.worker.rejection import Rejection
from ts_retry_ext.worker.session import Session

TYPE_CHECKING = False  # not from typing, see worker/isolation.py
if TYPE_CHECKING:
    from ts_retry_ext.worker.half_open import HalfOpen

#: How often the marker is looked at, in seconds. One stat each: no measurable CPU.
MARKER_INTERVAL = 0.5
#: A request that a held worker was given is answered after this share of ``responseTimeout``: with
#: the time over, the frontend would end the worker and say nothing but "Worker died.".
PATIENCE = 0.9
_MAX_REPLY = 2000
CLOSED = "the frontend closed the connection"
REPLACED = "the package was replaced or uninstalled"
_PACKAGE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "__init__.py")


#: Names one marker file: inode, and when it was written, in nanoseconds since the epoch.
MarkerIdentity = Tuple[int, int]
_NOBODYS: MarkerIdentity = (0, 0)


class Holding:
    """One worker that has received LOAD and will not load.

    `identity` is that of the marker's file, from before anybody could know that this process holds.
    """

    def __init__(
        self,
        session: Session,
        marker: Marker,
        connection: socket.socket,
        half_open: HalfOpen,
        identity: MarkerIdentity,
    ) -> None:
        self._session = session
        self._marker = marker
        self._connection = connection
        self._half_open = half_open
        self._marker_identity = identity
        self._package = _identity(_PACKAGE, None)
        self._registered = session.registration.partition("#")[0]
        self._siblings = Siblings(session.directory, session.launch)
        self._rejection = Rejection(session.name, marker)
        # With asyncCommunication a worker that served once is never used again (docs/torchserve-defects.md).
        self._rejects = marker.action == OnFatal.REJECT and not session.asynchronous
        self._window_ends_at = window_ends_at(
            journal.read(session.directory), session.retry_window()
        )
        self._is_shut_down = False
        self._is_watched = False
        self._watch: tuple[int, int] | None = None
        self._answered = False
        self._waiting: list[Request] = []
        self._deadline = 0.0

    def until_released(self, told: str) -> str:
        """Answer LOAD with `told`, block until there is a reason to stop holding, and return it in words."""
        path = marker_path(self._session.directory)
        identity: MarkerIdentity | None = self._marker_identity
        try:
            while True:
                self._look_after_frontend(told)
                now = _identity(path, identity)
                if now != identity:
                    why = self._news_of_marker(removed=now is None)
                    if why is not None:
                        return why
                    identity = now
                if _identity(_PACKAGE, self._package) != self._package:
                    return REPLACED
                if _is_gone(self._registered):
                    return "the model was unregistered"
                self._half_open.look(self._marker, only_asked=self._would_disturb())
                if self._half_open.lets_go:
                    return "the model may be loaded, and the marker cannot be removed"
                self._shut_down_if_due()
                self._leave_a_watch_if_due()
                if self._answered and self._siblings.serve():
                    return "another worker of the model serves requests"
                readable, _, _ = select.select([self._connection], [], [], MARKER_INTERVAL)
                if readable:
                    self._hear()
        except (DisconnectedError, ConnectionError):
            return CLOSED

    def take_leave(self) -> None:
        """Let nobody take this process's place: it ends because it is to."""
        if self._watch is not None:
            take_leave(self._watch)

    def give_up_waiting(self) -> None:
        """Answer the requests in hand, at the end of holding. Raises OSError."""
        if self._waiting:
            self._rejection.refuse(self._connection, self._waiting)
            self._waiting = []

    @property
    def _window_is_over(self) -> bool:
        return self._window_ends_at is not None and time.time() > self._window_ends_at

    def _would_disturb(self) -> bool:
        """Tell whether bringing this worker back would cost those that serve something.

        After the window that takes new workers for all of them.
        """
        return self._window_is_over and self._siblings.serve()

    def _shut_down_if_due(self) -> None:
        """End the server at the end of the window, where that is asked for and evidence is weak."""
        marker = self._marker
        due = marker.action == OnFatal.SHUTDOWN and TIME in marker.waits_for
        if not due or self._is_shut_down or not self._window_is_over or self._siblings.may_serve():
            return
        self._is_shut_down = True
        from ts_retry_ext.worker.shutdown import leave_a_shutdown_behind

        leave_a_shutdown_behind(self._session, marker)

    def _leave_a_watch_if_due(self) -> None:
        """Let somebody wait with the model should this process be killed once the window is over.

        Before that, the frontend starts the next worker; from then on it starts none.
        """
        if self._is_watched or not self._window_is_over:
            return
        self._is_watched = True
        try:
            self._watch = start_if_killed(waiter_command(self._session.frontend.pid))
        except OSError as error:
            say(f"nobody waits with model {self._session.name!r} if this holder is killed: {error}")

    def _look_after_frontend(self, told: str) -> None:
        """Answer what is due: LOAD, and requests whose time runs out."""
        if not self._answered and not self._siblings.may_serve():
            self._answered = True
            code = HTTP_OK if self._rejects else HTTP_INTERNAL_ERROR
            self._connection.sendall(plain_response(code, told[:_MAX_REPLY]))
        if self._waiting and time.monotonic() > self._deadline:
            self.give_up_waiting()

    def _hear(self) -> None:
        """Read one message: a request, or the end of the connection."""
        requests = self._rejection.receive(self._connection)
        if self._rejects:
            self._rejection.answer(self._connection, requests)
        else:
            self._waiting += requests
            self._deadline = time.monotonic() + PATIENCE * self._session.response_timeout()

    def _news_of_marker(self, *, removed: bool) -> str | None:
        """Return why a change of the marker ends holding, or None where it does not."""
        if removed:
            return "the marker was removed"
        try:
            successor = read_marker(self._session.directory)
        except (UntrustedFileError, OSError):
            successor = None  # The next process says so: the last words of this one may be lost.
        same = successor is not None and successor.action == self._marker.action
        if successor is None or not same or not successor.means(self._session.launch):
            return "the marker was replaced"
        # Another worker added itself, or a trial load failed; this one is meant still.
        self._marker = successor
        self._rejection = Rejection(self._session.name, successor)
        return None


def window_ends_at(records: Sequence[Record], window_sec: float) -> float | None:
    """Return when the window of a model's first worker to fail ends, in seconds since the epoch.

    The frontend measures it from the first stop since the worker last answered LOAD with 200 (0.12.0
    WorkerThread). None if nothing has failed since. `store.back_off` knows more, and brings more along
    than a process that holds has room for.
    """
    first: str | None = None
    for record in records:
        if record.event is Event.LOADED:
            first = None
        elif first is None and record.event in FAILURES:
            first = record.at
    return None if first is None else to_seconds(first) + window_sec


def marker_identity(directory: str) -> MarkerIdentity:
    """Return what differs once the marker of a registration was replaced; nobody's where it is gone."""
    return _identity(marker_path(directory), _NOBODYS) or _NOBODYS


def _is_gone(path: str) -> bool:
    """Tell whether there is no such path, links not followed."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        pass
    return False


def _identity(path: str, before: tuple[int, int] | None) -> tuple[int, int] | None:
    """Return what differs once a file was replaced, None where it is gone.

    One that cannot be looked at (a mount that is away) is taken to be as `before`.
    """
    try:
        status = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        return before
    return (status.st_ino, status.st_mtime_ns)

"""Wait with a model that the frontend has given up: a process of its own, since no worker is left.

Once its window is over, the frontend starts no worker any more (0.12.0 WorkerThread.retry). So a
worker whose end may be the last one of the window leaves this process behind. It stands back while a
worker lives, ends as soon as one serves, and otherwise does what a holder does: it watches the cause
and gives the model its trial loads. It needs about as much memory as a holder.
"""

from __future__ import annotations

import os
import sys
import time
from typing import Sequence

from ts_retry_ext.frontend.other_process import Deaths
from ts_retry_ext.frontend.process import frontend_at, is_alive
from ts_retry_ext.settings import OnFatal
from ts_retry_ext.store import journal
from ts_retry_ext.store.atomic import file_identity
from ts_retry_ext.store.back_off import back_off
from ts_retry_ext.store.directory import WAITER_LOCK_FILE
from ts_retry_ext.store.journal import journal_path
from ts_retry_ext.store.lock import try_lock
from ts_retry_ext.store.marker import Marker, trusted_marker
from ts_retry_ext.store.record import HOLDING, Event, Record
from ts_retry_ext.store.retired import read_retired
from ts_retry_ext.store.times import to_seconds
from ts_retry_ext.worker.half_open import HalfOpen
from ts_retry_ext.worker.other_workers import dead_before
from ts_retry_ext.worker.output import speak_through
from ts_retry_ext.worker.session import Session, open_session
from ts_retry_ext.worker.shutdown import leave_a_shutdown_behind

#: How often it looks, in seconds: one stat each while nothing changes.
INTERVAL = 1.0
#: How long a worker that may load again has for its first word, in seconds: it is started through the
#: management API, and the host may be busy.
FIRST_WORD_SEC = 60.0
#: Where TorchServe's own log4j2.xml puts what workers print.
MODEL_LOG = "model_log.log"
#: Written once LOAD has come, which names the model.
_NAMED_BY_FRONTEND = frozenset((Event.LOAD, Event.LOADED, Event.HOLD))
_AT_WORK = frozenset((Event.START, Event.LOAD, Event.LOADED, *HOLDING))


def main() -> int:
    """Wait with the model whose worker started this; arguments: frontend, then the worker's own."""
    if os.fork() != 0:
        return 0  # The worker waits for this one; the other is nobody's child.
    frontend = frontend_at(int(sys.argv[1]))
    sys.argv = sys.argv[2:]
    session = None if frontend is None else open_session(frontend)
    if session is None:
        return 0
    os.chdir("/")
    logs = os.path.join(session.configuration.log_dir, MODEL_LOG)
    speak_through([f"/proc/{session.frontend.pid}/fd/1", logs])
    while _is_killed(session):
        time.sleep(INTERVAL)
    return 0


def _is_killed(session: Session) -> bool:
    """Wait with the model in a child, and tell whether somebody killed that: then another one takes over.

    After the window nobody else would notice. The memory of both is one and the same for the most part.
    """
    pid = os.fork()
    if pid == 0:
        try:
            if try_lock(os.path.join(session.directory, WAITER_LOCK_FILE)) is not None:
                Waiter(session).run()
        finally:
            os._exit(0)
    _, status = os.waitpid(pid, 0)
    return os.WIFSIGNALED(status)


class Waiter:
    """Waits for one registration; the session is that of the worker that started this process."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._deaths = Deaths()
        self._half_open: HalfOpen | None = None
        self._seen: tuple[int, int] | None = None
        self._records: list[Record] = []

    def run(self) -> None:
        """Wait until the model serves, is unregistered, or the frontend goes."""
        while self._is_wanted():
            if self._half_open is not None and self._half_open.is_still_trying():
                pass  # The trial's own process starts the workers; they are no reason to end it.
            elif self._serves() or (self._half_open is not None and self._half_open.is_not_wanted):
                return
            elif not self._has_process() and self._is_given_up():
                marker = self._marker()
                half_open = None if marker is None else self._made_for(marker)
                if marker is None or half_open is None:
                    return
                half_open.look(marker)
            time.sleep(INTERVAL)

    def _is_wanted(self) -> bool:
        frontend = self._session.frontend
        registered = self._session.registration.partition("#")[0]
        return is_alive(frontend.pid, frontend.start) and os.path.lexists(registered)

    def _made_for(self, marker: Marker) -> HalfOpen | None:
        """Return what gives trial loads; None where there is nothing to wait for."""
        if marker.action == OnFatal.OBSERVE:
            return None
        if marker.action == OnFatal.SHUTDOWN:
            leave_a_shutdown_behind(self._session, marker)
            return None
        if self._half_open is None:
            self._half_open = HalfOpen(self._session, None, is_worker=False)
        return self._half_open

    def _marker(self) -> Marker | None:
        """Return the marker of the model; where it has none, write that of its last failure."""
        standing = trusted_marker(self._session.directory)
        if standing is not None:
            return standing
        from ts_retry_ext.worker.halting import mark_as_waiting
        from ts_retry_ext.worker.predecessor_deaths import record_crashes

        if dead_before(self._session, self._journal()):
            record_crashes(self._session)
        return mark_as_waiting(self._session)

    def _serves(self) -> bool:
        return any(_lives(r) for r in self._last_words() if r.event is Event.LOADED)

    def _has_process(self) -> bool:
        return any(_lives(r) for r in self._last_words() if r.event in _AT_WORK)

    def _is_given_up(self) -> bool:
        """Tell whether no worker comes by itself any more: the window is over, or it was retired."""
        records = self._journal()
        if _are_expected(records):
            return False
        if read_retired(self._session.directory) is not None:
            return True
        window = self._session.retry_window()
        sockets = {r.socket for r in self._last_words() if r.socket is not None}
        known = [back_off(records, socket) for socket in sockets]
        states = [state for state in known if state is not None]
        now = time.time()
        return bool(states) and all(s.has_given_up(window, now, self._deaths) for s in states)

    def _last_words(self) -> list[Record]:
        """Return what each process said last; that it removed the marker says nothing of itself."""
        said = [r for r in self._journal() if r.process is not None and r.event is not Event.RESUME]
        return list({r.socket: r for r in said}.values())

    def _journal(self) -> list[Record]:
        """Return the journal, which is read when it has changed; nothing where it cannot be."""
        try:
            news = file_identity(journal_path(self._session.directory))
            if news is not None and news != self._seen:
                self._records = journal.read(self._session.directory)
                self._seen = news
                self._take_name()
        except OSError:
            pass
        return self._records

    def _take_name(self) -> None:
        """Take the name that the model is registered under, which may be another than its manifest's.

        This process is sent no LOAD message, and whoever was has written the name down.
        """
        named = (r.model for r in reversed(self._records) if r.event in _NAMED_BY_FRONTEND)
        self._session.name = next(filter(None, named), self._session.name)


def _are_expected(records: Sequence[Record]) -> bool:
    """Tell whether somebody has just let the workers load, and none has said anything since."""
    for record in reversed(records):
        if record.event is Event.RESUME:
            return 0.0 <= time.time() - to_seconds(record.at) < FIRST_WORD_SEC
        if record.process is not None:
            return False
    return False


def _lives(record: Record) -> bool:
    process = record.process
    return process is not None and is_alive(process.pid, process.start)

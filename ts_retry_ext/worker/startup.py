"""The start-up hook: what ``ts_retry_ext.pth`` calls in a TorchServe worker.

Runs while Python's ``site`` is being imported, before the worker script. Either the process
becomes a holder and ends here, or the load guard is installed and the script runs as always.
"""

from __future__ import annotations

import os
import sys

from ts_retry_ext.garbage_collector import PausedCollector
from ts_retry_ext.worker.isolation import Isolated
from ts_retry_ext.worker.output import say

TYPE_CHECKING = False  # not from typing, see worker/isolation.py
if TYPE_CHECKING:
    from typing import Callable

    from ts_retry_ext.store.marker import Marker
    from ts_retry_ext.worker.session import Session

#: The session of this process once the hook is active; there is one worker in a process.
active: Session | None = None
_tried = False


def activate() -> None:
    """Activate the package in this process, where it is a worker. Idempotent; never raises.

    In a virtual environment that sees its parent's packages a ``.pth`` line runs twice.
    """
    _activate(_is_main_interpreter, _hold_from_start)


def activate_in_handler() -> None:
    """Activate the package from a handler's import, where the hook could not run. Never raises.

    A process that the handler spawns imports it too, and is no worker.
    """
    _activate(_is_called_by_worker_script, _hold_from_load)


def watch(session: Session) -> None:
    """Install the guard for a session without a frontend; the hook has no say then. Raises OSError."""
    global active, _tried
    active, _tried = session, True
    from ts_retry_ext.worker.guard import LoadGuard

    LoadGuard(session).install()


def _activate(is_worker: Callable[[], bool], hold: Callable[[Session, Marker], None]) -> None:
    global active, _tried
    if _tried:
        return
    _tried = True
    try:
        with Isolated():
            with PausedCollector():
                active, marker = _open(is_worker)
            if active is None:
                return
            if marker is not None:
                hold(active, marker)
            with PausedCollector():
                _wait_if_last(active)
                from ts_retry_ext.worker.guard import LoadGuard

                LoadGuard(active).install()
    except Exception as error:
        say(f"not active in this worker, TorchServe goes on as without it: {error!r}")


def _open(is_worker: Callable[[], bool]) -> tuple[Session | None, Marker | None]:
    """Return the session of this process where it is a worker, and the marker that it has to hold for."""
    from ts_retry_ext.worker.command_line import is_worker_script

    if not is_worker_script(sys.argv):
        from ts_retry_ext.worker.model_venv import is_setup_script, take_part

        if is_setup_script(sys.argv):
            take_part(sys.argv[1])
        return None, None
    if not is_worker():
        return None, None
    from ts_retry_ext.worker.session import open_session

    session = open_session()
    if session is None:
        return None, None
    if session.settings.sidecar.value:
        from ts_retry_ext.worker.sidecar_start import start_sidecar

        start_sidecar(session)
    marker = _marker_to_obey(session)
    if marker is None:
        marker = _judge_crashes(session)
    elif _may_load(session):
        marker = None
    return session, marker


def _marker_to_obey(session: Session) -> Marker | None:
    if not session.has_marker():
        return None
    from ts_retry_ext.worker.marker_in_force import applicable_marker

    return applicable_marker(session)


def _is_main_interpreter() -> bool:
    from ts_retry_ext.worker.main_process import is_below_worker, is_main_interpreter

    return is_main_interpreter() and not is_below_worker()


def _is_called_by_worker_script() -> bool:
    from ts_retry_ext.worker.main_process import is_called_by_worker_script

    return is_called_by_worker_script()


def _may_load(session: Session) -> bool:
    """Tell whether this worker loads the model though a marker stands; see `worker.marker_in_force`."""
    import time

    from ts_retry_ext.store import journal
    from ts_retry_ext.store.trial_request import TrialRequest, ask_for_trial
    from ts_retry_ext.worker.marker_in_force import (
        BY_HAND,
        ONE_MORE,
        clear_marker,
        has_served_beside,
        is_one_more,
        is_started_by_hand,
    )

    try:
        records = journal.read(session.directory)
        if is_started_by_hand(records, session.launch):
            clear_marker(session, BY_HAND)
            return True
        if is_one_more(records, session.launch, time.time()):
            ask_for_trial(session.directory, TrialRequest(ONE_MORE))
            return False
        if not has_served_beside(records, session.launch):
            return False
        _judge_crashes(session)
        session.loads_beside_marker = has_served_beside(
            journal.read(session.directory), session.launch
        )
    except OSError:
        return False
    return session.loads_beside_marker


def _judge_crashes(session: Session) -> Marker | None:
    """Record the deaths of earlier workers; return the marker that follows from them, or None."""
    from ts_retry_ext.store import journal

    records = journal.read(session.directory)
    if not records:
        return None
    from ts_retry_ext.worker.other_workers import unrecorded_deaths

    deaths = unrecorded_deaths(session, records)
    if deaths.while_serving:
        from ts_retry_ext.worker.lost_worker import record_lost

        record_lost(session)
    if not deaths.while_loading:
        return None
    from ts_retry_ext.worker.predecessor_deaths import record_crashes

    record_crashes(session)
    return _marker_to_obey(session)


def _wait_if_last(session: Session) -> None:
    """Leave somebody behind who waits with the model, where its end may be the last one retried."""
    from ts_retry_ext.store import journal

    try:
        if not journal.may_hold_failure(session.directory):
            return
        records = journal.read(session.directory)
    except OSError:
        return
    if not any(record.is_failure for record in records):
        return
    from ts_retry_ext.worker.last_chance import wait_if_last

    wait_if_last(session, records)


def _hold_from_start(session: Session, marker: Marker) -> None:
    """Be the holder instead of the worker script, and end."""
    if "ts_retry_ext.judge" in sys.modules:
        from ts_retry_ext.worker.own_program import start_over

        start_over()
    connection = None
    if "_TS_RETRY_CONNECTION" in os.environ:
        from ts_retry_ext.worker.asynchronous import kept_connection

        connection = kept_connection(session)
    from ts_retry_ext.worker.holder import hold_and_leave

    hold_and_leave(session, marker, connection)


def _hold_from_load(session: Session, marker: Marker) -> None:
    """Hold on the connection that the worker script has accepted already, and end."""
    from ts_retry_ext.worker.asynchronous import connection_in_use
    from ts_retry_ext.worker.holder import hold_and_leave

    connection = connection_in_use()
    if connection is None:
        say("cannot hold: this TorchServe's worker script is not known; the model is loaded again")
    else:
        hold_and_leave(session, marker, connection)

"""Stop what cannot recover for now: write the marker, with what could end the halt, and plan a trial.

Imported only when something has failed.
"""

from __future__ import annotations

import os
import time
from typing import NamedTuple, Sequence

from ts_retry_ext.archive.model_archive import ArchiveError, read_archive
from ts_retry_ext.archive.model_config import MissingYamlError
from ts_retry_ext.archive.window import window_of_archive
from ts_retry_ext.judge.verdict import Scope, Verdict
from ts_retry_ext.settings import OnFatal
from ts_retry_ext.store import journal
from ts_retry_ext.store.exception_record import ExceptionRecord
from ts_retry_ext.store.failures_in_a_row import failures_in_a_row
from ts_retry_ext.store.lock import locked
from ts_retry_ext.store.marker import MarkedServer, MarkedWorker, Marker, write_marker
from ts_retry_ext.store.record import Event, Record
from ts_retry_ext.store.times import now_text, to_seconds
from ts_retry_ext.store.trial_schedule import FILES, TIME
from ts_retry_ext.worker.baseline import read_baseline, watched_path, write_baseline
from ts_retry_ext.worker.halt_ends import first_trial_at
from ts_retry_ext.worker.load_times import first_load_ns
from ts_retry_ext.worker.marker_in_force import standing_marker
from ts_retry_ext.worker.other_workers import Siblings
from ts_retry_ext.worker.output import say
from ts_retry_ext.worker.session import Session
from ts_retry_ext.worker.shutdown import leave_a_shutdown_behind
from ts_retry_ext.worker.take_baseline import Failed, take_baseline


class FailedWorker(NamedTuple):
    """The process that failed, which need not be this one; `began_ns` as in `Session`."""

    pid: int
    start: str
    socket: str
    launch: str
    group: str | None
    began_ns: int


def stop(
    session: Session, worker: FailedWorker, verdict: Verdict, failure: Record, *, failures: int
) -> Marker:
    """Write the marker, shut the server down where that is asked for, and return the marker in force.

    A marker that means all workers stays as it is: its failure came first.
    """
    standing = standing_marker(session)
    if standing is not None and standing.holds and not standing.only:
        return standing
    meant = _only(verdict, worker, standing)
    marker = _marker(session, failure, failures=failures, only=meant)
    _watch_from_now_on(session, failure, worker.began_ns)
    _write(session, marker)
    if (
        session.settings.on_fatal.value is OnFatal.SHUTDOWN
        and TIME not in marker.waits_for
        and not _may_go_on(session, verdict, worker)
    ):
        leave_a_shutdown_behind(session, marker)
    return marker


def mark_as_waiting(session: Session) -> Marker | None:
    """Write down what a model waits for that the frontend has given up; None where nothing failed.

    Workers do not obey this marker: none is started by itself, and one that somebody starts is to
    load the model. Raises OSError.
    """
    with locked(session.directory):
        records = journal.read(session.directory)
        last = next((record for record in reversed(records) if record.is_failure), None)
        if last is None or last.exception is None:
            return None
        failures = failures_in_a_row(records, last.socket or "")
        marker = _marker(session, last, failures=len(failures), only=None)._replace(holds=False)
        _watch_from_now_on(session, last, int(to_seconds(last.at) * 1e9))
        _write(session, marker)
        return marker


def _write(session: Session, marker: Marker) -> None:
    """Write the marker. Where it does not fit beside what is watched, that gives way. Raises OSError."""
    try:
        write_marker(session.directory, marker)
    except OSError:
        try:
            os.remove(watched_path(session.directory))
        except OSError:
            pass
        else:
            say(f"model {session.name!r}: no room to write down what its halt waits for")
        write_marker(session.directory, marker)


def _marker(
    session: Session, failure: Record, *, failures: int, only: tuple[str, ...] | None
) -> Marker:
    """Return the marker that follows from the last failure, with its first trial load planned."""
    window_sec, window_source = _window(session)
    trials, down_sec = _trials_so_far(journal.read(session.directory))
    entries = failure.waits_for or (FILES, TIME)
    return Marker(
        model=session.name,
        version=session.manifest.version,
        model_dir=session.model_dir,
        handler=session.manifest.handler,
        server=MarkedServer(session.frontend.pid, session.frontend.started_at),
        worker=MarkedWorker(failure.pid or 0, failure.socket or "", only),
        registration=session.registration,
        phase=failure.phase or "",
        verdict=failure.verdict or "",
        basis=failure.basis or "",
        rule=failure.rule,
        scope=failure.scope or "",
        reason=failure.reason or "",
        remedy=failure.remedy or "",
        fingerprint=failure.fingerprint or "",
        fingerprint_version=failure.fingerprint_version or 0,
        exception=failure.exception or ExceptionRecord("", ""),
        failures=failures,
        action=session.settings.on_fatal.value,
        max_retry_timeout_sec=window_sec,
        max_retry_timeout_source=window_source,
        created_at=now_text(),
        waits_for=entries,
        next_trial_at=first_trial_at(entries, session.settings, trials=trials, down_sec=down_sec),
        trials=trials,
    )


def _trials_so_far(records: Sequence[Record]) -> tuple[int, float]:
    """Return how many trial loads there were since the model last served, and for how long it is down."""
    trials, since = 0, None
    for record in records:
        if record.event is Event.LOADED:
            trials, since = 0, None
        elif record.event is Event.TRIAL:
            trials += 1
        elif record.is_failure and since is None:
            since = to_seconds(record.at)
    return trials, 0.0 if since is None else max(0.0, time.time() - since)


def _watch_from_now_on(session: Session, failure: Record, began_ns: int) -> None:
    """Write down how that is what could end the halt, for holders to compare with. Never raises."""
    try:
        failed = Failed(
            model_dir=session.model_dir,
            registration=session.registration,
            first_load_ns=first_load_ns(session.directory, began_ns),
            began_ns=began_ns,
            waits_for=failure.waits_for,
            # Those of other servers, too: they may serve the same folder, with their state in it.
            own_directories=(
                os.path.dirname(session.directory),
                os.path.dirname(os.path.dirname(session.directory)),
                session.configuration.log_dir,
            ),
        )
        previous = read_baseline(session.directory)
        write_baseline(session.directory, take_baseline(failed, previous))
    except Exception as error:
        say(f"model {session.name!r}: its cause is not watched: {error!r}")


def _only(
    verdict: Verdict, worker: FailedWorker, standing: Marker | None
) -> tuple[str, ...] | None:
    """Return which workers the marker means, None where it means all.

    What is wrong with one device is wrong for the workers on it: the frontend gives each worker it
    launches its own, for good (0.12.0 WorkLoadManager.addThreads).
    """
    if verdict.scope is not Scope.DEVICE:
        return None
    others = () if standing is None else standing.only or ()
    return tuple(sorted({*others, worker.launch}))


def _may_go_on(session: Session, verdict: Verdict, worker: FailedWorker) -> bool:
    """Tell whether workers on other devices can do without the one that failed."""
    siblings = Siblings(session.directory, worker.launch)
    return verdict.scope is Scope.DEVICE and siblings.may_serve()


def _window(session: Session) -> tuple[int | None, str | None]:
    """Return the model's window in seconds and its source, or None where they cannot be told."""
    try:
        window = window_of_archive(read_archive(session.model_dir))
    except (ArchiveError, MissingYamlError):
        return None, None
    return window.reported_sec, window.source.value

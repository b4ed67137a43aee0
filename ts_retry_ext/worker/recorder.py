"""From a failure to the store: judge it, write it to the journal, and stop what cannot recover.

Imported only when something has failed.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import Any, Sequence

from ts_retry_ext.archive.config_errors import MissingYamlError
from ts_retry_ext.archive.model_archive import ArchiveError, read_archive
from ts_retry_ext.archive.window import window_of_archive
from ts_retry_ext.judge.builtin import BUILTIN_RULES
from ts_retry_ext.judge.capture import failure_from_exception
from ts_retry_ext.judge.failure import Failure, Phase
from ts_retry_ext.judge.history import Limits, with_history
from ts_retry_ext.judge.judging import Declared, judge
from ts_retry_ext.judge.paths import Host
from ts_retry_ext.judge.redact import redact, redacted
from ts_retry_ext.judge.verdict import Outcome, Scope, Verdict
from ts_retry_ext.settings import OnFatal
from ts_retry_ext.store import journal
from ts_retry_ext.store.event_order import read_evidence
from ts_retry_ext.store.exception_record import ExceptionRecord
from ts_retry_ext.store.history import (
    crashes_in_a_row,
    decided_by,
    failures_in_a_row,
    identical_failures,
)
from ts_retry_ext.store.marker import ONLY, Marker, write_marker
from ts_retry_ext.store.record import Event, Record
from ts_retry_ext.store.times import now_text, to_seconds
from ts_retry_ext.store.trial_schedule import FILES, MODULE, PATH, TIME, named
from ts_retry_ext.worker.baseline_file import read_baseline, write_baseline
from ts_retry_ext.worker.declared import declared_types
from ts_retry_ext.worker.halt_ends import first_trial_at, waits_for
from ts_retry_ext.worker.last_chance import wait_if_last
from ts_retry_ext.worker.output import say
from ts_retry_ext.worker.rules import rules_in_force
from ts_retry_ext.worker.session import Session
from ts_retry_ext.worker.shutdown import leave_a_shutdown_behind
from ts_retry_ext.worker.siblings import Siblings, launches_meant
from ts_retry_ext.worker.take_baseline import Failed, take_baseline
from ts_retry_ext.worker.telling import exception_record, secrets_of, sentence

#: Where TorchServe looks for a handler that is no file of the archive.
_DEFAULT_HANDLERS = "ts.torch_handler"
#: Seconds after which no further rule of a user is asked.
_JUDGING_LIMIT_SEC = 2.0


@dataclass(frozen=True)
class FailedWorker:
    """The process that failed, which need not be this one; `began_ns` as in `Session`."""

    pid: int
    start: str
    socket: str
    launch: str
    group: str | None
    began_ns: int


def record_exception(session: Session, exc: BaseException, phase: Phase) -> None:
    """Judge the exception that ends this worker, and write down what follows.

    Raises:
        OSError: the store cannot be written.
    """
    failure = failure_from_exception(
        _unmasked(exc), phase, model_dir=session.model_dir, secrets=secrets_of(session)
    )
    worker = FailedWorker(
        session.pid,
        session.start,
        str(session.address),
        session.launch,
        session.group,
        session.began_ns,
    )
    with journal.locked(session.directory):
        record_failure(session, worker, failure, Event.FAILURE)


def _unmasked(exc: BaseException) -> BaseException:
    """Return the exception that TorchServe's search for a default handler hides.

    After any ImportError from the handler's file, 0.12.0 TsModelLoader.load tries
    ``ts.torch_handler.<handler>``, and what comes out is that this module does not exist: a name
    that nobody wrote, for whatever the handler could not import.
    """
    hidden = exc.__context__
    looked_up = getattr(exc, "name", None) or ""
    if not (isinstance(exc, ImportError) and isinstance(hidden, ImportError)):
        return exc
    package, _, handler = looked_up.rpartition(".")
    if package != _DEFAULT_HANDLERS or hidden.name == handler:
        return exc
    return hidden


def record_failure(session: Session, worker: FailedWorker, failure: Failure, event: Event) -> None:
    """Judge one failure and write down what follows; the caller holds the journal's lock.

    Raises:
        OSError: the store cannot be written.
    """
    secrets = secrets_of(session)
    host = Host(model_dir=session.model_dir, exists=os.path.exists)
    rules = (*rules_in_force(session), *BUILTIN_RULES)
    begun = time.monotonic()
    verdict = judge(
        failure,
        rules=rules,
        host=host,
        declared=_declared(),
        out_of_time=lambda: time.monotonic() - begun > _JUDGING_LIMIT_SEC,
    )
    previous = failures_in_a_row(read_evidence(session.directory).records, worker.socket)
    crashed = event == Event.CRASH
    verdict = with_history(
        verdict,
        identical_failures=0 if crashed else 1 + identical_failures(previous, verdict.fingerprint),
        hard_crashes=1 + crashes_in_a_row(previous) if crashed else 0,
        same_rule=1 + decided_by(previous, verdict.rule),
        limits=Limits(
            max_identical_failures=session.settings.max_identical_failures.value,
            max_hard_crashes=session.settings.max_hard_crashes.value,
        ),
    )
    failure = redacted(failure, secrets)
    action: OnFatal = session.settings.on_fatal.value
    report: dict[str, Any] = {
        **verdict.to_record(),
        "reason": redact(verdict.reason, secrets),
        "remedy": redact(verdict.remedy, secrets),
        "phase": failure.phase.value,
        "waits_for": waits_for(verdict, failure, session.model_dir, rules),
        "exception": exception_record(failure),
    }
    record = Record(
        event,
        pid=worker.pid,
        start=worker.start,
        socket=worker.socket,
        model=session.name,
        version=session.manifest.version,
        launch=None if worker.group is None else worker.launch,
        group=worker.group,
        **report,
    )
    journal.append_locked(session.directory, record)
    if verdict.verdict is Outcome.NON_RECOVERABLE and action is not OnFatal.OBSERVE:
        _stop(session, worker, verdict, record, failures=1 + len(previous))
    else:
        wait_if_last(session, journal.read(session.directory))
    say(sentence(session.name, failure, verdict, action))


def _stop(
    session: Session, worker: FailedWorker, verdict: Verdict, failure: Record, *, failures: int
) -> None:
    """Write the marker, and shut the server down where that is asked for.

    A marker that means all workers stays as it is: its failure came first.
    """
    standing = session.standing_marker()
    if standing is not None and standing.holds and not launches_meant(standing):
        return
    meant = _only(verdict, worker, standing)
    marker = _marker(session, failure, failures=failures, worker=meant)
    _watch_from_now_on(session, failure, worker.began_ns)
    write_marker(session.directory, marker)
    if (
        session.settings.on_fatal.value is OnFatal.SHUTDOWN
        and TIME not in marker.waits_for
        and not _may_go_on(session, verdict, worker)
    ):
        leave_a_shutdown_behind(session, marker)


def mark_as_waiting(session: Session) -> Marker | None:
    """Write down what a model waits for that the frontend has given up; None where nothing failed.

    Workers do not obey this marker: none is started by itself, and one that somebody starts is to
    load the model.

    Raises:
        OSError: the store cannot be read or written.
    """
    with journal.locked(session.directory):
        records = journal.read(session.directory)
        last = next((record for record in reversed(records) if record.is_failure), None)
        if last is None or last.exception is None:
            return None
        failures = failures_in_a_row(records, last.socket or "")
        marker = _marker(session, last, failures=len(failures), worker={})._replace(holds=False)
        _watch_from_now_on(session, last, int(to_seconds(last.at) * 1e9))
        write_marker(session.directory, marker)
        return marker


def _marker(
    session: Session, failure: Record, *, failures: int, worker: dict[str, list[str]]
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
        server={
            "pid": session.frontend.pid,
            "started_at": session.frontend.started_at,
        },
        worker={"pid": failure.pid, "socket": failure.socket, **worker},
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
        first = next(
            (r for r in journal.read(session.directory) if r.event in (Event.START, Event.LOAD)),
            None,
        )
        first_ns = began_ns if first is None else int(to_seconds(first.at) * 1e9)
        failed = Failed(
            model_dir=session.model_dir,
            registration=session.registration,
            first_load_ns=min(first_ns, began_ns),
            began_ns=began_ns,
            phase=failure.phase or "",
            paths=named(failure.waits_for, PATH),
            modules=named(failure.waits_for, MODULE),
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


def _only(verdict: Verdict, worker: FailedWorker, standing: Marker | None) -> dict[str, list[str]]:
    """Return which workers the marker means, nothing where it means all.

    What is wrong with one device is wrong for the workers on it: the frontend gives each worker it
    launches its own, for good (0.12.0 WorkLoadManager.addThreads).
    """
    if verdict.scope is not Scope.DEVICE:
        return {}
    return {ONLY: sorted({*launches_meant(standing), worker.launch})}


def _may_go_on(session: Session, verdict: Verdict, worker: FailedWorker) -> bool:
    """Tell whether workers on other devices can do without the one that failed."""
    siblings = Siblings(session.directory, worker.launch)
    return verdict.scope is Scope.DEVICE and siblings.may_serve()


def _declared() -> Declared:
    """Return the exception types that the model's handler class names."""

    def names(attribute: str) -> tuple[str, ...]:
        kinds = declared_types(attribute)
        return tuple(f"{kind.__module__}.{kind.__qualname__}" for kind in kinds)

    return Declared(non_recoverable=names("non_recoverable"), recoverable=names("recoverable"))


def _window(session: Session) -> tuple[int | None, str | None]:
    """Return the model's window in seconds and its source, or None where they can't be told."""
    try:
        window = window_of_archive(read_archive(session.model_dir))
    except (ArchiveError, MissingYamlError):
        return None, None
    return window.reported_sec, window.source.value

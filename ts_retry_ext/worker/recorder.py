"""From a failure to the store: judge it, write it to the journal, and stop what cannot recover.

Imported only when something has failed.
"""

from __future__ import annotations

import os
import time
from functools import lru_cache
from typing import Any, NamedTuple, Sequence

from ts_retry_ext.archive.model_folder import names_by_time, own_sources
from ts_retry_ext.archive.sound_files import is_sound
from ts_retry_ext.judge.builtin import BUILTIN_RULES
from ts_retry_ext.judge.capture import failure_from_exception
from ts_retry_ext.judge.damaged_file import holds_weights
from ts_retry_ext.judge.failure import Failure, Phase
from ts_retry_ext.judge.judging import Declared, judge
from ts_retry_ext.judge.paths import Host
from ts_retry_ext.judge.redact import redact, redacted
from ts_retry_ext.judge.repetition import Limits, with_history
from ts_retry_ext.judge.rule import Rule
from ts_retry_ext.judge.verdict import Outcome, Verdict
from ts_retry_ext.settings import OnFatal
from ts_retry_ext.store import journal
from ts_retry_ext.store.event_order import read_trusted
from ts_retry_ext.store.failures_in_a_row import (
    crashes_in_a_row,
    decided_in_a_row,
    failures_in_a_row,
    identical_failures,
)
from ts_retry_ext.store.lock import locked
from ts_retry_ext.store.record import Event, Record
from ts_retry_ext.worker.declared import declared_types
from ts_retry_ext.worker.failure_report import exception_record, failure_line, secrets_of
from ts_retry_ext.worker.halt_ends import waits_for
from ts_retry_ext.worker.halting import FailedWorker, stop
from ts_retry_ext.worker.last_chance import wait_if_last
from ts_retry_ext.worker.load_times import first_load_ns
from ts_retry_ext.worker.other_workers import Siblings
from ts_retry_ext.worker.output import say
from ts_retry_ext.worker.rules_in_force import rules_in_force
from ts_retry_ext.worker.session import Session

#: Where TorchServe looks for a handler that is no file of the archive.
_DEFAULT_HANDLERS = "ts.torch_handler"
#: Seconds after which no further rule of a user is asked.
_JUDGING_LIMIT_SEC = 2.0
#: Seconds that somebody may keep the lock who judges a death under it.
_LOCK_PATIENCE_SEC = _JUDGING_LIMIT_SEC + 1.0


def record_exception(session: Session, exc: BaseException, phase: Phase) -> None:
    """Judge the exception that ends this worker, and write down what follows. Raises OSError."""
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
    found = judged(session, failure, Event.FAILURE)
    with locked(session.directory, _LOCK_PATIENCE_SEC):
        record_failure(session, worker, failure, found, Event.FAILURE)
    # Also where the next worker is to hold: in a short window there may be no next one. Without the
    # lock, which others wait a second for: a program is started.
    wait_if_last(session, journal.read(session.directory))


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


class Judged(NamedTuple):
    """Hold the verdict on one failure by itself, the rules that were asked, and what was known of the file system."""

    verdict: Verdict
    rules: tuple[Rule, ...]
    host: Host


def judged(session: Session, failure: Failure, event: Event) -> Judged:
    """Judge one failure by itself.

    Takes a tenth of a second where nothing has been judged yet, for the rules' patterns. Who can
    calls it before taking the journal's lock, which others wait a second for.
    """
    host = _host(session, event)
    rules = (*rules_in_force(session), *BUILTIN_RULES)
    begun = time.monotonic()
    verdict = judge(
        failure,
        rules=rules,
        host=host,
        declared=_declared(),
        out_of_time=lambda: time.monotonic() - begun > _JUDGING_LIMIT_SEC,
    )
    if verdict.verdict is Outcome.NON_RECOVERABLE:
        holds_weights(host)  # It is asked again under the lock, and knows the files then.
    return Judged(verdict, rules, host)


def _host(session: Session, event: Event) -> Host:
    @lru_cache(maxsize=1)
    def by_time() -> tuple[Sequence[str], Sequence[str]]:
        since_ns = first_load_ns(session.directory, session.began_ns)
        return names_by_time(session.model_dir, since_ns)

    return Host(
        model_dir=session.model_dir,
        exists=os.path.exists,
        files=lambda: by_time()[0],
        written=lambda: by_time()[1],
        is_sound=lambda name: is_sound(os.path.join(session.model_dir, name)),
        sources=lambda: own_sources(session.model_dir),
        serialized_file=session.manifest.serialized_file or "",
        startup_timeout=session.startup_timeout_in_words() if event == Event.CRASH else "",
        cwd=_left_for(session),
    )


def record_failure(
    session: Session,
    worker: FailedWorker,
    failure: Failure,
    found: Judged,
    event: Event,
) -> None:
    """Write down one failure and what follows from it; the caller holds the journal's lock.

    `found` is what `judged` has returned. Raises OSError.
    """
    verdict, rules, host = found
    secrets = secrets_of(session)
    previous = failures_in_a_row(read_trusted(session.directory).records, worker.socket)
    crashed = event == Event.CRASH
    verdict = with_history(
        verdict,
        identical_failures=0 if crashed else 1 + identical_failures(previous, verdict.fingerprint),
        hard_crashes=1 + crashes_in_a_row(previous) if crashed else 0,
        same_rule=1 + decided_in_a_row(previous, verdict.rule),
        limits=_limits(session, worker),
    )
    failure = redacted(failure, secrets)
    action: OnFatal = session.settings.on_fatal.value
    exception = exception_record(failure, session.model_dir, session.manifest.handler, secrets)
    report: dict[str, Any] = {
        **verdict.to_record(),
        "reason": redact(verdict.reason, secrets),
        "remedy": redact(verdict.remedy, secrets),
        "phase": failure.phase.value,
        "waits_for": waits_for(verdict, failure, rules, host),
        "exception": exception,
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
    marker = None
    if verdict.verdict is Outcome.NON_RECOVERABLE and action is not OnFatal.OBSERVE:
        try:
            marker = stop(session, worker, verdict, record, failures=1 + len(previous))
        except Exception as error:  # The failure is written down; the model is loaded once more.
            say(f"model {session.name!r}: its halt cannot be written down: {error!r}")
    say(failure_line(session.name, failure, verdict, action, marker, exception.at))


def _limits(session: Session, worker: FailedWorker) -> Limits:
    """Return how often a worker may fail in a row.

    Where another one has loaded the model, no number of failures shows that it cannot be loaded: a load that fails by
    chance, or waits for what the other has, comes to its end as in TorchServe alone.
    """
    settings = session.settings
    may_repeat = Siblings(session.directory, worker.launch).serve()
    return Limits(
        max_identical_failures=0 if may_repeat else settings.max_identical_failures.value,
        max_hard_crashes=settings.max_hard_crashes.value,
    )


def _left_for(session: Session) -> str:
    """Return the directory that the handler has gone to, empty if it is still in the model's."""
    try:
        cwd = os.getcwd()
    except OSError:
        return ""
    return "" if cwd == session.model_dir else cwd


def _declared() -> Declared:
    """Return the exception types that the model's handler class names."""

    def names(attribute: str) -> tuple[str, ...]:
        kinds = declared_types(attribute)
        return tuple(f"{kind.__module__}.{kind.__qualname__}" for kind in kinds)

    return Declared(non_recoverable=names("non_recoverable"), recoverable=names("recoverable"))

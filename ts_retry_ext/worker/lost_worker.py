"""Write down that a worker ends while it serves: counted and shown, no reason to stop."""

from __future__ import annotations

import os
from typing import Any

from ts_retry_ext.frontend.process import is_alive
from ts_retry_ext.plain_text import cause_line
from ts_retry_ext.store import journal
from ts_retry_ext.store.exception_record import ExceptionRecord, FingerprintRecord
from ts_retry_ext.store.lock import locked
from ts_retry_ext.store.record import Event
from ts_retry_ext.store.worker_states import served_by
from ts_retry_ext.worker.output import say
from ts_retry_ext.worker.session import Session

_TYPE, _MESSAGE = "ProcessDied", "the process ended after it had loaded the model"
EXCEPTION = ExceptionRecord(
    _TYPE, _MESSAGE, fingerprint_parts=FingerprintRecord(types=(_TYPE,), messages=(_MESSAGE,))
)
#: The fingerprint that the judge gives to it, and its version; a test compares them.
FINGERPRINT, FINGERPRINT_VERSION = "ae5c01cfde67aa8f", 2
#: The judge's words; see `judge.verdict` and `judge.failure`.
VERDICT, BASIS, SCOPE, PHASE = "recoverable", "rule", "model", "inference"
RULE = "worker-lost"
_FRESH = "TorchServe starts a fresh one."
_REASON = f"The process ended while it served. {_FRESH}"
_REMEDY = "Look for a segfault, a kill for lack of memory, or responseTimeout in the server's log."
#: How the end of a worker is put after the error of a request: basis, reason, remedy.
_POISONED = (
    "rule",
    f"The error of a request left the process unable to serve. {_FRESH}",
    "Find the request that does it: its error is the cause; CUDA_LAUNCH_BLOCKING=1 shows the call.",
)
_DECLARED_POISONOUS = (
    "declared",
    f"The handler says that no process can serve after this error. {_FRESH}",
    "Find the request that does it: its error is the cause.",
)
_POISONED_RULE = "worker-poisoned"


def record_lost(session: Session) -> None:
    """Write down that the worker before this one died after it had loaded the model. Raises OSError.

    What there is to say is the same each time, so nothing is judged: a start after such a death costs
    no more than any other.
    """
    with locked(session.directory):
        last = served_by(journal.read(session.directory), str(session.address))
        if last is None or is_alive(last.pid, last.start):
            return
        record = session.own_record(Event.FAILURE)._replace(
            pid=last.pid,
            start=last.start,
            verdict=VERDICT,
            basis=BASIS,
            rule=RULE,
            scope=SCOPE,
            phase=PHASE,
            reason=_REASON,
            remedy=_REMEDY,
            fingerprint=FINGERPRINT,
            fingerprint_version=FINGERPRINT_VERSION,
            exception=EXCEPTION,
        )
        journal.append_locked(session.directory, record)
    say(f"model {session.name!r}: {cause_line(_TYPE, _MESSAGE)}; {_REASON}")


def record_poisoned(session: Session, exc: BaseException, *, declared: bool) -> None:
    """Write down that the exception of a request ends this worker. Raises OSError."""
    from ts_retry_ext.judge.capture import failure_from_exception
    from ts_retry_ext.judge.failure import Phase
    from ts_retry_ext.judge.judging import judge
    from ts_retry_ext.judge.paths import Host
    from ts_retry_ext.judge.redact import redacted
    from ts_retry_ext.worker.failure_report import exception_record, secrets_of

    secrets = secrets_of(session)
    failure = failure_from_exception(
        exc, Phase.INFERENCE, model_dir=session.model_dir, secrets=secrets
    )
    failure = redacted(failure, secrets)
    judged = judge(failure, rules=(), host=Host(model_dir=session.model_dir, exists=os.path.exists))
    basis, reason, remedy = _DECLARED_POISONOUS if declared else _POISONED
    report: dict[str, Any] = {
        **judged.to_record(),
        "verdict": VERDICT,
        "basis": basis,
        "rule": _POISONED_RULE,
        "reason": reason,
        "remedy": remedy,
    }
    record = session.own_record(Event.FAILURE)._replace(
        phase=PHASE, exception=exception_record(failure), **report
    )
    journal.append(session.directory, record)
    say(f"model {session.name!r}: {cause_line(failure.type, failure.message)}; {reason}")

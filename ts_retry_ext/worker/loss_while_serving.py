"""Write down that the error of a request ends this worker: counted and shown, no reason to stop.

Imported only when something has failed.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

from ts_retry_ext.judge.capture import failure_from_exception
from ts_retry_ext.judge.failure import Phase
from ts_retry_ext.judge.judging import judge
from ts_retry_ext.judge.paths import Host
from ts_retry_ext.judge.redact import redacted
from ts_retry_ext.judge.verdict import Basis, Outcome
from ts_retry_ext.plain_text import cause_line
from ts_retry_ext.store import journal
from ts_retry_ext.store.record import Event
from ts_retry_ext.worker.failure_report import exception_record, secrets_of
from ts_retry_ext.worker.output import say
from ts_retry_ext.worker.session import Session

#: How the end of a worker that served is put: basis, rule, reason, remedy.
_FRESH = "TorchServe starts a fresh one."
POISONED = (
    Basis.RULE,
    "worker-poisoned",
    f"The error of a request left the process unable to serve. {_FRESH}",
    "Find the request that does it: its error is the cause; CUDA_LAUNCH_BLOCKING=1 shows the call.",
)
DECLARED_POISONOUS = (
    Basis.DECLARED,
    "worker-poisoned",
    f"The handler says that no process can serve after this error. {_FRESH}",
    "Find the request that does it: its error is the cause.",
)


def record_poisoned(session: Session, exc: BaseException, *, declared: bool) -> None:
    """Write down that the exception of a request ends this worker. It is never a reason to stop. Raises OSError."""
    secrets = secrets_of(session)
    failure = failure_from_exception(
        exc, Phase.INFERENCE, model_dir=session.model_dir, secrets=secrets
    )
    failure = redacted(failure, secrets)
    basis, rule, reason, remedy = DECLARED_POISONOUS if declared else POISONED
    judged = judge(failure, rules=(), host=Host(model_dir=session.model_dir, exists=os.path.exists))
    verdict = replace(
        judged,
        verdict=Outcome.RECOVERABLE,
        basis=basis,
        rule=rule,
        reason=reason,
        remedy=remedy,
    )
    report: dict[str, Any] = verdict.to_record()
    record = session.own_record(Event.FAILURE)._replace(
        phase=Phase.INFERENCE.value,
        exception=exception_record(failure),
        **report,
    )
    journal.append(session.directory, record)
    say(f"model {session.name!r}: {cause_line(failure.type, failure.message)}; {reason}")

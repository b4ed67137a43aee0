"""How a failure is told: as a record for marker and journal, and as the line in the model's log."""

from __future__ import annotations

import os
import time
from typing import Sequence

from ts_retry_ext.judge.failure import Failure
from ts_retry_ext.judge.fingerprint import explain
from ts_retry_ext.judge.redact import redact, secret_values
from ts_retry_ext.judge.verdict import Outcome, Verdict
from ts_retry_ext.plain_text import cause_line, decided_by, outcome_word
from ts_retry_ext.settings import OnFatal
from ts_retry_ext.store.exception_record import (
    CauseRecord,
    ExceptionRecord,
    FailingLine,
    FingerprintRecord,
    FrameRecord,
)
from ts_retry_ext.store.failing_line import class_statement, failing_line
from ts_retry_ext.store.halt_in_words import end_of_halt
from ts_retry_ext.store.marker import Marker
from ts_retry_ext.store.trial_schedule import TIME
from ts_retry_ext.worker.session import Session

#: Longest part of a fingerprint that is kept, in characters.
MAX_PART = 300


def secrets_of(session: Session) -> tuple[str, ...]:
    """Return the secret values that this worker has or was given, longest first.

    A handler may have taken one out of its environment after use; the frontend has it still.
    """
    known = {*secret_values(os.environ), *secret_values(session.configuration.environ)}
    return tuple(sorted(known, key=lambda value: (-len(value), value)))


def exception_record(
    failure: Failure,
    model_dir: str | None = None,
    handler: str | None = None,
    secrets: Sequence[str] = (),
) -> ExceptionRecord:
    """Return a failure as marker and journal hold it under ``exception``.

    Secrets are out of `failure`; those of `secrets_of` are taken out of the model's file, which is
    read here.
    """
    exception = ExceptionRecord(
        type=failure.type,
        message=failure.message,
        chain=tuple(CauseRecord(link.type, link.message) for link in failure.chain),
        frames=tuple(FrameRecord(f.file, f.function, f.in_app) for f in failure.frames),
        traceback=failure.traceback,
        fingerprint_parts=_fingerprint_parts(failure),
    )
    place = failing_line(exception, model_dir)
    if place is None and model_dir is not None:
        place = class_statement(exception, model_dir, handler)
        if place is not None:
            place = place._replace(source=redact(place.source or "", secrets))
    return exception._replace(at=place)


def _fingerprint_parts(failure: Failure) -> FingerprintRecord:
    """Return what the fingerprint is made of, as `ts-retry show` tells it; secrets are out."""
    parts = explain(failure)
    messages = tuple(message[:MAX_PART] for message in parts.messages)
    return FingerprintRecord(parts.types, parts.frames, messages, parts.numbers)


def failure_line(
    model: str,
    failure: Failure,
    verdict: Verdict,
    action: OnFatal,
    marker: Marker | None,
    place: FailingLine | None = None,
) -> str:
    """Return the line for the log: what failed, the verdict, and what follows from it.

    `marker` is the one in force after the failure, None where TorchServe goes on.
    """
    cause = cause_line(failure.type, failure.message)
    decided = decided_by(verdict.basis.value, verdict.rule)
    outcome = outcome_word(verdict.verdict.value, verdict.basis.value)
    told = (
        f"model {model!r} failed in phase {failure.phase.value} with {cause}; "
        f"{outcome} ({decided}, fingerprint {verdict.fingerprint})"
    )
    if place is not None:
        told = f"{told}, at {place.in_words()}"
    more = f" More on the rule: ts-retry rules {verdict.rule}." if verdict.rule else ""
    if verdict.verdict is not Outcome.NON_RECOVERABLE:
        return f"{told}: TorchServe retries it. {verdict.reason}{more}"
    if action is OnFatal.OBSERVE:
        return f"{told}: nothing is halted, on_fatal is {action}"
    if marker is None:
        return f"{told}: it is loaded once more, its halt could not be written down"
    is_weak = TIME in marker.waits_for
    if action is OnFatal.SHUTDOWN and not is_weak:
        return f"{told}: the server is stopped, on_fatal is {action}. {verdict.reason}"
    later = (
        f" If it has not loaded by the end of TorchServe's retry window, the server is stopped, "
        f"because on_fatal is {action}."
        if action is OnFatal.SHUTDOWN
        else ""
    )
    ends = end_of_halt(marker, time.time())
    return f"{told}. {verdict.reason} {ends}{later}{more} To try it now: ts-retry resume {model}"

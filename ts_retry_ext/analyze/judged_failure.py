"""From an attempt that failed to its cause and verdict."""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Sequence

from ts_retry_ext.analyze.logged_process import LoggedProcess
from ts_retry_ext.analyze.logged_worker import DIED
from ts_retry_ext.judge import (
    Failure,
    Phase,
    Rule,
    Verdict,
    crash_failure,
    failure_from_record,
    failure_from_text,
    judge,
    redact,
    redacted,
)
from ts_retry_ext.judge.judging import NO_HOST

#: Causes remembered by their text: in a crash loop it is the same again and again.
_REMEMBERED = 512
_HEADER = b"Traceback (most recent call last)"
_FAULT = b"Fatal Python error"
#: A worker that sees a module of TorchServe's missing gets this text for whatever its handler could
#: not import (0.12.0 TsModelLoader.load); the error before it is the cause.
_DEFAULT_HANDLER = "ts.torch_handler."
_JOINT = "\nDuring handling of the above exception, another exception occurred"
_HANG = re.compile(rb"did not (?:respond in given time|load the model within)")
#: The words of `ts_retry_ext.worker.crash_capture`, so that the fingerprint is the same.
_HUNG = b"hang: the load did not end within startupTimeout, TorchServe ended it"
_CUT = "the log lacks the end of the traceback"
_SILENT = "ended without a word: a crash, a kill, or its last lines are not in the log"
#: The guard counts such a death for nothing, see `ts_retry_ext.worker.deaths`; TorchServe 0.8 and 0.9 kill
#: every process that they retry.
_UNLOADED = "ended before it was given the model, without a word: often the frontend's own doing"
#: With what a collector put before it.
_JAVA_TYPE = re.compile(r"^(?:.{1,300}? )?(?:Caused by: )?(?:[a-z]\w*\.)+(?=[A-Z]\w*: )")


@dataclass(frozen=True)
class JudgedFailure:
    """Why an attempt failed, with the verdict on it alone.

    Attributes:
        failure: what failed, secrets taken out.
        verdict: without its history.
        crashed: whether the process died without an exception.
        complete: whether the log holds the exception, whose end can be lost with the worker's pipe; of a
            death, whether it says something of the model.
    """

    failure: Failure
    verdict: Verdict
    crashed: bool
    complete: bool = True


class FailureJudge:
    """Judge attempts; equal texts are judged once.

    Args:
        rules: in order.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = rules
        self._known: OrderedDict[tuple[Phase, bytes], JudgedFailure] = OrderedDict()

    def cause_of(self, attempt: LoggedProcess) -> JudgedFailure:
        """Return why an attempt failed. Never raises."""
        phase = _phase(attempt)
        text = _traceback(attempt) or _crash(attempt)
        known = self._known.get((phase, text))
        if known is None:
            known = self._known[phase, text] = self._judge(phase, text)
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        else:
            self._known.move_to_end((phase, text))
        return known

    def _judge(self, phase: Phase, content: bytes) -> JudgedFailure:
        text = content.decode("utf-8", "replace")
        crashed = _HEADER not in content
        failure = _crash_of(text, phase) if crashed else _unmasked(text, phase)
        has_stack = "\n" in text.rstrip("\n")
        complete = (phase is not Phase.STARTUP or has_stack) if crashed else bool(failure.frames)
        if not (crashed or complete):
            failure = failure_from_record({"message": _CUT, "phase": phase.value})
        verdict = judge(failure, rules=self._rules, host=NO_HOST)
        told = replace(verdict, reason=redact(verdict.reason), remedy=redact(verdict.remedy))
        return JudgedFailure(redacted(failure), told, crashed, complete)


def _phase(attempt: LoggedProcess) -> Phase:
    if attempt.loaded_at is not None:
        return Phase.INFERENCE
    return Phase.INITIALIZE if attempt.loads else Phase.STARTUP


def _traceback(attempt: LoggedProcess) -> bytes:
    """Return what the process wrote from its last run of tracebacks on; empty without one.

    A traceback goes to standard output where the worker script logs it, to standard error where
    nobody catches the exception.
    """
    for lines in (attempt.stdout.lines, attempt.stderr.lines):
        for position, line in enumerate(lines):
            if _HEADER in line:
                return b"\n".join([line for line in lines[position:] if line != DIED])
    return b""


def _crash(attempt: LoggedProcess) -> bytes:
    """Return what is known of a death without an exception: in its first line, how it ended."""
    errors = b"; ".join(dict.fromkeys(attempt.errors))
    ended = _HUNG if _HANG.search(errors) else errors
    lines = attempt.stderr.lines
    at = next((i for i, line in enumerate(lines) if line.startswith(_FAULT)), None)
    return ended + b"\n" + (b"" if at is None else b"\n".join(lines[at:]))


def _crash_of(text: str, phase: Phase) -> Failure:
    ended, _, stack = text.partition("\n")
    first = stack.partition("\n")[0]
    silent = _UNLOADED if phase is Phase.STARTUP else _SILENT
    told = _JAVA_TYPE.sub("", ended) or first or silent
    return crash_failure(told, stack or None)


def _unmasked(text: str, phase: Phase) -> Failure:
    failure = failure_from_text(text, phase)
    missing = failure.missing_module or ""
    if missing.startswith(_DEFAULT_HANDLER):
        before, joint, _ = text.rpartition(_JOINT)
        inner = failure_from_text(before, phase) if joint else failure
        own = missing[len(_DEFAULT_HANDLER) :]
        if inner.type in ("ImportError", "ModuleNotFoundError") and inner.missing_module != own:
            return inner
    return failure

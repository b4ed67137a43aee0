"""From an attempt that failed to its cause and verdict."""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Sequence

from ts_retry_ext.analyze.logged_process import LoggedProcess
from ts_retry_ext.judge import (
    NO_HOST,
    Failure,
    Host,
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
from ts_retry_ext.judge.load_phase import phase_of
from ts_retry_ext.logs import root_cause
from ts_retry_ext.logs.own_lines import OwnWord, own_words
from ts_retry_ext.logs.root_cause import root_of
from ts_retry_ext.logs.traceback_grammar import HEADER
from ts_retry_ext.logs.tracebacks import Traceback, cut

#: Causes remembered by their text: in a crash loop it is the same again and again.
_REMEMBERED = 512
_HEADER = HEADER.encode()
DIED = root_cause.DIED.encode()
_FAULT = b"Fatal Python error"
#: How an own line begins what it says of a crash; see `judge.crash_failure`.
_CRASH = "ProcessDied: "
#: Begins the text of an attempt that wrote a traceback; stands between its two streams. No log holds either.
_BEGINS, _STREAM = b"\x01", "\x02"
#: How the sentences between two exceptions of a chain begin.
_JOINTS = (b"The above exception", b"During handling of")
#: Lines that an exception without a stack and the sentence below it take at most.
_LONGEST_WITHOUT_STACK = 20
_FRAME = re.compile(rb'^  File "[^"]{1,4000}", line \d+(?:, in |$)')
#: Lines above a traceback that say what kind it is; see `logs.root_cause`.
_ABOVE = (
    DIED,
    b"Failed to load model",
    b"Load model ",
    b"Exception ",
    b"Error in ",
    b"--- Logging",
    b"Task exc",
    b"Process ",
)
_HANG = re.compile(rb"did not (?:respond in given time|load the model within)")
#: The words of `ts_retry_ext.worker.crash_capture`, so that the fingerprint is the same.
_HUNG = b"hang: the load did not end within startupTimeout, TorchServe ended it"
_BEFORE = "the log begins after its last lines"
_BEFORE_REASON = "The log begins after the failure, so that its cause is not in it."
_BEFORE_REMEDY = 'Look further up for lines of this worker\'s -stdout and -stderr, from "Traceback (most recent call last)" on.'
_SLOW_START = b"Backend worker startup time out."
_NOT_STARTED = b"the worker script did not start in time (Backend worker startup time out.): often many workers start at once"
_CUT = "the log lacks the end of the traceback"
_SILENT = "ended without an exception: a crash, a kill, or its last lines are not in the log"
#: The guard counts such a death for nothing, see `ts_retry_ext.worker.predecessor_deaths`; TorchServe 0.8 and 0.9 kill
#: every process that they retry.
_UNLOADED = "ended before it was given the model, without an exception: often the frontend ends such a worker"
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


def _out_of_sight() -> JudgedFailure:
    failure = failure_from_record({"exc_type": "ProcessDied", "message": _BEFORE})
    verdict = replace(judge(failure, rules=()), reason=_BEFORE_REASON, remedy=_BEFORE_REMEDY)
    return JudgedFailure(failure, verdict, crashed=True, complete=False)


class FailureJudge:
    """Judge attempts; equal texts are judged once.

    Args:
        host: what may be known of the file system.
    """

    def __init__(self, rules: Sequence[Rule], host: Host = NO_HOST) -> None:
        self._rules = rules
        self._host = host
        self._known: OrderedDict[tuple[Phase, bytes], JudgedFailure] = OrderedDict()

    def cause_of(self, attempt: LoggedProcess) -> JudgedFailure:
        """Return why an attempt failed. Never raises."""
        if _is_out_of_sight(attempt):
            return _out_of_sight()
        phase = _phase(attempt)
        text = _written(attempt)
        if not text:
            told = own_words(attempt.stderr.texts)
            if told:
                return self.of_own_word(told[0])
            text = _crash(attempt)
        known = self._known.get((phase, text))
        if known is None:
            known = self._known[phase, text] = self._judge(phase, text)
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        else:
            self._known.move_to_end((phase, text))
        return known

    def failure_of(self, traceback: Traceback) -> Failure:
        """Return what failed as a traceback that has its exception says, without a verdict on it."""
        return failure_from_text(traceback.text, model_dir=self._host.model_dir)

    def of_own_word(self, told: OwnWord) -> JudgedFailure:
        """Return the verdict on what this package's own line says of a failure."""
        died = told.cause.startswith(_CRASH)
        if died:
            failure = crash_failure(told.cause[len(_CRASH) :])
        else:
            failure = failure_from_text(told.cause, model_dir=self._host.model_dir)
            if told.phase in Phase.__members__.values():
                failure = replace(failure, phase=Phase(told.phase))
        judged = self.of_failure(failure, crashed=died)
        return replace(judged, verdict=replace(judged.verdict, fingerprint=told.fingerprint))

    def of_failure(
        self,
        failure: Failure,
        *,
        crashed: bool = False,
        complete: bool = True,
        printed: Sequence[str] = (),
    ) -> JudgedFailure:
        """Return the verdict on a failure, with secrets taken out of both."""
        verdict = judge(failure, rules=self._rules, host=self._host, printed=printed)
        told = replace(verdict, reason=redact(verdict.reason), remedy=redact(verdict.remedy))
        return JudgedFailure(redacted(failure), told, crashed, complete)

    def _judge(self, phase: Phase, content: bytes) -> JudgedFailure:
        text = content.decode("utf-8", "replace")
        if not content.startswith(_BEGINS):
            has_stack = "\n" in text.rstrip("\n")
            complete = phase is not Phase.STARTUP or has_stack
            return self.of_failure(_crash_of(text, phase), crashed=True, complete=complete)
        stdout, _, stderr = text.partition(_STREAM)
        found = root_of([*cut(stdout[1:].split("\n")), *cut(stderr.split("\n"))])
        if found is None:
            cut_short = failure_from_record({"message": _CUT, "phase": phase.value})
            return self.of_failure(cut_short, complete=False)
        failure = self.failure_of(found)
        if phase_of(failure.frames) is None:
            failure = replace(failure, phase=phase)
        return self.of_failure(failure, printed=found.above.split("\n"))


def _phase(attempt: LoggedProcess) -> Phase:
    if attempt.loaded_at is not None:
        return Phase.INFERENCE
    if attempt.begins_before and not attempt.pid:
        return Phase.INITIALIZE  # What it did before is not in the log.
    return Phase.INITIALIZE if attempt.loads else Phase.STARTUP


def _written(attempt: LoggedProcess) -> bytes:
    """Return what the process wrote from its first traceback on, of both streams; empty without one.

    A traceback goes to standard output where the worker script logs it, to standard error where
    nobody catches the exception.
    """
    stdout, stderr = map(_from_traceback, (attempt.stdout.lines, attempt.stderr.lines))
    if not stdout and not stderr:
        return b""
    return _BEGINS + b"\n".join(stdout) + _STREAM.encode() + b"\n".join(stderr)


def _from_traceback(lines: Sequence[bytes]) -> Sequence[bytes]:
    """Return lines from the one above the first traceback on; an excerpt may begin within a traceback."""
    frame = None
    for position, line in enumerate(lines):
        if _HEADER in line:
            first = frame if frame is not None else _before_joint(lines, position)
            return lines[max(0, first - 1) :] if _is_known(lines[first - 1]) else lines[first:]
        if frame is None and _FRAME.match(line):
            frame = position
    return [] if frame is None else lines[frame:]


def _before_joint(lines: Sequence[bytes], header: int) -> int:
    """Return where a chain begins whose first exception has no stack, and stands above the first header."""
    if header < 3 or not lines[header - 2].startswith(_JOINTS):
        return header
    first = max(0, header - _LONGEST_WITHOUT_STACK)
    return next((at + 1 for at in range(header - 3, first, -1) if _is_known(lines[at])), first)


def _is_known(above: bytes) -> bool:
    """Tell whether the line above a traceback says what kind it is; any other differs from time to time."""
    return above.startswith(_ABOVE)


def _crash(attempt: LoggedProcess) -> bytes:
    """Return what is known of a death without an exception: in its first line, how it ended."""
    errors = b"; ".join(dict.fromkeys(attempt.errors))
    ended = _HUNG if _HANG.search(errors) else errors
    if _SLOW_START in ended:
        ended = _NOT_STARTED
    lines = attempt.stderr.lines
    at = next((i for i, line in enumerate(lines) if line.startswith(_FAULT)), None)
    return ended + b"\n" + (b"" if at is None else b"\n".join(lines[at:]))


def _is_out_of_sight(attempt: LoggedProcess) -> bool:
    """Tell whether what a process wrote before its end can stand above the begin of the log."""
    return (
        attempt.begins_before
        and not attempt.pid
        and not attempt.errors
        and not attempt.stdout.lines
    )


def is_time_out(attempt: LoggedProcess) -> bool:
    """Tell whether the frontend ended a process that did not answer in time."""
    return any(_HANG.search(error) for error in attempt.errors)


def without_java_type(text: str) -> str:
    """Return what a Java exception says, without its type and what a collector put in front."""
    return _JAVA_TYPE.sub("", text)


def _crash_of(text: str, phase: Phase) -> Failure:
    ended, _, stack = text.partition("\n")
    first = stack.partition("\n")[0]
    silent = _UNLOADED if phase is Phase.STARTUP else _SILENT
    told = _JAVA_TYPE.sub("", ended) or first or silent
    return crash_failure(told, stack or None)

"""What failed in a text that somebody pasted: a log in any form, a traceback, or a line of one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import partial
from itertools import takewhile
from typing import Any, Callable, Iterator

from ts_retry_ext.analyze.analysis import Analysis
from ts_retry_ext.analyze.judged_failure import FailureJudge, JudgedFailure
from ts_retry_ext.analyze.log_report import LogReport, report_of
from ts_retry_ext.judge import (
    Limits,
    Phase,
    failure_from_record,
    failure_from_text,
    fingerprint,
    judge,
)
from ts_retry_ext.logs.byte_blocks import DamagedFileError
from ts_retry_ext.logs.collected_form import CollectedForm
from ts_retry_ext.logs.foreign_lines import is_foreign
from ts_retry_ext.logs.log_files import LogFile
from ts_retry_ext.logs.open_logs import Reading, bare_lines
from ts_retry_ext.logs.own_lines import own_words
from ts_retry_ext.logs.root_cause import is_wrapper, root_of
from ts_retry_ext.logs.text_parts import TextParts, begins_with_exception, exits_in, parts_of

#: A longer text without a traceback and without an exception's line is no message of an exception.
_LONGEST_MESSAGE = 30


_NO_CAUSE = "no cause is in this text"
_NO_CAUSE_REASON = "The text has no traceback and no exception of a worker. The lines of TorchServe's frontend alone decide nothing."
_NO_CAUSE_REMEDY = 'Give the lines from "Traceback (most recent call last)" on: of the worker\'s -stdout and -stderr in ts_log.log or model_log.log.'


@dataclass(frozen=True)
class TextFailure:
    """One failure of the text.

    Attributes:
        judged: what failed, and the verdict on it alone.
        model: whose load it was, where the text names it.
    """

    judged: JudgedFailure
    model: str | None = None
    count: int = 1

    @property
    def is_known(self) -> bool:
        """Tell whether the text says anything of it: its exception, or how the process ended."""
        return self.judged.complete or self.judged.failure.phase is Phase.PROCESS


@dataclass(frozen=True)
class TextFailures:
    """What failed in a text.

    Attributes:
        found: the failures, the first one first.
        report: what `ts-retry analyze` says of the text.
        exits: what exit codes and signals in it say; only where no exception does.
    """

    found: tuple[TextFailure, ...]
    report: LogReport
    exits: tuple[str, ...] = ()


def failures_in(
    content: bytes, name: str, judges: FailureJudge, phase: Phase | None = None
) -> TextFailures:
    """Return what failed in a text.

    Args:
        name: of the file, for people.
        phase: how far the worker was, where the caller knows better than the text.
    """
    file = LogFile(name, len(content), name, content=content)
    reading = Reading([file], _ignored)
    analysis = Analysis(judges, Limits(0, 0))
    for server, at, record in reading.records():
        analysis.take(server, at, record)
    analysis.finish()
    report = report_of(analysis, [name], len(content), reading.problems, zone_known=False)
    found = _of_loads(analysis)
    exits: tuple[str, ...] = ()
    if not any(failure.judged.complete and not failure.judged.crashed for failure in found):
        parts = parts_of(_readable_lines(file))
        found = _of_parts(parts, judges) or found
        if not found or all(failure.judged.crashed for failure in found):
            exits = tuple(exits_in(parts.rest))
        if not (found or exits or report.models or parts.has_heads):
            found = _of_message(parts, judges)
    if phase is not None:
        found = [_in_phase(failure, phase, judges) for failure in found]
    return TextFailures(tuple(found), report, exits)


def no_cause() -> TextFailure:
    """Return the answer for a text that holds no cause."""
    failure = failure_from_record({"message": _NO_CAUSE})
    verdict = replace(judge(failure, rules=()), reason=_NO_CAUSE_REASON, remedy=_NO_CAUSE_REMEDY)
    return TextFailure(JudgedFailure(failure, verdict, crashed=False, complete=False))


def _of_loads(analysis: Analysis) -> list[TextFailure]:
    """Return the failed loads that the log shows, those whose cause is in it before the others."""
    tallies: list[tuple[Any, TextFailure]] = []
    for server in analysis.servers.values():
        for model in server.models.values():
            for cause in model.causes.values():
                known = cause.cause.complete and not cause.cause.crashed
                found = TextFailure(cause.cause, model.model, cause.count)
                tallies.append(((not known, not cause.cause.complete, cause.said_at), found))
    alike: dict[tuple[str | None, str], TextFailure] = {}
    for _, one in sorted(tallies, key=lambda pair: pair[0]):
        key = one.model, one.judged.verdict.fingerprint
        before = alike.get(key)
        # Replicas of one server fail alike.
        alike[key] = one if before is None else replace(before, count=before.count + one.count)
    return list(alike.values())


def _of_parts(parts: TextParts, judges: FailureJudge) -> list[TextFailure]:
    """Return what tracebacks say, else this package's own lines, else those that hold an exception."""
    found: dict[str, TextFailure] = {}
    tracebacks = [one for one in parts.tracebacks if not is_wrapper(one)]
    chosen = tracebacks or [one for one in [root_of(parts.tracebacks)] if one is not None]
    for one, times in Counter(chosen).items():
        failure = judges.failure_of(one)
        judged = partial(judges.of_failure, failure, printed=one.above.split("\n"))
        _count(found, fingerprint(failure), times, judged)
    if not found:
        for word, times in Counter(own_words(parts.rest)).items():
            _count(found, word.fingerprint, times, partial(judges.of_own_word, word))
    if not found and (parts.has_heads or len(parts.rest) > _LONGEST_MESSAGE):
        for line, times in Counter(parts.exceptions).items():
            failure = failure_from_text(line)
            _count(found, fingerprint(failure), times, partial(judges.of_failure, failure))
    return list(found.values())


def _of_message(parts: TextParts, judges: FailureJudge) -> list[TextFailure]:
    """Return a short text read as type and message, or one line as a bare message."""
    lines = [line for line in parts.rest if line.strip()]
    if not lines or len(lines) > _LONGEST_MESSAGE:
        return []
    message = [lines[0], *takewhile(lambda line: not is_foreign(line), lines[1:])]
    if not begins_with_exception(lines[0]) and (len(lines) > 1 or parts.exceptions):
        message = list(parts.exceptions[-1:])
    return (
        [TextFailure(judges.of_failure(failure_from_text("\n".join(message))))] if message else []
    )


def _count(
    found: dict[str, TextFailure], name: str, times: int, judged: Callable[[], JudgedFailure]
) -> None:
    """Count what failed under its fingerprint; only the first of that name is judged, which takes longest."""
    known = found.get(name)
    found[name] = (
        TextFailure(judged(), count=times)
        if known is None
        else replace(known, count=known.count + times)
    )


def _in_phase(failure: TextFailure, phase: Phase, judges: FailureJudge) -> TextFailure:
    judged = failure.judged
    again = judges.of_failure(
        replace(judged.failure, phase=phase), crashed=judged.crashed, complete=judged.complete
    )
    return replace(failure, judged=again) if judged.complete else failure


def _readable_lines(file: LogFile) -> Iterator[bytes]:
    """Yield the lines of a text up to where it is damaged."""
    try:
        for lines in bare_lines(file, CollectedForm(), _ignored):
            yield from lines
    except DamagedFileError:
        pass  # The reading before this one has told.


def _ignored(_: int) -> None:
    """Count no bytes: nobody watches."""

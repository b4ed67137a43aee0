"""`ts-retry classify`: judge a traceback, or JSON Lines of failures."""

from __future__ import annotations

import argparse
import codecs
import json
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from ts_retry_ext.analyze.judged_failure import FailureJudge
from ts_retry_ext.analyze.report_in_words import model_lines, names, server_lines
from ts_retry_ext.analyze.text_failures import TextFailure, TextFailures, failures_in, no_cause
from ts_retry_ext.archive.model_folder import names_of_files, own_sources
from ts_retry_ext.archive.sound_files import is_sound
from ts_retry_ext.cli.printing import ERROR, OK, CommandError, print_wrapped, warn
from ts_retry_ext.cli.shared_options import add_rules_option, rules_named
from ts_retry_ext.judge import NO_HOST, Host, Phase, Rule, failure_from_record, judge, redact
from ts_retry_ext.plain_text import cause_line

#: Characters of an exception's message shown to people.
_SHOWN_MESSAGE = 300
#: What is said of a text that looks otherwise than it was: how it was broken, whose it is, that it is cut.
_TOLD_PROBLEMS = ("columns", "looks like", "damaged")
_NO_CAUSE = "NO CAUSE is in this text"
#: Failures of one text that are shown to people.
_SHOWN_FAILURES = 10
#: What the record of a failure has, and what the lines of a log in JSON have instead.
_IS_FAILURE = {"exc_type"}
_IS_LOG = {
    "message", "msg", "log", "line", "textPayload", "@message", "@timestamp", "timestamp", "time", "instant",
    "events", "logEvents", "thread", "level",
}  # fmt: skip
#: Bytes of a file that are looked at, and how those begin that are read although they have NUL bytes.
_HEAD, _READABLE = 65536, (b"\x1f\x8b", codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_NO_TEXT = (
    "is a binary file without a traceback in it; give it a text, such as ts_log.log. "
    "Archives are tried by: ts-retry check"
)
_WAITS = "ts-retry: paste a traceback or a log, then press Ctrl-D on a line of its own"
_PHASES = {
    Phase.STARTUP: "startup: the worker script failed before it had a model",
    Phase.INFERENCE: "inference: a request failed, no load",
}
#: Characters in front of a value.
_LABEL = 15
_ANSWER = {
    "non_recoverable": "NON-RECOVERABLE: no retry can cure this",
    "recoverable": "RECOVERABLE: a retry can cure this",
    "unknown": "UNKNOWN: it is retried; if it repeats without change, the model waits for trial loads",
}


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "classify",
        help="judge a traceback or log, or failures as JSON Lines",
        description="Judge the failures in a text: a traceback, or a log in any form that analyze reads. "
        "The text can also be JSON Lines with the keys phase, exc_type, mro, message, errno, chain and "
        "frames. The answer to JSON Lines is JSON Lines in the same order.",
        epilog="examples:\n"
        "  ts-retry classify logs/ts_log.log\n"
        "  kubectl logs my-pod | ts-retry classify",
    )
    parser.add_argument(
        "file",
        nargs="?",
        default="-",
        metavar="FILE",
        help="the text; - is standard input (default: -)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--phase",
        choices=[phase.value for phase in Phase],
        help="what the worker was doing (default: what the frames show)",
    )
    parser.add_argument(
        "--model-dir",
        metavar="DIR",
        help="folder of the model's files, to see which files are missing",
    )
    add_rules_option(parser)


def run(args: argparse.Namespace) -> int:
    """Run the command; 0 judged, 1 a line of JSON cannot be read."""
    rules = rules_named(args.rules)
    host = NO_HOST
    if args.model_dir:
        model_dir = os.path.realpath(args.model_dir)
        host = Host(
            model_dir=model_dir,
            exists=os.path.exists,
            files=lambda: names_of_files(model_dir),
            sources=lambda: own_sources(model_dir),
            is_sound=lambda name: is_sound(os.path.join(model_dir, name)),
        )
    try:
        content = _read(args.file)
    except OSError as error:
        msg = f"{args.file}: cannot be read: {error.strerror}"
        raise CommandError(msg) from error
    if not content.strip():
        msg = f"{args.file}: is empty; give it a traceback"
        raise CommandError(msg)
    if _is_json_lines(content):
        lines = content.decode("utf-8", "replace").split("\n")
        return _json_lines(lines, rules, host)
    _text(args, content, FailureJudge(rules, host))
    return OK


def _text(args: argparse.Namespace, content: bytes, judge: FailureJudge) -> None:
    """Answer a text: its first failure in full, the others in a line each."""
    phase = Phase(args.phase) if args.phase else None
    failures = failures_in(content, args.file, judge, phase)
    found = failures.found
    if not found and _is_binary(content):
        msg = f"{args.file}: {_NO_TEXT}"
        raise CommandError(msg)
    if args.json:
        for failure in found or (no_cause(),):
            print(json.dumps(_record(failure)))
        return
    for problem in failures.report.content["problems"]:
        if any(word in problem for word in _TOLD_PROBLEMS):
            warn(f"ts-retry: {problem}")
    for line in _answer(found[0] if found else no_cause()):
        print_wrapped(line, _LABEL)
    if len(found) > 1:
        print_wrapped(f"Also in this text ({len(found) - 1}):")
        for failure in found[1:_SHOWN_FAILURES]:
            print_wrapped(_in_a_line(failure), _LABEL)
    if len(found) > _SHOWN_FAILURES:
        print_wrapped(f"  and {len(found) - _SHOWN_FAILURES} more: see --json, or ts-retry analyze")
    if not any(failure.judged.complete and not failure.judged.crashed for failure in found):
        for line in _told(failures):
            print_wrapped(line, _LABEL)


def _read(name: str) -> bytes:
    if name == "-":
        if sys.stdin.isatty():
            warn(_WAITS)
        return sys.stdin.buffer.read()
    return Path(name).read_bytes()


def _is_binary(content: bytes) -> bool:
    """Tell whether a file is no text: it has a NUL byte, and is neither gzip nor UTF-16, which can be read."""
    return b"\0" in content[:_HEAD] and not content.startswith(_READABLE)


def _is_json_lines(content: bytes) -> bool:
    """Tell whether the first line is the record of a failure; a log in JSON is none."""
    first = content.lstrip().partition(b"\n")[0]
    if not first.startswith(b"{"):
        return False
    try:
        record = json.loads(first)
    except (ValueError, RecursionError):
        return False
    return isinstance(record, dict) and (
        record.keys() >= _IS_FAILURE or not _IS_LOG & record.keys()
    )


def _json_lines(lines: Iterable[str], rules: Sequence[Rule], host: Host) -> int:
    """Answer each line that is not blank with one line, a line that cannot be read as unknown."""
    status = OK
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            failure = failure_from_record(json.loads(line), model_dir=host.model_dir)
        except (ValueError, RecursionError) as error:
            warn(f"ts-retry: line {number}: {error}")
            status = ERROR
            failure = failure_from_record({"exc_type": "UnreadableRecord"})
            verdict = judge(failure, rules=(), host=host)
        else:
            verdict = judge(failure, rules=rules, host=host)
        print(json.dumps(verdict.to_record()))
    return status


def _record(failure: TextFailure) -> dict[str, object]:
    """Return the JSON form: that of the verdict, and what it is of."""
    what = failure.judged.failure
    return {
        **failure.judged.verdict.to_record(),
        "phase": what.phase.value,
        "exception": {"type": what.type, "message": what.message},
        "model": failure.model,
        "count": failure.count,
    }


def _answer(found: TextFailure) -> list[str]:
    failure, verdict = found.judged.failure, found.judged.verdict
    innermost = failure.links[-1]
    rows = [
        ("failure", _cause(failure.type, failure.message) if found.is_known else ""),
        ("caused by", _cause(innermost.type, innermost.message) if failure.chain else ""),
        ("phase", _PHASES.get(failure.phase, "")),
        ("why", verdict.reason),
        ("remedy", verdict.remedy),
        ("rule", verdict.rule or f"none (basis: {verdict.basis.value})"),
        ("scope", verdict.scope.value),
        ("fingerprint", f"{verdict.fingerprint} (version {verdict.fingerprint_version})"),
    ]
    heading = _ANSWER[verdict.verdict.value] if found.is_known else _NO_CAUSE
    return [heading, *(f"  {name}".ljust(_LABEL) + value for name, value in rows if value)]


def _in_a_line(found: TextFailure) -> str:
    failure, verdict = found.judged.failure, found.judged.verdict
    whose = f"{found.model}: " if found.model else ""
    decided = verdict.rule or verdict.basis.value
    what = _cause(failure.type, failure.message)
    return f"  {whose}{found.count} x {what} [{verdict.verdict.value}, {decided}]"


def _cause(kind: str, message: str) -> str:
    return cause_line(kind, redact(message), _SHOWN_MESSAGE)


def _told(failures: TextFailures) -> list[str]:
    """Return what the lines do tell where no cause is among them."""
    report = failures.report
    lines = [f"  {exit_}" for exit_ in failures.exits]
    lines += [line for server in report.content["servers"] for line in server_lines(server)]
    for model, name in zip(report.models, names(report.models)):
        lines += model_lines(model, name)
    return ["What its lines tell:", *lines] if lines else []

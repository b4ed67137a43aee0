"""`ts-retry classify`: judge a traceback, or JSON Lines of failures."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from ts_retry_ext.cli.output import print_wrapped
from ts_retry_ext.cli.rule_sources import RulesUnreadableError, add_rules_option, read_rules
from ts_retry_ext.judge import (
    NO_HOST,
    Failure,
    Host,
    Phase,
    Rule,
    Verdict,
    failure_from_record,
    judge,
    redact,
)
from ts_retry_ext.judge.builtin import BUILTIN_RULES
from ts_retry_ext.logs.process_lines import failure_in_log
from ts_retry_ext.plain_text import cause_line

#: Characters of an exception's message shown to people.
_SHOWN_MESSAGE = 300
#: Characters in front of a value.
_LABEL = 15
_ANSWER = {
    "non_recoverable": "NON-RECOVERABLE: no retry can cure this",
    "recoverable": "RECOVERABLE: a retry can cure this",
    "unknown": "UNKNOWN: it is retried, and halts the model when it repeats without change",
}


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "classify",
        help="judge a traceback or log, or failures as JSON Lines",
        description="Judge the last traceback of a text (TorchServe's log prefixes are understood), "
        "or each line of JSON Lines with the keys phase, exc_type, mro, message, errno, chain, "
        "frames. JSON Lines are answered with JSON Lines in the same order.",
    )
    parser.add_argument("file", nargs="?", default="-", metavar="FILE", help="'-': standard input")
    parser.add_argument("--json", action="store_true", help="answer a text with JSON too")
    parser.add_argument(
        "--phase",
        choices=[phase.value for phase in Phase],
        default=Phase.INITIALIZE.value,
        help="how far the worker was, for a text (default: %(default)s)",
    )
    parser.add_argument(
        "--model-dir", metavar="DIR", help="the model's files, to look for files that are missing"
    )
    add_rules_option(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the command; 0 judged, 1 input or rules can't be read."""
    own: tuple[Rule, ...] = ()
    if args.rules:
        try:
            own, problems = read_rules(args.rules)
        except RulesUnreadableError as exc:
            print(f"ts-retry classify: {exc}", file=sys.stderr)
            return 1
        for problem in problems:
            print(f"ts-retry classify: rule left out: {problem}", file=sys.stderr)
    rules = (*own, *BUILTIN_RULES)
    host = NO_HOST
    if args.model_dir:
        host = Host(model_dir=os.path.realpath(args.model_dir), exists=os.path.exists)
    try:
        text = _read(args.file)
    except OSError as exc:
        print(f"ts-retry classify: {args.file}: can't be read: {exc.strerror}", file=sys.stderr)
        return 1
    if not text.strip():
        print(f"ts-retry classify: {args.file}: is empty; give it a traceback", file=sys.stderr)
        return 1
    if _is_json_lines(text):
        return _json_lines(text.split("\n"), rules, host)
    failure = failure_in_log(text, Phase(args.phase), model_dir=host.model_dir)
    verdict = judge(failure, rules=rules, host=host)
    if args.json:
        print(json.dumps(verdict.to_record()))
    else:
        for line in _answer(failure, verdict):
            print_wrapped(line, _LABEL)
    return 0


def _read(name: str) -> str:
    if name == "-":
        return sys.stdin.buffer.read().decode("utf-8", "replace")
    return Path(name).read_text(encoding="utf-8", errors="replace")


def _is_json_lines(text: str) -> bool:
    """Tell whether the first line is a JSON object; a traceback never is."""
    first = text.lstrip().partition("\n")[0]
    if not first.startswith("{"):
        return False
    try:
        return isinstance(json.loads(first), dict)
    except ValueError:
        return False


def _json_lines(lines: Iterable[str], rules: Sequence[Rule], host: Host) -> int:
    """Answer each line that isn't blank with one line, a line that can't be read as unknown."""
    status = 0
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            failure = failure_from_record(json.loads(line), model_dir=host.model_dir)
        except (ValueError, RecursionError) as exc:
            print(f"ts-retry classify: line {number}: {exc}", file=sys.stderr)
            status = 1
            failure = failure_from_record({"exc_type": "UnreadableRecord"})
            verdict = judge(failure, rules=(), host=host)
        else:
            verdict = judge(failure, rules=rules, host=host)
        print(json.dumps(verdict.to_record()))
    return status


def _answer(failure: Failure, verdict: Verdict) -> list[str]:
    rows = [
        ("failure", cause_line(failure.type, redact(failure.message), _SHOWN_MESSAGE)),
        ("why", verdict.reason),
        ("remedy", verdict.remedy),
        ("rule", verdict.rule or f"none (basis: {verdict.basis.value})"),
        ("scope", verdict.scope.value),
        ("fingerprint", f"{verdict.fingerprint} (version {verdict.fingerprint_version})"),
    ]
    return [
        _ANSWER[verdict.verdict.value],
        *(f"  {name}".ljust(_LABEL) + value for name, value in rows if value),
    ]

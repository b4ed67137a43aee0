"""``ts-retry show MODEL``: the whole report on a model's last failure, traceback included."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING, Any

from ts_retry_ext.cli.printing import (
    HALTED,
    OK,
    print_json,
    print_labelled,
    print_line,
    print_timeline,
    print_wrapped,
    warn,
)
from ts_retry_ext.plain_text import visible
from ts_retry_ext.snapshot.attempts import attempts_of
from ts_retry_ext.snapshot.down_in_words import commands_to_try, facts_of, local_time
from ts_retry_ext.snapshot.state import State
from ts_retry_ext.store.exception_record import (
    ExceptionRecord,
    FingerprintRecord,
    exception_to_json,
)
from ts_retry_ext.store.marker import marker_to_json

if TYPE_CHECKING:
    from ts_retry_ext.snapshot.model import ModelStatus

#: Newest events that are shown.
SHOWN = 30
#: Characters of a label and the blanks behind it.
_LABEL = 17


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    from ts_retry_ext.cli.sources import add_source_options

    parser = commands.add_parser(
        "show",
        help="show the whole report on one model",
        description="Show everything that is known about a model's last failure: verdict, remedy, "
        "what it waits for, its next trial load, cause chain, traceback, and the time line of its "
        "loads and trial loads. Exits with 3 if the model is halted, waiting or retired.",
        epilog="examples:\n  ts-retry show my_model\n  ts-retry show my_model --version 2.0 --json",
    )
    parser.add_argument("model", metavar="MODEL", help="name of the model")
    parser.add_argument("--version", help="version of the model, if it has several")
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_source_options(parser)


def run(arguments: argparse.Namespace) -> int:
    from ts_retry_ext.cli.sources import model_in, snapshot_of

    snapshot = snapshot_of(arguments)
    for problem in snapshot.problems:
        warn(f"ts-retry: {problem}")
    model = model_in(snapshot, arguments.model, arguments.version)
    if arguments.json:
        print_json(_content(model))
    else:
        runs = snapshot.server is not None and snapshot.server.running
        _print(model, snapshot.resume_command(model), server_runs=runs)
    return HALTED if model.is_down else OK


def _content(model: ModelStatus) -> dict[str, Any]:
    """Return the keys of ``status --json``, with the whole exception and the files behind it."""
    content = model.to_json()
    content["exception"] = exception_to_json(model.exception) if model.exception else None
    content["state_directory"] = model.directory
    content["marker"] = marker_to_json(model.marker) if model.marker else None
    return content


def _print(model: ModelStatus, command: str, *, server_runs: bool = True) -> None:
    now = time.time()
    _print_labelled("model", f"{model.model} {model.version}")
    _print_labelled("state", model.state.value)
    for label, text in facts_of(model, now, server_runs=server_runs).items():
        _print_labelled(label, text)
    if model.report is not None and model.report.rule:
        _print_labelled("about the rule", f"ts-retry rules {model.report.rule}")
    if model.exception is None:
        if model.not_registered is None:
            print_line("no failure is known")
    else:
        _print_parts(model.exception.fingerprint_parts)
        _print_exception(model.exception)
    _print_attempts(model, now)
    if model.can_be_resumed:
        print_line()
        waits = model.down_as is State.WAITING
        print_wrapped(
            f"{'To try it now' if waits else 'When it is repaired'}: {commands_to_try(model, command)}"
        )


def _print_attempts(model: ModelStatus, now: float) -> None:
    """Print the newest events as a time line: when, what, which process, and how it went."""
    entries = attempts_of(model.records, SHOWN)
    if not entries:
        return
    print_line()
    print_line("what its workers did")
    rows = [
        (
            local_time(entry.at, now),
            f"+{entry.after_sec:.1f} s",
            entry.title,
            entry.pid,
            entry.words,
        )
        for entry in entries
    ]
    print_timeline(("TIME", "AFTER", "EVENT", "PROCESS", "WHAT"), rows)


def _print_parts(parts: FingerprintRecord) -> None:
    """Tell what the fingerprint is made of: no line numbers, no paths, nothing that varies."""
    told = {
        "types": " < ".join(parts.types),
        "frames": " > ".join(parts.frames),
        "messages": " < ".join(filter(None, parts.messages)),
        "numbers": ", ".join(parts.numbers),
    }
    if any(told.values()):
        print_line("the fingerprint is made of")
    for name, text in told.items():
        if text:
            _print_labelled(f"  {name}", text)


def _print_labelled(label: str, text: str) -> None:
    print_labelled(f"{label}:", text, _LABEL)


def _print_exception(exception: ExceptionRecord) -> None:
    print_line()
    if exception.traceback:
        print(visible(exception.traceback.rstrip("\n"), keep="\n\t"))
        return
    print(visible(f"{exception.type}: {exception.message}", keep="\n\t"))
    for cause in exception.chain:
        print_line(f"  because of {cause.type}: {cause.message}")

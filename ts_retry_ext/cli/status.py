"""``ts-retry status``: every model with its state and its cause, once or again and again."""

from __future__ import annotations

import argparse
import io
import shutil
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from typing import TextIO

from ts_retry_ext.cli.printing import ERROR, HALTED, OK, print_json, print_line, warn
from ts_retry_ext.settings import MAX_SECONDS

#: How often ``--watch`` looks where it is not said, in seconds, as ``watch`` does.
WATCH_SEC = 2.0
#: Clears a terminal from its top left corner on (ECMA-48).
_CLEAR = "\x1b[H\x1b[2J"


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    from ts_retry_ext.cli.sources import add_source_options

    parser = commands.add_parser(
        "status",
        help="show every model with its state and cause",
        description="Show every model of the running server with its state, the number of worker "
        "starts and loads, the next trial load, the verdict on its last failure, and its retry "
        "window. Exits with 3 if a model is halted, waiting, retired or not registered.",
        epilog="examples:\n"
        "  ts-retry status\n"
        "  ts-retry status my_model --watch\n"
        "  ts-retry status -o wide\n"
        "  ts-retry status --state-dir logs/ts_retry --json",
    )
    parser.add_argument(
        "model", nargs="?", metavar="MODEL", help="name of the model to show (default: all)"
    )
    parser.add_argument(
        "--all", action="store_true", help="list the models that serve, too, even if there are many"
    )
    parser.add_argument(
        "-o",
        "--output",
        choices=("wide", "json", "name"),
        help="wide: every model, with its place in the code and its fingerprint; json: as --json; "
        "name: the names alone",
    )
    parser.add_argument(
        "--json", action="store_const", const="json", dest="output", help="print JSON"
    )
    parser.add_argument(
        "--watch",
        nargs="?",
        type=_seconds,
        const=WATCH_SEC,
        metavar="SECONDS",
        help=f"show it again every so many seconds (default: {WATCH_SEC:g}), until Ctrl-C",
    )
    add_source_options(parser)


def run(arguments: argparse.Namespace) -> int:
    if arguments.watch is None:
        return _look(arguments)
    code = OK
    try:
        while True:
            # The new picture is complete before the old one goes: a terminal does not flicker.
            picture = _Picture(sys.stdout)
            with redirect_stdout(picture), redirect_stderr(picture):
                code = _look(arguments)
            sys.stdout.write(_drawn(picture.getvalue()) if picture.isatty() else picture.getvalue())
            sys.stdout.flush()
            time.sleep(arguments.watch)
    except KeyboardInterrupt:
        return code


def _drawn(picture: str) -> str:
    """Return what draws a picture anew on the terminal, from its top as far as it fits."""
    lines = picture.splitlines(keepends=True)
    # The cursor stands in a line of its own below.
    room = shutil.get_terminal_size().lines - 1
    if len(lines) > room:
        lines = [*lines[: room - 1], f"and {len(lines) - room + 1} more lines\n"]
    return f"{_CLEAR}{''.join(lines)}"


class _Picture(io.StringIO):
    """Keeps what is printed to a terminal, in the form that it has there."""

    def __init__(self, terminal: TextIO) -> None:
        super().__init__()
        self._is_terminal = terminal.isatty()

    def isatty(self) -> bool:
        return self._is_terminal


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= MAX_SECONDS:
        msg = f"{text!r} is not a number of seconds above 0"
        raise argparse.ArgumentTypeError(msg)
    return seconds


def _look(arguments: argparse.Namespace) -> int:
    """Print the models once and return the exit code."""
    from ts_retry_ext.cli.sources import models_in, snapshot_of
    from ts_retry_ext.cli.status_output import is_hook_missing, print_models

    snapshot = snapshot_of(arguments)
    for problem in snapshot.problems:
        warn(f"ts-retry: {problem}")
    hook_is_missing = is_hook_missing(snapshot)
    if arguments.model is not None:
        snapshot = replace(snapshot, models=models_in(snapshot, arguments.model))
    if arguments.output == "json":
        print_json(snapshot.to_json())
    elif arguments.output == "name":
        for name in dict.fromkeys(model.model for model in snapshot.models):
            print_line(name)
    else:
        wide = arguments.output == "wide"
        print_models(
            snapshot, every=arguments.all or wide, wide=wide, hook_is_missing=hook_is_missing
        )
    if any(model.is_down for model in snapshot.models):
        return HALTED
    return ERROR if snapshot.server is None or snapshot.problems else OK

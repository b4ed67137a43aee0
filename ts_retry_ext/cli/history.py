"""``ts-retry history [MODEL]``: what happened over registrations and runs of the server, newest last."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

from ts_retry_ext.cli.printing import ERROR, OK, CommandError, print_json, print_line, warn

if TYPE_CHECKING:
    from ts_retry_ext.snapshot.history_over_runs import HistoryEntry, RecordedRun


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    from ts_retry_ext.cli.sources import add_source_options

    parser = commands.add_parser(
        "history",
        help="show what happened over registrations and runs of the server",
        description="Show what happened to the models of a server, newest last: when each was registered "
        "(the first start of a worker), its failures with cause and place, halts, trial loads, and when it "
        "served again. Earlier registrations and earlier runs of the server are included.",
        epilog="examples:\n"
        "  ts-retry history\n"
        "  ts-retry history my_model\n"
        "  ts-retry history --state-dir logs/ts_retry --json",
    )
    parser.add_argument(
        "model", nargs="?", metavar="MODEL", help="name of the model (default: all)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_source_options(parser)


def run(arguments: argparse.Namespace) -> int:
    from ts_retry_ext.cli.sources import run_directories
    from ts_retry_ext.snapshot.history_over_runs import history_of
    from ts_retry_ext.snapshot.registration_files import read_run

    runs = [read_run(path) for path in run_directories(arguments)]
    if arguments.pid is not None:  # Another server may keep its state in the same place.
        runs = [run for run in runs if run.ended or run.pid == arguments.pid]
    for problem in (r.problem for run in runs for r in run.registrations if r.problem):
        warn(f"ts-retry: {problem}")
    entries = history_of(runs, arguments.model)
    if arguments.model is not None and not entries:
        raise CommandError(_unknown(arguments.model, runs))
    if arguments.json:
        print_json({"events": [entry.to_json() for entry in entries]})
    else:
        _print(entries, arguments.state_dir)
    return OK if runs else ERROR


def _unknown(model: str, runs: list[RecordedRun]) -> str:
    from ts_retry_ext.snapshot.history_over_runs import name_of

    known = sorted({name_of(r) for run in runs for r in run.registrations})
    these = f"these are: {', '.join(known)}" if known else "no worker has written anything"
    return f"no model {model!r} is known, {these}"


def _print(entries: tuple[HistoryEntry, ...], state_dir: str | None) -> None:
    from ts_retry_ext.cli.printing import print_timeline
    from ts_retry_ext.snapshot.down_in_words import local_time

    if not entries:
        none = "no TorchServe runs here, and none has left its state in ./logs"
        print_line(f"no server has left its state in {state_dir}" if state_dir else none)
        return
    now = time.time()
    rows = [
        (
            local_time(entry.at, now),
            entry.server,
            f"{entry.model} {entry.version}" if entry.model else None,
            entry.event,
            entry.words
            if entry.count == 1
            else f"{entry.count} times until {local_time(entry.until, now)}: {entry.words}",
        )
        for entry in entries
    ]
    print_timeline(("TIME", "SERVER", "MODEL", "EVENT", "WHAT"), rows)

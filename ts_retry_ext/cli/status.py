"""``ts-retry status``: every model with its state, its cause, and what the frontend does."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ts_retry_ext.cli.printing import (
    ERROR,
    HALTED,
    OK,
    print_json,
    print_line,
    print_table,
    print_wrapped,
    warn,
)

if TYPE_CHECKING:
    from ts_retry_ext.snapshot.model import ModelStatus, Snapshot

CAUSE_LENGTH = 100


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    from ts_retry_ext.cli.sources import add_source_options

    parser = commands.add_parser(
        "status",
        help="show every model with its state and cause",
        description="Show every model of the running server with its state, the number of worker "
        "starts and loads, the verdict on its last failure, and the retry window in force. Exits "
        "with 3 when a model is halted.",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_source_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    from ts_retry_ext.cli.sources import snapshot_of

    snapshot = snapshot_of(arguments)
    for problem in snapshot.problems:
        warn(f"ts-retry: {problem}")
    if arguments.json:
        print_json(snapshot.to_json())
    else:
        _print(snapshot)
    if any(model.is_halted for model in snapshot.models):
        return HALTED
    return ERROR if snapshot.server is None or snapshot.problems else OK


def _print(snapshot: Snapshot) -> None:
    if snapshot.server is None:
        if not snapshot.problems:
            print_line("no TorchServe runs here, and none has left its state in ./logs")
        return
    server = snapshot.server
    ended = "has ended, or runs in another container; this is what its workers left"
    runs = "runs" if server.running else ended
    print_line(
        f"TorchServe {server.torchserve or 'of unknown version'}, process {server.pid}, {runs}; "
        f"management API {server.management}"
    )
    if not snapshot.models:
        print_line("no model is registered")
        return
    columns = ("MODEL", "VERSION", "STATE", "STARTS", "LOADS", "VERDICT", "WINDOW", "CAUSE")
    rows = [_cells(model) for model in snapshot.models]
    print_table(columns, rows, aside=("VERDICT", "CAUSE"))
    for model in snapshot.models:
        if model.needs_hand:
            print_wrapped(f"{model.model}: {_advice(model, snapshot.resume_command(model))}")
    if server.running and _is_hook_missing(snapshot):
        print_wrapped(
            "No worker of this server has written anything: ts-retry-ext may not be active in it, or "
            "was installed after its start. Look with: ts-retry doctor"
        )


def _is_hook_missing(snapshot: Snapshot) -> bool:
    """Tell whether there are workers, and none of them is known from the state directory."""
    reached = [m for m in snapshot.models if m.running and m.running.workers and not m.out_of_reach]
    return bool(reached) and all(model.registration is None for model in reached)


def _cells(model: ModelStatus) -> tuple[object, ...]:
    content = model.to_json()
    window = content["max_retry_timeout_sec"]
    return (
        model.model,
        model.version,
        model.state.value,
        content["worker_starts"],
        content["loads"],
        model.judged,
        None if window is None else f"{window} s ({content['max_retry_timeout_source']})",
        _cause(model),
    )


def _cause(model: ModelStatus) -> str | None:
    if model.cause is None:
        scaled_down = model.running is not None and not model.running.workers
        return "no workers: min_workers is 0" if scaled_down else model.out_of_reach
    return model.cause if len(model.cause) <= CAUSE_LENGTH else model.cause[:CAUSE_LENGTH] + "..."


def _advice(model: ModelStatus, command: str) -> str:
    content = model.to_json()
    # Past the window, what the last failure was like is not what halts the model.
    said = model.window_over or str(content["reason"] or "")
    remedy = str(content["remedy"] or "")
    return " ".join(
        part for part in (_sentence(said), _sentence(remedy), f"Then: {command}") if part
    )


def _sentence(text: str) -> str:
    """Return `text`, which a handler may have written, with its full stop."""
    return text if not text or text.endswith((".", "!", "?", ":")) else text + "."

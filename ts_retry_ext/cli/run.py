"""``ts-retry run -- torchserve …``: run a server in the foreground, with an exit code that counts.

TorchServe's launcher exits with 0 however its JVM ended. A batch job or a CI step cannot tell a
server that was shut down because of a broken model from one that did its work.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ts_retry_ext.cli.printing import ERROR, HALTED, USAGE, CommandError, as_command_error, warn

if TYPE_CHECKING:
    from ts_retry_ext.frontend.server_configuration import Server
    from ts_retry_ext.snapshot.model import ModelStatus

_EXAMPLE = "ts-retry run -- torchserve --start --foreground --model-store STORE --models NAME=FILE"


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "run",
        help="run TorchServe in the foreground, and exit with 3 if a model did not load",
        description="Run TorchServe in the foreground and pass signals on to it. After it has ended, "
        "print the cause and exit with 3 if a model was halted, waiting, retired or not registered. Otherwise "
        "exit with the exit code of its JVM (128 plus the signal's number if a signal ended it). TorchServe's "
        "own launcher always exits with 0. For batch jobs and CI, use it with retry_on_fatal=shutdown.",
        epilog=f"examples:\n  {_EXAMPLE}",
    )
    parser.add_argument(
        "command", nargs=argparse.REMAINDER, metavar="-- torchserve …", help="the command to run"
    )


def run(arguments: argparse.Namespace) -> int:
    from ts_retry_ext.frontend.foreground import ForegroundServer, LaunchError, launcher_options
    from ts_retry_ext.store.marker import why_not_loaded

    try:
        options = launcher_options(arguments.command)
    except LaunchError as error:
        msg = f"{error}: {_EXAMPLE}"
        raise CommandError(msg, USAGE) from error
    started = ForegroundServer()
    with as_command_error(LaunchError):
        status = started.launch(options)
    if started.process is None:
        return status or ERROR
    down = _models_down(started.server)
    for model in down:
        why = why_not_loaded(model.marker) if model.marker else model.cause
        warn(f"ts-retry: model {model.model!r} was {model.state.value}: {why}")
    if down:
        return HALTED
    code = started.process.wait()
    return 128 - code if code < 0 else code


def _models_down(server: Server | None) -> list[ModelStatus]:
    """Return the models that were halted, waiting or retired when the server ended."""
    from ts_retry_ext.snapshot.observed_server import observed
    from ts_retry_ext.snapshot.take import take_snapshot_of_run

    directories = observed(server).run_dirs if server is not None else []
    snapshots = [take_snapshot_of_run(directory) for directory in directories]
    return [model for snapshot in snapshots for model in snapshot.models if model.is_down]

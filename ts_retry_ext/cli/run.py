"""``ts-retry run -- torchserve …``: run a server in the foreground, with an exit code that tells.

TorchServe's launcher exits with 0 however its JVM ended, and a signal to it leaves the JVM behind
(0.12.0 ``ts/model_server.py``). A batch job or a CI step can't tell a server that was shut down
because of a broken model from one that did its work.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from types import FrameType
from typing import TYPE_CHECKING, Any, Sequence

from ts_retry_ext.cli.output import ERROR, HALTED, USAGE, CommandError, warn
from ts_retry_ext.store.marker import why_halted

if TYPE_CHECKING:
    from ts_retry_ext.frontend.server import Server
    from ts_retry_ext.snapshot.model import ModelStatus

PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)  # fmt: skip
_LAUNCHER = "torchserve"
_LAUNCHER_MODULE = "ts.model_server"
#: A process that has just been started does not show its command line at once; in seconds.
_EXEC_TIMEOUT = 5.0
_EXAMPLE = "ts-retry run -- torchserve --start --foreground --model-store STORE --models NAME=FILE"


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "run",
        help="run TorchServe in the foreground, and exit with 3 when a model was halted",
        description="Run TorchServe in the foreground and pass signals on to it. When it has ended, "
        "exit with 3 and print the cause where a model was halted, else with the status of its JVM "
        "(128 and the signal's number where that ended it). TorchServe's own launcher exits with 0 "
        "in any case. Goes well with retry_on_fatal=shutdown, for batch jobs and CI.",
        epilog=f"example: {_EXAMPLE}",
    )
    parser.add_argument(
        "command", nargs=argparse.REMAINDER, metavar="-- torchserve …", help="the command to run"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    options = launcher_options(arguments.command)
    jvm = _Jvm()
    for number in PASSED_ON:
        signal.signal(number, jvm.pass_on)
    status = _launch(options, jvm)
    if jvm.process is None:
        return status or ERROR
    halted = _halted_models(jvm.server)
    for model in halted:
        marker = model.registration.marker if model.registration else None
        why = why_halted(marker) if marker else model.cause
        warn(f"ts-retry: model {model.model!r} was halted: {why}")
    if halted:
        return HALTED
    code = jvm.process.wait()
    return 128 - code if code < 0 else code


def launcher_options(words: Sequence[str]) -> list[str]:
    """Return the launcher's options in a command line such as ``-- torchserve --start``.

    Raises:
        CommandError: it is no such command line, or does not stay in the foreground.
    """
    words = list(words[1:] if words[:1] == ["--"] else words)
    if words and os.path.basename(words[0]) == _LAUNCHER:
        options = words[1:]
    elif words[1:3] == ["-m", _LAUNCHER_MODULE]:
        options = words[3:]
    else:
        raise CommandError(f"{' '.join(words) or 'nothing'!r} is not torchserve; {_EXAMPLE}", USAGE)
    if "--foreground" not in options or "--stop" in options:
        raise CommandError(f"torchserve has to stay in the foreground: {_EXAMPLE}", USAGE)
    return options


class _Jvm:
    """TorchServe's frontend, once its launcher has started it.

    Attributes:
        process: the process, or None before.
        server: what its configuration tells, or None before.
    """

    def __init__(self) -> None:
        self.process: subprocess.Popen[Any] | None = None
        self.server: Server | None = None

    def Popen(self, command: Sequence[str]) -> subprocess.Popen[Any]:  # noqa: N802 - as in subprocess
        """Start the frontend; takes the place of ``subprocess.Popen`` in the launcher."""
        from ts_retry_ext.frontend.process import frontend_at
        from ts_retry_ext.frontend.server import server_of

        self.process = subprocess.Popen(command)
        until = time.monotonic() + _EXEC_TIMEOUT
        while self.process.poll() is None and time.monotonic() < until:
            frontend = frontend_at(self.process.pid)
            if frontend is not None:
                self.server = server_of(frontend)
                break
            time.sleep(0.005)
        return self.process

    def pass_on(self, number: int, _: FrameType | None) -> None:
        """Pass a signal on to the frontend; without one there is nothing to wait for."""
        if self.process is None:
            raise SystemExit(128 + number)
        self.process.send_signal(number)


def _launch(options: Sequence[str], jvm: _Jvm) -> int:
    """Run TorchServe's own launcher in this process, and return its status."""
    try:
        from ts import model_server
    except ImportError as error:
        raise CommandError(f"TorchServe is not installed beside ts-retry: {error}") from error
    model_server.subprocess = jvm
    sys.argv = [_LAUNCHER, *options]
    try:
        model_server.start()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else ERROR
    return 0


def _halted_models(server: Server | None) -> list[ModelStatus]:
    """Return the models that were halted when the server ended."""
    from ts_retry_ext.snapshot.observed_server import observed
    from ts_retry_ext.snapshot.take import take_snapshot_of_run

    directories = observed(server).run_dirs if server is not None else []
    snapshots = [take_snapshot_of_run(directory) for directory in directories]
    return [model for snapshot in snapshots for model in snapshot.models if model.is_halted]

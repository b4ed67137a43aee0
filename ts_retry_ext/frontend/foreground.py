"""Run TorchServe's own launcher in this process, and know the frontend that it starts.

The launcher exits with 0 however its JVM ended, and a signal to it leaves the JVM behind (0.12.0
``ts/model_server.py``).
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from types import FrameType
from typing import Any, Sequence

from ts_retry_ext.frontend.process import frontend_at
from ts_retry_ext.frontend.server_configuration import Server, server_of

#: Signals that the frontend gets instead of this process.
PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)  # fmt: skip
_LAUNCHER = "torchserve"
_LAUNCHER_MODULE = "ts.model_server"
#: A process that has just been started does not show its command line at once; in seconds.
_EXEC_TIMEOUT = 5.0
_LAUNCHER_FAILED = 1


class LaunchError(Exception):
    """What was asked for cannot be run in the foreground; the message says why."""


def launcher_options(words: Sequence[str]) -> list[str]:
    """Return the launcher's options in a command line such as ``-- torchserve --start``.

    Raises:
        LaunchError: it is no such command line, or does not stay in the foreground.
    """
    words = list(words[1:] if words[:1] == ["--"] else words)
    if words and os.path.basename(words[0]) == _LAUNCHER:
        options = words[1:]
    elif words[1:3] == ["-m", _LAUNCHER_MODULE]:
        options = words[3:]
    else:
        msg = f"{' '.join(words) or 'nothing'!r} is not torchserve"
        raise LaunchError(msg)
    if "--foreground" not in options or "--stop" in options:
        msg = "torchserve has to stay in the foreground"
        raise LaunchError(msg)
    return options


class ForegroundServer:
    """TorchServe's frontend, once its launcher has started it.

    Attributes:
        process: the process, or None before.
        server: what its configuration says, or None before.
    """

    def __init__(self) -> None:
        self.process: subprocess.Popen[Any] | None = None
        self.server: Server | None = None

    def launch(self, options: Sequence[str]) -> int:
        """Run TorchServe's launcher with `options` until the frontend ends; return its status.

        Raises:
            LaunchError: TorchServe is not installed.
        """
        try:
            from ts import model_server
        except ImportError as error:
            msg = f"TorchServe is not installed beside ts-retry: {error}"
            raise LaunchError(msg) from error
        for number in PASSED_ON:
            signal.signal(number, self._pass_on)
        model_server.subprocess = self
        sys.argv = [_LAUNCHER, *options]
        try:
            model_server.start()
        except SystemExit as end:
            return end.code if isinstance(end.code, int) else _LAUNCHER_FAILED
        return 0

    def Popen(self, command: Sequence[str]) -> subprocess.Popen[Any]:  # noqa: N802 - as in subprocess
        """Start the frontend; takes the place of ``subprocess.Popen`` in the launcher."""
        self.process = subprocess.Popen(command)
        until = time.monotonic() + _EXEC_TIMEOUT
        while self.process.poll() is None and time.monotonic() < until:
            frontend = frontend_at(self.process.pid)
            if frontend is not None:
                self.server = server_of(frontend)
                break
            time.sleep(0.005)
        return self.process

    def _pass_on(self, number: int, _: FrameType | None) -> None:
        """Pass a signal on to the frontend; without one there is nothing to wait for."""
        if self.process is None:
            raise SystemExit(128 + number)
        self.process.send_signal(number)

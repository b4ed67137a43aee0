"""Child processes of the check, each the head of a process group that is ended as a whole.

What left its group, as a daemon does, is found by the check's folder, which stands in the environment,
command line or working directory that it inherited.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import threading
import time
from typing import Mapping, Sequence

import psutil

#: Bytes kept of what a process writes: its end.
MAX_OUTPUT = 16 * 1024
POLL_SEC = 0.02
MAX_ROUNDS = 20
#: How long what was killed may take to end.
STRAY_SEC = 2.0
#: How often the memory of a process is looked at.
SAMPLE_SEC = 0.2


class AbortedError(Exception):
    """The check was told to stop."""


class Child:
    """One process group, and the end of what it wrote.

    Attributes:
        pid: process id, and id of the group.
        peak_memory: largest resident size that was seen, in bytes; 0 where none was.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self.pid = process.pid
        self.peak_memory = 0
        self._output = b""
        self._ended = threading.Lock()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def has_ended(self) -> bool:
        """Tell whether the head has ended. It is not reaped, so that its id stays its own."""
        try:
            return psutil.Process(self.pid).status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True

    def wait(self, until: float) -> bool:
        """Wait until the head has ended, and tell whether it has by `until` (`time.monotonic`)."""
        while not self.has_ended:
            if time.monotonic() > until:
                return False
            time.sleep(POLL_SEC)
        return True

    def end(self) -> int:
        """Kill what is left of the group, reap its head and return its status. Idempotent."""
        with self._ended:
            if self._process.returncode is None:
                try:
                    os.killpg(self.pid, signal.SIGKILL)
                except (ProcessLookupError, PermissionError):
                    pass  # On macOS a group of zombies answers with EPERM.
                self._process.wait()
                if self._process.stdin is not None:
                    self._process.stdin.close()
            return self._process.returncode

    def output(self) -> str:
        """Return the end of what the process wrote."""
        # What left the group may keep the pipe open for ever.
        self._reader.join(1.0)
        return self._output.decode("utf-8", "replace")

    def _read(self) -> None:
        stream = self._process.stdout
        assert stream is not None
        with stream:
            while True:
                self._look_at_memory()
                if not select.select([stream], (), (), SAMPLE_SEC)[0]:
                    continue
                part = os.read(stream.fileno(), 1 << 16)
                if not part:
                    return
                self._output = (self._output + part)[-MAX_OUTPUT:]

    def _look_at_memory(self) -> None:
        try:
            size = psutil.Process(self.pid).memory_info().rss
        except psutil.Error:
            return
        self.peak_memory = max(self.peak_memory, size)


def end_strays(folder: str) -> None:
    """Kill every process that has `folder` in its environment, command line or working directory."""
    for _ in range(MAX_ROUNDS):  # One may have started another in the meantime.
        strays = [process for process in psutil.process_iter() if _names(process, folder)]
        if not strays:
            return
        for process in strays:
            try:
                process.kill()
            except psutil.Error:  # noqa: PERF203 - it ended by itself
                pass
        psutil.wait_procs(strays, timeout=STRAY_SEC)


def _names(process: psutil.Process, folder: str) -> bool:
    if process.pid == os.getpid():
        return False
    try:
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        told = [*process.environ().values(), *process.cmdline(), process.cwd()]
    except (psutil.Error, OSError):
        return False  # Somebody else's, or gone.
    return any(folder in text for text in told)


class Children:
    """Every process of a check, so that all of them can be ended at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[Child] = set()
        self._aborted = False

    def start(self, command: Sequence[str], environ: Mapping[str, str], cwd: str) -> Child:
        """Start `command` as the head of a group of its own.

        Its standard input stays open and silent, as that of a process which Java starts.

        Raises:
            AbortedError: the check was told to stop.
            OSError: it cannot be started.
        """
        with self._lock:
            self.proceed()
            process = subprocess.Popen(
                command,
                cwd=cwd,
                env=dict(environ),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            child = Child(process)
            self._running.add(child)
            return child

    def end(self, child: Child) -> int:
        """End one of them and return its exit code, negative for a signal."""
        status = child.end()
        with self._lock:
            self._running.discard(child)
        return status

    def abort(self) -> None:
        """End all of them, and let no other one start."""
        with self._lock:
            self._aborted = True
            running = list(self._running)
        for child in running:
            child.end()

    def proceed(self) -> None:
        """Do nothing, unless the check was told to stop.

        Raises:
            AbortedError: it was.
        """
        if self._aborted:
            raise AbortedError

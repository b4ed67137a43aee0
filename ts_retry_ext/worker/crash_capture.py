"""Keep what a process cannot tell when it dies: the stack of a crash or of a load that hangs."""

from __future__ import annotations

import faulthandler
import os
import sys
import time
from io import FileIO
from weakref import ref

from ts_retry_ext.store.atomic import private, remove_quietly

MAX_STACK_BYTES = 64 * 1024
#: The stacks of a hanging load are written this long before the frontend ends it, in seconds, or
#: this share of its start-up timeout where that is shorter.
HANG_MARGIN = 5.0
HANG_SHARE = 0.1

#: The signals that faulthandler takes (CPython, Modules/faulthandler.c).
_CRASHES = ("SIGSEGV", "SIGFPE", "SIGABRT", "SIGBUS", "SIGILL")
#: More than a `struct sigaction` takes on any platform, in bytes.
_ROOM = 512
#: The function, and the first signals of the mask; glibc leaves what follows as it lay on the stack.
_TELLING = 16
_CRASHED = "Fatal Python error: "
_HUNG = "Timeout ("
_NO_WORD = "the process ended without an exception: os._exit, or killed from outside"
_OUT_OF_MEMORY = "killed by the OOM killer: the kernel ended a process for lack of memory"


def stack_path(directory: str, pid: int) -> str:
    """Return where the process `pid` leaves its stack should it crash."""
    return os.path.join(directory, f"stack-{pid}.txt")


def has_stack(directory: str, pid: int) -> bool:
    """Tell whether the process `pid` left a stack: it crashed by itself, or hung."""
    try:
        return os.stat(stack_path(directory, pid)).st_size > 0
    except OSError:
        return False


def tells_of_crashes() -> bool:
    """Tell whether the interpreter was asked to write a crash's stack to standard error."""
    asked = os.environ.get("PYTHONFAULTHANDLER") or "faulthandler" in sys._xoptions
    return bool(asked or sys.flags.dev_mode)


class CrashCapture:
    """Writes the stacks of all threads to a file on SIGSEGV, SIGFPE, SIGABRT, SIGBUS and SIGILL.

    The file exists only while a load is under way, or after a crash until it has been judged. Its
    streams belong to faulthandler alone: once they are gone, a handler of the model has put its own
    in their place, which is then left as it is.
    """

    def __init__(self, directory: str, pid: int) -> None:
        self._path = stack_path(directory, pid)
        self._crashes: ref[FileIO] | None = None
        self._hangs: ref[FileIO] | None = None
        self._before: tuple[bytes, ...] | None = None
        self._was_on = False
        self._due = 0.0
        self._paused = False

    def start(self) -> None:
        """Begin to capture. Raises OSError. Leaves a handler alone that somebody else installed.

        The interpreter's own one (`tells_of_crashes`) gives way for the load; the next worker writes
        to standard error what it would have written.
        """
        self._was_on = faulthandler.is_enabled()
        if self._was_on and not tells_of_crashes():
            return
        stream = FileIO(self._path, "wb", opener=private)
        faulthandler.enable(stream, all_threads=True)
        self._crashes = ref(stream)

    def expect_end_within(self, timeout: float) -> None:
        """Write the stacks of all threads shortly before `timeout` seconds from now have passed.

        The frontend ends a worker that has not answered LOAD by then (0.12.0 WorkerThread), with
        SIGKILL. A thread of faulthandler's own does the writing, so a load that never lets go of
        the interpreter's lock is seen too.

        Raises:
            OSError, RuntimeError, ValueError, OverflowError: that cannot be.
        """
        if self._crashes is None:
            return
        self._before = crash_handlers()
        delay = timeout - min(HANG_MARGIN, timeout * HANG_SHARE)
        if not self._due:
            os.register_at_fork(
                before=self._pause,
                after_in_parent=self._go_on,
                after_in_child=self._give_back,
            )
        self._due = time.monotonic() + delay
        self._watch(delay)

    def _watch(self, delay: float) -> None:
        stream = FileIO(self._path, "ab", opener=private)
        faulthandler.dump_traceback_later(delay, file=stream)
        self._hangs = ref(stream)

    def _pause(self) -> None:
        """Stop waiting for a hang, where it is ours to stop.

        A process that is forked meanwhile would wait for faulthandler's thread at its end, for ever:
        it has no such thread (CPython, cancel_dump_traceback_later).
        """
        stream = self._hangs() if self._hangs is not None else None
        if stream is not None:
            faulthandler.cancel_dump_traceback_later()
            _close_quietly(stream)
        self._paused = stream is not None
        self._hangs = None

    def _go_on(self) -> None:
        """Wait for a hang again, once a process has been forked. Never raises."""
        left = self._due - time.monotonic()
        if not self._paused or self._crashes is None or left <= 0:
            return
        try:
            self._watch(left)
        except (OSError, RuntimeError):
            pass  # A load that hangs leaves no stack.

    def stop(self) -> None:
        """Stop capturing and remove the file. Never raises."""
        if self._crashes is None:
            return
        self._pause()
        crashes = self._crashes()
        if crashes is not None:
            self._let_go()
            _close_quietly(crashes)
        self._crashes = None
        remove_quietly(self._path)

    def _let_go(self) -> None:
        """Leave crashes to those who handled them before, or have installed a handler meanwhile.

        faulthandler puts back what was there at its start, over whatever came since. That would end
        a process with a Java machine in it, which lives on SIGSEGV. So it stays on then, and tells of
        crashes on standard error.
        """
        untouched = self._before is not None and crash_handlers() == self._before
        if untouched and not self._was_on:
            faulthandler.disable()
        else:
            _tell_on_standard_error()

    def _give_back(self) -> None:
        """Let a forked process tell of its crashes where the interpreter was asked to. Never raises."""
        if self._was_on and self._crashes is not None and self._crashes() is not None:
            _tell_on_standard_error()


def _tell_on_standard_error() -> None:
    try:
        faulthandler.enable(2, all_threads=True)
    except (OSError, ValueError, RuntimeError):
        faulthandler.disable()


def crash_handlers() -> tuple[bytes, ...] | None:
    """Return something that differs once another handler is in place, or None where it cannot be told.

    What C code installed, Python does not see. Imports nothing, since it is called in the middle of
    a worker's life: torch has long brought ctypes.
    """
    ctypes, signal = sys.modules.get("ctypes"), sys.modules.get("signal")
    try:
        sigaction = ctypes.CDLL(None).sigaction  # type: ignore[union-attr]
        found = []
        for name in _CRASHES:
            buffer = ctypes.create_string_buffer(_ROOM)  # type: ignore[union-attr]
            if sigaction(int(getattr(signal, name)), None, buffer) != 0:
                return None
            found.append(bytes(buffer.raw[:_TELLING]))
        return tuple(found)
    except (AttributeError, OSError, TypeError):
        return None


def take_crash(directory: str, pid: int, *, out_of_memory: bool) -> tuple[str, str | None]:
    """Return how the process `pid` ended, in words, and its stack or None; the file is removed.

    `out_of_memory`: the kernel ended a process for lack of memory while this one lived.
    """
    path = stack_path(directory, pid)
    text = ""
    try:
        with open(path, "rb") as stream:
            text = stream.read(MAX_STACK_BYTES).decode("utf-8", "replace")
    except OSError:
        pass
    remove_quietly(path)
    hung, crashed, rest = text.partition(_CRASHED)
    if crashed:
        return rest.partition("\n")[0].strip(), crashed + rest
    if out_of_memory:
        return _OUT_OF_MEMORY, None
    if hung.startswith(_HUNG):
        return "hang: the load did not end within startupTimeout, TorchServe ended it", hung
    return _NO_WORD, None


def _close_quietly(stream: FileIO) -> None:
    try:
        stream.close()
    except OSError:
        pass  # Somebody has closed all descriptors.

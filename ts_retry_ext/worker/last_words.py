"""The worker script's last words: see the exception that it catches and only logs, and say our part behind them.

Tracebacks are printed without the frames of this package, so that they read as TorchServe's alone.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from types import TracebackType
from typing import Any, Callable

from ts_retry_ext.worker.command_line import WORKER_SCRIPT
from ts_retry_ext.worker.output import hold_back, say_held_back

#: The last that the worker script logs, and all that it logs when an exception reached it (0.12.0
#: ``ts/model_service_worker.py``).
_DIED = "Backend worker process died"
_LAST_WORDS = (_DIED, "Load model %s c", "Failed to load model")
#: How long the frontend may take to read what stands in the pipe of standard output, in seconds.
_READ_WITHIN, _LOOK_EVERY = 0.5, 0.005
#: How long it may take from there to its log, in seconds: two of its threads read the two outputs.
_LOGGED_WITHIN = 0.02
_WORKER = os.path.dirname(os.path.abspath(__file__)) + os.sep
#: With what the names of the files of Python's own import system begin.
_IMPORT_SYSTEM = "<frozen importlib"
_MAX_CHAIN, _MAX_FRAMES = 32, 20_000


def watch_log(is_over: Callable[[], bool], found: Callable[[BaseException], None]) -> None:
    """Let `found` see the exception that ends the worker script, until `is_over`.

    Its traceback is logged without our frames. A handler may log an exception in the very same words and go on: only the script's own count.
    """
    stock = logging.getLogRecordFactory()

    def factory(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = stock(*args, **kwargs)
        if is_over():
            if logging.getLogRecordFactory() is factory:
                logging.setLogRecordFactory(stock)
            return record
        exc = _exception_of_script(record)
        if exc is not None:
            found(exc)
            drop_own_frames(exc)
        return record

    logging.setLogRecordFactory(factory)


def _exception_of_script(record: object) -> BaseException | None:
    """Return the exception that the worker script logs with `record`, or None. Never raises."""
    message = getattr(record, "msg", None)
    facts = getattr(record, "exc_info", None)
    if not (isinstance(message, str) and message.startswith(_LAST_WORDS)):
        return None
    if os.path.basename(str(getattr(record, "pathname", ""))) != WORKER_SCRIPT:
        return None
    exc = facts[1] if isinstance(facts, tuple) and len(facts) == 3 else None
    return exc if isinstance(exc, BaseException) else None


def say_after_traceback() -> None:
    """Hold back what is said from now on until `say_last_lines`, or the script's last words."""
    hold_back()
    logging.getLogger().addHandler(_AfterLastWords())


def say_last_lines() -> None:
    """Say what was held back, once the frontend has read what was printed before. Never raises."""
    say_held_back(before=_wait_until_read)


class _AfterLastWords(logging.Handler):
    """Stands behind the handler that prints: what it sees has been printed."""

    def emit(self, record: logging.LogRecord) -> None:
        """Say what was held back, after the worker script's last words."""
        if isinstance(record.msg, str) and record.msg.startswith(_DIED):
            logging.getLogger().removeHandler(self)
            say_last_lines()


def _wait_until_read() -> None:
    try:
        sys.stdout.flush()
        until = time.monotonic() + _READ_WITHIN
        while _unread(1) and time.monotonic() < until:
            time.sleep(_LOOK_EVERY)
        time.sleep(_LOGGED_WITHIN)
    except Exception:
        pass  # No pipe, or a module that the handler has patched.


def _unread(descriptor: int) -> int:
    """Return how many bytes stand in a pipe. Raises OSError where it is none."""
    import fcntl
    import struct
    import termios

    answer = fcntl.ioctl(descriptor, termios.FIONREAD, struct.pack("i", 0))
    return int(struct.unpack("i", answer)[0])


def drop_own_frames(exc: BaseException | None) -> None:
    """Take our frames out of the tracebacks of `exc` and of what led to it. Never raises.

    The first frame is the worker script's and stays. Call it when no code of the model sees `exc` any more.
    """
    for _ in range(_MAX_CHAIN):
        if exc is None:
            return
        _relink(exc.__traceback__)
        exc = exc.__cause__ or exc.__context__


def _relink(trace: TracebackType | None) -> None:
    kept: list[TracebackType] = []
    dropped = False
    for _ in range(_MAX_FRAMES):
        if trace is None:
            break
        if kept and _file(trace).startswith(_WORKER):
            dropped = True
            # Python hides its import system where that ends in the module imported; we stood between.
            while len(kept) > 1 and _file(kept[-1]).startswith(_IMPORT_SYSTEM):
                kept.pop()
        else:
            kept.append(trace)
        trace = trace.tb_next
    if dropped and trace is None:
        for one, following in zip(kept, [*kept[1:], None]):
            one.tb_next = following


def _file(trace: TracebackType) -> str:
    return trace.tb_frame.f_code.co_filename

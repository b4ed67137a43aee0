"""Say what there is to say about a failure once the worker script has logged its traceback."""

from __future__ import annotations

import logging
import sys
import time

from ts_retry_ext.worker.output import hold_back, say_held_back

#: The last that the worker script logs (0.12.0 ``ts/model_service_worker.py``).
_DIED = "Backend worker process died"
#: How long the frontend may take to read what stands in the pipe of standard output, in seconds.
_READ_WITHIN, _LOOK_EVERY = 0.5, 0.005
#: How long it may take from there to its log, in seconds: two of its threads read the two outputs.
_LOGGED_WITHIN = 0.02


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

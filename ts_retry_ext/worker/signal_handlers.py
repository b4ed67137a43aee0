"""Tell what is done in this process when it crashes: what C code installed, Python does not see."""

from __future__ import annotations

import sys

#: The signals that faulthandler takes (CPython, Modules/faulthandler.c).
_CRASHES = ("SIGSEGV", "SIGFPE", "SIGABRT", "SIGBUS", "SIGILL")
#: More than a `struct sigaction` takes on any platform, in bytes.
_ROOM = 512
#: The function, and the first signals of the mask; glibc leaves what follows as it lay on the stack.
_TELLING = 16


def crash_handlers() -> tuple[bytes, ...] | None:
    """Return something that differs once another handler is in place, or None where it can't be told.

    Imports nothing, since it is called in the middle of a worker's life: torch has long brought ctypes.
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

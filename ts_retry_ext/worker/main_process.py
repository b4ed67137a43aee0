"""Tell TorchServe's worker from what its handler makes of it: spawned processes, sub-interpreters.

Both have the worker's own arguments in ``sys.argv``. A process that multiprocessing or loky spawned
gets them once it runs, a sub-interpreter before ``site``.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # signal itself makes enums of all its names
import os
import sys

from ts_retry_ext.worker.command_line import WORKER_SCRIPT

_MAX_PARENTS, _MAX_ARGUMENTS = 16, 100_000
#: The frontend's main class, see `frontend.process`.
_FRONTEND = b"org.pytorch.serve.ModelServer"

TYPE_CHECKING = False  # not from typing, see worker/isolation.py
if TYPE_CHECKING:
    from types import FrameType


def is_main_interpreter() -> bool:
    """Tell whether this interpreter is the first one of its process; asked while it starts.

    Any other one may not say what a signal is to wake. The module that tells outright is a library that would
    have to be loaded for this alone.
    """
    try:
        _signal.set_wakeup_fd(_signal.set_wakeup_fd(-1))
    except ValueError:
        return False
    return True


def is_below_worker() -> bool:
    """Tell whether another worker is among this process's parents: its handler started this one.

    Only Linux tells cheaply. A launcher names the worker script, too, but does not run it.
    """
    pid = os.getppid()
    for _ in range(_MAX_PARENTS):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as stream:
                arguments = stream.read(_MAX_ARGUMENTS).split(b"\0")
            with open(f"/proc/{pid}/stat", "rb") as stream:
                pid = int(stream.read().rpartition(b")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            return False
        script = next((part for part in arguments[1:] if not part.startswith(b"-")), b"")
        if os.path.basename(script) == WORKER_SCRIPT.encode():
            return True
        if _FRONTEND in arguments:
            return False
    return False


def is_called_by_worker_script() -> bool:
    """Tell whether the worker script, as the program of this process, is among the callers."""
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        file, name = frame.f_code.co_filename, frame.f_globals.get("__name__")
        if name == "__main__" and os.path.basename(file) == WORKER_SCRIPT:
            return True
        frame = frame.f_back
    return False

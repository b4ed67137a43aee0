"""Take the frames of this package out of tracebacks before they are printed, so that they read as TorchServe's alone."""

from __future__ import annotations

import os
from types import TracebackType

_WORKER = os.path.dirname(os.path.abspath(__file__)) + os.sep
#: With what the names of the files of Python's own import system begin.
_IMPORT_SYSTEM = "<frozen importlib"
_MAX_CHAIN, _MAX_FRAMES = 32, 20_000


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

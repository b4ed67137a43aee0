"""Tell a process pool that a handler goes on with although it is broken from one that it replaces.

`concurrent.futures` never repairs a pool one of whose processes has died: each further `submit` raises. A
handler may put another pool in its place, in the request that broke it or in the next one.
"""

from __future__ import annotations

import sys
from typing import Any
from weakref import WeakSet

#: ``ProcessPoolExecutor.submit`` refuses once the pool is broken; a task under way fails elsewhere.
_METHOD, _MODULE = "submit", "concurrent.futures.process"


class BrokenPools:
    """The pools that have refused work in this process because they are broken."""

    def __init__(self) -> None:
        self._met: WeakSet[Any] = WeakSet()

    def met_again(self, exc: BaseException) -> bool:
        """Tell whether `exc` comes of a pool that had refused a request before: nobody replaces it."""
        broken = getattr(sys.modules.get(_MODULE), "BrokenProcessPool", None)
        if broken is None or not isinstance(exc, broken):
            return False
        pool = _pool_of(exc)
        if pool is None or pool in self._met:
            return pool is not None
        self._met.add(pool)
        return False


def _pool_of(exc: BaseException) -> object | None:
    """Return the pool whose `submit` raised `exc`, or None where that can't be told."""
    trace = exc.__traceback__
    while trace is not None:
        frame = trace.tb_frame
        if frame.f_code.co_name == _METHOD and frame.f_globals.get("__name__") == _MODULE:
            return frame.f_locals.get("self")
        trace = trace.tb_next
    return None

"""Remember since when processes have been seen dead: the system does not tell when they died."""

from __future__ import annotations

import time

from ts_retry_ext.frontend.process import is_alive

#: More deaths than a server has workers; the oldest ones give way.
MANY = 10_000


class Deaths:
    """Tells by when processes have died.

    A new one knows no more than that a process is dead now. One that is asked again and again knows
    the death as exactly as it is asked often.
    """

    def __init__(self) -> None:
        self._seen: dict[tuple[int, str], float] = {}

    def __call__(self, pid: int, start: str) -> float | None:
        """Return by when a process has died, in seconds since the epoch; None while it runs.

        Setting the clock does not change how long ago that is.
        """
        if is_alive(pid, start):
            return None
        now = time.monotonic()
        seen = self._seen.setdefault((pid, start), now)
        if len(self._seen) > MANY:
            del self._seen[next(iter(self._seen))]
        return time.time() - (now - seen)

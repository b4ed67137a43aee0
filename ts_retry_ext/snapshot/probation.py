"""Look at a version of a model until it serves, or does not."""

from __future__ import annotations

import time
from typing import Callable

from ts_retry_ext.snapshot.model import ModelStatus
from ts_retry_ext.snapshot.state import State

#: How often it is looked at, in seconds.
POLL_SEC = 0.5
#: States that TorchServe itself may end; the others need somebody, or time that nobody knows.
_MAY_PASS = (State.STARTING, State.RECOVERING, State.UNKNOWN)


class Probation:
    """Looks at a version, and counts the ends of its workers from its first look on.

    Args:
        look: returns its state now, None where it is not registered.
        patience_sec: for how long it may not serve.
        most_ends: how often a worker may end.
    """

    def __init__(
        self, look: Callable[[], ModelStatus | None], patience_sec: float, most_ends: int
    ) -> None:
        self._look, self._patience_sec, self._most_ends = look, patience_sec, most_ends
        self._pids: dict[str, int] = {}
        self._ends = 0

    def why_not(self, for_sec: float = 0.0) -> str | None:
        """Look for some seconds, and until it serves then; return what keeps it from that, or None."""
        served_at = time.monotonic()
        until = served_at + for_sec
        while True:
            now, clock = self._look(), time.monotonic()
            if now is None:
                return "it is not registered any more"
            self._count_ends(now)
            cause = f", {now.cause}" if now.cause else ""
            if self._ends > self._most_ends:
                return f"its workers ended {self._ends} time{'s' if self._ends > 1 else ''}{cause}"
            if now.state is State.SERVING:
                if clock >= until:
                    return None
                served_at = clock
            elif now.state not in _MAY_PASS:
                return f"it is {now.state.value}{cause}"
            elif clock - served_at > self._patience_sec:
                return f"it is {now.state.value} for more than {self._patience_sec:.0f} s{cause}"
            time.sleep(POLL_SEC)

    def _count_ends(self, now: ModelStatus) -> None:
        for worker in now.running.workers if now.running else ():
            if worker.pid is not None:
                self._ends += self._pids.setdefault(worker.id, worker.pid) != worker.pid
                self._pids[worker.id] = worker.pid

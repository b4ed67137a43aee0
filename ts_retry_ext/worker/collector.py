"""Keep Python's garbage collector as far as it would be without us.

It counts what is allocated, and each eleventh round of the eleventh looks at every object there is: 90 ms
once torch is imported (CPython 3.11). What our start allocates would bring that forward into a worker's
start. While it is paused, however much counts for one round.
"""

from __future__ import annotations

import gc


class PausedCollector:
    """A context in which the collector does not run; where somebody has switched it off, it stays so."""

    def __enter__(self) -> None:
        """Pause it."""
        self._was_enabled = gc.isenabled()
        gc.disable()

    def __exit__(self, *_: object) -> None:
        """Let it run again."""
        if self._was_enabled:
            gc.enable()

"""Keep Python's garbage collector away from code of ours that allocates much in a moment.

It counts what is allocated, and looks at every object there is now and then: 90 ms once torch is imported
(CPython 3.11). What our part of a worker's start allocates would bring that forward into the load. While it
is paused, however much counts for one round.
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

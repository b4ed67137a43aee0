"""Do a long job in slices that cost next to nothing."""

from __future__ import annotations

import time


class TimeSlice:
    """What one slice may take, from now on.

    Processor time is what counts; on a busy machine little of it passes in a second. A file system that
    is slow to answer takes none, so that there is a second limit.

    Args:
        processor_sec: processor time of this thread.
        wall_sec: time.
    """

    def __init__(self, processor_sec: float, wall_sec: float) -> None:
        self._processor_end = time.thread_time() + processor_sec
        self._end = time.monotonic() + wall_sec

    def is_over(self) -> bool:
        """Tell whether one of the limits is reached."""
        return time.thread_time() >= self._processor_end or time.monotonic() >= self._end

"""What can be seen of another process: its files, whether it is suspended, and since when it is dead."""

from __future__ import annotations

import os
import sys
import time

from ts_retry_ext.frontend.process import is_alive, state_of_process

#: What Linux says of a process that SIGSTOP or a debugger has stopped.
_STOPPED = ("T", "t")
#: More deaths than a server has workers; the oldest ones give way.
_MOST_DEATHS = 10_000


def has_other_root(pid: int) -> bool:
    """Tell whether a process has other files below ``/``, as one in a container has."""
    if sys.platform != "linux":
        return False
    try:
        return not os.path.samefile(f"/proc/{pid}/root", "/")
    except OSError:
        return False  # It may not be asked for; its working directory neither.


def cwd_of(pid: int) -> str | None:
    """Return the working directory of process `pid`, or None where it may not be asked for."""
    if sys.platform == "linux":
        try:
            return os.readlink(f"/proc/{pid}/cwd")
        except OSError:
            return None
    import psutil

    try:
        return str(psutil.Process(pid).cwd())
    except psutil.Error:
        return None


def sees_path(pid: int, path: str) -> bool:
    """Tell whether there is something at `path` for process `pid`; True where that cannot be told.

    A service of systemd may have a ``/tmp`` of its own.
    """
    if sys.platform != "linux":
        return os.path.lexists(path)
    root = f"/proc/{pid}/root"
    return os.path.lexists(root + path) or not os.path.isdir(root)


def is_suspended(pid: int) -> bool:
    """Tell whether process `pid` is suspended: by SIGSTOP, a debugger, or its container's freezer.

    False where that cannot be seen. A frontend that is suspended neither answers nor notices that a
    worker leaves. When it goes on, its retry window can be over, so that nobody takes the place of a
    worker that left meanwhile.
    """
    return state_of_process(pid) in _STOPPED or _is_frozen(pid)


def _is_frozen(pid: int) -> bool:
    """Tell whether the freezer of its control group (version 2) has stopped it."""
    try:
        with open(f"/proc/{pid}/cgroup") as lines:
            own = [line for line in lines if line.startswith("0::")]
        if not own:
            return False
        group = own[0][len("0::") :].strip()
        with open(f"/sys/fs/cgroup{group}/cgroup.events") as events:
            return "frozen 1\n" in events.read()
    except (OSError, ValueError):
        return False


class Deaths:
    """Tells by when processes have died, which the system does not say.

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
        if len(self._seen) > _MOST_DEATHS:
            del self._seen[next(iter(self._seen))]
        return time.time() - (now - seen)

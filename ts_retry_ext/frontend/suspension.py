"""Tell whether a frontend is suspended: a debugger, SIGSTOP, or its container's freezer.

Such a frontend neither answers nor notices that a worker leaves. When it goes on, its retry window can
be over, so that nobody takes the place of a worker that left meanwhile.
"""

from __future__ import annotations

from ts_retry_ext.frontend.process import state_of_process

_STOPPED = ("T", "t")


def is_suspended(pid: int) -> bool:
    """Tell whether process `pid` is suspended; False where that cannot be seen."""
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

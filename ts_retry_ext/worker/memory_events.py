"""Count the processes that the kernel ended for lack of memory, where the host tells."""

from __future__ import annotations

import os

_V2_ROOT = "/sys/fs/cgroup"
_V1_ROOT = "/sys/fs/cgroup/memory"
_COUNTER = b"oom_kill"


def oom_kills() -> int | None:
    """Return the number of OOM kills in this process's control group so far, or None.

    Control group version 2 (``memory.events``), version 1 (``memory.oom_control``), else that of
    the whole host (``/proc/vmstat``, Linux 4.13 and later). Compared between the start of a worker
    and its death it tells an OOM kill from another SIGKILL; two workers of one group that die in
    the same second cannot be told apart.
    """
    try:
        with open("/proc/self/cgroup", encoding="utf-8", errors="replace") as stream:
            groups = stream.read()
    except OSError:
        groups = ""
    found = [_read(path) for path in counter_files(groups)]
    known = [count for count in found if count is not None]
    return known[0] if known else _read("/proc/vmstat")


def counter_files(groups: str) -> list[str]:
    """Return where the counter of this process's control group may lie, the first one that is there counts.

    Args:
        groups: what ``/proc/self/cgroup`` holds. In a container on version 1 it names the host's path,
            and the container's own group is mounted at the root.
    """
    files = []
    for line in groups.splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if not controllers:
            files.append(os.path.join(_V2_ROOT + path, "memory.events"))
        elif "memory" in controllers.split(","):
            files.append(os.path.join(_V1_ROOT + path, "memory.oom_control"))
            files.append(os.path.join(_V1_ROOT, "memory.oom_control"))
    return files


def _read(path: str) -> int | None:
    try:
        with open(path, "rb") as stream:
            for line in stream:
                name, _, value = line.partition(b" ")
                if name == _COUNTER:
                    return int(value)
    except (OSError, ValueError):
        pass
    return None

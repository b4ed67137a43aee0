"""What the files of another process are: its root, its working directory, and what it sees at a path."""

from __future__ import annotations

import os
import sys


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

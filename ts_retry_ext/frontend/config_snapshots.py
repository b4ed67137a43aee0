"""The configuration snapshots that a server without ``--ts-config`` and ``--ncs`` starts from.

TorchServe writes them into ``config`` in its log directory, and takes the newest by the time stamp that
its name begins with (0.12.0 FSSnapshotSerializer.getLastSnapshot). It takes every file there for one: if
there are several, a name without a time stamp ends the start with a NullPointerException on the console.
"""

from __future__ import annotations

import os
from typing import NamedTuple

#: ``20260101123000123-shutdown.cfg``; SimpleDateFormat ``yyyyMMddHHmmssSSS`` wants one digit of the last.
_STAMP_DIGITS = 15


class SnapshotFolder(NamedTuple):
    """The files of a folder of snapshots.

    Attributes:
        snapshots: paths of those whose names have a time stamp, the oldest first.
        strays: paths of the others.
    """

    snapshots: tuple[str, ...]
    strays: tuple[str, ...]


def read_folder(log_dir: str) -> SnapshotFolder:
    """Return the snapshots in the log directory `log_dir`; none where there is no such folder."""
    folder = os.path.join(log_dir, "config")
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return SnapshotFolder((), ())
    paths = [(name, os.path.join(folder, name)) for name in names]
    files = [(name, path) for name, path in paths if not os.path.isdir(path)]
    return SnapshotFolder(
        tuple(path for name, path in files if _is_stamped(name)),
        tuple(path for name, path in files if not _is_stamped(name)),
    )


def _is_stamped(name: str) -> bool:
    stamp = name[:_STAMP_DIGITS]
    return len(stamp) == _STAMP_DIGITS and stamp.isdecimal()


def last_snapshot(log_dir: str, before: float) -> str | None:
    """Return the snapshot that a server read which started at `before`, in seconds since the epoch.

    It writes snapshots of its own later, so the newest one of all is not the one it read. A single
    file is taken whatever its name is.
    """
    folder = read_folder(log_dir)
    for path in (*reversed(folder.snapshots), *folder.strays):
        try:
            if os.stat(path).st_mtime < before:
                return path
        except OSError:  # noqa: PERF203 - removed just now
            pass
    return None

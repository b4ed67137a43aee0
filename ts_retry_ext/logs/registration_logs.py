"""Read what the logs of a running server say of its registrations, rotated ones included."""

from __future__ import annotations

import calendar
import os
import time
from functools import lru_cache

from ts_retry_ext.logs.registration_lines import LoggedRegistrations, registrations_in
from ts_retry_ext.logs.server_log import read_rotated_log, read_server_log, rotated_logs

#: A start is known to the second (frontend/startup_models.py), and the first line comes later.
_EARLY_SEC = 1.0


def read_registrations(
    log_dir: str, management: str, started_at: float, *, has_own_clock: bool = True
) -> LoggedRegistrations:
    """Return what a server's log says of the registrations of its present run.

    TorchServe rotates its log each midnight, so the start of most runs is in an older file.

    Args:
        management: the address of its management API, by which it is told from others that log there.
        started_at: when it started, seconds since the epoch.
        has_own_clock: whether the log shows the time of this process's time zone.
    """
    since = started_at - _EARLY_SEC
    since_ms = calendar.timegm(time.localtime(since)) * 1000 if has_own_clock else None
    told = registrations_in(read_server_log(log_dir), management, since_ms)
    for path in rotated_logs(log_dir, since) if not told.has_start else ():
        try:
            status = os.stat(path)
        except OSError:
            continue
        older = _in_rotated(path, status.st_mtime_ns, status.st_size, management, since_ms)
        told = older.followed_by(told)
        if told.has_start:
            break
    return told


@lru_cache(maxsize=8)
def _in_rotated(
    path: str, changed_at: int, size: int, management: str, since_ms: int | None
) -> LoggedRegistrations:
    """Return what a rotated log says; it is read once, since nobody writes to it any more."""
    del changed_at, size
    return registrations_in(read_rotated_log(path), management, since_ms)

"""Read TorchServe's own ``ts_log.log``: whether its last run ended before it served, and what it registered."""

from __future__ import annotations

import calendar
import gzip
import os
import re
import time
import zlib
from functools import lru_cache
from typing import NamedTuple

from ts_retry_ext.logs.log_record import Kind, parse_line
from ts_retry_ext.logs.registration_lines import LoggedRegistrations, registrations_in

#: Where TorchServe's own log4j2.xml puts what the frontend says.
SERVER_LOG = "ts_log.log"
_ROTATED = re.compile(r"ts_log\.(?:.+\.log|log\..+)(?:\.gz)?$")
#: The end of a server, and the opening of one of its addresses (0.12.0 ModelServer).
STOPPED = "Torchserve stopped."
BOUND = re.compile(r" API bind to: ")
#: What each start says first (0.12.0 PluginsManager), before the configuration is shown.
_BEGINS = b"Initializing plugins manager"
_CONFIG_FILE = re.compile(rb"^Config file: (.+?)\r?$", re.MULTILINE)
#: It is rotated at 100 MB (0.12.0 log4j2.xml).
_WHOLE_BYTES = 128 * 1024 * 1024
#: A start that fails is short, even if it installs packages of a model or two; so much is read.
_TAIL_BYTES = 1024 * 1024
#: A server that another address or key keeps from starting stops 2 s after it has opened the first
#: (seen with 0.12.0).
_SOON_MS = 5000
#: A start is known to the second (frontend/startup_models.py), and the first line comes later.
_EARLY_SEC = 1.0


class FailedStart(NamedTuple):
    """A start that ended before the server served.

    Attributes:
        at: when the server stopped, as the log shows it.
        opened: how many addresses it had opened by then.
        config_file: the configuration that it read, as the log names it; None if that is not known.
    """

    at: str
    opened: int
    config_file: str | None


def read_server_log(log_dir: str, limit: int = _WHOLE_BYTES) -> bytes:
    """Return the last `limit` bytes of a server's own log; empty if it cannot be read."""
    try:
        with open(os.path.join(log_dir, SERVER_LOG), "rb") as log:
            log.seek(max(0, os.fstat(log.fileno()).st_size - limit))
            return log.read(limit)
    except OSError:
        return b""


def rotated_logs(log_dir: str, since: float) -> list[str]:
    """Return the paths of the parts of a server's own log that were rotated after a time, the newest first.

    TorchServe rotates it each midnight and at 100 MB (0.12.0 log4j2.xml: ``ts_log.27-Nov.log.gz``).

    Args:
        since: seconds since the epoch.
    """
    found = []
    try:
        with os.scandir(log_dir) as entries:
            for entry in entries:
                if _ROTATED.match(entry.name) and entry.is_file():
                    changed_at = entry.stat().st_mtime
                    if changed_at >= since:
                        found.append((changed_at, entry.path))
    except OSError:
        return []
    return [path for _, path in sorted(found, reverse=True)]


def read_rotated_log(path: str) -> bytes:
    """Return a rotated log, up to its first `_WHOLE_BYTES`; empty if it cannot be read."""
    try:
        if not path.endswith(".gz"):
            with open(path, "rb") as log:
                return log.read(_WHOLE_BYTES)
        with gzip.open(path, "rb") as packed:
            return packed.read(_WHOLE_BYTES)
    except (OSError, EOFError, zlib.error):
        return b""


def failed_start(log_dir: str) -> FailedStart | None:
    """Return how the last run in a log directory failed to start, or None if it did not."""
    log = read_server_log(log_dir, _TAIL_BYTES)
    begin = log.rfind(_BEGINS)
    return None if begin < 0 else _failed_start(log[begin:])


def _failed_start(run: bytes) -> FailedStart | None:
    opened: set[str] = set()  # TorchServe writes each line twice.
    opened_at, stopped, shown = 0, None, ""
    for line in run.split(b"\n"):
        record = parse_line(line)
        if record.kind is not Kind.SERVER or record.at is None:
            continue
        text = record.text.decode("utf-8", "replace")
        if BOUND.search(text):
            opened.add(text)
            opened_at = record.at
        elif text == STOPPED:
            stopped = record.at
            shown = line[:19].decode("ascii", "replace").replace("T", " ")
    if stopped is None or (opened and stopped - opened_at > _SOON_MS):
        return None
    files = _CONFIG_FILE.findall(run)
    named = files[-1].decode("utf-8", "replace") if files else "N/A"
    return FailedStart(shown, len(opened), None if named == "N/A" else named)


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

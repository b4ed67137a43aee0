"""What the trial loads of one server may cost: one at a time, and a share of one core.

The budget is a bucket of processor seconds that fills slowly and that each trial is taken out of. It
lies beside the server's registrations, and its times are those of the system's own clock since boot,
which nobody sets.
"""

from __future__ import annotations

import fcntl
import os
import time

from ts_retry_ext.store.atomic import SCHEMA, UntrustedFileError, read_json, write_json

BUDGET_FILE = "trials.json"
LOCK_FILE = "trial.lock"
#: Half of it from the bucket, half of it as it fills: a tenth of one core over any half an hour.
CAPACITY_SEC = 85.0
REFILL_PER_SEC = 0.05
#: What has to be left for a trial whose time has just come. It is less for one that is overdue, and
#: nothing after `OVERDUE_SEC`.
RESERVE_SEC, OVERDUE_SEC = 2.0, 3600.0


def try_lock(path: str) -> int | None:
    """Lock a file, or a directory as it is, and return the descriptor; None where somebody has it.

    Raises:
        OSError: it cannot be opened or locked: a file system without locks.
    """
    if os.path.isdir(path):
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    else:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(path, flags, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def lock_path(directory: str) -> str:
    """Return the lock of trials in a server's or a registration's `directory`."""
    return os.path.join(directory, LOCK_FILE)


def credit(server_dir: str) -> float:
    """Return the processor seconds that trials may take now; one needs more than `least_credit`.

    A file that cannot be read, or is not ours, counts as a full bucket.
    """
    try:
        content = read_json(_path(server_dir)) or {}
    except (OSError, UntrustedFileError):
        return CAPACITY_SEC
    level, at = content.get("level"), content.get("at")
    if not isinstance(level, (int, float)) or not isinstance(at, (int, float)):
        return CAPACITY_SEC
    filled = level + max(0.0, time.monotonic() - at) * REFILL_PER_SEC
    return min(CAPACITY_SEC, filled)


def least_credit(overdue_sec: float) -> float:
    """Return the credit that a trial waits for, which is less the longer it has been waiting.

    So models that wait for different things have their turns in order. If the first one to look had
    the trial, one of 50 models would wait for two hours where each could have one in half an hour.

    Args:
        overdue_sec: time since the trial was due.
    """
    return RESERVE_SEC * (1.0 - min(max(overdue_sec, 0.0), OVERDUE_SEC) / OVERDUE_SEC)


def charge(server_dir: str, processor_sec: float) -> None:
    """Take what a trial has cost out of the bucket; the caller holds the server's lock of trials.

    Raises:
        OSError: it cannot be written.
    """
    level = credit(server_dir) - max(0.0, processor_sec)
    write_json(_path(server_dir), {"schema": SCHEMA, "level": level, "at": time.monotonic()})


def _path(server_dir: str) -> str:
    return os.path.join(server_dir, BUDGET_FILE)

"""The lock of one registration: reading, deciding and writing are one step under it. And locks to try.

Whoever waits for the former never waits for ever: a backup, a suspended process or a network file system that
is away can keep it as long as they like, and a worker has to go on.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager, suppress
from time import monotonic, sleep  # A handler may put others in their place later on.
from typing import Iterator

from ts_retry_ext.store.directory import LOCK_FILE
from ts_retry_ext.store.kept_journal import opened

#: How long nobody may take the lock, in seconds, until whoever waits for it gives up.
PATIENCE_SEC = 1.0
#: How long to wait at most while others take the lock one after another.
LONGEST_WAIT_SEC = 30.0
#: Between two tries, in seconds.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.002, 0.03


class LockTimeoutError(OSError):
    """Somebody keeps the lock of a registration."""


@contextmanager
def locked(model_dir: str, patience_sec: float = PATIENCE_SEC) -> Iterator[None]:
    """Hold the registration's lock; give up once nobody else has taken it for `patience_sec`.

    Raises:
        LockTimeoutError: somebody keeps the lock for longer.
        OSError: the lock cannot be opened.
    """
    path = os.path.join(model_dir, LOCK_FILE)
    with opened(path) as descriptor:
        _take(descriptor, path, patience_sec)
        try:
            yield
        finally:
            # Closing is not enough: a process that another thread forked meanwhile shares the lock.
            fcntl.flock(descriptor, fcntl.LOCK_UN)


def _take(descriptor: int, path: str, patience_sec: float) -> None:
    begun = heard = monotonic()
    taken_at, pause = 0, _FIRST_PAUSE
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pass
        else:
            with suppress(OSError):
                os.utime(descriptor)  # Those who wait see that the lock changes hands.
            return
        now = monotonic()
        last = os.fstat(descriptor).st_mtime_ns
        if last != taken_at:
            taken_at, heard = last, now
        if now - heard >= patience_sec or now - begun >= max(LONGEST_WAIT_SEC, patience_sec):
            msg = f"another process has kept the lock {path} for {now - heard:.0f} s"
            raise LockTimeoutError(msg)
        sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)


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

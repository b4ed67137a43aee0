from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

import pytest

from ts_retry_ext.store.directory import LOCK_FILE
from ts_retry_ext.store.lock import LockTimeoutError, locked, try_lock


@contextmanager
def somebody_keeps(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(descriptor)


def test_a_lock_that_somebody_keeps_is_given_up_after_a_second(tmp_path: Path) -> None:
    begun = time.monotonic()
    kept = pytest.raises(LockTimeoutError, match="has kept the lock")
    with somebody_keeps(tmp_path), kept, locked(str(tmp_path)):
        pass
    assert 0.9 < time.monotonic() - begun < 10
    with locked(str(tmp_path)):
        pass


def test_a_lock_that_changes_hands_is_waited_for(tmp_path: Path) -> None:
    """Sixteen workers that write for 0.15 s each take 2.4 s; nobody is turned away."""
    done: list[int] = []

    def write(number: int) -> None:
        with locked(str(tmp_path)):
            time.sleep(0.15)
            done.append(number)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(16)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sorted(done) == list(range(16))


def test_whoever_can_wait_longer_gets_the_lock_once_it_is_free(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path / LOCK_FILE, os.O_RDWR | os.O_CREAT)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    threading.Timer(1.5, os.close, [descriptor]).start()
    begun = time.monotonic()
    with locked(str(tmp_path), 30.0):
        assert time.monotonic() - begun > 1.4


def test_a_process_forked_meanwhile_does_not_keep_the_lock(tmp_path: Path) -> None:
    with locked(str(tmp_path)):
        forked = os.fork()
        if forked == 0:
            signal.pause()
    try:
        with locked(str(tmp_path)):
            pass
    finally:
        os.kill(forked, signal.SIGKILL)
        os.waitpid(forked, 0)


@pytest.mark.parametrize("kind", ["file", "directory"])
def test_a_lock_is_held_by_one_process_and_goes_with_it(tmp_path: Path, kind: str) -> None:
    place = str(tmp_path) if kind == "directory" else str(tmp_path / "trial.lock")
    code = (
        "import sys, time; from ts_retry_ext.store.lock import try_lock; "
        f"print(try_lock({place!r}) is not None, flush=True); time.sleep(60)"
    )
    other = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout is not None
        assert other.stdout.readline() == "True\n"
        assert try_lock(place) is None
    finally:
        other.kill()
        other.communicate()
    lock = try_lock(place)
    assert lock is not None
    os.close(lock)
